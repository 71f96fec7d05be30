"""Phrases that tell an attribute of an offer: cadre status, intermediaries, the employer's branch.

Which phrases, and why, is told in ``data/cues.csv``: written for this project after offers seen in
public and after the classification of the métallurgie agreement in force since 2024 (classes F11
and above are cadres).

A branch is told by one phrase ("est une société de conseil"), or by two: what is said of a firm
that makes something ("conçoit et fabrique") or leads ("leader mondial"), and behind it a product
("des moteurs") or a sector ("de la chimie"). So a short table covers what would else be tens of
thousands of phrases, and "des moteurs" alone tells nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from aiskills.phrases.automaton import Hits, IntArray
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
    BRANCH = "branch"
    """The employer belongs to a branch, or to none of OPCO 2i."""
    MAKER = "maker"
    """The employer makes what follows within `MAKER_REACH`: with a `PRODUCT`, a `BRANCH`."""
    LEADER = "leader"
    """The employer is at the head of what follows at once: with either, a `BRANCH`."""
    PRODUCT = "product"
    """Something that firms of one branch make; tells nothing alone."""
    SECTOR = "sector"
    """A line of business; tells nothing alone."""
    TRAP = "trap"
    """Tells nothing, and hides every shorter phrase inside it."""


#: The kinds that tell something only together, and so are never told themselves.
PARTS: Final = frozenset({CueKind.MAKER, CueKind.LEADER, CueKind.PRODUCT, CueKind.SECTOR})
#: How many characters of folded text may stand between a maker and its product ("conçoit, produit
#: et commercialise, seul ou en coopération, des moteurs").
MAKER_REACH: Final = 90
#: Kinds that speak of the post; the others speak of the employer.
OF_THE_POST: Final = frozenset(
    (CueKind.CADRE, CueKind.FORFAIT, CueKind.ASSIMILE, CueKind.NON_CADRE)
)
#: The branch that stands for all employers outside OPCO 2i.
OUTSIDE: Final = "hors"


class Cue(NamedTuple):
    """A phrase found in a text.

    Attributes:
        kind: What it tells; never a trap nor one of `PARTS`.
        start: Position in the folded text of the blank before it.
        end: Position in the folded text of the blank after it.
        branch: Of a `CueKind.BRANCH` its id in ``data/branches.csv``, or `OUTSIDE`; else empty. One
            told by two phrases stands where the second does, its product or sector.
    """

    kind: CueKind
    start: int
    end: int
    branch: str = ""


def kinds_text(cues: Iterable[Cue]) -> str:
    """The kinds among cues in one text, which columns hold; a branch with its id.

    >>> kinds_text([Cue(CueKind.FORFAIT, 4, 9), Cue(CueKind.CADRE, 0, 4)])
    'cadre|forfait'
    >>> kinds_text([Cue(CueKind.BRANCH, 4, 9, "chimie")])
    'branch:chimie'
    """
    kinds = [f"{cue.kind}:{cue.branch}" if cue.branch else str(cue.kind) for cue in cues]
    return "|".join(sorted(set(kinds)) if len(kinds) > 1 else kinds)


class Cues:
    """The table of phrases.

    Args:
        entries: Pairs of a phrase and its kind, with a branch behind it where the kind needs one
            (``product:chimie``). In a phrase ``{a|b}`` stands for either, also for nothing
            (``{|a }``).
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = [
            (form, *_kind_and_branch(kind)) for phrase, kind in entries for form in expanded(phrase)
        ]

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
        return folded_patterns([phrase for phrase, _, _ in self._entries])

    def told(self, hits: Hits, owner: IntArray) -> dict[int, tuple[Cue, ...]]:
        """What hits tell.

        Args:
            hits: Phrases of this table, with positions in their text.
            owner: For each hit the number of its text.

        Returns:
            By number of the text its cues in order; of overlapping ones about the post, or about
            the employer, the leftmost, of those the longest; traps have done their work and are
            left out, parts are put together. No text without a cue.
        """
        found: dict[int, list[Cue]] = {}
        order = np.lexsort((hits.entry, -hits.end, hits.start, owner))
        columns = (owner, hits.entry, hits.start, hits.end)
        current = -1
        for text, number, start, end in zip(
            *(column[order].tolist() for column in columns), strict=True
        ):
            if text != current:
                current = text
                # What is said of the post hides nothing that is said of the employer, nor the other
                # way.
                reached = [-1, -1]
                maker = leader = _NOWHERE
            role, of_post, kind, branch = self._roles[number]
            if role == _TRAP:
                reached = [end if start >= last else last for last in reached]
                continue
            if start < reached[of_post]:
                continue
            reached[of_post] = end
            if role == _TOLD:
                found.setdefault(text, []).append(Cue(kind, start, end, branch))
            elif role == _MAKER:
                maker = end
            elif role == _LEADER:
                leader = end
            elif start == leader:
                found.setdefault(text, []).append(Cue(CueKind.BRANCH, start, end, branch))
            elif role == _PRODUCT and start <= maker + MAKER_REACH:
                found.setdefault(text, []).append(Cue(CueKind.BRANCH, start, end, branch))
                maker = _NOWHERE  # only the first thing named behind it
        return {text: tuple(its) for text, its in found.items()}

    @cached_property
    def _roles(self) -> list[tuple[int, bool, CueKind, str]]:
        """Of each entry what its kind does, whether it speaks of the post, kind and branch.

        Looked at for every hit, where a number is quicker to compare than a kind.
        """
        return [
            (_ROLES.get(kind, _TOLD), kind in OF_THE_POST, kind, branch)
            for _, kind, branch in self._entries
        ]


#: What the kinds do that are not told by themselves, as numbers.
_TOLD: Final = 0
_TRAP: Final = 1
_MAKER: Final = 2
_LEADER: Final = 3
_PRODUCT: Final = 4
_SECTOR: Final = 5
_ROLES: Final = {
    CueKind.TRAP: _TRAP,
    CueKind.MAKER: _MAKER,
    CueKind.LEADER: _LEADER,
    CueKind.PRODUCT: _PRODUCT,
    CueKind.SECTOR: _SECTOR,
}
#: Where a maker or leader ends that was not found: out of reach of any product.
_NOWHERE: Final = -1 - MAKER_REACH


def _kind_and_branch(written: str) -> tuple[CueKind, str]:
    kind, _, branch = written.partition(":")
    return CueKind(kind), branch


@cache
def _default() -> Cues:
    # Once a process: folding its ten thousand forms takes 0.15 s.
    text = (resources.files("aiskills") / "data" / "cues.csv").read_text("utf-8")
    rows = csv.DictReader(io.StringIO(text), delimiter=";")
    return Cues((row["phrase"], row["kind"]) for row in rows)


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
