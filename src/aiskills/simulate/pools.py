"""Drawing from lists of different lengths, for many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pools:
    """Lists of numbers, one after another.

    Attributes:
        members: All lists in one array.
        starts: Where each begins.
        counts: How long each is; a list may be empty.
    """

    members: Ints
    starts: Ints
    counts: Ints

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Pools:
        """Pools of given lists."""
        counts = np.array([len(one) for one in lists], dtype=np.int64)
        members = np.array([member for one in lists for member in one], dtype=np.int64)
        return cls(members, np.cumsum(counts) - counts, counts)

    def draw(self, keys: Ints, u: Floats, empty: int = -1) -> tuple[Ints, Floats]:
        """Draw a member of one list for each row, all members alike.

        Args:
            keys: Which list, by row.
            u: Uniform numbers, 0 to below 1, by row.
            empty: What an empty list gives.

        Returns:
            The members, and what is left of `u`: uniform too, and independent of the member.
        """
        scaled = u * self.counts[keys]
        place = np.minimum(scaled.astype(np.int64), np.maximum(self.counts[keys] - 1, 0))
        at = np.minimum(self.starts[keys] + place, len(self.members) - 1)
        return np.where(self.counts[keys] > 0, self.members[at], empty), scaled - place

    def draw_several(self, keys: Ints, u: Floats, wanted: int) -> Ints:
        """Draw several different members of one list for each row.

        Args:
            keys: Which list, by row.
            u: Uniform numbers, rows by at least the longest list's length.
            wanted: How many.

        Returns:
            Rows by `wanted`; -1 where a list has no more.
        """
        longest = int(self.counts.max())
        places = np.arange(longest)
        order = np.where(places < self.counts[keys][:, None], u[:, :longest], 2.0)
        chosen = np.argsort(order, axis=1, kind="stable")[:, :wanted]
        at = np.minimum(self.starts[keys][:, None] + chosen, len(self.members) - 1)
        return np.where(chosen < self.counts[keys][:, None], self.members[at], -1)


def choose(weights: Floats, rows: Ints, u: Floats) -> Ints:
    """Draw a category for each row.

    Args:
        weights: Distributions by row of this table; each adds up to 1.
        rows: Which distribution, by row.
        u: Uniform numbers, 0 to below 1, by row.
    """
    ends = np.cumsum(weights, axis=1)
    ends /= ends[:, -1:]
    return np.asarray((u[:, None] >= ends[rows]).sum(axis=1), dtype=np.int64)


def choose_in_cells(cumulated: Floats, starts: Ints, cells: Ints, u: Floats) -> Ints:
    """Draw an item of one cell for each row, in proportion to the items' weights.

    Args:
        cumulated: Running sum of the weights of all items, sorted by cell, with 0 before the first.
        starts: Where each cell begins, and the end of the last; no cell that is asked for is empty.
        cells: Which cell, by row.
        u: Uniform numbers, 0 to below 1, by row.
    """
    low, high = cumulated[starts[cells]], cumulated[starts[cells + 1]]
    found = np.searchsorted(cumulated, low + u * (high - low), side="right") - 1
    return np.clip(found, starts[cells], starts[cells + 1] - 1)


def systematic(probabilities: Floats, u: Floats, most: int) -> NDArray[np.bool_]:
    """Draw several categories for each row, each with its given probability.

    Madow's systematic sampling (Annals of Mathematical Statistics 20, 1949): one uniform number and
    the whole numbers above it, laid over the running sum of the probabilities.

    Args:
        probabilities: Rows by categories, each 0 to 1; a row adds up to between 1 and `most`.
        u: Uniform numbers, 0 to below 1, by row.
        most: Points to lay.

    Returns:
        Rows by categories: whether it was drawn. At least one in each row.
    """
    ends = np.cumsum(probabilities, axis=1)
    begins = ends - probabilities
    drawn = np.zeros(probabilities.shape, dtype=bool)
    for step in range(most):
        point = (u + step)[:, None]
        drawn |= (begins <= point) & (point < ends)
    missed = ~drawn.any(axis=1)  # a running sum that ends a hair's breadth below 1
    drawn[missed, probabilities[missed].argmax(axis=1)] = True
    return drawn


def table_of(names: Sequence[str], tables: Sequence[Mapping[str, float]]) -> Floats:
    """Tables of parts as rows of an array, in the order of `names`."""
    return np.array([[table.get(name, 0.0) for name in names] for table in tables])
