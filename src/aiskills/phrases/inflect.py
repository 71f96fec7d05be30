"""The folded patterns under which a written phrase is searched.

Folding removes case, accents, hyphens and the plural; what is left to rules is the feminine, the
irregular plural of adjectives in -al and the two ways to write a name in CamelCase.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aiskills.text import fold_batch

#: Ending of a folded word and what may stand instead (feminine, plural of -al).
_ENDINGS: Final = (
    ("teur", ("teuse", "trice", "teure")),
    ("eur", ("euse", "eure")),
    ("ien", ("ienne",)),
    ("if", ("ive",)),
    ("al", ("ale", "au")),  # neuronal: neuronale, neuronaux (folded: neuronau)
    ("el", ("elle",)),
    ("ant", ("ante",)),
    ("ert", ("erte",)),
)
#: Shorter words are names and acronyms, which do not inflect.
_SHORTEST: Final = 5
_PARTICIPLE: Final = re.compile(r"\b(\w{3,}é)(s?)\b")


def folded_patterns(phrases: Sequence[str]) -> list[tuple[str, ...]]:
    """Folded forms of phrases and of their inflections.

    Args:
        phrases: Phrases as people write them.

    Returns:
        For each phrase its distinct folded forms, with a blank at both ends; none for a phrase
        without a letter or digit.

    Examples:
        >>> folded_patterns(["réseau neuronal", "TensorFlow"])  # doctest: +NORMALIZE_WHITESPACE
        [(' reseau neuronal ', ' reseau neuronale ', ' reseau neuronau '),
         (' tensor flow ', ' tensorflow ')]
    """
    written = [
        tuple(
            dict.fromkeys(
                form
                for case in (phrase, phrase.lower())
                for form in (case, *_feminine_participles(case))
            )
        )
        for phrase in phrases
    ]
    folded = iter(fold_batch([form for forms in written for form in forms]))
    result = []
    for forms in written:
        patterns: dict[str, None] = {}
        for _ in forms:
            text = next(folded).text.decode("cp1252")
            if any(char.isalnum() for char in text):
                patterns |= dict.fromkeys([text, *_inflections(text)])
        result.append(tuple(patterns))
    return result


def _feminine_participles(form: str) -> Iterable[str]:
    """The form with each word in -é in the feminine: folding hides which words those are."""
    for match in _PARTICIPLE.finditer(form):
        yield form[: match.end(1)] + "e" + form[match.end(1) :]


def _inflections(folded: str) -> Iterable[str]:
    """The folded form with one word inflected, and with œ for oe."""
    words = folded.split()
    for place, word in enumerate(words):
        if len(word) < _SHORTEST or not word.isalpha():
            continue
        for ending, others in _ENDINGS:
            if word.endswith(ending):
                for other in others:
                    changed = word.removesuffix(ending) + other
                    yield " ".join(["", *words[:place], changed, *words[place + 1 :], ""])
                break
    if "oe" in folded:
        yield folded.replace("oe", "œ")
    if "œ" in folded:
        yield folded.replace("œ", "oe")
