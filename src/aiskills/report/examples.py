"""A sample of judged offers, each cut to its title and what stands around its evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.files.cells import as_text
from aiskills.pipeline import texts as offer_texts
from aiskills.report.records import Example, Options, Stretch
from aiskills.report.sources import Source
from aiskills.schema import THEMES, Status

#: Offers shown of each kind.
SHOWN: Final = {Status.DEMAND: 60, Status.MENTION: 40}
#: The sample is the same whenever the files are.
_SEED: Final = 20_250_214
#: Characters shown on each side of a piece of evidence, and of a title.
_AROUND, _TITLE = 110, 240
#: Characters of an excerpt that holds several pieces, about.
_LONG: Final = 480
#: Excerpts of an offer, and pieces of evidence looked at.
_EXCERPTS, _PIECES = 4, 40
_BLANKS: Final = re.compile(r"[^\S\n]*\n\s*")
#: Bare tags of layout, which many offers hold: those that begin a line, and those that do not. All
#: other markup is shown as the text that it is.
_BREAKS: Final = re.compile(r"</?(?:br|p|li|ul|ol|div|h[1-6])\s?/?>", re.IGNORECASE)
_FACES: Final = re.compile(r"</?(?:strong|b|em|i|u|span)>", re.IGNORECASE)
_STATUSES: Final = frozenset(Status)
_ATTRIBUTES: Final = ("ai_region", "ai_function", "ai_branch", "ai_period")
_UNTOLD: Final = frozenset({"", "inconnu"})


def draw(rows: Sequence[NDArray[np.int64]], status: Status) -> list[NDArray[np.int64]]:
    """By source, the rows of a simple random sample, in order.

    Args:
        rows: By source, the rows that may be drawn.
        status: Theirs; it decides how many are drawn.
    """
    ends = np.cumsum([0, *(len(one) for one in rows)])
    total = int(ends[-1])
    random = np.random.default_rng(_SEED)
    chosen = np.sort(random.choice(total, min(total, SHOWN[status]), replace=False))
    return [
        one[chosen[(chosen >= ends[n]) & (chosen < ends[n + 1])] - ends[n]]
        for n, one in enumerate(rows)
    ]


def examples(
    sources: Sequence[Source],
    drawn: Mapping[Status, Sequence[NDArray[np.int64]]],
    options: Options,
) -> dict[Status, tuple[Example, ...]]:
    """Reads the offers of the samples, each file once.

    Args:
        sources: The files.
        drawn: Status -> by source, the rows to read, in order.
        options: Whose definition decides the status.
    """
    found: dict[Status, list[Example]] = {status: [] for status in drawn}
    for number, source in enumerate(sources):
        rows = np.sort(np.concatenate([parts[number] for parts in drawn.values()]))
        if len(rows):
            for example in _read(source, rows, options):
                found[Status(example.status)].append(example)
    return {status: tuple(own) for status, own in found.items()}


def _read(source: Source, rows: NDArray[np.int64], options: Options) -> Iterator[Example]:
    own = [f"ai_{options.definition}_status", f"ai_{options.definition}_score", "ai_evidence",
           "ai_themes", "ai_language", *_ATTRIBUTES]  # fmt: skip
    roots = [source.root(field) for field in ("id", "title", "description")]
    columns = [name for name in own if name in source.columns] + [root for root in roots if root]
    start = 0
    for batch in source.batches(columns):
        here = rows[(rows >= start) & (rows < start + len(batch))] - start
        start += len(batch)
        if len(here):
            yield from _examples(batch.take(pa.array(here)), source, options)
        if start > rows[-1]:
            return


def _examples(table: pa.Table, source: Source, options: Options) -> Iterator[Example]:
    titles, descriptions = offer_texts(table, source.fields)
    ids = source.fields.extract(table, "id").to_pylist() if source.root("id") else []
    cells = {
        name: as_text(table.column(name)).to_pylist()
        for name in table.column_names
        if name.startswith("ai_")
    }

    def cell(name: str, row: int) -> str:
        return (cells[name][row] or "") if name in cells else ""

    for row, (title, description) in enumerate(zip(titles, descriptions, strict=True)):
        pieces = evidence(cell("ai_evidence", row))
        themes = cell("ai_themes", row).split("|")
        yield Example(
            title=tuple(stretches(title[:_TITLE], _of(pieces, "title", title)))
            + ((Stretch("…"),) if len(title) > _TITLE else ()),
            excerpts=tuple(excerpts(description, _of(pieces, "description", description))),
            status=cell(f"ai_{options.definition}_status", row),
            score=_number(cell(f"ai_{options.definition}_score", row)),
            themes=tuple(one for one in themes if one in THEMES),
            language=cell("ai_language", row) if cell("ai_language", row) in ("fr", "en") else "",
            place=tuple(
                value[:120]
                for value in (cell(name, row) for name in _ATTRIBUTES)
                if value not in _UNTOLD
            ),
            identifier=(ids[row] or "")[:60] if ids else "",
        )


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def evidence(text: str) -> list[dict[str, Any]]:
    """The pieces of an `ai_evidence` cell that have the documented form, others left out."""
    try:
        found = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [one for one in found[:_PIECES] if isinstance(one, dict) and _is_piece(one)]


def _is_piece(one: dict[str, Any]) -> bool:
    start, end = one.get("start"), one.get("end")
    return (
        type(start) is int
        and type(end) is int
        and 0 <= start < end
        and one.get("status") in _STATUSES
        and one.get("field") in ("title", "description")
        and isinstance(one.get("quote"), str)
    )


def _of(pieces: list[dict[str, Any]], field: str, text: str) -> list[dict[str, Any]]:
    """Pieces of a field that stand where they say, in order."""
    own = [
        one
        for one in pieces
        if one["field"] == field and text[one["start"] : one["end"]] == one["quote"]
    ]
    return sorted(own, key=lambda one: int(one["start"]))


def stretches(text: str, pieces: list[dict[str, Any]], start: int = 0) -> Iterator[Stretch]:
    """A text cut at its evidence; joined, the stretches are the text again.

    Args:
        text: The text, or a part of it.
        pieces: Its evidence in order, offsets from the beginning of the whole.
        start: Where in the whole the text begins.
    """
    done = 0
    for one in pieces:
        first, last = max(one["start"] - start, done), min(one["end"] - start, len(text))
        if first >= last:
            continue
        if first > done:
            yield Stretch(text[done:first])
        theme, zone = str(one.get("theme", "")), str(one.get("zone", ""))
        yield Stretch(text[first:last], one["status"], theme, zone)
        done = last
    if done < len(text):
        yield Stretch(text[done:])


def excerpts(text: str, pieces: list[dict[str, Any]]) -> Iterator[tuple[Stretch, ...]]:
    """Windows around the evidence, cut between words; overlapping ones are one."""
    windows: list[tuple[int, int]] = []
    for one in pieces:
        first, last = max(0, one["start"] - _AROUND), min(len(text), one["end"] + _AROUND)
        before = windows[-1] if windows else (0, -1)
        if first <= before[1] and (one["start"] < before[1] - _AROUND or last - before[0] < _LONG):
            windows[-1] = (before[0], max(last, before[1]))
        elif len(windows) == _EXCERPTS:
            break
        else:
            if first <= before[1]:  # they meet: cut between the two pieces
                windows[-1] = (before[0], first := min(before[1], one["start"]))
            windows.append((first, last))
    for window in windows:
        first, last = _between_words(text, *window, pieces)
        cut = [Stretch("… ")] if first else []
        yield (
            *cut,
            *(_laid_out(one) for one in stretches(text[first:last], pieces, first)),
            *([Stretch(" …")] if last < len(text) else []),
        )


def _laid_out(one: Stretch) -> Stretch:
    """A stretch without empty lines; where it is no evidence, bare tags are what they stand for."""
    told = one.text if one.status else _FACES.sub("", _BREAKS.sub("\n", one.text))
    return replace(one, text=_BLANKS.sub("\n", told))


def _between_words(
    text: str, first: int, last: int, pieces: list[dict[str, Any]]
) -> tuple[int, int]:
    """Moves the ends of a window inwards to a blank, never into a piece of evidence."""
    starts = [one["start"] for one in pieces if first <= one["start"] < last]
    ends = [one["end"] for one in pieces if first < one["end"] <= last]
    if first:
        blank = text.find(" ", first, min([*starts, last]))
        first = blank + 1 if 0 <= blank < first + 25 else first
    if last < len(text):
        blank = text.rfind(" ", max([*ends, first]), last)
        last = blank if blank > last - 25 else last
    return first, last
