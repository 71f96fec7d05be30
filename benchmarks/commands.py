"""Commands run as processes of their own, and what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiskills.errors import AiskillsError

#: The command line as this Python has it.
AISKILLS_COMMAND: Final = (sys.executable, "-m", "aiskills")
_PINNED: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def plain_environment() -> dict[str, str]:
    """The environment as a user has it, without the limits that the benchmark set for itself."""
    return {name: value for name, value in os.environ.items() if name not in _PINNED}


def run(command: Sequence[str]) -> str:
    """Runs a command and returns what it prints.

    Raises:
        AiskillsError: It fails; the end of what it said is shown.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=plain_environment()
    )
    if done.returncode:
        raise AiskillsError(
            f"{' '.join(command[:6])} … ended with {done.returncode}: {done.stderr.strip()[-500:]}"
        )
    return done.stdout


def classify_command(offers: Path, output: Path, jobs: int) -> list[str]:
    """The command that classifies a file with all columns."""
    return [
        *(*AISKILLS_COMMAND, "classify", str(offers), "-o", str(output)),
        *("--jobs", str(jobs), "--quiet", "--force"),
    ]


def classify_seconds(offers: Path, output: Path, jobs: int) -> float:
    """Time on the wall to classify a file, start-up included."""
    begin = time.perf_counter()
    run(classify_command(offers, output, jobs))
    return time.perf_counter() - begin
