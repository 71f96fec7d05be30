"""Parts and growth freed of false flags: the classifier's error is one and the same on both sides.

Of n offers f are flagged. If t of them truly are one, n (1 - specificity) + t (sensitivity +
specificity - 1) flags are expected, hence t = (f - n (1 - specificity)) / (sensitivity +
specificity - 1): W. J. Rogan and B. Gladen (see `classification`). In the ratio of two such numbers
the divisor falls out. A part of the whole and a growth are therefore corrected by the specificity
alone, whatever the sensitivity, as long as it is the same on both sides; and that both sides share
its error is reckoned with, rather than taking each number's error for its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiskills.estimate.classification import ErrorRates
from aiskills.estimate.growth import Growth
from aiskills.estimate.intervals import Bounds, Floats, divide, ratio, wilson
from aiskills.estimate.parts import Estimate, Wholes


@dataclass(frozen=True, slots=True)
class FalseFlags:
    """Share of the offers that are none and are flagged (1 - specificity), 0 to 1.

    Attributes:
        share: As observed.
        low: Lower end of Wilson's interval.
        high: Upper end.
    """

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, rates: ErrorRates, level: float) -> FalseFlags:
        """From the counts of an audit."""
        others = rates.tn + rates.fp
        share = rates.fp / others
        ends = wilson(share, others, level)
        return cls(share, float(ends.low), float(ends.high))


def corrected_parts(wholes: Wholes, false: FalseFlags) -> Estimate:
    """The part that each cell has of the offers of its whole that truly are one.

    With F offers flagged of the N of the whole, P·F of the n of the cell, and φ the share of false
    flags: (P F - φ n) / (F - φ N), within 0 and 1. It is the cell's offers times its corrected
    share, over the same of the whole. A cell that has fewer flags than false ones are expected gets
    0, so parts may add up to a little more than 1.

    The interval joins what chance does to P (its own interval, whatever it comes from: clusters,
    weights) and what it does to φ, by variance recovery: G. Y. Zou and A. Donner, Statistics in
    Medicine 27 (2008), 1693-1702. The part rises or falls with φ without turning, so φ's own ends
    bound it.

    Args:
        wholes: Parts of the flagged offers.
        false: Share of false flags, the same in every cell.

    Returns:
        NaN where there is no part, or where all flags of the whole may be false ones already at the
        observed share of false flags.
    """
    part, offers = wholes.part, wholes.offers
    of = np.maximum(wholes.whole_of, 0)
    flagged = np.where(wholes.whole_of >= 0, wholes.flagged[of], np.nan)
    all_offers = wholes.all_offers[of]

    def at(share: Floats, rate: float) -> Floats:
        top = share * flagged - rate * offers
        bottom = flagged - rate * all_offers
        # Where all flags of the whole may be false, the little that is true tends to be where flags
        # are more frequent than elsewhere.
        here, even = share * all_offers, offers
        limit = np.where(here == even, share, np.where(here > even, 1.0, 0.0))
        found: Floats = np.where(bottom > 0, np.clip(divide(top, bottom), 0, 1), limit)
        return found

    known = (flagged - false.share * all_offers > 0) & ~np.isnan(part.share)
    point = np.where(known, at(part.share, false.share), np.nan)
    by_rate = np.stack([at(part.share, false.low), at(part.share, false.high)])
    chance = Bounds(at(part.ends.low, false.share), at(part.ends.high, false.share))
    low = point - np.hypot(point - chance.low, point - by_rate.min(axis=0))
    high = point + np.hypot(chance.high - point, by_rate.max(axis=0) - point)
    none = ~known | np.isnan(part.ends.low)
    return Estimate(
        point,
        Bounds(
            np.where(none, np.nan, np.clip(low, 0, 1)), np.where(none, np.nan, np.clip(high, 0, 1))
        ),
        part.n_effective,
    )


def corrected_share_growth(first: Estimate, last: Estimate, false: FalseFlags) -> Growth:
    """Growth of the share of offers that truly are one: (p₂ - φ) / (p₁ - φ) - 1.

    Chance in the two shares by variance recovery on the logarithm of their ratio (see
    `intervals.ratio`), joined in the same way with chance in φ, which is one in both periods.

    Args:
        first: Flagged share of the first period.
        last: Flagged share of the last.
        false: Share of false flags, the same in both.
    """
    shifted = [
        Estimate(_above(one.share, false.share), Bounds(
            _above(one.ends.low, false.share), _above(one.ends.high, false.share)
        ), one.n_effective)
        for one in (first, last)
    ]  # fmt: skip
    before, after = shifted
    chance = ratio(before.share, before.ends, after.share, after.ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        point = np.where(before.share > 0, after.share / before.share, np.nan)
    by_rate = np.stack(
        [_ratio_at(first.share, last.share, rate) for rate in (false.low, false.high)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(point)
        below = np.hypot(log - np.log(chance.low), log - np.log(by_rate.min(axis=0)))
        above = np.hypot(np.log(chance.high) - log, np.log(by_rate.max(axis=0)) - log)
        low = np.where(point > 0, point * np.exp(-below), 0.0)
        high = np.where(
            point > 0, point * np.exp(above), np.maximum(chance.high, by_rate.max(axis=0))
        )
    none = np.isnan(point) | np.isnan(chance.low)
    return Growth(
        np.where(np.isnan(point), np.nan, point - 1),
        Bounds(np.where(none, np.nan, low - 1), np.where(none, np.nan, high - 1)),
    )


def _above(share: Floats, rate: float) -> Floats:
    return np.maximum(share - rate, 0.0)


def _ratio_at(first: Floats, last: Floats, rate: float) -> Floats:
    """Ratio of the corrected shares for one share of false flags; infinite where the first is 0."""
    one, two = _above(first, rate), _above(last, rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(one > 0, two / one, np.where(last > first, np.inf, 0.0))
    return np.where(first == last, 1.0, found)
