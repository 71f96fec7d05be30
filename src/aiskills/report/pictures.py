"""The charts of a report, each with the table behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from aiskills.report import charts
from aiskills.report.charts import Row, Series, both
from aiskills.report.numbers import Numbers
from aiskills.report.records import Cell, Figures
from aiskills.report.tables import Head, Line, Shown, Tables
from aiskills.report.words import Words
from aiskills.schema import THEMES, Definition

#: Rows of a chart at most; the table holds all.
_MOST: Final = 20
#: Large cells from which on small ones are not drawn.
_ENOUGH: Final = 3


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        title: Its title.
        picture: SVG in both widths.
        heads: Heads of the table behind it; empty where that table stands on the page anyway.
        rows: Its rows.
        left_out: Small cells that are in the table only.
    """

    title: str
    picture: Markup
    heads: tuple[Head, ...] = ()
    rows: tuple[Line, ...] = ()
    left_out: int = 0


class Pictures:
    """Draws the charts of a report.

    Args:
        figures: What was measured.
        words: Wording.
        numbers: How numbers are written.
    """

    def __init__(self, figures: Figures, words: Words, numbers: Numbers) -> None:
        self.figures, self.words, self.numbers = figures, words, numbers
        self.tables = Tables(words, numbers)
        self.definition = figures.options.definition

    def _cells(self, name: str) -> tuple[Cell, ...]:
        return self.figures.tables.get(name, {}).get(self.definition, ())

    def _series(self, *, counts: bool) -> list[Series]:
        found = []
        for definition in Definition:
            cells = [year.cells.get(definition) for year in self.figures.years]
            if counts:
                values = tuple(None if one is None else float(one.flagged) for one in cells)
                found.append(Series(self._name(definition), definition, values))
            else:
                found.append(
                    Series(
                        self._name(definition),
                        definition,
                        tuple(None if one is None else one.share for one in cells),
                        tuple(None if one is None else one.low for one in cells),
                        tuple(None if one is None else one.high for one in cells),
                    )
                )
        return found[::-1]  # study first: Definition lists strict first

    def _name(self, definition: Definition) -> str:
        name = self.words.plain("column.definition") + " " + self.words.of("definition", definition)
        return name if self.words.lang == "fr" else self.words.of("definition", definition)

    def counts(self) -> Chart:
        """Numbers of flagged offers by year."""
        years = self.figures.years
        names = [one.name for one in years]
        words = self.words
        picture = both(
            charts.bars, names, self._series(counts=True),
            words.plain("trend.count_alt", first=names[0], last=names[-1]), self.numbers,
            faded=[one.months < 12 for one in years],
        )  # fmt: skip
        heads = self.tables.heads("year", "months", "offers", "study_flagged", "strict_flagged")
        rows = [
            Line(
                (
                    Shown(year.name),
                    self.tables.count(year.months),
                    self.tables.count(max(one.offers for one in year.cells.values())),
                    *(
                        self.tables.count(one.flagged if (one := year.cells.get(d)) else None)
                        for d in (Definition.STUDY, Definition.STRICT)
                    ),
                )
            )
            for year in years
        ]
        return Chart(words.plain("trend.count_title"), picture, tuple(heads), tuple(rows))

    def trend(self) -> Chart:
        """Shares by year."""
        years = self.figures.years
        names = [one.name for one in years]
        words = self.words
        weak = [all(cell.small for cell in one.cells.values()) for one in years]
        picture = both(
            charts.lines, names, self._series(counts=False),
            words.plain("trend.share_alt", first=names[0], last=names[-1]), self.numbers,
            faded=weak,
        )  # fmt: skip
        heads = self.tables.heads(
            "year", "offers", "study_share", "interval", "strict_share", "interval"
        )
        rows = []
        for year in years:
            shown = [Shown(year.name + (" °" if weak[years.index(year)] else "")),
                     self.tables.count(max(one.offers for one in year.cells.values()))]  # fmt: skip
            for definition in (Definition.STUDY, Definition.STRICT):
                cell = year.cells.get(definition)
                shown.append(self.tables.share(cell.share if cell else None))
                ends = (cell.low, cell.high) if cell else (None, None)
                shown.append(self.tables.interval(*ends))
            rows.append(Line(tuple(shown)))
        return Chart(words.plain("trend.share_title"), picture, tuple(heads), tuple(rows))

    def growth(self) -> Chart:
        """Growth by sector; the table gives both numbers."""
        found, words = self.figures.growth, self.words
        assert found is not None  # noqa: S101 (asked by the caller)
        rows, lines = [], []
        for one in found.rows:
            sector, measure = words.of("sector", one.sector), words.of("measure", one.measure)
            name = sector + _COLON[words.lang] + measure
            label = self.numbers.signed(one.change)
            kind = self.definition.value if one.measure == "flagged" else "other"
            rows.append(Row(name, one.change, one.low, one.high, label, kind))
            lines.append(
                Line(
                    (
                        Shown(name),
                        self.tables.count(one.first),
                        self.tables.count(one.last),
                        Shown(label, one.change, numeric=True),
                        Shown(self._ends(one.low, one.high), one.low, numeric=True),
                    )
                )
            )
        rows += self._published_growth()
        values = [v for one in rows for v in (one.value, one.low) if v is not None]
        highs = [v for one in rows for v in (one.value, one.high) if v is not None]
        ends = (min([-0.1, *values]), max(0.1, min(charts.CLIP, max(highs, default=0.1))))
        told = {"first": found.first, "last": found.last}
        picture = both(
            charts.intervals, rows, words.plain("trend.growth_alt", **told), self.numbers,
            ends=ends, signed=True,
        )  # fmt: skip
        heads = (
            Head(words.plain("column.sector")),
            Head(found.first, numeric=True),
            Head(found.last, numeric=True),
            *self.tables.heads("sector", "change", "interval")[1:],
        )
        return Chart(words.plain("trend.growth_title", **told), picture, heads, tuple(lines))

    def _published_growth(self) -> list[Row]:
        """The published growth of the number of AI offers, as diamonds."""
        published = self.figures.published
        found = []
        for one in published.lines if published else ():
            sector = {"growth_industry": "industry", "growth_others": "other"}.get(one.id)
            if sector and one.published is not None:
                name = self.words.plain(
                    "trend.growth_published", sector=self.words.of("sector", sector).lower()
                )
                value = self.numbers.signed(one.published)
                found.append(Row(name, one.published, None, None, value, "mark"))
        return found

    def _ends(self, low: float | None, high: float | None) -> str:
        if low is None and high is None:
            return self.numbers.signed(None)
        middle = " à " if self.words.lang == "fr" else " to "
        return self.numbers.signed(low) + middle + self.numbers.signed(high)

    def shares(self, table: str, section: str) -> Chart:
        """Shares of the groups of a table, most first; the line is the share of all."""
        every = [one for one in self._cells(table) if one.kind == "cell" and one.offers]
        whole = self.figures.headline.demand[self.definition].share
        # Intervals of a few offers span the whole axis and press all others together.
        large = [one for one in every if not one.small]
        drawn = large if len(large) >= _ENOUGH else every
        cells = sorted(drawn, key=lambda one: (one.small, -(one.share or 0)))[:_MOST]
        rows = [
            Row(
                one.label + (" °" if one.small else ""),
                one.share,
                one.low,
                one.high,
                f"{self.numbers.percent(one.share)} ({self.numbers.count(one.flagged)})",
                self.definition,
                weak=one.small,
            )
            for one in cells
        ]
        picture = both(
            charts.intervals, rows, self.words.plain(f"{section}.share_alt"), self.numbers,
            reference=whole,
        )  # fmt: skip
        title = self.words.plain(f"{section}.share_title")
        return Chart(title, picture, left_out=len(every) - len(drawn))

    def themes(self) -> Chart:
        """Parts of the themes, the internet of things apart from the rest."""
        cells = [one for one in self._cells("theme") if one.label in THEMES]
        first = sorted((o for o in cells if o.label != "iot"), key=lambda one: -(one.part or 0))
        last = [one for one in cells if one.label == "iot"]
        rows = [
            Row(
                self.words.of("theme", one.label),
                one.part,
                one.part_low,
                one.part_high,
                f"{self.numbers.percent(one.part, 1)} ({self.numbers.count(one.flagged)})",
                "other" if one.label == "iot" else self.definition,
            )
            for one in (*first, *last)
        ]
        picture = both(charts.intervals, rows, self.words.plain("themes.alt"), self.numbers)
        return Chart(self.words.plain("themes.title"), picture)


_COLON: Final = {"fr": "\u00a0: ", "en": ": "}
