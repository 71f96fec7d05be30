"""Excel and OpenDocument workbooks: the first sheet, each cell as the text a person sees.

A number loses its display format: a postcode typed as a number and shown as 01000 reads `1000`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from aiskills.errors import AiskillsError, InputError
from aiskills.files.notes import listing
from aiskills.files.tables import (
    SAMPLE_ROWS,
    TableFile,
    header_names,
    rows_to_table,
    text_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from aiskills.files.notes import Note
    from aiskills.files.origin import Origin

INSTALL = 'pip install "aiskills[excel]"'


class ExcelTable(TableFile):
    """The first sheet with cells of a workbook, read whole.

    Args:
        origin: The file, not compressed as a whole.
        keep: Whether its rows stay in memory between opening and reading.
        note: Told which sheet is read when there are several, and about renamed columns.

    Raises:
        InputError: It is damaged, protected, empty, or python-calamine is not installed.
    """

    def __init__(self, origin: Origin, *, keep: bool, note: Note) -> None:
        super().__init__(origin)
        self._note: Note | None = note
        rows = self._load()
        self._note = None
        width = max((len(row) for row in rows), default=0)
        header = rows[0] if rows else []
        if not any(name.strip() for name in header):
            raise InputError(
                f"{origin.name} has no header", expected="column names on the first row"
            )
        while width and not any(len(row) >= width and row[width - 1] for row in rows):
            width -= 1  # columns that were formatted but never filled
        self._width = width
        self.schema = text_schema(header_names(header[:width], origin.name, note))
        self.n_rows = len(rows) - 1
        self.sample = rows_to_table([row[:width] for row in rows[1 : SAMPLE_ROWS + 1]], self.schema)
        self._rows = rows if keep else None

    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows."""
        rows = self._load() if self._rows is None else self._rows
        for start in range(1, len(rows), chunk_rows):
            part = [row[: self._width] for row in rows[start : start + chunk_rows]]
            self.share_read = min(1.0, (start + len(part)) / len(rows))
            yield rows_to_table(part, self.schema)

    def close(self) -> None:
        """Let go of files and memory."""
        self._rows = None
        super().close()

    def _load(self) -> list[list[str]]:
        try:
            import python_calamine
        except ImportError as error:
            raise InputError(
                f"{self.origin.name}: reading Excel files needs python-calamine", hint=INSTALL
            ) from error
        name = self.origin.name
        try:
            with self.origin.open() as stream:
                book = python_calamine.load_workbook(stream)
                filled = [
                    sheet for sheet in book.sheet_names if book.get_sheet_by_name(sheet).height
                ]
                if not filled:
                    raise InputError(f"{name} has no filled sheet")
                if self._note and len(filled) > 1:
                    self._note(
                        f"{name}: its sheet '{filled[0]}' is read, not "
                        f"{listing(filled[1:], most=5)}"
                    )
                values = book.get_sheet_by_name(filled[0]).to_python()
        except AiskillsError:
            raise
        except Exception as error:  # calamine has an error class for each format
            raise InputError(
                f"{name} is a damaged or protected workbook ({error})",
                hint="Save it again as .xlsx without password.",
            ) from error
        rows = [[cell_text(value) for value in row] for row in values]
        while rows and not any(rows[-1]):
            rows.pop()
        return rows


def cell_text(value: object) -> str:
    """Return a cell as the text a person sees: `7` for 7.0, ISO dates, `true` / `false`.

    >>> cell_text(7.0), cell_text(0.5), cell_text(dt.datetime(2024, 3, 1)), cell_text(True)
    ('7', '0.5', '2024-03-01', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return "" if value is None else str(value)
