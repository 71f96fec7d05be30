"""Our figure for each published one: the question to `estimate`, and the row that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa

from aiskills.estimate.cells import is_unknown
from aiskills.estimate.classification import ErrorRates
from aiskills.estimate.intervals import wilson
from aiskills.estimate.measurement import Correction, run
from aiskills.estimate.options import Question
from aiskills.schema import Definition
from aiskills.study.cover import OUTSIDE, months_between
from aiskills.study.published import Figure
from aiskills.study.record import Leader, Ours
from aiskills.study.slim import Slim

Row = dict[str, Any]
#: Leaders shown.
_FIRST: Final = 5
#: Themes that the strict definition counts; the others are no part of it.
_STRICT_THEMES: Final = frozenset(
    {
        "ia", "machine_learning", "deep_learning", "nlp", "vision", "ia_generative",
        "data_science", "ethique",
    }
)  # fmt: skip


@dataclass(slots=True)
class Answers:
    """Asks, and remembers what was asked.

    Attributes:
        slim: The offers.
        base: Population, perimeter, clusters and confidence asked for.
        rates: By status, error rates by definition; those that are there correct.
        memory: Rows by question and table; filled by asking.
    """

    slim: Slim
    base: Question
    rates: Mapping[str, Mapping[Definition, ErrorRates]]
    memory: dict[tuple[str, Question], list[Row]] = field(default_factory=dict)

    def rows(self, table: str, **changes: Any) -> list[Row]:
        """Rows of a measure of one of the tables of `slim`."""
        question = replace(self.base, dedupe=False, **changes)
        key = (table, question)
        if key not in self.memory:
            offers: pa.Table = getattr(self.slim, table)
            how = Correction(error_rates=self.rates.get(question.status, {}))
            self.memory[key] = run(offers, question, how).table.to_pylist()
        return self.memory[key]

    def figure(self, figure: Figure, definition: Definition, status: str) -> Ours:
        """Our figure under one definition; without a value where there is none."""
        nothing = Ours(definition.value, status)
        match figure.kind:
            case "share":
                return self._share(figure, nothing)
            case "growth":
                return self._growth(figure, nothing)
            case "theme":
                return self._theme(figure, nothing)
            case _:
                return self._part(figure, nothing)

    def share(self, window: str, nothing: Ours) -> Ours:
        """Share of all offers of a period, whatever the population asked for."""
        rows = self.rows(
            "offers", status=nothing.status, window=months_between(window), population="all",
            perimeter="all",
        )  # fmt: skip
        return _share_of(_total(rows, nothing), nothing)

    def leaders(self, figure: Figure, nothing: Ours) -> list[Leader]:
        """Values of a group by number of AI offers, all of them."""
        cells = [
            row for row in self._cells(figure, nothing) if row["row"] == "cell" and row["flagged"]
        ]
        cells.sort(key=lambda row: -row["flagged"])
        return [
            Leader(
                row[figure.group], rank, row["flagged"], row["part"], row["part_low"],
                row["part_high"],
            )
            for rank, row in enumerate(cells, 1)
        ]  # fmt: skip

    def shown_leaders(self, figure: Figure, leaders: list[Leader]) -> tuple[Leader, ...]:
        """The first, and those that the publication names."""
        named = {*figure.labels, *figure.behind}
        return tuple(one for one in leaders if one.rank <= _FIRST or one.label in named)

    def iot(self, figures: tuple[Figure, ...], nothing: Ours) -> Ours:
        """Part of the internet of things in our industry's AI offers; no value without any."""
        (figure,) = (one for one in figures if one.theme == "iot")
        return self._theme(figure, nothing)

    def _perimeter(self, figure: Figure) -> str:
        return self.base.perimeter if figure.perimeter == "industry" else "all"

    def _share(self, figure: Figure, nothing: Ours) -> Ours:
        rows = self.rows(
            "offers", status=nothing.status, window=months_between(figure.window),
            perimeter=self._perimeter(figure),
        )  # fmt: skip
        return _share_of(_total(rows, nothing), nothing)

    def _growth(self, figure: Figure, nothing: Ours) -> Ours:
        first, _, last = figure.window.partition(":")
        column = f"ai_industry_{self.base.perimeter}"
        rows = self.rows(
            "offers", status=nothing.status, growth=(first, last),
            perimeter=self._perimeter(figure),
            by=(column,) if figure.perimeter == "others" else (),
        )  # fmt: skip
        wanted = {
            row["measure"]: row
            for row in rows
            if row["definition"] == nothing.definition
            and (row[column] in OUTSIDE if figure.perimeter == "others" else row["row"] == "total")
        }
        if not wanted or not wanted["flagged"]["first"]:
            return nothing
        row = wanted["flagged"]
        found = replace(
            nothing, value=row["change"], low=row["low"], high=row["high"],
            count=round(row["last"]), of=round(row["first"]),
        )  # fmt: skip
        better = wanted.get("flagged_corrected", {})
        return _corrected(found, *(better.get(name) for name in ("change", "low", "high")))

    def _cells(self, figure: Figure, nothing: Ours) -> list[Row]:
        rows = self.rows(
            "offers", status=nothing.status, window=months_between(figure.window),
            by=(figure.group,), perimeter=self._perimeter(figure),
        )  # fmt: skip
        return [row for row in rows if row["definition"] == nothing.definition]

    def _part(self, figure: Figure, nothing: Ours) -> Ours:
        rows = self._cells(figure, nothing)
        known = sum(row["flagged"] for row in rows if row["row"] == "cell")
        for row in rows:
            if row["row"] == "cell" and row[figure.group] == figure.label and known:
                found = replace(
                    nothing, value=row["part"], low=row["part_low"], high=row["part_high"],
                    count=row["flagged"], of=known, least=row["part_min"], most=row["part_max"],
                )  # fmt: skip
                ends = (row["part_corrected_low"], row["part_corrected_high"])
                return _corrected(found, row["part_corrected"], *ends)
        return nothing

    def unknown_part(self, figure: Figure, nothing: Ours) -> float:
        """Of the AI offers of a part, the share of unknown group, 0 to 1."""
        rows = [row for row in self._cells(figure, nothing) if row["row"] in ("cell", "unknown")]
        every = sum(row["flagged"] for row in rows)
        hidden = sum(row["flagged"] for row in rows if is_unknown(figure.group, row[figure.group]))
        return hidden / every if every else 0.0

    def _theme(self, figure: Figure, nothing: Ours) -> Ours:
        if nothing.definition == Definition.STRICT and figure.theme not in _STRICT_THEMES:
            return nothing
        rows = self.rows(
            "asked" if nothing.status == "demand" else "named", status=nothing.status,
            window=months_between(figure.window), by=("theme",),
            perimeter=self._perimeter(figure),
        )  # fmt: skip
        every = _total(rows, nothing)["flagged"]
        if not every:
            return nothing
        for row in rows:
            if row["definition"] == nothing.definition and row["theme"] == figure.id:
                return replace(
                    nothing, value=row["part"], low=row["part_low"], high=row["part_high"],
                    count=row["flagged"], of=every,
                )  # fmt: skip
        ends = wilson(0.0, every, self.base.level)
        return replace(nothing, value=0.0, low=0.0, high=float(ends.high), count=0, of=every)


def strict_counts(figure: Figure, definition: str) -> bool:
    """Whether a definition counts the theme of a figure at all."""
    return not figure.theme or definition != Definition.STRICT or figure.theme in _STRICT_THEMES


def _total(rows: list[Row], nothing: Ours) -> Row:
    return next(
        row for row in rows if row["row"] == "total" and row["definition"] == nothing.definition
    )


def _share_of(row: Row, nothing: Ours) -> Ours:
    if not row["offers"]:
        return nothing
    found = replace(
        nothing, value=row["share"], low=row["low"], high=row["high"], count=row["flagged"],
        of=row["offers"],
    )  # fmt: skip
    return _corrected(found, row["share_corrected"], row["low_corrected"], row["high_corrected"])


def _corrected(found: Ours, value: float | None, low: float | None, high: float | None) -> Ours:
    """Our figure with its correction; without, where there is none."""
    if value is None:
        return found
    return replace(found, corrected=value, corrected_low=low, corrected_high=high)
