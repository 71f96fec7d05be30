"""Headings that open a zone of an offer: firm, missions, profile, benefits, hiring process."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from aiskills.phrases.inflect import folded_patterns
from aiskills.schema import Zone
from aiskills.text import FOLDED_BREAK, Folded

#: What may stand right before a heading in running text: an end of sentence, a bullet, a break.
_BEFORE: Final = frozenset((".!?:;|*#•–—…»)" + FOLDED_BREAK).encode("cp1252"))
_LINE_ENDS: Final = "\n\r"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading found in a text.

    Attributes:
        zone: The zone it opens.
        start: Position in the folded text of the blank before it.
        end: Position in the folded text of the blank after it.
    """

    zone: Zone
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    phrase: str
    zone: Zone
    anywhere: bool


class Headings:
    """The table of heading phrases.

    Args:
        entries: Rows of phrase, zone and whether the phrase opens its zone also in the middle of a
            sentence ("vous serez en charge de").
    """

    def __init__(self, entries: Sequence[tuple[str, Zone, bool]]) -> None:
        self._entries = [_Entry(*entry) for entry in entries]

    @classmethod
    def default(cls) -> Headings:
        """The table that ships with the package."""
        text = (resources.files("aiskills") / "data" / "headings.csv").read_text("utf-8")
        rows = csv.DictReader(io.StringIO(text), delimiter=";")
        return cls([(r["phrase"], Zone(r["zone"]), r["place"] == "anywhere") for r in rows])

    def patterns(self) -> Iterator[tuple[str, int]]:
        """Every folded form and the number of the entry it stands for."""
        forms = folded_patterns([entry.phrase for entry in self._entries])
        for number, patterns in enumerate(forms):
            for pattern in patterns:
                yield pattern, number

    def placed(
        self, hits: Sequence[tuple[int, int, int]], folded: Folded, given: str
    ) -> tuple[Heading, ...]:
        """The hits that stand where a heading stands: at the start of a line or sentence.

        Args:
            hits: Entry number, start and end in the folded text.
            folded: The folded text.
            given: The text it was folded from.

        Returns:
            Headings in order; of overlapping ones the longest.
        """
        found: list[Heading] = []
        for number, start, end in sorted(hits, key=lambda h: (h[1], -h[2])):
            entry = self._entries[number]
            if found and start < found[-1].end:
                continue
            if entry.anywhere or _opens(folded, given, start):
                found.append(Heading(entry.zone, start, end))
        return tuple(found)


def _opens(folded: Folded, given: str, start: int) -> bool:
    """Whether a hit opens a text, a line or a sentence, or is written as a title."""
    if start == 0 or folded.text[start - 1] in _BEFORE:
        return True
    begin = int(folded.source[start + 1])
    between = given[int(folded.source[start]) : begin]
    if any(char in _LINE_ENDS for char in between):
        return True
    # Glued or flattened pages: "… à Lyon Profil recherché De formation …"
    return given[begin : begin + 1].isupper() and given[begin - 1 : begin] not in "'’-"


class ZoneMap:
    """The zone at each position of one text.

    Args:
        headings: The headings found, in order.
        body: Position in the folded text at which the description begins; before it is the title.
    """

    def __init__(self, headings: Sequence[Heading], body: int) -> None:
        self._body = body
        opened = [heading for heading in headings if heading.start >= body]
        self._starts = [heading.start for heading in opened]
        self._zones = [heading.zone for heading in opened]

    def at(self, position: int) -> Zone:
        """Zone of a position of the folded text."""
        if position < self._body:
            return Zone.TITLE
        number = bisect_right(self._starts, position) - 1
        return self._zones[number] if number >= 0 else Zone.UNKNOWN
