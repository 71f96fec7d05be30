"""The same offers give the same columns: any number of processes, any chunks, CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from aiskills.files import open_offers, read_table
from aiskills.pipeline import Setup, classify_chunks
from aiskills.schema import CLASSIFY_COLUMNS
from aiskills.simulate import simulate

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples" / "offers.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of invented offers as CSV and as Parquet: the samples and some of the stream."""
    samples = read_table(SAMPLES)
    (stream,) = simulate(900, seed=5)
    assert stream.offers is not None
    names = {"intitule": "title", "description": "description", "dateCreation": "date"}
    names |= {"codeNAF": "naf", "romeCode": "rome", "lieuTravail_codePostal": "postcode"}
    rows = stream.offers.select(list(names)).rename_columns(list(names.values()))
    table = pa.concat_tables([samples.select(rows.column_names).cast(rows.schema), rows])
    # CSV has no null in a column of text; empty cells are what a file of offers has.
    table = pa.table({name: table.column(name).fill_null("") for name in table.column_names})
    path = tmp_path_factory.mktemp("same")
    pq.write_table(table, path / "offers.parquet", row_group_size=700)
    pacsv.write_csv(table, path / "offers.csv")
    return path


def added(path: Path, chunk_rows: int, jobs: int = 1) -> list[tuple[object, ...]]:
    """The added columns, a row each."""
    with open_offers([path], chunk_rows=chunk_rows) as offers:
        table = pa.concat_tables(classify_chunks(offers, Setup(), jobs))
    columns = [table.column(name).to_pylist() for name in CLASSIFY_COLUMNS]
    return list(zip(*columns, strict=True))


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[tuple[object, ...]]:
    rows = added(folder / "offers.parquet", 20_000)
    assert len(rows) == 1_200
    by_name = [dict(zip(CLASSIFY_COLUMNS, row, strict=True)) for row in rows]
    # The offers are worth comparing: all statuses, evidence, rows that cannot be judged.
    assert {row["ai_strict_status"] for row in by_name} >= {"demand", "mention", "none"}
    assert sum(bool(row["ai_evidence"]) for row in by_name) > 50
    assert any(row["ai_error"] for row in by_name)
    return rows


@pytest.mark.parametrize("chunk_rows", [1, 100, 1_000])
def test_chunks_do_not_matter(
    chunk_rows: int, folder: Path, expected: list[tuple[object, ...]]
) -> None:
    assert added(folder / "offers.parquet", chunk_rows) == expected


@pytest.mark.parametrize("jobs", [2, 4])
def test_processes_do_not_matter(
    jobs: int, folder: Path, expected: list[tuple[object, ...]]
) -> None:
    assert added(folder / "offers.parquet", 100, jobs) == expected


def test_formats_do_not_matter(folder: Path, expected: list[tuple[object, ...]]) -> None:
    assert added(folder / "offers.csv", 20_000) == expected
    assert added(folder / "offers.csv", 100) == expected
