"""From sums to the rows of the tidy table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.estimate.cells import (
    NO_THEME,
    Coded,
    Sums,
    employers,
    index_cells,
    is_unknown,
    number_cells,
    sum_cells,
)
from aiskills.estimate.clusters import Ints
from aiskills.estimate.corrections import CorrectedCells, Corrector
from aiskills.estimate.intervals import Floats, divide
from aiskills.estimate.options import PERIODS, Question
from aiskills.estimate.parts import (
    Hidden,
    Wholes,
    flagged_share,
    part_bounds,
    part_of_whole,
)
from aiskills.estimate.plan import INSIDE, PERIMETER_UNKNOWN, POPULATION_UNKNOWN
from aiskills.estimate.row_cells import (
    FIGURES,
    TOTAL,
    Parts,
    figures,
    methods,
    note,
    ordered,
    part_figures,
    withhold,
)
from aiskills.schema import THEMES, Definition

__all__ = ["TOTAL", "Board", "Mask", "level_rows"]

Mask = NDArray[np.bool_]

_OUTSIDE: Final = {
    POPULATION_UNKNOWN: "cadre status unknown: outside the total",
    PERIMETER_UNKNOWN: "perimeter unknown: outside the total",
}


@dataclass(frozen=True, slots=True)
class Board:
    """All that rows are made from.

    Attributes:
        question: What is asked.
        coded: The counts; rows of labelled offers stand behind them.
        counted: By row, whether it is a count (not a labelled offer).
        corrector: Corrects shares.
    """

    question: Question
    coded: Coded
    counted: Mask
    corrector: Corrector


def level_rows(board: Board) -> Iterator[dict[str, Any]]:
    """All rows of the table of levels, in the order in which people read them."""
    for definition in board.question.definitions:
        overall = _Level(board, definition, ())
        rows: list[dict[str, Any]] = []
        groups = tuple(name for name in board.question.by if name != "theme")
        if board.question.by:
            rows += _Level(board, definition, groups).rows(overall)
        if board.question.time and len(board.question.by) > len(board.question.time):
            rows += _Level(board, definition, board.question.time).rows(overall, total=True)
        yield from ordered(rows, board.question.by)
        yield from overall.rows(overall, total=True)
        yield from overall.outside()


class _Level:
    """The cells that one set of groups makes, under one definition."""

    def __init__(self, board: Board, definition: Definition, groups: tuple[str, ...]) -> None:
        self.board, self.definition, self.groups = board, definition, groups
        coded = board.coded
        inside = coded.inside == INSIDE
        self.codes = [coded.codes[name] for name in groups]
        self.cell, self.first = number_cells(self.codes, inside)
        if not groups:  # the total is there even where nothing is
            self.cell = np.where(inside, 0, -1)
            self.first = np.zeros(1, dtype=np.int64)
        self.size = len(self.first)
        counts = self._counts(self.cell)
        self.index = index_cells(counts, self.size, coded.cluster)
        self.hired = employers(coded, counts, self.size, definition)
        self.labels = [
            [coded.labels[name][code] for code in codes[self.first].tolist()]
            for name, codes in zip(groups, self.codes, strict=True)
        ]
        self.unknown = np.array(
            [
                any(is_unknown(name, labels[n]) for name, labels in zip(
                    groups, self.labels, strict=True
                ))
                for n in range(self.size)
            ],
            dtype=bool,
        )  # fmt: skip

    def _counts(self, cell: Ints) -> Ints:
        """Cells of the counts alone; labelled offers are in them already."""
        return np.where(self.board.counted, cell, -1)

    def sums(self, hits: Mask | None = None) -> Sums:
        """Sums of its cells; with `hits`, only those flagged offers count as flagged."""
        return sum_cells(self.board.coded, self.index, self.definition, hits)

    def _sums_of(
        self, cell: Ints, size: int, hits: Mask | None = None, *, clusters: bool = True
    ) -> Sums:
        """Sums of other cells of the same counts."""
        coded = self.board.coded
        index = index_cells(self._counts(cell), size, coded.cluster if clusters else None)
        return sum_cells(coded, index, self.definition, hits)

    def rows(self, overall: _Level, *, total: bool = False) -> list[dict[str, Any]]:
        themes = self._themes() if self.board.question.themes and not total else [(None, None)]
        return [
            row for theme, hits in themes for row in self._block(overall, theme, hits, total=total)
        ]

    def _themes(self) -> list[tuple[str | None, Mask | None]]:
        coded = self.board.coded
        assert coded.themes is not None  # noqa: S101 (read when themes are asked for)
        seen = set().union(*coded.theme_sets)
        names = [one for one in THEMES if one in seen] + sorted(seen - set(THEMES))
        result: list[tuple[str | None, Mask | None]] = []
        for name in names:
            has = np.array([name in one for one in coded.theme_sets], dtype=bool)
            result.append((name, has[coded.themes]))
        none = np.array([not one for one in coded.theme_sets], dtype=bool)[coded.themes]
        hits = none & (coded.sums[f"x_{self.definition}"] > 0)
        return [*result, (NO_THEME, none)] if hits.any() else result

    def _block(
        self, overall: _Level, theme: str | None, hits: Mask | None, *, total: bool
    ) -> Iterator[dict[str, Any]]:
        question = self.board.question
        sums = self.sums(hits)
        estimate = flagged_share(sums, question.level)
        corrected = self.board.corrector.correct(self.definition, estimate, self.cell, theme, hits)
        typical = self._typical(overall, hits)
        parts = self._parts(sums, theme, hits) if not total else None
        for n in range(self.size):
            row = self._row_head(n, theme, total=total)
            row |= figures(n, sums, estimate, corrected, question)
            row |= part_figures(n, parts)
            row["correction"] = methods(n, corrected, parts)
            share = row["share"]
            none = total or share is None or not typical[n] > 0
            row["specificity"] = None if none else share / float(typical[n])
            row["note"] = note(
                n,
                sums,
                self.hired,
                question,
                unknown=bool(self.unknown[n]),
                no_interval=share is not None and row["low"] is None,
            )
            if question.withhold and ("small" in row["note"] or "secrecy" in row["note"]):
                withhold(row, FIGURES)
            yield row

    def _row_head(self, n: int, theme: str | None, *, total: bool) -> dict[str, Any]:
        question = self.board.question
        kind = "total" if total else "unknown" if self.unknown[n] else "cell"
        head: dict[str, Any] = {
            "definition": self.definition.value, "status": question.status, "row": kind,
        }  # fmt: skip
        own = {name: labels[n] for name, labels in zip(self.groups, self.labels, strict=True)}
        if theme is not None:
            own["theme"] = theme
        return head | {name: own.get(name, TOTAL) for name in question.by}

    def _time(self) -> list[Ints]:
        return [
            codes
            for name, codes in zip(self.groups, self.codes, strict=True)
            if name in PERIODS and len(self.groups) > len(self.board.question.time)
        ]

    def _typical(self, overall: _Level, hits: Mask | None) -> Floats:
        """By cell, the share in all offers of its period; of all periods if only these are cut."""
        if not self._time():
            whole = overall.sums(hits)
            return np.repeat(divide(whole.weight_flagged, whole.weight), self.size)
        period, first = number_cells(self._time(), self.board.coded.inside == INSIDE)
        sums = self._sums_of(period, len(first), hits, clusters=False)
        return divide(sums.weight_flagged, sums.weight)[period[self.first]]

    def _parts(self, sums: Sums, theme: str | None, hits: Mask | None) -> Parts | None:
        """Parts of all flagged offers whose cell is known; of those of the period, where cut."""
        coded, level = self.board.coded, self.board.question.level
        if not len(coded):
            return None
        belongs = np.isin(coded.inside, (INSIDE, PERIMETER_UNKNOWN))
        whole, first = number_cells(self._time(), belongs)
        known_cell = np.append(~self.unknown, False)[self.cell]
        known_whole = np.where(known_cell, whole, -1)
        wholes = self._sums_of(known_whole, len(first))
        whole_of = np.where(self.unknown, -1, whole[self.first])
        part = part_of_whole(sums, wholes, whole_of, level)
        corrected = self.board.corrector.correct_parts(
            self.definition,
            Wholes(part, whole_of, sums.weight, wholes.weight_flagged, wholes.weight),
            (self.cell, known_whole),
            theme,
            hits,
        )
        codes = np.array([codes[self.first] for codes in self.codes], dtype=np.int64)
        bounds = part_bounds(
            sums.weight_flagged,
            codes.reshape(len(self.codes), self.size).T,
            whole_of,
            wholes.weight_flagged,
            self._hidden(whole, known_cell, hits),
        )
        return Parts(part, corrected, bounds)

    def _hidden(self, whole: Ints, known_cell: Mask, hits: Mask | None) -> Hidden:
        """Flagged offers whose cell, or whose perimeter, is unknown."""
        coded = self.board.coded
        rows = (whole >= 0) & ~known_cell & self.board.counted
        outside = (coded.inside == PERIMETER_UNKNOWN).astype(np.int64)
        cell, first = number_cells([*self.codes, whole + 1, outside], rows)
        every = self._sums_of(cell, len(first), clusters=False)
        themed = self._sums_of(cell, len(first), hits, clusters=False)
        table = np.array([codes[first] for codes in self.codes], dtype=np.int64).reshape(
            len(self.codes), len(first)
        )
        for place, name in enumerate(self.groups):
            secret = np.array([is_unknown(name, one) for one in coded.labels[name]], dtype=bool)
            table[place] = np.where(secret[table[place]], -1, table[place])
        return Hidden(
            every.weight_flagged,
            themed.weight_flagged,
            whole[first],
            table.T,
            outside[first].astype(bool),
        )

    def outside(self) -> Iterator[dict[str, Any]]:
        """Rows for the offers of which it is not known whether they belong to the total."""
        coded, question = self.board.coded, self.board.question
        for reason, text in _OUTSIDE.items():
            sums = self._sums_of(np.where(coded.inside == reason, 0, -1), 1)
            if not sums.offers[0]:
                continue
            estimate = flagged_share(sums, question.level)
            blank = CorrectedCells.none(1)
            row: dict[str, Any] = {
                "definition": self.definition.value, "status": question.status, "row": "outside",
            }  # fmt: skip
            row |= dict.fromkeys(question.by)
            row |= figures(0, sums, estimate, blank, question) | part_figures(0, None)
            yield row | {"specificity": None, "note": text}
