"""Doccano: tasks and label types out, JSONL exports in.

Format of a project of the type "Intent Detection and Slot Filling" (a document has categories
and spans), as in doccano 1.8: ``text``, ``cats`` and ``entities`` (start, end, label); whatever
else stands on a line is kept as metadata and exported again. It counts offsets in UTF-16 units.
Spans must not overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiskills.labels.annotation import Annotation, make_annotation, make_mark, read_tasks
from aiskills.labels.tasks import CHOICES, COLOURS, MARKS, Mark, Task, from_utf16

_KEYS: Final = "123456789"
_GREY: Final = "#5c6b73"


def export(tasks: Iterable[Task]) -> str:
    """Tasks as a JSONL file to import; suggestions are spans that are already there."""
    lines = []
    for task in tasks:
        entities = [[mark.start, mark.end, mark.name] for mark in task.suggestions]
        record = {"text": task.text, "entities": entities, "cats": [], **task.about}
        lines.append(json.dumps(record) + "\n")
    return "".join(lines)


def span_types() -> str:
    """The marks, to be uploaded under Labels, Span."""
    return _types(MARKS, COLOURS)


def category_types() -> str:
    """The choices, to be uploaded under Labels, Category."""
    return _types(CHOICES, {})


def _types(names: Iterable[str], colours: Mapping[str, str]) -> str:
    types = [
        {
            "text": name,
            "prefixKey": None,
            "suffixKey": _KEYS[number] if number < len(_KEYS) else None,
            "backgroundColor": colours.get(name, _GREY),
            "textColor": "#ffffff",
        }
        for number, name in enumerate(names)
    ]
    return json.dumps(types, indent=1) + "\n"


def read(records: Sequence[Any], name: str) -> list[Annotation]:
    """Annotations of an export.

    Args:
        records: Its lines; None for an empty one.
        name: The file, for messages.

    Returns:
        One annotation a line; one without any category is skipped (not labelled yet).

    Raises:
        LabelError: A line that `aiskills sample` did not write, or an unknown label.
    """
    return read_tasks(records, _annotation, name, "line")


def _annotation(record: Mapping[str, Any]) -> list[Annotation]:
    text = record["text"]
    # Projects of the other types call either of them label or labels.
    found = [*_list(record, "cats"), *_list(record, "entities"), *_list(record, "label"),
             *_list(record, "labels")]  # fmt: skip
    choices = [one for one in found if isinstance(one, str)]
    marks = [_mark(text, one) for one in found if not isinstance(one, str)]
    return [make_annotation(record, choices=choices, marks=marks, skipped=not choices)]


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    value = record.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r}; expected a list")  # noqa: TRY004
    return value


def _mark(text: str, span: Any) -> Mark:
    if isinstance(span, Mapping):  # of a project with relations
        span = (span["start_offset"], span["end_offset"], span["label"])
    start, end, label = span
    if any(character > "\uffff" for character in text):  # no text of ours, which are `one_unit`
        start, end = from_utf16(text, start, end)
    return make_mark(text, start, end, label)
