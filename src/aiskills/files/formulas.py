"""Cells that a spreadsheet would run: an apostrophe before them on writing, gone on reading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a spreadsheet may run begins so (OWASP, "CSV Injection"), also in full-width forms; a plain
# number is none. Apostrophes before it were there already: one more makes the way back exact.
_BEGINS: Final = r"'*[=+\-@\t\r\n＝＋－＠]"
_FORMULA: Final = re.compile(_BEGINS + r"(?!\d*([.,]\d+)?$)")
_GUARDED: Final = re.compile("'(?=" + _FORMULA.pattern + ")")


def guard(cells: Sequence[str | None]) -> tuple[list[str | None], int]:
    """Return cells with an apostrophe before each that a spreadsheet could run, and their number.

    >>> guard(["=1+1", "- Nantes (44)", "-1,5", "+33612345678", "l'an", None])
    (["'=1+1", "'- Nantes (44)", '-1,5', '+33612345678', "l'an", None], 2)
    """
    match = _FORMULA.match
    given = ["'" + one if one and match(one) else one for one in cells]
    return given, sum(new is not old for new, old in zip(given, cells, strict=True))


def unguard(cells: Sequence[str]) -> list[str]:
    """Return cells without the apostrophe that `guard` puts before them; all others as they are.

    >>> unguard(["'=1+1", "'- Nantes (44)", "'-1,5", "l'an", "'90"])
    ['=1+1', '- Nantes (44)', "'-1,5", "l'an", "'90"]
    """
    match = _GUARDED.match
    return [one[1:] if one.startswith("'") and match(one) else one for one in cells]


def unguard_table(table: pa.Table) -> pa.Table:
    """Return a table of text columns without the apostrophes that `guard` puts before cells."""
    for index, column in enumerate(table.columns):
        # Few cells begin with an apostrophe: most columns are told apart without a Python loop.
        if pc.any(pc.starts_with(column, "'")).as_py():
            cells = pa.array(unguard(column.to_pylist()), column.type)
            table = table.set_column(index, table.schema.field(index), cells)
    return table
