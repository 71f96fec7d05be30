"""From hits of the automaton to matches of AI terms: case, context, overlaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiskills.phrases.automaton import Automaton, Hit
from aiskills.phrases.cues import Cue, Cues
from aiskills.phrases.expansions import spelled_out
from aiskills.phrases.headings import Heading, Headings
from aiskills.phrases.hyphens import hits_across_lines
from aiskills.phrases.lexicon import Lexicon
from aiskills.phrases.rules import rules_of
from aiskills.phrases.terms import Case, Strength, Term
from aiskills.schema import Definition
from aiskills.text import Folded

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
        self._rules = rules_of(lexicon.terms)
        self._elsewhere = {
            entry: rule for entry, rule in enumerate(self._rules) if rule and rule.elsewhere
        }

    def hits(self, folded: Folded, given: str = "") -> list[Hit]:
        """Every hit of an AI term, before any rule; overlapping ones too.

        Args:
            folded: The folded text.
            given: The text it was folded from; without it no word is put together over the end of a
                line.
        """
        return [hit for hit in self._found(folded, given) if hit.entry < self._first_cue]

    def _found(self, folded: Folded, given: str) -> list[Hit]:
        found = self._automaton.find(folded)
        more = hits_across_lines(self._automaton, folded, given)
        if not more:
            return found
        return sorted({*found, *more}, key=lambda hit: (hit.end, hit.start, hit.entry))

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
        for hit in self._found(folded, given):
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
        elsewhere = self._told_elsewhere(cased, folded.text)
        if elsewhere:
            cased = [hit for hit in cased if hit.entry not in elsewhere]
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

    def _told_elsewhere(self, cased: Sequence[Hit], text: bytes) -> set[int]:
        """Acronyms and names of which some other words of the offer tell that they are no AI.

        Not where the offer holds a strong term of the same definition, or a narrower one, of which
        nothing tells the like: an offer that asks for machine learning may well mean AI by IA.
        """
        terms = self.lexicon.terms
        told = {
            entry
            for entry in {hit.entry for hit in cased} & self._elsewhere.keys()
            if self._elsewhere[entry].means_something_else(text)
        }
        if not told:
            return told
        sure = {
            terms[hit.entry].definition
            for hit in _longest_first(cased)
            if terms[hit.entry].strength is Strength.STRONG
            and hit.entry not in told
            and self._context_holds(hit, text, any_ai=False)
        }
        return {entry for entry in told if not sure & {terms[entry].definition, Definition.STRICT}}

    def _context_holds(self, hit: Hit, text: bytes, *, any_ai: bool) -> bool:
        rule = self._rules[hit.entry]
        return rule is None or rule.holds(hit, text, any_ai=any_ai)


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
