"""Breaks of a series: offers scored by different models or lexicons, and how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.estimate.options import Question
from aiskills.estimate.plan import id_column
from aiskills.estimate.scored import Scored
from aiskills.files.cells import as_text

_KEYS: Final = ("aiskills_model", "aiskills_lexicon", "aiskills_thresholds")
#: Columns that say by which version each row was scored, where several are in one file.
VERSION_COLUMNS: Final = ("ai_model", "ai_lexicon")
#: Pairs of versions that are compared at most.
_MOST_PAIRS: Final = 3


def version_of(scored: Scored) -> str:
    """Model, lexicon and thresholds of a file in words; empty if it does not tell."""
    model, lexicon, thresholds = (scored.metadata.get(key, "") for key in _KEYS)
    if not (model or lexicon):
        return ""
    return f"model {model or '?'}, lexicon {lexicon or '?'}" + (
        f", thresholds {thresholds}" if thresholds else ""
    )


def find_breaks(
    inputs: Sequence[Scored], question: Question
) -> tuple[list[str], dict[str, pa.Array]]:
    """Says whether the offers were scored by more than one version, and measures the overlap.

    Args:
        inputs: The files.
        question: Whose definitions are compared.

    Returns:
        Lines for the reader, none if there is one version; and by name of file the ids of offers
        that a later file holds under another version, so that each counts once.
    """
    inside = any(set(VERSION_COLUMNS) & set(one.columns) for one in inputs)
    named = {one.name: version_of(one) for one in inputs}
    told = sorted({version for version in named.values() if version})
    unsure = [name for name, version in named.items() if not version] if told else []
    if not inside and len(told) < 2 and not unsure:
        return [], {}
    rows = _rows(inputs, question)
    versions = pc.unique(rows.column("version")).to_pylist()
    if len(versions) < 2:
        return [], {}
    spans = [f"{one or 'not told'} ({_span(rows, one)})" for one in versions]
    lines = [
        "break of series: scored by more than one version: " + "; ".join(spans),
    ]
    pairs = [(a, b) for i, a in enumerate(versions) for b in versions[i + 1 :]]
    lines += [_overlap(rows, a, b, question) for a, b in pairs[:_MOST_PAIRS]]
    if len(pairs) > _MOST_PAIRS:
        lines.append(f"{len(pairs) - _MOST_PAIRS} more pairs of versions are not compared")
    return lines, _again(rows, inputs) if not inside else {}


def _rows(inputs: Sequence[Scored], question: Question) -> pa.Table:
    """Id, version, file, month and statuses of every row."""
    parts = []
    for one in inputs:
        uid = id_column(one)
        own = [name for name in VERSION_COLUMNS if name in one.columns]
        columns = [f"ai_{d}_status" for d in question.definitions]
        columns = [name for name in columns if name in one.columns]
        months = "ai_period" if "ai_period" in one.columns else None
        wanted = [*columns, *own, *filter(None, (uid, months))]
        for batch in one.batches(wanted):
            version = pa.array([version_of(one)]).take(pa.array(np.zeros(len(batch), np.int64)))
            for name in own:
                version = pc.binary_join_element_wise(
                    version, pc.fill_null(as_text(batch.column(name)), ""), f" {name[3:]} "
                )
            nothing = pa.nulls(len(batch), pa.string())
            statuses = {
                f"ai_{d}_status": as_text(batch.column(f"ai_{d}_status"))
                if f"ai_{d}_status" in columns
                else nothing
                for d in question.definitions
            }
            parts.append(
                pa.table(
                    {
                        "uid": as_text(batch.column(uid)) if uid else nothing,
                        "version": version,
                        "file": pa.array([one.name]).take(pa.array(np.zeros(len(batch), np.int64))),
                        "month": as_text(batch.column(months)) if months else nothing,
                        **statuses,
                    }
                )
            )
    return pa.concat_tables(parts)


def _span(rows: pa.Table, version: str) -> str:
    own = rows.filter(pc.equal(rows.column("version"), version))
    months = own.column("month")
    months = months.filter(pc.fill_null(pc.not_equal(months, ""), False))
    when = ""
    if len(months):
        ends = pc.min_max(months).as_py()
        when = f", {ends['min']} to {ends['max']}"
    return f"{len(own):,} offers{when}"


def _overlap(rows: pa.Table, first: str, second: str, question: Question) -> str:
    """What two versions say of the offers that both have scored."""
    one, two = (
        rows.filter(pc.and_(pc.equal(rows.column("version"), v), pc.is_valid(rows.column("uid"))))
        for v in (first, second)
    )
    label = f"'{first or 'not told'}' and '{second or 'not told'}'"
    both = _once(one).join(_once(two), keys="uid", join_type="inner", right_suffix=" of the other")
    if not len(both):
        return (
            f"no offer was scored by both {label}: the break cannot be measured; "
            "score some offers of the first period again"
        )
    told = []
    for definition in question.definitions:
        flags = [
            np.asarray(_flags(both.column(f"ai_{definition}_status{suffix}"), question))
            for suffix in ("", " of the other")
        ]
        told.append(
            f"{definition}: flagged {100 * flags[0].mean():.2f} % by the first and "
            f"{100 * flags[1].mean():.2f} % by the second, "
            f"{100 * (flags[0] == flags[1]).mean():.1f} % alike"
        )
    return f"{len(both):,} offers were scored by both {label}; " + "; ".join(told)


def _flags(column: pa.ChunkedArray, question: Question) -> pa.ChunkedArray:
    wanted = ["demand"] if question.status == "demand" else ["demand", "mention"]
    return (
        pc.is_in(column, value_set=pa.array(wanted)).combine_chunks().to_numpy(zero_copy_only=False)
    )


def _once(rows: pa.Table) -> pa.Table:
    """One row an offer: the first."""
    statuses = [name for name in rows.column_names if name.startswith("ai_")]
    grouped = rows.group_by("uid", use_threads=False).aggregate(
        [(name, "first") for name in statuses]
    )
    return grouped.rename_columns([name.removesuffix("_first") for name in grouped.column_names])


def _again(rows: pa.Table, inputs: Sequence[Scored]) -> dict[str, pa.Array]:
    """By file, ids that stand in a later file under another version."""
    found: dict[str, pa.Array] = {}
    for place, one in enumerate(inputs[:-1]):
        others = [o.name for o in inputs[place + 1 :] if version_of(o) != version_of(one)]
        later = rows.filter(pc.is_in(rows.column("file"), value_set=pa.array(others, pa.string())))
        own = rows.filter(pc.equal(rows.column("file"), one.name)).column("uid").drop_null()
        both = own.filter(pc.is_in(own, value_set=later.column("uid").drop_null().unique()))
        if len(both):
            found[one.name] = both.unique()
    return found
