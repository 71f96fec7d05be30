"""The measure: scored offers in, a tidy table of shares with their intervals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError
from aiskills.estimate.breaks import find_breaks, version_of
from aiskills.estimate.cells import Coded, encode
from aiskills.estimate.classification import ErrorRates
from aiskills.estimate.corrections import FALLBACK, Corrector, audit_rates
from aiskills.estimate.counts import Counter, Counts, batches, count
from aiskills.estimate.gold import Gold, read_gold
from aiskills.estimate.growth_rows import growth_rows
from aiskills.estimate.options import PERIODS, Question, months_of
from aiskills.estimate.plan import EMPLOYER, INSIDE, MONTH, UID, Plan, make_plan
from aiskills.estimate.rows import Board, level_rows
from aiskills.estimate.scored import Scored, open_scored
from aiskills.files.notes import Note, ignore
from aiskills.schema import SCHEMA_VERSION, Definition
from aiskills.version import __version__

#: Why a row is outside when its source or employer is not in every period.
_NOT_IN_PANEL: Final = 3
_INTEGERS: Final = frozenset({"offers", "flagged"})
_TEXTS: Final = frozenset(
    {"definition", "status", "row", "correction", "note", "measure", "from", "to", "method"}
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured.

    Attributes:
        table: The tidy table (see docs/measure.md); shares 0 to 1, null where there is nothing.
        question: What was asked.
        about: What was counted, line by line: label and text.
        remarks: What the reader must know besides: breaks, corrections and where they do not
            apply, checks that could not be made.
    """

    table: pa.Table
    question: Question
    about: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    def metadata(self) -> dict[str, str]:
        """What was counted, for the metadata of a file that holds the table."""
        return {
            "aiskills_version": __version__,
            "aiskills_schema": str(SCHEMA_VERSION),
            **{f"measure_{label.replace(' ', '_')}": text for label, text in self.about},
            "measure_remarks": " | ".join(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class Correction:
    """How shares are corrected for the classifier's errors.

    Attributes:
        gold: A file of labelled offers of this very data, with `inclusion`; None without.
        error_rates: Error rates by definition, for cells without labels enough; None for those of
            the model's audit, empty for none.
        model: A model folder whose audit is used; None for the model that ships with aiskills.
    """

    gold: str | Path | None = None
    error_rates: Mapping[Definition, ErrorRates] | None = None
    model: str | Path | None = None


def run(
    data: Any,
    question: Question,
    correction: Correction | None = None,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    counter: Counter = batches,
    note: Note = ignore,
) -> Measurement:
    """Measures.

    Args:
        data: Paths, a pandas or polars DataFrame, or a pyarrow Table, with the columns that
            `aiskills classify` adds.
        question: What is asked.
        correction: How shares are corrected; None for the audit of the model that ships.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
        counter: Makes the counts of each batch; the measure is the same whoever does.
        note: Takes one line for each thing the user should know while reading.

    Raises:
        InputError: A file cannot be read, a column is missing or holds something else.
        LabelError: The gold file is none, or has labels without `inclusion`.
        UsageError: Options that make no sense together.
    """
    how = correction or Correction()
    labels = read_gold(how.gold) if how.gold is not None else None
    inputs = open_scored(data, encoding=encoding, separator=separator, note=note)
    try:
        remarks, again = find_breaks(inputs, question)
        plans = [
            make_plan(one, question, uid=labels is not None, ids=bool(again)) for one in inputs
        ]
        chosen = None if labels is None else pa.array(sorted(labels), pa.string())
        counts = count(plans, chosen=chosen, skip=again, counter=counter)
    finally:
        for one in inputs:
            one.close()
    rates, lines = dict(how.error_rates or {}), ["no correction: none was asked for"]
    if how.error_rates is None:
        rates, lines = audit_rates(inputs, question, how.model)
    elif rates:
        lines = [f"correction ({d}): Rogan-Gladen, {r.told()}" for d, r in rates.items()]
    board, panel = _board(counts, question, rates, plans)
    if labels is not None:
        board = _with_gold(board, counts, labels, question)
    rows = list(growth_rows(board) if question.growth else level_rows(board))
    methods = {row.get("correction") or row.get("method") or "" for row in rows}
    if labels is not None and not any(FALLBACK in method for method in methods):
        lines = []  # every corrected cell has labels of its own
    remarks += lines + _remarks(question, plans, counts, panel) + board.corrector.remarks()
    about = _about(question, inputs, plans, counts)
    return Measurement(_table(rows, question), question, about, tuple(remarks))


def _board(
    counts: Counts, question: Question, rates: Mapping[Definition, ErrorRates],
    plans: Sequence[Plan],
) -> tuple[Board, tuple[int, int] | None]:  # fmt: skip
    table = counts.table
    if counts.chosen is not None:
        table = pa.concat_tables([table, counts.chosen.drop_columns([UID])])
    named = any(plan.keys[EMPLOYER] for plan in plans)
    coded = encode(table, question, employers=named)
    counted = np.arange(len(coded)) < len(counts.table)
    panel = _keep_panel(coded, counted, question) if question.panel else None
    return Board(question, coded, counted, Corrector(question, rates)), panel


def _keep_panel(coded: Coded, counted: np.ndarray, question: Question) -> tuple[int, int]:
    """Puts outside what is not in every period; how many values stay, of how many."""
    assert coded.panel is not None  # noqa: S101 (asked by the caller)
    if question.growth:
        months = np.array(coded.month or [""])[coded.month_code]
        period = np.full(len(coded), -1, dtype=np.int64)
        for number, name in enumerate(question.growth):
            period[np.isin(months, months_of(name))] = number
    else:
        finest = min(question.time, key=lambda name: PERIODS[name])
        labels = coded.labels[finest]
        known = np.array([label[:1].isdigit() for label in labels], dtype=bool)
        period = np.where(known[coded.codes[finest]], coded.codes[finest], -1)
    use = counted & (coded.inside == INSIDE) & (coded.panel >= 0) & (period >= 0)
    pairs = np.unique(np.stack([coded.panel[use], period[use]]), axis=1)
    values, seen = np.unique(pairs[0], return_counts=True)
    kept = values[seen == len(np.unique(period[use]))]
    coded.inside[~np.isin(coded.panel, kept)] = _NOT_IN_PANEL
    return len(kept), len(values)


def _with_gold(
    board: Board, counts: Counts, labels: Mapping[str, Any], question: Question
) -> Board:
    assert counts.chosen is not None  # noqa: S101 (asked by the caller)
    if not len(counts.chosen):
        raise InputError(
            "none of the labelled offers is among the counted ones",
            expected="a gold sample drawn from these very offers, with the same identifiers",
            hint="Check --gold, and whether population, perimeter or window leave them all out.",
        )
    gold = Gold.match(counts.chosen, labels, question.definitions)
    rows = np.arange(len(counts.table), len(board.coded))
    corrector = Corrector(question, board.corrector.rates, gold, rows)
    return Board(question, board.coded, board.counted, corrector)


def _remarks(
    question: Question, plans: Sequence[Plan], counts: Counts, panel: tuple[int, int] | None
) -> list[str]:
    lines = []
    if question.themes:
        lines.append("an offer may ask for several themes: their counts and parts overlap")
    if not all(plan.keys[EMPLOYER] for plan in plans):
        lines.append("secrecy could not be checked: no column names the employer")
    if not all(plan.dedupe for plan in plans):
        lines.append("reposts are counted: run `aiskills dedupe` to mark them")
    if question.dedupe is False:
        lines[-1:] = ["reposts are counted (--no-dedupe)"]
    if panel is not None:
        lines.append(
            f"panel: {panel[0]:,} of {panel[1]:,} values of {question.panel} are in every period "
            "and are kept"
        )
    if counts.dropped.no_period:
        lines.append(f"{counts.dropped.no_period:,} offers without a period lie in no window")
    return lines


def _about(
    question: Question, inputs: Sequence[Scored], plans: Sequence[Plan], counts: Counts
) -> tuple[tuple[str, str], ...]:
    dropped = counts.dropped
    versions = sorted({version_of(one) or "not told by the file" for one in inputs})
    statuses = "demand" if question.status == "demand" else "demand or mention"
    window = "all" if question.window is None else " to ".join(question.window)
    if MONTH in counts.table.column_names:
        months = pc.min_max(counts.table.filter(_inside(counts)).column(MONTH)).as_py()
        if months["min"]:
            window += f" ({months['min']} to {months['max']} seen)"
    if dropped.outside_window:
        window += f", {dropped.outside_window:,} offers of other months left out"
    population = "cadre offers" if question.population == "cadre" else "all offers"
    perimeter = {
        "opco2i": "OPCO 2i", "insee": "industry, INSEE sections B to E", "all": "all sectors",
    }[question.perimeter]  # fmt: skip
    reposts = "counted once" if all(plan.dedupe for plan in plans) else "counted each time"
    lines = [
        ("definition", " and ".join(question.definitions)),
        ("counted as flagged", statuses),
        ("population", population),
        ("perimeter", perimeter),
        ("period", window),
        ("reposts", f"{reposts} ({dropped.reposts:,} left out)"),
        ("rows", f"{dropped.read:,} read, {dropped.not_judged:,} not judged"),
        ("scored by", "; ".join(versions)),
        ("intervals", _intervals(question)),
    ]
    if question.weights:
        lines.append(("weights", question.weights))
    if question.confidence:
        lines.append(("branch confidence", f"{question.confidence} or better, else unknown"))
    return tuple(lines)


def _inside(counts: Counts) -> pa.ChunkedArray:
    """Counts inside what is asked that have a month."""
    month = counts.table.column(MONTH)
    known = pc.fill_null(pc.not_equal(month, ""), False)
    return pc.and_(known, pc.equal(counts.table.column("inside"), INSIDE))


def _intervals(question: Question) -> str:
    how = f"by clusters of {question.cluster}" if question.cluster else "Wilson"
    if question.weights and not question.cluster:
        how += ", Kish's effective number"
    return f"{100 * question.level:g} %, {how}"


def _table(rows: Sequence[Mapping[str, Any]], question: Question) -> pa.Table:
    """Rows as a table; the columns are there even if there is no row."""
    names = list(rows[0])
    texts = _TEXTS | set(question.by)
    columns = {}
    for name in names:
        kind = pa.string() if name in texts else pa.int64() if name in _INTEGERS else pa.float64()
        columns[name] = pa.array([row[name] for row in rows], kind)
    return pa.table(columns)
