"""A vocabulary of folded words, looked up by spaCy's hashes without a Python loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.tokens import token_hashes

IntArray = NDArray[np.int64]

#: Places in the table for each word: the emptier, the fewer second looks.
_ROOM: Final = 8
_EMPTY: Final = -1


class Words:
    """A vocabulary of folded words.

    It is a hash table with open addressing over spaCy's 64-bit hashes, several times quicker than
    binary search.

    Args:
        words: Distinct folded words; a word's number is its place in this sequence.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        hashes = token_hashes(self.words)
        size = 1 << max(_ROOM * len(hashes), 2).bit_length()
        self._mask = np.uint64(size - 1)
        self._keys = np.zeros(size, dtype=np.uint64)
        self._numbers = np.full(size, _EMPTY, dtype=np.int64)
        waiting = np.arange(len(hashes))
        places = self._home(hashes)
        while len(waiting):
            free = self._numbers[places[waiting]] == _EMPTY
            _, first = np.unique(places[waiting], return_index=True)
            takes = np.zeros(len(waiting), dtype=bool)
            takes[first] = free[first]
            now = waiting[takes]
            self._keys[places[now]] = hashes[now]
            self._numbers[places[now]] = now
            waiting = waiting[~takes]
            places[waiting] = (places[waiting] + 1) & (size - 1)

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, hashes: NDArray[np.uint64]) -> IntArray:
        """The number of each token's word, -1 for unknown ones; of the shape of `hashes`."""
        places = self._home(hashes)
        result: IntArray = self._numbers[places]
        other = self._keys[places] != hashes
        # Where another word stands, the token's own may stand in one of the next places.
        again = np.nonzero(other & (result != _EMPTY))
        result[other] = _EMPTY
        last = int(self._mask)
        looked = places[again]
        while len(looked):
            looked = (looked + 1) & last
            found, wanted = self._numbers[looked], hashes[again]
            same = (self._keys[looked] == wanted) & (found != _EMPTY)
            result[tuple(axis[same] for axis in again)] = found[same]
            on = ~same & (found != _EMPTY)
            again, looked = tuple(axis[on] for axis in again), looked[on]
        return result

    def _home(self, hashes: NDArray[np.uint64]) -> IntArray:
        result: IntArray = (hashes & self._mask).astype(np.int64)
        return result
