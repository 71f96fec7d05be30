"""The rows of the table of growth between two periods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from aiskills.errors import InputError
from aiskills.estimate.cells import (
    Sums,
    employers,
    index_cells,
    is_unknown,
    number_cells,
    sum_cells,
)
from aiskills.estimate.corrected_growth import Periods, corrected_growths
from aiskills.estimate.growth import Growth, count_growth, share_change, share_growth
from aiskills.estimate.options import months_of
from aiskills.estimate.parts import flagged_share, part_of_whole
from aiskills.estimate.plan import INSIDE
from aiskills.estimate.row_cells import TOTAL, number, secrecy, withhold
from aiskills.estimate.rows import Board, Mask
from aiskills.schema import Definition

#: Measures that are a number of offers.
COUNTS: Final = frozenset({"flagged", "offers", "flagged_corrected"})
#: Columns of figures, empty where a cell is withheld.
FIGURES: Final = ("first", "last", "change", "low", "high")
#: Measures corrected for the classifier's errors, in the order in which they are shown.
CORRECTED: Final = ("flagged_corrected", "share_corrected")


def growth_rows(board: Board) -> Iterator[dict[str, Any]]:
    """All rows of the table of growth: for each cell and in total, one a measure.

    Raises:
        InputError: A period holds no offer.
    """
    question, coded = board.question, board.coded
    assert question.growth is not None  # noqa: S101 (asked by the caller)
    months = np.array(coded.month or [""])[coded.month_code]
    periods = [np.isin(months, months_of(one)) for one in question.growth]
    for name, rows in zip(question.growth, periods, strict=True):
        if not (rows & board.counted & (coded.inside == INSIDE)).any():
            raise InputError(
                f"no counted offer is of {name}", hint="Compare periods that the offers cover."
            )
    groups = tuple(name for name in question.by if name != "theme")
    themes: list[tuple[str | None, Mask | None]] = [(None, None)]
    if question.themes and coded.themes is not None:
        names = sorted(set().union(*coded.theme_sets))
        themes = [
            (name, np.array([name in one for one in coded.theme_sets], dtype=bool)[coded.themes])
            for name in names
        ]
    for definition in question.definitions:
        if question.by:
            for theme, hits in themes:
                yield from _block(board, definition, groups, periods, (theme, hits))
        yield from _block(board, definition, (), periods, (None, None))


def _block(
    board: Board,
    definition: Definition,
    groups: tuple[str, ...],
    periods: list[Mask],
    themed: tuple[str | None, Mask | None],
) -> Iterator[dict[str, Any]]:
    coded, question = board.coded, board.question
    theme, hits = themed
    codes = [coded.codes[name] for name in groups]
    cell, first = number_cells(codes, (coded.inside == INSIDE) & (periods[0] | periods[1]))
    size = len(first)

    def sums(rows: Mask, *, every: bool = False) -> Sums:
        index = index_cells(np.where(rows & board.counted, cell, -1), size, coded.cluster)
        return sum_cells(coded, index, definition, None if every else hits, every=every)

    before, after = (sums(rows) for rows in periods)
    both = sums(periods[0] | periods[1])
    all_before, all_after = (sums(rows, every=True) for rows in periods)
    all_both = sums(periods[0] | periods[1], every=True)
    shares = (flagged_share(before, question.level), flagged_share(after, question.level))
    part = part_of_whole(after, both, np.arange(size), question.level)
    all_part = part_of_whole(all_after, all_both, np.arange(size), question.level)
    offers = count_growth(all_before.weight_flagged, all_after.weight_flagged, all_part)
    found: dict[str, tuple[Any, Any, Growth, str]] = {
        "flagged": (
            before.weight_flagged, after.weight_flagged,
            count_growth(before.weight_flagged, after.weight_flagged, part), _count_method(board),
        ),
        "offers": (before.weight, after.weight, offers, _count_method(board)),
        "share": (shares[0].share, shares[1].share, share_growth(*shares), "MOVER, log ratio"),
        "share_points": (shares[0].share, shares[1].share, share_change(*shares), "Newcombe"),
    }  # fmt: skip
    first_cells, last_cells = (np.where(rows, cell, -1) for rows in periods)
    counted = Periods(before, after, shares, part, offers, (first_cells, last_cells))
    corrected = list(corrected_growths(board.corrector, definition, counted, theme, hits))
    hired = [
        employers(coded, np.where(board.counted, one, -1), size, definition)
        for one in (first_cells, last_cells)
    ]
    flagged, fewest = before.flagged + after.flagged, np.minimum(before.offers, after.offers)
    for n in range(size):
        secret = [
            word
            for one, sums_of in zip(hired, (before, after), strict=True)
            if one is not None and sums_of.offers[n]
            for word in secrecy(n, one)
        ]
        # Few is few of what is counted, or a share of few in either period.
        few = {"flagged": flagged[n], "flagged_corrected": flagged[n], "offers": both.offers[n]}
        about = (few, float(fewest[n]), secret[:1])
        labels = {
            name: coded.labels[name][code]
            for name, code in zip(groups, (one[first[n]] for one in codes), strict=True)
        }
        unknown = any(is_unknown(name, label) for name, label in labels.items())
        if theme is not None:
            labels["theme"] = theme
        for measure, (one, two, change, method) in found.items():
            figures = (measure, one[n], two[n], change, n, method)
            yield _row(board, definition, labels, figures, about, unknown=unknown)
        for measure in CORRECTED:
            best = next((o for o in corrected if o.measure == measure and o.usable[n]), None)
            if best is not None:
                figures = (measure, best.first[n], best.last[n], best.growth, n, best.method)
                yield _row(board, definition, labels, figures, about, unknown=unknown)


def _count_method(board: Board) -> str:
    if board.question.cluster:
        return f"quasi-Poisson, clusters of {board.question.cluster}"
    return "Poisson, conditional, Wilson"


def _row(
    board: Board,
    definition: Definition,
    labels: dict[str, str],
    result: tuple[str, float, float, Growth, int, str],
    about: tuple[dict[str, float], float, list[str]],
    *,
    unknown: bool,
) -> dict[str, Any]:
    question = board.question
    measure, first, last, growth, n, method = result
    assert question.growth is not None  # noqa: S101
    counts, fewest, secret = about
    remarks = ["unknown"] if unknown else []
    if counts.get(measure, fewest) < question.min_offers:
        remarks.append(f"small cell (under {question.min_offers})")
    remarks += secret
    kind = "total" if not labels else "unknown" if unknown else "cell"
    row = {
        "definition": definition.value,
        "status": question.status,
        "row": kind,
        **{name: labels.get(name, TOTAL) for name in question.by},
        "measure": measure,
        "from": question.growth[0],
        "to": question.growth[1],
        "first": number(first),
        "last": number(last),
        "change": number(growth.change[n]),
        "low": number(growth.ends.low[n]),
        "high": number(growth.ends.high[n]),
        "method": method,
        "note": "; ".join(remarks),
    }
    # As of levels: few offers are withheld, few flagged ones among many are only marked.
    if question.withhold and (secret or fewest < question.min_offers):
        withhold(row, FIGURES)
    return row
