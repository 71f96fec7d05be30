"""Folders of parts and clusters: the same bytes whoever does the parts, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aiskills
from aiskills.cluster import extra, kit
from aiskills.cluster.classifying import classify_parts
from aiskills.cluster.dask_engine import OnDask, check_versions
from aiskills.cluster.engines import Here
from aiskills.cluster.extra import ClusterError
from aiskills.cluster.folders import MANIFEST, open_folder
from aiskills.cluster.kit import Kit
from aiskills.cluster.parts import cut
from aiskills.errors import InputError, OutputError, UsageError
from aiskills.files import read_table
from aiskills.pipeline import Setup, provenance

dask = pytest.importorskip("dask")
pytest.importorskip("distributed")

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples" / "offers.csv"
Run = Callable[..., tuple[int, str, str]]


# --- a cluster on loopback ---------------------------------------------------------------------


@dataclass
class Cluster:
    """A scheduler and workers, each a process of its own that nobody starts again."""

    folder: Path
    address: str = ""

    def __post_init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self.folder,
            # Workers find the functions of this file.
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def start_scheduler(self, **environment: str) -> None:
        told = self.folder / "scheduler.json"
        self.start(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(told)),
            **environment,
        )
        wait_until(lambda: told.exists() and told.read_text().endswith("}"))
        self.address = json.loads(told.read_text())["address"]

    def start_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start(
            *("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"),
            *("--local-directory", str(self.folder), *arguments),
        )

    def client(self) -> Any:
        from distributed import Client

        return Client(self.address, timeout=20, set_as_default=False)

    def wait_for(self, workers: int) -> None:
        with self.client() as client:
            wait_until(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == workers)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


def wait_until(condition: Callable[[], Any], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start_scheduler()
        found.start_worker()
        found.start_worker()
        found.wait_for(2)
        yield found
    finally:
        found.stop()


# --- offers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def offers() -> pa.Table:
    """Half of the samples, twice: the second time posted again with other identifiers."""
    table = read_table(SAMPLES).slice(0, 150)
    again = pa.array([f"{one}-bis" for one in table.column("id").to_pylist()])
    table = pa.concat_tables([table, table.set_column(0, "id", again)])
    return table.append_column("weight", pa.array([0.1 + n % 7 / 3 for n in range(len(table))]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, offers: pa.Table) -> Path:
    """Parquet files of different columns and row groups, one of them without rows."""
    folder = tmp_path_factory.mktemp("offers")
    pq.write_table(offers.slice(0, 110), folder / "a.parquet", row_group_size=15)
    pq.write_table(offers.slice(0, 0), folder / "b.parquet")
    rest = offers.slice(110).drop_columns(["weight"])
    pq.write_table(rest, folder / "c.parquet", row_group_size=1000)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, offers: pa.Table) -> Path:
    """Enough offers for something to die meanwhile."""
    path = tmp_path_factory.mktemp("many") / "many.parquet"
    pq.write_table(pa.concat_tables([offers] * 8), path)
    return path


@pytest.fixture(scope="module")
def expected(many: Path) -> dict[str, bytes]:
    """The parts of these offers, made in this process."""
    target = many.parent / "scored"
    with Here() as here:
        classify_parts(cut([str(many)], part_rows=100), open_folder(str(target)), Setup(), here)
    return parts_of(target)


def parts_of(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.glob("part-*"))}


def together(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(one) for one in sorted(folder.glob("part-*"))])


# --- parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [7, 14, 15, 16, 50, 5000])
def test_parts_hold_every_row_once_and_in_order(folder: Path, offers: pa.Table, rows: int) -> None:
    found = cut([str(folder)], part_rows=rows)
    read = []
    for part in found.parts:
        with found.read(part, 17) as reader:
            tables = [chunk.table for chunk in reader]
        assert sum(map(len, tables)) == part.rows
        assert (part.rows or 0) <= rows
        read += tables
    ids = pa.concat_tables(read).column("id").to_pylist()
    assert ids == offers.column("id").to_pylist()
    assert [part.number for part in found.parts] == list(range(len(found.parts)))
    assert found.rows == len(offers)


def test_other_files_are_a_part_each() -> None:
    found = cut([str(SAMPLES)], part_rows=10)
    assert [(part.rows, part.name) for part in found.parts] == [(None, "part-00000.parquet")]
    with found.read(found.parts[0], 100) as reader:
        assert sum(len(chunk.table) for chunk in reader) == 300


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path, offers: pa.Table) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(offers, path)
    found = cut([str(path)], part_rows=100)
    pq.write_table(offers.slice(0, 120), path)
    with (
        found.read(found.parts[1], 100) as reader,
        pytest.raises(InputError, match="changed while it was read"),
    ):
        list(reader)


# --- the same bytes ----------------------------------------------------------------------------


def test_classify_gives_the_same_bytes_everywhere(
    run: Run, folder: Path, cluster: Cluster, tmp_path: Path
) -> None:
    assert run("classify", folder, "-o", "one.parquet", "--jobs", 1, "-q") == (0, "", "")
    cut_by = ("--part-rows", 50)
    code, out, told = run("classify", folder, "-o", "here/", "--jobs", 1, *cut_by)
    assert (code, out) == (0, "")
    assert run("classify", folder, "-o", "two/", "--jobs", 2, *cut_by, "-q") == (0, "", "")
    there = ("--engine", "dask", "--scheduler", cluster.address)
    code, out, told_there = run("classify", folder, "-o", "dask/", *there, *cut_by)
    assert (code, out) == (0, "")
    assert told.splitlines()[:-1] == told_there.splitlines()[:-1]  # all but the time it took

    parts = parts_of(tmp_path / "here")
    assert len(parts) == 8
    assert parts_of(tmp_path / "two") == parts
    assert parts_of(tmp_path / "dask") == parts
    single = pq.read_table(tmp_path / "one.parquet")
    assert single.num_rows == 300
    assert together(tmp_path / "dask").equals(single, check_metadata=True)

    assert run("classify", folder, "-o", "big/", "--jobs", 1, "-q") == (0, "", "")
    assert together(tmp_path / "big").equals(single, check_metadata=True)
    assert len(parts_of(tmp_path / "big")) == 3


def test_a_cluster_of_its_own_and_only_flagged_offers(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    asked = ("classify", folder / "a.parquet", "--only-flagged", "-q")
    assert run(*asked, "-o", "one.parquet", "--jobs", 1) == (0, "", "")
    done = subprocess.run(
        [sys.executable, "-m", "aiskills", *map(str, asked), "-o", "own/", "--engine", "dask",
         "--jobs", "1", "--part-rows", "60"],
        cwd=tmp_path, capture_output=True, check=False, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    single = pq.read_table(tmp_path / "one.parquet")
    assert 0 < single.num_rows < 110
    assert together(tmp_path / "own").equals(single, check_metadata=True)


def test_addresses_give_the_same_bytes(
    run: Run, folder: Path, cluster: Cluster, tmp_path: Path
) -> None:
    assert run("classify", folder, "-o", "here/", "--jobs", 1, "--part-rows", 40, "-q")[0] == 0
    parts = parts_of(tmp_path / "here")
    inputs, target = f"file://{folder}/*.parquet", f"file://{tmp_path}/scored"
    there = ("--part-rows", 40, "-q", "--engine", "dask", "--scheduler", cluster.address)
    assert run("classify", inputs, "-o", target, *there) == (0, "", "")
    assert parts_of(tmp_path / "scored") == parts
    assert json.loads((tmp_path / "scored" / MANIFEST).read_text())["complete"] is True

    code, _, told = run("classify", inputs, "-o", target, *there)
    assert code == 1
    assert "exists. Use --force" in told
    assert run("classify", inputs, "-o", "memory://bucket/scored", "--jobs", 1, "-q")[0] == 0
    assert run("classify", inputs, "-o", "memory://bucket/scored", "--jobs", 1, "-q")[0] == 1
    again = ("--jobs", 1, "--part-rows", 40, "-q", "--force")
    assert run("classify", inputs, "-o", "memory://bucket/scored", *again) == (0, "", "")
    import fsspec

    memory = fsspec.filesystem("memory")
    names = {Path(one).name for one in memory.ls("/bucket/scored", detail=False)}
    assert names == {MANIFEST, *parts}
    assert all(memory.cat_file(f"/bucket/scored/{name}") == parts[name] for name in parts)

    by = ("--by", "branch", "-o", "-", "-q")
    found = run("measure", "memory://bucket/scored", "--jobs", 1, *by)
    assert found == run("measure", "here", *by)


def test_dedupe_gives_the_same_bytes_everywhere(
    run: Run, folder: Path, cluster: Cluster, tmp_path: Path
) -> None:
    assert run("dedupe", folder, "-o", "one.parquet", "--jobs", 1, "-q") == (0, "", "")
    asked = ("dedupe", folder, "--part-rows", 35, "--window-days", 90)
    code, _, told = run(*asked, "-o", "here/", "--jobs", 1)
    assert code == 0
    there = ("--engine", "dask", "--scheduler", cluster.address)
    code, _, told_there = run(*asked, "-o", "dask/", *there)
    assert code == 0
    assert told.splitlines()[:-1] == told_there.splitlines()[:-1]
    assert parts_of(tmp_path / "dask") == parts_of(tmp_path / "here")
    single = pq.read_table(tmp_path / "one.parquet")
    assert single.column("ai_duplicate_of").null_count < 160  # nearly all were posted again
    assert together(tmp_path / "dask").equals(single, check_metadata=True)


@pytest.mark.parametrize("more", [("--weights", "weight"), ("--growth", "2023:2024")])
def test_measure_is_the_same_to_the_last_bit(
    run: Run, cluster: Cluster, tmp_path: Path, offers: pa.Table, more: tuple[str, ...]
) -> None:
    whole = aiskills.classify(offers)
    for n in range(4):
        pq.write_table(whole.slice(80 * n, 80), tmp_path / f"part-{n}.parquet")
    (tmp_path / "scored.parquet").unlink()
    asked = ("measure", ".", "--by", "region", "--cluster", "company", *more, "-o")
    assert run(*asked, "one.parquet")[0] == 0
    (tmp_path / "one.parquet").rename(tmp_path / ".one")
    there = ("--engine", "dask", "--scheduler", cluster.address)
    assert run(*asked, "two.parquet", *there)[0] == 0
    (tmp_path / "two.parquet").rename(tmp_path / ".two")
    assert (tmp_path / ".one").read_bytes() == (tmp_path / ".two").read_bytes()
    assert pq.read_table(tmp_path / ".one").num_rows > 3


# --- what dies ---------------------------------------------------------------------------------


def command(*arguments: object, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "aiskills", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_worker_is_killed_in_the_middle(
    many: Path, expected: dict[str, bytes], cluster: Cluster, tmp_path: Path
) -> None:
    victim = cluster.start_worker("--name", "victim")
    cluster.wait_for(3)
    process = command(
        *("classify", many, "-o", "scored/", "--part-rows", 100, "-q"),
        *("--engine", "dask", "--scheduler", cluster.address),
        folder=tmp_path,
    )
    partial = tmp_path / ".scored.partial"
    with cluster.client() as client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        address = next(one for one, told in workers.items() if told["name"] == "victim")
        wait_until(
            lambda: (
                len(parts_of(partial)) >= 2
                and any("classify" in str(key) for key in client.processing()[address])
            )
        )
        victim.kill()
    assert len(parts_of(partial)) < len(expected)
    _, told = process.communicate(timeout=240)
    assert (process.returncode, told) == (0, "")
    assert parts_of(tmp_path / "scored") == expected
    assert {one.name for one in (tmp_path / "scored").iterdir()} == {MANIFEST, *expected}


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_command_that_was_killed_goes_on(
    run: Run, many: Path, expected: dict[str, bytes], cluster: Cluster, tmp_path: Path, engine: str
) -> None:
    there = ("--engine", "dask", "--scheduler", cluster.address) if engine == "dask" else ()
    asked = ("classify", many, "-o", "scored/", "--part-rows", 100, "--jobs", 1, *there)
    partial = tmp_path / ".scored.partial"
    process = command(*asked, folder=tmp_path)
    wait_until(lambda: len(parts_of(partial)) >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = parts_of(partial)
    assert 2 <= len(kept) < len(expected)
    assert not (tmp_path / "scored").exists()

    code, _, told = run(*asked)
    assert code == 0
    assert "goes on where a run was stopped" in told
    assert parts_of(tmp_path / "scored") == expected
    assert not partial.exists()


def _fails_twice(shared: str, item: int) -> int:
    """A disk that fails: counted in files, since each try may be in another process."""
    tries = [Path(shared, f"{item}-{n}") for n in range(3)]
    first = next(one for one in tries if not one.exists())
    first.touch()
    if first is not tries[-1]:
        raise InputError("the disk failed") from OSError(5, "Input/output error")
    return item * 10


def _refuses(shared: str, item: int) -> int:
    Path(shared, f"{item}-{time.time_ns()}").touch()
    raise InputError(f"part {item} is damaged", expected="a whole one", hint="Copy it again.")


def _dies(_shared: str, _item: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_disk_that_fails_is_tried_again_and_damage_is_not(
    cluster: Cluster, tmp_path: Path
) -> None:
    with OnDask(cluster.address) as engine:
        assert sorted(engine.map(_fails_twice, str(tmp_path), [1, 2])) == [(0, 10), (1, 20)]
        with pytest.raises(InputError, match=r"part 7 is damaged; expected a whole one\. Copy it"):
            list(engine.map(_refuses, str(tmp_path), [7]))
    assert len(list(tmp_path.glob("7-*"))) == 1
    with Here(2) as here, pytest.raises(InputError, match="is damaged"):
        list(here.map(_refuses, str(tmp_path), [8, 9]))


def test_what_kills_workers_or_the_scheduler_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiskills.cluster.dask_engine._PATIENCE", 2)
    own = Cluster(tmp_path)
    try:
        own.start_scheduler(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
        own.start_worker()
        own.wait_for(1)
        with (
            OnDask(own.address) as engine,
            pytest.raises(ClusterError, match="workers died again and again on the same part"),
        ):
            list(engine.map(_dies, "", [1]))
        notes: list[str] = []
        own.wait_for(0)
        with OnDask(own.address, note=notes.append) as engine:
            threading.Timer(0.5, own.processes[0].kill).start()
            with pytest.raises(ClusterError, match=r"the scheduler went away\. Run the same"):
                list(engine.map(_dies, "", [1]))
        assert notes == ["the scheduler has no workers yet; work begins when some come"]
    finally:
        own.stop()
    with Here(2) as here, pytest.raises(ClusterError, match="a process was killed"):
        list(here.map(_dies, "", [1, 2]))


# --- folders -----------------------------------------------------------------------------------


def test_results_are_replaced_only_when_asked(run: Run, folder: Path, tmp_path: Path) -> None:
    asked = ("classify", folder / "a.parquet", "-o", "scored/", "--jobs", 1, "-q")
    assert run(*asked, "--part-rows", 30)[0] == 0
    before = parts_of(tmp_path / "scored")
    code, _, told = run(*asked)
    assert (code, told) == (1, "aiskills: scored/ exists. Use --force to replace it.\n")
    assert parts_of(tmp_path / "scored") == before
    assert run(*asked, "--force")[0] == 0
    assert list(parts_of(tmp_path / "scored")) == ["part-00000.parquet"]

    code, _, told = run("classify", "scored", "-o", "scored/", "--force")
    assert code == 1
    assert "holds some of the inputs" in told
    (tmp_path / "scored" / "notes.txt").write_text("mine")
    code, _, told = run(*asked, "--force")
    assert code == 1
    assert "holds files that are no parts of a result (notes.txt)" in told
    assert {one.name for one in tmp_path.iterdir()} == {"scored", "scored.parquet"}


def test_what_another_run_had_begun_is_not_mixed_in(run: Run, folder: Path, tmp_path: Path) -> None:
    target = open_folder(str(tmp_path / "scored"))
    table = pa.table({"a": [1]})
    for plan in ("other", "mine"):
        assert target.begin(plan, inputs=(), note=lambda _: None) == frozenset()
    with (
        pytest.raises(OutputError, match="another run has begun"),
        target.write("part-00000.parquet", "other", {}) as writer,
    ):
        writer.write(table)
    with target.write("part-00000.parquet", "mine", {}) as writer:
        writer.write(table)
    with pytest.raises(OutputError, match="parts are missing"):
        target.finish("mine", ["part-00000.parquet", "part-00001.parquet"], {})
    assert not (tmp_path / "scored").exists()
    code, _, told = run("classify", folder / "a.parquet", "-o", "scored/", "--jobs", 1)
    assert code == 0
    assert "what another run had begun is removed" in told
    assert together(tmp_path / "scored").num_rows == 110


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("-o", "out.parquet", "--engine", "dask"), 2, "--engine dask writes a folder"),
        (("-o", "out/", "--scheduler", "tcp://127.0.0.1:1"), 2, "without --engine dask"),
        (("-o", "out/", "--format", "csv"), 2, "--format csv with a folder of parts"),
        (("-o", "out/", "--excel-fr"), 2, "--excel-fr with a folder of parts"),
        (("-o", "no/such/"), 1, "does not exist. Create it first."),
        (("-o", "out/", "--engine", "dask", "--scheduler", "no address"), 2, "expected an address"),
        (
            ("-o", "out/", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"),
            1,
            "no Dask scheduler answers at tcp://127.0.0.1:1. Start one with `dask scheduler`",
        ),
    ],
)
def test_mistakes_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    arguments: Sequence[str], code: int, told: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("aiskills.cluster.dask_engine._PATIENCE", 1)
    found, out, err = run("classify", "scored.parquet", *arguments)
    assert (found, out) == (code, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["scored.parquet"]


def test_standard_input_cannot_be_cut(run: Run) -> None:
    code, _, told = run("classify", "-", "-o", "out/")
    assert (code, told.count("standard input cannot be cut into parts")) == (2, 1)
    code, _, told = run("measure", "-", "--engine", "dask")
    assert (code, told.count("standard input cannot be shared out")) == (2, 1)


# --- versions ----------------------------------------------------------------------------------

_OLD = """
import distributed.versions as versions
def version(name, known=versions._version_cached):
    return "0.0.1" if name == "aiskills" else known(name)
versions._version_cached = version
"""


def test_workers_of_another_version_are_refused(run: Run, cluster: Cluster, tmp_path: Path) -> None:
    preload = tmp_path / "old.py"
    preload.write_text(_OLD)
    old = cluster.start_worker("--preload", str(preload), "--name", "old")
    try:
        cluster.wait_for(3)
        there = ("--engine", "dask", "--scheduler", cluster.address)
        code, _, told = run("classify", "scored.parquet", "-o", "out/", *there)
    finally:
        old.kill()
        old.wait()
        cluster.wait_for(2)
    assert code == 1
    assert "the cluster has other versions than this machine: aiskills 0.0.1 on tcp://" in told
    assert f"{aiskills.__version__} here" in told
    assert not (tmp_path / "out").exists()


def test_a_worker_without_a_package_is_refused() -> None:
    here = {"packages": {"python": "3.11.7.final.0", "aiskills": "1", "dask": "2"}}
    there = {"packages": {"python": "3.12.1.final.0", "aiskills": None, "dask": "2"}}
    check_versions({"client": here, "scheduler": here, "workers": {"tcp://a": here}})
    with pytest.raises(ClusterError, match=r"aiskills none on the scheduler, 1 here"):
        check_versions({"client": here, "scheduler": there, "workers": {}})
    with pytest.raises(ClusterError, match=r"Python 3\.12 on tcp://b, 3\.11 here; aiskills none"):
        check_versions(
            {"client": here, "scheduler": here, "workers": {"tcp://a": here, "tcp://b": there}}
        )


def test_a_model_of_another_version_is_refused() -> None:
    found = Kit.pack(Setup(), travels=True)
    assert found.unpack() == Setup()
    other = Kit(Setup(), {**found.versions, "aiskills_model_sha256": "another"})
    with pytest.raises(ClusterError, match="a worker has aiskills_model_sha256"):
        other.unpack()


def test_the_users_own_files_travel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster, offers: pa.Table
) -> None:
    lexicon = tmp_path / "own.csv"
    lexicon.write_text(
        "term,theme,definition,strength\ntournevis savant,ia,strict,strong\n",
        "utf-8",
    )
    setup = Setup(lexicon=str(lexicon))
    packed = Kit.pack(setup, travels=True)
    expected = provenance(setup.judge())
    lexicon.unlink()
    monkeypatch.setattr(kit, "_UNPACKED", {})
    unpacked = packed.unpack()
    assert unpacked.lexicon != str(lexicon)
    assert provenance(unpacked.judge()) == expected
    assert (
        expected["aiskills_lexicon_sha256"]
        != provenance(Setup().judge())["aiskills_lexicon_sha256"]
    )
    with OnDask(cluster.address) as engine:
        found = list(engine.map(_lexicon_of, packed, [0]))
    assert found == [(0, expected["aiskills_lexicon_sha256"])]


def _lexicon_of(packed: Kit, _item: int) -> str:
    return provenance(packed.unpack().judge())["aiskills_lexicon_sha256"]


# --- Dask dataframes ---------------------------------------------------------------------------


def test_dask_dataframes(cluster: Cluster, offers: pa.Table) -> None:
    import dask.dataframe as dd

    from aiskills import cluster as on_dask

    frame = offers.to_pandas().set_index("id", drop=False)
    single = aiskills.classify(frame)
    added = [name for name in single if name.startswith("ai_")]
    with cluster.client() as client, client.as_current():
        parts = dd.from_pandas(frame, npartitions=3, sort=False)
        lazy = on_dask.classify(parts)
        scored = lazy.compute()
        assert list(lazy.columns) == list(single.columns) == list(scored.columns)
        assert lazy.dtypes.equals(scored.dtypes)
        # Dask has its own type for the user's texts, and none of ours is changed by it.
        assert scored[added].dtypes.equals(single[added].dtypes)
        pd.testing.assert_frame_equal(
            scored, single, check_dtype=False, check_index_type=False, check_column_type=False
        )

        marked = on_dask.dedupe(lazy.persist(), window_days=60)
        pd.testing.assert_series_equal(
            marked.compute()["ai_duplicate_of"],
            aiskills.duplicates(single, window_days=60),
            check_dtype=False,
            check_index_type=False,
        )
        measured = on_dask.measure(lazy, "branch", period="year", cluster="company")
    expected = aiskills.measure(single, "branch", period="year", cluster="company")
    pd.testing.assert_frame_equal(measured, expected)
    assert measured.attrs == expected.attrs


def test_dask_dataframes_refuse_what_makes_no_sense(offers: pa.Table) -> None:
    import dask.dataframe as dd

    from aiskills import cluster as on_dask

    frame = offers.slice(0, 20).to_pandas()
    with pytest.raises(UsageError, match="offers are a DataFrame; expected a Dask dataframe"):
        on_dask.classify(frame)
    parts = dd.from_pandas(frame, npartitions=2)
    with pytest.raises(InputError, match="no column 'nothing'"):
        on_dask.measure(on_dask.classify(parts), "nothing")
    with pytest.raises(UsageError, match="reposts cannot be told by 'nothing'"):
        on_dask.dedupe(parts, same="nothing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        on_dask.nothing  # noqa: B018


# --- the extra ---------------------------------------------------------------------------------


def test_without_dask_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    code, _, told = run("classify", "scored.parquet", "-o", "out/", "--engine", "dask")
    assert (code, 'pip install "aiskills[cluster]"' in told) == (2, True)
    code, _, told = run("classify", "s3://bucket/offers", "-o", "out/")
    assert (code, 'pip install "aiskills[cluster]"' in told) == (2, True)
    assert run("classify", "scored.parquet", "-o", "out/", "--jobs", 1, "-q")[0] == 0


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, aiskills, aiskills.cluster; "
        "print(sorted({'dask', 'distributed', 'fsspec', 'pandas', 'spacy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"
