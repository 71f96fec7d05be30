"""Label Studio: tasks and labelling configuration out, JSON and JSON-MIN exports in.

Formats: https://labelstud.io/guide/task_format and https://labelstud.io/guide/export, read from
Label Studio 1.x. It counts offsets in code points, as Python does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from aiskills.labels.annotation import Annotation, make_annotation, make_mark, read_tasks
from aiskills.labels.tasks import COLOURS, MARKS, UNSURE, Task
from aiskills.schema import THEMES, Status

_STATUSES: Final = tuple(str(s) for s in (Status.DEMAND, Status.MENTION, Status.NONE))
_QUESTIONS: Final = (
    ("strict", "Strict definition (AI proper)", _STATUSES, "single-radio"),
    ("study", "Study definition (with IoT, big data, …)", _STATUSES, "single-radio"),
    ("themes", "Themes asked for", THEMES, "multiple"),
    ("doubt", "Could another careful reader well disagree?", (UNSURE,), "multiple"),
)  # fmt: skip


def config() -> str:
    """The labelling configuration, to be pasted under Settings, Labeling Interface, Code."""
    lines = [
        "<View>",
        "  <Style>.htx-text { white-space: pre-wrap; }</Style>",
        '  <Labels name="mentions" toName="text">',
        *(
            f"    <Label value={quoteattr(name)} background={quoteattr(COLOURS[name])}/>"
            for name in MARKS
        ),
        "  </Labels>",
        '  <Text name="text" value="$text" granularity="symbol"/>',
    ]
    for name, header, values, kind in _QUESTIONS:
        required = ' required="true"' if kind == "single-radio" else ""
        lines += [
            f"  <Header value={quoteattr(header)}/>",
            f'  <Choices name="{name}" toName="text" choice="{kind}" showInline="true"{required}>',
            *(f"    <Choice value={quoteattr(value)}/>" for value in values),
            "  </Choices>",
        ]
    lines += [
        '  <TextArea name="comment" toName="text" placeholder="Comment" maxSubmissions="1"/>',
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def export(tasks: Iterable[Task], model: str = "aiskills") -> str:
    """Tasks as a JSON file to import; suggestions are predictions.

    Args:
        tasks: What to label.
        model: Name of the model that suggests.
    """
    return json.dumps([_task(task, model) for task in tasks], indent=1) + "\n"


def _task(task: Task, model: str) -> dict[str, Any]:
    record: dict[str, Any] = {"data": {"text": task.text, **task.about}}
    if task.suggestions:
        regions = [
            {
                "id": f"m{number}",
                "from_name": "mentions",
                "to_name": "text",
                "type": "labels",
                "value": {
                    "start": mark.start,
                    "end": mark.end,
                    "text": task.text[mark.start : mark.end],
                    "labels": [mark.name],
                },
            }
            for number, mark in enumerate(task.suggestions)
        ]
        record["predictions"] = [{"model_version": model, "result": regions}]
    return record


def read(records: Sequence[Any], name: str) -> list[Annotation]:
    """Annotations of an export, JSON or JSON-MIN.

    Args:
        records: The tasks in it.
        name: The file, for messages.

    Returns:
        One annotation for each annotator of each task; a task that nobody labelled yet, or whose
        annotation was skipped (cancelled), gives a skipped one.

    Raises:
        LabelError: A task that `aiskills sample` did not write, or an unknown label.
    """
    return read_tasks(records, _annotations, name, "task")


def _annotations(record: Mapping[str, Any]) -> list[Annotation]:
    if "data" not in record:
        choices = [
            *_minimal(record, "strict", "strict:"),
            *_minimal(record, "study", "study:"),
            *_minimal(record, "themes", "theme:"),
            *_minimal(record, "doubt", ""),
        ]
        marks = [make_mark(*_place(record["text"], v)) for v in record.get("mentions") or ()]
        return [
            make_annotation(record, annotator=record.get("annotator"), choices=choices, marks=marks)
        ]
    data = record["data"]
    given = record.get("annotations") or []
    if not given:
        return [make_annotation(data, skipped=True)]
    return [_annotation(data, one) for one in given]


def _annotation(data: Mapping[str, Any], given: Mapping[str, Any]) -> Annotation:
    prefix = {"strict": "strict:", "study": "study:", "themes": "theme:", "doubt": ""}
    choices: list[str] = []
    marks = []
    for region in given.get("result") or ():
        kind, name, value = region.get("type"), region.get("from_name"), region.get("value") or {}
        if kind == "choices" and name in prefix:
            choices += [prefix[name] + str(choice) for choice in value["choices"]]
        elif kind == "labels":
            marks.append(make_mark(*_place(data["text"], value)))
    who = given.get("completed_by")
    if isinstance(who, Mapping):
        who = who.get("email") or who.get("id")
    return make_annotation(
        data,
        annotator=who,
        choices=choices,
        marks=marks,
        skipped=bool(given.get("was_cancelled")),
    )


def _place(text: str, value: Mapping[str, Any]) -> tuple[str, Any, Any, Any, Any]:
    labels = value["labels"]
    if len(labels) != 1:
        raise ValueError(f"a place marked {' and '.join(map(str, labels))}; expected one mark")
    return text, value["start"], value["end"], labels[0], value.get("text")


def _minimal(record: Mapping[str, Any], name: str, prefix: str) -> list[str]:
    """Choices of a JSON-MIN record: a text where there is one, else ``{"choices": [...]}``."""
    value = record.get(name)
    if isinstance(value, Mapping):
        value = value["choices"]
    values = [value] if isinstance(value, str) else value or []
    return [f"{prefix}{one}" for one in values]
