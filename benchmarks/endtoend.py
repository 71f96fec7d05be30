"""`aiskills classify` from file to file, as a user runs it: start-up, reading and writing included.

Time on the wall. One round runs every size and number of processes once, so that all figures come
from the same rounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.commands import classify_seconds
from benchmarks.data import Material, save, simulated
from benchmarks.plan import Plan
from benchmarks.scan import scan_seconds
from benchmarks.timing import Task, in_turn, ratios, spread

#: A file so small that classifying it is start-up and nothing else.
_START_ROWS: Final = 100
_BY_SIZE: Final = 2
#: Offers of one kind at any size: a larger mix has fewer real ones, which take longer.
_SIMULATED: Final = "simulated"


def measure(material: Material, plan: Plan) -> dict[str, Any]:
    """Offers a second from file to file.

    Returns:
        For each run (data set, rows, jobs) spreads of seconds and offers/s; how much two processes
        bring, beside a plain scan; the exponent of time in rows.
    """
    files = _files(material, plan)
    runs = _runs(material, files, plan)
    output = material.folder / "out.parquet"
    tasks: dict[str, Task] = {
        name: partial(classify_seconds, files[data, rows], output, jobs)
        for name, (data, rows, jobs) in runs.items()
    }
    scaling = files["mix", plan.scaling_rows]
    for jobs in (1, 2):
        tasks[f"scan {jobs}"] = partial(scan_seconds, scaling, jobs)
    found = in_turn(tasks, plan.rounds)
    one, two = (_name("mix", plan.scaling_rows, jobs) for jobs in (1, 2))
    sizes = plan.linear_rows
    return {
        "runs": [
            {
                "data": data,
                "rows": rows,
                "jobs": jobs,
                "seconds": asdict(spread(found[name])),
                "offers_per_second": asdict(spread([rows / s for s in found[name]])),
            }
            for name, (data, rows, jobs) in runs.items()
        ],
        "scaling": {
            "rows": plan.scaling_rows,
            "aiskills": asdict(ratios(found[one], found[two])),
            "plain_scan": asdict(ratios(found["scan 1"], found["scan 2"])),
            "to_scan": {
                "1": asdict(ratios(found["scan 1"], found[one])),
                "2": asdict(ratios(found["scan 2"], found[two])),
            },
        },
        "linear": linear(
            sizes,
            [found[_name(_SIMULATED, rows, _BY_SIZE)] for rows in sizes],
            found[_name(_SIMULATED, _START_ROWS, _BY_SIZE)],
        ),
    }


def linear(
    sizes: Sequence[int], seconds: Sequence[Sequence[float]], start: Sequence[float]
) -> dict[str, Any]:
    """The exponent k of seconds = start-up + c x rows^k, round by round.

    Start-up is what a file of a hundred rows takes in the same round.

    Args:
        sizes: Numbers of rows.
        seconds: For each size the seconds of each round.
        start: Seconds of the small file, each round.
    """
    without, given = [], []
    for number, first in enumerate(start):
        times = [runs[number] for runs in seconds]
        without.append(exponent(sizes, [max(t - first, 1e-3) for t in times]))
        given.append(exponent(sizes, times))
    return {
        "sizes": list(sizes),
        "start_seconds": asdict(spread(start)),
        "exponent": asdict(spread(without)),
        "exponent_with_start": asdict(spread(given)),
    }


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of log seconds on log size, by least squares."""
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


def _name(data: str, rows: int, jobs: int) -> str:
    return f"{data} {rows} {jobs}"


def _runs(
    material: Material, files: dict[tuple[str, int], Path], plan: Plan
) -> dict[str, tuple[str, int, int]]:
    wanted = [("mix", plan.mix_rows, 1), ("mix", plan.scaling_rows, 1)]
    wanted += [(data, rows, _BY_SIZE) for data, rows in files if data != "real"]
    if material.real is not None:
        wanted += [("real", material.real.rows, jobs) for jobs in (1, 2)]
    return {_name(*one): one for one in wanted}


def _files(material: Material, plan: Plan) -> dict[tuple[str, int], Path]:
    """By data set and rows, the file to classify; the user's own where there is one."""
    files: dict[tuple[str, int], Path] = {}
    if material.real is not None and material.given is not None:
        own = material.given if plan.real_rows is None else material.real.path
        files["real", material.real.rows] = own
    mix = material.mix.table()
    more = plan.scaling_rows - len(mix)
    if more > 0:
        mix = pa.concat_tables([mix, simulated(more, seed=1_000)])
    same_kind = simulated(max(plan.linear_rows), seed=2_000)
    for name, table, sizes in (
        ("mix", mix, (plan.mix_rows, plan.scaling_rows)),
        (_SIMULATED, same_kind, (_START_ROWS, *plan.linear_rows)),
    ):
        for rows in sorted(set(sizes)):
            path = material.folder / f"{name}-{rows}.parquet"
            save(table.slice(0, rows), path, "")
            files[name, rows] = path
    return files
