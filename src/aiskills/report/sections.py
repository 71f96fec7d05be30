"""The sections of a page: from the figures to what the template shows."""

from __future__ import annotations

import json
from typing import Any, Final

from aiskills.report import charts
from aiskills.report.beside import nearest, published_table
from aiskills.report.details import Details
from aiskills.report.groups import Groups
from aiskills.report.map import legend, region_map
from aiskills.report.numbers import NOTHING, Numbers
from aiskills.report.records import Cell
from aiskills.report.tables import Line, Shown
from aiskills.report.view import View
from aiskills.schema import Definition

#: Characters of the user's note at most.
_NOTE: Final = 1000


class Sections(View):
    """Builds what each section of the template shows."""

    def all(self) -> dict[str, Any]:
        """Everything the template needs besides its words."""
        figures = self.figures
        own = (figures, self.words, self.numbers)
        groups, details = Groups(*own), Details(*own)
        found = {
            **self._head(),
            "definition": self.definition.value,
            "headline": self._headline(),
            "published": published_table(figures.published, self.words, self.numbers),
            "compared": self._compared(),
            "trend": self._trend(),
            "map": self._map(),
            "parts": [groups.branches(), groups.functions(), groups.themes()],
            "skills": details.skills(),
            "samples": details.samples(),
            "quality": details.quality(),
            "provenance": figures.provenance,
            "scored": [
                (
                    name,
                    self.words("method.rows", rows=self.numbers.count(rows)),
                    {**about, "thresholds": self._thresholds(about.get("thresholds", ""))},
                )
                for name, rows, about in figures.provenance.scored
            ],
            "day": self.numbers.day(figures.provenance.date),
            "remarks": figures.headline.remarks,
        }
        compared = ["compared"] if found["compared"] else []
        found["sections"] = ["headline", *compared, "trend", "map", "branches", "functions",
                             "themes", "skills", "evidence", "quality", "method"]  # fmt: skip
        return found

    def _thresholds(self, told: str) -> str:
        """Scores from which an offer is a demand, from a file's metadata, in words."""
        try:
            found = json.loads(told) if told else {}
        except ValueError:
            return told
        if not isinstance(found, dict) or not set(found) <= set(Definition):
            return told
        return ", ".join(
            f"{self.words.plain(f'definition.{name}')} {self.numbers.decimal(value, 2)}"
            if isinstance(value, int | float)
            else f"{name} {value}"
            for name, value in found.items()
        )

    def _head(self) -> dict[str, Any]:
        options, words, numbers = self.figures.options, self.words, self.numbers
        months = [one for one in self.figures.inventory.months if one]
        offers = numbers.count(self.figures.inventory.read)
        if months:
            first, last = numbers.period(months[0]), numbers.period(months[-1])
            one = words("page.period_one", first=first)
            span = one if first == last else words("page.period", first=first, last=last)
            covers = words("page.offers", offers=offers, period=span)
        else:
            covers = words("page.offers_no_period", offers=offers)
        return {
            "note": options.note[:_NOTE],
            "covers": covers,
            "scope": words(
                "page.scope",
                population=words.of("population", options.population),
                perimeter=words.of("perimeter", options.perimeter),
                definition=words.of("definition", f"{options.definition}_long"),
            ),
            "made": words(
                "page.made",
                day=numbers.day(self.figures.provenance.date),
                version=self.figures.provenance.version,
            ),
        }

    def _counted(self, cell: Cell, definition: Definition) -> dict[str, Any]:
        return {
            "share": self.numbers.percent(cell.share),
            "flagged": self.numbers.count(cell.flagged),
            "offers": self.numbers.count(cell.offers),
            "interval": self.numbers.interval(cell.low, cell.high),
            "definition": self.words.of("definition", f"{definition}_long"),
        }

    def _headline(self) -> dict[str, Any]:
        words, numbers, headline = self.words, self.numbers, self.figures.headline
        whole = self.whole
        other = next(one for one in Definition if one is not self.definition)
        corrected = words("headline.not_corrected")
        if whole.corrected is not None:
            corrected = words(
                "headline.corrected",
                share=numbers.percent(whole.corrected),
                interval=numbers.interval(whole.corrected_low, whole.corrected_high),
            )
        rows = []
        for definition in Definition:
            for status, cells in (("demand", headline.demand), ("any", headline.any)):
                cell = cells[definition]
                name = f"{words.of('status', status)}, {words.of('definition', definition)}"
                share, corrected_ends = self.tables.share, self.tables.interval
                rows.append(
                    Line(
                        (
                            Shown(name[:1].upper() + name[1:]),
                            self.tables.count(cell.flagged),
                            self.tables.count(cell.offers),
                            share(cell.share),
                            self.tables.interval(cell.low, cell.high),
                            share(cell.corrected),
                            corrected_ends(cell.corrected_low, cell.corrected_high),
                        )
                    )
                )
        mentions = headline.any[self.definition].flagged - whole.flagged
        return {
            "sentence": words("headline.sentence", **self._counted(whole, self.definition)),
            "basis": words("headline.sentence_basis", **self._counted(whole, self.definition)),
            "other": words("headline.other", **self._counted(headline.demand[other], other)),
            "corrected": corrected,
            "nearest": nearest(self.figures.published, words, numbers),
            "outside": [
                words("headline.outside", offers=numbers.count(one.offers))
                for one in headline.outside
            ],
            "heads": self.tables.heads(
                "what", "flagged", "offers", "share", "interval", "corrected", "interval"
            ),
            "rows": rows,
            "caveats": [
                words("headline.not_market"),
                words("headline.not_jobs"),
                words("headline.not_mention", mention=numbers.count(mentions)),
                words("headline.not_exact"),
            ],
        }

    def _compared(self) -> dict[str, Any] | None:
        found, tables = self.figures.compared, self.tables
        if found is None:
            return None
        rows = [
            Line(
                (
                    Shown(self.words.of("definition", one.definition)),
                    tables.share(one.before.share),
                    tables.count(one.before.offers),
                    tables.share(one.now.share),
                    tables.count(one.now.offers),
                    Shown(self.numbers.points(one.difference), one.difference, numeric=True),
                    Shown(_points(self.numbers, one.low, one.high), one.low, numeric=True),
                )
            )
            for one in found.changes
        ]
        return {
            "intro": self.words("compared.intro", name=found.name),
            "warning": "" if found.same_version else self.words("compared.version"),
            "heads": tables.heads("definition", "before", "offers", "now", "offers", "difference",
                                  "interval"),
            "rows": rows,
        }  # fmt: skip

    def _trend(self) -> dict[str, Any]:
        years, words = self.figures.years, self.words
        partial = [f"{one.name} ({one.months}/12)" for one in years if one.months < 12]
        intro = "trend.intro" if len(years) > 1 else "trend.one" if years else "trend.none"
        growth, note = None, ""
        if self.figures.growth is not None:
            growth = self.pictures.growth()
            if any((row.change or 0) > charts.CLIP for row in self.figures.growth.rows):
                note = words("trend.growth_clipped")
        return {
            "intro": words(intro, year=years[0].name) if years else words(intro),
            "partial": words("trend.partial", years=", ".join(partial)) if partial else "",
            "charts": [self.pictures.counts(), self.pictures.trend()] if years else [],
            "growth": growth,
            "growth_note": note,
        }

    def _map(self) -> dict[str, Any] | None:
        cells = self.cells("region")
        regions = [one for one in cells if one.label[:2].isdigit()]
        if not regions:
            return None
        places = [
            f"{self.words.of('label', one.label)} ({self.numbers.count(one.offers)})"
            for one in cells
            if not one.label[:2].isdigit()
        ]
        return {
            "picture": region_map(cells, self.words, self.numbers),
            "legends": {
                "share": legend(cells, "share", self.numbers),
                "count": legend(cells, "flagged", self.numbers),
            },
            "elsewhere": self.words("map.elsewhere", places=", ".join(places)) if places else "",
            "heads": self.tables.share_heads("region", part=False),
            "rows": self.tables.shares(cells, part=False, region=True),
            "full_heads": self.tables.share_heads("region"),
            "full": self.tables.shares(cells, region=True),
        }


def _points(numbers: Numbers, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NOTHING
    middle = " à " if numbers.lang == "fr" else " to "
    return numbers.points(low).rpartition("\u202f")[0] + middle + numbers.points(high)
