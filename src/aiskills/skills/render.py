"""Skills for people: short tables in percent, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiskills.estimate.rows import TOTAL
from aiskills.skills.run import TABLES, Skills

_DASH: Final = "–"
#: Terms named a value in the table of groups.
_NAMED: Final = 3
#: |z| from which a term is called typical; looking at hundreds of terms, 1.96 would name many by
#: chance alone.
TYPICAL_Z: Final = 3.0


@dataclass(frozen=True, slots=True)
class Section:
    """A table for people.

    Attributes:
        title: What it shows.
        heads: Column headings.
        numeric: By column, whether it is set flush right.
        rows: Cells as text.
        remark: A line below, empty for none.
    """

    title: str
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


def sections(found: Skills, names: Sequence[str] = TABLES, top: int = 15) -> list[Section]:
    """The tables asked for, cut to what a person reads; those in which nothing stands are left out.

    Args:
        found: What was found.
        names: Which tables.
        top: Rows of a table at most, for each definition.
    """
    result: list[Section] = []
    for definition in found.question.definitions:
        rows = {
            name: [row for row in found.tables[name].to_pylist() if row["definition"] == definition]
            for name in TABLES
        }
        suffix = f" ({definition})"
        if "terms" in names:
            result.append(_terms(rows["terms"], top, suffix))
        if "themes" in names:
            result.append(_themes(rows["themes"], suffix))
        if "terms" in names or "typical" in names:
            result += _groups(found, rows, suffix)
        if "growth" in names:
            result.append(_growth(rows["growth"], top, suffix))
        if "pairs" in names:
            result.append(_pairs(rows["pairs"], top, suffix))
    return [section for section in result if section.rows]


def markdown(found: Skills, names: Sequence[str] = TABLES, top: int = 15) -> str:
    """The same as Markdown, with what was counted and the remarks below."""
    lines: list[str] = []
    for section in sections(found, names, top):
        lines += [
            f"## {section.title}", "",
            "| " + " | ".join(section.heads) + " |",
            "|" + "|".join("--:" if right else "---" for right in section.numeric) + "|",
            *("| " + " | ".join(map(_escaped, row)) + " |" for row in section.rows),
            "",
        ]  # fmt: skip
        lines += [section.remark, ""] if section.remark else []
    lines += [f"- {label}: {text}" for label, text in found.about]
    lines += [f"- {remark}" for remark in found.remarks]
    return "\n".join(lines) + "\n"


def _escaped(cell: str) -> str:
    return " ".join(cell.replace("|", "\\|").split())


def _terms(rows: Sequence[dict[str, Any]], top: int, suffix: str) -> Section:
    own = [row for row in rows if row["group"] == TOTAL]
    return Section(
        "Skills asked most" + suffix,
        ("term", "theme", "offers", "employers", "of flagged [interval]", "of all offers"),
        (False, False, True, True, True, True),
        tuple(
            (
                row["term"],
                row["theme"],
                f"{row['offers']:,}",
                _DASH if row["employers"] is None else f"{row['employers']:,}",
                _with_ends(row, "share_of_flagged"),
                _percent(row["share_of_all"]),
            )
            for row in own[:top]
        ),
        f"{len(own):,} terms are asked, by {_of(own)} flagged offers." if own else "",
    )


def _of(rows: Sequence[dict[str, Any]]) -> str:
    return f"{rows[0]['flagged_offers']:,}"


def _themes(rows: Sequence[dict[str, Any]], suffix: str) -> Section:
    own = [row for row in rows if row["group"] == TOTAL]
    return Section(
        "Themes asked" + suffix,
        ("theme", "offers", "of flagged [interval]", "of all offers"),
        (False, True, True, True),
        tuple(
            (
                row["theme"],
                f"{row['offers']:,}",
                _with_ends(row, "share_of_flagged"),
                _percent(row["share_of_all"]),
            )
            for row in own
        ),
    )


def _groups(found: Skills, rows: dict[str, list[dict[str, Any]]], suffix: str) -> Iterator[Section]:
    for name in found.question.by:
        values: dict[str, list[dict[str, Any]]] = {}
        for row in rows["terms"]:
            if row["group"] == name:
                values.setdefault(row["value"], []).append(row)
        typical: dict[str, list[str]] = {}
        for row in rows["typical"]:
            if row["group"] == name and row["z"] >= TYPICAL_Z:
                typical.setdefault(row["value"], []).append(f"{row['term']} ({row['z']:.1f})")
        yield Section(
            f"By {name}" + suffix,
            (name, "flagged", "asked most", "typical (z)"),
            (False, True, False, False),
            tuple(
                (
                    value,
                    _of(own),
                    _most(own, found.least),
                    ", ".join(typical.get(value, ())[:_NAMED]) or _DASH,
                )
                for value, own in values.items()
            ),
            f"Typical: asked more than in the other known values, z {TYPICAL_Z:g} or more.",
        )


def _most(rows: Sequence[dict[str, Any]], least: int) -> str:
    """The terms asked most by a group's flagged offers, if they are enough to tell."""
    if rows[0]["flagged_offers"] < least:
        return f"(under {least} offers)"
    return ", ".join(f"{row['term']} {row['share_of_flagged']:.0%}" for row in rows[:_NAMED])


def _growth(rows: Sequence[dict[str, Any]], top: int, suffix: str) -> Section:
    own = [row for row in rows if row["group"] == TOTAL][:top]
    ends = (own[0]["from"], own[0]["to"]) if own else ("", "")
    return Section(
        "Growth" + suffix,
        ("term", "theme", *ends, "offers [interval]", "share of all offers [interval]"),
        (False, False, True, True, True, True),
        tuple(
            (
                row["term"],
                row["theme"],
                f"{row['offers_from']:,}",
                f"{row['offers_to']:,}",
                _change(row, "growth"),
                _change(row, "share_growth"),
            )
            for row in own
        ),
    )


def _pairs(rows: Sequence[dict[str, Any]], top: int, suffix: str) -> Section:
    return Section(
        "Asked together" + suffix,
        ("term", "with", "both", "of the term", "lift", "NPMI"),
        (False, False, True, True, True, True),
        tuple(
            (
                row["term"],
                row["with_term"],
                f"{row['offers_both']:,}",
                _percent(row["share_of_term"]),
                f"{row['lift']:.1f}",
                f"{row['npmi']:.2f}",
            )
            for row in rows[:top]
        ),
    )


def _percent(share: float | None) -> str:
    if share is None:
        return _DASH
    return f"{100 * share:.{1 if share >= 0.1 else 2}f} %"


def _with_ends(row: dict[str, Any], name: str) -> str:
    low, high = (_percent(row[name + end]).removesuffix(" %") for end in ("_low", "_high"))
    return f"{_percent(row[name])} [{low}, {high}]"


def _change(row: dict[str, Any], name: str) -> str:
    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    if value is None:
        return "new"
    ends = ", ".join("∞" if one is None else f"{100 * one:+.0f}" for one in (low, high))
    return f"{100 * value:+.0f} % [{ends}]"
