"""From hits of the automaton to matches of AI terms: case, context, overlaps."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence, Set
from typing import Final, NamedTuple

import numpy as np

from aiskills.phrases.automaton import Automaton, Hit, Hits, IntArray
from aiskills.phrases.cues import Cue, Cues
from aiskills.phrases.expansions import spelled_out
from aiskills.phrases.headings import Heading, Headings
from aiskills.phrases.hyphens import hits_across_lines
from aiskills.phrases.lexicon import Lexicon
from aiskills.phrases.rules import rules_of
from aiskills.phrases.terms import Case, Strength, Term
from aiskills.schema import Definition
from aiskills.text import Folded, FoldedBatch

#: So many matches of one text at most are kept, the first ones; real offers stay below 150.
MAX_MATCHES: Final = 1_000


class Match(NamedTuple):
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


class Found(NamedTuple):
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


#: Of a text in which nothing was found.
NOTHING_FOUND: Final = Found((), ())


class Scanner:
    """Finds the phrases of all tables in folded texts.

    Args:
        lexicon: The AI terms.
        headings: The headings of zones.
        cues: The phrases that tell attributes; None for the table that ships with the package.
    """

    def __init__(self, lexicon: Lexicon, headings: Headings, cues: Cues | None = None) -> None:
        self.lexicon = lexicon
        self._headings = headings
        self._cues = Cues.default() if cues is None else cues
        self._rules = rules = rules_of(lexicon.terms)
        self._first_sign = len(lexicon)
        self._first_cue = self._first_sign + len(rules.signs)
        self._automaton = Automaton(
            [
                *lexicon.patterns(),
                *(
                    (form.decode("cp1252"), self._first_sign + number)
                    for number, forms in enumerate(rules.signs)
                    for form in forms
                ),
                *((pattern, self._first_cue + n) for pattern, n in self._cues.patterns()),
            ]
        )
        # One of their own: they are common, and only offers with a match are searched for them.
        self._heading_automaton = Automaton(headings.patterns())

    def hits(self, folded: Folded, given: str = "") -> list[Hit]:
        """Every hit of an AI term, before any rule; overlapping ones too.

        Args:
            folded: The folded text.
            given: The text it was folded from; without it no word is put together over the end of a
                line.
        """
        found = {
            *self._automaton.find(folded),
            *hits_across_lines(self._automaton, folded, given),
        }
        return sorted((hit for hit in found if hit.entry < self._first_sign), key=_by_end)

    def scan(self, folded: Folded, given: str) -> Found:
        """What was found in one text; see `scan_many`."""
        return self.scan_many(FoldedBatch.of([folded]), [given])[0]

    def scan_many(self, batch: FoldedBatch, given: Sequence[str]) -> list[Found]:
        """Matches, headings and cues of many texts; see `found_in`.

        Args:
            batch: The folded texts.
            given: The texts they were folded from.

        Returns:
            What was found in each.
        """
        found = self.found_in(batch, given)
        return [found.get(number, NOTHING_FOUND) for number in range(len(batch))]

    def found_in(self, batch: FoldedBatch, given: Sequence[str]) -> dict[int, Found]:
        """Matches, headings and cues of those of many texts in which there is any.

        Args:
            batch: The folded texts.
            given: The texts they were folded from.

        Returns:
            What was found, by number of the text, in no order. Without any AI term, however weak,
            no heading is looked at either, since such an offer is `none` whatever else it says; its
            cues are told all the same.
        """
        hits, owner = _located(self._automaton, batch, given)
        cue = hits.entry >= self._first_cue
        cues = self._cues.told(hits[cue].less(self._first_cue), owner[cue])
        matches = self._matches_in(hits[~cue], owner[~cue], batch, given)
        opened = self._opened(list(matches), batch, given)
        return {number: Found((), (), its) for number, its in cues.items()} | {
            number: Found(its, opened.get(number, ()), cues.get(number, ()))
            for number, its in matches.items()
        }

    def _matches_in(
        self, hits: Hits, owner: IntArray, batch: FoldedBatch, given: Sequence[str]
    ) -> dict[int, tuple[Match, ...]]:
        """The matches among hits of terms and signs, by number of the text; none is empty."""
        term = hits.entry < self._first_sign
        signs: defaultdict[int, set[int]] = defaultdict(set)
        for number, entry in zip(owner[~term].tolist(), hits.entry[~term].tolist(), strict=True):
            signs[number].add(entry - self._first_sign)
        terms: dict[int, list[Hit]] = {}
        for number, hit in zip(owner[term].tolist(), hits[term].as_list(), strict=True):
            terms.setdefault(number, []).append(hit)
        found: dict[int, tuple[Match, ...]] = {}
        for number, its in terms.items():
            # Most texts with a hit have one that its context alone rules out ("CV" is that of the
            # candidate): nothing more is asked of them.
            text = batch.text[int(batch.starts[number]) : int(batch.ends[number])]
            if any(self._context_holds(hit, text, any_ai=True) for hit in its):
                matches = self._matches(its, signs[number], batch.texts[number], given[number])
                if matches:
                    found[number] = matches
        return found

    def _opened(
        self, numbers: Sequence[int], batch: FoldedBatch, given: Sequence[str]
    ) -> dict[int, tuple[Heading, ...]]:
        """The headings in some of the texts, by number."""
        if not numbers:
            return {}
        part, texts = batch.part(numbers), [given[number] for number in numbers]
        hits, owner = _located(self._heading_automaton, part, texts)
        placed = self._headings.placed(hits, owner, part, texts)
        return {numbers[place]: its for place, its in placed.items()}

    def _matches(
        self, hits: Sequence[Hit], signs: Set[int], folded: Folded, given: str
    ) -> tuple[Match, ...]:
        terms = self.lexicon.terms
        cased = [
            hit
            for hit in hits
            if terms[hit.entry].case is Case.ANY
            or _case_holds(terms[hit.entry], folded.quote(given, hit.start, hit.end))
        ]
        cased.sort(key=_leftmost_longest)
        elsewhere = self._told_elsewhere(cased, signs, folded.text)
        if elsewhere:
            cased = [hit for hit in cased if hit.entry not in elsewhere]
        any_ai = any(terms[hit.entry].strength is Strength.STRONG for hit in _not_hidden(cased))
        held = _not_hidden(
            [hit for hit in cased if self._context_holds(hit, folded.text, any_ai=any_ai)]
        )
        redefined = self._redefined(cased, held, folded.text)
        held = [hit for hit in held if hit.entry not in redefined][:MAX_MATCHES]
        return tuple(
            Match(terms[entry], entry, start, end)
            for entry, start, end in held
            if terms[entry].strength is not Strength.TRAP
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

    def _told_elsewhere(self, cased: Sequence[Hit], signs: Set[int], text: bytes) -> set[int]:
        """Acronyms and names of which some other words of the offer tell that they are no AI.

        Not where the offer holds a strong term of the same definition, or a narrower one, of which
        nothing tells the like: an offer that asks for machine learning may well mean AI by IA.
        """
        if not signs:
            return set()
        terms = self.lexicon.terms
        told = self._rules.meaning_something_else(signs) & {hit.entry for hit in cased}
        if not told:
            return told
        sure = {
            terms[hit.entry].definition
            for hit in _not_hidden(cased)
            if terms[hit.entry].strength is Strength.STRONG
            and hit.entry not in told
            and self._context_holds(hit, text, any_ai=False)
        }
        return {entry for entry in told if not sure & {terms[entry].definition, Definition.STRICT}}

    def _context_holds(self, hit: Hit, text: bytes, *, any_ai: bool) -> bool:
        rule = self._rules.of[hit.entry]
        return rule is None or rule.holds(hit, text, any_ai=any_ai)


def _located(
    automaton: Automaton, batch: FoldedBatch, given: Sequence[str]
) -> tuple[Hits, IntArray]:
    """All hits with positions in their own text, and the text of each; text after text."""
    hits = automaton.find_all(batch.text)
    owner = np.searchsorted(batch.starts, hits.start, side="right") - 1
    shift = batch.starts[owner]
    hits = Hits(hits.entry, hits.start - shift, hits.end - shift)
    more = [
        (number, hit)
        for number in batch.hyphened
        for hit in hits_across_lines(automaton, batch.texts[number], given[number])
    ]
    if not more:
        return hits, owner
    # One that was found already counts once.
    rows = np.array([(number, hit.end, hit.start, hit.entry) for number, hit in more])
    table = np.column_stack([owner, hits.end, hits.start, hits.entry])
    owner, end, start, entry = np.unique(np.concatenate([table, rows]), axis=0).T
    return Hits(entry, start, end), owner


def _by_end(hit: Hit) -> tuple[int, int, int]:
    return hit.end, hit.start, hit.entry


def _leftmost_longest(hit: Hit) -> tuple[int, int, int]:
    return hit.start, -hit.end, hit.entry


def _not_hidden(hits: Sequence[Hit]) -> list[Hit]:
    """Of overlapping hits the leftmost, of those the longest; of equal ones the first entry.

    Args:
        hits: In the order of `_leftmost_longest`.
    """
    kept: list[Hit] = []
    end = -1
    for hit in hits:
        if hit.start >= end:
            kept.append(hit)
            end = hit.end
    return kept


def _case_holds(term: Term, quote: str) -> bool:
    bare = quote.removesuffix("s")
    if term.case is Case.UPPER:
        return bare.isupper()
    if term.case is Case.TITLE:
        return quote[:1].isupper()
    return any(form in (quote, bare) for form in term.forms)
