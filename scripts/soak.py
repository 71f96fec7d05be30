"""A long run of the night job in a rough world: files at random, kills at random, nothing lost.

    python scripts/soak.py --minutes 60 --seed 1

Files of invented offers come into an inbox at random moments: whole, slowly in two halves, copies
of earlier ones, with offers that changed, with rows that are none, some broken. The job runs over
and over and is killed (SIGKILL) at random moments, stopped (SIGTERM), or left to end. Then the
store must hold exactly the offers that came: the figures go to stdout as JSON, and the exit code is
1 if one is lost or doubled.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq

COLUMNS = ("id", "source", "intitule", "description", "entreprise", "date")
TEXTS = (
    "Vous développez des modèles de machine learning en Python.",
    "Vous pétrissez la pâte et vous cuisez le pain.",
    "Vous concevez des objets connectés pour l'usine.",
    "Notre groupe investit dans l'intelligence artificielle ; vous tenez la caisse.",
)
#: Small chunks and segments, so that kills meet many of them.
CODE = (
    "import aiskills.batch.ingest as i; i.CHUNK_ROWS = 200; i.SEGMENT_ROWS = 600;"
    "from aiskills.cli import main; main()"
)


class Sender:
    """Puts files into the inbox and remembers every offer that came."""

    def __init__(self, inbox: Path, seed: int) -> None:
        self.inbox = inbox
        self.random = random.Random(seed)  # noqa: S311 (no secret)
        self.expected: set[tuple[str, str]] = set()
        self.files = self.rows = self.bad_rows = 0
        self.bad_files = 0
        self._texts: dict[str, int] = {}

    def send(self) -> None:
        """One more file."""
        self.files += 1
        name = self.inbox / f"offres-{self.files:05}.csv"
        draw = self.random.random()
        if draw < 0.05:
            self.bad_files += 1
            name.write_text('id,intitule,description\n1,Poste,"jamais fermé\n', "utf-8")
            return
        rows = [self._row() for _ in range(self.random.randrange(20, 1200))]
        with name.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            half = len(rows) // 2
            writer.writerows(rows[:half])
            if draw < 0.3:  # slowly
                file.flush()
                time.sleep(self.random.uniform(0.2, 3))
            writer.writerows(rows[half:])
        if draw > 0.95:
            shutil.copy(name, self.inbox / f"copie-{self.files:05}.csv")

    def _row(self) -> tuple[str, ...]:
        self.rows += 1
        if self.random.random() < 0.005:
            self.bad_rows += 1
            return (f"x{self.rows}", "ft", "", "", "", "")
        known = list(self._texts) if self.random.random() < 0.002 else []
        number = self.random.choice(known) if known else str(self.random.randrange(10**6))
        version = self._texts.get(number, -1)
        if version < 0 or known:
            version += 1
            self._texts[number] = version
        text = f"{TEXTS[int(number) % 4]} Numéro {number}, version {version}."
        self.expected.add((f"ft:{number}", text))
        month = int(number) % 12 + 1
        return (number, "ft", f"Poste {number}", text, "Firme", f"2025-{month:02}-05")


class Runner:
    """Runs the job, ends it one way or another, and keeps count."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.command = [
            *(sys.executable, "-c", CODE, "batch", str(folder / "inbox")),
            *("--store", str(folder / "store"), "--archive", str(folder / "archive")),
            *("--settle", "1.5", "--log-format", "json"),
        ]
        self.holder = folder / "store" / ".lock.json"
        self.random = random.Random(seed + 1)  # noqa: S311 (no secret)
        self.runs = self.killed = self.stopped = self.recovered = 0
        self.codes: dict[int, int] = {}
        self.peaks: list[int] = []

    def once(self, *, gently: bool = False) -> dict[str, object]:
        """One run; gives its report, empty if it was killed."""
        self.runs += 1
        process = subprocess.Popen(  # noqa: S603 (our own command)
            self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        end = None if gently else self.random.choice((None, None, signal.SIGKILL, signal.SIGTERM))
        if end is not None:
            self._end_later(process, end, self.random.uniform(0, 6))
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        self.codes[code] = self.codes.get(code, 0) + 1
        self.killed += code == -signal.SIGKILL
        self.stopped += code in (143, -signal.SIGTERM)
        if not out:
            return {}
        report: dict[str, object] = json.loads(out)
        self.recovered += bool(report["recovered"])
        self.peaks.append(usage.ru_maxrss // 1024)
        return report

    def _end_later(self, process: subprocess.Popen[str], end: int, seconds: float) -> None:
        """Sends a signal so long after the run took the lock; loading takes most of a short run."""

        def send() -> None:
            while process.returncode is None and not self.holder.exists():
                time.sleep(0.01)
            time.sleep(seconds)
            if process.returncode is None:
                process.send_signal(end)

        threading.Thread(target=send, daemon=True).start()


def stored(store: Path) -> list[tuple[str, str]]:
    """Identifier and text of every offer in a store."""
    found: list[tuple[str, str]] = []
    for path in (store / "offers").rglob("*.parquet"):
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read(["uid", "description"])
        found += zip(*(table.column(n).to_pylist() for n in table.column_names), strict=True)
    return found


def main() -> int:
    """Runs until the time is over, then once more in peace; 1 if an offer is lost or doubled."""
    parser = argparse.ArgumentParser(description="Soak the night job.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inbox").mkdir()
        sender, runner = Sender(folder / "inbox", options.seed), Runner(folder, options.seed)
        deadline = time.monotonic() + 60 * options.minutes
        over = threading.Event()

        def sending() -> None:
            while not over.is_set():
                sender.send()
                time.sleep(sender.random.uniform(0.5, 6))

        thread = threading.Thread(target=sending)
        thread.start()
        while time.monotonic() < deadline:
            runner.once()
        over.set()
        thread.join()
        time.sleep(2)
        while list((folder / "inbox").iterdir()):
            runner.once(gently=True)
        found = stored(folder / "store")
        peaks = runner.peaks
        third = max(1, len(peaks) // 3)
        figures = {
            "minutes": options.minutes,
            "seed": options.seed,
            "files": sender.files,
            "rows": sender.rows,
            "offers": len(sender.expected),
            "bad_rows": sender.bad_rows,
            "bad_files": sender.bad_files,
            "runs": runner.runs,
            "killed": runner.killed,
            "stopped": runner.stopped,
            "recovered": runner.recovered,
            "exit_codes": runner.codes,
            "lost": len(sender.expected - set(found)),
            "foreign": len(set(found) - sender.expected),
            "doubled": len(found) - len(set(found)),
            "peak_mb_first_third": max(peaks[:third], default=0),
            "peak_mb_last_third": max(peaks[-third:], default=0),
        }
    print(json.dumps(figures))
    return 1 if figures["lost"] or figures["doubled"] or figures["foreign"] else 0


if __name__ == "__main__":
    sys.exit(main())
