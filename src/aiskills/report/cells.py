"""From the tidy table of a measure to the cells of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from aiskills.report.records import Cell, Rows
from aiskills.schema import Definition

#: Cells with fewer offers are marked.
LEAST: Final = 30
#: Rows of a table at most. Real tables have 130 at most; a foreign column may have a million.
MOST_ROWS: Final = 200
#: Characters of a label at most.
_LABEL: Final = 120


def cell(row: Mapping[str, Any], label: str, group: str = "") -> Cell:
    """One row of the tidy table of a measure as a cell."""
    note = row["note"]
    return Cell(
        label=label[:_LABEL],
        group=group[:_LABEL],
        kind=row["row"],
        offers=row["offers"],
        flagged=row["flagged"],
        share=row["share"],
        low=row["low"],
        high=row["high"],
        corrected=row["share_corrected"],
        corrected_low=row["low_corrected"],
        corrected_high=row["high_corrected"],
        part=row["part"],
        part_low=row["part_low"],
        part_high=row["part_high"],
        specificity=row["specificity"],
        small="small cell" in note,
        secret="secrecy" in note,
    )


def cells_of(table: pa.Table, by: tuple[str, ...]) -> Rows:
    """Cells and unknowns by definition; totals and what lies outside are left to the headline.

    Args:
        table: Tidy table of a measure.
        by: Its groups; the last one is the label, one before it the group.
    """
    rows: dict[Definition, list[Cell]] = {}
    for row in table.to_pylist():
        own = rows.setdefault(Definition(row["definition"]), [])
        if row["row"] in ("cell", "unknown") and len(own) < MOST_ROWS:
            own.append(cell(row, row[by[-1]], row[by[0]] if len(by) > 1 else ""))
    return {definition: tuple(cells) for definition, cells in rows.items()}
