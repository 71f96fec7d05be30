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
#: Only where a capital stands inside a word does folding see a difference to small letters.
_INNER_CAPITAL: Final = re.compile(r"\w[^\W\d_a-z]")


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
                form for case in _cases(phrase) for form in (case, *_feminine_participles(case))
            )
        )
        for phrase in phrases
    ]
    folded = iter(fold_batch([form for forms in written for form in forms]))
    inflected: dict[str, tuple[str, ...]] = {}  # tables repeat their words by the thousand
    result = []
    for forms in written:
        patterns: list[str] = []
        for _ in forms:
            text = next(folded).text.decode("cp1252")
            if any(map(str.isalnum, text)):
                patterns += [text, *_inflections(text, inflected)]
        result.append(tuple(dict.fromkeys(patterns)))
    return result


def _cases(phrase: str) -> tuple[str, ...]:
    return (phrase, phrase.lower()) if _INNER_CAPITAL.search(phrase) else (phrase,)


def _feminine_participles(form: str) -> Iterable[str]:
    """The form with each word in -é in the feminine: folding hides which words those are."""
    if "é" not in form:
        return
    for match in _PARTICIPLE.finditer(form):
        yield form[: match.end(1)] + "e" + form[match.end(1) :]


def _inflections(folded: str, known: dict[str, tuple[str, ...]]) -> Iterable[str]:
    """The folded form with one word inflected, and with œ for oe; `known` are words seen before."""
    words = folded.split()
    for place, word in enumerate(words):
        others = known.get(word)
        if others is None:
            others = known[word] = _inflected(word)
        for other in others:
            yield " ".join(["", *words[:place], other, *words[place + 1 :], ""])
    if "oe" in folded:
        yield folded.replace("oe", "œ")
    if "œ" in folded:
        yield folded.replace("œ", "oe")


def _inflected(word: str) -> tuple[str, ...]:
    """Other forms of a folded word."""
    if len(word) >= _SHORTEST and word.isalpha():
        for ending, others in _ENDINGS:
            if word.endswith(ending):
                return tuple(word.removesuffix(ending) + other for other in others)
    return ()
