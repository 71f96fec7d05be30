"""What could not be taken, kept with the reason: whole files, and single rows.

A file lies in ``quarantine/`` under its own name behind the start of its hash, its reason beside it
in ``….why.json``. Rows lie in ``….rows.jsonl``, one object a row: `file`, `row` (from 1, the header
not counted), `line` (from 1; null where the format has none), `reason`, `cells` (by column) and,
where the format has lines, `raw`, the row as it stands there; bytes that cannot be decoded are in
`raw_base64`. Lines that cannot be cut into cells lie in ``….lines.jsonl``, in the same form; they
are not tried again: mend them and put them back into the inbox.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiskills.errors import InputError

#: The folder inside a store.
QUARANTINE: Final = "quarantine"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no offer that can be judged.

    Attributes:
        file: Name of its file.
        row: Its number there, from 1; None for a line that is no row.
        line: The line on which it begins, from 1; None if the format has none.
        reason: Why, without words of the offer.
        cells: Its cells by column; None where it has no columns.
        raw: The row as it stands in the file: text once decoded, bytes where they cannot be; None
            if the format has no lines.
    """

    file: str
    row: int | None
    line: int | None
    reason: str
    cells: Mapping[str, Any] | None
    raw: str | bytes | None = None


def encode_rows(rows: Iterable[Rejected]) -> bytes:
    """Rejected rows as the content of a ``.rows.jsonl``."""
    return b"".join(_encoded(row) for row in rows)


def _encoded(row: Rejected) -> bytes:
    entry: dict[str, Any] = {"file": row.file, "row": row.row, "line": row.line}
    entry["reason"] = row.reason
    if row.cells is not None:
        entry["cells"] = row.cells
    if isinstance(row.raw, bytes):
        try:
            entry["raw"] = row.raw.decode("utf-8")
        except UnicodeDecodeError:
            entry["raw_base64"] = base64.b64encode(row.raw).decode("ascii")
    elif row.raw is not None:
        entry["raw"] = row.raw
    return (json.dumps(entry, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")


def encode_reason(name: str, sha256: str, reason: str, since: str) -> bytes:
    """The content of a ``.why.json``."""
    why = {"file": name, "sha256": sha256, "reason": reason, "since": since}
    return (json.dumps(why, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def cells_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """Cells of the rows in a ``.rows.jsonl``; rows without columns are passed over.

    Raises:
        InputError: The file is missing or is no such file.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                cells = json.loads(line).get("cells")
                if cells and not isinstance(cells, dict):
                    raise ValueError("cells are no object")
                if cells:
                    yield cells
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as quarantined rows ({error})") from error
