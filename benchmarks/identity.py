"""Whether the answers are the same however they are made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from aiskills.files import open_offers
from aiskills.pipeline import Setup, classify_chunks
from aiskills.schema import CLASSIFY_COLUMNS
from benchmarks.commands import classify_command, run
from benchmarks.data import DataSet, sample
from benchmarks.plan import Plan

_JOBS: Final = (1, 2, 4)
_CHUNKS: Final = (100, 20_000)


def measure(data: DataSet, folder: Path, plan: Plan) -> dict[str, Any]:
    """Hashes of the added columns, by way of making them.

    Returns:
        The number of offers, the hash of each way, and whether all are the same; the output files
        of any number of processes are compared byte by byte as well.
    """
    offers = sample(data.table(), plan.identity_rows)
    parquet, csv = folder / "identity.parquet", folder / "identity.csv"
    pq.write_table(offers, parquet)
    pacsv.write_csv(offers, csv)
    hashes: dict[str, str] = {}
    files = set()
    for jobs in _JOBS:
        output = folder / f"identity-{jobs}.parquet"
        run(classify_command(parquet, output, jobs))
        hashes[f"--jobs {jobs}"] = digest(pq.read_table(output))
        files.add(hashlib.sha256(output.read_bytes()).hexdigest())
    output = folder / "identity-csv.parquet"
    run(classify_command(csv, output, 1))
    hashes["CSV input"] = digest(pq.read_table(output))
    for rows in _CHUNKS:
        with open_offers([parquet], chunk_rows=rows) as chunks:
            table = pa.concat_tables(classify_chunks(chunks, Setup()))
        hashes[f"chunks of {rows:,}"] = digest(table)
    return {
        "offers": len(offers),
        "hashes": hashes,
        "same": len(set(hashes.values())) == 1,
        "same_bytes": len(files) == 1,
    }


def digest(table: pa.Table) -> str:
    """Hash of the values of the added columns, whatever the chunks they come in."""
    found = hashlib.sha256()
    for name in CLASSIFY_COLUMNS:
        for value in table.column(name).to_pylist():
            found.update(repr(value).encode() + b"\n")
    return found.hexdigest()[:16]
