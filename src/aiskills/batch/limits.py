"""Control limits of shares: Laney's p′ chart.

A plain p chart takes the offers of a day for independent draws. They are not (a source sends
batches, an employer repeats itself), so with hundreds of offers a day its limits are far too
narrow. D. B. Laney, "Improved control charts for attributes", Quality Engineering 14 (2002),
531-537, widens them by the variation between days that is really seen: each day's share is
standardised, z = (p - p̄) / √(p̄(1 - p̄)/n), and σ_z is the mean moving range of z over 1.128.
Limits are p̄ ± 3 σ_z √(p̄(1 - p̄)/n). σ_z below 1 counts as 1 here, since a short history may look
calmer than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Standard errors from the centre to a limit.
SIGMAS: Final = 3.0
#: A day with fewer offers says too little, and so does a run.
LEAST_OFFERS: Final = 30
#: Days of history without which no limits are drawn.
LEAST_DAYS: Final = 8
_MEAN_RANGE: Final = 1.128  # of two draws from a standard normal distribution (d2 for n = 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a share should lie.

    Attributes:
        centre: Share over the history, 0 to 1.
        low: Lower limit, 0 to 1.
        high: Upper limit, 0 to 1.
        sigma_z: How much more days differ than independent draws would; 1 or more.
        days: Days of history.
    """

    centre: float
    low: float
    high: float
    sigma_z: float
    days: int

    def holds(self, share: float) -> bool:
        """Whether a share lies within the limits."""
        return self.low <= share <= self.high


def p_prime(history: Sequence[tuple[int, int]], offers: int) -> Limits | None:
    """Limits for the share in a number of offers.

    Args:
        history: For each day, in order, offers that count and all offers.
        offers: Offers of the run that is looked at.

    Returns:
        None while the history has fewer than `LEAST_DAYS` days of `LEAST_OFFERS` offers, or the run
        has fewer offers.

    >>> limits = p_prime([(10, 100), (12, 100), (8, 100), (10, 100)] * 3, 100)
    >>> round(limits.centre, 2), round(limits.low, 2), round(limits.high, 2), limits.sigma_z
    (0.1, 0.01, 0.19, 1.0)
    """
    days = [(count, whole) for count, whole in history if whole >= LEAST_OFFERS]
    if len(days) < LEAST_DAYS or offers < LEAST_OFFERS:
        return None
    centre = sum(count for count, _ in days) / sum(whole for _, whole in days)
    spread = math.sqrt(centre * (1 - centre))
    scores = [
        (count / whole - centre) / (spread / math.sqrt(whole)) if spread else 0.0
        for count, whole in days
    ]
    ranges = [abs(b - a) for a, b in pairwise(scores)]
    sigma = max(1.0, sum(ranges) / len(ranges) / _MEAN_RANGE)
    # Where a share was always 0 or 1 there is no spread: half an offer, so that rounding is none.
    least = 0.5 / offers
    reach = max(SIGMAS * sigma * spread / math.sqrt(offers), least)
    return Limits(centre, max(0.0, centre - reach), min(1.0, centre + reach), sigma, len(days))
