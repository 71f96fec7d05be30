"""The store as scored offers for measuring: of each offer the last version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.batch.columns import store_schema
from aiskills.batch.migrate import metadata_of
from aiskills.batch.parts import read_part
from aiskills.batch.store import ReadStore
from aiskills.estimate.scored import Scored

_IDENTITY: Final = ["uid", "source", "version"]


def open_current(folder: Path) -> Scored:
    """The offers of a store, each in its last version, for `aiskills.estimate`.

    Args:
        folder: The store.

    Raises:
        StoreError: It is none, or damaged.
    """
    with ReadStore(folder) as store:
        paths = store.paths()
    latest = _revised(paths)

    def read(columns: list[str]) -> Iterator[pa.Table]:
        for path in paths:
            table = read_part(path, list(dict.fromkeys([*columns, *_IDENTITY])))
            yield table.filter(_is_current(table, latest)).select(columns)

    metadata = metadata_of(read_part(paths[-1], ["uid"])) if paths else {}
    return Scored(str(folder), store_schema().names, metadata, read)


def _revised(paths: list[Path]) -> dict[tuple[str, str | None], int]:
    """Last versions of the offers that have several."""
    latest: dict[tuple[str, str | None], int] = {}
    for path in paths:
        table = read_part(path, _IDENTITY)
        later = table.filter(pc.greater(table.column("version"), 1))
        for row in later.to_pylist():
            key = row["uid"], row["source"]
            latest[key] = max(latest.get(key, 0), row["version"])
    return latest


def _is_current(table: pa.Table, latest: dict[tuple[str, str | None], int]) -> pa.Array:
    uids = pa.array(sorted({uid for uid, _ in latest}), pa.string())
    maybe = pc.is_in(table.column("uid"), uids).combine_chunks().to_pylist()
    places = [place for place, one in enumerate(maybe) if one]
    stale = {
        place
        for place, row in zip(
            places,
            table.select(_IDENTITY).take(pa.array(places, pa.int64())).to_pylist(),
            strict=True,
        )
        if row["version"] < latest.get((row["uid"], row["source"]), 0)
    }
    return pa.array([place not in stale for place in range(len(table))])
