"""From sums to the rows of the tidy table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.estimate.cells import (
    NO_THEME,
    Coded,
    Employers,
    Sums,
    employers,
    index_cells,
    is_unknown,
    number_cells,
    sum_cells,
)
from aiskills.estimate.clusters import Ints
from aiskills.estimate.corrections import CorrectedCells, Corrector
from aiskills.estimate.intervals import Bounds, Floats, divide
from aiskills.estimate.options import PERIODS, Question
from aiskills.estimate.parts import Estimate, Hidden, flagged_share, part_bounds, part_of_whole
from aiskills.estimate.plan import INSIDE, PERIMETER_UNKNOWN, POPULATION_UNKNOWN
from aiskills.schema import THEMES, Definition

Mask = NDArray[np.bool_]

#: What a group is called in the rows that sum over it.
TOTAL: Final = "total"
#: Secrecy of business statistics: fewer employers than this, or one above this share.
MIN_EMPLOYERS: Final = 3
MAX_EMPLOYER_SHARE: Final = 0.85
_OUTSIDE: Final = {
    POPULATION_UNKNOWN: "cadre status unknown: outside the total",
    PERIMETER_UNKNOWN: "perimeter unknown: outside the total",
}
#: Columns of figures, empty where a cell is withheld.
FIGURES: Final = (
    "offers", "flagged", "weighted_offers", "weighted_flagged", "share", "low", "high",
    "n_effective", "share_corrected", "low_corrected", "high_corrected", "part", "part_low",
    "part_high", "part_min", "part_max", "specificity",
)  # fmt: skip


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
        yield from _ordered(rows, board.question.by)
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
        part, bounds = self._parts(sums, hits) if not total else (None, None)
        for n in range(self.size):
            row = self._row_head(n, theme, total=total)
            row |= _figures(n, sums, estimate, corrected, question)
            row |= _part_figures(n, part, bounds)
            share = row["share"]
            none = total or share is None or not typical[n] > 0
            row["specificity"] = None if none else share / float(typical[n])
            row["note"] = _note(
                n,
                sums,
                self.hired,
                question,
                unknown=bool(self.unknown[n]),
                no_interval=share is not None and row["low"] is None,
            )
            if question.withhold and ("small" in row["note"] or "secrecy" in row["note"]):
                row |= dict.fromkeys(name for name in FIGURES if name in row)
                row["note"] += "; withheld"
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

    def _parts(self, sums: Sums, hits: Mask | None) -> tuple[Estimate, Bounds] | tuple[None, None]:
        """Parts of all flagged offers whose cell is known; of those of the period, where cut."""
        coded, level = self.board.coded, self.board.question.level
        if not len(coded):
            return None, None
        belongs = np.isin(coded.inside, (INSIDE, PERIMETER_UNKNOWN))
        whole, first = number_cells(self._time(), belongs)
        known_cell = np.append(~self.unknown, False)[self.cell]
        wholes = self._sums_of(np.where(known_cell, whole, -1), len(first))
        whole_of = np.where(self.unknown, -1, whole[self.first])
        part = part_of_whole(sums, wholes, whole_of, level)
        codes = np.array([codes[self.first] for codes in self.codes], dtype=np.int64)
        bounds = part_bounds(
            sums.weight_flagged,
            codes.reshape(len(self.codes), self.size).T,
            whole_of,
            wholes.weight_flagged,
            self._hidden(whole, known_cell, hits),
        )
        return part, bounds

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
            nothing = np.full(1, np.nan)
            blank = CorrectedCells(nothing, Bounds(nothing, nothing), ["none"])
            row: dict[str, Any] = {
                "definition": self.definition.value, "status": question.status, "row": "outside",
            }  # fmt: skip
            row |= dict.fromkeys(question.by)
            row |= _figures(0, sums, estimate, blank, question) | _part_figures(0, None, None)
            yield row | {"specificity": None, "note": text}


def number(value: float) -> float | None:
    """A figure as a cell holds it: None for NaN and for infinity."""
    return float(value) if math.isfinite(value) else None


def _figures(
    n: int, sums: Sums, estimate: Estimate, corrected: CorrectedCells, question: Question
) -> dict[str, Any]:
    row: dict[str, Any] = {"offers": round(sums.offers[n]), "flagged": round(sums.flagged[n])}
    if question.weights:
        row["weighted_offers"] = float(sums.weight[n])
        row["weighted_flagged"] = float(sums.weight_flagged[n])
    return row | {
        "share": number(estimate.share[n]),
        "low": number(estimate.ends.low[n]),
        "high": number(estimate.ends.high[n]),
        "n_effective": number(estimate.n_effective[n]),
        "share_corrected": number(corrected.share[n]),
        "low_corrected": number(corrected.ends.low[n]),
        "high_corrected": number(corrected.ends.high[n]),
        "correction": corrected.method[n],
    }


def _part_figures(n: int, part: Estimate | None, bounds: Bounds | None) -> dict[str, Any]:
    names = ("part", "part_low", "part_high", "part_min", "part_max")
    if part is None or bounds is None:
        return dict.fromkeys(names)
    values: tuple[Floats, ...] = (
        part.share, part.ends.low, part.ends.high, bounds.low, bounds.high,
    )  # fmt: skip
    return {name: number(value[n]) for name, value in zip(names, values, strict=True)}


def _note(
    n: int,
    sums: Sums,
    hired: Employers | None,
    question: Question,
    *,
    unknown: bool,
    no_interval: bool,
) -> str:
    remarks = ["unknown"] if unknown else []
    if sums.offers[n] < question.min_offers:
        remarks.append(f"small cell (under {question.min_offers})")
    if hired is not None:
        # Offers without a name come from one employer at least.
        count = int(hired.named[n] + (hired.unnamed[n] > 0))
        if count < MIN_EMPLOYERS:
            remarks.append(f"secrecy: {count} employer" + ("s" if count != 1 else ""))
        elif hired.largest[n] > MAX_EMPLOYER_SHARE:
            remarks.append(f"secrecy: one employer has {100 * hired.largest[n]:.0f} %")
    if no_interval:
        remarks.append("one cluster: no interval")
    return "; ".join(remarks)


def _ordered(rows: list[dict[str, Any]], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Periods in time, themes as listed, the rest by flagged offers; unknown and totals last."""
    weight: dict[tuple[str, str], float] = {}
    for row in rows:
        for name in by:
            key = (name, row[name])
            weight[key] = weight.get(key, 0) + (row["flagged"] or 0)

    def place(row: dict[str, Any], name: str) -> tuple[int, float, str]:
        label = row[name]
        last = 2 if label == TOTAL else 1 if is_unknown(name, label) else 0
        if name in PERIODS:
            return last, 0, label
        if name == "theme" and label in THEMES:
            return last, THEMES.index(label), label
        if name == "theme":
            return last, len(THEMES), label
        return last, -weight[name, label], label

    return sorted(rows, key=lambda row: [place(row, name) for name in by])
