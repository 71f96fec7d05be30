"""Automata for tables of phrases, over folded text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from itertools import chain
from typing import NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick
from numpy.typing import NDArray

from aiskills.text import Folded, fold

IntArray = NDArray[np.int64]


#: Start, end and number of a pattern, for each place where one stands; by end, then start.
_Find = Callable[[bytes], list[tuple[int, int, int]]]


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

    def less(self, first: int) -> Hits:
        """The same with the numbers of entries counted from `first`."""
        return Hits(self.entry - first, self.start, self.end)

    def as_list(self) -> list[Hit]:
        """The hits one by one."""
        columns = (self.entry.tolist(), self.start.tolist(), self.end.tolist())
        return list(map(Hit._make, zip(*columns, strict=True)))


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
        self._find = _finder(list(entries))

    def find_all(self, text: bytes) -> Hits:
        """Every hit in folded bytes, of one text or of many."""
        found = self._find(text)
        table = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
        start, end, pattern = table.T
        if self._single:
            return Hits(self._entries[pattern], start, end - 1)
        counts = self._counts[pattern]
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = self._entries[np.repeat(self._firsts[pattern], counts) + place]
        return Hits(entry, np.repeat(start, counts), np.repeat(end - 1, counts))

    def find(self, folded: Folded) -> list[Hit]:
        """Every hit in one folded text, by end, then start."""
        return self.find_all(folded.text).as_list()


def _finder(patterns: list[bytes]) -> _Find:
    """What finds all patterns in bytes, overlapping ones too.

    The double array takes a twentieth of the memory of a table of all states at its speed, most of
    all if it is laid out by what texts are like. Where it is not to be had, an automaton that
    gives the same takes half as long again.
    """
    if not patterns:
        return lambda _: []
    if find_spec("daachorse") is not None:  # it has no wheel for some machines
        from daachorse import DoubleArrayAhoCorasick

        return DoubleArrayAhoCorasick(patterns, corpus=[_typical_text()]).find_overlapping
    finder = BytesAhoCorasick(patterns)
    return lambda text: [
        (start, end, number)
        for number, start, end in finder.find_matches_as_indexes(text, overlapping=True)
    ]


@cache
def _typical_text() -> bytes:
    """Folded sentences as offers have them: those that offers are simulated of."""
    folder = resources.files("aiskills") / "data" / "simulate"
    parts = (folder / f"{name}.toml" for name in ("missions", "profiles", "around", "sectors"))
    return fold("\n".join(part.read_text("utf-8") for part in parts)).text
