"""How good the scores are as probabilities of demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.evaluation.intervals import Rate, exact

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_BINS: Final = 10
#: Fewer offers a bin than this say nothing of its share; there are fewer bins then.
_FEWEST_A_BIN: Final = 5


@dataclass(frozen=True, slots=True)
class Bin:
    """Offers of about the same score.

    Attributes:
        offers: How many.
        low: Lowest score.
        high: Highest score.
        score: Mean score.
        share: Share labelled demand, with its exact interval.
    """

    offers: int
    low: float
    high: float
    score: float
    share: Rate


@dataclass(frozen=True, slots=True)
class Probabilities:
    """How good the scores are.

    Attributes:
        average_precision: Area under the precision-recall steps; None without demand.
        brier: Mean squared difference of score and truth; None without offers.
        calibration_error: Expected calibration error over `bins`; likewise.
        bins: Offers of score 0 (no term was found: nothing was estimated) in a bin of their own,
            the others in ten bins of equal size.
    """

    average_precision: float | None
    brier: float | None
    calibration_error: float | None
    bins: tuple[Bin, ...]


def probability_figures(demand: BoolArray, score: FloatArray) -> Probabilities:
    """How good scores are.

    Args:
        demand: Which offers are labelled demand.
        score: Probability of demand, 0 to 1.
    """
    bins = tuple(
        Bin(
            len(places),
            float(score[places].min()),
            float(score[places].max()),
            float(score[places].mean()),
            exact(int(demand[places].sum()), len(places)),
        )
        for places in _equal_bins(score)
    )
    if not len(score):
        return Probabilities(None, None, None, bins)
    gaps = [b.offers * abs((b.share.value or 0.0) - b.score) for b in bins]
    return Probabilities(
        average_precision(demand, score),
        float(np.mean((score - demand) ** 2)),
        sum(gaps) / len(score),
        bins,
    )


def _equal_bins(score: FloatArray) -> list[IntArray]:
    """Places of the offers of each bin, from the lowest scores to the highest."""
    zero = np.flatnonzero(score == 0)
    rest = np.flatnonzero(score != 0)
    count = min(_BINS, max(1, len(rest) // _FEWEST_A_BIN))
    ordered = rest[np.argsort(score[rest], kind="stable")]
    return [part for part in (zero, *np.array_split(ordered, count)) if len(part)]


def average_precision(truth: BoolArray, score: FloatArray) -> float | None:
    """Sum of precision at each score times the recall gained there; None if nothing is true.

    Offers of the same score are taken together, so their order is no matter.
    """
    if not truth.any():
        return None
    order = np.argsort(-score, kind="stable")
    last_of_score = np.append(np.diff(score[order]) != 0, True)
    found = np.cumsum(truth[order])[last_of_score]
    taken = np.flatnonzero(last_of_score) + 1
    gained = np.diff(found, prepend=0)
    return float((gained * found / taken).sum() / found[-1])
