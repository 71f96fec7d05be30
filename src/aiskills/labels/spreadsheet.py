"""A table to fill in with a spreadsheet: one offer a row; and the filled-in table back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from aiskills.errors import LabelError
from aiskills.labels.annotation import Annotation, make_annotation, read_tasks
from aiskills.labels.tasks import UNSURE, Task
from aiskills.schema import THEMES, Status

#: What the annotator fills in.
TO_FILL: Final = ("strict", "study", "themes", "sure", "comment")
COLUMNS: Final = ("uid", "title", "description", *TO_FILL, "lang", "set", "stratum", "inclusion")
#: Longest text of a cell; Excel cuts longer ones into several rows.
MAX_CELL: Final = 32_000
_CUT: Final = " […]"
#: Identifiers that a spreadsheet would take for a number, a date or a formula.
_NOT_PLAIN: Final = re.compile(r"['=+\-@\t\r]|[\d\s.,:/+\-]+([eE][\d+\-]*)?$")
_STATUSES: Final = {
    **{str(status): str(status) for status in Status},
    "demande": "demand", "aucun": "none", "aucune": "none",
}  # fmt: skip
_YES: Final = frozenset({"", "yes", "oui", "true", "vrai", "1", "y", "o"})
_NO: Final = frozenset({"no", "non", "false", "faux", "0", "n", UNSURE})


def table(tasks: Iterable[Task]) -> pa.Table:
    """Tasks as a table of text, `COLUMNS`; the cells to fill in are empty.

    Identifiers that a spreadsheet would change get an apostrophe before them, which `read` takes
    off again. Texts over `MAX_CELL` characters are cut. Suggestions are not shown.
    """
    rows = [
        {
            **dict.fromkeys(COLUMNS, ""),
            **task.about,
            "uid": f"'{task.uid}" if _NOT_PLAIN.match(task.uid) else task.uid,
            "title": _cut(task.text[: len(task.title)]),
            "description": _cut(task.text[len(task.title) + 1 :]),
        }
        for task in tasks
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in COLUMNS]))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CELL else text[:MAX_CELL] + _CUT


def read(filled: pa.Table, name: str) -> list[Annotation]:
    """Annotations of a table that was filled in.

    Args:
        filled: The table, all columns text. ``strict`` and ``study`` hold demand, mention or none
            (or demande, aucun), ``themes`` codes of themes with blanks, commas or bars between
            them, ``sure`` no (or non) where the reader is not sure.
        name: The file, for messages.

    Returns:
        One annotation a row; a row whose statuses are both empty is skipped. Tables hold no
        marks.

    Raises:
        LabelError: A column is missing, or a cell holds something else.
    """
    missing = [one for one in ("uid", "strict", "study") if one not in filled.column_names]
    if missing:
        raise LabelError(
            f"{name} lacks the column(s) {', '.join(missing)}",
            expected="the table that `aiskills sample --to table` wrote",
        )
    rows = filled.select([one for one in COLUMNS if one in filled.column_names]).to_pylist()
    return read_tasks(rows, _annotation, name, "row")


def _annotation(row: Mapping[str, Any]) -> list[Annotation]:
    cells = {name: str(value).strip() if value is not None else "" for name, value in row.items()}
    choices = []
    for definition in ("strict", "study"):
        if given := cells[definition].lower():
            if given not in _STATUSES:
                raise ValueError(
                    f"{definition} is {cells[definition]!r}; expected demand, mention or none"
                )
            choices.append(f"{definition}:{_STATUSES[given]}")
    themes = [theme for theme in re.split(r"[\s,;|]+", cells.get("themes", "").lower()) if theme]
    if unknown := [theme for theme in themes if theme not in THEMES]:
        raise ValueError(f"{unknown[0]!r} is no theme; expected some of {', '.join(THEMES)}")
    choices += [f"theme:{theme}" for theme in themes]
    sure = cells.get("sure", "").lower()
    if sure not in _YES | _NO:
        raise ValueError(f"sure is {cells['sure']!r}; expected yes or no")
    if sure in _NO:
        choices.append(UNSURE)
    about = {**cells, "uid": cells["uid"].removeprefix("'")}
    empty = not cells["strict"] and not cells["study"]
    return [make_annotation(about, choices=choices, skipped=empty)]
