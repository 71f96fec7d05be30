"""The rows of the table of growth between two periods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from aiskills.errors import InputError
from aiskills.estimate.cells import Sums, index_cells, is_unknown, number_cells, sum_cells
from aiskills.estimate.clusters import Ints
from aiskills.estimate.corrections import NONE
from aiskills.estimate.growth import Growth, count_growth, share_change, share_growth
from aiskills.estimate.options import months_of
from aiskills.estimate.parts import Estimate, flagged_share, part_of_whole
from aiskills.estimate.plan import INSIDE
from aiskills.estimate.rows import TOTAL, Board, Mask, number
from aiskills.schema import Definition


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
    own_whole = np.arange(size)
    shares = [flagged_share(one, question.level) for one in (before, after)]
    found: dict[str, tuple[Any, Any, Growth, str]] = {
        "flagged": (
            before.flagged, after.flagged, _counts(before, after, both, own_whole, question.level),
            _count_method(board),
        ),
        "offers": (
            all_before.flagged, all_after.flagged,
            _counts(all_before, all_after, all_both, own_whole, question.level),
            _count_method(board),
        ),
        "share": (shares[0].share, shares[1].share, share_growth(*shares), "MOVER, log ratio"),
        "share_points": (shares[0].share, shares[1].share, share_change(*shares), "Newcombe"),
    }  # fmt: skip
    corrected = [
        board.corrector.correct(definition, share, np.where(rows, cell, -1), theme, hits)
        for share, rows in zip(shares, periods, strict=True)
    ]
    estimates = [Estimate(one.share, one.ends, share.n_effective) for one, share in zip(
        corrected, shares, strict=True
    )]  # fmt: skip
    growth = share_growth(*estimates)
    for n in range(size):
        labels = {
            name: coded.labels[name][code]
            for name, code in zip(groups, (one[first[n]] for one in codes), strict=True)
        }
        unknown = any(is_unknown(name, label) for name, label in labels.items())
        if theme is not None:
            labels["theme"] = theme
        for measure, (one, two, change, method) in found.items():
            figures = (measure, one[n], two[n], change, n, method)
            yield _row(board, definition, labels, figures, unknown=unknown)
        methods = {one.method[n] for one in corrected}
        if NONE not in methods:
            one, two = (e.share[n] for e in estimates)
            method = f"MOVER, log ratio of {' and '.join(sorted(methods))}"
            figures = ("share_corrected", one, two, growth, n, method)
            yield _row(board, definition, labels, figures, unknown=unknown)


def _counts(before: Sums, after: Sums, both: Sums, own: Ints, level: float) -> Growth:
    part = part_of_whole(after, both, own, level)
    return count_growth(before.weight_flagged, after.weight_flagged, part)


def _count_method(board: Board) -> str:
    if board.question.cluster:
        return f"quasi-Poisson, clusters of {board.question.cluster}"
    return "Poisson, conditional, Wilson"


def _row(
    board: Board,
    definition: Definition,
    labels: dict[str, str],
    result: tuple[str, float, float, Growth, int, str],
    *,
    unknown: bool,
) -> dict[str, Any]:
    question = board.question
    measure, first, last, growth, n, method = result
    assert question.growth is not None  # noqa: S101
    counts = measure in {"flagged", "offers"}
    note = "unknown" if unknown else ""
    if counts and first + last < question.min_offers:
        note = "; ".join(filter(None, (note, f"small cell (under {question.min_offers})")))
    kind = "total" if not labels else "unknown" if unknown else "cell"
    return {
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
        "note": note,
    }
