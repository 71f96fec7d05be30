"""The comparison for people: cells of a table and lines, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiskills.study.published import published
from aiskills.study.record import Context, Line, Ours, Study
from aiskills.study.words import Words

_DASH: Final = "–"


@dataclass(frozen=True, slots=True)
class Shown:
    """The comparison as text.

    Attributes:
        title: What it is.
        heads: Headings of the columns: figure, published, ours, demand, strict, comparison.
        rows: Cells of each figure, numbered from 1; a cell may have several lines.
        kinds: By row, the kind of its figure.
        verdicts: By row, its verdict's key.
        why_head: Heading of the reasons.
        why: Each reason with the numbers of the figures it holds for.
        context_head: Heading of the other measures.
        context_heads: Headings of their columns.
        context: Their cells.
        remarks_head: Heading of the remarks.
        remarks: What holds for all, and what was counted.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    verdicts: tuple[str, ...]
    why_head: str
    why: tuple[tuple[str, tuple[int, ...]], ...]
    context_head: str
    context_heads: tuple[str, ...]
    context: tuple[tuple[str, ...], ...]
    remarks_head: str
    remarks: tuple[str, ...]


def show(found: Study) -> Shown:
    """The comparison as cells and lines in its language."""
    words = Words(published().words[found.lang], found.lang)
    names = ("figure", "published", "ours", "demand", "strict", "verdict")
    counted = [f"{words('label_' + key)}{_colon(words)} {text}" for key, text in found.counted]
    return Shown(
        words("title"),
        tuple(words(name) for name in names),
        tuple(_row(number, line, words) for number, line in enumerate(found.lines, 1)),
        tuple(line.kind for line in found.lines),
        tuple(line.verdict for line in found.lines),
        words("why"),
        _why(found),
        words("context"),
        tuple(words(name) for name in ("source", "counts_what", "period", "published", "nearest")),
        tuple(_context(one, words) for one in found.context),
        words("remarks"),
        (*found.remarks, *counted),
    )


def markdown(found: Study) -> str:
    """The comparison as Markdown."""
    shown = show(found)
    lines = [
        f"# {shown.title}", "",
        f"{found.source['publishers']}, « {found.source['title']} », {found.source['date']}.", "",
        *_table(shown.heads, shown.rows), "",
        f"## {shown.why_head}", "",
    ]  # fmt: skip
    lines += [f"- {numbered(numbers)}: {reason}" for reason, numbers in shown.why]
    lines += ["", f"## {shown.context_head}", "", *_table(shown.context_heads, shown.context), ""]
    lines += [f"## {shown.remarks_head}", "", *(f"- {remark}" for remark in shown.remarks)]
    return "\n".join(lines) + "\n"


def numbered(numbers: Sequence[int]) -> str:
    """Numbers of figures, runs of them shortened: ``1, 3-5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _why(found: Study) -> tuple[tuple[str, tuple[int, ...]], ...]:
    every: dict[str, list[int]] = {}
    for number, line in enumerate(found.lines, 1):
        for reason in line.reasons:
            every.setdefault(reason, []).append(number)
    return tuple((reason, tuple(numbers)) for reason, numbers in every.items())


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows),
    ]


def _escaped(cell: str) -> str:
    return "<br>".join(line.strip() for line in cell.replace("|", "\\|").splitlines())


def _colon(words: Words) -> str:
    return "\u00a0:" if words.lang == "fr" else ":"


def _row(number: int, line: Line, words: Words) -> tuple[str, ...]:
    label, verdict = f"{number}. {line.label}", words(line.verdict)
    if line.kind == "leaders":
        ours = ", ".join(
            f"{one.rank}. {_name(one.label)} ({words.count(one.count)})" for one in line.leaders
        )
        theirs = ", ".join(map(_name, line.published_labels))
        return (label, theirs, ours or line.missing, _DASH, _DASH, verdict)
    study, strict = line.beside
    return (
        label,
        _published(line, words),
        _ours(line.ours, line, words),
        # What is missing is said once.
        _DASH if line.missing else _ours(study, line, words),
        _DASH if line.missing else _ours(strict, line, words),
        verdict,
    )


def _name(label: str) -> str:
    """A region without its code."""
    code, _, name = label.partition(" ")
    return name if code.isdigit() else label


def _published(line: Line, words: Words) -> str:
    if line.published is None:
        return _DASH
    sign = line.kind == "growth"
    low, high = line.published_low, line.published_high
    return f"{words.percent(line.published, sign=sign)}\n{_rounding(low, high, words)}"


def _rounding(low: float | None, high: float | None, words: Words) -> str:
    """What the figure may have been before rounding."""
    if low is None or high is None:
        return ""
    texts = [words.number(100 * one, 2).rstrip("0").rstrip(",.") for one in (low, high)]
    return f"({' – '.join(texts)})"


def _ours(ours: Ours, line: Line, words: Words) -> str:
    if ours.value is None or ours.count is None or ours.of is None:
        return ours.note
    growth = line.kind == "growth"
    count, of = words.count(ours.count), words.count(ours.of)
    behind = f"{of} → {count}" if growth else f"{count} {words('of')} {of}"
    text = (
        f"{words.percent(ours.value, sign=growth)}\n"
        f"{words.ends(ours.low, ours.high, sign=growth)}\n{behind}"
    )
    if ours.corrected is None:
        return text
    corrected = words.percent(ours.corrected, sign=growth)
    ends = words.ends(ours.corrected_low, ours.corrected_high, sign=growth)
    return f"{text}\n{words('corrected')}{_colon(words)} {corrected}\n{ends}"


def _context(one: Context, words: Words) -> tuple[str, ...]:
    published_text = _DASH
    if one.published is not None:
        published_text = words.percent(one.published)
    elif one.published_count is not None:
        published_text = words.count(one.published_count)
    ours = _DASH
    if one.ours is not None:
        ours = one.ours.note
        if one.ours.value is not None:
            ours = (
                f"{words.percent(one.ours.value)} {words.ends(one.ours.low, one.ours.high)} "
                f"({one.ours.definition}, {one.ours.status})"
            )
    return (one.source, one.what, one.period, published_text, ours)
