"""The night job in a hostile world: every fault here is really injected.

docs/reliability.md holds the table of faults; AISKILLS_KILLS sets the number of kills (25 by hand).
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from aiskills.batch import disk, generations, inbox
from aiskills.errors import AiskillsError
from batching import (
    DAY,
    FIRST_DAY,
    SMALL,
    Ended,
    command,
    content,
    dated,
    held_rows,
    is_consistent,
    make_inbox,
    offer,
    run,
    run_apart,
    write_csv,
)

KILLS = int(os.environ.get("AISKILLS_KILLS", "3"))
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or rights")
#: A process without root's right to read and write everything.
MORTAL = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if AS_ROOT and shutil.which("setpriv")
    else []
)
can_deny = pytest.mark.skipif(
    os.name != "posix" or (AS_ROOT and not MORTAL), reason="root may read and write everything"
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inbox to copy."""
    return make_inbox(tmp_path_factory.mktemp("template") / "inbox")


@pytest.fixture(scope="module")
def undisturbed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The store of a run that nothing disturbed, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(template, folder / "inbox")
    started = time.monotonic()
    done = night(folder)
    assert done.code == 0, done.err
    assert len(content(folder / "store")) > 400
    assert is_consistent(folder / "store")
    return folder / "store", time.monotonic() - started


def night(folder: Path, before: Sequence[str] = ()) -> Ended:
    """A run on a folder that holds `inbox`; in a process of its own if something stands before."""
    return run_apart(*arguments(folder), before=before) if before else run(*arguments(folder))


def arguments(folder: Path) -> list[str]:
    store, archive = folder / "store", folder / "archive"
    return ["batch", str(folder / "inbox"), "--store", str(store), "--archive", str(archive)]


def same_as(store: Path, other: Path) -> bool:
    """Whether two stores hold the same offers and the same rows in quarantine."""
    return (
        content(store) == content(other)
        and held_rows(store) == held_rows(other)
        and is_consistent(store)
    )


# --- kills and signals --------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_moment(
    seed: int, template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    store, seconds = undisturbed
    shutil.copytree(template, tmp_path / "inbox")
    process = subprocess.Popen(
        command(*arguments(tmp_path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # The journal appears when the work begins; before that there is nothing to break.
    deadline = time.monotonic() + 60
    while not (tmp_path / "store" / "journal.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    work = max(0.3, seconds - 1.5)
    time.sleep(random.Random(seed).uniform(0, work))  # noqa: S311 (no secret)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = night(tmp_path)
    assert done.code == 0, done.err
    assert same_as(tmp_path / "store", store)
    assert not [one for one in (tmp_path / "inbox").iterdir() if one.suffix != ".part"]


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_by_a_signal(
    number: int, code: int, template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "inbox")
    process = subprocess.Popen(
        command(*arguments(tmp_path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list((tmp_path / "store").rglob("*.parquet")):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert json.loads(out)["outcome"] == "stopped"
    assert "run the same command again" in err
    assert is_consistent(tmp_path / "store")
    assert len(content(tmp_path / "store")) < len(content(undisturbed[0]))
    done = night(tmp_path)
    assert done.code == 0
    assert done.report["recovered"] == []
    assert same_as(tmp_path / "store", undisturbed[0])


def test_two_runs_at_once(template: Path, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "inbox")
    first = subprocess.Popen(
        command(*arguments(tmp_path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (tmp_path / "store" / ".lock.json").exists():
        assert first.poll() is None
        time.sleep(0.002)
    if os.name == "posix":
        first.send_signal(signal.SIGSTOP)  # it holds the lock as long as the second one looks
    second = night(tmp_path)
    assert second.code == 4
    assert second.out == ""
    assert f"process {first.pid} on" in second.err
    assert "`aiskills batch`" in second.err
    assert "since 20" in second.err
    if os.name == "posix":
        first.send_signal(signal.SIGCONT)
    assert first.wait(60) == 0
    assert same_as(tmp_path / "store", undisturbed[0])


# --- the disk -----------------------------------------------------------------------------------


def can_mount() -> bool:
    if not (AS_ROOT and shutil.which("unshare")):
        return False
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="may not mount a small tmpfs")
@pytest.mark.parametrize("kilobytes", [120, 300, 450] if KILLS > 3 else [300])
def test_disk_full(
    kilobytes: int, template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    """The store on a tmpfs that is too small; what got in is kept, and goes on on a larger disk."""
    shutil.copytree(template, tmp_path / "inbox")
    (tmp_path / "store").mkdir()
    script = (
        f"mount -t tmpfs -o size={kilobytes}k tmpfs {tmp_path}/store || exit 99; "
        f'"$@"; code=$?; cp -a {tmp_path}/store {tmp_path}/saved; exit $code'
    )
    done = run_apart(*arguments(tmp_path), before=["unshare", "-m", "sh", "-c", script, "sh"])
    assert done.code == 1, done.err
    assert done.out == ""
    assert "the disk is full" in done.err or "Make room" in done.err
    assert "Traceback" not in done.err
    (tmp_path / "store").rmdir()
    (tmp_path / "saved").rename(tmp_path / "store")
    again = night(tmp_path)
    assert again.code == 0, again.err
    assert same_as(tmp_path / "store", undisturbed[0])


@posix
def test_file_size_limit(template: Path, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """A quota on the size of files, which needs no rights: the journal outgrows it."""
    shutil.copytree(template, tmp_path / "inbox")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (90_000,) * 2);"
    done = run_apart(*arguments(tmp_path), code=limit + SMALL)
    assert done.code == 1
    assert "Traceback" not in done.err
    again = night(tmp_path)
    assert again.code == 0, again.err
    assert same_as(tmp_path / "store", undisturbed[0])


FAILING = """
import errno, os, sys
import aiskills.batch.ingest as i
i.CHUNK_ROWS = 40; i.SEGMENT_ROWS = 120
from aiskills.batch import disk
calls = 0
def fsync(handle, true=os.fsync):
    global calls
    calls += 1
    if calls == {number}:
        raise OSError(errno.{kind}, os.strerror(errno.{kind}))
    true(handle)
os.fsync = fsync
from aiskills.cli import main
main()
"""


@pytest.mark.parametrize(
    ("number", "kind"),
    [(5, "ENOSPC"), (23, "EIO"), (60, "EDQUOT"), (90, "ENOSPC")][: 4 if KILLS > 3 else 2],
)
def test_failing_write_layer(
    number: int, kind: str, template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "inbox")
    done = run_apart(*arguments(tmp_path), code=FAILING.format(number=number, kind=kind))
    assert done.code == 1
    assert ("the disk is full" in done.err) == (kind != "EIO")
    assert "Traceback" not in done.err
    again = night(tmp_path)
    assert again.code == 0, again.err
    assert same_as(tmp_path / "store", undisturbed[0])


@can_deny
def test_read_only_store(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    assert night(tmp_path).code == 0
    before = content(tmp_path / "store")
    write_csv(tmp_path / "inbox" / "b.csv", [offer(2)])
    folders = [tmp_path / "store", *(p for p in (tmp_path / "store").rglob("*") if p.is_dir())]
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    for path in files:
        path.chmod(0o444)
    for path in folders:
        path.chmod(0o555)
    try:
        done = night(tmp_path, before=MORTAL)
        status = run_apart("status", tmp_path / "store", before=MORTAL)
    finally:
        for path in folders:
            path.chmod(0o755)
        for path in files:
            path.chmod(0o644)
    assert done.code == 1
    assert "may not be written (permission denied)" in done.err
    assert status.code == 0
    assert "1 offers" in status.out
    assert content(tmp_path / "store") == before
    assert (tmp_path / "inbox" / "b.csv").exists()
    assert night(tmp_path).report["new"] == 1


@can_deny
def test_unreadable_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    secret = write_csv(tmp_path / "inbox" / "b.csv", [offer(2)])
    secret.chmod(0)
    done = night(tmp_path, before=MORTAL)
    assert done.code == 1
    assert done.report["new"] == 1
    assert done.report["unreadable"] == ["b.csv"]
    assert "b.csv: cannot be read (permission denied)" in done.err
    secret.chmod(0o644)
    again = night(tmp_path)
    assert (again.code, again.report["new"]) == (0, 1)


@can_deny
def test_unreadable_inbox(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir(mode=0)
    done = night(tmp_path, before=MORTAL)
    assert done.code == 2
    assert "is not readable" in done.err
    assert not (tmp_path / "store").exists()


# --- the inbox moves ----------------------------------------------------------------------------


def test_file_vanishes_before_it_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [offer(1)])
    arrival = inbox.arrivals(tmp_path)[0][0]
    path.unlink()
    with (
        pytest.raises(inbox.NotYetError, match="vanished"),
        inbox.snapshot(arrival, tmp_path / "copy"),
    ):
        pytest.fail("read a file that is not there")
    assert not (tmp_path / "copy").exists()


def test_file_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "a.csv", [offer(1)])
    arrival = inbox.arrivals(tmp_path)[0][0]
    true = os.read

    def growing(handle: int, size: int) -> bytes:
        block = true(handle, size)
        with path.open("a") as file:
            file.write("x")
        monkeypatch.setattr(os, "read", true)
        return block

    monkeypatch.setattr(os, "read", growing)
    with (
        pytest.raises(inbox.NotYetError, match="changed while it was read"),
        inbox.snapshot(arrival, tmp_path / "copy"),
    ):
        pytest.fail("took a file that was still growing")


def test_file_becomes_a_link(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in" / "a.csv", [offer(1)])
    arrival = inbox.arrivals(path.parent)[0][0]
    secret = write_csv(tmp_path / "secret.csv", [offer(2)])
    path.unlink()
    path.symlink_to(secret)
    with (
        pytest.raises(inbox.NotYetError),
        inbox.snapshot(arrival, tmp_path / "copy"),
    ):
        pytest.fail("followed a link out of the inbox")


def test_file_grows_during_the_run(tmp_path: Path) -> None:
    """A writer appends all the while: the file waits; once it rests, all of it is taken, once."""
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(50)])
    now = time.time()
    os.utime(path, (now, now))
    first = night(tmp_path)
    assert (first.code, first.report["new"]) == (0, 0)
    assert "changed a moment ago" in first.err
    with path.open("a", encoding="utf-8") as file:
        file.write("1000,apec,Poste,Vous cuisez du pain,Firme,2024-05-01\n")
    dated(path, 3)
    assert night(tmp_path).report["new"] == 51
    assert is_consistent(tmp_path / "store")


def test_clock_set_back(tmp_path: Path) -> None:
    """Files dated years ahead are taken once they have rested for a run, and counted once."""
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(1)])
    ahead = time.time() + 3_000 * DAY
    os.utime(path, (ahead, ahead))
    assert night(tmp_path).report["new"] == 0
    path.write_text(path.read_text("utf-8") + "2,apec,Poste,Vous cuisez,F,\n", "utf-8")
    os.utime(path, (ahead + 5, ahead + 5))
    assert night(tmp_path).report["new"] == 0  # it changed meanwhile
    assert night(tmp_path).report["new"] == 2
    write_csv(tmp_path / "inbox" / "b.csv", [offer(1), offer(3)])
    os.utime(tmp_path / "inbox" / "b.csv", (1, 1))  # and one from 1970
    done = night(tmp_path)
    assert (done.report["new"], done.report["duplicates"]) == (1, 1)


def test_clock_jumps_during_the_run(
    template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    """The clock is read a hundred years ahead or behind, by turns."""
    shutil.copytree(template, tmp_path / "inbox")
    jumps = (
        "import time; true = time.time_ns; n = [0]\n"
        "def mad():\n"
        "    n[0] += 1\n"
        "    return true() + (-1) ** n[0] * 3 * 10**18\n"
        "time.time_ns = mad\n"
    )
    run_apart(*arguments(tmp_path), code=jumps + SMALL)
    assert night(tmp_path).code == 0
    assert night(tmp_path).code == 0
    # Files that had to wait come later, and so do their versions; every text is there, once.
    identities = [
        sorted((row[1], row[3]) for row in content(one))
        for one in (tmp_path / "store", undisturbed[0])
    ]
    assert identities[0] == identities[1]
    assert is_consistent(tmp_path / "store")


# --- the store is damaged -----------------------------------------------------------------------


def test_corrupted_part(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(300)])
    keep = path.read_bytes()
    assert night(tmp_path).code == 0
    before = content(tmp_path / "store")
    part = sorted((tmp_path / "store" / "offers").rglob("*.parquet"))[4]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0xFF  # one bit flips: only the hash can tell
    part.write_bytes(data)
    repaired = run("store", "repair", tmp_path / "store")
    assert repaired.code == 0
    assert "1 damaged" in repaired.err
    assert "put a.csv back into the inbox, from" in repaired.err
    assert (tmp_path / "store" / "quarantine" / "damaged" / part.name).exists()
    path.write_bytes(keep)
    dated(path, 0)
    again = night(tmp_path)
    assert again.code == 0
    assert 0 < again.report["new"] < 60
    assert content(tmp_path / "store") == before
    assert is_consistent(tmp_path / "store")


def test_part_cut_short_is_told_every_night(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(30)])
    assert night(tmp_path).code == 0
    part = sorted((tmp_path / "store" / "offers").rglob("*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:100])
    write_csv(tmp_path / "inbox" / "b.csv", [offer(100)])
    done = night(tmp_path)
    assert done.code == 1  # and yet tonight's offers are in
    assert done.report["new"] == 1
    assert "DAMAGED" in done.err
    status = run("status", tmp_path / "store")
    assert "store repair" in status.out


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9] if KILLS > 3 else [0.0, 0.6])
def test_torn_journal(
    place: float, template: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "inbox")
    assert night(tmp_path).code == 0
    path = tmp_path / "store" / "journal.sqlite"
    data = bytearray(path.read_bytes())
    start = int(place * len(data)) // 4096 * 4096
    data[start : start + 4096] = os.urandom(2048) + bytes(2048)
    path.write_bytes(data)
    shutil.copytree(template, tmp_path / "inbox", dirs_exist_ok=True)
    done = night(tmp_path)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "store repair" in done.err
    repaired = run("store", "repair", tmp_path / "store")
    assert repaired.code == 0, repaired.err
    assert "the journal was made anew" in repaired.err
    assert content(tmp_path / "store") == content(undisturbed[0])
    again = night(tmp_path)
    assert again.code == 0, again.err
    assert again.report["new"] == again.report["changed"] == 0
    assert content(tmp_path / "store") == content(undisturbed[0])


def test_lost_journal(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(30)])
    assert night(tmp_path).code == 0
    (tmp_path / "store" / "journal.sqlite").unlink()
    done = night(tmp_path)
    assert done.code == 1
    assert "has lost its journal.sqlite" in done.err
    assert run("store", "repair", tmp_path / "store").code == 0
    assert is_consistent(tmp_path / "store")


def test_foreign_and_newer_journals_are_refused(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    store = tmp_path / "store"
    store.mkdir()
    connection = sqlite3.connect(store / "journal.sqlite")
    connection.execute("CREATE TABLE mine (x)")
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    done = night(tmp_path)
    assert done.code == 1
    assert "no journal of aiskills" in done.err
    shutil.rmtree(store)
    assert night(tmp_path).code == 0
    connection = sqlite3.connect(store / "journal.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = night(tmp_path)
    assert done.code == 1
    assert "newer aiskills" in done.err


# --- rewriting dies at every step ---------------------------------------------------------------


STEPS = [
    (step, when)
    for step in ("write_part", "_seal", "_announce", "swap_folders", "_adopt")
    for when in ("before", "after")
]
# Those between which the state on the disk differs; all of them by hand.
FEW = [("_seal", "after"), ("_announce", "after"), ("swap_folders", "after"), ("_adopt", "after")]


@posix
@pytest.mark.parametrize(("function", "when"), STEPS if KILLS > 3 else FEW)
def test_rewrite_killed(function: str, when: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(60)])
    assert night(tmp_path).code == 0
    before = content(tmp_path / "store")
    assert hasattr(generations, function)
    killing = (
        f"import os, signal, aiskills.batch.generations as m; true = m.{function}\n"
        "def killed(*a, **k):\n"
        + ("" if when == "before" else "    true(*a, **k)\n")
        + "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"m.{function} = killed\n"
        "from aiskills.cli import main; main()"
    )
    died = run_apart("store", "purge", tmp_path / "store", "--id", "apec:5", code=killing)
    assert died.code == -signal.SIGKILL
    assert len(content(tmp_path / "store")) in (59, 60)  # whole before, whole after
    (tmp_path / "archive" / "a.csv").rename(tmp_path / "inbox" / "a.csv")
    done = night(tmp_path)
    assert done.code == 0, done.err
    assert is_consistent(tmp_path / "store")
    assert run("store", "purge", tmp_path / "store", "--id", "apec:5").code == 0
    assert content(tmp_path / "store") == [row for row in before if row[1] != "apec:5"]
    assert not (tmp_path / "store" / ".next").exists()


@pytest.mark.parametrize("renames", [0, 1, 2] if KILLS > 3 else [1, 2])
def test_exchange_in_two_renames_dies_between(
    renames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no exchange in one step, a crash between two renames is mended."""
    write_csv(tmp_path / "inbox" / "a.csv", [offer(n) for n in range(60)])
    assert night(tmp_path).code == 0
    two_steps = (
        "import os, signal, pathlib\n"
        "import aiskills.batch.disk as d\n"
        "d._exchange = lambda *_: False\n"
        "true, done = pathlib.Path.replace, [0]\n"
        "def replace(self, other):\n"
        "    inside = '.next' in (self.name, pathlib.Path(other).name) or self.suffix == '.aside'\n"
        f"    if inside and done[0] == {renames}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    done[0] += inside\n"
        "    return true(self, other)\n"
        "pathlib.Path.replace = replace\n"
        "from aiskills.cli import main; main()"
    )
    died = run_apart("store", "purge", tmp_path / "store", "--id", "apec:5", code=two_steps)
    assert died.code == -signal.SIGKILL
    done = night(tmp_path)
    assert done.code == 0, done.err
    assert done.report["recovered"]
    assert len(content(tmp_path / "store")) == 59
    assert not [one.name for one in (tmp_path / "store").glob("*aside*")]


# --- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EROFS, "x"), "may not be written"),
        (OSError(errno.EIO, "Input/output error"), "cannot be written (Input/output error)"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (sqlite3.DatabaseError("file is not a database"), "its journal is damaged"),
    ],
)
def test_what_the_system_says(error: Exception, said: str, tmp_path: Path) -> None:
    with pytest.raises(AiskillsError) as caught, disk.explained(tmp_path):
        raise error
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_no_clock_is_too_mad_for_a_day(tmp_path: Path) -> None:
    arrival = inbox.Arrival(tmp_path, "a", 1, 10**30, 0)
    assert str(arrival.day) == "1970-01-01"
    assert inbox.Arrival(tmp_path, "a", 1, FIRST_DAY * 10**9, 0).day.year == 2024
    assert sys.version_info >= (3, 11)
