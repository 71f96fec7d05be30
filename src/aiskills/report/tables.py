"""Tables of a page: heads, and rows whose cells show a text and sort by a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiskills.report.numbers import Numbers
from aiskills.report.records import Cell
from aiskills.report.words import Words


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a column; numbers stand at the right."""

    text: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: what is shown, and the number it sorts by (None: by its text)."""

    text: str
    value: float | None = None
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row; the first cell names it. `kind` is a class of the style sheet."""

    cells: tuple[Shown, ...]
    kind: str = ""
    region: str = ""


class Tables:
    """Makes tables in one language.

    Args:
        words: Wording.
        numbers: How numbers are written.
    """

    def __init__(self, words: Words, numbers: Numbers) -> None:
        self.words, self.numbers = words, numbers

    def heads(self, first: str, *rest: str) -> list[Head]:
        """Heads by their names in the section `column`; all but the first hold numbers."""
        return [
            Head(self.words.plain(f"column.{first}")),
            *(Head(self.words.plain(f"column.{name}"), numeric=True) for name in rest),
        ]

    def count(self, value: float | None) -> Shown:
        """A number of offers."""
        return Shown(self.numbers.count(value), value, numeric=True)

    def share(self, value: float | None) -> Shown:
        """A share."""
        return Shown(self.numbers.percent(value), value, numeric=True)

    def part(self, value: float | None) -> Shown:
        """A part of the whole: with one decimal, however rare AI offers are."""
        return Shown(self.numbers.percent(value, 1), value, numeric=True)

    def interval(self, low: float | None, high: float | None) -> Shown:
        """Both ends of a share; sorts by the lower one."""
        return Shown(self.numbers.interval(low, high), low, numeric=True)

    def specificity(self, value: float | None) -> Shown:
        """A ratio of two shares."""
        return Shown(self.numbers.decimal(value, 2), value, numeric=True)

    def label(self, one: Cell, section: str = "label") -> Shown:
        """The name of a row with its marks."""
        name = self.words.of(section, one.label)
        return Shown(name + marks_of(one))

    def shares(
        self, cells: Iterable[Cell], *, part: bool = True, region: bool = False
    ) -> list[Line]:
        """Rows of a table of shares: label, offers, flagged, share, interval, part, specificity."""
        found = []
        for one in cells:
            if region and one.label[:2].isdigit():
                name = Shown(one.label[3:] + marks_of(one))
            else:
                name = self.label(one)
            parts = [self.part(one.part), self.specificity(one.specificity)] if part else []
            row = (
                name,
                self.count(one.offers),
                self.count(one.flagged),
                self.share(one.share),
                self.interval(one.low, one.high),
                *parts,
            )
            code = one.label[:2] if region and one.label[:2].isdigit() else ""
            found.append(Line(row, one.kind if one.kind != "cell" else "", code))
        return found

    def share_heads(self, first: str, *, part: bool = True) -> list[Head]:
        """Heads of `shares`."""
        more = ("part", "specificity") if part else ()
        return self.heads(first, "offers", "flagged", "share", "interval", *more)


def marks_of(one: Cell) -> str:
    """Marks behind a label: ° for a small cell, s for secrecy; they never stand on a line alone."""
    return ("\u00a0°" if one.small else "") + ("\u00a0s" if one.secret else "")


def small_and_secret(tables: Iterable[Sequence[Cell]]) -> tuple[int, int, int]:
    """How many cells there are, how many of them are small, and how many secret."""
    cells = [one for table in tables for one in table if one.kind == "cell"]
    return len(cells), sum(one.small for one in cells), sum(one.secret for one in cells)
