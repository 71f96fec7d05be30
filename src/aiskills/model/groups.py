"""Groups of offers that must stay on one side of a split: one employer's, and near-copies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.text import fold_batch
from aiskills.tokens import TokenCutter

_HASHES: Final = 64
_BANDS: Final = 16
_SHINGLE: Final = 4
_LEGAL_FORMS: Final = frozenset(
    ("sa", "sas", "sasu", "sarl", "eurl", "snc", "scop", "gie", "group", "groupe", "france")
)


def employer_key(company: str | None) -> str:
    """An employer's name without case, accents, punctuation and legal form; empty if unknown."""
    plain = unicodedata.normalize("NFKD", (company or "").casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    # "S.A.S." is "sas".
    words = re.findall(r"\w+", re.sub(r"(?<=\b\w)\.(?=\w\b)", "", plain))
    return " ".join(word for word in words if word not in _LEGAL_FORMS)


def group_offers(texts: Sequence[str], companies: Sequence[str | None]) -> NDArray[np.int64]:
    """Numbers groups of offers that share an employer or are near-copies of each other.

    Near-copies are found by MinHash over runs of four tokens (64 hashes in 16 bands, so that pairs
    with a Jaccard similarity of 0.5 meet with a probability of 0.64 and of 0.7 with 0.99).

    Args:
        texts: Titles and descriptions.
        companies: Employers' names, None where unknown.

    Returns:
        A group number for each offer.
    """
    parent = list(range(len(texts)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    seen: dict[object, int] = {}
    signatures = _signatures(texts)
    rows = _HASHES // _BANDS
    for number, company in enumerate(companies):
        keys: list[object] = [
            (band, signatures[number, band * rows : (band + 1) * rows].tobytes())
            for band in range(_BANDS)
            if signatures[number, 0]
        ]
        if key := employer_key(company):
            keys.append(key)
        for shared in keys:
            other = seen.setdefault(shared, number)
            parent[root(number)] = root(other)
    return np.array([root(number) for number in range(len(texts))], dtype=np.int64)


def _signatures(texts: Sequence[str]) -> NDArray[np.uint64]:
    random = np.random.default_rng(20240)
    factors = random.integers(1, 2**63, size=_HASHES, dtype=np.uint64) | np.uint64(1)
    cutter = TokenCutter()
    result = np.zeros((len(texts), _HASHES), dtype=np.uint64)
    for number, folded in enumerate(fold_batch(texts)):
        hashes = cutter.cut(folded).hashes
        if len(hashes) < _SHINGLE:
            continue
        runs = np.zeros(len(hashes) - _SHINGLE + 1, dtype=np.uint64)
        for step in range(_SHINGLE):
            runs = runs * np.uint64(0x9E3779B97F4A7C15) + hashes[step : step + len(runs)]
        runs ^= runs >> np.uint64(31)
        result[number] = (runs[:, None] * factors[None, :]).min(axis=0)
    return result
