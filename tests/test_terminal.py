"""What a terminal sees: completion, grouped help, colours where wanted, no bar in a log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples" / "offers.csv"
COLOUR = re.compile(rb"\x1b\[[\d;]*3[0-7]")
posix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "aiskills", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


def on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """Everything a command prints where stdout and stderr are a terminal."""
    import pty

    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "aiskills", *arguments],
        env={**kept, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux tells so that the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.wait(60) == 0, shown
    return shown


def completed(words: str) -> list[str]:
    """What bash would propose for the last word."""
    return typed(
        _AISKILLS_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    ).split()


def typed(*arguments: str, **environment: str) -> str:
    """Stdout of the command under its own name, by which completion knows it."""
    code = "import sys; sys.argv[0] = 'aiskills'; from aiskills.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def test_completion() -> None:
    assert completed("aiskills re") == ["report", "rescore"]
    assert completed("aiskills report --peri") == ["--perimeter"]
    assert completed("aiskills store pu") == ["purge"]
    script = typed(_AISKILLS_COMPLETE="source_bash")
    assert "_AISKILLS_COMPLETE=complete_bash" in script


def test_help_is_grouped_by_what_people_want_to_do() -> None:
    shown = run("--help", COLUMNS="100").stdout.decode()
    places = [
        shown.index(name) for name in ("Work with offers", "Every night", "Shape what counts")
    ]
    assert places == sorted(places)
    assert places[0] < shown.index("classify") < places[1] < shown.index("batch") < places[2]


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        (["clasify", "x"], "Did you mean 'classify'?"),
        (["store", "purg"], "Did you mean 'purge'?"),
        (["report", "x.csv", "--titel", "y"], "--title"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(slip: list[str], meant: str) -> None:
    done = run(*slip)
    assert (done.returncode, done.stdout) == (2, b"")
    assert meant in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@posix
def test_colours_only_where_they_are_wanted() -> None:
    assert COLOUR.search(on_a_terminal("--help"))
    assert not COLOUR.search(on_a_terminal("--help", NO_COLOR="1"))
    assert b"\x1b" not in run("--help").stdout


@posix
def test_a_bar_on_a_terminal_and_none_in_a_log(tmp_path: Path) -> None:
    command = ("classify", str(SAMPLES), "-o", str(tmp_path / "r.csv"), "--force")
    assert b"offers/s\x1b" in on_a_terminal(*command) or b"\x1b[?25l" in on_a_terminal(*command)
    log = run(*command).stderr
    assert b"\x1b" not in log
    assert b"\r" not in log.replace(b"\r\n", b"\n")
    assert b"offers read" in log
