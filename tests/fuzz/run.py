"""Coverage-guided fuzzing by hand: `make fuzz`, or `python tests/fuzz/run.py csv --seconds 60`.

Atheris (libFuzzer) changes the seeds and keeps what reaches new lines. It stops at the first
finding: an exception, 5 seconds for one input, or more than 1 GB. Put what it wrote into
tests/cases/fuzz/TARGET/, mend, and tests/test_fuzz.py replays it from then on. What reached new
lines stays in the folder of --corpus and is where the next run begins.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS_AN_INPUT = 5
_MEGABYTES = 1024
_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Fuzzes one target, or all of them one after the other; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("target", nargs="?", help="one of them; all if left out")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--corpus", type=Path, default=_ROOT / "build" / "fuzz")
    given = parser.parse_args()
    if given.target is None:
        return _all(given.seconds, given.corpus)
    return _one(given.target, given.seconds, given.corpus)


def _all(seconds: int, corpus: Path) -> int:
    sys.path.insert(0, str(_ROOT / "tests"))
    from fuzz.targets import TARGETS

    failed = 0
    for name in TARGETS:
        command = [sys.executable, __file__, name, f"--seconds={seconds}", f"--corpus={corpus}"]
        done = subprocess.run(command, capture_output=True, check=False)
        said = done.stderr.decode("utf-8", "replace")
        runs = [line for line in said.splitlines() if "number_of_executed_units" in line]
        told = f"FOUND, see {corpus / name / 'found'}\n{said[-3000:]}"
        sys.stdout.write(f"{name}: {runs[-1:]} {told if done.returncode else 'nothing found'}\n")
        sys.stdout.flush()
        failed += bool(done.returncode)
    return 1 if failed else 0


def _one(name: str, seconds: int, corpus: Path) -> int:
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

    sys.path.insert(0, str(_ROOT / "tests"))
    with atheris.instrument_imports(
        include=["aiskills", "zipfile", "gzip", "numpy.lib._format_impl"]
    ):
        from fuzz.targets import TARGETS
    if name not in TARGETS:
        sys.stderr.write(f"{name} is no target; expected one of {', '.join(TARGETS)}\n")
        return 2
    target = TARGETS[name]
    kept, found = corpus / name / "kept", corpus / name / "found"
    for folder in (kept, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (kept / f"seed{number}").write_bytes(seed)
    options: list[Any] = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-rss_limit_mb={_MEGABYTES}",
        "-max_len=4096",
        "-print_final_stats=1",
        f"-artifact_prefix={found}/",
        str(kept),
    ]
    atheris.Setup(options, target.run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
