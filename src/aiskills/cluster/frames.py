"""The three passes on Dask dataframes: their partitions are the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.cluster.counting import Asked
from aiskills.cluster.extra import need
from aiskills.cluster.kit import JUDGING, Kit
from aiskills.cluster.reposts import Shingled, keys_of, reposts_of, shingles_of
from aiskills.dedupe import COLUMN, OfferKeys, Settings
from aiskills.dedupe.frames import arrow_table, chunks_of
from aiskills.errors import UsageError
from aiskills.estimate.counts import Batch
from aiskills.estimate.measurement import Correction, run
from aiskills.estimate.plan import Plan
from aiskills.estimate.scored import Scored, open_scored
from aiskills.estimate.table import Options, parse_rates, question_of
from aiskills.pipeline import Setup, parse_threshold

if TYPE_CHECKING:
    from aiskills.estimate.classification import ErrorRates


def classify(
    offers: Any,
    *,
    mapping: Mapping[str, str] | None = None,
    model: str | Path | None = None,
    lexicon: str | Path | None = None,
    threshold: float | str | Mapping[str, float] | None = None,
) -> Any:
    """Judges a Dask dataframe of offers, lazily.

    Args:
        offers: A `dask.dataframe.DataFrame` with a column of texts (and one of titles).
        mapping: Which column holds what, where the names do not tell.
        model: A model folder; None for the model that ships with aiskills. The user's own model
            and lexicon are sent to the workers.
        lexicon: A lexicon file laid over the default one.
        threshold: Score from which an offer is a demand, as for `aiskills.Classifier.load`.

    Returns:
        A Dask dataframe of the same partitions, rows and index, with the columns that
        `aiskills.classify` adds; nothing is judged before it is computed. Each partition is judged
        by itself, whose first 100 rows tell what nested columns hold.

    Raises:
        InputError: No text column can be told.
        ModelError: The model cannot be opened.
        LexiconError: The lexicon has mistakes.
        UsageError: Dask is not installed, or `offers` is no Dask dataframe.
    """
    _check(offers)
    import dask

    setup = Setup(
        None if model is None else str(model),
        None if lexicon is None else str(lexicon),
        tuple(sorted(parse_threshold(threshold).items())),
    )
    kit = Kit.pack(setup, travels=True)
    meta = _judged(offers._meta, kit, mapping)
    # As a task of its own the kit reaches each worker once, not with each partition.
    shared = dask.delayed(kit, pure=True)
    return offers.map_partitions(_judged, shared, mapping, meta=meta)


def dedupe(
    offers: Any,
    *,
    window_days: int = 90,
    threshold: float = 0.8,
    same: Sequence[str] = (),
    any_place: bool = False,
    mapping: Mapping[str, str] | None = None,
) -> Any:
    """Marks the reposts in a Dask dataframe.

    Keys of all offers are computed at once, on the workers, and brought here (some 200 bytes an
    offer); who repeats whom is decided here.

    Args:
        offers: A `dask.dataframe.DataFrame` of offers, classified or not. It is computed twice now
            and a third time with the result: persist it if that is dear.
        window_days: Most days between an offer and the latest one before it in its cluster.
        threshold: Share of word runs that two texts must have in common (Jaccard), 0.7 to 1.
        same: Fields or columns in which reposts must agree too.
        any_place: Whether the same text for another region is a repost.
        mapping: Which column holds what, where the names do not tell.

    Returns:
        A Dask dataframe of the same partitions, rows and index with `ai_duplicate_of`: what
        `aiskills.duplicates` says of all rows together.

    Raises:
        InputError: No text column can be told.
        UsageError: Dask is not installed, `offers` is no Dask dataframe, a setting is out of its
            range, or a column is not there.
    """
    _check(offers)
    import dask
    import dask.dataframe as dd

    settings = Settings(
        window_days, threshold, (same,) if isinstance(same, str) else tuple(same), any_place
    )
    pieces = offers.to_delayed()
    keys = [dask.delayed(_keys)(piece, mapping, settings) for piece in pieces]

    def shingles(
        wanted: Sequence[tuple[int, NDArray[np.int64]]],
    ) -> Iterator[tuple[int, Shingled]]:
        tasks = [dask.delayed(_shingles)(pieces[place], mapping, rows) for place, rows in wanted]
        return enumerate(dask.compute(*tasks))

    reposts, starts = reposts_of(enumerate(dask.compute(*keys)), shingles, len(pieces), settings)
    columns = [
        reposts.column(int(start), int(count))
        for start, count in zip(starts, np.diff(starts), strict=False)
    ]
    return dd.from_delayed(
        [
            dask.delayed(_marked)(piece, column)
            for piece, column in zip(pieces, columns, strict=True)
        ],
        meta=_marked(offers._meta, pa.nulls(0, pa.string())),
        divisions=offers.divisions,
    )


def measure(
    offers: Any,
    by: str | Sequence[str] | None = None,
    *,
    gold: str | Path | None = None,
    error_rates: Mapping[str, ErrorRates | Mapping[str, int]] | None = None,
    model: str | Path | None = None,
    **options: Unpack[Options],
) -> Any:
    """Measures the share of offers that ask for AI skills in a Dask dataframe, at once.

    Args:
        offers: A `dask.dataframe.DataFrame` of scored offers; the columns asked for are computed on
            the workers, and counts of cells are brought here.
        by: Groups, as for `aiskills.measure`.
        gold: A file of labelled offers of this data with their probability of having been drawn.
        error_rates: Counts of an audit of your own; an empty mapping for no correction.
        model: A model folder whose audit is used; None for the model that ships with aiskills.
        **options: As for `aiskills.measure`.

    Returns:
        The pandas table that `aiskills.measure` gives for all rows together. With `weights` sums
        may differ in the last digits, since they are added up in another order.

    Raises:
        InputError: A column is missing or holds something else.
        LabelError: The gold file is none, or its labels have no `inclusion`.
        UsageError: Dask is not installed, `offers` is no Dask dataframe, or options make no sense.
    """
    _check(offers)
    rates = None if error_rates is None else parse_rates(error_rates)
    found = run(
        [_scored(offers)],
        question_of(by, **options),
        Correction(gold, rates, model),
        counter=_Partitions(offers),
    )
    frame = found.table.to_pandas()
    frame.attrs.update(found.metadata())
    return frame


class _Partitions:
    """Counts the partitions of a Dask dataframe; a `aiskills.estimate.counts.Counter`."""

    def __init__(self, offers: Any) -> None:
        self._offers = offers

    def __call__(
        self,
        plans: Sequence[Plan],
        chosen: pa.Array | None,
        skip: Mapping[str, pa.Array] | None,
    ) -> Iterator[Batch]:
        import dask

        (plan,) = plans
        asked = Asked.of(plan, (skip or {}).get(plan.scored.name))
        pieces = self._offers[list(plan.read)].to_delayed()
        columns = plan.scored.columns
        tasks = [dask.delayed(_counted)(piece, asked, columns, chosen) for piece in pieces]
        for found in dask.compute(*tasks):
            yield from found


def _scored(offers: Any) -> Scored:
    """A Dask dataframe as scored offers, for what is not counted on the workers."""

    def read(columns: list[str]) -> Iterator[pa.Table]:
        chosen = offers[columns]
        for place in range(offers.npartitions):
            yield from _one(chosen.partitions[place].compute()).batches(columns)

    return Scored("the table", [str(name) for name in offers.columns], {}, read)


def _one(frame: Any) -> Scored:
    (scored,) = open_scored(frame)
    return scored


def _counted(
    frame: Any, asked: Asked, columns: Sequence[str], chosen: pa.Array | None
) -> list[Batch]:
    # Fields of an offer are found among all columns, of which only those needed are here.
    return asked.batches(Scored("the table", columns, {}, _one(frame).batches), chosen)


def _check(offers: Any) -> None:
    need("dask")
    if not type(offers).__module__.startswith("dask.") or not hasattr(offers, "map_partitions"):
        raise UsageError(f"offers are a {type(offers).__name__}", expected="a Dask dataframe")


def _judged(frame: Any, kit: Kit, mapping: Mapping[str, str] | None) -> Any:
    from aiskills.classifier import Classifier

    setup = kit.unpack()
    with JUDGING:
        return Classifier(setup.judge()).classify(frame, mapping=mapping)


def _keys(frame: Any, mapping: Mapping[str, str] | None, settings: Settings) -> OfferKeys:
    return keys_of(chunks_of(arrow_table(frame), mapping), settings)


def _shingles(frame: Any, mapping: Mapping[str, str] | None, rows: NDArray[np.int64]) -> Shingled:
    return shingles_of(chunks_of(arrow_table(frame), mapping), rows)


def _marked(frame: Any, column: pa.Array) -> Any:
    import pandas as pd

    marks = pd.Series(column.to_pandas().array, index=frame.index)
    return frame.assign(**{COLUMN: marks})
