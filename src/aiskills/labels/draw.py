"""Choosing which offers to label, from plain columns: scores, strata, keys.

A draw by probability (random, stratified) takes in each stratum the offers with the smallest keys;
a key is a hash of the seed and the offer's identifier. So a draw depends on which offers there are,
not on their order, their chunks or the number of processes, and every offer of a stratum has the
same chance.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]

#: Labels that each stratum gets where it has so many offers: two, so that its variance shows.
LEAST: Final = 2
#: Exponent of the sizes in `allocate`; 1 is Neyman's allocation, 0 gives small strata as much as
#: large ones.
POWER: Final = 0.75


def keys_of(names: Sequence[str], seed: int) -> KeyArray:
    """One random-looking number for each name, the same for the same seed.

    Args:
        names: Identifiers, or other text.
        seed: Any whole number.

    Returns:
        SipHash of each name under a key made from the seed; two names have the same number once
        in 2**64 pairs.
    """
    import pandas as pd

    secret = hashlib.blake2b(str(seed).encode(), digest_size=8).hexdigest()
    values = np.array(names, dtype=object)
    return pd.util.hash_array(values, hash_key=secret, categorize=False)


def first_of_each(keys: KeyArray) -> NDArray[np.bool_]:
    """Which rows are the first with their key: an offer that is in the file twice counts once."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def allocate(sizes: Sequence[int], spreads: Sequence[float], total: int) -> list[int]:
    """How many offers to draw from each stratum.

    Power allocation (Bankier 1988, The American Statistician 42(3), 174-177): in proportion to
    ``spread x size ** POWER``, so that doubtful strata and small ones get more than their share.
    Each stratum first gets `LEAST`, so every offer can be drawn.

    Args:
        sizes: Offers of each stratum, above 0.
        spreads: Expected standard deviation of the label inside each stratum, above 0.
        total: Offers to draw.

    Returns:
        The number for each stratum, between 1 and its size; they sum to `total`, or to all offers
        where there are fewer.

    Raises:
        ValueError: There are fewer offers to draw than strata.
    """
    if total < len(sizes):
        raise ValueError(f"{total} offers to draw from {len(sizes)} strata")
    least = LEAST if total >= LEAST * len(sizes) else 1
    given = np.minimum(np.array(sizes, dtype=np.int64), least)
    weights = np.array(spreads) * np.array(sizes, dtype=np.float64) ** POWER
    # One at a time to the stratum that has least for its weight (the method of Sainte-Lague):
    # whole numbers, never above a stratum's size, and in proportion as far as these allow.
    for _ in range(min(total, sum(sizes)) - int(given.sum())):
        claims = np.where(given < np.array(sizes), weights / (2 * given + 1), -1.0)
        given[int(np.argmax(claims))] += 1
    return [int(number) for number in given]


def draw_strata(keys: KeyArray, strata: IntArray, numbers: Sequence[int]) -> IntArray:
    """A simple random sample without replacement from each stratum.

    Args:
        keys: Key of each offer, all different.
        strata: Number of each offer's stratum, from 0.
        numbers: How many to draw from each stratum, at most its size.

    Returns:
        Places of the offers drawn, in the order of their keys (which tells nothing of their
        strata). An offer of stratum h was drawn with probability ``numbers[h] / size of h``.
    """
    chosen: list[IntArray] = []
    for stratum, number in enumerate(numbers):
        places = np.flatnonzero(strata == stratum)
        if number < len(places):
            places = places[np.argpartition(keys[places], number)[:number]]
        chosen.append(places)
    drawn = np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)
    return drawn[np.argsort(keys[drawn], kind="stable")].astype(np.int64)


def draw_uncertain(
    distances: FloatArray,
    keys: KeyArray,
    companies: Sequence[str | None] | NDArray[np.uint64],
    number: int,
    per_company: int | None,
) -> IntArray:
    """The offers that the model is least sure of, spread over employers.

    Args:
        distances: How far each offer's score is from the threshold; the nearest are taken.
        keys: Settle ties.
        companies: Employer of each offer: a name or a number; None, empty or 0 where unknown.
        number: How many to take.
        per_company: At most so many of one employer; None for no limit. Unknown employers are
            not limited.

    Returns:
        Places of the offers, the least sure first. This is no sample of anything: no share can
        be estimated from it.
    """
    order = np.lexsort((keys, distances))
    seen: Counter[object] = Counter()
    chosen: list[int] = []
    for place in order.tolist():
        if len(chosen) == number:
            break
        company = companies[place]
        if per_company is not None and company:
            if seen[company] == per_company:
                continue
            seen[company] += 1
        chosen.append(place)
    return np.array(chosen, dtype=np.int64)
