"""Sections that let a reader check: skills, evidence, quality."""

from __future__ import annotations

from typing import Any

from aiskills.report.records import Example, SkillTable
from aiskills.report.tables import Head, Line, Shown, small_and_secret
from aiskills.report.view import View
from aiskills.schema import THEMES


class Details(View):
    """Builds the sections of skills, evidence and quality."""

    def skills(self) -> dict[str, Any] | None:
        """Skills asked, overall and by function and branch; None where there is none."""
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

    def samples(self) -> list[dict[str, Any]]:
        """Samples of offers with their evidence; none where texts are not wanted."""
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

    def quality(self) -> dict[str, Any]:
        """Error of the classifier, unknowns, reposts and small cells."""
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


def _themes_of(one: Example) -> tuple[str, ...]:
    """Themes of an example: those asked for, and those of its evidence."""
    parts = [part for stretch in (one.title, *one.excerpts) for part in stretch]
    return tuple(dict.fromkeys([*one.themes, *(p.theme for p in parts if p.theme in THEMES)]))
