"""The whole against an earlier report's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aiskills.estimate import Bounds, Question, difference, run
from aiskills.estimate.intervals import Floats
from aiskills.files.notes import Note
from aiskills.report.cells import LEAST, cell
from aiskills.report.records import Cell, Change, Compared, Headline, Options
from aiskills.schema import Definition

_VERSION = "scored by"


def compare(previous: str | Path, now: Headline, options: Options, note: Note) -> Compared:
    """Measures an earlier file and the difference of the shares (Newcombe's interval).

    Args:
        previous: Scored offers.
        now: What was measured of the present ones.
        options: Whose population and perimeter count.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: It cannot be read.
    """
    question = Question(
        population=options.population, perimeter=options.perimeter, min_offers=LEAST
    )
    found = run([previous], question, note=note)
    before = {
        Definition(row["definition"]): cell(row, "total")
        for row in found.table.to_pylist()
        if row["row"] == "total"
    }
    version = dict(found.about)[_VERSION]
    return Compared(
        Path(previous).name,
        tuple(_change(one, before[one], now.demand[one]) for one in Definition),
        same_version=version == dict(now.about)[_VERSION],
    )


def _change(definition: Definition, before: Cell, now: Cell) -> Change:
    if before.share is None or now.share is None:
        return Change(definition, before, now, None, None, None)
    ends = difference(_array(before.share), _ends(before), _array(now.share), _ends(now))
    return Change(
        definition, before, now, now.share - before.share, float(ends.low[0]), float(ends.high[0])
    )


def _array(value: float | None) -> Floats:
    return np.array([np.nan if value is None else value])


def _ends(one: Cell) -> Bounds:
    return Bounds(_array(one.low), _array(one.high))
