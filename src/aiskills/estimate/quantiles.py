"""Quantiles of the normal and of Student's distribution, without scipy at run time."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

#: From so many degrees of freedom on, the expansion below is right to nine digits.
_MANY = 1000


def normal_quantile(level: float = 0.95) -> float:
    """The two-sided normal quantile: 1.96 for a level of 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


@lru_cache(maxsize=4096)
def t_quantile(df: int, level: float = 0.95) -> float:
    """The two-sided quantile of Student's distribution.

    M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (finite sums
    for whole degrees of freedom), 26.7.5 above a thousand of them.

    Args:
        df: Degrees of freedom, 1 or more.
        level: Probability between -t and t, above 0 and below 1.

    Raises:
        ValueError: `df` is below 1.
    """
    if df < 1:
        raise ValueError(f"{df} degrees of freedom")
    z = normal_quantile(level)
    if df > _MANY:
        return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / sqrt(df)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _between(middle, df) < level else (low, middle)
    return math.sqrt(df) * math.tan((low + high) / 2)


def _between(angle: float, df: int) -> float:
    """Probability between -t and t, for t = sqrt(df) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    term = cosine if odd else 1.0
    total = term if df > 1 else 0.0
    for k in range(2 + odd, df - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
