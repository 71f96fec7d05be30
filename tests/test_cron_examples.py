"""The examples of docs/cron/: what the machine can check of them, it checks."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

CRON: Final = Path(__file__).resolve().parents[1] / "docs" / "cron"


def commands() -> list[tuple[str, list[str]]]:
    """Every call of aiskills in the examples: where it stands, and its arguments."""
    found = []
    for path in sorted(CRON.iterdir()):
        for line in path.read_text("utf-8").splitlines():
            call = re.search(r"(?:^ExecStart=|^[0-9*].* )(?:\S*/)?aiskills (.*)", line)
            if call and not line.startswith("#"):
                arguments = call[1].partition(" >> ")[0]
                found.append((path.name, shlex.split(arguments)))
    return found


def test_the_calls_are_those_of_the_command_line() -> None:
    """Every option exists: with --help behind it, a wrong one is still an error."""
    from aiskills.cli import app

    assert {name for name, _ in commands()} == {"crontab", "aiskills-batch.service"}
    assert len(commands()) == 3
    for _, arguments in commands():
        done = CliRunner().invoke(app, [*arguments, "--help"])
        assert done.exit_code == 0, done.output
        known = set(re.findall(r"--[a-z-]+", done.output))
        assert {one for one in arguments if one.startswith("--")} <= known


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_units_are_sound(tmp_path: Path) -> None:
    """systemd's own check; the paths are those of this machine, or it misses the program."""
    for name in ("aiskills-batch.service", "aiskills-batch.timer"):
        text = (CRON / name).read_text("utf-8")
        text = text.replace("/opt/aiskills/bin/aiskills", sys.executable)
        (tmp_path / name).write_text(text, "utf-8")
    units = [str(tmp_path / name) for name in ("aiskills-batch.service", "aiskills-batch.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "aiskills" in line]
    assert told == [], done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_check_of_units_sees_a_mistake(tmp_path: Path) -> None:
    unit = tmp_path / "aiskills-batch.service"
    text = (CRON / unit.name).read_text("utf-8").replace("Type=oneshot", "Type=onceshot")
    unit.write_text(text.replace("/opt/aiskills/bin/aiskills", sys.executable), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "onceshot" in done.stderr


def test_the_timer_belongs_to_the_service() -> None:
    service = (CRON / "aiskills-batch.service").read_text("utf-8")
    timer = (CRON / "aiskills-batch.timer").read_text("utf-8")
    assert "Persistent=yes" in timer
    for promise in (
        "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateNetwork=yes", "MemoryMax=",
        "CapabilityBoundingSet=\n", "KillMode=mixed", "SuccessExitStatus=4",
    ):  # fmt: skip
        assert promise in service, promise


@pytest.mark.parametrize("line", [*(CRON / "crontab").read_text("utf-8").splitlines()])
def test_lines_of_the_crontab(line: str) -> None:
    if not line or line.startswith("#"):
        return
    if re.match(r"[A-Z]+=", line):
        return
    fields = line.split()
    for field, most in zip(fields[:5], (59, 23, 31, 12, 7), strict=True):
        assert field == "*" or 0 <= int(field) <= most
    assert fields[5] == "aiskills"
    assert "%" not in line, "cron takes it for a line break"


def test_the_image_runs_as_nobody() -> None:
    text = (CRON / "Dockerfile").read_text("utf-8")
    lines = [line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line]
    steps = [(line[0], line[1]) for line in lines if line[0] != "#"]
    kinds = [kind for kind, _ in steps]
    assert set(kinds) <= {"FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    assert all(":" in what and ":latest" not in what for kind, what in steps if kind == "FROM")
    assert dict(steps)["USER"] == "65534:65534"
    assert kinds.index("USER") < kinds.index("ENTRYPOINT")
    assert "RUN" not in kinds[kinds.index("USER") :]
    assert "--no-cache-dir" in dict(steps)["RUN"]


@pytest.mark.skipif(not shutil.which("hadolint"), reason="no hadolint here")
def test_the_image_as_hadolint_sees_it() -> None:
    done = subprocess.run(
        ["hadolint", str(CRON / "Dockerfile")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
