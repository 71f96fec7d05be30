"""A judgement taken apart: what made each score, in parts that sum to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aiskills.model.judge import Judge, Judgement
from aiskills.model.linear import FloatArray, sigmoid
from aiskills.schema import Definition


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score.

    Attributes:
        name: What it is, in words.
        log_odds: What it adds; the parts of a score sum to its log odds.
    """

    name: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A judgement taken apart.

    Attributes:
        title: The title as given.
        description: The description as given.
        judgement: What is explained.
        parts: By definition, what made the offer's score, the weightiest first; they sum to the
            log odds of the score. Empty where no term was found.
        matches: For each piece of evidence, what made its score, likewise.
        thresholds: Score from which an offer is a demand, by definition.
    """

    title: str
    description: str
    judgement: Judgement
    parts: Mapping[Definition, tuple[Part, ...]]
    matches: tuple[tuple[Part, ...], ...]
    thresholds: Mapping[Definition, float]


def explain(judge: Judge, title: str, description: str) -> Explanation:
    """Judges one offer and takes the scores apart.

    Args:
        judge: The judge.
        title: Title, or an empty string.
        description: Description, or an empty string.

    Returns:
        The judgement with the parts of every score. Where the study score was raised to the strict
        one, its parts are the strict ones.
    """
    (judgement,) = judge.judge([title], [description])
    if judgement.error:
        return Explanation(title, description, judgement, {}, (), judge.thresholds)
    reading = judge.read(title, description)
    if not reading.matches:
        return Explanation(title, description, judgement, {}, (), judge.thresholds)
    model = judge.model
    rows = model.mention_features.rows([reading])
    said = model.mention.probabilities(rows)
    mention_parts = {}
    for place, match in enumerate(reading.matches):
        columns, values = rows.row(place)
        mention_parts[reading.field_span(match)] = _parts(
            [model.mention_features.column_name(int(c)) for c in columns],
            model.mention.sparse[columns, 0] * values,
            model.mention_features.DENSE,
            rows.dense[place] * model.mention.dense[:, 0],
            float(model.mention.bias[0]),
        )
    offer_rows = model.offer_features.rows([reading], said)
    columns, values = offer_rows.row(0)
    by_definition = {}
    for definition in Definition:
        scorer, calibration = model.offers[definition], model.calibration[definition]
        by_definition[definition] = _parts(
            [model.offer_features.column_name(int(c)) for c in columns],
            scorer.sparse[columns, 0] * values * calibration.slope,
            model.offer_features.DENSE,
            offer_rows.dense[0] * scorer.dense[:, 0] * calibration.slope,
            float(scorer.bias[0]) * calibration.slope + calibration.shift,
        )
    terms = [match.term for match in reading.matches]
    if not any(term.definition is Definition.STRICT for term in terms):
        by_definition[Definition.STRICT] = ()
    elif not any(term.can_differ for term in terms) or _sum(by_definition[Definition.STUDY]) < _sum(
        by_definition[Definition.STRICT]
    ):
        by_definition[Definition.STUDY] = by_definition[Definition.STRICT]
    return Explanation(
        title,
        description,
        judgement,
        by_definition,
        tuple(mention_parts[piece.field, piece.start, piece.end] for piece in judgement.evidence),
        judge.thresholds,
    )


def score_of(parts: Sequence[Part]) -> float:
    """The score that parts sum to, 0 to 1; 0 without parts."""
    return float(sigmoid(np.array([_sum(parts)]))[0]) if parts else 0.0


def _sum(parts: Sequence[Part]) -> float:
    return sum(part.log_odds for part in parts)


def _parts(
    names: Sequence[str],
    weights: FloatArray,
    dense_names: Sequence[str],
    dense: FloatArray,
    bias: float,
) -> tuple[Part, ...]:
    parts = [Part("start (before anything is known)", bias)]
    parts += [Part(name, float(w)) for name, w in zip(names, weights, strict=True) if w]
    parts += [Part(name, float(w)) for name, w in zip(dense_names, dense, strict=True) if w]
    return tuple(sorted(parts, key=lambda part: -abs(part.log_odds)))
