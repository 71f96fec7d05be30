"""The scored files as plain Parquet, so that each table of the report reads only its columns.

A report asks some fifteen questions. Parquet answers each from a few columns; other formats are
read once into a Parquet file in a temporary folder that goes when the report is made.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aiskills.errors import InputError, OutputError
from aiskills.estimate.scored import Scored, open_scored
from aiskills.files import find_fields
from aiskills.files.notes import Note, ignore
from aiskills.files.parquet import open_parquet

if TYPE_CHECKING:
    from aiskills.files import FieldMap

#: Fields of an offer that a report may need beside the added columns.
_FIELDS: Final = ("id", "source", "company", "title", "description")
#: Rows read at a time; offers have some 2,200 characters.
ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Reading:
    """How text files are read: encoding and separator; None to find it."""

    encoding: str | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One file of scored offers as Parquet.

    Attributes:
        name: The user's name of it.
        path: Where the Parquet is.
        rows: Number of rows.
        columns: Its columns.
        metadata: What scored it, keys `aiskills_…`; empty where the file does not tell.
    """

    name: str
    path: Path
    rows: int
    columns: tuple[str, ...]
    metadata: dict[str, str]

    @property
    def fields(self) -> FieldMap:
        """Where the fields of an offer are found."""
        return find_fields([*self.columns, "description"])

    def root(self, field: str) -> str | None:
        """The column in which a field of an offer stands, None if it has none."""
        path = self.fields.paths.get(field)
        return path[0] if path and path[0] in self.columns else None

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows in order, only the columns named."""
        wanted = list(dict.fromkeys(columns))
        try:
            for batch in open_parquet(self.path).iter_batches(ROWS, columns=wanted):
                yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(f"{self.name} is a damaged Parquet file ({reason})") from error


@contextmanager
def sources(
    data: Any,
    reading: Reading,
    *,
    texts: bool = True,
    note: Note = ignore,
) -> Iterator[tuple[Source, ...]]:
    """Opens whatever holds scored offers.

    Args:
        data: Paths (files, folders, `-`), a pandas or polars DataFrame, or a pyarrow Table.
        reading: How text files are read.
        texts: Whether titles and descriptions will be read.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: A file is missing, damaged or no table, or has no column that says whether AI
            is asked for.
        OutputError: There is no room for temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix="aiskills-report-"))
    try:
        opened = open_scored(data, **asdict(reading), note=note)
        try:
            yield tuple(
                _as_parquet(one, folder / str(number), texts=texts)
                for number, one in enumerate(opened)
            )
        finally:
            for one in opened:
                one.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_parquet(scored: Scored, folder: Path, *, texts: bool) -> Source:
    missing = [
        name for name in ("ai_study_status", "ai_strict_status") if name not in scored.columns
    ]
    if missing:
        raise InputError(
            f"{scored.name} has no column '{missing[0]}'",
            hint="Score the offers with `aiskills classify` first.",
        )
    plain = Path(scored.name)
    if plain.suffix == ".parquet" and plain.is_file() and _is_plain(plain, scored):
        rows = pq.ParquetFile(plain).metadata.num_rows
        return Source(scored.name, plain, rows, scored.columns, scored.metadata)
    columns = [name for name in scored.columns if name.startswith("ai_")]
    for field in _FIELDS if texts else _FIELDS[:3]:
        root = scored.root(field)
        if root:
            columns.append(root)
    columns = list(dict.fromkeys(columns))
    folder.mkdir()
    path = folder / (plain.stem + ".parquet" if plain.suffix else "offers.parquet")
    try:
        rows = _copy(scored, path, columns)
    except OSError as error:
        raise OutputError(
            f"{scored.name} cannot be copied to {folder}: {error.strerror}",
            hint="Set TMPDIR to a folder with room.",
        ) from None
    return Source(scored.name, path, rows, tuple(columns), scored.metadata)


def _is_plain(path: Path, scored: Scored) -> bool:
    """Whether the columns can be read by name as they stand in the file."""
    names = pq.read_schema(path).names
    return tuple(names) == scored.columns and not any("." in name for name in names)


def _copy(scored: Scored, path: Path, columns: list[str]) -> int:
    metadata = {key.encode(): value.encode() for key, value in scored.metadata.items()}
    writer, rows = None, 0
    try:
        for batch in scored.batches(columns):
            part = batch.replace_schema_metadata(metadata)
            writer = writer or pq.ParquetWriter(path, part.schema, compression="zstd")
            writer.write_table(part)
            rows += len(part)
        if writer is None:
            nothing = pa.schema([(name, pa.string()) for name in columns], metadata)
            writer = pq.ParquetWriter(path, nothing)
    finally:
        if writer is not None:
            writer.close()
    return rows
