"""Offers cut into parts that any machine can do alone: which rows of which file, and its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aiskills.cluster.addresses import (
    expand_addresses,
    is_address,
    open_address,
    open_origin,
    stamp_of,
)
from aiskills.cluster.sizes import PART_ROWS
from aiskills.errors import InputError, UsageError
from aiskills.files import FieldMap, OfferReader, find_fields, open_offers
from aiskills.files.inputs import expand_inputs
from aiskills.files.notes import Note, ignore
from aiskills.files.origin import Origin, from_path
from aiskills.files.parquet import ParquetTable
from aiskills.files.reader import open_table
from aiskills.files.tables import TableFile, header_names

_PARQUET: Final = b"PAR1"


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one file; small, so that it travels.

    Attributes:
        number: Its place among all parts.
        source: Full path or address of the file.
        fields: Where that file has the fields of an offer.
        first: Its first row in the file.
        rows: Its rows; None for a whole file of a format that is read from its start.
    """

    number: int
    source: str
    fields: FieldMap
    first: int = 0
    rows: int | None = None

    @property
    def name(self) -> str:
        """Name of its file among the results; names sort as parts do."""
        return f"part-{self.number:05}.parquet"


@dataclass(frozen=True, slots=True)
class Offers:
    """All parts of some inputs.

    Attributes:
        parts: In the order of the rows.
        schema: The columns of all inputs together.
        sources: Full path or address of each file.
        stamps: What changes when that file does.
        encoding: Encoding that text files are read with; None to find it.
        separator: Separator of CSV files; None to find it.
    """

    parts: tuple[Part, ...]
    schema: pa.Schema
    sources: tuple[str, ...]
    stamps: tuple[str, ...]
    encoding: str | None = None
    separator: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.schema.names)

    @property
    def rows(self) -> int | None:
        """Rows of all parts; None if a file does not tell before it is read."""
        counts = [part.rows for part in self.parts]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def without_parts(self) -> Offers:
        """What reading one part needs, without the list of all: it travels with every part."""
        return replace(self, parts=(), sources=(), stamps=())

    def told(self) -> list[Any]:
        """What decides the rows and their cutting, for a name of the work."""
        cuts = [(one.source, one.first, one.rows, dict(one.fields.paths)) for one in self.parts]
        schema = self.schema.serialize().to_pybytes().hex()
        return [cuts, self.stamps, schema, self.encoding, self.separator]

    def read(self, part: Part, chunk_rows: int) -> OfferReader:
        """The rows of a part, with the columns of all inputs.

        Raises:
            InputError: The file is missing or damaged.
        """
        table: TableFile
        if part.rows is not None:
            table = _Slice(_origin(part.source), part.first, part.rows)
        else:
            table = open_table(part.source, self.encoding, self.separator, keep=False, note=ignore)
        return OfferReader([table], [part.fields], self.schema, chunk_rows)


def cut(
    inputs: Sequence[str],
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    part_rows: int = PART_ROWS,
    note: Note = ignore,
) -> Offers:
    """Cuts inputs into parts; reads no more than the beginnings and ends of files.

    A Parquet file is cut at its row groups, as many as make up `part_rows` rows, and inside those
    that hold more. Any other file is one part. The cutting depends on the files alone.

    Args:
        inputs: Files, folders or patterns; or addresses of Parquet files, folders or patterns.
        mapping: Canonical field -> column that holds it.
        encoding: Encoding of the text files; None to find it.
        separator: Separator of the CSV files; None to find it.
        part_rows: Rows of a part at most.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: An input is missing, no table, damaged or without a text column.
        UsageError: Standard input, or paths and addresses together.
    """
    if part_rows < 1:
        raise UsageError(f"parts of {part_rows} rows", expected="1 or more")
    remote = [is_address(name) for name in inputs]
    if any(remote) and not all(remote):
        raise UsageError("paths and addresses together", expected="one or the other")
    if "-" in inputs:
        raise UsageError("standard input cannot be cut into parts", expected="files or folders")
    if any(remote):
        sources = expand_addresses(inputs)
    else:
        sources = [str(Path(one).resolve()) for one in expand_inputs(inputs, note)]
    sizes, alike = _looked_at(sources)
    firsts = list(dict.fromkeys(alike))
    if any(remote):
        fields, schema = _remote_fields(firsts, mapping)
    else:
        with open_offers(
            firsts, mapping=mapping, encoding=encoding, separator=separator, note=note
        ) as offers:
            fields, schema = dict(zip(firsts, offers.fields, strict=True)), offers.schema
    parts: list[Part] = []
    for source, groups, first in zip(sources, sizes, alike, strict=True):
        for start, rows in _ranges(groups, part_rows):
            parts.append(Part(len(parts), source, fields[first], start, rows))
    stamps = tuple(stamp_of(source) for source in sources)
    return Offers(tuple(parts), schema, tuple(sources), stamps, encoding, separator)


def _origin(source: str) -> Origin:
    return open_origin(source) if is_address(source) else from_path(source)


def _looked_at(sources: Sequence[str]) -> tuple[list[list[int] | None], list[str]]:
    """Rows of the row groups of each file (None unless Parquet), and the first file of its columns.

    Of thousands of files with the same columns only one is then opened to find the fields.
    """
    sizes: list[list[int] | None] = []
    alike: list[str] = []
    known: dict[bytes, str] = {}
    for source in sources:
        with closing(_origin(source)) as origin:
            if not origin.head.startswith(_PARQUET) or origin.gz:
                sizes.append(None)
                alike.append(source)
                continue
            try:
                with origin.open() as stream:
                    file = pq.ParquetFile(stream)
                    found = file.metadata
                    sizes.append([found.row_group(n).num_rows for n in range(found.num_row_groups)])
                    schema = file.schema_arrow.serialize().to_pybytes()
            except (pa.ArrowException, OSError) as error:
                raise _damaged(source, error) from error
        alike.append(known.setdefault(schema, source))
    return sizes, alike


def _ranges(groups: list[int] | None, part_rows: int) -> Iterator[tuple[int, int | None]]:
    """First row and rows of each part of a file; one part for a file without rows."""
    if groups is None:
        yield 0, None
        return
    start = rows = 0
    for group in groups:
        if rows and rows + group > part_rows:
            yield start, rows
            start, rows = start + rows, 0
        rows += group
        while rows > part_rows:
            yield start, part_rows
            start, rows = start + part_rows, rows - part_rows
    if rows or not start:
        yield start, rows


def _remote_fields(
    addresses: Sequence[str], mapping: Mapping[str, str] | None
) -> tuple[dict[str, FieldMap], pa.Schema]:
    fields, schemas = {}, []
    for address in addresses:
        with closing(open_address(address)) as table:
            try:
                fields[address] = find_fields(table.schema.names, table.sample, mapping)
            except InputError as error:
                raise InputError(
                    f"{address}: {error.what}", expected=error.expected, hint=error.hint
                ) from error
            schemas.append(table.schema)
    if len(schemas) == 1:
        return fields, schemas[0]
    try:
        return fields, pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"the files have columns of different types ({str(error).splitlines()[0][:120]})",
            expected="the same types in all files behind addresses",
        ) from error


def _damaged(source: str, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:120]
    return InputError(
        f"{source} is a damaged Parquet file ({reason})",
        hint="Copy or write it again.",
    )


class _Slice(ParquetTable):
    """Some rows of a Parquet file; of the others only those of the same row group are read."""

    def __init__(self, origin: Origin, first: int, rows: int) -> None:
        TableFile.__init__(self, origin)  # the columns were looked at when the parts were cut
        with self._explained(), origin.open() as stream:
            schema = pq.read_schema(stream)
        self._names = header_names(schema.names, origin.name, ignore)
        self.schema = pa.schema(
            [field.with_name(name) for field, name in zip(schema, self._names, strict=True)],
            metadata=schema.metadata,
        )
        self.sample = self.schema.empty_table()
        self.n_rows = rows
        self._first = first

    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows."""
        left = self.n_rows or 0
        if not left:
            return
        with self._explained(), self.origin.open() as stream:
            file = pq.ParquetFile(stream)
            groups, skip = _groups_from(file.metadata, self._first, left)
            for batch in file.iter_batches(batch_size=chunk_rows, row_groups=groups):
                wanted = batch.slice(skip, left)
                skip = max(0, skip - len(batch))
                if len(wanted):
                    left -= len(wanted)
                    yield self._table(wanted)
                if not left:
                    break
        if left:
            raise InputError(
                f"{self.origin.name} changed while it was read",
                expected="files that stay as they are",
            )


def _groups_from(metadata: pq.FileMetaData, first: int, rows: int) -> tuple[list[int], int]:
    """The row groups that hold some rows, and how many of theirs come before."""
    groups: list[int] = []
    start = skip = 0
    for number in range(metadata.num_row_groups):
        end = start + metadata.row_group(number).num_rows
        if end > first and start < first + rows:
            if not groups:
                skip = first - start
            groups.append(number)
        start = end
    return groups, skip
