"""Offers from any number of files, as chunks that all have the same columns."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from aiskills.errors import InputError, UsageError
from aiskills.files.cells import as_text, check_lengths, is_text
from aiskills.files.detect import BINARY_TABLES, find_dialect, find_encoding, identify
from aiskills.files.excel import ExcelTable
from aiskills.files.fields import FieldMap, NoSuchColumnError, find_fields
from aiskills.files.inputs import expand_inputs
from aiskills.files.json_tables import JsonLinesTable, JsonTable
from aiskills.files.notes import ignore, listing
from aiskills.files.origin import from_path
from aiskills.files.parquet import ParquetTable
from aiskills.files.text_tables import TextTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from aiskills.files.notes import Note
    from aiskills.files.tables import TableFile
    from aiskills.files.tolerant import OnBadRow


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of one input, in their order.

    Attributes:
        table: The user's own columns, those of all inputs together; null where this input lacks
            one.
        fields: Where this input has the fields of an offer.
        source: The input's name as the user gave it; `stdin` for `-`.
        first_row: Number of the chunk's first row within that input, from 0.
    """

    table: pa.Table
    fields: FieldMap
    source: str
    first_row: int


def open_offers(
    inputs: Sequence[str | os.PathLike[str]],
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    chunk_rows: int = 5000,
    note: Note = ignore,
    on_bad_row: OnBadRow | None = None,
) -> OfferReader:
    """Open files of offers; every problem that can be seen before working is raised here.

    Args:
        inputs: Files, folders or `-` (see `inputs.expand_inputs`).
        mapping: Canonical field -> column that holds it, for what is not found by itself.
        encoding: Encoding of the text files; None to find it.
        separator: Separator of the CSV files; None to find it.
        chunk_rows: Rows of a chunk at most; chunks of long texts are shorter.
        note: Takes one line for each thing the user should know (encoding not sure, columns
            renamed, files left out).
        on_bad_row: Takes each row of a CSV, TSV or JSONL file that cannot be read, while the rows
            around it are; None to make the first one an error.

    Returns:
        A reader, to iterate over and to close (or to use in a `with`).

    Raises:
        InputError: An input is missing, unreadable, no table, damaged or without a text column.
        UsageError: An option makes no sense.
    """
    if chunk_rows < 1:
        raise UsageError(f"chunks of {chunk_rows} rows", expected="1 or more")
    names = expand_inputs(inputs, note)
    tables: list[TableFile] = []
    try:
        for name in names:
            tables.append(  # noqa: PERF401 (those opened are closed when one fails)
                open_table(
                    name, encoding, separator, keep=len(names) == 1, note=note, bad=on_bad_row
                )
            )
        fields = _all_fields(tables, mapping or {}, note)
        schema = _union([table.schema for table in tables])
    except BaseException:
        for table in tables:
            table.close()
        raise
    return OfferReader(tables, fields, schema, chunk_rows)


def read_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    separator: str | None = None,
    note: Note = ignore,
) -> pa.Table:
    """Read a whole table that need not hold offers: labels, results, a lexicon.

    Args:
        path: One file, or `-` for standard input.
        encoding: Encoding of a text file; None to find it.
        separator: Separator of a CSV file; None to find it.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: It is missing, unreadable, no table or damaged.
    """
    file = open_table(os.fspath(path), encoding, separator, keep=True, note=note)
    try:
        parts, row = [], 0
        for table in file.batches(50_000):
            check_lengths(table, file.origin.name, row)
            parts.append(table)
            row += len(table)
        return pa.concat_tables(parts) if parts else file.schema.empty_table()
    finally:
        file.close()


def open_table(
    name: str,
    encoding: str | None,
    separator: str | None,
    *,
    keep: bool,
    note: Note,
    bad: OnBadRow | None = None,
) -> TableFile:
    """Opens one table of any format, for what reads other columns than those of offers.

    Args:
        name: A path, or ``-`` for standard input.
        encoding: Encoding of a text file; None to find it.
        separator: Separator of a CSV file; None to find it.
        keep: Whether to keep what was read, so that rows can be read again.
        note: Takes one line for each thing the user should know.
        bad: Takes each row of a text file that cannot be read; None to make it an error.

    Raises:
        InputError: The file cannot be read as a table.
    """
    origin = from_path(name)
    try:
        if origin.head.startswith(BINARY_TABLES):
            origin = origin.seekable()
        kind = identify(origin, note)
        if kind == "parquet":
            return ParquetTable(origin, note)
        if kind == "xlsx":
            return ExcelTable(origin, keep=keep, note=note)
        lines = kind != "json"
        tolerant = lines and bad is not None
        form = find_encoding(origin, encoding, note, has_lines=lines, tolerant=tolerant)
        if kind == "json":
            return JsonTable(origin, form, keep=keep)
        if kind == "jsonl":
            return JsonLinesTable(origin, form, bad)
        return TextTable(origin, form, find_dialect(origin, form, separator, note), note, bad)
    except BaseException:
        origin.close()
        raise


def _all_fields(
    tables: Sequence[TableFile], mapping: Mapping[str, str], note: Note
) -> list[FieldMap]:
    """Find the fields of every file; a mapped column must be in one of them at least."""
    own = [dict(mapping) for _ in tables]
    for name, column in mapping.items():
        failures = [_mapping_failure(table, name, column) for table in tables]
        if failures[0] is not None and all(failures):
            raise failures[0]
        for table, failure, used in zip(tables, failures, own, strict=True):
            if failure is not None:
                note(f"{table.origin.name}: has no column '{column}'; its own {name} is looked for")
                del used[name]
    return [_find(table, used) for table, used in zip(tables, own, strict=True)]


def _mapping_failure(table: TableFile, name: str, column: str) -> NoSuchColumnError | None:
    try:
        find_fields(table.schema.names, table.sample, {name: column})
    except NoSuchColumnError as error:
        return error
    except InputError:
        pass  # the column is there; whether a text is, is asked for all fields together
    return None


def _find(table: TableFile, mapping: Mapping[str, str]) -> FieldMap:
    try:
        return find_fields(table.schema.names, table.sample, mapping)
    except InputError as error:
        cut = f" ({table.describe})" if table.describe else ""
        raise InputError(
            f"{table.origin.name}{cut}: {error.what}", expected=error.expected, hint=error.hint
        ) from error


def _union(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns of all files in the order they are first seen.

    Columns of several types take the widest of numbers or of times; text and anything else
    together are text.
    """
    if len(schemas) == 1:
        return schemas[0]
    fields: dict[str, pa.Field] = {}
    for schema in schemas:
        for field in schema:
            known = fields.get(field.name)
            fields[field.name] = field if known is None else _common(known, field)
    return pa.schema([field.with_nullable(True) for field in fields.values()])


def _common(one: pa.Field, other: pa.Field) -> pa.Field:
    if one.type.equals(other.type):
        same = (one.metadata or {}) == (other.metadata or {})
        return one if same else one.remove_metadata()
    if pa.types.is_null(one.type) or pa.types.is_null(other.type):
        return other if pa.types.is_null(one.type) else one
    if not is_text(one.type) and not is_text(other.type):
        try:
            return pa.unify_schemas(
                [pa.schema([one]), pa.schema([other])], promote_options="permissive"
            ).field(0)
        except pa.ArrowException:
            pass
    large = pa.types.is_large_string(one.type) or pa.types.is_large_string(other.type)
    return pa.field(one.name, pa.large_string() if large else pa.string())


def _aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table with exactly the columns of the schema; absent ones null."""
    if table.schema.equals(schema, check_metadata=True):
        return table
    columns = []
    for field in schema:
        place = table.schema.get_field_index(field.name)
        if place < 0:
            columns.append(pa.nulls(len(table), field.type))
            continue
        column = table.column(place)
        if not column.type.equals(field.type):
            column = as_text(column).cast(field.type) if is_text(field.type) else column.cast(
                field.type
            )  # fmt: skip
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


class OfferReader:
    """The offers of all inputs, chunk by chunk; may be iterated several times.

    An input without rows gives one chunk of no rows, so that its columns reach the output.

    Attributes:
        schema: The columns of every chunk: those of all inputs, first ones first.
        sources: Names of the inputs.
        fields: Where each input has the fields of an offer.
        n_rows_hint: Rows of all inputs, None when it is not known before reading (CSV).
        bytes_total: Bytes on disk of all inputs.
    """

    def __init__(
        self,
        tables: Sequence[TableFile],
        fields: Sequence[FieldMap],
        schema: pa.Schema,
        chunk_rows: int,
    ) -> None:
        self._tables = list(tables)
        self._chunk_rows = chunk_rows
        self._done = 0
        self._current: TableFile | None = None
        self.schema = schema
        self.fields = tuple(fields)
        self.sources = tuple(table.origin.name for table in tables)
        counts = [table.n_rows for table in tables]
        known = [count for count in counts if count is not None]
        self.n_rows_hint = sum(known) if len(known) == len(counts) else None
        self.bytes_total = sum(table.origin.size for table in tables)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every chunk."""
        return tuple(self.schema.names)

    @property
    def bytes_read(self) -> int:
        """Bytes of `bytes_total` read so far."""
        return self._done + (self._current.bytes_read if self._current is not None else 0)

    def __iter__(self) -> Iterator[Chunk]:
        self._done = 0
        for table, fields in zip(self._tables, self.fields, strict=True):
            self._current = table
            row = 0
            for part in table.batches(self._chunk_rows):
                check_lengths(part, table.origin.name, row)
                yield Chunk(_aligned(part, self.schema), fields, table.origin.name, row)
                row += len(part)
            if not row:
                empty = self.schema.empty_table()
                yield Chunk(empty, fields, table.origin.name, 0)
            self._current = None
            self._done += table.origin.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OfferReader({listing(self.sources, most=3)})"

    def close(self) -> None:
        """Let go of files and memory."""
        for table in self._tables:
            table.close()
