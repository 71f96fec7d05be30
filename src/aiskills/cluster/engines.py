"""Who does the parts: this process, processes of this machine, or (`dask_engine`) a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from aiskills.cluster.extra import ClusterError
from aiskills.errors import AiskillsError
from aiskills.workers import open_workers

Work = Callable[[Any, Any], Any]
"""A function of a module: what all parts share, and a part, to what comes back; both travel."""

#: Parts that are handed out ahead for each process.
_QUEUED: Final = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of ours on its way back; it would not survive pickling as an exception."""

    kind: type[AiskillsError]
    what: str
    expected: str
    hint: str

    def error(self) -> AiskillsError:
        """The error as it was raised."""
        return self.kind(self.what, expected=self.expected, hint=self.hint)


class PassingError(Exception):
    """A failure of a disk or network, which another try may not meet."""


def attempt(work: Work, shared: Any, item: Any) -> Any:
    """What a part comes to, or the `Failure` that trying again would not cure.

    Raises:
        PassingError: A disk or network failed.
    """
    try:
        return work(shared, item)
    except AiskillsError as error:
        if isinstance(error.__cause__, OSError):
            raise PassingError(str(error)) from None
        return Failure(type(error), error.what, error.expected, error.hint)


class Engine(ABC):
    """Does work part by part; to be used in a `with`.

    Attributes:
        travels: Whether parts may be done on machines that lack this one's files.
    """

    travels = False

    @abstractmethod
    def map(self, work: Work, shared: Any, items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Does all items.

        Args:
            work: Called once for each item, or again where a worker or a disk failed.
            shared: What all calls are given first.
            items: What each call is given.

        Yields:
            Place and result of each item, in any order.

        Raises:
            AiskillsError: What `work` raised.
            ClusterError: Workers were lost too often.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 (processes of this machine end with their work)
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lets go of processes and connections."""


class Here(Engine):
    """Processes of this machine.

    Args:
        jobs: How many; 1 for this very process.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs

    def map(self, work: Work, shared: Any, items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See `Engine.map`; results come in order."""
        if self._jobs == 1 or len(items) < 2:
            for place, item in enumerate(items):
                yield place, work(shared, item)
            return
        from joblib.externals.loky.process_executor import BrokenProcessPool

        jobs = min(self._jobs, len(items))
        waiting: deque[tuple[int, Any]] = deque()
        try:
            with open_workers(jobs) as workers:
                for place, item in enumerate(items):
                    waiting.append((place, workers.submit(attempt, work, shared, item)))
                    if len(waiting) > _QUEUED * jobs:
                        yield _result(*waiting.popleft())
                while waiting:
                    yield _result(*waiting.popleft())
        except BrokenProcessPool as error:
            raise ClusterError(
                "a process was killed, often for want of memory",
                hint="Run the same command again with fewer --jobs: parts that are done are kept.",
            ) from error


def _result(place: int, task: Any) -> tuple[int, Any]:
    try:
        return place, unwrapped(task.result())
    except PassingError as error:
        raise ClusterError(str(error)) from None


def unwrapped(result: Any) -> Any:
    """The result, or the error that came back in its place, raised."""
    if isinstance(result, Failure):
        raise result.error()
    return result
