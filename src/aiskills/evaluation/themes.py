"""How well the themes of offers are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiskills.evaluation.figures import prf


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme, or all of them together: counts of offers, precision, recall, F1."""

    theme: str
    tp: int
    fp: int
    fn: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Themes:
    """Themes asked for.

    Attributes:
        offers: Offers that count.
        micro: All pairs of offer and theme together.
        by_theme: Each theme that was labelled or said, in the order of `names`.
    """

    offers: int
    micro: Theme
    by_theme: tuple[Theme, ...]


def theme_figures(
    labelled: Sequence[Sequence[str]], said: Sequence[Sequence[str]], names: Sequence[str]
) -> Themes:
    """How well themes are told.

    Args:
        labelled: The themes of each offer by its label.
        said: The themes of each by its judgement.
        names: All themes, in the order wanted.
    """
    found: list[Theme] = []
    for name in names:
        truth = np.array([name in themes for themes in labelled], dtype=bool)
        told = np.array([name in themes for themes in said], dtype=bool)
        theme = _theme(
            name, int((truth & told).sum()), int((~truth & told).sum()), int((truth & ~told).sum())
        )
        if theme.f1 is not None:
            found.append(theme)
    tp, fp, fn = (sum(getattr(one, part) for one in found) for part in ("tp", "fp", "fn"))
    return Themes(len(labelled), _theme("all", tp, fp, fn), tuple(found))


def _theme(name: str, tp: int, fp: int, fn: int) -> Theme:
    return Theme(name, tp, fp, fn, *prf(tp, tp + fp, tp + fn))
