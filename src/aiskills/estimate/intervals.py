"""Intervals of shares, of their difference and of ratios; all vectorised, shares in 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aiskills.estimate.quantiles import normal_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lower and upper ends of intervals, one an element; NaN where there is none."""

    low: Floats
    high: Floats


def divide(part: ArrayLike, whole: ArrayLike) -> Floats:
    """`part / whole`, NaN where the whole is 0."""
    top, bottom = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    result: Floats = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=result, where=bottom != 0)
    return result


def kish(weights: ArrayLike, squares: ArrayLike) -> Floats:
    """Effective number of weighted cases.

    L. Kish, Survey Sampling (1965), 11.7: (Σw)² / Σw². It takes weights to be unrelated to what is
    measured.

    Args:
        weights: Σw of each cell.
        squares: Σw² of each cell.
    """
    return divide(np.asarray(weights, dtype=np.float64) ** 2, squares)


def wilson(share: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Score interval of a share.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22 (1927), 209-212.

    Args:
        share: Observed share, 0 to 1.
        n: Number of cases, or their effective number; it need not be whole.
        level: Confidence.

    Returns:
        Its ends, 0 to 1, NaN where `n` is 0 or unknown.
    """
    p, cases = np.broadcast_arrays(
        np.asarray(share, dtype=np.float64), np.asarray(n, dtype=np.float64)
    )
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = z * np.sqrt(p * (1 - p) / cases + z**2 / (4 * cases**2))
        middle, scale = p + z**2 / (2 * cases), 1 + z**2 / cases
        low, high = (middle - spread) / scale, (middle + spread) / scale
    none = ~(cases > 0) | np.isnan(p)
    # The ends touch 0 and 1 exactly where nothing or everything was seen; rounding hides it.
    low = np.where(p == 0, 0.0, np.clip(low, 0, 1))
    high = np.where(p == 1, 1.0, np.clip(high, 0, 1))
    return Bounds(np.where(none, np.nan, low), np.where(none, np.nan, high))


def difference(first: Floats, first_ends: Bounds, second: Floats, second_ends: Bounds) -> Bounds:
    """Interval of `second - first` for two independent shares, in shares (not points).

    R. G. Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17 (1998), 873-890, method 10, with whatever intervals are given.
    """
    gap = second - first
    below = np.sqrt((second - second_ends.low) ** 2 + (first_ends.high - first) ** 2)
    above = np.sqrt((second_ends.high - second) ** 2 + (first - first_ends.low) ** 2)
    return Bounds(gap - below, gap + above)


def ratio(first: Floats, first_ends: Bounds, second: Floats, second_ends: Bounds) -> Bounds:
    """Interval of `second / first` for two independent positive quantities.

    Method of variance estimates recovery on the logarithm: G. Y. Zou and A. Donner, "Construction
    of confidence limits about effect measures", Statistics in Medicine 27 (2008), 1693-1702. With
    Wilson's ends it keeps its level where Katz's (1978) logarithmic interval fails: few cases.

    Returns:
        Its ends: 0 or more, infinite above where the first quantity may be 0, NaN where it is 0 or
        unknown.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = {
            name: np.log(value)
            for name, value in (
                ("one", first),
                ("two", second),
                ("one_low", first_ends.low),
                ("one_high", first_ends.high),
                ("two_low", second_ends.low),
                ("two_high", second_ends.high),
            )
        }
        below = np.hypot(
            np.where(second > 0, logs["two"] - logs["two_low"], 0), logs["one_high"] - logs["one"]
        )
        low = np.where(second > 0, second / first * np.exp(-below), 0.0)
        above = np.hypot(logs["two_high"] - logs["two"], logs["one"] - logs["one_low"])
        # Nothing seen in the second: the upper end comes from its own upper end alone.
        high = np.where(
            second > 0, second / first * np.exp(above), second_ends.high / first_ends.low
        )
    none = ~(first > 0) | np.isnan(second)
    return Bounds(np.where(none, np.nan, low), np.where(none, np.nan, high))


def odds(ends: Bounds) -> Bounds:
    """Ends of a share turned into ends of share / (1 - share); infinite at 1."""
    with np.errstate(divide="ignore"):
        return Bounds(ends.low / (1 - ends.low), ends.high / (1 - ends.high))
