"""Excel and OpenDocument workbooks: the first sheet, each cell as the text a person sees.

They are read by a process of its own (`sheet_process`) with bounded time and memory.
A number loses its display format: a postcode typed as a number and shown as 01000 reads `1000`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from typing import IO, TYPE_CHECKING, Any, Final, cast

from aiskills.errors import InputError
from aiskills.files import limits, sheet_process
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

INSTALL: Final = 'pip install "aiskills[excel]"'
_ENDED: Final = "reading it takes more time or memory than a file of its size may"
#: Seconds by the clock for a second of processor time, where other programs are at work.
_WALL: Final = 30


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
        if importlib.util.find_spec("python_calamine") is None:
            raise InputError(
                f"{self.origin.name}: reading Excel files needs python-calamine", hint=INSTALL
            )
        head, rows = self._run()
        name = self.origin.name
        if head["too_large"]:
            raise InputError(
                f"{name}: its sheet '{head['sheet']}' spans over {limits.MAX_SHEET_CELLS:,} cells",
                expected="a table of offers",
                hint="Delete what stands far below or beside the table, or save it as CSV.",
            )
        if self._note and head["others"]:
            self._note(
                f"{name}: its sheet '{head['sheet']}' is read, not "
                f"{listing(head['others'], most=5)}"
            )
        while rows and not any(rows[-1]):
            rows.pop()
        return rows

    def _run(self) -> tuple[dict[str, Any], list[list[str]]]:
        """Let a process of its own read the file; what it says first, and the rows."""
        given = self.origin
        expanded = _expanded_size(given)
        seconds = limits.SHEET_SECONDS + limits.SHEET_SECONDS_PER_MB * expanded // 2**20
        memory = limits.SHEET_BYTES + limits.SHEET_BYTES_PER_BYTE * expanded
        if given.path is not None and not given.gz:
            file, content = str(given.path.absolute()), None
        else:
            with given.open() as stream:
                file, content = "-", stream.read()
        command = [sys.executable, "-P", sheet_process.__file__, file]
        command += [str(seconds), str(memory), str(limits.MAX_SHEET_CELLS)]
        try:
            process = subprocess.Popen(  # noqa: S603 (our own script; no shell)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # Ctrl-C is for us: the file at hand is read to its end
            )
        except OSError as error:
            raise InputError(
                f"{given.name}: no process can be started to read it ({error.strerror})",
                hint="Save it as CSV.",
            ) from error
        try:
            lines = process.communicate(content, timeout=_WALL * seconds)[0].splitlines()
        except subprocess.TimeoutExpired:
            lines = []
        finally:
            process.kill()
            process.wait()
        return self._parsed(lines, process.returncode)

    def _parsed(self, lines: list[bytes], code: int) -> tuple[dict[str, Any], list[list[str]]]:
        name = self.origin.name
        head = json.loads(lines[0]) if lines else {}
        last = json.loads(lines[-1]) if code == 0 and lines else None
        reason = last.get("error") if isinstance(last, dict) else None
        if reason == "no sheet is filled":
            raise InputError(f"{name} has no filled sheet")
        if code or reason is not None or not head:
            raise InputError(
                f"{name} is a damaged or protected workbook ({reason or _ENDED})",
                hint="Save it again as .xlsx without password, or as CSV.",
            )
        return head, [json.loads(line) for line in lines[1:]]


def _expanded_size(origin: Origin) -> int:
    """Bytes of a file once unpacked, as it says itself; its own size if it is no zip."""
    try:
        with origin.open() as stream, zipfile.ZipFile(cast("IO[bytes]", stream)) as archive:
            return sum(one.file_size for one in archive.infolist())
    except Exception:  # noqa: BLE001 (a hostile archive makes its reader raise anything)
        return origin.size
