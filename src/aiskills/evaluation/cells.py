"""Figures and names as cells of tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aiskills.evaluation.intervals import Rate

#: What would end a cell, be taken for Markdown or HTML, or drive a terminal: identifiers, names of
#: columns and terms are the user's.
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+"
)
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#~])")


def plain(text: str) -> str:
    """A user's text as plain text inside Markdown, on one line."""
    return _MARKUP.sub(r"\\\1", _CONTROL.sub(" ", text))


def figure(value: float | None) -> str:
    """A figure with three decimals; a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def rate(given: Rate) -> str:
    """A figure with its interval."""
    if given.low is None or given.high is None:
        return figure(given.value)
    return f"{figure(given.value)} [{given.low:.3f}, {given.high:.3f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; columns whose name ends with a colon are numbers."""
    marks = ["--:" if name.endswith(":") else "---" for name in head]
    lines = [[name.removesuffix(":") for name in head], marks, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
