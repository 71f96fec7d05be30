"""What the rooms tell people besides results: a callback that takes one line."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Note = Callable[[str], None]
"""Takes one line for a person; the command line prints it on stderr."""


def ignore(_line: str) -> None:
    """Take a note and drop it (the default)."""


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listing(names: Iterable[str], *, most: int = 30, width: int = 40) -> str:
    """Join names for a message, long ones cut to `width` and those after `most` only counted."""
    every = [name if len(name) <= width else name[: width - 1] + "…" for name in names]
    every = [" ".join(name.split()) or "(no name)" for name in every]
    text = ", ".join(every[:most])
    return f"{text} and {len(every) - most} more" if len(every) > most else text


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return `Did you mean 'x'?` for the nearest known name, else an empty string."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"Did you mean '{by_lower[near[0]]}'?" if near else ""
