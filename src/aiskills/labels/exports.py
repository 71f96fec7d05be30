"""Exports of annotation tools, told apart and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from aiskills.errors import LabelError
from aiskills.labels import doccano, label_studio, prodigy, spreadsheet
from aiskills.labels.annotation import Annotation

_TABLES: Final = (".csv", ".tsv", ".xlsx")
_READERS: Final = {
    "label-studio": label_studio.read,
    "doccano": doccano.read,
    "prodigy": prodigy.read,
}


class Tool(StrEnum):
    """Where offers are labelled."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"
    PRODIGY = "prodigy"
    TABLE = "table"
    """A spreadsheet."""


def read_export(path: Path, tool: Tool | None = None) -> list[Annotation]:
    """Reads an export.

    Args:
        path: What the tool wrote: JSON or JSON-MIN (Label Studio), JSONL (doccano, Prodigy), or a
            CSV, TSV or XLSX table.
        tool: Which tool; None to tell by the content.

    Raises:
        LabelError: It cannot be read, is of no known tool, or some tasks in it have mistakes.
        InputError: The table cannot be read.
    """
    name = str(path)
    if tool is Tool.TABLE or (tool is None and path.suffix.lower() in _TABLES):
        from aiskills.files import read_table

        return spreadsheet.read(read_table(path), name)
    records = _records(path)
    if tool is None:
        tool = _tool_of(next((one for one in records if one is not None), None), name)
    return _READERS[tool](records, name)


def _records(path: Path) -> list[Any]:
    """The records of a JSON or JSONL file; None for an empty line, so that the others count on."""
    try:
        given = path.read_bytes()
        if given.startswith(b"PK"):
            raise LabelError(f"{path} is an archive", hint="Unpack it and name the file inside.")
        text = given.decode("utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is not UTF-8 ({error.reason})") from None
    if text.lstrip()[:1] == "[":
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LabelError(f"{path} is no JSON: {error}") from None
        return list(whole)
    records: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            records.append(json.loads(line) if line.strip() else None)
        except (ValueError, RecursionError) as error:
            raise LabelError(f"{path}, line {number} is no JSON: {error}") from None
    return records


def _tool_of(record: Any, name: str) -> Tool:
    keys = set(record) if isinstance(record, Mapping) else set()
    if "data" in keys or "annotation_id" in keys:
        return Tool.LABEL_STUDIO
    if "answer" in keys:
        return Tool.PRODIGY
    if "text" in keys and keys & {"cats", "entities", "label", "labels", "Comments"}:
        return Tool.DOCCANO
    raise LabelError(
        f"{name} is no export that is known",
        expected="JSON or JSON-MIN of Label Studio, JSONL of doccano or Prodigy, or a CSV table",
        hint="Say which with --from.",
    )
