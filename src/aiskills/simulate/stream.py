"""The stream of offers: blocks of originals, their reposts soon after, cut to chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.errors import UsageError
from aiskills.simulate.employers import make_employers, read_places
from aiskills.simulate.fields import OFFER_COLUMNS, offers_table
from aiskills.simulate.layout import evidence
from aiskills.simulate.parameters import Parameters, read_parameters
from aiskills.simulate.pools import Floats, Ints
from aiskills.simulate.stock import texts
from aiskills.simulate.targets import targets
from aiskills.simulate.truth import (
    DAYS,
    TRUTH_COLUMNS,
    Rows,
    World,
    check,
    draw_truth,
    titles_of,
    truth_table,
)
from aiskills.simulate.wording import draw_words, edit

#: Originals drawn at a time. Part of what a seed means: another number gives other offers.
_BLOCK: Final = 10_000
_TRUTH, _WORDS, _EMPLOYERS = range(3)
_NO_REPOST, _SAME_ID, _EXACT, _NEAR = range(4)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of the stream.

    Attributes:
        offers: As a file of offers has them; None where only the truth was asked for.
        truth: What is true of them, row for row (`aiskills.simulate.TRUTH_COLUMNS`).
    """

    offers: pa.Table | None
    truth: pa.Table


def simulate(
    offers: int,
    *,
    seed: int = 0,
    parameters: Parameters | None = None,
    chunk_rows: int = 10_000,
    with_text: bool = True,
) -> Iterator[Chunk]:
    """Simulates a stream of offers.

    The same seed and parameters give the same rows whatever `chunk_rows` is, and a shorter stream
    is the beginning of a longer one. Memory is bounded: three blocks and a chunk.

    Args:
        offers: Rows, reposts included; above 0.
        seed: 0 or above.
        parameters: What the stream follows; None for the default ones.
        chunk_rows: Rows of each chunk but the last.
        with_text: Whether to write texts; without, only the truth comes, about ten times as fast.

    Yields:
        The rows, in no order of time; a repost comes after the row that it repeats.

    Raises:
        UsageError: A number is out of range, or the parameters contradict each other.
    """
    for name, value, least in (
        ("offers", offers, 1),
        ("seed", seed, 0),
        ("chunk_rows", chunk_rows, 1),
    ):
        if value < least:
            raise UsageError(f"{name} = {value}", expected=f"{least} or more")
    world = _world(parameters or read_parameters(), seed)
    return _cut(_tables(world, seed, with_text=with_text), offers, chunk_rows)


def _world(parameters: Parameters, seed: int) -> World:
    stock, places = texts(), read_places()
    employers = make_employers(parameters, stock, places, _rng(seed, _EMPLOYERS, 0))
    families, titles, topic = titles_of(stock)
    world = World(
        parameters, targets(parameters), stock, places, employers, families, titles, topic
    )
    check(world)
    return world


def _rng(seed: int, what: int, block: int) -> np.random.Generator:
    """Draws of their own for each block and purpose, so that texts do not move the truth."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, what, block))))


def _cut(tables: Iterator[Chunk], offers: int, chunk_rows: int) -> Iterator[Chunk]:
    waiting: list[Chunk] = []
    held = sent = 0
    while sent < offers:
        wanted = min(chunk_rows, offers - sent)
        while held < wanted:
            waiting.append(next(tables))
            held += len(waiting[-1].truth)
        truth = pa.concat_tables([one.truth for one in waiting])
        rows = [one.offers for one in waiting if one.offers is not None]
        text = pa.concat_tables(rows) if rows else None
        while held >= wanted > 0:
            yield Chunk(text.slice(0, wanted) if text else None, truth.slice(0, wanted))
            sent, held = sent + wanted, held - wanted
            truth, text = truth.slice(wanted), text.slice(wanted) if text else None
            wanted = min(chunk_rows, offers - sent)
        waiting = [Chunk(text, truth)] if held else []


def _tables(world: World, seed: int, *, with_text: bool) -> Iterator[Chunk]:
    """Blocks for ever: the originals of one, and the reposts that fall into it."""
    late: Rows | None = None
    position = 0
    block = 0
    while True:
        rng = _rng(seed, _TRUTH, block)
        words = _rng(seed, _WORDS, block)
        rows = draw_truth(world, _BLOCK, rng)
        if with_text:
            rows |= draw_words(world, rows, words)
        count = len(rows["day"])
        rows["repost"] = np.zeros(count, dtype=np.int64)
        rows["original"] = np.full(count, -1)
        reposts, when = _reposts(world, rows, rng)
        if with_text:
            edit(world, reposts, np.flatnonzero(reposts["repost"] == _NEAR), words)
        key = rng.random(count)
        soon = when < 1
        # A repost stands somewhere after its original; `original` is a place in the block so far.
        after = key[reposts["original"]] + when * (1 - key[reposts["original"]])
        parts, keys = [rows, _some(reposts, soon)], [key, after[soon]]
        if late is not None:
            parts.append(late)
            keys.append(rng.random(len(late["day"])))
        merged = {name: np.concatenate([part[name] for part in parts]) for name in rows}
        order = np.argsort(np.concatenate(keys), kind="stable")
        merged["position"] = np.empty(len(order), dtype=np.int64)
        merged["position"][order] = position + np.arange(len(order))
        where = merged["position"][:count]
        known = len(rows["day"]) + int(soon.sum())
        merged["original"][:known] = np.where(
            merged["repost"][:known] > 0, where[merged["original"][:known]], -1
        )
        late = _some(reposts, ~soon)
        late["original"] = where[late["original"]]
        yield _chunk(world, seed, _some(merged, order), with_text=with_text)
        position += len(order)
        block += 1


def _reposts(world: World, rows: Rows, rng: np.random.Generator) -> tuple[Rows, Floats]:
    """Copies of some originals with later dates, and when each comes: below 1 in this block."""
    p = world.parameters.number
    count = len(rows["day"])
    part = p("reposts.part")
    wanted = int(rng.binomial(count, min(part / (1 - part), 1.0)))
    original = rng.integers(0, count, wanted)
    kinds = np.searchsorted(
        np.cumsum([p("reposts.same_id"), p("reposts.exact")]), rng.random(wanted), side="right"
    )
    copies = _some(rows, original)
    copies["repost"] = _SAME_ID + kinds
    copies["original"] = original
    delay = 1 + (rng.random(wanted) * p("reposts.days")).astype(np.int64)
    copies["day"] = np.minimum(copies["day"] + delay, DAYS - 1)
    return copies, rng.random(wanted) * 2


def _some(rows: Rows, chosen: NDArray[Any]) -> Rows:
    return {name: values[chosen] for name, values in rows.items()}


def _chunk(world: World, seed: int, rows: Rows, *, with_text: bool) -> Chunk:
    own = np.where(rows["repost"] == _SAME_ID, rows["original"], rows["position"])
    ids = _ids(seed, own)
    words = evidence(world, rows) if with_text else None
    repeated = _ids(seed, rows["original"])
    repeated = pc.if_else(pa.array(rows["repost"] > 0), repeated, "")
    truth = truth_table(world, rows, words).append_column("true_duplicate_of", repeated)
    truth = truth.append_column("id", ids).select(list(TRUTH_COLUMNS))
    if not with_text:
        return Chunk(None, truth)
    offers = offers_table(world, rows).append_column("id", ids)
    return Chunk(offers.select(list(OFFER_COLUMNS)), truth)


def _ids(seed: int, positions: Ints) -> pa.Array:
    """Ids by position of the first publication in the stream."""
    numbers = pc.utf8_lpad(pa.array(positions).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise(f"S{seed}", numbers, "-")
