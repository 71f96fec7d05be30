"""Offers with matches as arrays: what features and judgements are computed from, column-wise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from aiskills.context import Reading
from aiskills.phrases import Strength, Term
from aiskills.schema import THEMES, Definition, Zone

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ZONES: Final = tuple(Zone)
STRENGTHS: Final = tuple(Strength)
DEFINITIONS: Final = tuple(Definition)
_ZONE_NUMBER: Final = {zone: number for number, zone in enumerate(ZONES)}


class Matched(Sequence[Reading]):
    """Offers with at least one match each, and arrays over all their matches.

    Args:
        readings: The offers.

    Attributes:
        owner: For each match the number of its offer.
        begins: For each offer the number of its first match.
        sizes: For each offer the number of its matches.
        terms: The distinct terms among the matches.
        term: For each match its term, a place in `terms`.
        zone: For each match its zone, a place in `ZONES`.
        first: For each match the number of its first token in its offer.
        start: For each match where it starts in its folded text.
        characters: For each offer the length of its folded text.
    """

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings
        matches = [match for reading in readings for match in reading.matches]
        self.sizes: IntArray = np.array([len(one.matches) for one in readings], dtype=np.int64)
        self.begins: IntArray = np.cumsum(self.sizes) - self.sizes
        self.owner: IntArray = np.repeat(np.arange(len(readings)), self.sizes)
        # Terms are known by identity within a batch: comparing all their fields costs far more.
        numbers: dict[int, int] = {}
        self.terms: list[Term] = []
        for match in matches:
            if id(match.term) not in numbers:
                numbers[id(match.term)] = len(self.terms)
                self.terms.append(match.term)
        self.term: IntArray = np.array([numbers[id(match.term)] for match in matches], np.int64)
        self.zone: IntArray = np.array(
            [_ZONE_NUMBER[zone] for reading in readings for zone in reading.zones], np.int64
        )
        self.start: IntArray = np.array([match.start for match in matches], dtype=np.int64)
        self.first: IntArray = np.concatenate(
            [np.zeros(0, dtype=np.int64), *(reading.first for reading in readings)]
        )
        self.characters: IntArray = np.array([len(r.folded.text) for r in readings], np.int64)

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Self:
        """The same offers with their arrays; what has them already comes back as it is."""
        return readings if isinstance(readings, cls) else cls(readings)

    def __len__(self) -> int:
        return len(self._readings)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return self._readings[number]

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._readings)

    @property
    def theme(self) -> IntArray:
        """For each match its theme, a place in `THEMES`."""
        return np.array([THEMES.index(term.theme) for term in self.terms], np.int64)[self.term]

    @property
    def strength(self) -> IntArray:
        """For each match the strength of its term, a place in `STRENGTHS`."""
        return np.array([STRENGTHS.index(t.strength) for t in self.terms], np.int64)[self.term]

    @property
    def definition(self) -> IntArray:
        """For each match the definition of its term, a place in `DEFINITIONS`."""
        return np.array([DEFINITIONS.index(t.definition) for t in self.terms], np.int64)[self.term]

    @property
    def can_differ(self) -> BoolArray:
        """For each match whether the two definitions may tell it apart (`Term.can_differ`)."""
        return np.array([term.can_differ for term in self.terms], dtype=bool)[self.term]

    def near(self, reach: int) -> IntArray:
        """For each match the number of other matches of its offer within so many tokens."""
        # Offers laid out so far apart that none is near the next.
        apart = int(self.first.max(initial=0)) + reach + 1
        place = self.first + self.owner * (apart + 1)
        ends = np.searchsorted(place, place + reach, side="right")
        result: IntArray = ends - np.searchsorted(place, place - reach) - 1
        return result

    def same_term(self) -> IntArray:
        """For each match how often its offer holds its term, itself included."""
        names = {term.term: number for number, term in enumerate(self.terms)}
        named = np.array([names[term.term] for term in self.terms], dtype=np.int64)[self.term]
        pairs = self.owner * len(self.terms) + named
        _, back, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        result: IntArray = counts[back]
        return result

    def any_of(self, matches: BoolArray) -> BoolArray:
        """For each offer whether any of its matches is among those marked."""
        result: BoolArray = np.bincount(self.owner[matches], minlength=len(self)) > 0
        return result
