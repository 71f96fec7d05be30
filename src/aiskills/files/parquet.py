"""Parquet: read by Arrow in batches, types kept."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aiskills.errors import InputError
from aiskills.files import limits
from aiskills.files.tables import SAMPLE_ROWS, TableFile, header_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiskills.files.notes import Note
    from aiskills.files.origin import Origin


#: Bytes of a column read at a time.
_READ_BYTES: Final = 2**20


def open_parquet(source: Any) -> pq.ParquetFile:
    """A Parquet file to be read from start to end in bounded memory.

    Arrow reads whole row groups ahead and keeps them until the last row was given, which is the
    whole file in the end; so it reads little by little here.

    Args:
        source: A path or an open file.
    """
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=_READ_BYTES)


class ParquetTable(TableFile):
    """A Parquet file; its columns keep their types.

    Args:
        origin: The file, not compressed as a whole.
        note: Told about renamed columns.

    Raises:
        InputError: It is damaged, has no column, or a text that is not UTF-8.
    """

    def __init__(self, origin: Origin, note: Note) -> None:
        super().__init__(origin)
        with self._explained(), origin.open() as stream:
            file = pq.ParquetFile(stream)
            names = file.schema_arrow.names
            self.n_rows = file.metadata.num_rows
            schema = file.schema_arrow
            if not names:
                raise InputError(f"{origin.name} has no columns")
            for field in schema:
                self._check_time_zones(field.name, field.type)
            self._names = header_names(names, origin.name, note)
            self.schema = pa.schema(
                [field.with_name(name) for field, name in zip(schema, self._names, strict=True)],
                metadata=schema.metadata,
            )
            first = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
            self.sample = self.schema.empty_table() if first is None else self._table(first)

    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows."""
        done = read = 0
        rows = min(chunk_rows, limits.PARQUET_ROWS)
        parts: list[pa.Table] = []
        waiting = size = 0  # rows and bytes of the parts
        with self._explained(), self.origin.open() as stream:
            for batch in open_parquet(stream).iter_batches(batch_size=rows):
                part = self._table(batch)
                parts.append(part)
                done, waiting = done + len(part), waiting + len(part)
                read, size = read + part.nbytes, size + part.nbytes
                self._check_expansion(read)
                self.share_read = done / max(1, self.n_rows or 1)
                if waiting + rows > chunk_rows or size > limits.MAX_CHUNK_BYTES:
                    yield pa.concat_tables(parts)
                    parts, waiting, size = [], 0, 0
            if parts:
                yield pa.concat_tables(parts)

    def _check_expansion(self, read: int) -> None:
        if read > limits.MAX_PARQUET_BYTES and read > limits.MAX_GZ_RATIO * self.origin.size:
            raise InputError(
                f"{self.origin.name} expands to more than {limits.MAX_GZ_RATIO} times its size",
                expected="a Parquet file of ordinary text",
                hint="Check where it comes from; write it again as CSV if you trust it.",
            )

    def _check_time_zones(self, name: str, kind: pa.DataType) -> None:
        """Refuse a time zone that nobody knows, which only writing the times would notice."""
        if pa.types.is_timestamp(kind):
            try:
                pa.scalar(0, kind).as_py()
            except (pa.ArrowException, LookupError, ValueError, OverflowError, OSError) as error:
                raise InputError(
                    f"{self.origin.name}: the column '{name}' has an unknown time zone"
                ) from error
        elif pa.types.is_dictionary(kind):
            self._check_time_zones(name, kind.value_type)
        else:
            for place in range(kind.num_fields):
                self._check_time_zones(name, kind.field(place).type)

    def _table(self, batch: pa.RecordBatch) -> pa.Table:
        table = pa.Table.from_arrays(batch.columns, schema=self.schema)
        for name, column in zip(self._names, table.columns, strict=True):
            try:
                column.validate(full=True)  # Arrow trusts the file; Python would fail later
            except pa.ArrowInvalid as error:
                raise InputError(
                    f"{self.origin.name}: the column '{name}' holds text that is not UTF-8"
                ) from error
        return table

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"{self.origin.name} is a damaged Parquet file ({reason})",
                hint="Copy or write it again.",
            ) from error
