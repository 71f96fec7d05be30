"""Headings that open a zone of an offer: firm, missions, profile, benefits, hiring process."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.phrases.automaton import Hits, IntArray
from aiskills.phrases.inflect import folded_patterns
from aiskills.schema import Zone
from aiskills.text import FOLDED_BREAK, FoldedBatch

#: What may stand right before a heading in running text: an end of sentence, a bullet, a break.
_ENDS: Final = np.zeros(256, dtype=bool)
_ENDS[list((".!?:;|*#•–—…»)" + FOLDED_BREAK).encode("cp1252"))] = True
_PLANE: Final = 0x10000
_CAPITAL: Final = np.array([chr(code).isupper() for code in range(_PLANE)])
#: A capital behind one of these opens nothing: "l'Equipe".
_JOINS: Final = np.zeros(_PLANE, dtype=bool)
_JOINS[[ord(sign) for sign in "'’-"]] = True
_NONE: Final = np.zeros(0, dtype=np.uint32)


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
        self._anywhere = np.array([entry.anywhere for entry in self._entries], dtype=bool)

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
        self, hits: Hits, owner: IntArray, batch: FoldedBatch, given: Sequence[str]
    ) -> dict[int, tuple[Heading, ...]]:
        """The hits that stand where a heading stands: at the start of a line or sentence.

        Args:
            hits: Phrases of this table, with positions in their text.
            owner: For each hit the number of its text, in ascending order.
            batch: The folded texts.
            given: The texts they were folded from.

        Returns:
            Headings by number of the text, in order; of overlapping ones the longest.
        """
        texts, place = np.unique(owner, return_inverse=True)
        sources = [batch.texts[number].source for number in texts.tolist()]
        letters = [_letters(given[number]) for number in texts.tolist()]
        # Positions in all sources and all given texts, one behind another.
        at = hits.start + _begins(sources)[place]
        source, letter = np.concatenate([_NONE, *sources]), np.concatenate([_NONE, *letters])
        shift = _begins(letters)[place]
        blank, first = source[at] + shift, source[at + 1] + shift
        lines = np.flatnonzero((letter == ord("\n")) | (letter == ord("\r")))
        before = np.frombuffer(batch.text, dtype=np.uint8)[batch.starts[owner] + hits.start - 1]
        stands = (
            self._anywhere[hits.entry]
            | (hits.start == 0)
            | _ENDS[before]
            | (np.searchsorted(lines, blank) < np.searchsorted(lines, first))
            # Glued or flattened pages: "… à Lyon Profil recherché De formation …"
            | (_CAPITAL[_known(letter[first])] & ~_JOINS[_known(letter[np.maximum(first - 1, 0)])])
        )
        found: dict[int, list[Heading]] = {}
        order = np.lexsort((-hits.end, hits.start, owner))
        order = order[stands[order]]
        columns = (owner[order], hits.entry[order], hits.start[order], hits.end[order])
        for number, entry, start, end in zip(*(one.tolist() for one in columns), strict=True):
            its = found.setdefault(number, [])
            if not its or start >= its[-1].end:
                its.append(Heading(self._entries[entry].zone, start, end))
        return {number: tuple(its) for number, its in found.items()}


def _letters(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _known(letters: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Letters of the first plane; any other as the last of it, which is none."""
    return np.minimum(letters, _PLANE - 1)


def _begins(pieces: Sequence[NDArray[Any]]) -> IntArray:
    """Where each piece begins if they stand one behind another."""
    sizes = np.array([len(piece) for piece in pieces], dtype=np.int64)
    result: IntArray = np.cumsum(sizes) - sizes
    return result


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
