"""Which offer repeats which: the one place where it is decided, from keys alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.dedupe.offers import UNKNOWN_DAY, OfferKeys
from aiskills.dedupe.shingles import BANDS, jaccard
from aiskills.hashing import Keys

#: Originals remembered under one band key, the latest, and originals whose text is compared with an
#: offer's. They bound the work on offers that all share a boilerplate; the originals that share
#: most bands with the offer come first, so that a true copy is among them.
_MOST_IN_BUCKET: Final = 128
_MOST_COMPARED: Final = 16

#: In place of a region's number: all regions.
_ANYWHERE: Final = -1

Shingles = Callable[[int], Keys]
"""Gives the sorted shingles of the text of a key."""


class Kind(IntEnum):
    """Why an offer is a repost, the first reason that holds."""

    ORIGINAL = 0
    SAME_ID = 1
    SAME_TEXT = 2
    NEAR_COPY = 3


@dataclass(frozen=True, slots=True)
class Marks:
    """The answer, a row for each offer.

    Attributes:
        original: Row of the earliest offer of its cluster; -1 for that offer itself and for offers
            without a repost.
        kind: A `Kind` each.
    """

    original: NDArray[np.int64]
    kind: NDArray[np.uint8]

    def counts(self) -> dict[Kind, int]:
        """Offers of each kind."""
        found = np.bincount(self.kind, minlength=len(Kind))
        return {kind: int(found[kind]) for kind in Kind}

    @property
    def cluster_sizes(self) -> NDArray[np.int64]:
        """Offers in each cluster of two or more, originals included."""
        sizes = np.unique(self.original[self.original >= 0], return_counts=True)[1]
        return sizes.astype(np.int64) + 1


def contested(keys: OfferKeys) -> NDArray[np.int64]:
    """Rows whose texts must be read again to tell near-copies, one for each different text.

    They are those that share a MinHash band with another text.
    """
    rows = np.flatnonzero(keys.bands.any(axis=1))
    rows = rows[np.unique(keys.text[rows], return_index=True)[1]]
    shared = np.zeros(len(rows), dtype=bool)
    for band in range(BANDS):
        shared |= _repeated(keys.bands[rows, band])
    return np.sort(rows[shared])


def mark_duplicates(
    keys: OfferKeys,
    shingles: Shingles,
    near: NDArray[np.int64],
    *,
    window_days: int,
    threshold: float,
) -> Marks:
    """Find the original of every repost.

    Offers are taken in one order (day, identifier, text), whatever order they came in. Each joins
    the cluster that has, in this order of preference, its source and identifier (at any time), its
    text, or an original of which it is a near-copy (the most similar, the earlier of two). For the
    last two, at most `window_days` may have passed since the latest offer of that cluster, and its
    region may be no other one: the same text for another region is another post. If there is no
    such cluster the offer is the original of a new one. An undated offer is always within the
    window, one without a region always in the right place; a cluster without one takes that of the
    first offer that has it.

    A near-copy is compared with the original and not with other copies, so that small changes never
    add up: whatever is marked really resembles the offer it is said to repeat. Only where an offer
    joined by its identifier with another text is that text an original too.

    Args:
        keys: All offers.
        shingles: Gives the shingles of the texts of the rows `near`.
        near: Rows of the texts that may be near-copies, as `contested` gives them.
        window_days: Days, 0 or more.
        threshold: Jaccard similarity of shingles from which a text is a near-copy, 0 to 1.

    Returns:
        Marks in the order of `keys`.
    """
    state = _State(window_days, threshold, shingles, *_buckets(keys, near))
    original = np.full(len(keys), -1, dtype=np.int64)
    kinds = np.zeros(len(keys), dtype=np.uint8)
    involved = _repeated(keys.same_id) | _repeated(keys.text) | np.isin(keys.text, keys.text[near])
    for row in _in_order(keys, involved):
        cluster, kind = state.place(keys, row)
        if kind is not Kind.ORIGINAL:
            original[row] = state.originals[cluster]
            kinds[row] = kind
    return Marks(original, kinds)


def _repeated(values: Keys) -> NDArray[np.bool_]:
    """Which values other than 0 occur more than once."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    result: NDArray[np.bool_] = (counts[place] > 1) & (values != 0)
    return result


def _buckets(
    keys: OfferKeys, near: NDArray[np.int64]
) -> tuple[Keys, NDArray[np.int32], list[list[int]]]:
    """Number the band keys that several texts have.

    Returns:
        The texts' keys, sorted; for each text and band the number of its bucket, -1 where no other
        text is in it; as many empty buckets.
    """
    near = near[np.argsort(keys.text[near])]
    numbers = np.full((len(near), BANDS), -1, dtype=np.int32)
    count = 0
    for band in range(BANDS):
        values = keys.bands[near, band]
        shared = _repeated(values)
        known, place = np.unique(values[shared], return_inverse=True)
        numbers[shared, band] = place + count
        count += len(known)
    return keys.text[near], numbers, [[] for _ in range(count)]


def _in_order(keys: OfferKeys, involved: NDArray[np.bool_]) -> Iterable[int]:
    rows = np.flatnonzero(involved)
    if not len(rows):
        return []
    rank = pc.rank(keys.uid.take(rows), sort_keys="ascending", tiebreaker="dense").to_numpy()
    order = np.lexsort((keys.order[rows], keys.place[rows], keys.text[rows], rank, keys.day[rows]))
    ordered: list[int] = rows[order].tolist()
    return ordered


@dataclass(slots=True)
class _State:
    """Clusters so far: of each its original's row, its latest day and its place."""

    window: int
    threshold: float
    shingles: Shingles
    near_texts: Keys
    bucket_numbers: NDArray[np.int32]
    #: Leaders of each bucket, the latest.
    buckets: list[list[int]]
    originals: list[int] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    by_id: dict[int, int] = field(default_factory=dict)
    #: Text -> place -> the latest cluster of both; `_ANYWHERE` -> the latest of the text.
    by_text: dict[int, dict[int, int]] = field(default_factory=dict)
    #: Texts that offers are compared with, and the cluster of each.
    leaders: list[tuple[int, int]] = field(default_factory=list)

    def place(self, keys: OfferKeys, row: int) -> tuple[int, Kind]:
        """The cluster of an offer, begun if there is none, and why it belongs there."""
        day, place, same_id, text = (
            int(one[row]) for one in (keys.day, keys.place, keys.same_id, keys.text)
        )
        buckets = self._buckets_of(text)
        kind = Kind.ORIGINAL
        cluster = self.by_id.get(same_id) if same_id else None
        if cluster is not None:
            kind = Kind.SAME_ID
        elif text and (cluster := self._with_text(text, day, place)) is not None:
            kind = Kind.SAME_TEXT
        elif buckets and (cluster := self._nearest(text, buckets, day, place)) is not None:
            kind = Kind.NEAR_COPY
        if cluster is None:
            cluster = len(self.originals)
            self.originals.append(row)
            self.latest.append(day)
            self.places.append(place)
        else:
            # Undated offers come last, so the latest day of a dated cluster is kept.
            self.latest[cluster] = day if day != UNKNOWN_DAY else self.latest[cluster]
            self.places[cluster] = self.places[cluster] or place
        self._remember(cluster, kind, same_id, text, place, buckets)
        return cluster, kind

    def _remember(
        self, cluster: int, kind: Kind, same_id: int, text: int, place: int, buckets: list[int]
    ) -> None:
        if same_id:
            self.by_id.setdefault(same_id, cluster)
        if not text:
            return
        known = self.by_text.setdefault(text, {})
        is_new = kind is Kind.ORIGINAL or (kind is Kind.SAME_ID and known.get(_ANYWHERE) != cluster)
        known[place] = known[_ANYWHERE] = cluster
        if is_new and buckets:
            number = len(self.leaders)
            self.leaders.append((text, cluster))
            for bucket in buckets:
                self.buckets[bucket].append(number)
                del self.buckets[bucket][:-_MOST_IN_BUCKET]

    def _buckets_of(self, text: int) -> list[int]:
        """Buckets of a text, none if it cannot be a near-copy."""
        if not text:
            return []
        place = int(np.searchsorted(self.near_texts, np.uint64(text)))
        if place == len(self.near_texts) or self.near_texts[place] != text:
            return []
        return [number for number in self.bucket_numbers[place].tolist() if number >= 0]

    def _fits(self, cluster: int, day: int, place: int) -> bool:
        """Whether an offer may repeat a cluster, as far as time and place go."""
        latest, there = self.latest[cluster], self.places[cluster]
        within = UNKNOWN_DAY in (day, latest) or day - latest <= self.window
        return within and (not place or not there or place == there)

    def _with_text(self, text: int, day: int, place: int) -> int | None:
        known = self.by_text.get(text, {})
        for where in (place, 0) if place else (_ANYWHERE,):
            cluster = known.get(where)
            if cluster is not None and self._fits(cluster, day, place):
                return cluster
        return None

    def _nearest(self, text: int, buckets: list[int], day: int, place: int) -> int | None:
        """The cluster with the most similar original, None if none is similar enough."""
        shared: Counter[int] = Counter()
        for bucket in buckets:
            shared.update(self.buckets[bucket])
        fitting = [n for n in shared if self._fits(self.leaders[n][1], day, place)]
        if not fitting:
            return None
        fitting.sort(key=lambda n: (-shared[n], n))
        best, found = 0.0, None
        mine = self.shingles(text)
        for number in sorted(fitting[:_MOST_COMPARED]):
            leader, cluster = self.leaders[number]
            similarity = 1.0 if leader == text else jaccard(mine, self.shingles(leader))
            if similarity >= self.threshold and similarity > best:
                best, found = similarity, cluster
        return found
