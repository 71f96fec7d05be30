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
from aiskills.model.linear import FloatArray, sigmoid, status_probabilities
from aiskills.schema import STATUS_ORDER, Definition

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_THRESHOLDS: Final = np.round(np.arange(0.30, 0.71, 0.01), 2)
#: F1 within this of the best is as good: the middle of such thresholds is chosen.
_PLATEAU: Final = 0.003
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
    """Platt's scaling: a logistic regression of the truth on the log odds, hardly regularized."""
    estimator = LogisticRegression(C=100.0)
    estimator.fit(log_odds.reshape(-1, 1), demand)
    return Calibration(float(estimator.coef_[0, 0]), float(estimator.intercept_[0]))


def choose_threshold(score: FloatArray, demand: BoolArray) -> float:
    """The threshold in the middle of those whose F1 is as good as the best."""
    found = np.array([f1_of(demand, score >= threshold) for threshold in _THRESHOLDS])
    good = _THRESHOLDS[found >= found.max() - _PLATEAU]
    return float(np.round(np.median(good), 2))


def f1_of(truth: BoolArray, said: BoolArray) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is true or said."""
    total = int(truth.sum() + said.sum())
    return 2 * int((truth & said).sum()) / total if total else 0.0


def judge_out_of_fold(
    found: OutOfFold, labels: Mapping[int, OfferLabel]
) -> tuple[dict[Definition, Prediction], dict[Definition, Calibration], dict[Definition, float]]:
    """Calibrates and thresholds predictions out of fold.

    For each fold both are chosen on the other folds; what is returned for the model itself is
    chosen on all. Calibration looks at the offers drawn by stratum alone: those picked because a
    model was unsure of them would bend it. The threshold looks at all, as it turns on few offers.

    Args:
        found: Predictions out of fold.
        labels: Labels by the offers' numbers.

    Returns:
        Predictions, and calibration and threshold for the model trained on everything.
    """
    drawn = np.array([labels[n].set == "stratified" for n in found.numbers])
    asked = drawn & ~found.gated
    predictions, calibrations, thresholds = {}, {}, {}
    for definition in Definition:
        truth = classes_of(found.numbers, labels, definition) == DEMAND
        raw = found.log_odds[definition]
        score, status = np.zeros(len(truth)), np.zeros(len(truth), dtype=np.int64)
        for fold in np.unique(found.folds):
            test = found.folds == fold
            calibration, threshold = _choose(raw, truth, asked & ~test, ~test)
            odds = _calibrated(raw[test], calibration)
            chances = status_probabilities(odds)
            score[test] = chances[:, DEMAND]
            status[test] = np.where(
                score[test] >= threshold, DEMAND, np.argmax(chances[:, :DEMAND], axis=1)
            )
        predictions[definition] = Prediction(score, status)
        every = np.ones(len(truth), dtype=bool)
        calibrations[definition], thresholds[definition] = _choose(raw, truth, asked, every)
    strict, study = predictions[Definition.STRICT], predictions[Definition.STUDY]
    predictions[Definition.STUDY] = Prediction(
        np.maximum(strict.score, study.score), np.maximum(strict.status, study.status)
    )
    return predictions, calibrations, thresholds


def _choose(
    raw: FloatArray, truth: BoolArray, calibrate_on: BoolArray, choose_on: BoolArray
) -> tuple[Calibration, float]:
    calibration = fit_calibration(raw[calibrate_on, 0], truth[calibrate_on])
    score = sigmoid(_calibrated(raw[choose_on], calibration)[:, 0])
    return calibration, choose_threshold(score, truth[choose_on])


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
