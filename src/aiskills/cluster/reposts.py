"""Reposts found from keys that workers make; who repeats whom is decided here, from all keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.cluster.engines import Engine
from aiskills.cluster.folders import Folder, plan_of
from aiskills.cluster.parts import Offers, Part
from aiskills.dedupe import (
    OfferKeys,
    Reposts,
    Settings,
    ShingleStore,
    contested,
    joined,
    mark_duplicates,
    offer_keys,
    shingle_sets,
    text_keys,
    with_column,
)
from aiskills.dedupe.offers import UNKNOWN_DAY
from aiskills.files import Chunk
from aiskills.files.notes import Note, ignore
from aiskills.hashing import Keys

#: Rows read at a time, as for a single file.
_CHUNK_ROWS: Final = 2000

Shingled = tuple[Keys, NDArray[np.int64]]
"""Sorted shingles of some texts, one after the other, and how many each has."""


@dataclass(frozen=True, slots=True)
class _Reading:
    offers: Offers
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Writing:
    offers: Offers
    folder: Folder
    plan: str
    metadata: Mapping[str, str]


def mark_parts(
    offers: Offers,
    folder: Folder,
    settings: Settings,
    engine: Engine,
    metadata: Mapping[str, str],
    *,
    note: Note = ignore,
    tell: Callable[[str], None] = lambda _: None,
) -> Reposts:
    """Marks the reposts of all parts into a folder.

    Args:
        offers: What is read.
        folder: Where the parts go, under the same numbers.
        settings: What counts as a repost.
        engine: Does the parts.
        metadata: Goes into every part.
        note: Takes one line for each thing the user should know.
        tell: Told what is being done.

    Returns:
        What `aiskills.dedupe.find_reposts` finds in the same offers.

    Raises:
        AiskillsError: Whatever is wrong with inputs, settings, output or cluster.
    """
    plan = plan_of("dedupe", offers.told(), asdict(settings), dict(metadata), pa.__version__)
    done = folder.begin(plan, inputs=offers.sources, note=note)
    reading = _Reading(offers.without_parts(), settings)
    parts = offers.parts
    found = reposts_of(
        engine.map(_keys, reading, parts),
        lambda wanted: engine.map(
            _shingles, reading, [(parts[place], rows) for place, rows in wanted]
        ),
        len(parts),
        settings,
        tell,
    )
    reposts, starts = found
    missing = [
        (part, reposts.column(int(starts[part.number]), int(np.diff(starts)[part.number])))
        for part in parts
        if part.name not in done
    ]
    writing = _Writing(reading.offers, folder, plan, metadata)
    for count, _ in enumerate(engine.map(_write, writing, missing), 1):
        tell(f"writing: {count:,} of {len(missing):,} parts")
    folder.finish(plan, [part.name for part in parts], metadata)
    return reposts


def reposts_of(
    keys: Iterable[tuple[int, OfferKeys]],
    shingles: Callable[[Sequence[tuple[int, NDArray[np.int64]]]], Iterable[tuple[int, Shingled]]],
    count: int,
    settings: Settings,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Reposts, NDArray[np.int64]]:
    """Decides from keys that were made part by part.

    Args:
        keys: Place and keys of each part, in any order.
        shingles: Given places of parts and rows in them, gives the shingles of those rows' texts,
            in any order.
        count: How many parts there are.
        settings: What counts as a repost.
        tell: Told what is being done.

    Returns:
        The reposts, and the first row of each part with the number of all rows behind them.
    """
    gathered: list[OfferKeys | None] = [None] * count
    rows = 0
    for place, some in keys:
        gathered[place] = some
        rows += len(some)
        tell(f"first reading: {rows:,} offers")
    each = [one for one in gathered if one is not None]
    starts = np.cumsum([0, *map(len, each)])
    every = joined(each)
    gathered.clear()
    each.clear()
    again = contested(every)
    ends = np.searchsorted(again, starts)
    wanted = [
        (place, again[first:last] - starts[place])
        for place, (first, last) in enumerate(pairwise(ends))
        if last > first
    ]
    with ShingleStore(every.text[again]) as store:
        for number, (hashes, counts) in enumerate(in_order(shingles(wanted)), 1):
            for one in np.split(hashes, np.cumsum(counts)[:-1]):
                store.add(one)
            tell(f"second reading: {number:,} of {len(wanted):,} parts")
        tell("comparing")
        marks = mark_duplicates(
            every,
            store.get,
            again,
            window_days=settings.window_days,
            threshold=settings.threshold,
        )
    undated = int((every.day == UNKNOWN_DAY).sum())
    return Reposts(every.uid.combine_chunks(), marks, undated, len(again)), starts


def in_order(results: Iterable[tuple[int, Any]]) -> Iterator[Any]:
    """Results in the order of their places; those that come too early wait."""
    early: dict[int, Any] = {}
    due = 0
    for place, result in results:
        early[place] = result
        while due in early:
            yield early.pop(due)
            due += 1


def keys_of(chunks: Iterable[Chunk], settings: Settings) -> OfferKeys:
    """The keys of some offers."""
    return joined(
        [
            offer_keys(
                chunk.table,
                chunk.fields,
                text_keys(*_texts(chunk.table, chunk)),
                same=settings.same,
                any_place=settings.any_place,
            )
            for chunk in chunks
        ]
    )


def shingles_of(chunks: Iterable[Chunk], rows: NDArray[np.int64]) -> Shingled:
    """The shingles of some rows, which are sorted."""
    sets: list[Keys] = []
    start = done = 0
    for chunk in chunks:
        end = start + len(chunk.table)
        stop = int(np.searchsorted(rows, end))
        if stop > done:
            table = chunk.table.take(pa.array(rows[done:stop] - start))
            sets += shingle_sets(*_texts(table, chunk))
            done = stop
        start = end
    return np.concatenate(sets), np.array([len(one) for one in sets], dtype=np.int64)


def _texts(table: pa.Table, chunk: Chunk) -> tuple[pa.Array, pa.Array]:
    return chunk.fields.extract(table, "title"), chunk.fields.extract(table, "description")


def _keys(reading: _Reading, part: Part) -> OfferKeys:
    with reading.offers.read(part, _CHUNK_ROWS) as reader:
        return keys_of(reader, reading.settings)


def _shingles(reading: _Reading, wanted: tuple[Part, NDArray[np.int64]]) -> Shingled:
    part, rows = wanted
    with reading.offers.read(part, _CHUNK_ROWS) as reader:
        return shingles_of(reader, rows)


def _write(writing: _Writing, marked: tuple[Part, pa.Array]) -> None:
    part, column = marked
    with (
        writing.offers.read(part, _CHUNK_ROWS) as reader,
        writing.folder.write(part.name, writing.plan, writing.metadata) as writer,
    ):
        for table in with_column(reader, column):
            writer.write(table)
