"""Reposts among offers that are in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from aiskills.dedupe.passes import COLUMN, Settings, find_reposts
from aiskills.errors import UsageError
from aiskills.files import Chunk, find_fields

_ROWS: Final = 5000
_SAMPLE_ROWS: Final = 100


def duplicates(
    offers: Any,
    *,
    window_days: int = 90,
    threshold: float = 0.8,
    same: Sequence[str] = (),
    any_place: bool = False,
    mapping: Mapping[str, str] | None = None,
) -> Any:
    """Tell which offers repeat an earlier one.

    Args:
        offers: A pandas DataFrame, a polars DataFrame or a pyarrow Table of offers, classified or
            not.
        window_days: Most days between an offer and the latest one before it in its cluster, for
            reposts told by their text.
        threshold: Share of word runs that two texts must have in common (Jaccard), 0.7 to 1.
        same: Fields or columns in which reposts must agree too, e.g. ``["company"]``.
        any_place: Whether the same text for another region is a repost.
        mapping: Which column holds what, e.g. ``{"date": "seen"}``, where the names do not tell.

    Returns:
        For each row the identifier of the earliest offer of its cluster, missing for that offer
        itself and for offers that repeat none: a pandas Series of the same index, a polars Series
        or a pyarrow Array. The identifier is the column ``uid``, else ``source:id``, else ``id``,
        else a hash of the text.

    Raises:
        InputError: No text column can be told.
        UsageError: `offers` is no table, a setting is out of its range, or a column is not there.
    """
    if isinstance(same, str):
        same = (same,)
    settings = Settings(window_days, threshold, tuple(same), any_place)
    kind = type(offers).__module__.partition(".")[0]
    if isinstance(offers, pa.Table):
        return _column(offers, settings, mapping)
    if kind == "pandas" and hasattr(offers, "columns"):
        import pandas as pd

        found = _column(arrow_table(offers), settings, mapping)
        return pd.Series(found.to_pandas().array, index=offers.index, name=COLUMN)
    if kind == "polars" and hasattr(offers, "to_arrow"):
        import polars as pl

        return pl.Series(COLUMN, _column(offers.to_arrow(), settings, mapping))
    raise UsageError(
        f"offers are a {type(offers).__name__}",
        expected="a pandas DataFrame, a polars DataFrame or a pyarrow Table",
    )


def arrow_table(offers: Any) -> pa.Table:
    """A pandas DataFrame of offers as Arrow; what Arrow cannot hold becomes text."""
    names = [str(name) for name in offers.columns]
    columns = [_arrow(offers.iloc[:, place]) for place in range(len(names))]
    return pa.table(columns, names=names)


def chunks_of(table: pa.Table, mapping: Mapping[str, str] | None) -> list[Chunk]:
    """A table of offers in chunks, its first rows telling where the fields are.

    Raises:
        InputError: No text column can be told.
        UsageError: `mapping` names a column that is not there.
    """
    fields = find_fields(table.column_names, table.slice(0, _SAMPLE_ROWS), mapping)
    return [
        Chunk(table.slice(start, _ROWS), fields, "the table", start)
        for start in range(0, len(table), _ROWS)
    ]


def _column(table: pa.Table, settings: Settings, mapping: Mapping[str, str] | None) -> pa.Array:
    return find_reposts(chunks_of(table, mapping), settings).column()


def _arrow(column: Any) -> pa.Array:
    """A pandas column; what Arrow cannot hold (mixed objects) becomes text."""
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        texts = [
            None if gone else str(value).encode("utf-8", "replace").decode()
            for value, gone in zip(column, column.isna(), strict=True)
        ]
        array = pa.array(texts, pa.string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
