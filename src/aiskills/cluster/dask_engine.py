"""Parts done by the workers of a Dask cluster, which may die."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final

from aiskills.cluster.engines import Engine, PassingError, Work, attempt, unwrapped
from aiskills.cluster.extra import ClusterError, need
from aiskills.errors import UsageError
from aiskills.files.notes import Note, ignore

#: Packages that decide what a part's bytes are, or whether what travels can be read.
_SAME: Final = (
    *("aiskills", "ahocorasick-rs", "numpy", "pandas", "pyarrow", "spacy"),
    *("cloudpickle", "dask", "distributed"),
)
#: Seconds to wait for a scheduler to answer.
_PATIENCE: Final = 10
#: Times that a part is tried again where a disk or network failed.
_RETRIES: Final = 3
_MOST_SHOWN: Final = 3


class OnDask(Engine):
    """The workers of a Dask cluster.

    Args:
        scheduler: Address of a scheduler, `tcp://host:8786`; None for a cluster of processes on
            this machine that lives as long as the engine.
        jobs: Processes of that cluster; None for one a processor.
        note: Takes one line for each thing the user should know.
    """

    def __init__(
        self, scheduler: str | None = None, *, jobs: int | None = None, note: Note = ignore
    ) -> None:
        need("dask", "distributed")
        self.travels = scheduler is not None
        self._scheduler = scheduler
        self._jobs = jobs
        self._note = note
        self._stack = contextlib.ExitStack()
        self._client: Any = None

    def __enter__(self) -> OnDask:
        """Connects.

        Raises:
            ClusterError: No scheduler answers, or its workers have other versions.
            UsageError: The address has no form that Dask knows.
        """
        import dask
        from distributed import Client
        from distributed.versions import VersionMismatchWarning

        # Lost connections are told by our own errors, in one line.
        logger = logging.getLogger("distributed")
        self._stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        try:
            # A model of the user's own may be large; that it travels once is meant.
            self._stack.enter_context(
                dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionMismatchWarning)  # refused below, clearly
                where = self._local() if self._scheduler is None else self._scheduler
                self._client = self._stack.enter_context(Client(where, timeout=_PATIENCE))
            check_versions(self._client.get_versions(packages=list(_SAME)))
            if not self._client.nthreads():
                self._note("the scheduler has no workers yet; work begins when some come")
        except (OSError, TimeoutError) as error:
            self._stack.close()
            if self._scheduler is None:
                raise ClusterError(f"no cluster can be started here ({error})") from error
            raise ClusterError(
                f"no Dask scheduler answers at {self._scheduler}",
                hint="Start one with `dask scheduler`, and give the address that it prints.",
            ) from error
        except ValueError as error:
            self._stack.close()
            raise UsageError(
                f"--scheduler {self._scheduler}", expected="an address such as tcp://host:8786"
            ) from error
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnects; what the scheduler still had to do for this run is dropped."""
        self._stack.close()

    def map(self, work: Work, shared: Any, items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See `Engine.map`."""
        from distributed import as_completed
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        # What is shared is made on a worker and not scattered to one: if that worker dies the
        # scheduler can make it again.
        common = self._client.submit(_unchanged, shared, pure=False)
        tasks = self._client.map(
            _attempt, items, work=work, shared=common,
            pure=False, retries=_RETRIES, key=f"aiskills-{work.__name__}",
        )  # fmt: skip
        places = {task.key: place for place, task in enumerate(tasks)}
        try:
            for task in as_completed(tasks):
                result = unwrapped(task.result())
                task.release()
                yield places[task.key], result
        except PassingError as error:
            raise ClusterError(str(error), hint=_AGAIN) from None
        except KilledWorker as error:
            raise ClusterError(
                "workers died again and again on the same part, often for want of memory",
                hint="Give them more memory or smaller parts (--part-rows).",
            ) from error
        except (FutureCancelledError, CommClosedError, TimeoutError) as error:
            raise ClusterError("the scheduler went away", hint=_AGAIN) from error
        finally:
            with contextlib.suppress(Exception):
                self._client.cancel([*tasks, common])

    def _local(self) -> Any:
        from distributed import LocalCluster

        from aiskills.workers import default_jobs

        return self._stack.enter_context(
            LocalCluster(
                n_workers=self._jobs or default_jobs(),
                threads_per_worker=1,
                # Any free port: the usual one may be taken, which Dask would tell at length.
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        )


_AGAIN: Final = "Run the same command again: parts that are done are kept."


def _unchanged(shared: Any) -> Any:
    return shared


def _attempt(item: Any, *, work: Work, shared: Any) -> Any:
    return attempt(work, shared, item)


def check_versions(found: Any) -> None:
    """Refuses a cluster that has other versions than this machine.

    The scheduler is held to them too, since it reads what travels.

    Args:
        found: What `distributed.Client.get_versions` gives.

    Raises:
        ClusterError: Names the packages, both versions and a worker.
    """
    here = _told(found["client"])
    others = {"the scheduler": _told(found["scheduler"])} | {
        address: _told(one) for address, one in found["workers"].items()
    }
    odd: list[str] = []
    for name, wanted in here.items():
        for where, versions in others.items():
            if versions[name] != wanted:
                odd.append(f"{name} {versions[name] or 'none'} on {where}, {wanted or 'none'} here")
                break
    if odd:
        more = f" and {len(odd) - _MOST_SHOWN} more" if len(odd) > _MOST_SHOWN else ""
        raise ClusterError(
            f"the cluster has other versions than this machine: {'; '.join(odd[:_MOST_SHOWN])}"
            + more,
            hint="Install the same versions on all machines: results must be the same everywhere.",
        )


def _told(one: Any) -> dict[str, str | None]:
    packages = (one or {}).get("packages", {})
    python = ".".join(str(packages.get("python", "")).split(".")[:2])
    return {"Python": python, **{name: packages.get(name) for name in _SAME}}
