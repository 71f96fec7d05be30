"""The tokens around matches, as arrays: what all features of context are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.context import REACH, Reading

#: The text is cut into so many parts to say where a match stands in it.
PLACES: Final = 10


@dataclass(frozen=True, slots=True)
class Windows:
    """The tokens around every match of some offers.

    Attributes:
        before: Matches x REACH: hashes of the tokens before, the nearest first; 0 beyond the text.
        after: Matches x REACH: those behind it, likewise.
        inside_before: Whether each token before stands in the match's own sentence or line.
        inside_after: The same for those behind it.
        place: For each match which tenth of the text it stands in, 0 to 9.
    """

    before: NDArray[np.uint64]
    after: NDArray[np.uint64]
    inside_before: NDArray[np.bool_]
    inside_after: NDArray[np.bool_]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.place)


def windows(readings: Sequence[Reading]) -> Windows:
    """The tokens around each match, in the order of the readings and of their matches."""
    void = np.zeros(REACH, dtype=np.uint64)
    nowhere = np.full(REACH, -1, dtype=np.int64)
    hashes, sentences, first, last, place = [void], [nowhere], [], [], []
    base = REACH
    for reading in readings:
        if reading.tokens is None:
            continue
        hashes += (reading.tokens.hashes, void)
        sentences += (reading.sentence, nowhere)
        first.append(reading.first + base)
        last.append(reading.last + base)
        place.append(PLACES * reading.first // len(reading.tokens))
        base += len(reading.tokens) + REACH
    if not first:
        empty = np.zeros((0, REACH), dtype=np.uint64)
        inside = empty.astype(bool)
        return Windows(empty, empty, inside, inside, np.zeros(0, dtype=np.int64))
    tokens, sentence = np.concatenate(hashes), np.concatenate(sentences)
    begin, end = np.concatenate(first), np.concatenate(last)
    steps = np.arange(REACH)
    before, after = begin[:, None] - 1 - steps, end[:, None] + steps
    own = sentence[begin][:, None]
    return Windows(
        tokens[before],
        tokens[after],
        sentence[before] == own,
        sentence[after] == own,
        np.concatenate(place),
    )
