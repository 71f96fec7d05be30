"""Tokens of folded texts, as arrays of spaCy's hashes.

A folded text is already parted by blanks, so the tokenizer needs no language data: an empty spaCy
`Tokenizer` cuts it at two million tokens a second, where ``spacy.blank("fr")`` takes four seconds
to load and cuts 90,000. Arrays of hashes let features be looked up without a Python loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.strings import get_string_id
from spacy.tokenizer import Tokenizer
from spacy.vocab import Vocab

from aiskills.text import Folded

#: spaCy keeps every string it ever saw. Starting afresh after so many texts bounds that memory; it
#: costs a millisecond.
_TEXTS_PER_VOCAB: Final = 20_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one folded text.

    Attributes:
        hashes: spaCy's 64-bit hash of each token.
        starts: For each token, the position in the folded text of the blank before it.
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.hashes)

    def index(self, position: int) -> int:
        """Number of the token that begins after the blank at `position`."""
        return int(np.searchsorted(self.starts, position))


class TokenCutter:
    """Cuts folded texts into tokens."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer(Vocab())
        self._texts = 0

    def cut(self, folded: Folded) -> Tokens:
        """Tokens of one folded text; none for an empty one."""
        if self._texts >= _TEXTS_PER_VOCAB:
            self._tokenizer = Tokenizer(Vocab())
            self._texts = 0
        self._texts += 1
        doc = self._tokenizer(folded.text[1:-1].decode("cp1252"))
        blanks = np.flatnonzero(np.frombuffer(folded.text, dtype=np.uint8) == ord(" "))
        return Tokens(doc.to_array([ORTH]).reshape(-1), blanks[:-1])


def token_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes (those of spaCy) of folded words, as `Tokens` holds them."""
    return np.array([get_string_id(word) for word in words], dtype=np.uint64)
