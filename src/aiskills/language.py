"""The language of an offer, told from its commonest small words."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.schema import Language
from aiskills.text import FoldedBatch

IntArray = NDArray[np.int64]

#: Small words in folded form that hardly occur in the other languages.
_WORDS: Final = {
    Language.FR: ("de", "et", "la", "le", "des", "en"),
    Language.EN: ("the", "and", "of", "to", "with", "for"),
    Language.OTHER: ("und", "der", "mit", "los", "para", "con", "het", "di"),
}
#: The start of a text tells its language as well as the whole does.
_LOOK_AT: Final = 1_200
#: Letters of the shortest and longest word.
_SHORTEST: Final = 2
_LONGEST: Final = 4
_LANGUAGES: Final = tuple(_WORDS)
#: The words as numbers of four bytes, those they lack zero.
_KEYS: Final = {
    int.from_bytes(word.encode(), "little"): language
    for language, words in _WORDS.items()
    for word in words
}
_SLOT_BITS: Final = 10
_AT_ONCE: Final = 128
#: Of four bytes those that a word of so many letters has.
_MASKS: Final = {size: np.uint32(256**size - 1) for size in (2, 3, 4)}


def _slots(keys: NDArray[np.uint32], factor: np.uint32) -> NDArray[np.uint32]:
    """Numbers below ``2 ** _SLOT_BITS``, the same for the same key."""
    return (keys * factor) >> np.uint32(32 - _SLOT_BITS)


def _slot_table() -> tuple[np.uint32, NDArray[np.uint32], NDArray[np.uint8]]:
    """A factor by which no two words share a slot, and by slot its word and language."""
    words = np.array(list(_KEYS), dtype=np.uint32)
    factor = next(
        factor
        for factor in (np.uint32(number) for number in range(0x9E3779B1, 2**32, 2))
        if len(np.unique(_slots(words, factor))) == len(words)
    )
    word, language = np.zeros((2, 1 << _SLOT_BITS), dtype=np.uint32)
    word[_slots(words, factor)] = words
    language[_slots(words, factor)] = [_LANGUAGES.index(its) for its in _KEYS.values()]
    return factor, word, language.astype(np.uint8)


_FACTOR, _WORD_OF, _LANGUAGE_OF = _slot_table()


def languages_of(batch: FoldedBatch) -> list[Language]:
    """Languages of folded texts.

    Returns:
        For each text `fr`, `en`, or `other` for any other language; `fr` where a text is too short
        to tell, since the offers are French.
    """
    result: list[Language] = []
    # So many at a time that what is made of them stays in a processor's cache.
    for begin in range(0, len(batch), _AT_ONCE):
        end = min(begin + _AT_ONCE, len(batch))
        joined, ends = _beginnings(batch, begin, end)
        starts, language = _known_words(joined)
        owner = np.searchsorted(ends, starts)
        kinds = len(_LANGUAGES)
        counts = np.bincount(owner * kinds + language, minlength=(end - begin) * kinds)
        fr, en, other = counts.reshape(-1, kinds).T
        # Of the same number the first, which is French.
        told = np.where(other > np.maximum(fr, en), 2, en > fr)
        result += [_LANGUAGES[number] for number in told.tolist()]
    return result


def _beginnings(batch: FoldedBatch, begin: int, end: int) -> tuple[bytes, IntArray]:
    """The beginnings of some texts, each to a blank, and where each ends."""
    starts, ends = batch.starts[begin:end], batch.ends[begin:end]
    removed = np.zeros(len(starts), dtype=np.int64)
    first = done = int(starts[0])
    parts = []
    for number in np.flatnonzero(ends - starts > _LOOK_AT).tolist():
        start, stop = int(starts[number]), int(ends[number])
        cut = batch.text.rfind(b" ", start, start + _LOOK_AT) + 1
        parts.append(batch.text[done:cut])
        removed[number] = stop - cut
        done = stop
    return b"".join([*parts, batch.text[done : ends[-1]]]), ends - first - np.cumsum(removed)


def _known_words(text: bytes) -> tuple[IntArray, NDArray[np.uint8]]:
    """Where the words stand in folded text, and the language of each, a place in `_LANGUAGES`."""
    size = len(text)
    text += bytes(_LONGEST + 1)  # as much as is read with the last byte
    blank = np.frombuffer(text, dtype=np.uint8) == ord(" ")
    # A token of two to four letters: a blank, two others, and a blank one, two or three behind.
    short = blank[_SHORTEST + 1 : size + _SHORTEST + 1].copy()
    for more in range(_SHORTEST + 2, _LONGEST + 2):
        short |= blank[more : size + more]
    short &= blank[:size] & ~(blank[1 : size + 1] | blank[2 : size + 2])
    starts = np.flatnonzero(short) + 1
    # Four bytes from each letter on; what follows on the word is taken off.
    keys = np.ndarray(size + 1, dtype="<u4", buffer=text, strides=(1,))[starts]
    third, fourth = keys >> np.uint32(16) & np.uint32(0xFF), keys >> np.uint32(24)
    shorter = np.where(fourth == ord(" "), _MASKS[3], _MASKS[4])
    keys &= np.where(third == ord(" "), _MASKS[2], shorter)
    slots = _slots(keys, _FACTOR)
    known = np.flatnonzero(_WORD_OF[slots] == keys)
    return starts[known], _LANGUAGE_OF[slots[known]]
