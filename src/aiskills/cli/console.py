"""What the commands share in talking to people: stderr lines, tables, safe text."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

#: Characters that would drive a terminal or turn the reading direction; offers are hostile.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def safe(text: str) -> str:
    """Text of an offer for a terminal, its control and direction characters shown as ``␦``."""
    return _UNSAFE.sub("␦", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, most: int) -> str:
    """The start of a text on one line of at most so many characters."""
    flat = " ".join(safe(text).split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def noter(*, quiet: bool) -> Callable[[str], None]:
    """A function that prints a line for people on stderr, once each; nothing if quiet."""
    seen: set[str] = set()

    def note(line: str) -> None:
        if not quiet and line not in seen:
            seen.add(line)
            print(f"note: {safe(line)}", file=sys.stderr)  # noqa: T201

    return note


def stderr_console() -> Console:
    """A rich console on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def stdout_console() -> Console:
    """A rich console on stdout."""
    from rich.console import Console

    return Console(highlight=False)


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash for none."""
    return "–" if share is None else f"{100 * share:.1f} %"
