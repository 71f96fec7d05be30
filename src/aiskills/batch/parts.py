"""Parquet files of the store: written once, complete, never changed in place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aiskills.batch.disk import StoreError, sync

_ROW_GROUP: Final = 20_000
_BLOCK: Final = 2**20


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        rows: Offers.
        flagged: Those that ask for AI under `study`.
        bytes: Size of the file.
        sha256: Its hash.
        has_text: Whether any title or description is in it.
    """

    rows: int
    flagged: int
    bytes: int
    sha256: str
    has_text: bool


def write_part(path: Path, table: pa.Table, metadata: Mapping[str, str]) -> Written:
    """Writes and flushes a part; the caller puts it in place.

    The same rows give the same bytes.

    Args:
        path: A staging place.
        table: Offers in the store's columns.
        metadata: Versions of model, lexicon and package.

    Raises:
        OSError: The disk is full or may not be written.
    """
    table = table.replace_schema_metadata(dict(metadata))
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", row_group_size=_ROW_GROUP)
    sync(path)
    return Written(
        len(table),
        pc.sum(pc.fill_null(table.column("ai_study"), fill_value=False)).as_py() or 0,
        path.stat().st_size,
        hash_file(path),
        any(table.column(name).null_count < len(table) for name in ("title", "description")),
    )


def read_part(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The rows of a part.

    Raises:
        StoreError: It is missing or damaged.
    """
    try:
        # Opened as a file: by its path, Arrow would add the folders' year and month as columns.
        with path.open("rb") as file:
            return pq.ParquetFile(file).read(columns)
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:120]
        raise StoreError(
            f"{path} is damaged or missing ({reason})",
            hint="`aiskills store repair` sets it aside and has its offers read again.",
        ) from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
