"""Tokens of folded texts, as arrays of spaCy's hashes.

A folded text is already parted by blanks, so the tokenizer needs no language data: an empty spaCy
`Tokenizer` cuts it at several million tokens a second, where ``spacy.blank("fr")`` takes four
seconds to load and cuts 90,000. It is asked for the surroundings of matches only; which words stand
anywhere in an offer is told from keys that cost a tenth. Arrays of either let features be looked up
without a Python loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.hashing import slice_hashes
from aiskills.text import Folded

_Ints = NDArray[np.int64]

#: spaCy keeps every string it ever saw. Starting afresh after so many texts bounds that memory; it
#: costs a millisecond.
_TEXTS_PER_VOCAB: Final = 20_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one folded text.

    Attributes:
        hashes: spaCy's 64-bit hash of each token; 0 for those that were not asked for.
        starts: For each token, the position in the folded text of the blank before it.
        keys: Keys of all tokens (`word_keys`), which tell equal words from others and no more.
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.hashes)

    def index(self, position: int) -> int:
        """Number of the token that begins after the blank at `position`."""
        return int(np.searchsorted(self.starts, position))


#: Pieces of a text that are looked at: number of the text, start and end in it.
Places = Sequence[tuple[int, int, int]]


class TokenCutter:
    """Cuts folded texts into tokens."""

    def __init__(self) -> None:
        self._start_afresh()

    def _start_afresh(self) -> None:
        # spaCy takes longest of all to import; nothing of it is needed to open a model.
        from spacy.tokenizer import Tokenizer
        from spacy.vocab import Vocab

        self._tokenizer = Tokenizer(Vocab())
        self._texts = 0

    def cut(self, folded: Folded) -> Tokens:
        """Tokens of one folded text; none for an empty one."""
        return self.cut_near([folded], [(0, 0, len(folded.text))], 0)[0]

    def cut_near(self, texts: Sequence[Folded], places: Places, reach: int) -> list[Tokens]:
        """Tokens of folded texts, with their hashes near some places.

        Args:
            texts: The texts.
            places: Number of a text, start and end in it, each at a blank.
            reach: So many tokens on either side of each place are near.
        """
        if self._texts >= _TEXTS_PER_VOCAB:
            self._start_afresh()
        self._texts += len(texts)
        # The blank that ends a text and the one that begins the next are one.
        joined = b"".join([folded.text[:-1] for folded in texts])
        letters = np.frombuffer(joined, dtype=np.uint8)
        blanks = np.flatnonzero(letters == ord(" "))
        ends = np.cumsum([len(folded.text) - 1 for folded in texts])
        begins = ends - [len(folded.text) - 1 for folded in texts]
        bounds = np.searchsorted(blanks, [*begins, len(joined)])
        behind = np.append(blanks, len(joined))
        near = self._near(places, begins, blanks, bounds, reach)
        hashes = np.zeros(len(blanks), dtype=np.uint64)
        hashes[near] = self._hashes(joined, behind, near)
        keys = slice_hashes(letters, blanks + 1, behind[1:])
        return [
            Tokens(hashes[first:last], blanks[first:last] - begin, keys[first:last])
            for begin, (first, last) in zip(begins.tolist(), pairwise(bounds.tolist()), strict=True)
        ]

    def _near(
        self, places: Places, begins: _Ints, blanks: _Ints, bounds: _Ints, reach: int
    ) -> NDArray[np.bool_]:
        """Which tokens of the joined texts are near a place of their own text."""
        text, start, end = np.array(places, dtype=np.int64).reshape(-1, 3).T
        first = np.searchsorted(blanks, begins[text] + start) - reach
        last = np.searchsorted(blanks, begins[text] + end) + reach
        opened = np.zeros(len(blanks) + 1, dtype=np.int64)
        np.add.at(opened, np.maximum(first, bounds[text]), 1)
        np.add.at(opened, np.minimum(last, bounds[text + 1]), -1)
        result: NDArray[np.bool_] = np.cumsum(opened[:-1]) > 0
        return result

    def _hashes(self, joined: bytes, behind: _Ints, near: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """Hashes of the tokens that are near."""
        from spacy.attrs import ORTH

        turns = np.flatnonzero(np.diff(near, prepend=False, append=False))
        runs = zip(behind[turns[::2]].tolist(), behind[turns[1::2]].tolist(), strict=True)
        text = b"".join([joined[start:end] for start, end in runs])
        result: NDArray[np.uint64] = self._tokenizer(text[1:].decode("cp1252")).to_array([ORTH])
        return result.reshape(-1)


def token_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes (those of spaCy) of folded words, as `Tokens.hashes` holds them."""
    from spacy.strings import get_string_id

    return np.array([get_string_id(word) for word in words], dtype=np.uint64)


def word_keys(words: Sequence[str]) -> NDArray[np.uint64]:
    """Keys of folded words, as `Tokens.keys` holds them."""
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    ends = np.cumsum(sizes)
    letters = np.frombuffer("".join(words).encode("cp1252"), dtype=np.uint8)
    return slice_hashes(letters, ends - sizes, ends)
