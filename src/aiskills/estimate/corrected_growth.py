"""Growth of the number and of the share of offers that truly are one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiskills.estimate.cells import Sums
from aiskills.estimate.clusters import Ints
from aiskills.estimate.corrections import FALLBACK, PPI, CorrectedCells, Corrector
from aiskills.estimate.false_flags import corrected_parts, corrected_share_growth
from aiskills.estimate.growth import Growth, part_growth, product, share_growth
from aiskills.estimate.intervals import Floats
from aiskills.estimate.parts import Estimate, Wholes
from aiskills.schema import Definition

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Periods:
    """What was counted in two periods, by cell.

    Attributes:
        before: Sums of the first.
        after: Sums of the last.
        shares: Flagged shares of both.
        part_in_last: Of the flagged offers of both together, the part that lies in the last.
        offers: Growth of the number of all offers.
        cells: By row of the counts, its cell if it is of the first, and if it is of the last
            period; -1 for none.
    """

    before: Sums
    after: Sums
    shares: tuple[Estimate, Estimate]
    part_in_last: Estimate
    offers: Growth
    cells: tuple[Ints, Ints]


@dataclass(frozen=True, slots=True)
class CorrectedGrowth:
    """Growth of a corrected figure.

    Attributes:
        measure: `flagged_corrected` (a number of offers) or `share_corrected`.
        first: The figure in the first period.
        last: In the last.
        growth: From the one to the other.
        usable: By cell, whether there is such a correction.
        method: How it was corrected.
    """

    measure: str
    first: Floats
    last: Floats
    growth: Growth
    usable: Mask
    method: str


def corrected_growths(
    corrector: Corrector,
    definition: Definition,
    periods: Periods,
    theme: str | None = None,
    hits: Mask | None = None,
) -> Iterator[CorrectedGrowth]:
    """Growth of the corrected number and of the corrected share, both periods by one method.

    By labelled offers, where both periods have enough of them: the two shares err independently,
    and the number grows by (1 + growth of the share) (1 + growth of all offers) - 1. By the error
    rates: their error is the same in both periods and largely cancels (see `false_flags`).

    Args:
        corrector: Corrects shares.
        definition: Whose flags.
        periods: What was counted.
        theme: As in `Corrector.correct`.
        hits: As in `Corrector.correct`.

    Returns:
        Those by labelled offers first, which are better.
    """
    if corrector.gold is not None:
        found = [
            corrector.correct(definition, share, cell, theme, hits)
            for share, cell in zip(periods.shares, periods.cells, strict=True)
        ]
        usable = np.logical_and(*(_by(PPI, one) for one in found))
        growth = share_growth(*_estimates(found, periods))
        method = f"MOVER, log ratio of {PPI}"
        yield from _both(periods, found, (growth, product(growth, periods.offers)), usable, method)
    false = corrector.false_flags(definition, theme)
    if false is not None:
        found = [corrector.by_rates(definition, share) for share in periods.shares]
        usable = np.logical_and(*(_by(FALLBACK, one) for one in found))
        growth = corrected_share_growth(*periods.shares, false)
        in_last = corrected_parts(_in_last(periods), false)
        method = f"MOVER, false flags in common, {FALLBACK}"
        yield from _both(periods, found, (growth, part_growth(in_last)), usable, method)


def _both(
    periods: Periods,
    shares: list[CorrectedCells],
    growths: tuple[Growth, Growth],
    usable: Mask,
    method: str,
) -> Iterator[CorrectedGrowth]:
    first, last = (one.share for one in shares)
    yield CorrectedGrowth("share_corrected", first, last, growths[0], usable, method)
    numbers = first * periods.before.weight, last * periods.after.weight
    yield CorrectedGrowth("flagged_corrected", *numbers, growths[1], usable, method)


def _by(method: str, found: CorrectedCells) -> Mask:
    return np.array([one == method for one in found.method], dtype=bool)


def _estimates(found: list[CorrectedCells], periods: Periods) -> tuple[Estimate, Estimate]:
    one, two = (
        Estimate(corrected.share, corrected.ends, plain.n_effective)
        for corrected, plain in zip(found, periods.shares, strict=True)
    )
    return one, two


def _in_last(periods: Periods) -> Wholes:
    """The last period as a part of both together."""
    before, after = periods.before, periods.after
    return Wholes(
        periods.part_in_last,
        np.arange(len(before)),
        after.weight,
        before.weight_flagged + after.weight_flagged,
        before.weight + after.weight,
    )
