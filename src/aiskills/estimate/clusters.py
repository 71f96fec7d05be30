"""Intervals of shares where offers come in clusters: one employer's offers are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aiskills.estimate.intervals import Bounds, Floats, divide, kish, wilson
from aiskills.estimate.quantiles import normal_quantile, t_quantile

Ints = NDArray[np.int64]


class Moments(Protocol):
    """What an interval needs to know of clusters, by cell."""

    def count(self) -> Floats:
        """Clusters."""

    def squares(self) -> Floats:
        """Σ over clusters of (Σw)²."""

    def left_out(self, share: Floats, weight: Floats) -> Floats:
        """Σ over clusters of the squared change of the share when the cluster is left out.

        Args:
            share: By cell.
            weight: Σw of each cell.
        """


@dataclass(frozen=True, slots=True)
class Clusters:
    """Sums by cluster, and the offers that are a cluster each.

    Attributes:
        cell: Cell of each (cell, cluster) pair, from 0.
        weight: Σw of each pair.
        flagged: Σw of its flagged offers.
        single_squares: By cell, Σw² of the offers without a cluster, each one of its own.
        single_flagged_squares: By cell, Σw² of those of them that are flagged.
        singles: By cell, how many they are.
        flagged_singles: By cell, how many of them are flagged.
    """

    cell: Ints
    weight: Floats
    flagged: Floats
    single_squares: Floats
    single_flagged_squares: Floats
    singles: Floats
    flagged_singles: Floats

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.cell, values, minlength=len(self.singles)).astype(np.float64)

    def count(self) -> Floats:
        """Clusters by cell."""
        return self._sum((self.weight > 0).astype(np.float64)) + self.singles

    def squares(self) -> Floats:
        """By cell, Σ over clusters of (Σw)²."""
        return self._sum(self.weight**2) + self.single_squares

    def left_out(self, share: Floats, weight: Floats) -> Floats:
        """By cell, Σ over clusters of the squared change when it is left out."""
        residual = self.flagged - share[self.cell] * self.weight
        pairs = self._sum(divide(residual, weight[self.cell] - self.weight) ** 2)
        # One offer is too small a part of its cell for its own weight to matter below.
        y2, w2 = self.single_flagged_squares, self.single_squares
        return pairs + divide(y2 * (1 - 2 * share) + share**2 * w2, weight**2)


@dataclass(frozen=True, slots=True)
class PartClusters:
    """Clusters of a whole, and what of each of them is in a part of it.

    Attributes:
        whole: All of the whole, a cell each, its `weight` the quantity that is parted.
        part: The same quantity inside each part, a cell each.
        whole_of: Which whole each part belongs to.
        whole_weight: By (part, cluster) pair of `part`, that cluster's weight in the whole.
    """

    whole: Clusters
    part: Clusters
    whole_of: Ints
    whole_weight: Floats

    def count(self) -> Floats:
        """Clusters of the whole, by part."""
        return self.whole.count()[self.whole_of]

    def squares(self) -> Floats:
        """Σ over clusters of the whole of (Σw)², by part."""
        return self.whole.squares()[self.whole_of]

    def left_out(self, share: Floats, weight: Floats) -> Floats:
        """Σ over clusters of the whole of the squared change when it is left out, by part."""
        cells, size = self.part.cell, len(self.part.singles)
        others = weight[cells] - self.whole_weight
        residual = self.part.weight - share[cells] * self.whole_weight
        inside = np.bincount(cells, divide(residual, others) ** 2, minlength=size)
        # Clusters that have nothing in the part stand in no pair of it; their residual is -share
        # times their weight, so they are had from all of the whole less those that are there.
        present = np.bincount(cells, divide(self.whole_weight, others) ** 2, minlength=size)
        whole = self.whole
        total = np.zeros(len(whole.singles))
        np.maximum.at(total, self.whole_of, weight)
        every = divide(whole.weight, total[whole.cell] - whole.weight) ** 2
        absent = np.bincount(whole.cell, every, minlength=len(total))[self.whole_of] - present
        singles = self.part.single_squares * (1 - 2 * share)
        singles = singles + share**2 * whole.single_squares[self.whole_of]
        result: Floats = inside + share**2 * np.maximum(absent, 0) + divide(singles, weight**2)
        return result


@dataclass(frozen=True, slots=True)
class ClusterEstimate:
    """What clusters leave of the number of offers.

    Attributes:
        ends: Interval of the share.
        n_effective: Independent offers that would give the same variance.
        df: Degrees of freedom; 0 where there is one cluster or none.
    """

    ends: Bounds
    n_effective: Floats
    df: Ints


def cluster_interval(
    share: Floats, weight: Floats, squares: Floats, clusters: Moments, level: float = 0.95
) -> ClusterEstimate:
    """Cluster-robust interval of a share.

    Variance by leaving out one cluster after the other (the delete-one-group jackknife, which is
    the "CR3" linearisation: R. M. Bell and D. F. McCaffrey, Survey Methodology 28 (2002), 169-181),
    never below that of offers drawn one by one. Interval on the logit with Student's quantile, as
    survey statistics do for small shares (E. L. Korn and B. I. Graubard, Analysis of Health Surveys
    (1999), 2.5). Degrees of freedom from the effective number of clusters, (Σ_g w_g)² / Σ_g w_g²,
    less 1, rounded down, since employers are very unequal (A. V. Carter, K. T. Schnepel and D. G.
    Steigerwald, Review of Economics and Statistics 99 (2017), 698-709). Where no offer or every
    offer is flagged all offers of a cluster are taken to be alike, and the interval is Wilson's for
    the effective number of clusters, shrunk by (z / t)² (Korn and Graubard, Survey Methodology 24
    (1998), 193-201).

    Args:
        share: Weighted share of each cell.
        weight: Σw of each cell.
        squares: Σw² of each cell.
        clusters: What the offers of each cell are clustered in.
        level: Confidence.

    Returns:
        Interval, effective number and degrees of freedom by cell; NaN where a cell has fewer than
        two clusters: nothing then tells how much employers differ.
    """
    groups = clusters.count()
    jackknife = divide(groups - 1, groups) * clusters.left_out(share, weight)
    variance = np.maximum(jackknife, divide(share * (1 - share), kish(weight, squares)))
    alike = divide(weight**2, clusters.squares())
    certain = (share == 0) | (share == 1)
    n_effective = np.where(certain, alike, divide(share * (1 - share), variance))
    df = np.maximum(np.floor(np.nan_to_num(alike) + 1e-9) - 1, 1).astype(np.int64)
    enough = (groups >= 2) & ~np.isnan(share)
    t = np.array([t_quantile(d, level) for d in df.tolist()])
    flat = wilson(share, alike * (normal_quantile(level) / t) ** 2, level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logit = np.log(share / (1 - share))
        error = t * np.sqrt(variance) / (share * (1 - share))
        low, high = (1 / (1 + np.exp(-end)) for end in (logit - error, logit + error))
    low, high = np.where(certain, flat.low, low), np.where(certain, flat.high, high)
    return ClusterEstimate(
        Bounds(np.where(enough, low, np.nan), np.where(enough, high, np.nan)),
        np.where(enough, n_effective, np.nan),
        np.where(enough, df, 0),
    )
