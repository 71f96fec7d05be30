"""A plain scan in a process of its own: how much two processes bring on this machine.

    python -m benchmarks.scan mix.parquet 2 0

Reads its part of the texts and makes the automaton, says so, waits for a line, scans, says so.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from aiskills.errors import AiskillsError


def main(path: str, parts: int, part: int) -> None:
    """One process's part."""
    import pyarrow.parquet as pq

    from aiskills.phrases import Lexicon
    from benchmarks.data import joined_texts
    from benchmarks.peers import PlainScan, forms_of

    table = pq.read_table(path, columns=["title", "description"])
    size = -(-len(table) // parts)
    texts = joined_texts(table.slice(part * size, size))
    peer = PlainScan(list(forms_of(Lexicon.default())))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for begin in range(0, len(texts), 1_000):
        peer.scan(texts[begin : begin + 1_000])
    sys.stdout.write("done\n")
    sys.stdout.flush()


def scan_seconds(path: Path, jobs: int) -> float:
    """Time on the wall from the start of scanning to the last process's end, without loading."""
    started: list[subprocess.Popen[str]] = []
    try:
        for part in range(jobs):
            command = [sys.executable, "-m", "benchmarks.scan", str(path), str(jobs), str(part)]
            started.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).resolve().parents[1],
                )
            )
        for one in started:
            _expect(one, "ready")
        begin = time.perf_counter()
        for one in started:
            assert one.stdin is not None  # noqa: S101 (a pipe was asked for)
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in started:
            _expect(one, "done")
        return time.perf_counter() - begin
    finally:
        for one in started:
            one.kill()
            one.communicate()


def _expect(process: subprocess.Popen[str], word: str) -> None:
    line = process.stdout.readline().strip() if process.stdout else ""
    if line != word:
        raise AiskillsError(f"a plain scan said {line!r}", expected=repr(word))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
