"""Parts of a whole: what share of all flagged offers a cell has, and what the unknown may hide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiskills.estimate.cells import Sums
from aiskills.estimate.clusters import Clusters, Ints, PartClusters, cluster_interval
from aiskills.estimate.intervals import Bounds, Floats, divide, kish, wilson


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shares with their intervals.

    Attributes:
        share: 0 to 1, NaN of nothing.
        ends: Its interval.
        n_effective: Independent offers of equal weight that would tell as much.
    """

    share: Floats
    ends: Bounds
    n_effective: Floats


@dataclass(frozen=True, slots=True)
class Wholes:
    """Parts of wholes, with the offers behind them.

    Attributes:
        part: Of the flagged offers of its whole, what each part has.
        whole_of: By part, the number of its whole, -1 where it belongs to none.
        offers: By part, Σw of its offers.
        flagged: By whole, Σw of its flagged offers.
        all_offers: By whole, Σw of its offers.
    """

    part: Estimate
    whole_of: Ints
    offers: Floats
    flagged: Floats
    all_offers: Floats


def flagged_share(sums: Sums, level: float) -> Estimate:
    """The share of flagged offers of each cell: Wilson, or cluster-robust."""
    share = divide(sums.weight_flagged, sums.weight)
    if sums.clusters is None:
        n = kish(sums.weight, sums.squares)
        return Estimate(share, wilson(share, n, level), n)
    found = cluster_interval(share, sums.weight, sums.squares, sums.clusters, level)
    return Estimate(share, found.ends, found.n_effective)


def part_of_whole(parts: Sums, wholes: Sums, whole_of: Ints, level: float) -> Estimate:
    """Of all flagged offers of a whole, the share that each part has.

    Args:
        parts: Sums of the parts.
        wholes: Sums of the wholes, computed from the same rows.
        whole_of: By part, the number of its whole, -1 where it belongs to none.
        level: Confidence.

    Returns:
        A share a part, 0 to 1; NaN where it has no whole, or one without flagged offers.
    """
    of = np.maximum(whole_of, 0)
    weight, squares = wholes.weight_flagged[of], wholes.squares_flagged[of]
    share = np.where(whole_of >= 0, divide(parts.weight_flagged, weight), np.nan)
    n = np.where(whole_of >= 0, kish(weight, squares), np.nan)
    if parts.clusters is None or wholes.clusters is None:
        return Estimate(share, wilson(share, n, level), n)
    whole, whole_cluster = _flagged(wholes)
    part, part_cluster = _flagged(parts)
    moments = PartClusters(
        whole, part, of, _weight_in_whole(whole, whole_cluster, of[part.cell], part_cluster)
    )
    found = cluster_interval(np.nan_to_num(share), weight, squares, moments, level)
    none = np.isnan(share)
    return Estimate(
        share,
        Bounds(np.where(none, np.nan, found.ends.low), np.where(none, np.nan, found.ends.high)),
        np.where(none, np.nan, found.n_effective),
    )


def _flagged(sums: Sums) -> tuple[Clusters, Ints]:
    """The clusters of the flagged offers alone, and the number of each."""
    assert sums.clusters is not None  # noqa: S101 (asked by the caller)
    given = sums.clusters
    seen = given.flagged > 0
    squares = given.single_flagged_squares
    return (
        Clusters(
            given.cell[seen],
            given.flagged[seen],
            given.flagged[seen],
            squares,
            squares,
            given.flagged_singles,
            given.flagged_singles,
        ),
        sums.cluster_of[seen],
    )


def _weight_in_whole(whole: Clusters, cluster: Ints, wanted_whole: Ints, wanted: Ints) -> Floats:
    """Weight of given clusters in given wholes; 0 where a cluster has nothing in it."""
    if not len(cluster):
        return np.zeros(len(wanted))
    width = int(max(cluster.max(), wanted.max(initial=0))) + 1
    known, asked = whole.cell * width + cluster, wanted_whole * width + wanted
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, whole.weight[place], 0.0)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Flagged offers of which it is not known in which part they are, in sets of equal codes.

    Attributes:
        flagged: Σw of each set.
        hits: Σw of those of a set that count for the part asked for (with its theme; all of them
            where no theme is asked for).
        whole: The whole each set belongs to.
        codes: By set and group, the number of the known value, -1 where it is unknown.
        maybe_outside: Whether the set may lie outside the perimeter altogether.
    """

    flagged: Floats
    hits: Floats
    whole: Ints
    codes: Ints
    maybe_outside: np.ndarray


def part_bounds(
    flagged: Floats, codes: Ints, whole_of: Ints, known_flagged: Floats, hidden: Hidden
) -> Bounds:
    """What each part would be if all hidden offers were elsewhere, or all that can be were in it.

    Not an interval: no chance is in it, and nothing that is compatible with the data lies outside.

    Args:
        flagged: Σw of the flagged offers of each part.
        codes: By part and group, the number of its value.
        whole_of: By part, its whole, -1 for none.
        known_flagged: By whole, Σw of the flagged offers whose part is known.
        hidden: The others.
    """
    size = len(flagged)
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    for whole in np.unique(whole_of[whole_of >= 0]).tolist():
        own = hidden.whole == whole
        amount, hits, outside = hidden.flagged[own], hidden.hits[own], hidden.maybe_outside[own]
        given = hidden.codes[own]
        for part in np.flatnonzero(whole_of == whole).tolist():
            fits = ((given == codes[part]) | (given < 0)).all(axis=1)
            surely = (given == codes[part]).all(axis=1)
            inside = hits[fits].sum()
            # Least: all elsewhere in the whole, but for what can only be here or outside.
            away = amount[~surely].sum() + (amount - hits)[surely].sum()
            # Most: all that fits is here, the rest outside the whole if it can be.
            rest = np.where(fits, amount - hits, amount)[~outside].sum()
            known = float(known_flagged[whole])
            if known + amount.sum() > 0:
                low[part] = flagged[part] / (known + away) if flagged[part] else 0.0
                most = known + inside + rest
                high[part] = (flagged[part] + inside) / most if most > 0 else 0.0
    return Bounds(low, high)
