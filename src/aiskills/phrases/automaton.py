"""One automaton for all tables of phrases, over folded text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick

from aiskills.text import Folded


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in a folded text.

    Attributes:
        entry: Number of the entry whose pattern was found.
        start: Position of the blank before its first token.
        end: Position of the blank after its last token.
    """

    entry: int
    start: int
    end: int


class Automaton:
    """Finds every occurrence of every pattern, also overlapping ones, in one pass.

    Patterns begin and end with the blank that parts tokens, so a hit is always whole tokens and no
    boundary has to be checked afterwards.

    Args:
        patterns: Pairs of a folded pattern and the number of its entry. A pattern may belong to
            several entries and an entry have several patterns.
    """

    def __init__(self, patterns: Iterable[tuple[str, int]]) -> None:
        entries: dict[bytes, list[int]] = {}
        for pattern, entry in patterns:
            known = entries.setdefault(pattern.encode("cp1252"), [])
            if entry not in known:
                known.append(entry)
        self._entries = list(entries.values())
        self._finder = BytesAhoCorasick(list(entries)) if entries else None

    def find(self, folded: Folded) -> list[Hit]:
        """Every hit, by end, then start."""
        if self._finder is None:
            return []
        return [
            Hit(entry, start, end - 1)
            for pattern, start, end in self._finder.find_matches_as_indexes(
                folded.text, overlapping=True
            )
            for entry in self._entries[pattern]
        ]
