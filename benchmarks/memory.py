"""Peak memory of a command and all its processes, which must not grow with the number of rows.

Read from ``/proc`` (Linux): the proportional set size, which counts a page shared by several
processes once, and the resident set size, which counts it in each.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from aiskills.errors import AiskillsError
from benchmarks.commands import classify_command, plain_environment
from benchmarks.data import write_simulated
from benchmarks.plan import Plan

_EVERY_SECONDS: Final = 0.1
_PROC: Final = Path("/proc")
JOBS: Final = 2


@dataclass(frozen=True, slots=True)
class Peak:
    """The most memory that a tree of processes held at once.

    Attributes:
        pss_mb: Sum of proportional set sizes, in MiB.
        rss_mb: Sum of resident set sizes, in MiB.
        seconds: How long it ran.
        samples: How often it was looked at.
    """

    pss_mb: float
    rss_mb: float
    seconds: float
    samples: int


def available() -> bool:
    """Whether this system tells the memory of processes."""
    return (_PROC / "self" / "smaps_rollup").exists()


def measure(folder: Path, plan: Plan) -> dict[str, Any]:
    """Peak memory of `aiskills classify` at two sizes of simulated input.

    Returns:
        The peaks, and the ratio of the larger input's to the smaller one's.
    """
    if not available():
        return {"skipped": "this system does not tell the memory of a tree of processes"}
    peaks = {}
    for rows in plan.memory_rows:
        offers, output = folder / f"memory-{rows}.parquet", folder / "memory-out.parquet"
        write_simulated(rows, offers)
        peaks[rows] = peak_of(classify_command(offers, output, JOBS))
        offers.unlink()
        output.unlink()
    small, large = plan.memory_rows
    return {
        "jobs": JOBS,
        "peaks": [{"rows": rows, **asdict(peak)} for rows, peak in peaks.items()],
        "ratio": peaks[large].pss_mb / peaks[small].pss_mb,
    }


def peak_of(command: Sequence[str]) -> Peak:
    """Runs a command and watches it and its children.

    Raises:
        AiskillsError: It fails.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=plain_environment()
    )
    pss = rss = 0
    samples = 0
    while process.poll() is None:
        now = [_sizes(pid) for pid in tree(process.pid)]
        pss = max(pss, sum(one[0] for one in now))
        rss = max(rss, sum(one[1] for one in now))
        samples += 1
        time.sleep(_EVERY_SECONDS)
    _, said = process.communicate()
    if process.returncode:
        raise AiskillsError(f"{' '.join(command[:6])} … failed: {said.decode().strip()[-500:]}")
    return Peak(round(pss / 1024, 1), round(rss / 1024, 1), time.perf_counter() - begin, samples)


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (parent := _parent(folder)) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _parent(folder: Path) -> int | None:
    try:
        # The name, in brackets, may hold blanks.
        return int((folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):  # it has ended
        return None


def _sizes(pid: int) -> tuple[int, int]:
    """Proportional and resident set size in KiB; zero once it has ended."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text("utf-8").splitlines()
    except OSError:
        return 0, 0
    sizes = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    return _kib(sizes, "Pss"), _kib(sizes, "Rss")


def _kib(sizes: Mapping[str, Sequence[str]], name: str) -> int:
    return int(sizes[name][0]) if sizes.get(name) else 0
