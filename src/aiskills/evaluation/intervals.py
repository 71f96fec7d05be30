"""Intervals of figures that are ratios of sums: a bootstrap that draws whole groups of offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.model.intervals import exact_interval

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DRAWS: Final = 1000
_SEED: Final = 2024
#: Draws held in memory at a time.
_BLOCK: Final = 100
#: A figure that so few of the draws have (e.g. precision where hardly any flags) has no interval.
_FEWEST_DEFINED: Final = 0.9


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure with its 95 % interval.

    Attributes:
        value: The figure, 0 to 1; None where there is nothing to divide by.
        low: Lower end of the interval; None where there is none.
        high: Upper end, likewise.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


def exact(part: int, whole: int) -> Rate:
    """A share with its exact (Clopper-Pearson) interval; nothing of nothing."""
    return Rate(part / whole, *exact_interval(part, whole)) if whole else Rate(None)


def bootstrap(
    columns: FloatArray,
    groups: IntArray,
    figures: Callable[[FloatArray], FloatArray],
    strata: IntArray | None = None,
) -> list[Rate]:
    """Figures of sums over offers, with percentile intervals of a bootstrap over groups.

    Groups (one employer's offers, near-copies) are drawn with replacement, since offers of a group
    are right or wrong together. The same offers give the same draws every time. Where no offer is
    wrong no draw is either: then the interval is a point, and the exact one says more.

    Args:
        columns: What is summed, offers x columns.
        groups: The group of each offer.
        figures: Makes figures out of sums, rows x columns to rows x figures; NaN where undefined.
        strata: The stratum of each offer, if they were drawn by strata: groups are then drawn
            within each. None for one stratum.

    Returns:
        A rate for each figure. No interval where there are fewer than two groups, or where more
        than a tenth of the draws leave the figure undefined.
    """
    values = figures(columns.sum(axis=0, keepdims=True))[0]
    drawn = _drawn(columns, groups, strata)
    if drawn is None:
        return [Rate(_number(value)) for value in values]
    found = figures(drawn)
    return [_rate(value, found[:, at]) for at, value in enumerate(values)]


def _drawn(columns: FloatArray, groups: IntArray, strata: IntArray | None) -> FloatArray | None:
    """Sums of each draw, draws x columns; None with fewer than two groups."""
    where = np.zeros(len(groups), dtype=np.int64) if strata is None else strata
    units, owner = np.unique(np.column_stack([where, groups]), axis=0, return_inverse=True)
    if len(units) < 2:
        return None
    owner = owner.reshape(-1)
    sums = np.column_stack(
        [np.bincount(owner, weights=column, minlength=len(units)) for column in columns.T]
    )
    random = np.random.default_rng(_SEED)
    result = np.zeros((DRAWS, columns.shape[1]))
    for stratum in np.unique(where):
        inside = sums[units[:, 0] == stratum]
        size = len(inside)
        for begin in range(0, DRAWS, _BLOCK):
            times = random.multinomial(size, np.full(size, 1 / size), size=_BLOCK)
            result[begin : begin + _BLOCK] += times @ inside
    return result


def _rate(value: float, drawn: FloatArray) -> Rate:
    defined = drawn[~np.isnan(drawn)]
    if np.isnan(value) or len(defined) < _FEWEST_DEFINED * len(drawn):
        return Rate(_number(value))
    low, high = np.quantile(defined, [0.025, 0.975])
    return Rate(float(value), float(low), float(high))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Quotients, NaN where there is nothing to divide by."""
    result: FloatArray = np.full(np.shape(part), np.nan)
    return np.divide(part, whole, out=result, where=np.asarray(whole) > 0)
