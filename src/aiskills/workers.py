"""Processes that work for this one."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

#: The class of the thread with which loky's executor looks after its processes.
_LOKY_THREAD: Final = "_ExecutorManagerThread"


@contextlib.contextmanager
def open_workers(jobs: int) -> Iterator[Executor]:
    """Processes that take tasks; they end with the block, at once where it is left by an exception.

    Args:
        jobs: How many. Each is started when there is a task for it, and computes on one thread.
    """
    from joblib.externals.loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=jobs, env=dict.fromkeys(_THREADS, "1"))
    done = False
    try:
        yield executor
        done = True
    finally:
        if not done:
            _ignore_lost_tasks()
        executor.shutdown(wait=done, kill_workers=not done)


def _ignore_lost_tasks() -> None:
    """Keep one traceback off the terminal.

    When loky kills its workers it throws their tasks away; its thread then may look for one of
    them, and ends in a KeyError. The workers are dead by then, and there is nothing left to do.
    """
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        lost = args.exc_type is KeyError and args.thread is not None
        if not (lost and type(args.thread).__name__ == _LOKY_THREAD):
            before(args)

    threading.excepthook = hook


def default_jobs() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
