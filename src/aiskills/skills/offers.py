"""One pass over scored offers: sums of all of them, and the flagged ones with their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError
from aiskills.estimate.cells import Coded, encode
from aiskills.estimate.options import Question
from aiskills.estimate.plan import (
    EMPLOYER,
    INSIDE,
    Dropped,
    Plan,
    id_column,
    keyed,
    make_plan,
    sums_of,
)
from aiskills.estimate.scored import Scored
from aiskills.files.cells import as_text
from aiskills.skills.pieces import Pieces, read_pieces

_COLUMN: Final = "ai_evidence"
# A key that no column of the user's can bear.
_EVIDENCE: Final = " evidence"
#: Rows of sums kept before they are summed again.
_PENDING: Final = 200_000


@dataclass(frozen=True, slots=True)
class Offers:
    """Offers inside what is asked.

    Attributes:
        every: Sums over all of them, a row for each set of keys.
        flagged: Those flagged under one definition at least, a row each.
        pieces: The evidence of `flagged`, its rows numbered alike.
        named: Whether any file names employers.
        dropped: Rows that count nowhere.
        outside: Rows whose cadre status or perimeter is unknown.
    """

    every: Coded
    flagged: Coded
    pieces: Pieces
    named: bool
    dropped: Dropped
    outside: int


def read_flagged(
    inputs: Sequence[Scored], question: Question, again: Mapping[str, pa.Array]
) -> Offers:
    """Reads the offers.

    Args:
        inputs: The files.
        question: What is asked; its growth and weights are for others to use.
        again: By name of file, ids of offers that a later file holds too.

    Raises:
        InputError: A column is missing or holds something else.
    """
    plans = [_plan(one, question, ids=bool(again)) for one in inputs]
    dropped, sums, rows, outside = Dropped(), _Sums(question), [], 0
    for plan in plans:
        for batch in _batches(plan, again.get(plan.scored.name)):
            table = keyed(plan, batch, dropped)
            known = pc.equal(table.column("inside"), INSIDE)
            outside += len(table) - (pc.sum(known).as_py() or 0)
            table = _plain(table.filter(known))
            hits = [pc.greater(table.column(f"x_{d}"), 0) for d in question.definitions]
            any_hit = hits[0] if len(hits) == 1 else pc.or_(hits[0], hits[1])
            rows.append(table.filter(any_hit))
            sums.add(table.drop_columns([EMPLOYER, _EVIDENCE]))
    flagged = pa.concat_tables(rows)
    every = sums.table()
    named = any(plan.keys[EMPLOYER] for plan in plans)
    return Offers(
        encode(every, question, employers=False),
        encode(flagged, question, employers=named),
        read_pieces(flagged.column(_EVIDENCE)),
        named,
        dropped,
        outside,
    )


def _plan(scored: Scored, question: Question, *, ids: bool) -> Plan:
    plan = make_plan(scored, question, ids=ids)
    if _COLUMN not in scored.columns:
        raise InputError(
            f"{scored.name} has no column '{_COLUMN}'",
            hint="Score the offers with `aiskills classify` first, and keep its columns.",
        )
    return replace(
        plan,
        keys={**plan.keys, _EVIDENCE: _COLUMN},
        read=tuple(dict.fromkeys((*plan.read, _COLUMN))),
    )


def _batches(plan: Plan, again: pa.Array | None) -> Iterator[pa.Table]:
    column = id_column(plan.scored)
    seen = False
    for batch in plan.scored.batches(plan.read):
        seen = True
        if again is not None and column is not None:
            known = pc.is_in(as_text(batch.column(column)), value_set=again)
            yield batch.filter(pc.invert(known))
        else:
            yield batch
    if not seen:
        yield pa.table({name: pa.nulls(0, pa.string()) for name in plan.read})


def _plain(table: pa.Table) -> pa.Table:
    """The table with one type of text: some files and pandas give `large_string`, others not."""
    types = [
        pa.string() if pa.types.is_large_string(one.type) else one.type for one in table.schema
    ]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


class _Sums:
    """Sums of equal keys, in bounded memory."""

    def __init__(self, question: Question) -> None:
        self._sums = [name for d in question.definitions for name in sums_of(d, weighted=False)]
        self._parts: list[pa.Table] = []
        self._pending = 0

    def add(self, table: pa.Table) -> None:
        part = self._summed(table)
        self._parts.append(part)
        self._pending += len(part)
        if self._pending > _PENDING:
            self._parts = [self._summed(pa.concat_tables(self._parts))]
            # Where keys hardly repeat, summing again after every batch would take for ever.
            self._pending = len(self._parts[0]) // 2

    def table(self) -> pa.Table:
        return self._summed(pa.concat_tables(self._parts))

    def _summed(self, table: pa.Table) -> pa.Table:
        keys = [name for name in table.column_names if name not in self._sums]
        # Without threads, so that rows come in the same order each time.
        grouped = table.group_by(keys, use_threads=False).aggregate(
            [(name, "sum") for name in self._sums]
        )
        names = [name.removesuffix("_sum") for name in grouped.column_names]
        return grouped.rename_columns(names)
