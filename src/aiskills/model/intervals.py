"""The exact interval of a share; numpy alone, so that measuring needs nothing of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

#: Halvings of the interval searched: 2**-50 is below what a float of that size resolves.
_HALVINGS = 50


def exact_interval(part: int, whole: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of the share `part` / `whole`.

    C. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
    of the binomial", Biometrika 26 (1934), 404-413. It holds at least `level` if cases are
    independent of each other.

    Args:
        part: Cases that have it, 0 to `whole`.
        whole: All cases; above 0.
        level: Probability that the interval holds the true share.

    Returns:
        Its ends, 0 to 1.

    Raises:
        ValueError: The counts make no share.
    """
    if not 0 <= part <= whole or not whole:
        raise ValueError(f"{part} of {whole}")
    tail = (1 - level) / 2
    numbers = np.arange(whole + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, whole + 1)))])
    ways = logs[whole] - logs - logs[::-1]

    def chance(p: float, counted: NDArray[np.bool_]) -> float:
        """Probability of drawing one of the counts."""
        odds = ways[counted] + numbers[counted] * np.log(p)
        return float(np.exp(odds + (whole - numbers[counted]) * np.log1p(-p)).sum())

    low = _root(lambda p: chance(p, numbers >= part) < tail) if part else 0.0
    high = _root(lambda p: chance(p, numbers <= part) > tail) if part < whole else 1.0
    return low, high


def _root(still_below: Callable[[float], bool]) -> float:
    """Where `still_below` turns from true to false between 0 and 1."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if still_below(middle) else (low, middle)
    return (low + high) / 2
