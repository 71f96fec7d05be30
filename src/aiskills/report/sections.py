"""The sections of a page: from the figures to what the template shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiskills.report import charts
from aiskills.report.beside import nearest, published_table
from aiskills.report.map import legend, region_map
from aiskills.report.numbers import NOTHING, Numbers
from aiskills.report.pictures import Pictures
from aiskills.report.records import Cell, Example, Figures, SkillTable
from aiskills.report.tables import Head, Line, Shown, Tables, small_and_secret
from aiskills.report.words import Words
from aiskills.schema import THEMES, Definition

#: Characters of the user's note at most.
_NOTE: Final = 1000


class Sections:
    """Builds what each section of the template shows.

    Args:
        figures: What was measured.
        words: Wording.
        numbers: How numbers are written.
    """

    def __init__(self, figures: Figures, words: Words, numbers: Numbers) -> None:
        self.figures, self.words, self.numbers = figures, words, numbers
        self.tables = Tables(words, numbers)
        self.pictures = Pictures(figures, words, numbers)
        self.definition = figures.options.definition
        self.whole = figures.headline.demand[self.definition]

    def all(self) -> dict[str, Any]:
        """Everything the template needs besides its words."""
        figures = self.figures
        found = {
            **self._head(),
            "definition": self.definition.value,
            "headline": self._headline(),
            "published": published_table(figures.published, self.words, self.numbers),
            "compared": self._compared(),
            "trend": self._trend(),
            "map": self._map(),
            "parts": [self._branches(), self._functions(), self._themes()],
            "skills": self._skills(),
            "samples": self._samples(),
            "quality": self._quality(),
            "provenance": figures.provenance,
            "scored": [
                (name, self.words("method.rows", rows=self.numbers.count(rows)), about)
                for name, rows, about in figures.provenance.scored
            ],
            "day": self.numbers.day(figures.provenance.date),
            "remarks": figures.headline.remarks,
        }
        compared = ["compared"] if found["compared"] else []
        found["sections"] = ["headline", *compared, "trend", "map", "branches", "functions",
                             "themes", "skills", "evidence", "quality", "method"]  # fmt: skip
        return found

    def cells(self, name: str) -> tuple[Cell, ...]:
        """Cells of a table under the report's definition; none where it is not there."""
        return self.figures.tables.get(name, {}).get(self.definition, ())

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

    def _branches(self) -> dict[str, Any]:
        words, cells = self.words, self.cells("branch")
        known = [one for one in cells if one.kind == "cell"]
        unknown = self.figures.inventory.unknown.get("branch", 0)
        offers = self.figures.inventory.counted
        divisions = [one for one in self.cells("division") if one.label[:2].isdigit()]
        tables = []
        if known:
            tables.append(self._table("branch", words("branches.table"), cells))
        if divisions:
            tables.append(
                self._table("division", words("branches.metallurgie"), divisions)
                | {"title": words("branches.metallurgie"),
                   "intro": words("branches.metallurgie_intro")}
            )  # fmt: skip
        after = []
        if unknown and offers:
            after.append(
                words(
                    "branches.unknown",
                    unknown=self.numbers.count(unknown),
                    offers=self.numbers.count(offers),
                    share=self.numbers.percent(unknown / offers),
                )
            )
        return {
            "id": "branches",
            "intro": [words("branches.intro" if known else "branches.none")],
            "chart": self.pictures.shares("branch", "branches") if known else None,
            "tables": tables,
            "after": after,
        }

    def _functions(self) -> dict[str, Any]:
        words, cells = self.words, self.cells("function")
        known = [one for one in cells if one.kind == "cell"]
        second = [one for one in self.cells("subfunction") if one.kind == "cell"]
        tables = [self._table("function", words("functions.table"), cells)] if known else []
        if second:
            heads = self.tables.share_heads("subfunction")
            rows = [
                Line((*line.cells[:1], Shown(one.group), *line.cells[1:]), line.kind)
                for one, line in zip(second, self.tables.shares(second), strict=True)
            ]
            heads.insert(1, Head(words.plain("column.function")))
            tables.append(_shown(words("functions.sub"), heads, rows) | {"folded": True})
        return {
            "id": "functions",
            "intro": [words("functions.intro" if known else "functions.none")],
            "chart": self.pictures.shares("function", "functions") if known else None,
            "tables": tables,
            "after": [],
        }

    def _themes(self) -> dict[str, Any]:
        words, cells = self.words, [one for one in self.cells("theme") if one.label in THEMES]
        if not cells:
            return {"id": "themes", "intro": [words("themes.none")], "chart": None, "tables": [],
                    "after": []}  # fmt: skip
        study = self.figures.headline.demand[Definition.STUDY]
        iot = next(
            (o for o in self.figures.tables["theme"][Definition.STUDY] if o.label == "iot"), None
        )
        only = self.figures.iot_only.get(Definition.STUDY, 0)
        intro = [words("themes.intro")]
        if iot is not None and study.offers:
            intro.append(
                words(
                    "themes.iot",
                    flagged=self.numbers.count(iot.flagged),
                    part=self.numbers.percent(iot.part, 1),
                    only=self.numbers.count(only),
                    share=self.numbers.percent(study.share),
                    without=self.numbers.percent((study.flagged - only) / study.offers),
                )
            )
        rows = [
            Line(
                (
                    Shown(words.of("theme", one.label)),
                    self.tables.count(one.flagged),
                    self.tables.part(one.part),
                    Shown(
                        self.numbers.interval(one.part_low, one.part_high, 1),
                        one.part_low,
                        numeric=True,
                    ),
                    self.tables.share(one.share),
                )
            )
            for one in cells
        ]
        heads = self.tables.heads("theme", "flagged", "part", "interval", "share")
        return {
            "id": "themes",
            "intro": intro,
            "chart": self.pictures.themes(),
            "tables": [_shown(words("themes.table"), heads, rows)],
            "after": [],
        }

    def _table(self, first: str, caption: str, cells: Sequence[Cell]) -> dict[str, Any]:
        return _shown(caption, self.tables.share_heads(first), self.tables.shares(cells))

    def _skills(self) -> dict[str, Any] | None:
        found = [one for one in self.figures.skills if one.skills]
        overall = next((one for one in found if one.dimension == "all"), None)
        if overall is None:
            return None
        rows = [
            Line(
                (
                    Shown(one.name),
                    Shown(self.words.of("theme", one.theme)),
                    self.tables.count(one.offers),
                    self.tables.part(one.part),
                )
            )
            for one in overall.skills
        ]
        heads = self.tables.heads("skill", "theme", "asked", "share")
        heads[1] = Head(heads[1].text)
        groups = [
            {
                "title": self.words(f"skills.by_{dimension}"),
                "cards": [self._card(one) for one in found if one.dimension == dimension],
            }
            for dimension in ("function", "branch")
            if any(one.dimension == dimension for one in found)
        ]
        return {"heads": heads, "rows": rows, "groups": groups}

    def _card(self, one: SkillTable) -> dict[str, Any]:
        return {
            "label": one.label,
            "flagged": self.words("skills.flagged", flagged=self.numbers.count(one.flagged)),
            "skills": [
                {"name": skill.name, "part": self.numbers.percent(skill.part, 1)}
                for skill in one.skills
            ],
            "typical": self.words("skills.typical", skills=", ".join(one.typical))
            if one.typical
            else "",
        }

    def _samples(self) -> list[dict[str, Any]]:
        if not self.figures.options.texts:
            return []
        total = {
            "demand": self.whole.flagged,
            "mention": self.figures.headline.any[self.definition].flagged - self.whole.flagged,
        }
        return [
            {
                "title": self.words(f"evidence.{kind}"),
                "intro": self.words(
                    f"evidence.{kind}_intro",
                    shown=self.numbers.count(len(examples)),
                    total=self.numbers.count(total[kind]),
                ),
                "examples": [self._example(one) for one in examples],
                "themes": [
                    (code, self.words.of("theme", code))
                    for code in THEMES
                    if any(code in _themes_of(one) for one in examples)
                ],
            }
            for kind, examples in (
                ("demand", self.figures.demand),
                ("mention", self.figures.mention),
            )
        ]

    def _example(self, one: Example) -> dict[str, Any]:
        return {
            "title": one.title,
            "excerpts": one.excerpts,
            "shown_in_title": any(part.status for part in one.title),
            "themes": _themes_of(one),
            "theme_names": [self.words.of("theme", code) for code in one.themes],
            "language": one.language,
            "place": [
                self.numbers.period(
                    place[3:] if place[:2].isdigit() and place[2:3] == " " else place
                )
                for place in one.place
            ],
            "identifier": one.identifier,
            "score": self.words("evidence.score", score=self.numbers.decimal(one.score, 2)),
        }

    def _quality(self) -> dict[str, Any]:
        words, numbers, stock = self.words, self.numbers, self.figures.inventory

        def rate(part: int, whole: int, ends: tuple[float, float]) -> Shown:
            share = part / whole
            return Shown(
                words.plain(
                    "quality.count",
                    part=numbers.count(part),
                    whole=numbers.count(whole),
                    share=numbers.percent(share, 1),
                    interval=numbers.interval(*ends, 1),
                ),
                share,
                numeric=True,
            )

        lines = [
            words("quality.duplicates_none")
            if stock.reposts is None
            else words(
                "quality.duplicates_text",
                reposts=numbers.count(stock.reposts),
                read=numbers.count(stock.read),
            )
        ]
        if stock.not_judged:
            lines.append(words("quality.rejected", rejected=numbers.count(stock.not_judged)))
        if stock.languages and stock.counted:
            told = [
                words.of("language", code).format(share=numbers.percent(count / stock.counted))
                for code, count in stock.languages.items()
                if code in ("fr", "en", "other")
            ]
            lines.append(words("quality.languages", languages=", ".join(told)))
        cells, small, secret = small_and_secret(
            [self.cells(name) for name in ("region", "branch", "function", "subfunction")]
        )
        return {
            "errors": [
                Line(
                    (
                        Shown(words.of("definition", one.definition)),
                        rate(one.found, one.true, one.sensitivity),
                        rate(one.left_alone, one.others, one.specificity),
                    )
                )
                for one in self.figures.errors
            ],
            "error_heads": self.tables.heads("definition", "sensitivity", "exactness"),
            "unknowns": [
                Line(
                    (
                        Shown(words.of("attribute", name)),
                        self.tables.count(count),
                        self.tables.part(count / stock.counted),
                    )
                )
                for name, count in stock.unknown.items()
                if stock.counted
            ],
            "unknowns_caption": words(
                "quality.unknowns_intro", offers=numbers.count(stock.counted)
            ),
            "unknown_heads": self.tables.heads("attribute", "unknown", "share"),
            "lines": lines,
            "small": words("quality.small_text", small=numbers.count(small),
                           cells=numbers.count(cells), secret=numbers.count(secret)),
        }  # fmt: skip


def _shown(caption: str, heads: list[Head], rows: list[Line]) -> dict[str, Any]:
    return {"title": "", "intro": "", "caption": caption, "heads": heads, "rows": rows,
            "folded": False}  # fmt: skip


def _themes_of(one: Example) -> tuple[str, ...]:
    """Themes of an example: those asked for, and those of its evidence."""
    parts = [part for stretch in (one.title, *one.excerpts) for part in stretch]
    return tuple(dict.fromkeys([*one.themes, *(p.theme for p in parts if p.theme in THEMES)]))


def _points(numbers: Numbers, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NOTHING
    middle = " à " if numbers.lang == "fr" else " to "
    return numbers.points(low).rpartition("\u202f")[0] + middle + numbers.points(high)
