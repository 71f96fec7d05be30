"""Each chart as a picture of its own, for slides and documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from aiskills.errors import OutputError
from aiskills.report.browser import need_browser, to_png
from aiskills.report.charts import WIDE, height_of
from aiskills.report.map import legend, region_map
from aiskills.report.page import asset, digest, environment, writers
from aiskills.report.pictures import Chart, Pictures
from aiskills.report.records import Figures

#: Room around a picture, and below a map for its scale.
_MARGIN, _SCALE = 40, 90
_MAP_WIDTH: Final = 600


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture and what stands around it."""

    name: str
    title: str
    picture: Markup
    width: int = WIDE
    scale: Sequence[Mapping[str, object]] = ()
    by_count: bool = False


def write_pictures(figures: Figures, folder: Path) -> list[Path]:
    """Writes the charts of a report as PNG at twice the size of the page.

    Args:
        figures: What was measured.
        folder: Where they go; made if missing.

    Returns:
        The files; charts that the offers give nothing for are not among them.

    Raises:
        OutputError: There is no browser, or a file cannot be written.
    """
    need_browser("png-folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from None
    template, style = environment().get_template("picture.html"), asset("report.css")
    written = []
    for one in _pictures(figures):
        html = template.render(
            lang=figures.options.lang,
            title=one.title,
            style=Markup(style),  # noqa: S704 (our own file)
            style_hash=digest(style),
            picture=one.picture,
            scale=one.scale,
            by_count=one.by_count,
        )
        height = height_of(one.picture) + 3 * _MARGIN + (_SCALE if one.scale else 0)
        written.append(folder / f"{one.name}.png")
        to_png(html, written[-1], one.width + 2 * _MARGIN, height)
    return written


def _pictures(figures: Figures) -> Iterator[_Picture]:
    words, numbers = writers(figures)
    pictures = Pictures(figures, words, numbers)
    own = {name: rows.get(figures.options.definition, ()) for name, rows in figures.tables.items()}
    charts: dict[str, Chart] = {}
    if figures.years:
        charts |= {"trend-count": pictures.counts(), "trend-share": pictures.trend()}
    if figures.growth is not None:
        charts["growth"] = pictures.growth()
    for table, section in (("branch", "branches"), ("function", "functions")):
        if any(one.kind == "cell" for one in own.get(table, ())):
            charts[section] = pictures.shares(table, section)
    if own.get("theme"):
        charts["themes"] = pictures.themes()
    for name, chart in charts.items():
        yield _Picture(name, chart.title, chart.picture)
    cells = own.get("region", ())
    if any(one.label[:2].isdigit() for one in cells):
        for field, name in (("share", "share"), ("flagged", "count")):
            yield _Picture(
                f"map-{name}",
                f"{words.plain('map.title')} – {words.plain(f'map.{name}')}",
                region_map(cells, words, numbers),
                _MAP_WIDTH,
                legend(cells, field, numbers),
                by_count=name == "count",
            )
