"""The published figures beside ours as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiskills.report.cells import LEAST
from aiskills.report.numbers import NOTHING, THIN, Numbers
from aiskills.report.tables import Line, Shown, Tables
from aiskills.report.words import Words

if TYPE_CHECKING:
    from aiskills import study


def published_table(
    found: study.Study | None, words: Words, numbers: Numbers
) -> dict[str, Any] | None:
    """Published figures with ours, counted the same way.

    Args:
        found: The comparison; None where the offers lack its columns.
        words: Wording.
        numbers: How numbers are written.

    Returns:
        None without a comparison.
    """
    if found is None:
        return None
    tables = Tables(words, numbers)
    heads = tables.heads("what", "published", "ours", "interval", "basis")
    return {
        "intro": words("headline.published_intro", definition=words.of("definition", "study_long")),
        "heads": heads,
        "rows": [_row(one, numbers) for one in found.lines],
    }


def nearest(found: study.Study | None, words: Words, numbers: Numbers) -> str:
    """The first published share and ours in a sentence; empty without a comparison."""
    line = next((one for one in found.lines if one.kind == "share"), None) if found else None
    if line is None:
        return ""
    label = _typographic(line.label, words.lang)
    told = {
        "published": _percent(numbers)(line.published),
        "label": label[:1].lower() + label[1:],
        "offers": numbers.count(line.ours.of),
    }
    if line.ours.value is None or line.ours.of is None:
        return words("headline.nearest_none", **told)
    if line.ours.of < LEAST:
        return words("headline.nearest_few", **told)
    return words(
        "headline.nearest",
        ours=numbers.percent(line.ours.value),
        count=numbers.count(line.ours.count),
        interval=numbers.interval(line.ours.low, line.ours.high),
        **told,
    )


def _row(one: study.Line, numbers: Numbers) -> Line:
    if one.kind == "leaders":
        published = ", ".join(_name(label) for label in one.published_labels)
        ours = ", ".join(_name(leader.label) for leader in one.leaders if leader.rank <= 3)
        return Line(
            (
                Shown(_typographic(one.label, numbers.lang)),
                Shown(published),
                Shown(ours or NOTHING),
                Shown(""),
                Shown(_typographic(one.missing, numbers.lang)),
            )
        )
    write = numbers.signed if one.kind == "growth" else _percent(numbers)
    value = one.ours
    low, high = (write(end) for end in (value.low, value.high))
    if one.kind != "growth":
        ends = numbers.interval(value.low, value.high, 1)
    else:
        between = " à " if numbers.lang == "fr" else " to "
        ends = NOTHING if NOTHING in (low, high) else low + between + high
    basis = ""
    if value.value is not None and value.count is not None:
        basis = numbers.count(value.count)
        if value.of is not None:
            basis += f" / {numbers.count(value.of)}"
    return Line(
        (
            Shown(_typographic(one.label, numbers.lang)),
            Shown(write(one.published), one.published, numeric=True),
            Shown(write(value.value), value.value, numeric=True),
            Shown(ends, value.low, numeric=True),
            Shown(_typographic(one.missing, numbers.lang) or basis, numeric=not one.missing),
        )
    )


def _typographic(text: str, lang: str) -> str:
    """Curly apostrophes, and spaces that do not break inside French guillemets."""
    text = text.replace("'", "’")
    return text.replace("« ", "«" + THIN).replace(" »", THIN + "»") if lang == "fr" else text


def _name(label: str) -> str:
    """A region without its code."""
    return label[3:] if label[:2].isdigit() and label[2:3] == " " else label


def _percent(numbers: Numbers) -> Any:
    def write(share: float | None) -> str:
        """Whole percents where the figure is one: the study rounds."""
        if share is None:
            return NOTHING
        whole = abs(100 * share - round(100 * share)) < 1e-9
        return numbers.percent(share, 0 if whole else 1)

    return write
