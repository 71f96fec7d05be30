"""Tables into the bytes of each format. Where the bytes go, and safely, is `write`'s business."""

from __future__ import annotations

import re
import tempfile
from abc import ABC, abstractmethod
from enum import StrEnum
from json import JSONEncoder
from typing import IO, TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aiskills.errors import OutputError
from aiskills.files.cells import as_text, compact_json, is_json_text, is_text
from aiskills.files.detect import ONE_COLUMN
from aiskills.files.excel import INSTALL
from aiskills.files.formulas import guard
from aiskills.files.notes import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aiskills.files.notes import Note

#: Rows of a Parquet row group: small ones compress badly; while large ones are gathered nothing is
#: written, and in the end all of it at once.
_GROUP_ROWS: Final = 20_000
_GROUP_BYTES: Final = 128 * 2**20
_SHEET_ROWS: Final = 1_048_576
_SHEET_COLUMNS: Final = 16_384
_SHEET_CHARS: Final = 32_767
_EXACT_INTEGER: Final = 10**15  # Excel keeps 15 digits


class CsvStyle(StrEnum):
    """How cells of CSV and TSV are written.

    Attributes:
        PLAIN: An apostrophe goes before text that a spreadsheet could run as a formula.
        EXCEL_FR: PLAIN for Excel in French: `;`, decimal comma, BOM, CRLF.
        RAW: Every cell as it is.
    """

    PLAIN = "plain"
    EXCEL_FR = "excel-fr"
    RAW = "raw"


class Encoder(ABC):
    """Writes tables of the same columns, one after the other, as one file."""

    @abstractmethod
    def start(self, schema: pa.Schema) -> None:
        """Take the columns, before the first table."""

    @abstractmethod
    def write(self, table: pa.Table) -> None:
        """Write the rows of a table whose columns are those of `start`."""

    def finish(self) -> None:  # noqa: B027 (most formats end without a word)
        """Write what comes after the last row."""

    def abort(self) -> None:  # noqa: B027 (most formats hold nothing)
        """Let go of everything without making the file whole."""


class CsvEncoder(Encoder):
    """CSV or TSV in UTF-8: cells quoted where needed, null and NaN empty, `true` / `false`.

    Args:
        file: Takes the bytes.
        separator: One character.
        note: Told how many cells got an apostrophe.
        style: What becomes of formulas; BOM, decimal comma and line ends.
    """

    def __init__(
        self,
        file: IO[bytes],
        separator: str,
        note: Note,
        style: CsvStyle = CsvStyle.PLAIN,
    ) -> None:
        self._file = file
        self._raw_cells = style is CsvStyle.RAW
        self._note = note
        self._for_excel = style is CsvStyle.EXCEL_FR
        self._end = "\r\n" if self._for_excel else "\n"
        self._separator = separator
        self._must_quote = re.compile(f'["\\r\\n{separator}{ONE_COLUMN}]').search
        self._made_safe = 0

    def start(self, schema: pa.Schema) -> None:
        """Take the columns and write the header."""
        if self._for_excel:
            self._file.write(b"\xef\xbb\xbf")
        self._write_rows([self._quoted([name], is_text=True) for name in schema.names])

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        self._write_rows([self._cells(column) for column in table.columns])

    def finish(self) -> None:
        """Tell what was changed."""
        if self._made_safe:
            self._note(
                f"{plural(self._made_safe, 'cell')} that a spreadsheet could run as a formula "
                "got an apostrophe in front"
            )

    def _write_rows(self, columns: list[list[str]]) -> None:
        if len(columns) == 1:  # an empty line would be no row
            columns = [[one or '""' for one in columns[0]]]
        rows = map(self._separator.join, zip(*columns, strict=True))
        self._file.write("".join([row + self._end for row in rows]).encode("utf-8"))

    def _cells(self, column: pa.ChunkedArray) -> list[str]:
        text = as_text(column)
        if self._for_excel and pa.types.is_floating(column.type):
            text = pc.replace_substring(text, ".", ",")
        is_free = is_text(column.type) or pa.types.is_nested(column.type)
        return self._quoted(text.to_pylist(), is_text=is_free)

    def _quoted(self, cells: list[str | None], *, is_text: bool) -> list[str]:
        # csv.writer takes twice as long, and before Python 3.13 leaves a lone CR unquoted, which
        # ends the row.
        if is_text and not self._raw_cells:
            cells, guarded = guard(cells)
            self._made_safe += guarded
        must = self._must_quote
        return [
            "" if one is None else '"' + one.replace('"', '""') + '"' if must(one) else one
            for one in cells
        ]


class JsonLinesEncoder(Encoder):
    """JSONL in UTF-8: one object a line, types kept, NaN null, dates as ISO text.

    Columns marked as JSON text (`cells.JSON_TEXT`) are written as the values they hold.

    Args:
        file: Takes the bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._keys: list[str] = []
        self._raw: list[bool] = []

    def start(self, schema: pa.Schema) -> None:
        """Take the columns, and write them where the format has a header."""
        quote = JSONEncoder(ensure_ascii=False).encode
        self._keys = [("" if place == 0 else ",") + quote(name) + ":"
                      for place, name in enumerate(schema.names)]  # fmt: skip
        self._raw = [is_json_text(field) for field in schema]

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        self._file.write("".join([row + "\n" for row in self._objects(table)]).encode("utf-8"))

    def _objects(self, table: pa.Table) -> Iterator[str]:
        columns = [
            [key + value for value in _json_values(column, raw=raw)]
            for key, raw, column in zip(self._keys, self._raw, table.columns, strict=True)
        ]
        return ("{" + "".join(row) + "}" for row in zip(*columns, strict=True))


class JsonEncoder(JsonLinesEncoder):
    """One JSON array in UTF-8, one object a line."""

    _before = "[\n"

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        text = []
        for row in self._objects(table):
            text.append(self._before + row)
            self._before = ",\n"
        self._file.write("".join(text).encode("utf-8"))

    def finish(self) -> None:
        """Write what comes after the last row."""
        self._file.write(b"\n]\n" if self._before.startswith(",") else b"[]\n")


def _json_values(column: pa.ChunkedArray, *, raw: bool) -> list[str]:
    """Return each cell as JSON text."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return [one or "null" for one in as_text(column).to_pylist()]
    if pa.types.is_nested(kind):
        return [one or "null" for one in as_text(column).to_pylist()]
    if raw:
        return [one or "null" for one in as_text(column).to_pylist()]
    quote = JSONEncoder(ensure_ascii=False).encode
    return ["null" if one is None else quote(one) for one in as_text(column).to_pylist()]


class ParquetEncoder(Encoder):
    """Parquet, types kept, row groups of 20,000 rows.

    Args:
        file: Takes the bytes.
        metadata: Goes into the metadata of the schema.
    """

    def __init__(self, file: IO[bytes], metadata: Mapping[str, str]) -> None:
        self._file = file
        self._metadata = metadata
        self._writer: Any = None
        self._waiting: list[pa.Table] = []

    def start(self, schema: pa.Schema) -> None:
        """Take the columns, and write them where the format has a header."""
        merged = dict(schema.metadata or {})
        merged.update({key.encode(): value.encode() for key, value in self._metadata.items()})
        self._writer = pq.ParquetWriter(
            self._file, schema.with_metadata(merged or None), compression="zstd"
        )

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        self._waiting.append(table)
        rows = sum(len(one) for one in self._waiting)
        if rows >= _GROUP_ROWS or sum(one.nbytes for one in self._waiting) >= _GROUP_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what comes after the last row."""
        self._flush()
        self._writer.close()

    def abort(self) -> None:
        """Let go without making the file whole."""
        self._waiting = []
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []


class ExcelEncoder(Encoder):
    """One sheet of an .xlsx: numbers and booleans as such, all else as text, never a formula.

    Args:
        path: Where the workbook is written.
        name: What messages call it.
        note: Told how many cells were cut at 32,767 characters.

    Raises:
        OutputError: xlsxwriter is not installed; more rows or columns than a sheet has.
    """

    def __init__(self, path: str, name: str, note: Note) -> None:
        try:
            import xlsxwriter
        except ImportError as error:
            raise OutputError(
                f"{name}: writing Excel files needs xlsxwriter", hint=INSTALL
            ) from error
        self._name = name
        self._note = note
        self._cut = 0
        self._row = 0
        # xlsxwriter keeps the rows in temporary files and forgets them when it fails
        self._folder = tempfile.TemporaryDirectory(prefix="aiskills-")
        options = {"constant_memory": True, "tmpdir": self._folder.name}
        self._book = xlsxwriter.Workbook(path, options)
        self._sheet = self._book.add_worksheet("offres")

    def start(self, schema: pa.Schema) -> None:
        """Take the columns, and write them where the format has a header."""
        if len(schema) > _SHEET_COLUMNS:
            raise OutputError(
                f"{self._name}: {len(schema):,} columns", expected=f"at most {_SHEET_COLUMNS:,}"
            )
        for place, name in enumerate(schema.names):
            self._write_text(place, name)
        self._sheet.freeze_panes(1, 0)
        self._row = 1

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        if self._row + len(table) > _SHEET_ROWS:
            raise OutputError(
                f"{self._name}: more rows than the {_SHEET_ROWS - 1:,} of an Excel sheet",
                hint="Write .csv or .parquet.",
            )
        writers = [self._writer_of(column.type) for column in table.columns]
        columns = [_sheet_values(column) for column in table.columns]
        for row in zip(*columns, strict=True):
            for place, (value, write) in enumerate(zip(row, writers, strict=True)):
                if value is not None:
                    write(place, value)
            self._row += 1

    def finish(self) -> None:
        """Write what comes after the last row."""
        from xlsxwriter.exceptions import FileCreateError

        try:
            self._book.close()
        except FileCreateError as error:  # hides a full disk
            raise (
                error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))
            ) from error
        finally:
            self._drop()
        if self._cut:
            self._note(
                f"{self._name}: {plural(self._cut, 'cell')} cut at the {_SHEET_CHARS:,} "
                "characters that Excel allows"
            )

    def abort(self) -> None:
        """Let go without making the file whole."""
        self._drop()

    def _drop(self) -> None:
        rows = getattr(self._sheet, "row_data_fh", None)
        if rows is not None:
            rows.close()
        self._folder.cleanup()

    def _writer_of(self, kind: pa.DataType) -> Callable[[int, Any], object]:
        if pa.types.is_boolean(kind):
            return lambda place, value: self._sheet.write_boolean(self._row, place, value)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._write_number
        return self._write_text

    def _write_number(self, place: int, value: float) -> None:
        if isinstance(value, int) and abs(value) >= _EXACT_INTEGER:
            self._sheet.write_string(self._row, place, str(value))
        elif value == value and value not in {float("inf"), float("-inf")}:
            self._sheet.write_number(self._row, place, value)

    def _write_text(self, place: int, value: str) -> None:
        # Excel counts UTF-16 units, so an emoji counts twice
        if len(value) * 2 > _SHEET_CHARS and (
            units := value.encode("utf-16-le")
        )[2 * _SHEET_CHARS :]:  # fmt: skip
            value = units[: 2 * _SHEET_CHARS].decode("utf-16-le", "ignore")
            self._cut += 1
        if value:
            self._sheet.write_string(self._row, place, value)


def _sheet_values(column: pa.ChunkedArray) -> Sequence[Any]:
    kind = column.type
    plain = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    values: Sequence[Any] = column.to_pylist() if plain else as_text(column).to_pylist()
    return values


def sidecar_bytes(metadata: Mapping[str, str]) -> bytes:
    """Return the metadata that goes beside a file, as JSON."""
    return (compact_json(dict(metadata)) + "\n").encode("utf-8")
