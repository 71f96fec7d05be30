"""Growth of counts and of shares between two periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiskills.estimate.intervals import Bounds, Floats, difference, odds, ratio
from aiskills.estimate.parts import Estimate


@dataclass(frozen=True, slots=True)
class Growth:
    """Change from a first period to a last.

    Attributes:
        change: `last / first - 1` for growth (0.56 is +56 %), `last - first` for a difference; NaN
            where the first is 0.
        ends: Its interval; infinite above where the first may be 0.
    """

    change: Floats
    ends: Bounds


def count_growth(first: Floats, last: Floats, part_in_last: Estimate) -> Growth:
    """Growth of a number of offers.

    Given their sum, of two Poisson counts the second is binomial: the interval is that of the part
    that lies in the last period, turned into a ratio (J. Przyborowski and H. Wilenski, Biometrika
    31 (1940), 313-323, with Wilson's interval for the exact one). A cluster-robust part makes it an
    overdispersed ("quasi-Poisson") one: employers, not offers, are then what comes by chance.

    Args:
        first: Σw of the offers of the first period.
        last: Σw of the offers of the last.
        part_in_last: Of both together, the share that lies in the last (see `part_of_whole`).
    """
    ends = odds(part_in_last.ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(first > 0, last / first - 1, np.nan)
    return Growth(change, Bounds(ends.low - 1, ends.high - 1))


def part_growth(part_in_last: Estimate) -> Growth:
    """Growth of a number of which, of both periods together, a given part lies in the last."""
    ends = odds(part_in_last.ends)
    share = part_in_last.share
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(share < 1, share / (1 - share) - 1, np.nan)
    return Growth(change, Bounds(ends.low - 1, ends.high - 1))


def share_growth(first: Estimate, last: Estimate) -> Growth:
    """Growth of a share, by variance recovery on its logarithm (see `intervals.ratio`).

    The two periods are taken to be independent. Employers that hire in both make the true interval
    narrower, not wider.
    """
    ends = ratio(first.share, first.ends, last.share, last.ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(first.share > 0, last.share / first.share - 1, np.nan)
    return Growth(change, Bounds(ends.low - 1, ends.high - 1))


def product(one: Growth, two: Growth) -> Growth:
    """Growth of a product: (1 + one) (1 + two) - 1.

    Variance recovery on the logarithm, both taken to be independent (Zou and Donner; see
    `intervals.ratio`).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (1 + one.change) * (1 + two.change)
        logs = [
            [np.log1p(value) for value in (each.ends.low, each.change, each.ends.high)]
            for each in (one, two)
        ]
        below = np.hypot(*(point - low for low, point, _ in logs))
        above = np.hypot(*(high - point for _, point, high in logs))
        low = np.where(change > 0, change * np.exp(-below), 0.0)
        high = np.where(
            change > 0, change * np.exp(above), (1 + one.ends.high) * (1 + two.ends.high)
        )
    none = np.isnan(change)
    return Growth(
        change - 1, Bounds(np.where(none, np.nan, low - 1), np.where(none, np.nan, high - 1))
    )


def share_change(first: Estimate, last: Estimate) -> Growth:
    """Difference of two shares, in shares: 0.01 is one percentage point (Newcombe)."""
    return Growth(
        last.share - first.share, difference(first.share, first.ends, last.share, last.ends)
    )
