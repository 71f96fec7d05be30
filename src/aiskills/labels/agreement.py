"""How far two readers of the same offers agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import LabelError
from aiskills.labels.records import OfferLabel
from aiskills.schema import STATUS_ORDER, Definition

_DRAWS: Final = 1000
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement under one definition.

    Attributes:
        offers: Offers that both read.
        same: Offers of which both said the same.
        share: `same` of `offers`, 0 to 1.
        share_interval: Its 95 % percentile bootstrap interval, over offers.
        kappa: Cohen's kappa, at most 1; None where both always said one and the same.
        kappa_interval: Its 95 % percentile bootstrap interval; None likewise.
        confusion: Counts, what the first said by what the second said, in `STATUS_ORDER`.
    """

    offers: int
    same: int
    share: float
    share_interval: tuple[float, float]
    kappa: float | None
    kappa_interval: tuple[float, float] | None
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two readers compared.

    Attributes:
        definitions: Agreement by definition.
        unsettled: What each said of the offers on which they differ: uid, then (strict, study) of
            the first and of the second.
        only_first: Offers that only the first read.
        only_second: Offers that only the second read.
    """

    definitions: Mapping[Definition, Agreement]
    unsettled: tuple[tuple[str, tuple[str, str], tuple[str, str]], ...]
    only_first: int
    only_second: int


def compare(first: Sequence[OfferLabel], second: Sequence[OfferLabel], seed: int = 0) -> Comparison:
    """Compares two readers on the offers that both read.

    Args:
        first: Labels of one reader.
        second: Labels of another. Where one labelled an offer twice, the last label counts.
        seed: Of the bootstrap.

    Raises:
        LabelError: They have no offer in common.
    """
    one, other = ({label.uid: label for label in labels} for labels in (first, second))
    common = [uid for uid in one if uid in other]
    if not common:
        raise LabelError(
            "the two have no offer in common",
            expected="labels of the same offers by two readers",
        )
    definitions = {}
    for definition in Definition:
        codes = [
            np.array([STATUS_ORDER.index(getattr(labels[uid], definition)) for uid in common])
            for labels in (one, other)
        ]
        definitions[definition] = _agreement(codes[0], codes[1], seed)
    unsettled = tuple(
        (uid, (str(a.strict), str(a.study)), (str(b.strict), str(b.study)))
        for uid in common
        for a, b in [(one[uid], other[uid])]
        if (a.strict, a.study) != (b.strict, b.study)
    )
    return Comparison(definitions, unsettled, len(one) - len(common), len(other) - len(common))


def _agreement(first: NDArray[np.int64], second: NDArray[np.int64], seed: int) -> Agreement:
    classes = len(STATUS_ORDER)
    cells = first * classes + second
    counts = np.bincount(cells, minlength=classes**2)
    # Drawing offers with replacement is drawing counts of cells from a multinomial.
    draws = np.random.default_rng(seed).multinomial(len(cells), counts / len(cells), _DRAWS)
    tables = draws.reshape(-1, classes, classes)
    shares = np.trace(tables, axis1=1, axis2=2) / len(cells)
    kappas = _kappa(tables)
    whole = counts.reshape(1, classes, classes)
    kappa = float(_kappa(whole)[0])
    same = int(np.trace(whole[0]))
    defined = kappas[~np.isnan(kappas)]
    return Agreement(
        len(cells),
        same,
        same / len(cells),
        _interval(shares),
        None if np.isnan(kappa) else kappa,
        None if np.isnan(kappa) else _interval(defined),
        tuple(tuple(int(n) for n in row) for row in whole[0]),
    )


def _kappa(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cohen's kappa (1960, Educational and Psychological Measurement 20(1)) of each table.

    (observed - expected) / (1 - expected), expected from the margins; NaN where that is 1.
    """
    total = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / total
    expected = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total.astype(float) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
