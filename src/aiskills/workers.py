"""Processes that work for this one."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
        executor.shutdown(wait=done, kill_workers=not done)


def default_jobs() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
