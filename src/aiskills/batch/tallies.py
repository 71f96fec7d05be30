"""Counts of stored offers by day, from which the watch draws its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.schema import Definition, Status

#: Columns whose unknown values are watched, where the store has them.
WATCHED: Final = ("ai_branch", "ai_region", "ai_function", "ai_cadre", "company", "date")
_UNKNOWN: Final = "inconnu"

Tallies = Counter[tuple[str, str, str]]


def tally(offers: pa.Table) -> Tallies:
    """Counts of offers by (day, measure, value).

    Measures: `offers` (all), `share` (those that ask for AI, by definition), `language`, `source`,
    `unknown` (offers without a value, by column) and `length` (by powers of two: value `9` for 512
    to 1,023 characters of title and description).

    Args:
        offers: Judged offers in the store's columns, before texts are taken away.
    """
    result: Tallies = Counter()
    days = offers.column("seen").cast(pa.string())
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "offers": pa.array([""] * len(offers)),
        "language": pc.fill_null(offers.column("ai_language"), ""),
        "source": pc.fill_null(offers.column("source"), ""),
        "length": _lengths(offers),
    }
    for measure, values in columns.items():
        _add(result, measure, days, values)
    for definition in Definition:
        demand = pc.equal(offers.column(f"ai_{definition}_status"), Status.DEMAND.value)
        _add(result, "share", days.filter(demand), definition.value)
    for name in WATCHED:
        if name in offers.column_names:
            column = offers.column(name)
            missing = pc.or_kleene(pc.is_null(column), pc.is_in(column, pa.array(["", _UNKNOWN])))
            _add(result, "unknown", days.filter(missing), name)
    return result


def _lengths(offers: pa.Table) -> pa.Array:
    sizes = [
        pc.fill_null(pc.utf8_length(offers.column(name)), 0) for name in ("title", "description")
    ]
    whole = pc.add(*sizes).cast(pa.float64())
    return pc.floor(pc.log2(pc.max_element_wise(whole, 1.0))).cast(pa.int64()).cast(pa.string())


def _add(result: Tallies, measure: str, days: Any, values: Any) -> None:
    if isinstance(values, str):
        values = pa.array([values] * len(days), pa.string())
    table = pa.table({"day": days, "value": values})
    for row in table.group_by(["day", "value"]).aggregate([([], "count_all")]).to_pylist():
        result[row["day"], measure, row["value"]] += row["count_all"]


def totals(tallies: Mapping[tuple[str, str, str], int]) -> Counter[tuple[str, str]]:
    """The same by (measure, value), all days together."""
    result: Counter[tuple[str, str]] = Counter()
    for (_, measure, value), offers in tallies.items():
        result[measure, value] += offers
    return result
