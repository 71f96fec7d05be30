"""Other ways to find the terms of the lexicon in offers, each as its users would write it.

Each finds terms in texts and says which; whether an offer is flagged then follows from the terms
(`KeywordRule`). All search every written form of every term, weak triggers and traps too, as the
classifier's own automaton does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from numpy.typing import NDArray

from aiskills.phrases import Lexicon, Strength, Term
from aiskills.schema import Definition

BoolArray = NDArray[np.bool_]
#: Written forms found in each text, in lower case.
Forms = list[set[str]]

FLOOR: Final = "ahocorasick_rs"
WHOLE_WORDS: Final = "ahocorasick_rs, whole words"


class Peer(Protocol):
    """Finds forms in texts."""

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""


def forms_of(lexicon: Lexicon) -> dict[str, list[Term]]:
    """Every written form of the lexicon in lower case, and the terms that have it."""
    forms: dict[str, list[Term]] = defaultdict(list)
    for term in lexicon.terms:
        for form in term.forms:
            if term not in forms[form.lower()]:
                forms[form.lower()].append(term)
    return dict(forms)


class KeywordRule:
    """Any term is a demand: what a counter of keywords says of an offer.

    Weak triggers and traps do not count, and under `strict` only strict terms do.

    Args:
        forms: What `forms_of` gives.
    """

    def __init__(self, forms: dict[str, list[Term]]) -> None:
        counting = {
            form: [t for t in terms if t.strength in (Strength.STRONG, Strength.CONTEXT)]
            for form, terms in forms.items()
        }
        self._counting = {
            Definition.STUDY: {form for form, terms in counting.items() if terms},
            Definition.STRICT: {
                form
                for form, terms in counting.items()
                if any(t.definition is Definition.STRICT for t in terms)
            },
        }

    def flags(self, found: Forms, definition: Definition) -> BoolArray:
        """Which offers are flagged."""
        counting = self._counting[definition]
        return np.array([not counting.isdisjoint(forms) for forms in found], dtype=bool)


class PlainScan:
    """The automaton over the lower-cased text and nothing else: the floor of all speeds.

    It finds letters inside words too, so its flags are of little use.
    """

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = list(forms)
        self._automaton = AhoCorasick(self._forms, matchkind=MatchKind.LeftmostLongest)

    def scan(self, texts: Sequence[str]) -> int:
        """Scans each text and returns the number of hits; what the floor's speed is taken of."""
        scan = self._automaton.find_matches_as_indexes
        return sum(len(scan(text.lower())) for text in texts)

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""
        scan, forms = self._automaton.find_matches_as_indexes, self._forms
        return [{forms[number] for number, _, _ in scan(text.lower())} for text in texts]


class WholeWordScan:
    """The same automaton, kept to hits that do not begin or end inside a word."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = list(forms)
        self._automaton = AhoCorasick(self._forms)

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""
        return [self._whole(text.lower()) for text in texts]

    def _whole(self, text: str) -> set[str]:
        padded = f" {text} "
        return {
            self._forms[number]
            for number, start, end in self._automaton.find_matches_as_indexes(
                text, overlapping=True
            )
            if not (padded[start].isalnum() or padded[end + 1].isalnum())
        }


class FlashText:
    """flashtext's ``KeywordProcessor``: a trie of characters in Python."""

    def __init__(self, forms: Sequence[str]) -> None:
        from flashtext import KeywordProcessor

        self._processor = KeywordProcessor()
        self._processor.non_word_boundaries |= set("àâäçéèêëîïôöùûüÿœæ")
        for form in forms:
            self._processor.add_keyword(form)

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""
        return [set(self._processor.extract_keywords(text)) for text in texts]


class SpacyMatcher:
    """spaCy's blank French pipeline and its ``PhraseMatcher`` on lower-cased tokens."""

    def __init__(self, forms: Sequence[str]) -> None:
        import spacy
        from spacy.matcher import PhraseMatcher

        self._nlp = spacy.blank("fr")
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        self._forms: dict[int, str] = {}
        for form, doc in zip(forms, self._nlp.tokenizer.pipe(forms), strict=True):
            self._matcher.add(form, [doc])
            self._forms[self._nlp.vocab.strings[form]] = form

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""
        docs = self._nlp.pipe(texts)
        return [{self._forms[key] for key, _, _ in self._matcher(doc)} for doc in docs]


class RegularExpression:
    """One alternation of all forms, the longest first, for Python's ``re``."""

    def __init__(self, forms: Sequence[str]) -> None:
        words = "|".join(map(re.escape, sorted(forms, key=lambda f: (-len(f), f))))
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)")

    def find(self, texts: Sequence[str]) -> Forms:
        """Forms found in each text."""
        return [set(self._pattern.findall(text.lower())) for text in texts]


#: The keyword peers by the name that tables give them.
KEYWORD_PEERS: Final[dict[str, Callable[[Sequence[str]], Any]]] = {
    FLOOR: PlainScan,
    WHOLE_WORDS: WholeWordScan,
    "flashtext": FlashText,
    'spaCy blank("fr") + PhraseMatcher': SpacyMatcher,
    "Python re": RegularExpression,
}


def keyword_peers(lexicon: Lexicon) -> dict[str, Peer]:
    """The keyword peers, made ready."""
    forms = list(forms_of(lexicon))
    return {name: make(forms) for name, make in KEYWORD_PEERS.items()}
