"""The map of the regions: outlines from data/map_regions.csv, coloured by share and by number."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from markupsafe import Markup

from aiskills.report.numbers import Numbers
from aiskills.report.records import Cell
from aiskills.report.words import Words

#: Classes of the colour scale.
CLASSES: Final = 5
_VIEW: Final = "0 0 600 700"
#: Where the line above the overseas regions stands.
_SPLIT: Final = 592


@dataclass(frozen=True, slots=True)
class Outline:
    """One region's outline.

    Attributes:
        code: INSEE's code.
        name: Its name.
        path: SVG path in the view 600 by 700.
    """

    code: str
    name: str
    path: str


@cache
def outlines() -> tuple[Outline, ...]:
    """The 18 regions by code."""
    raw = (resources.files("aiskills") / "data" / "map_regions.csv").read_text("utf-8")
    rows = csv.DictReader((line for line in raw.splitlines() if line[:1] != "#"), delimiter=";")
    return tuple(Outline(row["region"], row["name"], row["path"]) for row in rows)


def cuts(values: Sequence[float]) -> list[float]:
    """Upper bounds of the classes: equal numbers of regions in each, no bound twice.

    Quantiles show differences whatever the distribution; the bounds stand in the legend.
    """
    ordered = sorted(values)
    bounds = [
        ordered[min(len(ordered) - 1, round((n + 1) * len(ordered) / CLASSES) - 1)]
        for n in range(CLASSES)
        if ordered
    ]
    return sorted(set(bounds))


def level(value: float | None, bounds: Sequence[float]) -> int:
    """Class of a value, from 1; 0 for none."""
    if value is None or not bounds:
        return 0
    place = next((n for n, bound in enumerate(bounds) if value <= bound), len(bounds) - 1)
    # Fewer classes than colours: spread them, so that the highest is the darkest.
    return CLASSES - (len(bounds) - 1 - place) * (CLASSES // len(bounds) or 1)


def region_map(cells: Sequence[Cell], words: Words, numbers: Numbers) -> Markup:
    """The map; each region can be reached by keyboard and tells its figures.

    Args:
        cells: Cells of the regions, labels as `84 Auvergne-Rhône-Alpes`; others are left out.
        words: Wording.
        numbers: How numbers are written.
    """
    by_code = {one.label[:2]: one for one in cells if one.label[:2].isdigit()}
    shares, counts = (cuts(_values(by_code.values(), name)) for name in ("share", "flagged"))
    parts = [Markup('<line x1="8" y1="{y}" x2="592" y2="{y}" class="grid"/>').format(y=_SPLIT)]
    for one in outlines():
        cell = by_code.get(one.code)
        parts.append(_region(one, cell, shares, counts, words, numbers))
    return Markup(
        '<svg viewBox="{view}" width="600" height="700" role="group" aria-label="{name}" '
        'class="map"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line x1="1" y1="0" x2="1" y2="6" class="hatch"/>'
        '<line x1="2.4" y1="0" x2="2.4" y2="6" class="hatch light"/></pattern>'
        '</defs>{body}<path class="ring" d="" aria-hidden="true"/></svg>'
    ).format(view=_VIEW, name=words("map.alt"), body=Markup("").join(parts))


def _values(cells: Iterable[Cell], field: str) -> list[float]:
    """Values that make the classes: those of large cells, if they suffice; small ones swing."""
    every = list(cells)
    large = [one for one in every if not one.small]
    own = large if len(large) > CLASSES else every
    return [value for one in own if (value := getattr(one, field)) is not None]


def _region(
    outline: Outline, cell: Cell | None, shares: Sequence[float], counts: Sequence[float],
    words: Words, numbers: Numbers,
) -> Markup:  # fmt: skip
    if cell is None:
        told = words.plain("map.no_offer", region=outline.name)
        by_share = by_count = 0
    else:
        told = words.plain(
            "map.region",
            region=outline.name,
            share=numbers.percent(cell.share),
            flagged=numbers.count(cell.flagged),
            offers=numbers.count(cell.offers),
        )
        by_share, by_count = level(cell.share, shares), level(cell.flagged, counts)
    hatch = (
        Markup('<path d="{}" class="hatched" aria-hidden="true"/>').format(outline.path)
        if cell is not None and cell.small
        else ""
    )
    return Markup(
        '<path d="{path}" class="r s{s} c{c}" data-region="{code}" tabindex="0" role="img" '
        'aria-label="{told}"/>{hatch}'
    ).format(path=outline.path, s=by_share, c=by_count, code=outline.code, told=told, hatch=hatch)


def legend(cells: Sequence[Cell], field: str, numbers: Numbers) -> list[Mapping[str, object]]:
    """Classes of the scale with what they mean, lowest first.

    Args:
        cells: Cells of the regions.
        field: `share` or `flagged`.
        numbers: How numbers are written.
    """
    own = [one for one in cells if one.label[:2].isdigit()]
    values = _values(own, field)
    bounds = cuts(values)
    write = numbers.percent if field == "share" else numbers.count
    found: list[Mapping[str, object]] = []
    for bound in bounds:
        inside = [v for v in values if level(v, bounds) == level(bound, bounds)]
        ends = sorted(
            {write(min(inside)), write(max(inside))}, key=lambda t: t != write(min(inside))
        )
        found.append({"level": level(bound, bounds), "text": " – ".join(ends)})
    return found
