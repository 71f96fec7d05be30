"""A measurement for people: shares in percent with their intervals, as text cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiskills.estimate.growth_rows import COUNTS
from aiskills.estimate.measurement import Measurement

_DASH: Final = "–"
_INFINITE: Final = "∞"
#: Heading of the least and most that the unknown rows allow a part to be.
BOUNDS: Final = "bounds of part"
_PART: Final = "part"
_PART_CORRECTED: Final = "part corrected"
#: What can be done without where there is no room: how a heading begins, and whether the column
#: goes, or only the intervals in it.
DISPENSABLE: Final = (
    (BOUNDS, False),
    ("index", False),
    (f"{_PART_CORRECTED} [", True),
    (f"{_PART} [", True),
    (_PART_CORRECTED, False),
    (_PART, False),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A table for people.

    Attributes:
        heads: Column headings.
        numeric: By column, whether it is set flush right.
        rows: Cells as text.
        kinds: By row, what it is: cell, unknown, total, outside.
        caption: What was counted, on one line.
    """

    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    caption: str


def show(measurement: Measurement) -> Shown:
    """Cells of a measurement for people; columns in which nothing stands are left out."""
    question = measurement.question
    rows = measurement.table.to_pylist()
    make = _growth_cells if question.growth else _level_cells
    cells = [make(row, question.by) for row in rows]
    heads = list(cells[0])
    if len(question.definitions) == 1:
        heads.remove("definition")
    kept = [head for head in heads if any(one[head] not in {"", _DASH} for one in cells)]
    texts = {"definition", "offers of", "what", "note", *question.by}
    level = f"{100 * question.level:g} %"
    return Shown(
        tuple(head.replace("[]", f"[{level}]") for head in kept),
        tuple(head not in texts for head in kept),
        tuple(tuple(one[head] for head in kept) for one in cells),
        tuple(row["row"] for row in rows),
        " · ".join(f"{label}: {text}" for label, text in measurement.about),
    )


def markdown(measurement: Measurement) -> str:
    """The measurement as a Markdown table, with what was counted and the remarks below."""
    shown = show(measurement)
    lines = [
        "| " + " | ".join(_escaped(shown.heads)) + " |",
        "|" + "|".join("--:" if right else "---" for right in shown.numeric) + "|",
        *("| " + " | ".join(_escaped(row)) + " |" for row in shown.rows),
        "",
        *(f"- {label}: {text}" for label, text in measurement.about),
        *(f"- {remark}" for remark in measurement.remarks),
    ]
    return "\n".join(lines) + "\n"


def _escaped(cells: Sequence[str]) -> list[str]:
    return [" ".join(cell.replace("|", "\\|").split()) for cell in cells]


def _level_cells(row: Mapping[str, Any], by: Sequence[str]) -> dict[str, str]:
    names = {name: _name(row, name) for name in by}
    if not by:
        names = {"offers of": "the total" if row["row"] == "total" else "(outside)"}
    return {
        "definition": row["definition"],
        **names,
        "offers": _count(row["offers"]),
        "flagged": _count(row["flagged"]),
        "share []": _with_ends(row["share"], row["low"], row["high"]),
        "corrected []": _with_ends(
            row["share_corrected"], row["low_corrected"], row["high_corrected"]
        ),
        f"{_PART} []": _part_with_ends(row, "part"),
        BOUNDS: ""
        if row["part_min"] is None
        else f"{_percent(row['part_min'], '')} to {_percent(row['part_max'])}",
        f"{_PART_CORRECTED} []": _part_with_ends(row, "part_corrected"),
        "index": "" if row["specificity"] is None else f"{row['specificity']:.2f}",
        "note": row["note"],
    }


def _growth_cells(row: Mapping[str, Any], by: Sequence[str]) -> dict[str, str]:
    counts = row["measure"] in COUNTS
    form = _count if counts else _percent
    points = row["measure"] == "share_points"
    ends = [_change(row[name], points=points) for name in ("low", "high")]
    return {
        "definition": row["definition"],
        **({name: _name(row, name) for name in by} or {"offers of": "the total"}),
        "what": row["measure"].replace("_", " "),
        row["from"]: form(row["first"]),
        row["to"]: form(row["last"]),
        "change []": f"{_change(row['change'], points=points)} [{ends[0]}, {ends[1]}]",
        "note": row["note"],
    }


def _name(row: Mapping[str, Any], name: str) -> str:
    """A group's value; what stands outside the total is named by its reason."""
    return row[name] or ("(outside)" if row["row"] == "outside" else _DASH)


def _count(value: float | None) -> str:
    return _DASH if value is None else f"{value:,.0f}"


def _percent(share: float | None, unit: str = " %", digits: int | None = None) -> str:
    """A share in percent: one decimal, two below 1 %, unless told otherwise."""
    if share is None:
        return _DASH
    return f"{100 * share:.{_digits(share) if digits is None else digits}f}{unit}"


def _digits(share: float) -> int:
    return 1 if share >= 0.01 or share == 0 else 2


def _with_ends(share: float | None, low: float | None, high: float | None) -> str:
    if share is None:
        return _DASH
    if low is None or high is None:
        return f"{_percent(share)} [no interval]"
    digits = _digits(share)
    return f"{_percent(share)} [{_percent(low, '', digits)}, {_percent(high, '', digits)}]"


def _part_with_ends(row: Mapping[str, Any], name: str) -> str:
    """A part of the whole; empty where the row is none."""
    part, low, high = (row[name + end] for end in ("", "_low", "_high"))
    return "" if part is None else _with_ends(part, low, high)


def without_ends(text: str) -> str:
    """A figure, or a heading, without its interval."""
    return text.partition(" [")[0]


def _change(value: float | None, *, points: bool) -> str:
    if value is None:
        return _INFINITE
    return f"{100 * value:+.2f} pt" if points else f"{100 * value:+.1f} %"
