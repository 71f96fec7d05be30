r"""Records of labelled offers and mentions, and their JSONL form.

Both kinds may stand in one file, a JSON object a line. A label points at an offer by ``uid`` and at
a place in it by offsets into ``title + "\n" + description`` (a missing title counts as empty), so
files of labels hold no text of offers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiskills.errors import LabelError
from aiskills.schema import STATUS_ORDER, THEMES, Definition, Status


@dataclass(frozen=True, slots=True)
class OfferLabel:
    """What a careful reader said of a whole offer.

    Attributes:
        uid: The offer's identifier.
        strict: Status under the strict definition.
        study: Status under the study definition, never weaker than `strict`.
        themes: Themes asked for.
        evidence: Offsets of what decided the label.
        lang: fr, en or other.
        sure: False where another careful reader could well disagree.
        set: Which draw the offer comes from, e.g. ``stratified``.
        stratum: Stratum of that draw; empty if it had none.
        inclusion: Probability with which the offer was drawn, above 0; None where it is not known.
        readers: How many readers read it: one, two who agreed, or three where two did not and a
            third settled it.
    """

    uid: str
    strict: Status
    study: Status
    themes: tuple[str, ...] = ()
    evidence: tuple[tuple[int, int], ...] = ()
    lang: str = "fr"
    sure: bool = True
    set: str = ""
    stratum: str = ""
    inclusion: float | None = None
    readers: int = 1


@dataclass(frozen=True, slots=True)
class MentionLabel:
    """What a careful reader said of one mention in its context.

    Attributes:
        uid: The offer's identifier.
        start: Offset of its first character.
        end: Exclusive end.
        status: What the mention means for the person hired.
        definition: The narrowest definition under which it counts; None for `none`.
        sure: False where another careful reader could well disagree.
    """

    uid: str
    start: int
    end: int
    status: Status
    definition: Definition | None = None
    sure: bool = True


def read_labels(
    paths: Iterable[str | Path],
) -> tuple[list[OfferLabel], list[MentionLabel]]:
    """Reads label files of either kind.

    Args:
        paths: JSONL files; a line with ``start`` is a mention, one with ``strict`` an offer.

    Returns:
        Offer labels and mention labels, in the order of the files.

    Raises:
        LabelError: A line that is no label; file, line and what was expected are named.
    """
    offers: list[OfferLabel] = []
    mentions: list[MentionLabel] = []
    for path in paths:
        try:
            lines = Path(path).read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise LabelError(f"{path} cannot be read: {error}") from None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if "start" in record:
                    mentions.append(_mention(record))
                else:
                    offers.append(_offer(record))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                raise LabelError(
                    f"{path}, line {number}: {error!r}",
                    expected="a JSON object with uid, strict and study, or uid, start, end, status",
                ) from None
    return offers, mentions


def _mention(record: Mapping[str, Any]) -> MentionLabel:
    definition = record.get("definition")
    start, end = _span(record["start"], record["end"])
    return MentionLabel(
        str(record["uid"]),
        start,
        end,
        Status(record["status"]),
        Definition(definition) if definition else None,
        bool(record.get("sure", True)),
    )


def _span(start: Any, end: Any) -> tuple[int, int]:
    if not 0 <= int(start) < int(end):
        raise ValueError(f"offsets {start} to {end}")
    return int(start), int(end)


def _offer(record: Mapping[str, Any]) -> OfferLabel:
    strict, study = Status(record["strict"]), Status(record["study"])
    if STATUS_ORDER.index(study) < STATUS_ORDER.index(strict):
        raise ValueError(f"study ({study}) is weaker than strict ({strict})")
    themes = tuple(record.get("themes") or ())
    if unknown := set(themes) - set(THEMES):
        raise ValueError(f"unknown themes {sorted(unknown)}")
    return OfferLabel(
        str(record["uid"]),
        strict,
        study,
        themes,
        tuple(_span(start, end) for start, end in record.get("evidence") or ()),
        str(record.get("lang") or "fr"),
        bool(record.get("sure", True)),
        str(record.get("set") or ""),
        str(record.get("stratum") or ""),
        _probability(record.get("inclusion")),
        int(record.get("readers", 1)),
    )


def _probability(given: Any) -> float | None:
    if given is not None and not 0 < float(given) <= 1:
        raise ValueError(f"inclusion {given}")
    return None if given is None else float(given)
