"""The offers that are read: real ones that the user has, and a mix of all trades."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aiskills.errors import InputError
from aiskills.estimate.classification import ALL_TRADES
from aiskills.files import find_fields, open_offers
from aiskills.labels.records import read_labels
from aiskills.labels.texts import OffersFile, read_labelled
from aiskills.simulate import simulate
from benchmarks.plan import Plan

ROOT: Final = Path(__file__).resolve().parents[1]
LABELS: Final = ROOT / "data" / "labels"
_SEED: Final = 5
#: Columns of the mix; all text.
_COLUMNS: Final = (
    "id", "title", "description", "date", "company", "naf", "sector_label", "rome", "location",
    "postcode", "qualification", "contract", "experience",
)  # fmt: skip
SCHEMA: Final = pa.schema([(name, pa.large_string()) for name in _COLUMNS])


@dataclass(frozen=True, slots=True)
class DataSet:
    """A file of offers and what is in it.

    Attributes:
        path: The Parquet file.
        rows: Offers.
        distinct: Different descriptions.
        characters: Mean length of title and description.
        composition: Where the offers come from, in words.
    """

    path: Path
    rows: int
    distinct: int
    characters: float
    composition: str

    def facts(self) -> dict[str, Any]:
        """Everything but the path, for the results."""
        return {
            "rows": self.rows,
            "distinct": self.distinct,
            "characters": round(self.characters),
            "composition": self.composition,
        }

    def texts(self) -> list[str]:
        """Title and description of every offer as one text."""
        return joined_texts(self.table())

    def table(self) -> pa.Table:
        """The offers, under canonical names."""
        return pq.read_table(self.path).cast(SCHEMA)


@dataclass(frozen=True, slots=True)
class Material:
    """What the parts measure on.

    Attributes:
        folder: Where files may be written; removed afterwards.
        given: The user's file of real offers; None if there is none.
        real: Those offers under canonical names; None likewise.
        mix: Offers of all trades.
    """

    folder: Path
    given: Path | None
    real: DataSet | None
    mix: DataSet

    def sets(self) -> dict[str, DataSet]:
        """The data sets by name."""
        return ({"real": self.real} if self.real else {}) | {"mix": self.mix}


def joined_texts(table: pa.Table) -> list[str]:
    """Title and description of every offer as one text."""
    titles, descriptions = (
        pc.fill_null(table.column(name), "").to_pylist() for name in ("title", "description")
    )
    return [f"{title}\n{text}" for title, text in zip(titles, descriptions, strict=True)]


def prepare(given: Path | None, plan: Plan, folder: Path) -> Material:
    """Writes the data sets.

    Args:
        given: A file of real offers, or None.
        plan: Sizes.
        folder: Where files are written.

    Returns:
        The data sets; the mix holds the real offers of all trades, if any, and simulated ones.
    """
    real = None
    trades = SCHEMA.empty_table()
    if given is not None:
        table, sources = _real_offers(given)
        known = _all_trades_sources(given)
        trades = table.filter(pc.is_in(sources, value_set=pa.array(sorted(known), pa.string())))
        # Never more than half, so that a small mix is one too.
        trades = _distinct(trades).slice(0, plan.mix_rows // 2)
        real = save(table.slice(0, plan.real_rows), folder / "real.parquet", "the real offers")
    mix = _mix(trades, plan.mix_rows)
    own = len(trades)
    words = f"{plan.mix_rows - own:,} simulated offers"
    if own:
        words = f"{own:,} real offers of all trades and " + words
    return Material(folder, given, real, save(mix, folder / "mix.parquet", words))


def save(table: pa.Table, path: Path, composition: str) -> DataSet:
    """Writes a table of offers and tells what is in it."""
    pq.write_table(table, path, row_group_size=50_000)
    lengths = [pc.sum(pc.utf8_length(table.column(n))).as_py() or 0 for n in SCHEMA.names[1:3]]
    return DataSet(
        path,
        len(table),
        pc.count_distinct(table.column("description"), mode="all").as_py(),
        sum(lengths) / max(len(table), 1),
        composition,
    )


def simulated(rows: int, seed: int = _SEED) -> pa.Table:
    """Offers of the simulated stream under canonical names, reposts included."""
    return pa.concat_tables([_canonical(c.offers) for c in simulate(rows, seed=seed)])


def write_simulated(rows: int, path: Path, seed: int = _SEED + 1) -> Path:
    """A file of simulated offers, written piece by piece so that it may be large."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for chunk in simulate(rows, seed=seed):
            if chunk.offers is not None:
                writer.write_table(_canonical(chunk.offers))
    return path


def _canonical(table: pa.Table) -> pa.Table:
    fields = find_fields(table.column_names, table.slice(0, 100), None)
    columns = [fields.extract(table, name).cast(pa.large_string()) for name in _COLUMNS]
    return pa.table(dict(zip(_COLUMNS, columns, strict=True)), schema=SCHEMA)


def _real_offers(path: Path) -> tuple[pa.Table, pa.Array]:
    """Real offers under canonical names and the source of each."""
    tables, sources = [], []
    with open_offers([path]) as offers:
        for chunk in offers:
            columns = {n: chunk.fields.extract(chunk.table, n) for n in (*_COLUMNS, "source")}
            sources.append(columns.pop("source").cast(pa.string()))
            tables.append(
                pa.table({n: c.cast(pa.large_string()) for n, c in columns.items()}, SCHEMA)
            )
    if not tables:
        raise InputError(f"{path} holds no offers")
    return pa.concat_tables(tables), pa.concat_arrays(sources)


def _all_trades_sources(path: Path) -> set[str]:
    """The sources from which the audit sample's stratum of all trades was drawn."""
    file = LABELS / "audit.jsonl"
    uids = {label.uid for label in read_labels([file])[0] if label.stratum == ALL_TRADES}
    rows = read_labelled([file], OffersFile(path)).rows
    return {str(rows[uid].columns["source"]) for uid in uids}


def _mix(trades: pa.Table, rows: int) -> pa.Table:
    """Offers of all trades in random order, no description twice as far as there are enough."""
    # About one simulated offer in twelve repeats another.
    table = pa.concat_tables([trades, simulated(rows + rows // 5)])
    table = _distinct(table).slice(0, rows)
    order = np.random.default_rng(_SEED).permutation(len(table))
    return table.take(pa.array(order)).combine_chunks()


def _distinct(table: pa.Table) -> pa.Table:
    """Without the rows whose description stands in an earlier one."""
    text = table.column("description").combine_chunks()
    if not len(text):
        return table
    codes = text.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    _, first = np.unique(codes, return_index=True)
    return table.take(pa.array(np.sort(first)))


def sample(table: pa.Table, rows: int) -> pa.Table:
    """A fixed random sample of offers."""
    random = np.random.default_rng(_SEED)
    chosen = random.permutation(len(table))[:rows]
    return table.take(pa.array(chosen)).combine_chunks()
