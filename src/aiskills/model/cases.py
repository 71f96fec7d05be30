"""Invented cases: what a model still gets wrong, shown where everybody may read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiskills.errors import LabelError
from aiskills.model.judge import Judge
from aiskills.schema import Definition, Status


@dataclass(frozen=True, slots=True)
class Case:
    """An invented offer and what a careful reader says of it.

    Attributes:
        id: Identifier.
        title: Title, empty if there is none.
        text: Description.
        strict: Status under the strict definition.
        study: Status under the study definition.
        why: What it tries, in a few words.
    """

    id: str
    title: str
    text: str
    strict: Status
    study: Status
    why: str


def read_cases(paths: Iterable[str | Path]) -> list[Case]:
    """Reads JSON files, each a list of objects with id, title, text, strict, study and why.

    Raises:
        LabelError: A file that is no such list.
    """
    cases = []
    for path in paths:
        try:
            for entry in json.loads(Path(path).read_text("utf-8")):
                cases.append(_case(entry))  # noqa: PERF401 (an error must not lose its file)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabelError(
                f"{path}: {error!r}",
                expected="a JSON list of objects with id, title, text, strict, study and why",
            ) from None
    return cases


def _case(entry: Mapping[str, Any]) -> Case:
    return Case(
        str(entry["id"]),
        str(entry["title"]),
        str(entry["text"]),
        Status(entry["strict"]),
        Status(entry["study"]),
        str(entry["why"]),
    )


def failures(judge: Judge, cases: Sequence[Case]) -> dict[str, Any]:
    """The cases that a judge flags wrongly.

    Returns:
        ``cases``: how many there are; ``failed``: those flagged though they are no demand, or not
        flagged though they are one, under either definition, each with id, why, what it is and what
        was said.
    """
    judged = judge.judge([case.title for case in cases], [case.text for case in cases])
    failed = []
    for case, judgement in zip(cases, judged, strict=True):
        true = {d: getattr(case, d.value) for d in Definition}
        said = {d: getattr(judgement, d.value) for d in Definition}
        if any((true[d] is Status.DEMAND) != (said[d] is Status.DEMAND) for d in Definition):
            failed.append(
                {
                    "id": case.id,
                    "why": case.why,
                    "is": {d.value: true[d] for d in Definition},
                    "said": {d.value: said[d] for d in Definition},
                }
            )
    return {"cases": len(cases), "failed": failed}
