"""A vocabulary of folded words, looked up by 64-bit hashes without a Python loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.tokens import token_hashes

IntArray = NDArray[np.int64]
Hashed = Callable[[Sequence[str]], NDArray[np.uint64]]

#: Places in the table for each word: the emptier, the fewer second looks.
_ROOM: Final = 8
_EMPTY: Final = -1


class Words:
    """A vocabulary of folded words.

    It is a hash table with open addressing, several times quicker than binary search.

    Args:
        words: Distinct folded words; a word's number is its place in this sequence.
        hashed: Gives the hashes by which words are looked up.
    """

    def __init__(self, words: Sequence[str], hashed: Hashed = token_hashes) -> None:
        self.words = tuple(words)
        self._hashed = hashed

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def _table(self) -> tuple[NDArray[np.uint64], IntArray]:
        """By place the hash and the number of a word; made when a word is first looked up."""
        hashes = self._hashed(self.words)
        size = 1 << max(_ROOM * len(hashes), 2).bit_length()
        keys = np.zeros(size, dtype=np.uint64)
        numbers = np.full(size, _EMPTY, dtype=np.int64)
        waiting = np.arange(len(hashes))
        places = _home(hashes, size)
        while len(waiting):
            free = numbers[places[waiting]] == _EMPTY
            _, first = np.unique(places[waiting], return_index=True)
            takes = np.zeros(len(waiting), dtype=bool)
            takes[first] = free[first]
            now = waiting[takes]
            keys[places[now]] = hashes[now]
            numbers[places[now]] = now
            waiting = waiting[~takes]
            places[waiting] = (places[waiting] + 1) & (size - 1)
        return keys, numbers

    def numbers(self, hashes: NDArray[np.uint64]) -> IntArray:
        """The number of each token's word, -1 for unknown ones; of the shape of `hashes`."""
        keys, numbers = self._table
        places = _home(hashes, len(keys))
        result: IntArray = numbers[places]
        other = keys[places] != hashes
        # Where another word stands, the token's own may stand in one of the next places.
        again = np.nonzero(other & (result != _EMPTY))
        result[other] = _EMPTY
        looked = places[again]
        while len(looked):
            looked = (looked + 1) & (len(keys) - 1)
            found, wanted = numbers[looked], hashes[again]
            same = (keys[looked] == wanted) & (found != _EMPTY)
            result[tuple(axis[same] for axis in again)] = found[same]
            on = ~same & (found != _EMPTY)
            again, looked = tuple(axis[on] for axis in again), looked[on]
        return result


def _home(hashes: NDArray[np.uint64], size: int) -> IntArray:
    """The place of each hash in a table whose size is a power of two."""
    result: IntArray = (hashes & np.uint64(size - 1)).astype(np.int64)
    return result
