"""What an entry of the lexicon is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiskills.schema import Definition


class Strength(StrEnum):
    """How far a term proves AI by itself."""

    STRONG = "strong"
    """Enough alone: wherever it is found, the technology is named."""
    CONTEXT = "context"
    """Ambiguous: true only in the right surroundings."""
    WEAK = "weak"
    """Seldom AI by itself, but a paraphrase of AI may hide here: the classifier looks."""
    TRAP = "trap"
    """A homonym: never AI, and hides every shorter term inside it."""


class Case(StrEnum):
    """What the match must look like in the given text."""

    ANY = "any"
    UPPER = "upper"
    """Every letter a capital, but for a plural s."""
    EXACT = "exact"
    """One of the written forms, letter by letter, but for a plural s."""
    TITLE = "title"
    """The first letter a capital."""


#: In `needs`: a strong term somewhere in the same offer.
ANY_AI: Final = "@ai"


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of the lexicon.

    Attributes:
        term: Canonical name, which evidence shows.
        variants: Other surface forms, as people write them.
        theme: One of `aiskills.schema.THEMES`.
        definition: The narrowest definition under which it counts.
        strength: How far it proves AI alone.
        case: What a match must look like in the given text.
        needs: Words of which one must stand near; empty: none needed.
        excludes: Words of which none may stand near.
        elsewhere: Words of which one anywhere in the offer tells that the term means something else
            there; ``a + b`` where both must stand.
        note: The ambiguity, in words.
        source: Where the term comes from.
    """

    term: str
    variants: tuple[str, ...] = ()
    theme: str = "ia"
    definition: Definition = Definition.STRICT
    strength: Strength = Strength.STRONG
    case: Case = Case.ANY
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    note: str = ""
    source: str = ""

    @property
    def can_differ(self) -> bool:
        """Whether an offer may ask for it under `study` and not under `strict`.

        Terms of `study` alone, and weak triggers: behind them may be either.
        """
        return self.definition is Definition.STUDY or self.strength is Strength.WEAK

    @property
    def forms(self) -> tuple[str, ...]:
        """The term and its variants."""
        return (self.term, *self.variants)
