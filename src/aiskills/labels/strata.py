"""Strata for a draw: cells of the model's answer, from its statuses, scores and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.schema import Definition, Language, Status

#: Scores nearer to the threshold than this are doubtful.
DOUBT: Final = 0.25
#: Least expected variance of a label: the model can be wrong where it is sure, too.
_LEAST_VARIANCE: Final = 0.005

_ANSWERS: Final = (
    "nothing found",
    "none, though a term was found",
    "mention",
    "demand under study only",
    "demand under both",
    "not judged",
)
_NOT_JUDGED: Final = len(_ANSWERS) - 1


@dataclass(frozen=True, slots=True)
class Answers:
    """The model's answers to some offers, an entry each.

    Attributes:
        study: Statuses under the study definition; None or empty where not judged.
        strict: The same under strict.
        scores: Calibrated probabilities of demand by definition, 0 to 1; NaN where not judged.
        languages: Language codes; None or empty where not judged.
    """

    study: NDArray[np.object_]
    strict: NDArray[np.object_]
    scores: Mapping[Definition, NDArray[np.float64]]
    languages: NDArray[np.object_]


def distances(answers: Answers, thresholds: Mapping[Definition, float]) -> NDArray[np.float64]:
    """How far each offer's score is from the threshold, under the definition where it is nearest.

    Returns:
        0 to 1 for each offer; infinite where it was not judged.
    """
    away = [np.abs(answers.scores[d] - thresholds[d]) for d in Definition]
    return np.nan_to_num(np.minimum(*away), nan=np.inf)


def strata_of(
    answers: Answers, thresholds: Mapping[Definition, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The stratum of each offer, and how much its label is expected to vary.

    Strata are the model's answer (`meaning_of`) by whether its score is near the threshold, by
    French or not. Offers in which nothing was found are one stratum for each language: they have
    no score to be doubtful about.

    Args:
        answers: The model's answers.
        thresholds: Scores from which an offer is a demand.

    Returns:
        Numbers of strata, to be read with `meaning_of`; expected variances of the label, 0 to
        0.25, the larger of the two definitions', from the calibrated score.
    """
    demand, mention = str(Status.DEMAND), str(Status.MENTION)
    score = {d: np.nan_to_num(answers.scores[d]) for d in Definition}
    highest = np.maximum(*score.values())
    kind = np.where(highest > 0, 1, 0)
    kind = np.where(answers.study == mention, 2, kind)
    kind = np.where(answers.study == demand, 3, kind)
    kind = np.where((answers.study == demand) & (answers.strict == demand), 4, kind)
    judged = np.isfinite(answers.scores[Definition.STUDY])
    kind = np.where(judged, kind, _NOT_JUDGED)
    doubtful = (distances(answers, thresholds) < DOUBT) & (kind > 0) & judged
    foreign = (answers.languages != str(Language.FR)) & judged
    variance = np.maximum(*(p * (1 - p) for p in score.values()))
    variance = np.where(judged, np.maximum(variance, _LEAST_VARIANCE), 0.25)
    return (kind * 4 + doubtful * 2 + foreign).astype(np.int64), variance


def meaning_of(stratum: int) -> str:
    """What a stratum's number stands for, in words.

    >>> meaning_of(18), meaning_of(1)
    ('demand under both, doubtful, French', 'nothing found, another language')
    """
    kind, doubtful, foreign = stratum // 4, stratum // 2 % 2, stratum % 2
    if kind == _NOT_JUDGED:
        return _ANSWERS[kind]
    sure = [] if kind == 0 else ["doubtful" if doubtful else "clear"]
    return ", ".join([_ANSWERS[kind], *sure, "another language" if foreign else "French"])
