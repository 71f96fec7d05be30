r"""Does what a judgement quotes overlap what the annotator marked?

Both are compared as offsets into ``title + "\n" + description``, as labels have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiskills.evaluation.intervals import Rate, exact
from aiskills.model import Evidence
from aiskills.repair import FIELD_BREAK
from aiskills.schema import Definition, Status

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Quoted:
    """The evidence of one flagged offer.

    Attributes:
        agreed: Whether its label is demand too.
        quoted: Spans that the judgement quotes for the demand.
        marked: Spans that the annotator marked.
    """

    agreed: bool
    quoted: tuple[Span, ...]
    marked: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How often quotes overlap what annotators marked.

    Attributes:
        flags: Flagged offers.
        unmarked: Of these, labelled demand without any marked span: they cannot be compared.
        overlapping: Flagged offers with a quote that overlaps a marked span.
        share: `overlapping` of all flagged but the unmarked, with its exact interval.
    """

    flags: int
    unmarked: int
    overlapping: int
    share: Rate


@dataclass(frozen=True, slots=True)
class EvidenceFigures:
    """The evidence of flags.

    Attributes:
        agreed: Over the flagged offers that are labelled demand too.
        every: Over all flagged offers, the false flags among them: their quotes count as wrong
            unless the annotator marked them, e.g. as a mention.
        quotes: Share of single quotes that overlap a marked span, over the agreed offers.
        spans: Share of marked spans that a quote overlaps, over the same.
    """

    agreed: Overlap
    every: Overlap
    quotes: Rate
    spans: Rate


def evidence_figures(flags: Sequence[Quoted]) -> EvidenceFigures:
    """Figures over the flagged offers under one definition."""
    agreed = [one for one in flags if one.agreed]
    comparable = [one for one in agreed if one.marked]
    quotes = [overlaps(q, one.marked) for one in comparable for q in one.quoted]
    spans = [overlaps(s, one.quoted) for one in comparable for s in one.marked]
    return EvidenceFigures(
        _overlap(agreed),
        _overlap(flags),
        exact(sum(quotes), len(quotes)),
        exact(sum(spans), len(spans)),
    )


def _overlap(flags: Sequence[Quoted]) -> Overlap:
    unmarked = sum(one.agreed and not one.marked for one in flags)
    found = sum(any(overlaps(quote, one.marked) for quote in one.quoted) for one in flags)
    return Overlap(len(flags), unmarked, found, exact(found, len(flags) - unmarked))


def overlaps(span: Span, others: Sequence[Span]) -> bool:
    """Whether a span shares a character with any of the others."""
    return any(span[0] < end and start < span[1] for start, end in others)


def demand_spans(
    evidence: Sequence[Evidence], definition: Definition, title: str
) -> tuple[Span, ...]:
    """Where a judgement quotes its demand: a strict flag is borne out by strict terms alone."""
    return tuple(
        place(piece, title)
        for piece in evidence
        if piece.status is Status.DEMAND
        and (definition is Definition.STUDY or piece.definition is Definition.STRICT)
    )


def place(piece: Evidence, title: str) -> Span:
    """Offsets of a piece of evidence as labels have them."""
    shift = 0 if piece.field == "title" else len(title) + len(FIELD_BREAK)
    return piece.start + shift, piece.end + shift
