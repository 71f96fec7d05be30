"""The published figures, from data/study.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

#: Languages of the texts.
LANGUAGES: Final = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure and what it counts.

    Attributes:
        id: Its name, which does not change.
        kind: ``share``, ``growth``, ``part``, ``theme`` or ``leaders``.
        perimeter: ``industry``, ``others`` (known not to be industry) or ``all``.
        window: Periods counted (``2019:2024-H1``), or the two that growth compares.
        window_told: Whether the publication says the window; else it is the study's whole one.
        value: The figure, 0 to 1 (0.56 is +56 %); None for leaders.
        low: The least it may have been before it was rounded.
        high: The most.
        group: Of a part or leaders, the group: branch, function, region.
        label: Of a part, the value of the group.
        theme: Of a theme, its code.
        without: Terms that do not make the theme.
        labels: Of leaders, the values that lead, in order.
        behind: Values named as being behind.
        reasons: Keys of texts on why other data may differ.
        texts: What it is, by language.
    """

    id: str
    kind: str
    perimeter: str
    window: str
    window_told: bool
    value: float | None
    low: float | None
    high: float | None
    group: str
    label: str
    theme: str
    without: frozenset[str]
    labels: tuple[str, ...]
    behind: tuple[str, ...]
    reasons: tuple[str, ...]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OtherFigure:
    """A figure of another public measure: a share or a number of offers.

    Attributes:
        source: Who publishes it.
        window: Period.
        value: Share, 0 to 1; None for a number.
        count: Number of offers; None for a share.
        definition: Definition of our nearest line; empty if there is none.
        status: Its status, ``any`` or ``demand``.
        periods: The period as people say it, by language.
        texts: What is counted, by language.
    """

    source: str
    window: str
    value: float | None
    count: int | None
    definition: str
    status: str
    periods: Mapping[str, str]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Published:
    """All that data/study.toml holds.

    Attributes:
        about: Title, publishers, date and window of the study.
        figures: Its figures, in the order in which they are shown.
        others: Figures of other measures.
        words: Texts of the comparison, by language and key.
    """

    about: Mapping[str, str]
    figures: tuple[Figure, ...]
    others: tuple[OtherFigure, ...]
    words: Mapping[str, Mapping[str, str]]


@cache
def published() -> Published:
    """The published figures that ship with the package."""
    text = (resources.files("aiskills") / "data" / "study.toml").read_text("utf-8")
    data = tomllib.loads(text)
    whole = data["study"]["window"]
    return Published(
        data["study"],
        tuple(_figure(one, whole) for one in data["figure"]),
        tuple(_other(one, figure) for one in data["comparator"] for figure in one["figures"]),
        data["words"],
    )


def _figure(one: Mapping[str, Any], whole: str) -> Figure:
    return Figure(
        one["id"],
        one["kind"],
        one["perimeter"],
        one.get("window", whole),
        "window" in one,
        one.get("value"),
        one.get("low"),
        one.get("high"),
        one.get("group", ""),
        one.get("label", ""),
        one.get("theme", ""),
        frozenset(one.get("without", ())),
        tuple(one.get("labels", ())),
        tuple(one.get("behind", ())),
        tuple(one.get("reasons", ())),
        {language: one[language] for language in LANGUAGES},
    )


def _other(one: Mapping[str, Any], figure: Mapping[str, Any]) -> OtherFigure:
    nearest = one.get("ours", {})
    return OtherFigure(
        one["source"],
        figure["window"],
        figure.get("value"),
        figure.get("count"),
        nearest.get("definition", ""),
        nearest.get("status", ""),
        {language: figure.get(language, figure["window"]) for language in LANGUAGES},
        {language: one[language] for language in LANGUAGES},
    )
