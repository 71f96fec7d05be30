"""From batches of offers to counts: a row for each set of keys, however many offers there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
class Batch:
    """What one batch of offers comes to; made in any process.

    Attributes:
        table: The keys, `inside` and the sums, a row for each set of keys.
        chosen: Keys, `inside`, summands and `UID` of the offers asked for by name; None if none
            are.
        dropped: Rows that are counted in no cell.
    """

    table: pa.Table
    chosen: pa.Table | None
    dropped: Dropped


Counter = Callable[
    [Sequence[Plan], pa.Array | None, Mapping[str, pa.Array] | None], Iterable[Batch]
]
"""Gives the batches of all files in order, whoever makes them: plans, chosen, skip."""


def batches_of(
    plan: Plan, chosen: pa.Array | None = None, again: pa.Array | None = None
) -> Iterator[Batch]:
    """What the batches of a file come to, in order.

    Args:
        plan: For the file; with `uid` if `chosen` is given.
        chosen: Ids of offers that are wanted row by row as well.
        again: Ids of offers to leave out since a later file holds them too.
    """
    for rows in _rows(plan, again):
        yield _batch(plan, rows, chosen)


def batches(
    plans: Sequence[Plan], chosen: pa.Array | None, skip: Mapping[str, pa.Array] | None
) -> Iterator[Batch]:
    """The batches of all files, one after the other, made in this process."""
    for plan in plans:
        yield from batches_of(plan, chosen, (skip or {}).get(plan.scored.name))


def count(
    plans: Sequence[Plan],
    *,
    chosen: pa.Array | None = None,
    skip: Mapping[str, pa.Array] | None = None,
    counter: Counter = batches,
) -> Counts:
    """Counts all offers of all files.

    Args:
        plans: One a file, all of the same question; with `uid` if `chosen` is given.
        chosen: Ids of offers that are wanted row by row as well.
        skip: By name of file, ids of offers to leave out since a later file holds them too.
        counter: Makes the batches; the counts are the same whoever does.
    """
    last = plans[-1]
    dropped = Dropped()
    parts: list[pa.Table] = []
    wanted: list[pa.Table] = []
    pending = 0
    for batch in counter(plans, chosen, skip):
        dropped.add(batch.dropped)
        if batch.chosen is not None:
            wanted.append(batch.chosen)
        parts.append(batch.table)
        pending += len(batch.table)
        if pending > _PENDING:
            parts = [_summed(pa.concat_tables(parts), last)]
            # Where keys hardly repeat, summing again after every batch would take for ever.
            pending = len(parts[0]) // 2
    if not parts:
        empty = pa.table({name: pa.nulls(0, pa.string()) for name in last.read})
        batch = _batch(last, empty, chosen)
        parts.append(batch.table)
        wanted += [] if batch.chosen is None else [batch.chosen]
    table = _summed(pa.concat_tables(parts), last)
    return Counts(table, None if chosen is None else pa.concat_tables(wanted), dropped)


def _batch(plan: Plan, rows: pa.Table, chosen: pa.Array | None) -> Batch:
    dropped = Dropped()
    table = keyed(plan, rows, dropped)
    if chosen is None:
        return Batch(_summed(table, plan), None, dropped)
    own = table.filter(pc.is_in(table.column(UID), value_set=chosen))
    return Batch(_summed(table.drop_columns([UID]), plan), own, dropped)


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
