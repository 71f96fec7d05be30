"""Classify: parts of offers in, parts with the added columns out, whoever does them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.cluster.addresses import stamp_of
from aiskills.cluster.engines import Engine
from aiskills.cluster.folders import Folder, plan_of
from aiskills.cluster.kit import JUDGING, Kit
from aiskills.cluster.parts import Offers, Part
from aiskills.files.notes import Note, ignore
from aiskills.pipeline import CHUNK_ROWS, Setup, classify_chunks
from aiskills.summary import Tally


@dataclass(frozen=True, slots=True)
class _Job:
    offers: Offers
    folder: Folder
    plan: str
    kit: Kit
    only_flagged: bool


def classify_parts(
    offers: Offers,
    folder: Folder,
    setup: Setup,
    engine: Engine,
    *,
    only_flagged: bool = False,
    note: Note = ignore,
    tell: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Classifies all parts into a folder; the bytes written do not depend on the engine.

    Args:
        offers: What is read.
        folder: Where the parts go, under the same numbers.
        setup: The judge to use.
        engine: Does the parts.
        only_flagged: Keep only offers that ask for AI skills (study).
        note: Takes one line for each thing the user should know.
        tell: Given the counts so far after each part.

    Returns:
        Counts over the rows read now; those of parts that a stopped run had left are not in it.

    Raises:
        AiskillsError: Whatever is wrong with inputs, output, model or cluster.
    """
    kit = Kit.pack(setup, travels=engine.travels)
    plan = _plan(offers, kit, only_flagged=only_flagged)
    done = folder.begin(plan, inputs=offers.sources, note=note)
    if done:
        note("the counts below leave out the parts that are kept")
    # The parts themselves travel one by one.
    job = _Job(offers.without_parts(), folder, plan, kit, only_flagged)
    missing = [part for part in offers.parts if part.name not in done]
    tallies: dict[int, Tally] = {}
    so_far = Tally()
    for place, tally in engine.map(_classify, job, missing):
        tallies[place] = tally
        _add(so_far, tally)
        tell(so_far)
    folder.finish(plan, [part.name for part in offers.parts], kit.versions)
    # Added up in the order of the parts, so that ties are told in one order.
    total = Tally()
    for place in sorted(tallies):
        _add(total, tallies[place])
    return total


def _classify(job: _Job, part: Part) -> Tally:
    setup = job.kit.unpack()
    tally = Tally()
    with (
        JUDGING,
        job.offers.read(part, CHUNK_ROWS) as reader,
        job.folder.write(part.name, job.plan, job.kit.versions) as writer,
    ):
        for table in classify_chunks(reader, setup):
            tally.add(table)
            writer.write(flagged(table) if job.only_flagged else table)
    return tally


def _add(tally: Tally, part: Tally) -> None:
    tally.read += part.read
    tally.judged += part.judged
    tally.errors.update(part.errors)
    tally.statuses.update(part.statuses)
    tally.themes.update(part.themes)


def flagged(table: pa.Table) -> pa.Table:
    """The rows that ask for AI skills under the study definition."""
    return table.filter(pc.fill_null(table.column("ai_study"), False))


def _plan(offers: Offers, kit: Kit, *, only_flagged: bool) -> str:
    own = [one for one in (kit.setup.own.siret_idcc, kit.setup.own.naf2025) if one]
    return plan_of(
        "classify",
        offers.told(),
        dict(kit.versions),
        [(one, stamp_of(one)) for one in own],
        only_flagged,
        pa.__version__,
    )
