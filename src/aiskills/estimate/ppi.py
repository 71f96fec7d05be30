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


@dataclass(frozen=True, slots=True)
class FlaggedParts:
    """Flagged offers of a whole and of its parts.

    Attributes:
        share: Share of flagged offers among all of the whole, 0 to 1.
        part: By part, the share of these that it has.
        n: By part, the number of independent flagged offers of the whole that would tell as much.
    """

    share: float
    part: Floats
    n: Floats


@dataclass(frozen=True, slots=True)
class LabelledParts:
    """Labelled offers of a whole, as far as they belong to a part.

    Attributes:
        part: Number of the part, from 0, -1 for none.
        truth: 1.0 where the offer truly counts for its part, else 0.0.
        flag: 1.0 where it is flagged as counting for it, else 0.0.
    """

    part: Ints
    truth: Floats
    flag: Floats


def ppi_parts(
    flagged: FlaggedParts,
    gold: GoldSample,
    labelled: LabelledParts,
    *,
    cautious: bool = True,
    level: float = 0.95,
) -> tuple[Floats, Floats, Floats]:
    """Estimates which part of the true offers of a whole each of its parts has.

    The part θ is where the mean of y (1 inside the part, else 0; less θ) is 0, y being the truth:
    prediction-powered inference for an estimating equation (see `ppi`), flags fully trusted (power
    1), so that a part without labelled offers keeps its flags. The interval is all θ at which that
    mean differs from 0 by no more than its error allows (E. C. Fieller, "Some problems in interval
    estimation", Journal of the Royal Statistical Society B 16 (1954), 175-185), within 0 and 1. All
    labelled offers of the whole tell of the classifier's errors, not those of the part alone. One
    missed and one falsely flagged offer that were not seen are reckoned with, spread over the parts
    as flagged ones are.

    Args:
        flagged: What the flags say.
        gold: Labelled offers of the whole, two or more.
        labelled: The same offers, by part.
        cautious: Whether errors that were not seen are reckoned with.
        level: Confidence.

    Returns:
        By part, the estimate and its ends, 0 to 1; the estimates NaN and the ends 0 and 1 where the
        labels leave nothing of the flags.
    """
    size, parts = len(gold.truth), len(flagged.part)
    weight = gold.weight / gold.weight.mean()
    error = weight * (gold.truth - gold.flag)
    whole = flagged.share + float(error.mean())
    own = weight * (labelled.truth - labelled.flag)
    number = labelled.part
    inside = number >= 0
    shift = np.bincount(number[inside], own[inside], minlength=parts) / size
    top = flagged.part * flagged.share + shift
    # Residuals of both means, by linearisation of their weights; their products are needed too.
    beta = error - weight * error.mean()
    v_bb = _variance(beta, gold.stratum)
    v_aa, v_ab = np.zeros(parts), np.zeros(parts)
    for part in np.unique(number[inside & (own != 0)]).tolist():
        alpha = np.where(number == part, own, 0.0) - weight * shift[part]
        v_aa[part] = _variance(alpha, gold.stratum)
        v_ab[part] = (_variance(alpha + beta, gold.stratum) - v_aa[part] - v_bb) / 2
    missed, false = (cautious * one / size**2 for one in _unseen_kinds(weight, gold.flag))
    # Variance of top - θ whole, in powers of θ: labels, flags, errors that were not seen.
    squared = flagged.share**2 / flagged.n
    p = flagged.part
    c0 = v_aa + squared * p + false * p
    c1 = -2 * v_ab - 2 * squared * p - 2 * false * p + missed
    c2 = v_bb + squared + false - missed
    t2 = t_quantile(max(1, size - len(np.unique(gold.stratum))), level) ** 2
    return _fieller(top, whole, (c0, c1, c2), t2)


def _fieller(
    top: Floats, bottom: float, variance: tuple[Floats, Floats, Floats], t2: float
) -> tuple[Floats, Floats, Floats]:
    """`top / bottom` within 0 and 1, and all θ with (top - θ bottom)² <= t² variance(θ)."""
    c0, c1, c2 = variance
    a, b, c = bottom**2 - t2 * c2, -2 * top * bottom - t2 * c1, top**2 - t2 * c0
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0))
    bounded = (a > 0) & (bottom > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        point = np.clip(top / bottom, 0, 1) if bottom > 0 else np.full(len(top), np.nan)
        low = np.where(bounded, (-b - root) / (2 * a), 0.0)
        high = np.where(bounded, (-b + root) / (2 * a), 1.0)
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    return point, np.fmin(low, point), np.fmax(high, point)


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
    missed, false = _unseen_kinds(weight, flag)
    return missed + power**2 * false


def _unseen_kinds(weight: Floats, flag: Floats) -> tuple[float, float]:
    """Squared mean weight of the offers without and with a flag; 1 where there is none."""
    kinds = [weight[flag == kind] for kind in (0.0, 1.0)]
    missed, false = (float(kind.mean()) if len(kind) else 1.0 for kind in kinds)
    return missed**2, false**2
