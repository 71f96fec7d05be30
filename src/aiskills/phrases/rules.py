"""The context rules of terms: words that must stand near, must not, or tell another meaning."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

from aiskills.phrases.automaton import Hit
from aiskills.phrases.inflect import folded_patterns
from aiskills.phrases.terms import ANY_AI, Term

#: Within so many characters of a match one of a term's `needs` must stand …
NEEDS_CHARS: Final = 150
#: … and none of its `excludes`.
EXCLUDES_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """A term's context words, folded: whole words end in a blank, prefixes do not.

    Attributes:
        needs: Words of which one must stand near; empty: none needed.
        needs_any_ai: Whether a strong term anywhere in the offer does as well.
        excludes: Words of which none may stand near.
    """

    needs: tuple[bytes, ...]
    needs_any_ai: bool
    excludes: tuple[bytes, ...]

    def holds(self, hit: Hit, text: bytes, *, any_ai: bool) -> bool:
        """Whether the words near a hit are as they must be.

        Args:
            hit: Where the term was found.
            text: The folded text.
            any_ai: Whether a strong term stands in the offer.
        """
        if self.excludes and _stands(self.excludes, text, hit, EXCLUDES_CHARS):
            return False
        if self.needs_any_ai and any_ai:
            return True
        if self.needs:
            return _stands(self.needs, text, hit, NEEDS_CHARS)
        return not self.needs_any_ai


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a lexicon's terms.

    Attributes:
        of: The rule of each term, None for those without one.
        signs: Folded forms of every sign that some rule looks for anywhere in an offer.
        telling: For each sign the terms that mean something else where it stands, and the other
            signs that must stand there too.
    """

    of: Sequence[Rule | None]
    signs: Sequence[tuple[bytes, ...]]
    telling: Sequence[Sequence[tuple[int, frozenset[int]]]]

    def meaning_something_else(self, signs: Set[int]) -> set[int]:
        """Terms of which an offer tells that they mean something else in it.

        Args:
            signs: Numbers of the signs that stand in the offer.
        """
        return {entry for sign in signs for entry, others in self.telling[sign] if others <= signs}


def rules_of(terms: Sequence[Term]) -> Rules:
    """The rules of terms."""
    together = [tuple(filter(None, map(told_together, term.elsewhere))) for term in terms]
    signs = sorted({part for alternatives in together for parts in alternatives for part in parts})
    number = {sign: place for place, sign in enumerate(signs)}
    words = {word for term in terms for word in (*term.needs, *term.excludes) if word != ANY_AI}
    forms = _forms(sorted(words | number.keys()))

    def folded(given: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(form for word in given if word != ANY_AI for form in forms[word])

    rules = [
        Rule(folded(term.needs), ANY_AI in term.needs, folded(term.excludes))
        if term.needs or term.excludes
        else None
        for term in terms
    ]
    telling: list[list[tuple[int, frozenset[int]]]] = [[] for _ in signs]
    for entry, alternatives in enumerate(together):
        for parts in alternatives:
            first, *others = (number[part] for part in parts)
            telling[first].append((entry, frozenset(others)))
    return Rules(rules, [forms[sign] for sign in signs], telling)


def told_together(alternative: str) -> tuple[str, ...]:
    """The parts of an alternative of `elsewhere`, all of which must stand in the offer.

    Examples:
        >>> told_together("ingénieur d'affaires + les IA")
        ("ingénieur d'affaires", 'les IA')
        >>> told_together("C++")
        ('C++',)
    """
    return tuple(part for part in map(str.strip, alternative.split(" + ")) if part)


def _forms(words: Sequence[str]) -> dict[str, tuple[bytes, ...]]:
    """Folded forms of context words; a trailing ``*`` stands for any ending."""
    patterns = folded_patterns([word.removesuffix("*") for word in words])
    return {
        word: tuple(
            pattern.encode("cp1252").removesuffix(b" " if word.endswith("*") else b"")
            for pattern in found
        )
        for word, found in zip(words, patterns, strict=True)
    }


def _stands(words: Sequence[bytes], text: bytes, hit: Hit, reach: int) -> bool:
    """Whether one of the words stands within `reach` of the hit, but not inside it."""
    before = text[max(text.rfind(b" ", 0, max(hit.start - reach, 1)), 0) : hit.start + 1]
    after = text[hit.end : hit.end + reach]
    after += text[hit.end + reach :].partition(b" ")[0] + b" " if len(after) == reach else b""
    near = before + b"\0" + after  # no word goes over the match
    for word in words:  # noqa: SIM110 - a generator takes half as long again
        if word in near:
            return True
    return False
