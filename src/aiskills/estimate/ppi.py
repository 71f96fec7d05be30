"""Prediction-powered inference: a small labelled sample corrects what was counted on all offers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiskills.estimate.clusters import Ints
from aiskills.estimate.intervals import Floats
from aiskills.estimate.quantiles import t_quantile

#: Labelled offers that a cell needs for a correction of its own.
MIN_GOLD = 30


@dataclass(frozen=True, slots=True)
class GoldSample:
    """Labelled offers of one cell.

    Attributes:
        truth: 1.0 where the offer truly is one, else 0.0.
        flag: 1.0 where the classifier flagged it, else 0.0.
        weight: Any positive multiple of 1 / probability of having been drawn.
        stratum: Number of the stratum it was drawn from, from 0.
    """

    truth: Floats
    flag: Floats
    weight: Floats
    stratum: Ints

    @classmethod
    def equal(cls, truth: Floats, flag: Floats) -> GoldSample:
        """A sample drawn with equal probabilities."""
        return cls(truth, flag, np.ones(len(truth)), np.zeros(len(truth), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class PpiEstimate:
    """A prediction-powered share.

    Attributes:
        share: The estimate, 0 to 1.
        low: Lower end, 0 or more.
        high: Upper end, 1 or less.
        power: How far the flags were trusted: 0 not at all (the labelled sample alone), 1 fully.
        flags_variance: Part of the variance that comes from the number of offers.
        labels_variance: Part that comes from the number of labelled ones.
    """

    share: float
    low: float
    high: float
    power: float
    flags_variance: float
    labels_variance: float


def ppi(
    flagged_share: float,
    n: float,
    gold: GoldSample,
    *,
    power: float | None = None,
    cautious: bool = True,
    level: float = 0.95,
) -> PpiEstimate:
    """Estimates the true share of a cell from its flags and a labelled sample of it.

    A. N. Angelopoulos, S. Bates, C. Fannjiang, M. I. Jordan and T. Zrnic, "Prediction-powered
    inference", Science 382 (2023), 669-674; with the power tuned to the data as in Angelopoulos,
    Duchi and Zrnic, "PPI++: Efficient prediction-powered inference" (2023). Labelled offers count
    by the inverse of their probability of having been drawn, and the variance is that of a
    stratified sample, by linearisation, with Student's quantile.

    `cautious` adds to the variance one missed and one falsely flagged offer that were not seen,
    each with the mean weight of its kind. Where errors are rare a small sample shows none, and its
    variance of 0 would be believed. For equal weights it is close to D. G. Bonett and R. M. Price,
    "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data", Journal of Educational and Behavioral Statistics 37 (2012), 479-488.

    Args:
        flagged_share: Share of flagged offers among all of the cell, 0 to 1.
        n: Their number, or effective number.
        gold: Labelled offers of the cell, two or more.
        power: Trust in the flags, 0 to 1; None to tune it.
        cautious: Whether errors that were not seen are reckoned with.
        level: Confidence.

    Raises:
        ValueError: Fewer than two labelled offers.
    """
    size = len(gold.truth)
    if size < 2:
        raise ValueError(f"{size} labelled offers")
    weight = gold.weight / gold.weight.mean()
    truth_mean, flag_mean = (float((weight * v).mean()) for v in (gold.truth, gold.flag))
    flag_error = weight * (gold.flag - flag_mean)
    truth_error = weight * (gold.truth - truth_mean)
    flags_variance = flagged_share * (1 - flagged_share) / n
    if power is None:
        power = _tuned(gold, truth_error, flag_error, flagged_share, n)
    estimate = power * flagged_share + truth_mean - power * flag_mean
    labels_variance = _variance(truth_error - power * flag_error, gold.stratum)
    if cautious:
        labels_variance += _unseen(weight, gold.flag, power) / size**2
    imputed = power**2 * flags_variance
    df = max(1, size - len(np.unique(gold.stratum)))
    error = t_quantile(df, level) * float(np.sqrt(imputed + labels_variance))
    point = min(max(estimate, 0.0), 1.0)
    low, high = max(estimate - error, 0.0), min(estimate + error, 1.0)
    return PpiEstimate(point, min(low, point), max(high, point), power, imputed, labels_variance)


def _tuned(
    gold: GoldSample, truth_error: Floats, flag_error: Floats, flagged_share: float, n: float
) -> float:
    """The power that makes the variance least, within 0 and 1."""
    size = len(flag_error)
    if np.ptp(gold.weight) == 0 and not gold.stratum.any():
        # Drawn with equal probabilities, labelled and other offers vary alike: both together tell
        # by how much (as in the paper).
        mean = (flagged_share * n + float(gold.flag.sum())) / (n + size)
        own = mean * (1 - mean) * (n + size) / (n + size - 1)
        shared = float((truth_error * flag_error).mean())
        both = own * (1 + size / n)
    else:
        own = _variance(flag_error, gold.stratum)
        total = _variance(truth_error + flag_error, gold.stratum)
        shared = (total - own - _variance(truth_error, gold.stratum)) / 2
        both = own + flagged_share * (1 - flagged_share) / n
    return float(np.clip(shared / both, 0, 1)) if both > 0 else 1.0


def _variance(error: Floats, stratum: Ints) -> float:
    """Variance of the mean of weighted residuals in a stratified sample.

    A stratum with a single offer is joined with the others of its kind.
    """
    size = len(error)
    sizes = np.bincount(stratum)
    alone = sizes[stratum] < 2
    joined = np.where(alone, len(sizes), stratum)
    if alone.sum() == 1:  # even then alone: let it join the largest
        joined = np.where(alone, int(sizes.argmax()), stratum)
    _, place, counts = np.unique(joined, return_inverse=True, return_counts=True)
    means = np.bincount(place, error) / counts
    squares = np.bincount(place, (error - means[place]) ** 2)
    return float((squares * counts / np.maximum(counts - 1, 1)).sum() / size**2)


def _unseen(weight: Floats, flag: Floats, power: float) -> float:
    """Squared residuals of one missed and one falsely flagged offer."""
    kinds = [weight[flag == kind] for kind in (0.0, 1.0)]
    missed, false = (float(kind.mean()) if len(kind) else 1.0 for kind in kinds)
    return missed**2 + (power * false) ** 2
