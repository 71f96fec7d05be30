"""One command that measures everything.

    python -m benchmarks --offers offers.parquet
    python -m benchmarks --quick
    python -m benchmarks --only startup --only memory
    python -m benchmarks --render

Results go to ``results.json``, part by part, and from there to ``RESULTS.md`` and ``speed_f1.svg``.
A quick run writes to a folder of its own, so that figures that mean nothing never replace others.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aiskills.errors import AiskillsError, UsageError
from benchmarks import endtoend, identity, memory, onecore, quality, render, startup
from benchmarks.data import ROOT, Material, prepare
from benchmarks.labelled import read
from benchmarks.machine import machine
from benchmarks.plan import FULL, QUICK, Plan

HERE: Final = ROOT / "benchmarks"
#: Where a quick run goes; not part of the project.
QUICK_FOLDER: Final = ROOT / "build" / "benchmarks"
REAL_OFFERS: Final = "AISKILLS_REAL_OFFERS"

Part = Callable[[Material, Plan], Any]
#: The parts in the order in which they run: first what other programs disturb most.
PARTS: Final[dict[str, Part]] = {
    "startup": lambda material, plan: startup.measure(material.sets(), plan),
    "onecore": lambda material, plan: onecore.measure(material.sets(), read(material.given), plan),
    "repeats": lambda material, plan: onecore.measure_repeats(material.mix, plan),
    "endtoend": endtoend.measure,
    "memory": lambda material, plan: memory.measure(material.folder, plan),
    "identity": lambda material, plan: identity.measure(material.mix, material.folder, plan),
    "quality": lambda material, _: (
        quality.measure(read(material.given)) if material.given else None
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Measures, writes and returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        _main(chosen)
    except AiskillsError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return error.exit_code
    return 0


def _main(chosen: argparse.Namespace) -> None:
    folder = Path(chosen.output or (QUICK_FOLDER if chosen.quick else HERE))
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.json"
    parts: dict[str, Any] = json.loads(results.read_text("utf-8")) if results.exists() else {}
    if not chosen.render:
        plan = QUICK if chosen.quick else FULL
        if chosen.rounds is not None:
            plan = replace(plan, rounds=chosen.rounds)
        offers = Path(chosen.offers) if chosen.offers else None
        if offers is None:
            _say(f"no real offers ({REAL_OFFERS} is not set): the simulated stream alone")
        with tempfile.TemporaryDirectory(prefix="aiskills-bench-", dir=chosen.work) as work:
            material = prepare(offers, plan, Path(work))
            _say(f"mix: {material.mix.facts()}")
            for name in chosen.only or PARTS:
                parts[name] = _measured(name, material, plan)
                _save(parts, results)
    if not parts:
        raise UsageError(f"{results} holds no results", expected="a run before --render")
    render.write(parts, folder)
    _say(f"written to {folder / 'RESULTS.md'}")


def _measured(name: str, material: Material, plan: Plan) -> dict[str, Any]:
    here = machine()
    begin = time.monotonic()
    result = PARTS[name](material, plan)
    seconds = time.monotonic() - begin
    _say(f"{name}: {seconds:.0f} s")
    return {"quick": plan.quick, "machine": here, "seconds": round(seconds), "result": result}


def _save(parts: dict[str, Any], path: Path) -> None:
    ordered = {name: parts[name] for name in PARTS if name in parts}
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _say(line: str) -> None:
    sys.stderr.write(f"benchmarks: {line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--offers",
        default=os.environ.get(REAL_OFFERS),
        help=f"a file with the labelled real offers; {REAL_OFFERS} if unset",
    )
    parser.add_argument("--quick", action="store_true", help="tiny inputs, under two minutes")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="this part alone")
    parser.add_argument("--rounds", type=_positive, help="runs of everything that is timed")
    parser.add_argument("--render", action="store_true", help="write the page again, measure not")
    parser.add_argument("--output", help="where results go; benchmarks/ if unset")
    parser.add_argument("--work", help="where big files may be written; the temporary folder")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return number
