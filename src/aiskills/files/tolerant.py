"""Rows that cannot be read, told one by one instead of ending the reading."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

#: What `surrogateescape` makes of bytes that cannot be decoded.
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row, or a line of one, that cannot be read.

    Attributes:
        line: The line on which it begins, from 1.
        reason: Why, without words of the file.
        raw: Its bytes (UTF-8 again where the file is UTF-16).
    """

    line: int
    reason: str
    raw: bytes


OnBadRow = Callable[[BadRow], None]


def is_undecoded(text: str) -> bool:
    """Whether a text read with `surrogateescape` holds bytes that could not be decoded."""
    return bool(_ESCAPED.search(text))


def bad_row(line: int, reason: str, text: str) -> BadRow:
    """A bad row from its text, read with `surrogateescape`."""
    return BadRow(line, reason, text.encode("utf-8", "surrogateescape"))


class _Lines:
    """The lines of a stream; remembers those of the record at hand and takes them back."""

    def __init__(self, stream: Iterator[str], first: int) -> None:
        self._stream = stream
        self._back: list[str] = []  # in reverse
        self.record: list[str] = []
        self.first = first

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._stream)
        self.record.append(line)
        return line

    def done(self) -> None:
        """The record is complete."""
        self.first += len(self.record)
        self.record = []

    def drop_first(self) -> str:
        """Gives the record's first line up and takes the others back, to be read again."""
        first, *rest = self.record
        self._back += reversed(rest)
        self.record = []
        self.first += 1
        return first


def tolerant_rows(
    stream: Iterator[str], separator: str, first_line: int, tell: OnBadRow
) -> Iterator[list[str]]:
    """The records of a CSV stream, those that cannot be read left out.

    Where quotes go wrong, one line is given up and reading begins again on the next. Until a
    record is as wide as the header, what follows is taken for the rest of the broken one.

    Args:
        stream: Its lines, read with `surrogateescape` if it may hold bytes that are no text.
        separator: One character.
        first_line: Number of its first line.
        tell: Takes each row left out.

    Raises:
        csv.Error: The header cannot be read.
    """
    lines = _Lines(stream, first_line)
    width, doubtful = 0, False
    while True:
        try:
            for row in csv.reader(lines, delimiter=separator, strict=True):
                reason = _fault(row, lines.record, width, doubtful=doubtful) if width else ""
                if reason:
                    tell(bad_row(lines.first, reason, "".join(lines.record)))
                    doubtful = True
                else:
                    doubtful = doubtful and not row
                    width = width or len(row)
                    yield row
                lines.done()
            return
        except csv.Error as error:
            if not width or not lines.record:
                raise
            first = lines.first
            tell(bad_row(first, f"not CSV ({error})", lines.drop_first()))
            doubtful = True


def _fault(row: list[str], lines: list[str], width: int, *, doubtful: bool) -> str:
    if any(map(is_undecoded, lines)):
        return "not UTF-8"
    if len(row) > width and any(row[width:]):
        return f"{len(row)} cells where the header has {width}"
    if doubtful and row and len(row) != width:
        return "part of a broken row"
    return ""
