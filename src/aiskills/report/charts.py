"""Charts as hand-made SVG: a few hundred bytes a mark, readable by screen readers, no script.

Every chart comes in two widths, since text in an SVG shrinks with it: one for screens and paper,
one for phones; the style sheet shows one of them. Colours are classes of the style sheet and so
follow its dark mode; definitions differ by shape as well as by colour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from aiskills.report.numbers import NOTHING, Numbers

_VIEW: Final = re.compile(r'viewBox="0 0 \S+ ([0-9.]+)"')
#: Widths in pixels: screen and paper, phone.
WIDE, NARROW = 720, 358
#: Height of a character and its usual width, at the size of the style sheet (13 px).
_LINE, _EM = 17, 6.9
#: Growth beyond this is drawn at the edge of its chart.
CLIP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a chart of intervals.

    Attributes:
        label: What it is.
        value: The figure; None for none.
        low: Lower end of its interval; None for none.
        high: Upper end.
        text: The figure in words, at the right.
        kind: Style: `study`, `strict`, `other`, `mark` (published).
        weak: Whether it rests on few offers (drawn hollow).
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    kind: str = "study"
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one definition over the periods of a trend; None where there is nothing."""

    name: str
    kind: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    texts: tuple[str, ...] = ()


def both(draw: object, *args: object, **more: object) -> Markup:
    """A chart in both widths."""
    assert callable(draw)  # noqa: S101 (given by this package)
    wide, narrow = draw(*args, width=WIDE, **more), draw(*args, width=NARROW, **more)
    return Markup('<div class="wide-only">{}</div><div class="narrow-only">{}</div>').format(
        wide, narrow
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers that cover a range, at most `most` + 1 of them.

    >>> ticks(0, 0.031)
    [0.0, 0.01, 0.02, 0.03, 0.04]
    """
    span = max(high - low, 1e-9)
    step = 10 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 2.5, 5, 10):
        first, last = math.floor(low / (step * factor)), math.ceil(high / (step * factor) - 1e-9)
        if last - first <= most:
            return [round(n * step * factor, 12) for n in range(first, last + 1)]
    raise AssertionError(f"no ticks from {low} to {high}")


def svg(parts: Sequence[str], width: float, height: float, name: str) -> Markup:
    """A picture with its name, for those who do not see it."""
    return Markup(
        '<svg viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" '
        'aria-label="{name}">'
        "{body}</svg>"
    ).format(w=width, h=height, name=name, body=Markup("".join(parts)))  # noqa: S704


def height_of(picture: Markup) -> int:
    """Height of the first drawing in a picture, in pixels."""
    found = _VIEW.search(picture)
    assert found is not None  # noqa: S101 (drawn by this package)
    return math.ceil(float(found[1]))


def text(x: float, y: float, content: object, *, anchor: str = "start", style: str = "") -> str:
    """A line of text, escaped."""
    kind = f' class="{style}"' if style else ""
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{end}{kind}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def marker(x: float, y: float, kind: str, *, weak: bool = False) -> str:
    """The mark of a figure: a disc, for `strict` a square, for `mark` a diamond."""
    style = f"m {kind}" + (" weak" if weak else "")
    if kind == "strict":
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" class="{style}"/>'
    if kind == "mark":
        return f'<path d="M{x:.1f} {y - 6.5:.1f}l6 6.5-6 6.5-6-6.5z" class="{style}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="{style}"/>'


def intervals(
    rows: Sequence[Row],
    name: str,
    numbers: Numbers,
    *,
    width: int = WIDE,
    reference: float | None = None,
    ends: tuple[float, float] | None = None,
    signed: bool = False,
) -> Markup:
    """Figures with their intervals, a row each.

    Args:
        rows: What is drawn, from top to bottom.
        name: What it shows, for those who do not see it.
        numbers: How numbers are written.
        width: `WIDE` or `NARROW`; on the narrow one the label stands above its mark.
        reference: Where a vertical line stands (the share of all).
        ends: Ends of the axis; found from the rows if None. Values beyond are drawn at its edge.
        signed: Whether values are changes (+56 %), not shares.
    """
    narrow = width < WIDE
    right = 92 if narrow else 168
    left = 9.0 if narrow else min(285.0, 14 + _EM * max((len(r.label) for r in rows), default=0))
    marks = ticks(*(ends or _ends(rows, reference)), 3 if narrow else 5)
    plot = width - left - right - 8
    places = list(_places(rows, left, narrow=narrow))
    bottom = places[-1][2] + (_LINE if not narrow else 12) if places else _LINE

    def x(value: float) -> float:
        share = (value - marks[0]) / (marks[-1] - marks[0])
        return left + plot * min(1.0, max(0.0, share))

    parts = []
    for value in marks:
        zero = " zero" if signed and value == 0 else ""
        parts.append(line(x(value), 6, x(value), bottom, f"grid{zero}"))
        label = numbers.signed(value) if signed else numbers.percent(value, _digits(marks))
        anchor = "start" if narrow and value == marks[0] else "middle"
        parts.append(text(x(value), bottom + _LINE, label, anchor=anchor, style="tick"))
    if reference is not None:
        parts.append(line(x(reference), 6, x(reference), bottom, "reference"))
    for row, labels, y in places:
        for number, label in enumerate(labels):
            step = (number - (len(labels) - 1) / 2) * (_LINE - 2)
            up = -_LINE + 1 if narrow else 4.5 + step
            parts.append(text(left - 10 if not narrow else 4, y + up, label,
                              anchor="start" if narrow else "end"))  # fmt: skip
        if row.value is not None:
            if row.low is not None and row.high is not None:
                parts.append(line(x(row.low), y, x(row.high), y, f"whisker {row.kind}"))
            parts.append(marker(x(row.value), y, row.kind, weak=row.weak))
            if row.value > marks[-1]:
                parts.append(
                    f'<path d="M{left + plot + 7:.1f} {y - 5:.1f}l7 5-7 5z" class="m other"/>'
                )
        parts.append(text(width - 2, y + 4.5, row.text, anchor="end", style="value"))
    return svg(parts, width, bottom + _LINE + 8, name)


def _ends(rows: Sequence[Row], reference: float | None) -> tuple[float, float]:
    """Ends of the axis. Few wide intervals must not press all others together: they are cut."""
    values = [row.value for row in rows if row.value is not None]
    values += [reference] if reference is not None else []
    highs = [row.high for row in rows if row.high is not None and not row.weak]
    top = max([*values, *highs], default=0.0)
    return min([0.0, *values]), top or 0.01


def _digits(marks: Sequence[float]) -> int:
    """Decimals that tell the marks of an axis of shares apart."""
    step = 100 * (marks[1] - marks[0])
    return 0 if step >= 1 and step == round(step) else 1 if step >= 0.1 else 2


def _places(
    rows: Sequence[Row], left: float, *, narrow: bool
) -> Iterator[tuple[Row, list[str], float]]:
    """Rows with their labels in lines and the height at which they stand."""
    room = int((NARROW - 8 if narrow else left - 12) / _EM)
    y = 4.0
    for row in rows:
        labels = [_cut(row.label, room)] if narrow else _wrap(row.label, room)
        height = 40.0 if narrow else 27.0 if len(labels) == 1 else 38.0
        yield row, labels, y + (30 if narrow else height / 2)
        y += height


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: room - 1].rstrip() + "…"


def _wrap(label: str, room: int) -> list[str]:
    """A label in at most two lines."""
    if len(label) <= room:
        return [label]
    blank = label.rfind(" ", 0, room + 1)
    blank = blank if blank > 0 else room
    return [label[:blank], _cut(label[blank:].strip(), room)]


def bars(
    periods: Sequence[str], series: Sequence[Series], name: str, numbers: Numbers, *,
    width: int = WIDE, faded: Sequence[bool] = (),
) -> Markup:  # fmt: skip
    """Numbers by period as bars side by side; `faded` ones are of incomplete periods."""
    frame = _Frame(periods, series, numbers, width, counts=True)
    parts = frame.axes()
    size = min(34.0, frame.step * 0.8 / len(series))
    for number, one in enumerate(series):
        for place, value in enumerate(one.values):
            if value is None:
                continue
            x = frame.x(place) + (number - len(series) / 2) * size
            top = frame.y(value)
            weak = " weak" if faded and faded[place] else ""
            parts.append(
                f'<rect x="{x + 1:.1f}" y="{top:.1f}" width="{size - 2:.1f}" '
                f'height="{max(0.0, frame.bottom - top):.1f}" class="bar {one.kind}{weak}"/>'
            )
            if size >= 26:
                parts.append(text(x + size / 2, top - 5, numbers.count(value),
                                  anchor="middle", style="small"))  # fmt: skip
    return svg([*parts, *frame.legend()], width, frame.height, name)


def lines(
    periods: Sequence[str], series: Sequence[Series], name: str, numbers: Numbers, *,
    width: int = WIDE, faded: Sequence[bool] = (),
) -> Markup:  # fmt: skip
    """Shares by period as lines with their intervals; a line stops where a period has none."""
    frame = _Frame(periods, series, numbers, width, counts=False)
    parts = frame.axes()
    for one in series:
        for first in range(len(periods) - 1):
            pair = one.values[first], one.values[first + 1]
            if pair[0] is not None and pair[1] is not None:
                parts.append(line(frame.x(first), frame.y(pair[0]), frame.x(first + 1),
                                  frame.y(pair[1]), f"curve {one.kind}"))  # fmt: skip
    for number, one in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * 7
        for place, value in enumerate(one.values):
            if value is None:
                continue
            x, low, high = frame.x(place) + shift, one.low[place], one.high[place]
            if low is not None and high is not None:
                parts.append(line(x, frame.y(low), x, frame.y(high), f"whisker {one.kind}"))
            weak = bool(faded and faded[place])
            parts.append(marker(x, frame.y(value), one.kind, weak=weak))
    return svg([*parts, *frame.legend()], width, frame.height, name)


class _Frame:
    """Axes of a chart over periods."""

    def __init__(
        self, periods: Sequence[str], series: Sequence[Series], numbers: Numbers, width: int, *,
        counts: bool,
    ) -> None:  # fmt: skip
        self.periods, self.series, self.numbers, self.width = periods, series, numbers, width
        self.counts = counts
        self.height = 300
        self.top, self.bottom = 44.0, 262.0
        values = [v for one in series for v in one.values if v is not None]
        values += [v for one in series for v in one.high if v is not None] if not counts else []
        self.marks = ticks(0, max(values, default=1) or 1, 4)
        self.left = 14 + _EM * max(len(self._label(value)) for value in self.marks)
        self.step = (width - self.left - 10) / max(1, len(periods))

    def _label(self, value: float) -> str:
        if self.counts:
            whole = value == round(value)
            return self.numbers.count(value) if whole else NOTHING
        return self.numbers.percent(value, _digits(self.marks))

    def x(self, place: int) -> float:
        return self.left + self.step * (place + 0.5)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * min(1.0, value / self.marks[-1])

    def axes(self) -> list[str]:
        parts = []
        for value in self.marks:
            if self._label(value) == NOTHING:
                continue
            parts.append(line(self.left, self.y(value), self.width - 6, self.y(value), "grid"))
            parts.append(text(self.left - 6, self.y(value) + 4.5, self._label(value),
                              anchor="end", style="tick"))  # fmt: skip
        every = max(1, math.ceil(_EM * 5.5 / self.step))
        for place, period in enumerate(self.periods):
            if place % every == 0:
                parts.append(text(self.x(place), self.bottom + 20, period, anchor="middle",
                                  style="tick"))  # fmt: skip
        return parts

    def legend(self) -> list[str]:
        parts, x = [], self.left
        for one in self.series:
            if self.counts:
                parts.append(f'<rect x="{x - 4:.1f}" y="9" width="11" height="11" '
                             f'class="bar {one.kind}"/>')  # fmt: skip
            else:
                parts.append(marker(x + 1, 15, one.kind))
            parts.append(text(x + 13, 19.5, one.name))
            x += 34 + _EM * len(one.name)
        return parts
