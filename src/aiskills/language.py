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
        int.from_bytes(word.encode().ljust(_LONGEST), "little"): _LANGUAGES.index(language)
        for language, words in _WORDS.items()
        for word in words
    }
    keys = sorted(found)
    return np.array(keys, dtype="<u4"), np.array([found[key] for key in keys])


_KEYS, _LANGUAGE = _keys()


def languages_of(texts: Sequence[Folded]) -> list[Language]:
    """Languages of folded texts.

    Returns:
        For each text `fr`, `en`, or `other` for any other language; `fr` where a text is too short
        to tell, since the offers are French.
    """
    # Every piece ends in a blank, and is padded so that a word can be read at each of them.
    pieces = [folded.text[: folded.text.rfind(b" ", 0, _LOOK_AT) + 1] for folded in texts]
    joined = b"".join(pieces) + b" " * _LONGEST
    letters = np.frombuffer(joined, dtype=np.uint8)
    blanks = np.flatnonzero(letters[:-_LONGEST] == ord(" "))
    sizes = np.diff(blanks, append=len(joined)) - 1
    short = (sizes > 1) & (sizes <= _LONGEST)
    starts, sizes = blanks[short] + 1, sizes[short]
    key = np.zeros(len(starts), dtype="<u4")
    for place in range(_LONGEST):
        letter = np.where(place < sizes, letters[starts + place], ord(" ")).astype("<u4")
        key |= letter << np.uint32(8 * place)
    found = np.searchsorted(_KEYS, key)
    known = _KEYS[np.minimum(found, len(_KEYS) - 1)] == key
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
