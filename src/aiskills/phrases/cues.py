"""Phrases that tell an attribute of an offer: cadre status, and whether an intermediary recruits.

Which phrases, and why, is told in ``data/cues.csv``: written for this project after offers seen in
public and after the classification of the métallurgie agreement in force since 2024 (classes F11
and above are cadres).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from itertools import product
from typing import Final

from aiskills.phrases.inflect import folded_patterns


class CueKind(StrEnum):
    """What a phrase tells."""

    CADRE = "cadre"
    """The post has cadre status."""
    FORFAIT = "forfait"
    """Working time counted in days, which outside cadres is rare: weaker than `CADRE`."""
    ASSIMILE = "assimile"
    """The post is assimilated to cadre for some rights."""
    NON_CADRE = "non_cadre"
    """The post has another status."""
    INTERMEDIARY = "intermediary"
    """Who publishes the offer recruits for a client."""
    TRAP = "trap"
    """Tells nothing, and hides every shorter phrase inside it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase found in a text.

    Attributes:
        kind: What it tells; never a trap.
        start: Position in the folded text of the blank before it.
        end: Position in the folded text of the blank after it.
    """

    kind: CueKind
    start: int
    end: int


def kinds_text(cues: Iterable[Cue]) -> str:
    """The kinds among cues in one text, which columns hold.

    >>> kinds_text([Cue(CueKind.FORFAIT, 4, 9), Cue(CueKind.CADRE, 0, 4)])
    'cadre|forfait'
    """
    return "|".join(sorted({cue.kind for cue in cues}))


class Cues:
    """The table of phrases.

    Args:
        entries: Pairs of a phrase and its kind. In a phrase ``{a|b}`` stands for either, also for
            nothing (``{|a }``).
    """

    def __init__(self, entries: Iterable[tuple[str, CueKind]]) -> None:
        self._entries = [(form, kind) for phrase, kind in entries for form in expanded(phrase)]

    def __len__(self) -> int:
        return len(self._entries)

    @classmethod
    def default(cls) -> Cues:
        """The table that ships with the package."""
        return _default()

    def patterns(self) -> Iterator[tuple[str, int]]:
        """Every folded form and the number of the entry it stands for."""
        for number, patterns in enumerate(self._forms):
            for pattern in patterns:
                yield pattern, number

    @cached_property
    def _forms(self) -> list[tuple[str, ...]]:
        return folded_patterns([phrase for phrase, _ in self._entries])

    def told(self, hits: Sequence[tuple[int, int, int]]) -> tuple[Cue, ...]:
        """What hits tell.

        Args:
            hits: Entry number, start and end in the folded text.

        Returns:
            Cues in order; of overlapping ones the leftmost, of those the longest; traps have done
            their work and are left out.
        """
        found: list[Cue] = []
        reached = -1
        for number, start, end in sorted(hits, key=lambda h: (h[1], -h[2], h[0])):
            if start < reached:
                continue
            reached = end
            kind = self._entries[number][1]
            if kind is not CueKind.TRAP:
                found.append(Cue(kind, start, end))
        return tuple(found)


@cache
def _default() -> Cues:
    # Once a process: folding its ten thousand forms takes 0.15 s.
    text = (resources.files("aiskills") / "data" / "cues.csv").read_text("utf-8")
    rows = csv.DictReader(io.StringIO(text), delimiter=";")
    return Cues((row["phrase"], CueKind(row["kind"])) for row in rows)


_EITHER: Final = re.compile(r"\{([^{}]*)\}")


def expanded(phrase: str) -> list[str]:
    """Every phrase that a written one with ``{a|b}`` stands for.

    Examples:
        >>> expanded("statut {|: }cadre")
        ['statut cadre', 'statut : cadre']
        >>> expanded("{forfait jours|cadre} {H/F|F/H}")
        ['forfait jours H/F', 'forfait jours F/H', 'cadre H/F', 'cadre F/H']
    """
    parts = _EITHER.split(phrase)
    choices = [part.split("|") if number % 2 else [part] for number, part in enumerate(parts)]
    return [" ".join("".join(chosen).split()) for chosen in product(*choices)]
