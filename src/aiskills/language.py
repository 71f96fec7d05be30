"""The language of an offer, told from its commonest small words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.schema import Language
from aiskills.text import Folded

#: Small words in folded form that hardly occur in the other languages.
_WORDS: Final = {
    Language.FR: ("de", "et", "la", "le", "des", "en"),
    Language.EN: ("the", "and", "of", "to", "with", "for"),
    Language.OTHER: ("und", "der", "mit", "los", "para", "con", "het", "di"),
}
_LANGUAGES: Final = tuple(_WORDS)
_LONGEST: Final = max(len(word) for words in _WORDS.values() for word in words)
#: The start of a text tells its language as well as the whole does.
_LOOK_AT: Final = 1_200


def _keys() -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    found = {
        int.from_bytes(word.encode(), "little"): _LANGUAGES.index(language)
        for language, words in _WORDS.items()
        for word in words
    }
    keys = sorted(found)
    return np.array(keys, dtype=np.uint32), np.array([found[key] for key in keys])


_KEYS, _LANGUAGE = _keys()
#: Of four bytes those that a word of so many letters has.
_OF_LETTERS: Final = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF], dtype=np.uint32)


def languages_of(texts: Sequence[Folded]) -> list[Language]:
    """Languages of folded texts.

    Returns:
        For each text `fr`, `en`, or `other` for any other language; `fr` where a text is too short
        to tell, since the offers are French.
    """
    # Every piece ends in a blank; behind the last are as many as may be read with a word.
    pieces = [folded.text[: folded.text.rfind(b" ", 0, _LOOK_AT) + 1] for folded in texts]
    joined = b"".join(pieces) + b" " * _LONGEST
    letters = np.frombuffer(joined, dtype=np.uint8)
    blanks = np.flatnonzero(letters[:-_LONGEST] == ord(" "))
    sizes = np.diff(blanks, append=len(joined)) - 1
    short = (sizes > 1) & (sizes <= _LONGEST)
    starts = blanks[short] + 1
    pairs = letters[:-1] | letters[1:].astype(np.uint32) << np.uint32(8)
    key = (pairs[starts] | pairs[starts + 2] << np.uint32(16)) & _OF_LETTERS[sizes[short]]
    found = np.minimum(np.searchsorted(_KEYS, key), len(_KEYS) - 1)
    known = _KEYS[found] == key
    owner = np.searchsorted(np.cumsum([len(piece) for piece in pieces]), starts[known], "right")
    counts = np.bincount(
        owner * len(_LANGUAGES) + _LANGUAGE[found[known]], minlength=len(texts) * len(_LANGUAGES)
    )
    return [
        Language.OTHER if other > max(fr, en) else Language.EN if en > fr else Language.FR
        for fr, en, other in counts.reshape(-1, len(_LANGUAGES)).tolist()
    ]


def language_of(folded: Folded) -> Language:
    """Language of one folded text; see `languages_of`."""
    return languages_of([folded])[0]
