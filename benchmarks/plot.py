"""Speed against F1 as a hand-made SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import escape

from aiskills.schema import Definition

_WIDTH, _HEIGHT = 820, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 24, 70, 56
#: Marks differ by shape as well as by colour.
_COLOURS: Final = {Definition.STRICT: "#b4472f", Definition.STUDY: "#1f5f8b"}
#: Height of a line of text, half a mark, and what lies between the middles of a mark and a name.
_LINE, _MARK, _GAP = 15, 7, 16
_CHARACTER: Final = 6.6
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}"
    ".small{font-size:12px;fill:#555}.pair{stroke:#999;stroke-dasharray:2 3}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One tool.

    Attributes:
        name: Its name.
        speed: Offers a second and core, above 0.
        f1: F1 of demand by definition, 0 to 1.
    """

    name: str
    speed: float
    f1: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Frame:
    """From figures to places: powers of ten of speed, and F1 from `bottom` to 1."""

    low: int
    high: int
    bottom: float

    def x(self, speed: float) -> float:
        share = (math.log10(speed) - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, f1: float) -> float:
        share = (f1 - self.bottom) / (1 - self.bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def svg(points: Sequence[Point], title: str) -> str:
    """The picture: speed on a logarithmic axis, F1 upwards, both definitions of a tool joined.

    Args:
        points: The tools, at least one.
        title: Its heading.
    """
    speeds = [math.log10(point.speed) for point in points]
    lowest = min(min(point.f1.values()) for point in points)
    frame = _Frame(
        math.floor(min(speeds)),
        max(math.ceil(max(speeds)), math.floor(min(speeds)) + 1),
        min(math.floor(lowest * 10) / 10, 0.9),
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-labelledby="t">',
        f'<title id="t">{escape(title)}</title><style>{_STYLE}</style>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20">{escape(title)}</text>',
        *_grid(frame),
        *_legend(),
        *(_marks(frame, point) for point in points),
        *_labels(frame, points),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _grid(frame: _Frame) -> list[str]:
    floor, right = frame.y(frame.bottom), _WIDTH - _RIGHT
    parts = []
    for power in range(frame.low, frame.high + 1):
        at = frame.x(10.0**power)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{floor:.1f}"/>'
            f'<text class="small" x="{at:.1f}" y="{floor + 18:.1f}" text-anchor="middle">'
            f"{10.0**power:,.0f}</text>"
        )
    for tenth in range(round(frame.bottom * 10), 11):
        at = frame.y(tenth / 10)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="small" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
            f"{tenth / 10:.1f}</text>"
        )
    parts.append(
        f'<text class="small" x="{right}" y="{floor + 38:.1f}" text-anchor="end">'
        "offers a second and core (logarithmic)</text>"
        f'<text class="small" x="8" y="{_TOP - 10}">F1 of demand</text>'
    )
    return parts


def _legend() -> list[str]:
    parts = []
    for place, definition in enumerate(Definition):
        at = _WIDTH - _RIGHT - 150 + 80 * place
        parts.append(
            _shape(definition, at, 36)
            + f'<text class="small" x="{at + 11}" y="40">{definition}</text>'
        )
    return parts


def _marks(frame: _Frame, point: Point) -> str:
    at = frame.x(point.speed)
    heights = {d: frame.y(point.f1[d]) for d in Definition}
    line = (
        f'<line class="pair" x1="{at:.1f}" x2="{at:.1f}" '
        f'y1="{min(heights.values()):.1f}" y2="{max(heights.values()):.1f}"/>'
    )
    return line + "".join(_shape(d, at, height) for d, height in heights.items())


def _shape(definition: Definition, x: float, y: float) -> str:
    colour = _COLOURS[definition]
    if definition is Definition.STUDY:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>'
    return f'<rect x="{x - 5.5:.1f}" y="{y - 5.5:.1f}" width="11" height="11" fill="{colour}"/>'


def _labels(frame: _Frame, points: Sequence[Point]) -> list[str]:
    """Names above or below their points, wherever no name and no mark is in the way."""
    taken = [
        _Box(frame.x(p.speed) - _MARK, frame.x(p.speed) + _MARK, frame.y(f1) - _MARK, 2 * _MARK)
        for p in points
        for f1 in p.f1.values()
    ]
    parts = []
    for point in sorted(points, key=lambda p: (-max(p.f1.values()), p.speed)):
        half = len(point.name) * _CHARACTER / 2
        x = min(max(frame.x(point.speed), _LEFT + half), _WIDTH - _RIGHT - half)
        top, bottom = (frame.y(f1) for f1 in (max(point.f1.values()), min(point.f1.values())))
        steps = (step for n in range(len(points)) for step in (top - n * _LINE, bottom + n * _LINE))
        for place, middle in enumerate(steps):
            side = 1 if place % 2 else -1
            box = _Box(x - half, x + half, middle + side * _GAP - _LINE / 2, _LINE)
            if not any(box.meets(other) for other in taken):
                break
        taken.append(box)
        parts.append(
            f'<text x="{x:.1f}" y="{box.top + _LINE - 4:.1f}" text-anchor="middle">'
            f"{escape(point.name)}</text>"
        )
    return parts


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    top: float
    height: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )
