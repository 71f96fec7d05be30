"""What every kind of file gives to the reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pyarrow as pa

from aiskills.errors import InputError
from aiskills.files import limits
from aiskills.files.cells import text_array, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiskills.files.notes import Note
    from aiskills.files.origin import Origin

SAMPLE_ROWS = 50
"""Rows read at opening, to see which columns hold nested values."""


class TableFile(ABC):
    """A file opened as a table: its columns are known, its rows are read when asked for.

    Attributes:
        origin: Where its bytes come from.
        schema: Its columns; those of text formats are all `string`.
        sample: Its first rows, at most `SAMPLE_ROWS`.
        n_rows: Its rows, None when unknown before reading.
        describe: How it was cut into columns, for messages; may be empty.
    """

    schema: pa.Schema
    sample: pa.Table
    n_rows: int | None = None
    describe: str = ""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.share_read = 0.0

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far by `batches`; an estimate for files that are read whole."""
        return int(self.origin.size * self.share_read)

    @abstractmethod
    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows, from the first row."""

    def close(self) -> None:
        """Let go of files and memory."""
        self.origin.close()


def text_schema(names: Sequence[str]) -> pa.Schema:
    """Return a schema of text columns."""
    return pa.schema([pa.field(name, pa.string()) for name in names])


def rows_to_table(rows: Sequence[Sequence[str | None]], schema: pa.Schema) -> pa.Table:
    """Turn rows of texts, all as wide as the schema, into a table."""
    if not rows:
        return schema.empty_table()
    columns = [text_array(column) for column in zip(*rows, strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)


def check_columns(count: int, source: str) -> None:
    """Refuse more columns than a table of offers can have.

    Raises:
        InputError: There are more than `limits.MAX_COLUMNS`.
    """
    if count > limits.MAX_COLUMNS:
        raise InputError(
            f"{source} has {count:,} columns",
            expected=f"a table of offers, with {limits.MAX_COLUMNS:,} at most",
        )


def header_names(names: Sequence[str], source: str, note: Note) -> list[str]:
    """Return the column names of a header, repeated ones renamed, which `note` is told.

    Raises:
        InputError: There are more than `limits.MAX_COLUMNS`.
    """
    check_columns(len(names), source)
    unique, changes = unique_names(names)
    for name, new in changes:
        note(f"{source}: two columns are named '{name}'; the second is called '{new}'")
    return unique
