"""`ai_evidence` as arrays: which offer names which term, and whether it asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.errors import InputError
from aiskills.files.cells import as_text
from aiskills.schema import Status

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_FORM = "what `aiskills classify` writes: a JSON list of {term, theme, status, …}"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Terms named by offers; an offer that names a term several times has one piece of it.

    Attributes:
        offer: By piece, the row of its offer.
        term: By piece, the number of its term.
        demand: By piece, whether the term is asked for at least once; else it is only mentioned.
        names: The terms, by number.
        themes: Their themes, by number.
    """

    offer: Ints
    term: Ints
    demand: Mask
    names: tuple[str, ...]
    themes: tuple[str, ...]

    def only(self, keep: Mask) -> Pieces:
        """Some of the pieces, with the same numbers of terms and offers."""
        return Pieces(self.offer[keep], self.term[keep], self.demand[keep], self.names, self.themes)


def read_pieces(evidence: pa.ChunkedArray, source: str = "ai_evidence") -> Pieces:
    """Reads evidence; give it only the offers that are flagged, since each text is parsed.

    Args:
        evidence: `ai_evidence`, a JSON text an offer; null and empty texts hold no piece.
        source: What messages call the column.

    Raises:
        InputError: A text is not what `aiskills classify` writes.
    """
    numbers: dict[tuple[str, str], int] = {}
    offers: list[int] = []
    terms: list[int] = []
    demands: list[bool] = []
    for row, text in enumerate(as_text(evidence).to_pylist()):
        if not text:
            continue
        own: dict[int, bool] = {}
        for term, theme, status in _items(text, source):
            number = numbers.setdefault((term, theme), len(numbers))
            own[number] = own.get(number, False) or status == Status.DEMAND.value
        offers += [row] * len(own)
        terms += own
        demands += own.values()
    names, themes = zip(*numbers, strict=True) if numbers else ((), ())
    return Pieces(
        np.array(offers, dtype=np.int64),
        np.array(terms, dtype=np.int64),
        np.array(demands, dtype=bool),
        names,
        themes,
    )


def _items(text: str, source: str) -> list[tuple[str, str, str]]:
    try:
        found: Any = json.loads(text)
        return [(str(one["term"]), str(one["theme"]), str(one["status"])) for one in found]
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{source} holds '{text[:40]}'", expected=_FORM) from None
