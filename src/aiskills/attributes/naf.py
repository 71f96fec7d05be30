"""Codes of the French nomenclature of activities (NAF), in any writing, rev. 2 and 2025 apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiskills.errors import InputError
from aiskills.files import read_table
from aiskills.files.cells import as_text
from aiskills.files.notes import ignore

if TYPE_CHECKING:
    import os

    from aiskills.files.notes import Note

Naf2025 = Mapping[str, tuple[str, ...]]
"""NAF 2025 sub-class -> the NAF rev. 2 sub-classes it takes over, both written `25.62B`."""

#: Letters that end a NAF rev. 2 sub-class (all 732 of them). NAF 2025 ends in Y, or G, H, J, … so
#: that the last letter tells the version: the same digits mean another activity (25.40Z is arms,
#: 25.40Y is forging).
_REV2_LETTERS: Final = frozenset("ABCDEFZ")
_CODE: Final = re.compile(
    r"""\s*
    (?:(?:code|n°|naf|ape|nace|r[ée]v(?:\.|ision)?\s*2|2025|2008)\b[\s.:/,-]*)*  # what it is called
    (?:[A-U][\s.-]?(?=\d))?                                  # the section's letter
    (?P<division>\d{1,2})(?P<dot>[.\s]?)
    (?:(?P<group>\d)[.\s]?(?P<class>\d)?)?
    (?:[.\s]?(?P<letter>[A-Z]))?
    (?![A-Z0-9])
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class NafCode:
    """A code of the NAF, down to the level that was given.

    Attributes:
        code: Its digits, a point after the division: `25`, `25.6`, `25.62`, and its letter if it
            is a sub-class: `25.62B`.
        is_2025: Whether it is a sub-class of NAF 2025. Codes without letter are taken as rev. 2.
    """

    code: str
    is_2025: bool = False

    @property
    def division(self) -> str:
        """Its division, `01` to `99`."""
        return self.code[:2]


def parse_naf(text: str) -> NafCode | None:
    """Read one NAF code in any of its writings; None where there is none.

    A zero that a spreadsheet took away is put back (`1.11Z`), a section letter or a label around
    the code is passed over, of several codes the first is read. Three digits and a letter without
    a point (`721Z`) may be NAF rev. 1 (72.1Z) or rev. 2 without its zero (07.21Z): None.

    >>> [parse_naf(one).code for one in ("2562b", "C25.62B - Mécanique industrielle", "25.62")]
    ['25.62B', '25.62B', '25.62']
    >>> parse_naf("25.40Y").is_2025, parse_naf("721Z"), parse_naf("Mécanique")
    (True, None, None)
    """
    found = _CODE.match(text)
    if found is None:
        return None
    group, last, letter = (
        found["group"] or "",
        found["class"] or "",
        (found["letter"] or "").upper(),
    )
    if letter and not last:
        return None  # 28.1A is NAF rev. 1, 25B is nothing
    if len(found["division"]) == 1 and not (found["dot"].strip() if group else found[0] == text):
        return None  # 111Z, or a number that opens a text
    if group == "0" and not last:
        group = ""  # a spreadsheet's 25.0: no group ends in 0
    division = found["division"].zfill(2)
    if division == "00":
        return None
    code = f"{division}.{group}{last}{letter}" if group else division
    return NafCode(code, bool(letter) and letter not in _REV2_LETTERS)


def read_naf2025(
    path: str | os.PathLike[str], *, note: Note = ignore
) -> dict[str, tuple[str, ...]]:
    """Read INSEE's correspondence between NAF rev. 2 and NAF 2025, in any of its layouts.

    The two columns are told by what is in them, not by their names: whole sub-classes of the one
    version and of the other. Rows without both (titles, notes) are passed over.

    Args:
        path: INSEE's file as .xlsx, or saved as CSV.
        note: Takes one line for each thing the user should know.

    Returns:
        NAF 2025 sub-class -> the NAF rev. 2 sub-classes it takes over, sorted.

    Raises:
        InputError: It is missing, no table, or has no such two columns.
    """
    table = read_table(path, note=note)
    old: list[str | None] = []
    new: list[str | None] = []
    for name in table.column_names:
        codes = [_sub_class(cell) for cell in as_text(table.column(name)).to_pylist()]
        n_new = sum(1 for one in codes if one and one.is_2025)
        n_old = sum(1 for one in codes if one and not one.is_2025)
        texts = [one.code if one else None for one in codes]
        if n_old > n_new and not old:
            old = texts
        elif n_new > n_old and not new:
            new = texts
    pairs = {(a, b) for a, b in zip(new, old, strict=False) if a and b}
    if not pairs:
        raise InputError(
            f"{path} holds no correspondence of NAF codes",
            expected="a column of NAF rev. 2 sub-classes (25.62B) and one of NAF 2025 (25.53Y)",
            hint="Take INSEE's table of correspondence; its first sheet is read.",
        )
    found: dict[str, tuple[str, ...]] = {}
    for code, before in sorted(pairs):
        found[code] = (*found.get(code, ()), before)
    return found


def _sub_class(cell: str | None) -> NafCode | None:
    """A cell that is a whole sub-class and nothing else."""
    if not cell or len(cell) > len(" 25.62B "):
        return None
    code = parse_naf(cell)
    return code if code is not None and code.code[-1].isalpha() else None
