"""Where in a text file a row stands: its line and its own text, for the quarantine."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aiskills.errors import AiskillsError
from aiskills.files.detect import (
    BINARY_TABLES,
    Dialect,
    TextForm,
    find_dialect,
    find_encoding,
    identify,
)
from aiskills.files.limits import MAX_FIELD_CHARS
from aiskills.files.notes import ignore
from aiskills.files.origin import Origin, from_path

_LINED: Final = frozenset({"csv", "tsv", "jsonl"})


class LineFinder:
    """Goes forward through a CSV, TSV or JSONL file as its reader does.

    Args:
        path: The file.
        encoding: As the reader was told; None to find it.
        separator: Likewise.
    """

    def __init__(self, path: Path, encoding: str | None, separator: str | None) -> None:
        self._rows = _rows(path, encoding, separator)
        self._next = 0

    def find(self, row: int) -> tuple[int | None, str | None]:
        """Line (from 1) and text of a row.

        Args:
            row: Its number, from 0; larger than that of the last call.

        Returns:
            None for both where the format has no lines or they cannot be told.
        """
        try:
            for line, text in self._rows:
                self._next += 1
                if self._next > row:
                    return line, text
        except (AiskillsError, OSError, ValueError, csv.Error):
            pass  # the reader has said what is wrong with the file
        return None, None


def _rows(path: Path, encoding: str | None, separator: str | None) -> Iterator[tuple[int, str]]:
    origin = from_path(path)
    try:
        if origin.head.startswith(BINARY_TABLES):
            return
        kind = identify(origin, ignore)
        if kind not in _LINED:
            return
        form = find_encoding(origin, encoding, ignore)
        if kind == "jsonl":
            yield from _json_lines(origin, form)
        else:
            yield from _records(origin, form, find_dialect(origin, form, separator, ignore))
    finally:
        origin.close()


def _json_lines(origin: Origin, form: TextForm) -> Iterator[tuple[int, str]]:
    with form.open(origin, newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            if not line.isspace():
                yield number, line


def _records(origin: Origin, form: TextForm, dialect: Dialect) -> Iterator[tuple[int, str]]:
    lines: list[str] = []

    def kept() -> Iterator[str]:
        for line in stream:
            lines.append(line)
            yield line

    limit = csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        with form.open(origin, newline="") as stream:
            for _ in range(dialect.skip_lines):
                stream.readline()
            first = 1 + dialect.skip_lines
            header = True
            reader = csv.reader(kept(), delimiter=dialect.separator, strict=True)
            for row in reader:
                if row and not header:
                    yield first, "".join(lines)
                header = header and not row
                first += len(lines)
                lines.clear()
    finally:
        csv.field_size_limit(limit)
