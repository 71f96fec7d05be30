"""Figures made of labels and judgements: pure functions of arrays.

Classes are places in `aiskills.schema.STATUS_ORDER`: 0 none, 1 mention, 2 demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.evaluation.intervals import Rate, bootstrap, exact, ratio
from aiskills.schema import STATUS_ORDER, Status

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DEMAND: Final = STATUS_ORDER.index(Status.DEMAND)


@dataclass(frozen=True, slots=True)
class Demand:
    """How well demand is told from the rest.

    Attributes:
        offers: Offers that count.
        demand: Those labelled demand.
        tp: Labelled demand and flagged.
        fp: Flagged alone.
        fn: Labelled demand alone.
        tn: Neither.
        precision: Share of flags that are right; interval by bootstrap over groups.
        recall: Share of demand that is flagged; likewise.
        f1: Harmonic mean of both; likewise. None where nothing is labelled or flagged.
        sensitivity: Recall again, with its exact interval.
        specificity: Share of the rest that is not flagged, with its exact interval.
    """

    offers: int
    demand: int
    tp: int
    fp: int
    fn: int
    tn: int
    precision: Rate
    recall: Rate
    f1: Rate
    sensitivity: Rate
    specificity: Rate


@dataclass(frozen=True, slots=True)
class ByStatus:
    """One status against the others: counts, precision, recall, F1 (None where undefined)."""

    status: Status
    labelled: int
    said: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Statuses:
    """The three statuses together.

    Attributes:
        confusion: Offers by label (rows) and judgement (columns): none, mention, demand.
        macro_f1: Mean F1 of the statuses that were labelled or said; None without offers.
        by_status: Each status, from none to demand.
    """

    confusion: tuple[tuple[int, ...], ...]
    macro_f1: float | None
    by_status: tuple[ByStatus, ...]


@dataclass(frozen=True, slots=True)
class Weighted:
    """Figures for the offers that the labelled ones were drawn from (Horvitz-Thompson).

    Each offer stands for 1 / (its probability of being drawn) offers. Intervals: bootstrap over
    groups within the strata of the draw.

    Attributes:
        offers: Offers with a known probability.
        population: Offers they stand for, estimated.
        effective: Effective sample size (Kish): as many offers drawn with equal probabilities
            would be as certain.
        demand: Share of demand by the labels, estimated.
        flagged: Share that the model flags, estimated.
        precision: As in `Demand`, weighted.
        recall: Likewise; the same as sensitivity.
        f1: Likewise.
        specificity: Likewise.
    """

    offers: int
    population: float
    effective: float
    demand: Rate
    flagged: Rate
    precision: Rate
    recall: Rate
    f1: Rate
    specificity: Rate


def demand_figures(truth: IntArray, said: IntArray, groups: IntArray) -> Demand:
    """How well demand is told from the rest.

    Args:
        truth: Classes by the labels.
        said: Classes by the judgements.
        groups: Group of each offer, drawn together by the bootstrap.
    """
    demand, flagged = truth == DEMAND, said == DEMAND
    tp, fp, fn, tn = (int(part.sum()) for part in _parts(demand, flagged))
    columns = np.column_stack(_parts(demand, flagged)).astype(np.float64)
    precision, recall, f1 = bootstrap(columns, groups, _prf)
    return Demand(
        len(truth),
        tp + fn,
        tp,
        fp,
        fn,
        tn,
        precision,
        recall,
        f1,
        exact(tp, tp + fn),
        exact(tn, tn + fp),
    )


def weighted_figures(
    truth: IntArray, said: IntArray, inclusion: FloatArray, groups: IntArray, strata: IntArray
) -> Weighted:
    """Figures weighted by 1 / `inclusion`.

    Args:
        truth: Classes by the labels; at least one.
        said: Classes by the judgements.
        inclusion: Probability with which each offer was drawn, above 0 up to 1.
        groups: Group of each offer.
        strata: Stratum of each.
    """
    weights = 1 / inclusion
    demand, flagged = truth == DEMAND, said == DEMAND
    columns = np.column_stack(_parts(demand, flagged)) * weights[:, None]
    return Weighted(
        len(truth),
        float(weights.sum()),
        float(weights.sum() ** 2 / (weights**2).sum()),
        *bootstrap(columns, groups, _weighted, strata),
    )


def _parts(demand: BoolArray, flagged: BoolArray) -> list[BoolArray]:
    return [demand & flagged, ~demand & flagged, demand & ~flagged, ~demand & ~flagged]


def _prf(sums: FloatArray) -> FloatArray:
    """Precision, recall and F1 of rows of tp, fp, fn, tn."""
    tp, fp, fn, _ = sums.T
    return np.column_stack(
        [ratio(tp, tp + fp), ratio(tp, tp + fn), ratio(2 * tp, 2 * tp + fp + fn)]
    )


def _weighted(sums: FloatArray) -> FloatArray:
    """Shares of demand and of flags, precision, recall, F1, specificity."""
    tp, fp, fn, tn = sums.T
    total = sums.sum(axis=1)
    return np.column_stack(
        [ratio(tp + fn, total), ratio(tp + fp, total), _prf(sums), ratio(tn, tn + fp)]
    )


def status_figures(truth: IntArray, said: IntArray) -> Statuses:
    """The confusion of the three statuses and what follows from it."""
    size = len(STATUS_ORDER)
    confusion = np.bincount(truth * size + said, minlength=size * size).reshape(size, size)
    by_status = []
    for place, status in enumerate(STATUS_ORDER):
        both, labelled, told = (
            int(confusion[place, place]),
            int(confusion[place].sum()),
            int(confusion[:, place].sum()),
        )
        by_status.append(ByStatus(status, labelled, told, *prf(both, told, labelled)))
    scores = [one.f1 for one in by_status if one.f1 is not None]
    return Statuses(
        tuple(tuple(row) for row in confusion.tolist()),
        float(np.mean(scores)) if scores else None,
        tuple(by_status),
    )


def prf(both: int, said: int, labelled: int) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 out of counts; None where there is nothing to divide by."""
    return (
        both / said if said else None,
        both / labelled if labelled else None,
        2 * both / (said + labelled) if said + labelled else None,
    )
