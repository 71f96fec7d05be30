"""From batches of offers to counts: a row for each set of keys, however many offers there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.estimate.plan import UID, Dropped, Plan, id_column, keyed, sums_of
from aiskills.files.cells import as_text

#: Rows kept before they are summed again; bounds the memory of the pass.
_PENDING: Final = 1_000_000


@dataclass(slots=True)
class Counts:
    """What one pass over the offers gives.

    Attributes:
        table: The keys, `inside` and the sums, a row for each set of keys.
        chosen: Keys, `inside`, summands and `UID` of the offers asked for by name, a row each.
        dropped: Rows that are counted in no cell.
    """

    table: pa.Table
    chosen: pa.Table | None
    dropped: Dropped


@dataclass(slots=True)
class _Pass:
    chosen_ids: pa.Array | None
    dropped: Dropped = field(default_factory=Dropped)
    parts: list[pa.Table] = field(default_factory=list)
    chosen: list[pa.Table] = field(default_factory=list)
    pending: int = 0

    def add(self, plan: Plan, batch: pa.Table) -> None:
        table = keyed(plan, batch, self.dropped)
        if self.chosen_ids is not None:
            self.chosen.append(table.filter(pc.is_in(table.column(UID), value_set=self.chosen_ids)))
            table = table.drop_columns([UID])
        table = _summed(table, plan)
        self.parts.append(table)
        self.pending += len(table)
        if self.pending > _PENDING:
            self.parts = [_summed(pa.concat_tables(self.parts), plan)]
            # Where keys hardly repeat, summing again after every batch would take for ever.
            self.pending = len(self.parts[0]) // 2


def count(
    plans: Sequence[Plan],
    *,
    chosen: pa.Array | None = None,
    skip: Mapping[str, pa.Array] | None = None,
) -> Counts:
    """Counts all offers of all files.

    Args:
        plans: One a file, all of the same question; with `uid` if `chosen` is given.
        chosen: Ids of offers that are wanted row by row as well.
        skip: By name of file, ids of offers to leave out since a later file holds them too.
    """
    state = _Pass(chosen)
    for plan in plans:
        for batch in _rows(plan, (skip or {}).get(plan.scored.name)):
            state.add(plan, batch)
    if not state.parts:
        empty = pa.table({name: pa.nulls(0, pa.string()) for name in plans[-1].read})
        state.add(plans[-1], empty)
    table = _summed(pa.concat_tables(state.parts), plans[-1])
    rows = pa.concat_tables(state.chosen) if chosen is not None else None
    return Counts(table, rows, state.dropped)


def _rows(plan: Plan, again: pa.Array | None) -> Iterator[pa.Table]:
    column = id_column(plan.scored)
    for batch in plan.scored.batches(plan.read):
        if again is None or column is None:
            yield batch
        else:
            known = pc.is_in(as_text(batch.column(column)), value_set=again)
            yield batch.filter(pc.invert(known))


def _summed(table: pa.Table, plan: Plan) -> pa.Table:
    """Sums the rows of equal keys."""
    question = plan.question
    sums = [
        name
        for definition in question.definitions
        for name in sums_of(definition, weighted=question.weights is not None)
    ]
    keys = [name for name in table.column_names if name not in sums and name != UID]
    # Without threads, so that the same offers give the same last digit.
    grouped = table.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in sums])
    return grouped.rename_columns([name.removesuffix("_sum") for name in grouped.column_names])
