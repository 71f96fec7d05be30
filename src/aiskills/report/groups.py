"""Sections by group: branches, functions, themes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiskills.report.records import Cell
from aiskills.report.tables import Head, Line, Shown
from aiskills.report.view import View
from aiskills.schema import THEMES, Definition


class Groups(View):
    """Builds the sections of branches, functions and themes: texts, a chart and tables each."""

    def branches(self) -> dict[str, Any]:
        """Branches, and divisions inside Métallurgie."""
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

    def functions(self) -> dict[str, Any]:
        """Functions, and their second level folded away."""
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

    def themes(self) -> dict[str, Any]:
        """Themes, the internet of things apart."""
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


def _shown(caption: str, heads: list[Head], rows: list[Line]) -> dict[str, Any]:
    return {"title": "", "intro": "", "caption": caption, "heads": heads, "rows": rows,
            "folded": False}  # fmt: skip
