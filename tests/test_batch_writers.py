"""A file that somebody still has open for writing is left, however long the pause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aiskills.batch import inbox
from aiskills.batch.inbox import NotYetError
from aiskills.batch.writers import is_being_written, path_is_being_written
from batching import Ended, dated, offer, run, write_csv


def night(folder: Path, *more: object) -> Ended:
    archive = folder / "archive"
    return run("batch", folder / "inbox", "--store", folder / "store", "--archive", archive, *more)


linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked on Linux alone")


@linux
def test_an_open_file_is_told_from_a_closed_one(tmp_path: Path) -> None:
    path = tmp_path / "offres.csv"
    with path.open("w") as writer:
        writer.write("id\n")
        writer.flush()
        assert path_is_being_written(path)
        with path.open() as reader:
            assert is_being_written(reader.fileno())
    assert not path_is_being_written(path)
    with path.open(), path.open("rb") as reader:
        assert not is_being_written(reader.fileno())


def test_what_cannot_be_told_counts_as_closed(tmp_path: Path) -> None:
    assert not path_is_being_written(tmp_path / "missing.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert not path_is_being_written(tmp_path / "link.csv")
    assert not path_is_being_written("/dev/null")


@linux
def test_who_opens_a_file_meanwhile_ends_nobody(tmp_path: Path) -> None:
    path = tmp_path / "offres.csv"
    path.write_text("id\n")
    script = (
        "import fcntl, os, signal, sys, time\n"
        "from aiskills.batch import writers\n"
        "given = fcntl.fcntl\n"
        "def slow(handle, command, *value):\n"
        "    result = given(handle, command, *value)\n"
        "    if value == (fcntl.F_RDLCK,):\n"
        "        print('held', flush=True); time.sleep(1)\n"
        "    return result\n"
        "fcntl.fcntl = slow\n"
        "print(writers.path_is_being_written(sys.argv[1]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with path.open("a") as writer:  # waits until the lease is let go
            writer.write("1\n")
        assert process.stdout.read() == "False\n"
    assert process.returncode == 0
    assert path.read_text() == "id\n1\n"


@linux
def test_a_writer_that_pauses_loses_nothing(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(number) for number in range(6)])
    rows = path.read_text("utf-8").splitlines(keepends=True)
    with path.open("w", encoding="utf-8") as writer:
        writer.writelines(rows[:4])
        writer.flush()
        dated(path, 0)  # by its age it is whole
        early = night(tmp_path)
        assert early.report["new"] == 0
        assert "open for writing" in early.err
        writer.writelines(rows[4:])
    late = night(tmp_path, "--settle", 0)
    assert late.report["new"] == 6


@linux
def test_a_file_opened_after_it_was_read_is_not_archived(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n")
    (tmp_path / "archive").mkdir()
    (arrival,), _ = inbox.arrivals(tmp_path)
    with path.open("r+"), pytest.raises(NotYetError, match="opened for writing"):
        inbox.archive(arrival, tmp_path / "archive", "0" * 64)
    assert path.exists()
    assert inbox.archive(arrival, tmp_path / "archive", "0" * 64).exists()
