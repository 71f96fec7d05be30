"""One pass over scored offers that keeps the few short columns all figures are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError
from aiskills.estimate.breaks import find_breaks, version_of
from aiskills.estimate.options import Question
from aiskills.estimate.plan import Plan, id_column, make_plan
from aiskills.estimate.scored import Scored
from aiskills.files.cells import as_text
from aiskills.schema import Definition, Status
from aiskills.skills import read_pieces
from aiskills.study.published import Figure

_EVIDENCE: Final = "ai_evidence"
_STATUSES: Final = tuple(f"ai_{definition}_status" for definition in Definition)
_FLAGGED: Final = pa.array([Status.DEMAND.value, Status.MENTION.value])


@dataclass(frozen=True, slots=True)
class Slim:
    """What the figures need of the offers.

    Attributes:
        offers: All judged offers that are no repost: statuses, cadre status, perimeter, month,
            branch, function, region, and the column of clusters, if any.
        named: Those flagged under one definition at least; in `ai_themes` stand the ids of the
            figures whose theme they ask for or mention.
        asked: The same, with the themes they ask for.
        read: Rows read.
        reposts: Rows left out as reposts.
        dedupe: Whether reposts are left out of every file.
        versions: Models and lexicons that scored the offers.
        breaks: Lines on breaks of the series.
    """

    offers: pa.Table
    named: pa.Table
    asked: pa.Table
    read: int
    reposts: int
    dedupe: bool
    versions: tuple[str, ...]
    breaks: tuple[str, ...]


def read_slim(inputs: Sequence[Scored], question: Question, themes: Sequence[Figure]) -> Slim:
    """Reads the offers.

    Args:
        inputs: The files.
        question: Names every column that is needed.
        themes: Figures of kind ``theme``.

    Raises:
        InputError: A column is missing, or the evidence is none.
    """
    breaks, again = find_breaks(inputs, question)
    plans = [_plan(one, question, ids=bool(again)) for one in inputs]
    parts: list[pa.Table] = []
    texts: list[pa.Table] = []
    read = reposts = 0
    for plan in plans:
        for batch in _batches(plan):
            read += len(batch)
            kept = _first_ones(plan, batch, again)
            if plan.dedupe:
                own = kept.filter(_blank(kept.column("ai_duplicate_of")))
                reposts += len(kept) - len(own)
                kept = own
            table = kept.filter(pc.invert(_both(_blank(kept.column(one)) for one in _STATUSES)))
            flags = [pc.is_in(as_text(table.column(one)), value_set=_FLAGGED) for one in _STATUSES]
            flagged = table.filter(reduce(pc.or_, flags))
            parts.append(_short(plan, table))
            texts.append(
                _short(plan, flagged).append_column(_EVIDENCE, _text(flagged.column(_EVIDENCE)))
            )
    flagged = pa.concat_tables(texts)
    named, asked = _themed(flagged, themes)
    versions = sorted({version_of(one) for one in inputs} - {""})
    return Slim(
        pa.concat_tables(parts),
        named,
        asked,
        read,
        reposts,
        all(plan.dedupe for plan in plans),
        tuple(versions),
        tuple(breaks),
    )


def _plan(scored: Scored, question: Question, *, ids: bool) -> Plan:
    plan = make_plan(scored, question, ids=ids)
    if _EVIDENCE not in scored.columns:
        raise InputError(
            f"{scored.name} has no column '{_EVIDENCE}'",
            hint="Score the offers with `aiskills classify` first, and keep its columns.",
        )
    return plan


def _batches(plan: Plan) -> Iterable[pa.Table]:
    """The rows of a file; one empty batch where it has none."""
    columns = [*plan.read, _EVIDENCE]
    yield pa.table({name: pa.nulls(0, pa.string()) for name in dict.fromkeys(columns)})
    yield from plan.scored.batches(columns)


def _first_ones(plan: Plan, batch: pa.Table, again: Mapping[str, pa.Array]) -> pa.Table:
    """Rows without those that a later file holds too."""
    column, known = id_column(plan.scored), again.get(plan.scored.name)
    if column is None or known is None:
        return batch
    return batch.filter(pc.invert(pc.is_in(as_text(batch.column(column)), value_set=known)))


def _blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(pc.binary_length(as_text(column)), 0), True)


def _both(given: Iterable[pa.ChunkedArray]) -> pa.ChunkedArray:
    return reduce(pc.and_, given)


def _short(plan: Plan, table: pa.Table) -> pa.Table:
    """The columns that questions name, texts as numbers of distinct ones."""
    question = plan.question
    columns: dict[str, pa.ChunkedArray] = {name: table.column(name) for name in _STATUSES}
    for name in ("ai_branch", "ai_function", "ai_region", "ai_period"):
        columns[name] = table.column(name)
    if question.population != "all":
        columns["ai_cadre"] = table.column("ai_cadre")
    if question.perimeter != "all":
        name = f"ai_industry_{question.perimeter}"
        columns[name] = pc.utf8_lower(as_text(table.column(name)))
    if question.cluster:
        name = question.cluster
        if name in plan.fields:
            columns[name] = pa.chunked_array([plan.scored.fields.extract(table, name)])
        else:
            columns[name] = table.column(str(plan.keys[name]))
    return pa.table({name: pc.dictionary_encode(_text(column)) for name, column in columns.items()})


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text of one type: files and pandas give `large_string` too."""
    return as_text(column).cast(pa.string())


def _themed(flagged: pa.Table, figures: Sequence[Figure]) -> tuple[pa.Table, pa.Table]:
    """Flagged offers with the figures whose theme they name, and those whose theme they ask for."""
    pieces = read_pieces(flagged.column(_EVIDENCE))
    bare = flagged.drop_columns([_EVIDENCE])
    result = []
    for demand in (False, True):
        texts = np.full(len(flagged), "", dtype=object)
        for figure in figures:
            fits = np.array(
                [
                    theme == figure.theme and name not in figure.without
                    for name, theme in zip(pieces.names, pieces.themes, strict=True)
                ],
                dtype=bool,
            )
            keep = fits[pieces.term] & (pieces.demand | (not demand))
            texts[np.unique(pieces.offer[keep])] += figure.id + "|"
        result.append(bare.append_column("ai_themes", pa.array(texts.tolist(), pa.string())))
    return result[0], result[1]
