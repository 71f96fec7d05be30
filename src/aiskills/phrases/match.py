"""From hits of the automaton to matches of AI terms: case, context, overlaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiskills.phrases.automaton import Automaton, Hit
from aiskills.phrases.cues import Cue, Cues
from aiskills.phrases.headings import Heading, Headings
from aiskills.phrases.inflect import folded_patterns
from aiskills.phrases.lexicon import Lexicon
from aiskills.phrases.terms import ANY_AI, Case, Strength, Term
from aiskills.text import Folded

#: Within so many characters of a match one of a term's `needs` must stand …
NEEDS_CHARS: Final = 150
#: … and none of its `excludes`.
EXCLUDES_CHARS: Final = 60
#: So many matches of one text at most are kept, the first ones; real offers stay below 150.
MAX_MATCHES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Match:
    """A term of the lexicon found in a text, its case and context rules kept.

    Attributes:
        term: The term.
        number: Its number in the lexicon.
        start: Position in the folded text of the blank before it.
        end: Position in the folded text of the blank after it.
    """

    term: Term
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What all phrase tables found in one text.

    Attributes:
        matches: AI terms, in order, not overlapping; traps are not among them.
        headings: Headings of zones, in order; none where there is no match.
        cues: What phrases tell of cadre status and intermediaries, in order; with or without a
            match.
    """

    matches: tuple[Match, ...]
    headings: tuple[Heading, ...]
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    """A term's context words, folded: whole words end in a blank, prefixes do not."""

    needs: tuple[bytes, ...]
    needs_any_ai: bool
    excludes: tuple[bytes, ...]


class Scanner:
    """Finds the phrases of all tables in folded texts with one automaton.

    Args:
        lexicon: The AI terms.
        headings: The headings of zones.
        cues: The phrases that tell attributes; None for the table that ships with the package.
    """

    def __init__(self, lexicon: Lexicon, headings: Headings, cues: Cues | None = None) -> None:
        self.lexicon = lexicon
        self._headings = headings
        self._cues = Cues.default() if cues is None else cues
        self._first_cue = len(lexicon)
        self._first_heading = self._first_cue + len(self._cues)
        self._automaton = Automaton(
            [
                *lexicon.patterns(),
                *((pattern, self._first_cue + n) for pattern, n in self._cues.patterns()),
                *((pattern, self._first_heading + n) for pattern, n in headings.patterns()),
            ]
        )
        self._rules = _rules(lexicon.terms)

    def hits(self, folded: Folded) -> list[Hit]:
        """Every hit of an AI term, before any rule; overlapping ones too."""
        return [hit for hit in self._automaton.find(folded) if hit.entry < self._first_cue]

    def scan(self, folded: Folded, given: str) -> Found:
        """Matches and headings of one text.

        Args:
            folded: The folded text.
            given: The text it was folded from.

        Returns:
            What was found. Without any AI term, however weak, no heading is looked at either, since
            such an offer is `none` whatever else it says; its cues are told all the same.
        """
        terms: list[Hit] = []
        headings: list[tuple[int, int, int]] = []
        cues: list[tuple[int, int, int]] = []
        for hit in self._automaton.find(folded):
            if hit.entry < self._first_cue:
                terms.append(hit)
            elif hit.entry < self._first_heading:
                cues.append((hit.entry - self._first_cue, hit.start, hit.end))
            else:
                headings.append((hit.entry - self._first_heading, hit.start, hit.end))
        told = self._cues.told(cues) if cues else ()
        matches = self._matches(terms, folded, given) if terms else ()
        if not matches:
            return Found((), (), told)
        return Found(matches, self._headings.placed(headings, folded, given), told)

    def _matches(self, hits: Sequence[Hit], folded: Folded, given: str) -> tuple[Match, ...]:
        terms = self.lexicon.terms
        cased = [
            hit for hit in hits if _case_holds(terms[hit.entry], given, *folded.span(*_place(hit)))
        ]
        any_ai = any(terms[hit.entry].strength is Strength.STRONG for hit in _longest_first(cased))
        held = _longest_first(
            [hit for hit in cased if self._context_holds(hit, folded.text, any_ai=any_ai)]
        )
        redefined = self._redefined(cased, held, folded.text)
        held = [hit for hit in held if hit.entry not in redefined][:MAX_MATCHES]
        return tuple(
            Match(terms[hit.entry], hit.entry, hit.start, hit.end)
            for hit in held
            if terms[hit.entry].strength is not Strength.TRAP
        )

    def _redefined(self, cased: Sequence[Hit], held: Sequence[Hit], text: bytes) -> set[int]:
        """Acronyms that the offer itself spells out as something the lexicon does not know.

        "IA (ingénieur d'affaires)" or "ingénieur d'affaires (IA)" settles what IA is in this offer,
        "IA (intelligence artificielle)" does too: there the words are a match themselves.
        """
        found: set[int] = set()
        known = [hit for hit in held if self.lexicon.terms[hit.entry].strength is not Strength.TRAP]
        ends = [hit.end for hit in known]
        for hit in cased:
            if self.lexicon.terms[hit.entry].case is not Case.UPPER or hit.entry in found:
                continue
            span = spelled_out(text, hit.start, hit.end)
            if span is None:
                continue
            # What is held is in order and does not overlap: the first to end behind the start of
            # the words tells whether they hold a match.
            first = bisect_right(ends, span[0])
            if first == len(known) or known[first].start >= span[1]:
                found.add(hit.entry)
        return found

    def _context_holds(self, hit: Hit, text: bytes, *, any_ai: bool) -> bool:
        rule = self._rules[hit.entry]
        if rule is None:
            return True
        if rule.excludes and _stands(rule.excludes, text, hit, EXCLUDES_CHARS):
            return False
        if rule.needs_any_ai and any_ai:
            return True
        if rule.needs:
            return _stands(rule.needs, text, hit, NEEDS_CHARS)
        return not rule.needs_any_ai


def _place(hit: Hit) -> tuple[int, int]:
    return hit.start, hit.end


def _longest_first(hits: Sequence[Hit]) -> list[Hit]:
    """Of overlapping hits the leftmost, of those the longest; of equal ones the first entry."""
    kept: list[Hit] = []
    end = -1
    for hit in sorted(hits, key=lambda h: (h.start, -h.end, h.entry)):
        if hit.start >= end:
            kept.append(hit)
            end = hit.end
    return kept


def _case_holds(term: Term, given: str, start: int, end: int) -> bool:
    if term.case is Case.ANY:
        return True
    quote = given[start:end]
    bare = quote.removesuffix("s")
    if term.case is Case.UPPER:
        return bare.isupper()
    if term.case is Case.TITLE:
        return quote[:1].isupper()
    return any(form in (quote, bare) for form in term.forms)


def _stands(words: Sequence[bytes], text: bytes, hit: Hit, reach: int) -> bool:
    """Whether one of the words stands within `reach` of the hit, but not inside it."""
    before = text[max(text.rfind(b" ", 0, max(hit.start - reach, 1)), 0) : hit.start + 1]
    after = text[hit.end : hit.end + reach]
    after += text[hit.end + reach :].partition(b" ")[0] + b" " if len(after) == reach else b""
    return any(word in before or word in after for word in words)


#: Words that lend no letter to an acronym.
_SMALL_WORDS: Final = frozenset(b"a au aux d de des du en et l la le les of pour the to".split())
_LONGEST_EXPANSION: Final = 80


def spelled_out(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where an acronym is spelled out in brackets behind it, or before its own brackets.

    Args:
        text: A folded text.
        start: Position of the blank before the acronym.
        end: Position of the blank after it.

    Returns:
        Start and end of the words, None if they are not there.

    Examples:
        >>> spelled_out(b" un ia ( ingenieur d affaire ) ", 3, 6)
        (8, 28)
        >>> spelled_out(b" ingenieur d affaire ( ia ) ", 22, 25)
        (0, 20)
    """
    letters = text[start:end].strip().removesuffix(b"s")
    if not letters.isalpha():
        return None
    if text.startswith(b" ( ", end):
        close = text.find(b" ) ", end, end + _LONGEST_EXPANSION)
        if close > 0 and _initials(text[end + 3 : close].split()) == letters:
            return end + 3 - 1, close
    if text.startswith(b" ) ", end) and text.endswith(b" (", 0, start):
        begin = text.rfind(b" ", 0, max(start - _LONGEST_EXPANSION, 1))
        words = text[max(begin, 0) : start - 2].split()
        for place in range(len(words) - 1, -1, -1):
            initials = _initials(words[place:])
            if initials == letters:
                size = len(b" ".join(words[place:]))
                return start - 2 - size - 1, start - 2
            if not letters.endswith(initials):
                break
    return None


def _initials(words: Sequence[bytes]) -> bytes:
    return b"".join(word[:1] for word in words if word not in _SMALL_WORDS)


def _rules(terms: Sequence[Term]) -> list[_Rule | None]:
    words = sorted(
        {w for t in terms for w in (*t.needs, *t.excludes) if w != ANY_AI},
    )
    patterns = folded_patterns([word.removesuffix("*") for word in words])
    forms = {
        word: tuple(
            pattern.encode("cp1252").removesuffix(b" " if word.endswith("*") else b"")
            for pattern in found
        )
        for word, found in zip(words, patterns, strict=True)
    }

    def folded(given: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(form for word in given if word != ANY_AI for form in forms[word])

    return [
        _Rule(folded(t.needs), ANY_AI in t.needs, folded(t.excludes))
        if t.needs or t.excludes
        else None
        for t in terms
    ]
