"""The calibration plot, as coordinates of an SVG that the page draws by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiskills.evaluation.scores import Bin

#: Side of the plot's square in the units of its view box, and the room left of and below it.
SIDE: Final = 240.0
LEFT: Final = 44.0
TOP: Final = 12.0
_SMALLEST: Final = 3.0
_LARGEST: Final = 9.0


@dataclass(frozen=True, slots=True)
class Point:
    """One bin: its centre, radius (its area grows with the offers) and the interval's ends."""

    x: float
    y: float
    radius: float
    low: float
    high: float
    told: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on both axes: its text, and where it stands on each."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Plot:
    """A calibration plot; mean score to the right, share of demand upwards."""

    points: tuple[Point, ...]
    ticks: tuple[Tick, ...]
    told: str


def calibration_plot(bins: Sequence[Bin]) -> Plot:
    """Coordinates of the bins, and all of it in words for those who do not see it."""
    most = max((b.offers for b in bins), default=1)
    points = []
    for b in bins:
        share = b.share.value or 0.0
        low = b.share.low if b.share.low is not None else share
        high = b.share.high if b.share.high is not None else share
        radius = max(_SMALLEST, _LARGEST * (b.offers / most) ** 0.5)
        told = f"{b.offers} offers with a mean score of {b.score:.2f}: {share:.2f} are demand"
        points.append(Point(_x(b.score), _y(share), round(radius, 1), _y(low), _y(high), told))
    told = "; ".join(point.told for point in points) or "no offers"
    ticks = tuple(Tick(f"{n / 5:.1f}", _x(n / 5), _y(n / 5)) for n in range(6))
    return Plot(tuple(points), ticks, told)


def _x(value: float) -> float:
    return round(LEFT + SIDE * value, 1)


def _y(value: float) -> float:
    return round(TOP + SIDE * (1 - value), 1)
