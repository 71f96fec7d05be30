"""Every offer that was judged wrong, with what was quoted and what should have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from aiskills.evaluation.evidence import Span, place
from aiskills.labels import OfferLabel
from aiskills.labels.texts import Row
from aiskills.model import Evidence, Judgement
from aiskills.schema import STATUS_ORDER, Definition, Status

#: Characters shown on each side of a quote.
AROUND: Final = 160


class Kind(StrEnum):
    """What is wrong."""

    FALSE_FLAG = "false_flag"
    """Flagged under a definition under which the label is no demand."""
    MISSED = "missed"
    """Labelled demand under a definition under which it is not flagged."""
    LESSER = "mention_or_none"
    """Mention and none confused."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text.

    Attributes:
        text: Its characters.
        said: What the model takes it for; None if it does not quote it.
        marked: Whether the annotator marked it.
    """

    text: str
    said: Status | None
    marked: bool


@dataclass(frozen=True, slots=True)
class Snippet:
    """A place of a text with evidence in it.

    Attributes:
        segments: Its stretches, in order.
        cut_before: Whether text stands before it.
        cut_after: Whether text stands after it.
    """

    segments: tuple[Segment, ...]
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of evidence, as offsets into the labels' text.

    Attributes:
        start: Offset of its first character.
        end: Exclusive end.
        term: The lexicon's name of it.
        theme: Its theme.
        zone: Part of the offer.
        status: What the model takes it for.
        score: Probability that it is a demand, 0 to 1.
        quote: Its words; None where texts are left out.
    """

    start: int
    end: int
    term: str
    theme: str
    zone: str
    status: Status
    score: float
    quote: str | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """One offer that was judged wrong.

    Attributes:
        uid: Its identifier.
        kind: What is wrong; the worst, where both definitions are wrong in different ways.
        definitions: Under which definitions.
        sureness: How sure the model was of being right, 0 to 1: the score of a false flag, one
            less the score of what was missed.
        labelled: Status by definition.
        said: Status by definition.
        scores: Score by definition.
        themes_labelled: Themes of the label.
        themes_said: Themes of the judgement.
        sure: Whether the annotator was sure.
        set: The label's set.
        language: The label's language.
        evidence: What the model quotes.
        marked: What the annotator marked.
        title: The offer's title; None where texts are left out.
        snippets: What surrounds both; empty where texts are left out.
    """

    uid: str
    kind: Kind
    definitions: tuple[Definition, ...]
    sureness: float
    labelled: dict[Definition, Status]
    said: dict[Definition, Status]
    scores: dict[Definition, float]
    themes_labelled: tuple[str, ...]
    themes_said: tuple[str, ...]
    sure: bool
    set: str
    language: str
    evidence: tuple[Quote, ...]
    marked: tuple[Span, ...]
    title: str | None
    snippets: tuple[Snippet, ...]


def mistakes(
    labels: Sequence[OfferLabel],
    rows: Sequence[Row],
    judgements: Sequence[Judgement],
    *,
    with_texts: bool,
) -> list[Mistake]:
    """The offers that were judged wrong under a definition.

    Args:
        labels: Labels.
        rows: Their offers.
        judgements: What was said of them; offers that were not judged are left out.
        with_texts: Whether titles, quotes and snippets are kept.

    Returns:
        False flags, then what was missed, then mentions and nones confused; in each those first of
        which the model was surest.
    """
    found = [
        mistake
        for label, row, judgement in zip(labels, rows, judgements, strict=True)
        if (mistake := _mistake(label, row, judgement, with_texts=with_texts)) is not None
    ]
    kinds = list(Kind)
    return sorted(found, key=lambda one: (kinds.index(one.kind), -one.sureness, one.uid))


def _mistake(
    label: OfferLabel, row: Row, judgement: Judgement, *, with_texts: bool
) -> Mistake | None:
    if judgement.strict is None or judgement.study is None:
        return None
    labelled = {Definition.STRICT: label.strict, Definition.STUDY: label.study}
    said = {Definition.STRICT: judgement.strict, Definition.STUDY: judgement.study}
    scores = {
        Definition.STRICT: judgement.strict_score or 0.0,
        Definition.STUDY: judgement.study_score or 0.0,
    }
    wrong = [d for d in Definition if labelled[d] is not said[d]]
    if not wrong:
        return None
    kinds = {d: _kind(labelled[d], said[d]) for d in wrong}
    kind = min(kinds.values(), key=list(Kind).index)
    title = row.title
    return Mistake(
        label.uid,
        kind,
        tuple(wrong),
        max(_sureness(labelled[d], said[d], scores[d]) for d in wrong if kinds[d] is kind),
        labelled,
        said,
        scores,
        label.themes,
        judgement.themes,
        label.sure,
        label.set,
        label.lang,
        tuple(_quote(piece, title, with_texts=with_texts) for piece in judgement.evidence),
        label.evidence,
        title if with_texts else None,
        tuple(snippets(title, row.description, judgement.evidence, label.evidence))
        if with_texts
        else (),
    )


def _kind(labelled: Status, said: Status) -> Kind:
    if said is Status.DEMAND:
        return Kind.FALSE_FLAG
    return Kind.MISSED if labelled is Status.DEMAND else Kind.LESSER


def _sureness(labelled: Status, said: Status, score: float) -> float:
    too_much = STATUS_ORDER.index(said) > STATUS_ORDER.index(labelled)
    return score if too_much else 1 - score


def _quote(piece: Evidence, title: str, *, with_texts: bool) -> Quote:
    return Quote(
        *place(piece, title),
        piece.term,
        piece.theme,
        str(piece.zone),
        piece.status,
        piece.score,
        piece.quote if with_texts else None,
    )


def snippets(
    title: str, description: str, evidence: Sequence[Evidence], marked: Sequence[Span]
) -> Iterator[Snippet]:
    """The places of an offer that were quoted or marked, with what surrounds them.

    Args:
        title: Its title.
        description: Its description.
        evidence: What the model quotes.
        marked: What the annotator marked, as offsets of labels; what lies beyond the text is cut.

    Yields:
        Places in the order of the text; those that touch are one.
    """
    text = f"{title}\n{description}"
    quoted = [(place(piece, title), piece.status) for piece in evidence]
    spans = sorted(
        (start, min(end, len(text)))
        for start, end in [*(span for span, _ in quoted), *marked]
        if start < len(text)
    )
    windows: list[Span] = []
    for start, end in spans:
        low, high = max(start - AROUND, 0), min(end + AROUND, len(text))
        if windows and low <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]))
        else:
            windows.append((low, high))
    for low, high in windows:
        edges = {low, high}
        for start, end in [*(span for span, _ in quoted), *marked]:
            edges |= {edge for edge in (start, end) if low < edge < high}
        cuts = sorted(edges)
        yield Snippet(
            tuple(
                Segment(
                    text[start:end],
                    next((status for (s, e), status in quoted if s <= start < e), None),
                    any(s <= start < e for s, e in marked),
                )
                for start, end in pairwise(cuts)
            ),
            low > 0,
            high < len(text),
        )
