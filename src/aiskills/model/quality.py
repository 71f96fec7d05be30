"""How well predictions agree with labels: counts first, then the figures made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from aiskills.labels import OfferLabel
from aiskills.model.crossval import OutOfFold
from aiskills.model.features import DEMAND
from aiskills.model.folder import Calibration
from aiskills.model.linear import FloatArray, status_probabilities
from aiskills.schema import STATUS_ORDER, Definition

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Sets of labels whose offers were picked for a model's doubt: samples of nothing.
PICKED: Final = frozenset({"hard", "uncertain"})
#: Calibration is left alone below so many offers of either kind.
_FEWEST: Final = 5
_THRESHOLDS: Final = np.round(np.arange(0.30, 0.71, 0.01), 2)
#: F1 within this of the best is as good: the middle of such thresholds is chosen.
_PLATEAU: Final = 0.005
_DRAWS: Final = 1000
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Prediction:
    """Calibrated predictions of one definition, each by choices made without the offer's fold.

    Attributes:
        score: Probability of demand, 0 to 1.
        status: Places in `STATUS_ORDER`.
    """

    score: FloatArray
    status: IntArray


def fit_calibration(log_odds: FloatArray, demand: BoolArray) -> Calibration:
    """Platt's scaling: a logistic regression of the truth on the log odds, hardly regularized.

    Returns:
        The calibration; the one that changes nothing where there are too few offers to fit one.
    """
    if min(int(demand.sum()), int((~demand).sum())) < _FEWEST:
        return Calibration()
    estimator = LogisticRegression(C=100.0)
    estimator.fit(log_odds.reshape(-1, 1), demand)
    return Calibration(float(estimator.coef_[0, 0]), float(estimator.intercept_[0]))


def choose_threshold(cases: Sequence[tuple[FloatArray, BoolArray]]) -> float:
    """The middle of the thresholds whose F1 is as good as the best.

    Args:
        cases: Pairs of scores and truth; their F1 are averaged.
    """
    found = np.array(
        [
            np.mean([f1_of(demand, score >= threshold) for score, demand in cases])
            for threshold in _THRESHOLDS
        ]
    )
    good = _THRESHOLDS[found >= found.max() - _PLATEAU]
    return float(np.round(np.median(good), 2))


def f1_of(truth: BoolArray, said: BoolArray) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is true or said."""
    total = int(truth.sum() + said.sum())
    return 2 * int((truth & said).sum()) / total if total else 0.0


def judge_out_of_fold(
    found: OutOfFold, labels: Mapping[int, OfferLabel]
) -> tuple[dict[Definition, Prediction], dict[Definition, Calibration], float]:
    """Calibrates and thresholds predictions out of fold.

    For each fold both are chosen on the other folds; what is returned for the model itself is
    chosen on all. Both look at the offers drawn by stratum alone, since those picked because a
    model was unsure of them are no sample of anything. The threshold is one for both definitions,
    so that the two never contradict each other.

    Args:
        found: Predictions out of fold.
        labels: Labels by the offers' numbers.

    Returns:
        Predictions, and calibration and threshold for the model trained on everything.
    """
    drawn = np.array([labels[n].set not in PICKED for n in found.numbers])
    truth = {d: classes_of(found.numbers, labels, d) == DEMAND for d in Definition}
    size = len(found.numbers)
    score = {d: np.zeros(size) for d in Definition}
    status = {d: np.zeros(size, dtype=np.int64) for d in Definition}
    for fold in np.unique(found.folds):
        test = found.folds == fold
        calibration, threshold = _choose(found, truth, drawn, ~test)
        chances = _chances(found, calibration)
        statuses = consistent_statuses(found, calibration, threshold)
        for d in Definition:
            score[d][test] = chances[d][test, DEMAND]
            status[d][test] = statuses[d][test]
    calibration, threshold = _choose(found, truth, drawn, np.ones(size, dtype=bool))
    return {d: Prediction(score[d], status[d]) for d in Definition}, calibration, threshold


def consistent_statuses(
    found: OutOfFold, calibration: Mapping[Definition, Calibration], threshold: float
) -> dict[Definition, IntArray]:
    """Statuses by definition, places in `STATUS_ORDER`, as `aiskills.model.judge` sets them."""
    chances = _chances(found, calibration)
    strict, study = (_statuses(chances[d], threshold) for d in Definition)
    strict[~found.kinds[Definition.STRICT]] = 0
    study = np.where(found.kinds[Definition.STUDY], np.maximum(study, strict), strict)
    return {Definition.STRICT: strict, Definition.STUDY: study}


def _choose(
    found: OutOfFold,
    truth: Mapping[Definition, BoolArray],
    drawn: BoolArray,
    usable: BoolArray,
) -> tuple[dict[Definition, Calibration], float]:
    calibration = {}
    for d in Definition:
        fit_on = drawn & usable & ~found.gated
        calibration[d] = fit_calibration(found.log_odds[d][fit_on, 0], truth[d][fit_on])
    chances = _chances(found, calibration)
    return calibration, choose_threshold(
        [(chances[d][usable & drawn, DEMAND], truth[d][usable & drawn]) for d in Definition]
    )


def _chances(
    found: OutOfFold, calibration: Mapping[Definition, Calibration]
) -> dict[Definition, FloatArray]:
    """Calibrated probabilities, made consistent as `aiskills.model.judge` makes them."""
    chances = {
        d: status_probabilities(_calibrated(found.log_odds[d], calibration[d])) for d in Definition
    }
    strict, study = chances[Definition.STRICT], chances[Definition.STUDY]
    has_strict, has_study = (found.kinds[d] for d in Definition)
    strict[~has_strict, DEMAND] = 0.0
    study[:, DEMAND] = np.where(
        has_study, np.maximum(study[:, DEMAND], strict[:, DEMAND]), strict[:, DEMAND]
    )
    return chances


def _statuses(chances: FloatArray, threshold: float) -> IntArray:
    result: IntArray = np.where(
        chances[:, DEMAND] >= threshold, DEMAND, np.argmax(chances[:, :DEMAND], axis=1)
    )
    return result


def _calibrated(raw: FloatArray, calibration: Calibration) -> FloatArray:
    odds = raw.copy()
    odds[:, 0] = calibration.slope * odds[:, 0] + calibration.shift
    return odds


def classes_of(
    numbers: IntArray, labels: Mapping[int, OfferLabel], definition: Definition
) -> IntArray:
    """True classes of some offers under one definition, places in `STATUS_ORDER`."""
    return np.array(
        [STATUS_ORDER.index(getattr(labels[n], definition.value)) for n in numbers.tolist()]
    )


def quality(
    truth: IntArray, prediction: Prediction, groups: IntArray, chosen: BoolArray
) -> dict[str, Any]:
    """Figures for some offers under one definition.

    Args:
        truth: True classes.
        prediction: What was said.
        groups: Groups of offers, drawn together by the bootstrap.
        chosen: Which offers count.

    Returns:
        Counts (offers, demand, tp, fp, fn), precision, recall, F1 with its 95 % bootstrap interval
        by group, macro F1 of the three statuses, expected calibration error, and the confusion
        matrix (rows true, columns said, in the order none, mention, demand).
    """
    true, said = truth[chosen], prediction.status[chosen]
    demand, flagged = true == DEMAND, said == DEMAND
    tp, fp, fn = (
        int((demand & flagged).sum()),
        int((~demand & flagged).sum()),
        int((demand & ~flagged).sum()),
    )
    low, high = _bootstrap(demand, flagged, groups[chosen])
    classes = range(len(STATUS_ORDER))
    return {
        "offers": int(chosen.sum()),
        "demand": int(demand.sum()),
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "f1": round(f1_of(demand, flagged), 4),
        "f1_low": low,
        "f1_high": high,
        "macro_f1": round(float(np.mean([f1_of(true == c, said == c) for c in classes])), 4),
        "calibration_error": calibration_error(demand, prediction.score[chosen]),
        "confusion": [[int(((true == t) & (said == s)).sum()) for s in classes] for t in classes],
    }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _bootstrap(truth: BoolArray, said: BoolArray, groups: IntArray) -> tuple[float, float]:
    """95 % percentile interval of F1, groups drawn with replacement, the same draws every time."""
    random = np.random.default_rng(2024)
    _, owner = np.unique(groups, return_inverse=True)
    size = int(owner.max()) + 1 if len(owner) else 0
    if not size:
        return 0.0, 0.0
    parts = [
        np.bincount(owner, weights=what, minlength=size) for what in (truth & said, truth, said)
    ]
    drawn = random.multinomial(size, np.full(size, 1 / size), size=_DRAWS)
    both, true, flagged = (drawn @ part for part in parts)
    total = true + flagged
    found = np.divide(2 * both, total, out=np.zeros_like(both), where=total > 0)
    low, high = np.quantile(found, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def calibration_error(truth: BoolArray, score: FloatArray) -> float:
    """Expected calibration error over ten bins of equal width: mean |share - score|, by size."""
    if not len(score):
        return 0.0
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    error = sum(
        abs(float(truth[bins == b].mean()) - float(score[bins == b].mean())) * (bins == b).sum()
        for b in np.unique(bins)
    )
    return round(float(error) / len(score), 4)


def slices(labels: Sequence[OfferLabel]) -> dict[str, BoolArray]:
    """The subsets of labelled offers for which figures are given, by name."""
    sets = np.array([label.set for label in labels])
    sure = np.array([label.sure for label in labels])
    lang = np.array([label.lang for label in labels])
    return {
        "stratified": sets == "stratified",
        "stratified, sure": (sets == "stratified") & sure,
        "hard": sets == "hard",
        "uncertain": sets == "uncertain",
        "English": lang == "en",
        "all": np.ones(len(labels), dtype=bool),
    }
