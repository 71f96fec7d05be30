"""One automaton for all tables of phrases, over folded text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick
from numpy.typing import NDArray

from aiskills.text import Folded

IntArray = NDArray[np.int64]


class Hit(NamedTuple):
    """A phrase found in a folded text.

    Attributes:
        entry: Number of the entry whose pattern was found.
        start: Position of the blank before its first token.
        end: Position of the blank after its last token.
    """

    entry: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hits:
    """Phrases found in folded bytes, by end, then start.

    Attributes:
        entry: Number of the entry of each hit.
        start: Position of the blank before its first token.
        end: Position of the blank after its last token.
    """

    entry: IntArray
    start: IntArray
    end: IntArray

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Hits:
        return Hits(self.entry[chosen], self.start[chosen], self.end[chosen])

    def as_list(self) -> list[Hit]:
        """The hits one by one."""
        columns = (self.entry.tolist(), self.start.tolist(), self.end.tolist())
        return [Hit(*hit) for hit in zip(*columns, strict=True)]


class Automaton:
    """Finds every occurrence of every pattern, also overlapping ones, in one pass.

    Patterns begin and end with the blank that parts tokens, so a hit is always whole tokens and no
    boundary has to be checked afterwards. A pattern without the last blank stands for any ending.

    Args:
        patterns: Pairs of a folded pattern and the number of its entry. A pattern may belong to
            several entries and an entry have several patterns.
    """

    def __init__(self, patterns: Iterable[tuple[str, int]]) -> None:
        entries: dict[bytes, list[int]] = {}
        for pattern, entry in patterns:
            known = entries.setdefault(pattern.encode("cp1252"), [])
            if entry not in known:
                known.append(entry)
        counts = [len(its) for its in entries.values()]
        self._entries = np.array(list(chain.from_iterable(entries.values())), dtype=np.int64)
        self._counts = np.array(counts, dtype=np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._single = all(count == 1 for count in counts)
        self._finder = BytesAhoCorasick(list(entries)) if entries else None

    def find_all(self, text: bytes) -> Hits:
        """Every hit in folded bytes, of one text or of many."""
        found = self._finder.find_matches_as_indexes(text, overlapping=True) if self._finder else []
        table = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
        pattern, start, end = table.T
        if self._single:
            return Hits(self._entries[pattern], start, end - 1)
        counts = self._counts[pattern]
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = self._entries[np.repeat(self._firsts[pattern], counts) + place]
        return Hits(entry, np.repeat(start, counts), np.repeat(end - 1, counts))

    def find(self, folded: Folded) -> list[Hit]:
        """Every hit in one folded text, by end, then start."""
        return self.find_all(folded.text).as_list()
