"""What the tests of the night job share: an invented inbox, runs, and what a store holds."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from aiskills.batch import ingest
from aiskills.cli import main

COLUMNS = ("id", "source", "intitule", "description", "entreprise", "date")
ML = "Vous développez des modèles de machine learning en Python"
IOT = "Vous concevez des objets connectés et des solutions IoT pour l'usine 4.0"
BREAD = "Vous pétrissez la pâte et vous cuisez le pain"
HOUSES = "Vous vendez des maisons et rédigez des annonces"
TEXTS = (ML, BREAD, IOT, HOUSES)
DAY = 86_400
FIRST_DAY = 1_709_251_200  # 2024-03-01
#: Small chunks and segments, so that a file takes many of both; then the command line.
SMALL = (
    "import aiskills.batch.ingest as i; i.CHUNK_ROWS = 40; i.SEGMENT_ROWS = 120;"
    "from aiskills.cli import main; main()"
)


def offer(number: int, *, text: str | None = None, source: str = "apec") -> dict[str, str]:
    """An invented offer."""
    return {
        "id": str(number),
        "source": source,
        "intitule": f"Poste {number}",
        "description": text if text is not None else f"{TEXTS[number % 4]} ({number}).",
        "entreprise": f"Firme {number % 40}",
        "date": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}" if number % 17 else "",
    }


def write_csv(path: Path, rows: Sequence[Mapping[str, str]], day: int = 0) -> Path:
    """Writes offers, last modified so many days after `FIRST_DAY`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return dated(path, day)


def write_jsonl(path: Path, rows: Sequence[Mapping[str, str]], day: int = 0) -> Path:
    """The same as JSON lines."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, "utf-8")
    return dated(path, day)


def dated(path: Path, day: int) -> Path:
    """Sets the time of last modification."""
    os.utime(path, (FIRST_DAY + day * DAY,) * 2)
    return path


def make_inbox(folder: Path, files: int = 3, rows: int = 200) -> Path:
    """An inbox with known offers, changed offers, bad rows and a bad file among new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        offers = [offer(number * rows * 3 // 4 + one) for one in range(rows)]  # a quarter is known
        for place in range(0, 30, 3):
            if number:
                offers[place]["description"] += " Texte changé."
        offers[7]["intitule"] = offers[7]["description"] = ""
        offers[9]["description"] = "mot " * 60_000
        if number % 2:
            write_jsonl(folder / f"offres{number}.jsonl", offers, number)
        else:
            write_csv(folder / f"offres{number}.csv", offers, number)
    (folder / "casse.csv").write_text('"id,intitule,description\n1,Poste,jamais fermé\n', "utf-8")
    dated(folder / "casse.csv", 1)
    copy = write_csv(folder / "encore.csv", [])
    copy.write_bytes((folder / "offres0.csv").read_bytes())
    dated(copy, files)
    return folder


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Its JSON line."""
        record = json.loads(self.out)
        assert isinstance(record, dict)
        return record


def command(*arguments: object, code: str = SMALL, before: Sequence[str] = ()) -> list[str]:
    """The command line of a process of its own, with small chunks."""
    return [*before, sys.executable, "-c", code, *map(str, arguments)]


def run(*arguments: object) -> Ended:
    """Runs the command line in this process, with small chunks."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before = signal.getsignal(signal.SIGTERM)
    try:
        with (
            patch.multiple(ingest, CHUNK_ROWS=40, SEGMENT_ROWS=120),
            patch.object(sys, "argv", ["aiskills", *map(str, arguments)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        signal.signal(signal.SIGTERM, before)
    return Ended(code, out.getvalue(), err.getvalue())


def run_apart(*arguments: object, code: str = SMALL, before: Sequence[str] = ()) -> Ended:
    """Runs a process of its own to its end."""
    done = subprocess.run(
        command(*arguments, code=code, before=before), capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def content(store: Path) -> list[tuple[Any, ...]]:
    """Every offer of a store with its folder and all its values, in a fixed order."""
    rows: list[tuple[Any, ...]] = []
    for path in (store / "offers").rglob("*.parquet"):
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        month = path.parent.relative_to(store / "offers").as_posix()
        rows += [(month, *row.values()) for row in table.to_pylist()]
    return sorted(rows, key=repr)


def journal(store: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a store's journal."""
    connection = sqlite3.connect(store / "journal.sqlite")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def held_rows(store: Path) -> list[tuple[str, int, str]]:
    """File, row and reason of each row in quarantine."""
    found = [
        (entry["file"], entry["row"], entry["reason"])
        for path in (store / "quarantine").glob("*.rows.jsonl")
        for entry in map(json.loads, path.read_text("utf-8").splitlines())
    ]
    return sorted(found)


def is_consistent(store: Path) -> bool:
    """Whether the journal's keys and parts are those of the files, each once."""
    rows = content(store)
    keys = journal(store, "SELECT count(part) FROM offers")[0][0]
    parts = {path for (path,) in journal(store, "SELECT path FROM parts")}
    files = {
        path.relative_to(store / "offers").as_posix()
        for path in (store / "offers").rglob("*.parquet")
    }
    identities = {(row[1], row[2], row[4]) for row in rows}
    left = [path.name for path in store.glob(".staging/**/*") if path.is_file()]
    return keys == len(rows) and parts == files and len(identities) == len(rows) and not left
