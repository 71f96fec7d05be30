"""What the files hold: rows, unknowns, months, and which offers the sample is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.files.cells import as_text
from aiskills.report.records import Inventory, Options
from aiskills.report.sources import Source
from aiskills.schema import Status

#: Attribute -> its column, and the values that mean "not known".
ATTRIBUTES: Final = {
    "branch": ("ai_branch", ("", "inconnu", "siège", "intermédiaire")),
    "perimeter": ("ai_industry_opco2i", ("",)),
    "region": ("ai_region", ("", "inconnu", "télétravail", "France entière")),
    "function": ("ai_function", ("",)),
    "cadre": ("ai_cadre", ("", "inconnu")),
    "month": ("ai_period", ("",)),
}
_TRUE: Final = pa.array(["true", "1", "1.0", "vrai", "oui", "yes"])


@dataclass(frozen=True, slots=True)
class Survey:
    """The inventory, and the rows by status.

    Attributes:
        inventory: What the files hold.
        rows: Status -> by source, the numbers of the rows that have it under the report's
            definition and belong to its population and perimeter.
    """

    inventory: Inventory
    rows: dict[Status, list[NDArray[np.int64]]]


def survey(sources: Sequence[Source], options: Options) -> Survey:
    """Reads the statuses and attributes of every offer once."""
    tally = _Tally()
    rows: dict[Status, list[NDArray[np.int64]]] = {Status.DEMAND: [], Status.MENTION: []}
    marked = all("ai_duplicate_of" in one.columns for one in sources)
    for source in sources:
        parts = _survey_one(source, options, tally)
        for status, numbers in parts.items():
            rows[status].append(numbers)
    inventory = Inventory(
        read=tally.read,
        not_judged=tally.not_judged,
        reposts=tally.reposts if marked else None,
        counted=tally.counted,
        unknown={name: tally.unknown[name] for name in ATTRIBUTES if name in tally.unknown},
        months=dict(sorted(tally.months.items())),
        languages=dict(tally.languages.most_common()),
    )
    return Survey(inventory, rows)


@dataclass(slots=True)
class _Tally:
    read: int = 0
    not_judged: int = 0
    reposts: int = 0
    counted: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)


def _survey_one(source: Source, options: Options, tally: _Tally) -> dict[Status, NDArray[np.int64]]:
    status_column = f"ai_{options.definition}_status"
    known = [column for column, _ in ATTRIBUTES.values() if column in source.columns]
    extra = [
        name
        for name in ("ai_duplicate_of", "ai_language", f"ai_industry_{options.perimeter}")
        if name in source.columns
    ]
    found: dict[Status, list[NDArray[np.int64]]] = {Status.DEMAND: [], Status.MENTION: []}
    start = 0
    for batch in source.batches([status_column, *known, *extra]):
        texts = {name: pc.fill_null(as_text(batch.column(name)), "") for name in batch.column_names}
        judged = pc.not_equal(texts[status_column], "")
        own = judged
        if "ai_duplicate_of" in texts:
            own = pc.and_(judged, pc.equal(texts["ai_duplicate_of"], ""))
        tally.read += len(batch)
        tally.not_judged += len(batch) - _sum(judged)
        tally.reposts += _sum(judged) - _sum(own)
        tally.counted += _sum(own)
        for name, (column, unknown) in ATTRIBUTES.items():
            if column in texts:
                lost = pc.is_in(texts[column], value_set=pa.array(unknown))
                tally.unknown[name] += _sum(pc.and_(own, lost))
        for column, counter in (("ai_period", tally.months), ("ai_language", tally.languages)):
            if column in texts:
                for one in pc.value_counts(texts[column].filter(own)).to_pylist():
                    counter[one["values"]] += one["counts"]
        belongs = _belongs(texts, own, options)
        for status, numbers in found.items():
            hits = pc.and_(belongs, pc.equal(texts[status_column], status.value))
            numbers.append(np.flatnonzero(np.asarray(hits)) + start)
        start += len(batch)
    return {
        status: np.concatenate([np.zeros(0, np.int64), *numbers])
        for status, numbers in found.items()
    }


def _belongs(
    texts: dict[str, pa.ChunkedArray], own: pa.ChunkedArray, options: Options
) -> pa.ChunkedArray:
    """Whether each row is in the population and the perimeter."""
    if options.population == "cadre" and "ai_cadre" in texts:
        own = pc.and_(own, pc.equal(texts["ai_cadre"], "cadre"))
    column = f"ai_industry_{options.perimeter}"
    if options.perimeter != "all" and column in texts:
        own = pc.and_(own, pc.is_in(pc.utf8_lower(texts[column]), value_set=_TRUE))
    return own


def _sum(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)
