"""Runs in turn, so that a machine that slows down slows everybody, and what they come to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: Something to time: does it once and returns the seconds it took.
Task = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs came to.

    Attributes:
        median: Median of the runs.
        low: Smallest.
        high: Largest.
        runs: How many.
    """

    median: float
    low: float
    high: float
    runs: int


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest of some runs, at least one."""
    return Spread(median(values), min(values), max(values), len(values))


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """The spread of ratios run by run, each of two figures taken in the same round."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def in_turn(
    tasks: Mapping[str, Task], rounds: int, *, warm: bool = False
) -> dict[str, list[float]]:
    """Runs every task once a round; each round begins with another task.

    Args:
        tasks: What to run, by name.
        rounds: Number of rounds.
        warm: Whether each runs once before, uncounted.

    Returns:
        Seconds of each round, by name.
    """
    names = list(tasks)
    if warm:
        for name in names:
            tasks[name]()
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names) if names else 0
        for name in names[first:] + names[:first]:
            found[name].append(tasks[name]())
    return found


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, all its threads, that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def wall_seconds(work: Callable[[], object]) -> float:
    """Time on the wall that some work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
