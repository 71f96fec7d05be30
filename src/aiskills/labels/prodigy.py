"""Prodigy: tasks and a recipe out, the JSONL of ``prodigy db-out`` in.

Formats: https://prodi.gy/docs/api-interfaces (``spans``, ``choice`` and ``blocks``). Keys that
Prodigy does not know come back as they were. It counts offsets in code points, since its tokens
come from spaCy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiskills.labels.annotation import Annotation, make_annotation, make_mark, read_tasks
from aiskills.labels.tasks import CHOICES, MARKS, Task

#: The key under which a task carries what it is about; unlike ``meta``, it is not shown.
_OWN: Final = "aiskills"
_RECIPE: Final = '''\
"""Label offers in Prodigy 1.12 or later:

    prodigy aiskills.label DATASET {tasks} -F {recipe}
    prodigy db-out DATASET > labelled.jsonl
"""

import prodigy
import spacy
from prodigy.components.preprocess import add_tokens
from prodigy.components.stream import get_stream


@prodigy.recipe(
    "aiskills.label",
    dataset=("Dataset to save to", "positional", None, str),
    source=("File of tasks", "positional", None, str),
)
def label(dataset, source):
    stream = get_stream(source, rehash=True, dedup=True, input_key="text")
    # Single characters: a mark may begin inside of what spaCy takes for one word.
    stream.apply(add_tokens, nlp=spacy.blank("fr"), stream=stream, use_chars=True)
    return {{
        "dataset": dataset,
        "stream": stream,
        "view_id": "blocks",
        "config": {{
            "labels": {labels},
            "choice_style": "multiple",
            "ner_manual_highlight_chars": True,
            "blocks": [{{"view_id": "ner_manual"}}, {{"view_id": "choice", "text": None}}],
        }},
    }}
'''


def recipe(tasks: str, name: str) -> str:
    """A recipe that shows the text to mark and the choices below it.

    Args:
        tasks: File of the tasks, for its comment.
        name: File of the recipe, likewise.
    """
    return _RECIPE.format(tasks=tasks, recipe=name, labels=json.dumps(list(MARKS)))


def export(tasks: Iterable[Task]) -> str:
    """Tasks as a JSONL file; suggestions are spans that are already there."""
    options = [{"id": choice, "text": choice.replace(":", ": ")} for choice in CHOICES]
    lines = []
    for task in tasks:
        spans = [{"start": m.start, "end": m.end, "label": m.name} for m in task.suggestions]
        record = {"text": task.text, "spans": spans, "options": options, "accept": [],
                  _OWN: task.about}  # fmt: skip
        lines.append(json.dumps(record) + "\n")
    return "".join(lines)


def read(records: Sequence[Any], name: str) -> list[Annotation]:
    """Annotations of what ``prodigy db-out`` wrote.

    Args:
        records: Its lines; None for an empty one.
        name: The file, for messages.

    Returns:
        One annotation a line; skipped where the answer is reject or ignore.

    Raises:
        LabelError: A line that `aiskills sample` did not write, or an unknown label.
    """
    return read_tasks(records, _annotation, name, "line")


def _annotation(record: Mapping[str, Any]) -> list[Annotation]:
    answer = record.get("answer")
    if answer not in ("accept", "reject", "ignore"):
        raise ValueError(f"its answer is {answer!r}; expected accept, reject or ignore")
    marks = [
        make_mark(record["text"], span["start"], span["end"], span["label"], span.get("text"))
        for span in record.get("spans") or ()
    ]
    return [
        make_annotation(
            record.get(_OWN) or {},
            annotator=record.get("_annotator_id") or record.get("_session_id"),
            choices=[str(choice) for choice in record.get("accept") or ()],
            marks=marks,
            skipped=answer != "accept",
        )
    ]
