"""Whether our figure and the published one agree."""

from __future__ import annotations

from typing import Final

from aiskills.study.published import Figure
from aiskills.study.record import Leader, Ours

#: An interval that reaches to so many times the published figure, or to that part of it, is wide.
_WIDE: Final = 2.0
_WIDE_GROWTH: Final = 1.5


def judged(figure: Figure, ours: Ours) -> str:
    """Whether our interval and the rounding interval of the published figure overlap.

    Returns:
        ``missing`` without a value; ``above`` or ``below`` where they do not overlap;
        ``inconclusive`` where they do, but ours also reaches to half or to twice the published
        figure (of a growth: to two thirds or one and a half of the ratio of its counts); else
        ``agree``.
    """
    assert figure.low is not None  # noqa: S101 (only leaders have none)
    assert figure.high is not None  # noqa: S101
    assert figure.value is not None  # noqa: S101
    if ours.value is None:
        return "missing"
    low = ours.value if ours.low is None else ours.low
    high = float("inf") if ours.high is None else ours.high
    if low > figure.high:
        return "above"
    if high < figure.low:
        return "below"
    # A growth is judged as the ratio of its counts, which half and twice would hardly ever bound.
    base, most = (1.0, _WIDE_GROWTH) if figure.kind == "growth" else (0.0, _WIDE)
    value = base + figure.value
    wide = base + low <= value / most or base + high >= value * most
    return "inconclusive" if wide else "agree"


def judged_leaders(figure: Figure, leaders: list[Leader]) -> str:
    """Whether the same values lead, in any order.

    Returns:
        ``agree`` or ``differ`` (other values lead) where the interval of the least of
        the published leaders and that of the greatest other do not overlap, else ``inconclusive``.
    """
    found = {one.label: one for one in leaders}
    if any(label not in found for label in figure.labels):
        first = [found[label] for label in figure.labels if label in found]
        return "inconclusive" if len(found) <= len(first) else "differ"
    last = min((found[label] for label in figure.labels), key=lambda one: one.part)
    others = [one for one in leaders if one.label not in figure.labels]
    if not others:
        return "agree"
    best = max(others, key=lambda one: one.part)
    if None in (last.low, last.high, best.low, best.high):
        return "inconclusive"
    if (last.low or 0) > (best.high or 0):
        return "agree"
    return "differ" if (last.high or 0) < (best.low or 0) else "inconclusive"
