"""Scored offers from files or tables, a batch at a time, only the columns that are asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aiskills.errors import InputError, UsageError
from aiskills.files import find_fields
from aiskills.files.inputs import expand_inputs
from aiskills.files.notes import ignore
from aiskills.files.parquet import ParquetTable, open_parquet
from aiskills.files.reader import open_table

if TYPE_CHECKING:
    from aiskills.files import FieldMap
    from aiskills.files.notes import Note
    from aiskills.files.tables import TableFile

#: Rows of a batch. A batch holds a dozen short columns: some 20 MB.
_ROWS: Final = 250_000
#: Rows of a batch of a text format, whose every column must be read.
_TEXT_ROWS: Final = 20_000
_SIDECAR: Final = ".meta.json"

Read = Callable[[list[str]], Iterator[pa.Table]]


class Scored:
    """One file or table of scored offers.

    Args:
        name: What messages call it.
        columns: Its columns.
        metadata: Versions written by `aiskills classify`, keys `aiskills_…`; empty if unknown.
        read: Gives its rows in order, only the columns named.
        close: Lets go of files and memory.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[str],
        metadata: Mapping[str, str],
        read: Read,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.metadata = dict(metadata)
        self._read = read
        self.close = close
        self._fields: FieldMap | None = None

    @property
    def fields(self) -> FieldMap:
        """Where the fields of an offer are found; a text is not needed to count."""
        if self._fields is None:
            self._fields = find_fields([*self.columns, "description"])
        return self._fields

    def root(self, field: str) -> str | None:
        """The column in which a field of an offer stands, None if it has none."""
        path = self.fields.paths.get(field)
        return path[0] if path and path[0] in self.columns else None

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Give the rows in order, only the columns named (which it must have).

        Text is `string` whatever the file has, so that tables of several files fit together.
        """
        for table in self._read(list(dict.fromkeys(columns))):
            types = [
                pa.string() if pa.types.is_large_string(field.type) else field.type
                for field in table.schema
            ]
            yield table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def open_scored(
    data: Any,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    note: Note = ignore,
) -> list[Scored]:
    """Open whatever holds scored offers.

    Args:
        data: Paths (files, folders, `-`) or what is open already, one or a list of them; a pandas
            or polars DataFrame; a pyarrow Table.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: A file is missing, damaged or no table.
        UsageError: `data` is nothing of the kind.
    """
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars" and hasattr(data, "to_arrow"):
        data = data.to_arrow()
    if isinstance(data, pa.Table):
        return [_from_arrow(data)]
    if kind == "pandas" and hasattr(data, "columns"):
        return [_from_pandas(data)]
    given = [data] if isinstance(data, (str, os.PathLike, Scored)) else data
    if not isinstance(given, (list, tuple)) or not all(
        isinstance(one, (str, os.PathLike, Scored)) for one in given
    ):
        raise UsageError(
            f"offers are a {type(data).__name__}",
            expected="paths, a pandas DataFrame, a polars DataFrame or a pyarrow Table",
        )
    opened = [one for one in given if isinstance(one, Scored)]
    paths = [one for one in given if not isinstance(one, Scored)]
    try:
        for name in expand_inputs(paths, note) if paths or not opened else ():
            table = open_table(name, encoding, separator, keep=True, note=note)
            opened.append(_from_file(table, name))
    except BaseException:
        for one in opened:
            one.close()
        raise
    return opened


def _from_arrow(table: pa.Table) -> Scored:
    def read(columns: list[str]) -> Iterator[pa.Table]:
        for batch in table.select(columns).to_batches(max_chunksize=_ROWS):
            yield pa.Table.from_batches([batch])

    return Scored("the table", table.column_names, _decoded(table.schema.metadata), read)


def _from_pandas(frame: Any) -> Scored:
    names = [str(name) for name in frame.columns]

    def read(columns: list[str]) -> Iterator[pa.Table]:
        yield pa.table({name: _series(frame.iloc[:, names.index(name)]) for name in columns})

    return Scored("the table", names, {}, read)


def _series(column: Any) -> pa.Array:
    """A pandas column; what Arrow cannot hold (mixed objects) becomes text."""
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if one != one else str(one) for one in column], pa.string())


def _from_file(table: TableFile, name: str) -> Scored:
    plain: set[str] = set()
    if isinstance(table, ParquetTable):
        with table.origin.open() as stream:
            names = pq.read_schema(stream).names
        # Arrow reads a dot as a path, and the reader has renamed repeated columns.
        plain = {one for one in names if names.count(one) == 1 and "." not in one}

    def read(columns: list[str]) -> Iterator[pa.Table]:
        if not (columns and plain.issuperset(columns)):
            for part in table.batches(_TEXT_ROWS):
                yield part.select(columns)
            return
        try:
            with table.origin.open() as stream:
                for batch in open_parquet(stream).iter_batches(_ROWS, columns=columns):
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"{table.origin.name} is a damaged Parquet file ({reason})",
                hint="Copy or write it again.",
            ) from error

    metadata = _decoded(table.schema.metadata) or _beside(name)
    return Scored(table.origin.name, table.schema.names, metadata, read, table.close)


def _decoded(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    return {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in (metadata or {}).items()
        if key.startswith(b"aiskills_")
    }


def _beside(name: str) -> dict[str, str]:
    """Metadata from `<name>.meta.json`; empty if there is none that can be read."""
    try:
        found = json.loads(Path(name + _SIDECAR).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(k): str(v) for k, v in found.items() if str(k).startswith("aiskills_")}
