"""Processes that judge: pieces of chunks, none of them lost, none left behind."""

from __future__ import annotations

import os
import time
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from aiskills.files import open_offers
from aiskills.pipeline import ADDED, Setup, classify_chunks, setup_of
from aiskills.schema import Definition
from aiskills.warm import warm_workers
from aiskills.workers import open_workers

if TYPE_CHECKING:
    from pathlib import Path


class Here(Executor):
    """Does each task at once, in this process, and counts them."""

    def __init__(self) -> None:
        self.tasks = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize(("rows", "size", "tasks"), [(0, 1, 1), (7, 10**6, 1), (7, 1, 7)])
def test_chunks_are_cut_by_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, size: int, tasks: int
) -> None:
    texts = [f"Vous entraînez {n} modèles de machine learning." for n in range(rows)]
    (tmp_path / "o.csv").write_text("\n".join(["description", *texts]) + "\n", "utf-8")
    monkeypatch.setattr("aiskills.pipeline._TASK_BYTES", size)
    here = Here()
    with open_offers([tmp_path / "o.csv"]) as offers:
        chunks = list(offers)
        found = pa.concat_tables(classify_chunks(chunks, Setup(), 2, here))
        alone = pa.concat_tables(classify_chunks(chunks, Setup()))
    assert here.tasks == tasks * len(chunks)
    assert found.equals(alone)
    assert set(ADDED.names) <= set(alone.column_names) or not chunks


def test_setup_of_options() -> None:
    assert setup_of() == Setup()
    made = setup_of("m", "l.csv", "0.7", "s.csv", "n.csv")
    assert (made.model, made.lexicon) == ("m", "l.csv")
    assert made.thresholds == ((Definition.STRICT, 0.7), (Definition.STUDY, 0.7))
    assert (made.own.siret_idcc, made.own.naf2025) == ("s.csv", "n.csv")


@pytest.mark.parametrize("setup", [(), ("no such model", None, "no number", None, None)])
def test_warm_workers_end_with_the_block(setup: tuple[str | None, ...]) -> None:
    """Also where what they load does not exist: the caller tells that."""
    with warm_workers(2, *setup) as workers:
        assert workers.submit(abs, -1).result() == 1


def test_workers_are_killed_by_an_exception() -> None:
    pids: list[int] = []

    def fail() -> None:
        with open_workers(1) as workers:
            pids.append(workers.submit(os.getpid).result())
            workers.submit(time.sleep, 600)
            raise RuntimeError("mistake")

    with pytest.raises(RuntimeError, match="mistake"):
        fail()
    for _ in range(200):
        if not _runs(pids[0]):
            break
        time.sleep(0.05)
    assert not _runs(pids[0])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
