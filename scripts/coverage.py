"""Computes how often each interval of aiskills.estimate holds the truth; writes docs/coverage.md.

    python scripts/coverage.py            # writes docs/coverage.md; some 4 minutes on one core
    python scripts/coverage.py --check    # says whether the file is what the code gives

Wilson's interval and those made from it are computed exactly, from binomial or Poisson
probabilities; the others by simulation with a fixed seed. Nominal level everywhere: 95 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy import stats

from aiskills.estimate.classification import ErrorRates, rogan_gladen
from aiskills.estimate.clusters import Clusters, PartClusters, cluster_interval
from aiskills.estimate.false_flags import FalseFlags, corrected_parts, corrected_share_growth
from aiskills.estimate.growth import (
    Growth,
    count_growth,
    part_growth,
    product,
    share_growth,
)
from aiskills.estimate.intervals import Bounds, Floats, difference, kish, ratio, wilson
from aiskills.estimate.parts import Estimate, Wholes
from aiskills.estimate.ppi import FlaggedParts, GoldSample, LabelledParts, ppi, ppi_parts
from aiskills.estimate.quantiles import normal_quantile

TARGET: Final = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
REPLICATES: Final = 4000
PPI_REPLICATES: Final = 2000
SEED: Final = 20250214
#: Below this a corner is called weak.
WEAK: Final = 0.92


@dataclass(frozen=True)
class Line:
    """One point of the grid: where, coverage of the method used, and of what it is better than."""

    where: tuple[str, ...]
    coverage: float
    width: float
    other: float | None = None


@dataclass(frozen=True)
class Section:
    """A table of the report."""

    title: str
    text: str
    heads: tuple[str, ...]
    other: str
    lines: list[Line]


def held(ends: Bounds, truth: float) -> Floats:
    """1.0 where an interval holds the truth, 0.0 where not (or where there is none)."""
    return ((ends.low <= truth) & (truth <= ends.high)).astype(np.float64)


def width(ends: Bounds) -> float:
    """Mean width of the intervals that are bounded."""
    gap = ends.high - ends.low
    return float(gap[np.isfinite(gap)].mean())


def pct(share: float) -> str:
    """A share as a percentage without needless zeros."""
    return f"{100 * share:g} %"


def wilson_exact() -> Iterator[Line]:
    for n in (30, 100, 300, 1000, 10000):
        for p in (0.005, 0.01, 0.03, 0.1, 0.3, 0.5):
            x = np.arange(n + 1)
            chance = stats.binom.pmf(x, n, p)
            ends = wilson(x / n, np.full(n + 1, n))
            wald = normal_quantile() * np.sqrt(x / n * (1 - x / n) / n)
            plain = held(Bounds(x / n - wald, x / n + wald), p)
            yield Line(
                (f"{n:,}", pct(p)),
                float(chance @ held(ends, p)),
                float(chance @ (ends.high - ends.low)),
                float(chance @ plain),
            )


def weighted(rng: np.random.Generator) -> Iterator[Line]:
    for n in (300, 1000):
        for p in (0.03, 0.1):
            for sigma, linked in ((0.5, False), (1.0, False), (1.0, True)):
                w = np.exp(rng.normal(0, sigma, (REPLICATES, n)))
                chance = np.full_like(w, p)
                if linked:  # offers of greater weight are flagged more often
                    chance = np.clip(p * w / np.exp(sigma**2 / 2), 0, 1)
                y = rng.random((REPLICATES, n)) < chance
                total = w.sum(1)
                share = (w * y).sum(1) / total
                truth = p if not linked else _linked_truth(p, sigma)
                ends = wilson(share, kish(total, (w**2).sum(1)))
                plain = held(wilson(share, np.full(REPLICATES, n)), truth)
                yield Line(
                    (f"{n:,}", pct(p), f"{sigma:g}", "yes" if linked else "no"),
                    float(held(ends, truth).mean()),
                    width(ends),
                    float(plain.mean()),
                )


def _linked_truth(p: float, sigma: float) -> float:
    """Weighted share where the chance of a flag grows with the weight, by quadrature."""
    z = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    w = np.exp(sigma * z)
    return float((w * np.clip(p * w / np.exp(sigma**2 / 2), 0, 1)).sum() / w.sum())


def _sizes(rng: np.random.Generator, groups: int, *, equal: bool) -> Floats:
    if equal:
        return np.full((REPLICATES, groups), 20.0)
    return np.maximum(1, np.round(np.exp(rng.normal(2.5, 1.2, (REPLICATES, groups)))))


def _clusters(weight: Floats, flagged: Floats) -> Clusters:
    """Replicates as cells, columns as clusters."""
    replicates, groups = weight.shape
    none = np.zeros(replicates)
    cell = np.repeat(np.arange(replicates), groups)
    return Clusters(cell, weight.ravel(), flagged.ravel(), none, none, none, none)


def clustered(rng: np.random.Generator) -> Iterator[Line]:
    for groups in (5, 10, 20, 50, 200):
        for equal in (True, False):
            for icc in (0.05, 0.2):
                for p in (0.03, 0.1):
                    n = _sizes(rng, groups, equal=equal)
                    rate = rng.beta(
                        p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, (REPLICATES, groups)
                    )
                    x = rng.binomial(n.astype(np.int64), rate).astype(np.float64)
                    total = n.sum(1)
                    share = x.sum(1) / total
                    ends = cluster_interval(share, total, total, _clusters(n, x)).ends
                    yield Line(
                        (str(groups), "20 each" if equal else "very unequal", f"{icc:g}", pct(p)),
                        float(held(ends, p).mean()),
                        width(ends),
                        float(held(wilson(share, total), p).mean()),
                    )


def corrected(rng: np.random.Generator) -> Iterator[Line]:
    for positives, negatives in ((43, 400), (200, 2000)):
        for se, sp in ((0.93, 0.998), (0.93, 0.99), (0.8, 0.995)):
            for p, n in ((0.01, 1000), (0.03, 1000), (0.03, 100_000), (0.1, 100_000)):
                x = rng.binomial(n, p * se + (1 - p) * (1 - sp), REPLICATES)
                tp = rng.binomial(positives, se, REPLICATES)
                tn = rng.binomial(negatives, sp, REPLICATES)
                low, high, naive = np.empty(REPLICATES), np.empty(REPLICATES), 0.0
                for pair in sorted(set(zip(tp.tolist(), tn.tolist(), strict=True))):
                    own = (tp == pair[0]) & (tn == pair[1])
                    rates = ErrorRates(pair[0], positives - pair[0], pair[1], negatives - pair[1])
                    share = x[own] / n
                    found = rogan_gladen(share, np.full(len(share), float(n)), rates)
                    low[own], high[own] = found.ends.low, found.ends.high
                    youden = rates.sensitivity + rates.specificity - 1
                    ends = wilson(share, np.full(len(share), n))
                    known = Bounds(
                        (ends.low + rates.specificity - 1) / youden,
                        (ends.high + rates.specificity - 1) / youden,
                    )
                    naive += float(held(known, p).sum())
                ends = Bounds(low, high)
                yield Line(
                    (f"{positives} + {negatives}", f"{se:g}", f"{sp:g}", pct(p), f"{n:,}"),
                    float(held(ends, p).mean()),
                    width(ends),
                    naive / REPLICATES,
                )


def powered(rng: np.random.Generator) -> Iterator[Line]:
    size = 20_000
    for p, se, sp in (
        (0.03, 0.93, 0.998),
        (0.03, 0.93, 0.98),
        (0.1, 0.8, 0.98),
        (0.01, 0.9, 0.999),
    ):
        for labelled in (100, 300, 1000):
            for stratified in (False, True):
                hits = np.zeros((2, PPI_REPLICATES))
                widths = 0.0
                for replicate in range(PPI_REPLICATES):
                    gold, share = _sample(rng, size, (p, se, sp), labelled, stratified=stratified)
                    cautious = ppi(share, size, gold)
                    plain = ppi(share, size, gold, cautious=False)
                    hits[0, replicate] = cautious.low <= p <= cautious.high
                    hits[1, replicate] = plain.low <= p <= plain.high
                    widths += cautious.high - cautious.low
                yield Line(
                    (
                        pct(p), f"{se:g}", f"{sp:g}", f"{labelled:,}",
                        "half of them flagged" if stratified else "at random",
                    ),
                    float(hits[0].mean()),
                    widths / PPI_REPLICATES,
                    float(hits[1].mean()),
                )  # fmt: skip


def _sample(
    rng: np.random.Generator,
    size: int,
    rates: tuple[float, float, float],
    labelled: int,
    *,
    stratified: bool,
) -> tuple[GoldSample, float]:
    """A population's flagged share, and a labelled sample of it."""
    p, se, sp = rates
    true = rng.binomial(size, p)
    tp = rng.binomial(true, se)
    fp = rng.binomial(size - true, 1 - sp)
    # Offers by kind: true flagged, false flagged, missed, left alone.
    counts = np.array([tp, fp, true - tp, size - true - fp])
    truth, flag = np.array([1.0, 0, 1, 0]), np.array([1.0, 1, 0, 0])
    share = float(tp + fp) / size
    if not stratified:
        drawn = rng.multivariate_hypergeometric(counts, labelled)
        kind = np.repeat(np.arange(4), drawn)
        return GoldSample.equal(truth[kind], flag[kind]), share
    flagged = min(labelled // 2, int(counts[:2].sum()))
    drawn = np.concatenate(
        [
            rng.multivariate_hypergeometric(counts[:2], flagged),
            rng.multivariate_hypergeometric(counts[2:], labelled - flagged),
        ]
    )
    kind = np.repeat(np.arange(4), drawn)
    stratum = (flag[kind] == 0).astype(np.int64)
    weights = np.array([counts[:2].sum() / flagged, counts[2:].sum() / (labelled - flagged)])
    return GoldSample(truth[kind], flag[kind], weights[stratum], stratum), share


def count_ratio_exact() -> Iterator[Line]:
    for first in (2.0, 5.0, 20.0, 100.0, 1000.0):
        for rate in (0.7, 1.0, 1.56, 3.0):
            means = (first, first * rate)
            tops = [int(mean + 12 * np.sqrt(mean) + 20) for mean in means]
            a, b = np.meshgrid(np.arange(tops[0]), np.arange(tops[1]), indexing="ij")
            chance = stats.poisson.pmf(a, means[0]) * stats.poisson.pmf(b, means[1])
            one, two = a.ravel().astype(float), b.ravel().astype(float)
            both = one + two
            with np.errstate(invalid="ignore", divide="ignore"):
                part = Estimate(two / both, wilson(two / both, both), both)
                growth = count_growth(one, two, part)
                error = normal_quantile() * np.sqrt(1 / one + 1 / two)
                delta = Bounds(two / one * np.exp(-error) - 1, two / one * np.exp(error) - 1)
            given = both > 0
            mass = chance.ravel() * given
            inside = held(growth.ends, rate - 1)
            gap = growth.ends.high - growth.ends.low
            usable = mass * np.isfinite(gap)
            yield Line(
                (f"{first:g}", f"{100 * (rate - 1):+.0f} %"),
                float(mass @ inside / mass.sum()),
                float((usable * np.where(usable > 0, gap, 0)).sum() / usable.sum()),
                float(mass @ held(delta, rate - 1) / mass.sum()),
            )


def count_ratio_clustered(rng: np.random.Generator) -> Iterator[Line]:
    for groups in (10, 20, 50, 200):
        for spread in (0.5, 1.2):
            rate = 1.56
            mean = np.exp(rng.normal(0.5, spread, (REPLICATES, groups)))
            a = rng.poisson(mean * rng.gamma(2, 0.5, mean.shape)).astype(float)
            b = rng.poisson(rate * mean * rng.gamma(2, 0.5, mean.shape)).astype(float)
            whole, part = _clusters(a + b, a + b), _clusters(b, b)
            total = (a + b).sum(1)
            share = b.sum(1) / total
            moments = PartClusters(whole, part, np.arange(REPLICATES), whole.weight)
            robust = cluster_interval(share, total, total, moments)
            growth = count_growth(
                a.sum(1), b.sum(1), Estimate(share, robust.ends, robust.n_effective)
            )
            plain = count_growth(a.sum(1), b.sum(1), Estimate(share, wilson(share, total), total))
            yield Line(
                (str(groups), f"{spread:g}"),
                float(held(growth.ends, rate - 1).mean()),
                width(growth.ends),
                float(held(plain.ends, rate - 1).mean()),
            )


def _two_shares(
    interval: Callable[[Floats, Bounds, Floats, Bounds, int], tuple[Bounds, Bounds]],
    target: Callable[[float, float], float],
) -> Iterator[Line]:
    for n in (100, 300, 1000, 10000):
        for p, q in ((0.01, 0.01), (0.01, 0.03), (0.03, 0.03), (0.03, 0.06), (0.1, 0.2)):
            tops = [min(n, int(n * r + 9 * np.sqrt(n * r) + 15)) for r in (p, q)]
            a, b = np.meshgrid(np.arange(tops[0] + 1), np.arange(tops[1] + 1), indexing="ij")
            chance = (stats.binom.pmf(a, n, p) * stats.binom.pmf(b, n, q)).ravel()
            one, two = a.ravel() / n, b.ravel() / n
            cases = np.full(len(one), float(n))
            found, other = interval(one, wilson(one, cases), two, wilson(two, cases), n)
            given = chance * ~np.isnan(found.low)
            gap = found.high - found.low
            bounded = given * np.isfinite(gap)
            truth = target(p, q)
            yield Line(
                (f"{n:,}", pct(p), pct(q)),
                float(given @ held(found, truth) / given.sum()),
                float(np.nansum(np.where(bounded > 0, bounded * gap, 0)) / bounded.sum()),
                float(given @ held(other, truth) / given.sum()),
            )


def katz(one: Floats, two: Floats, n: int) -> Bounds:
    """Interval of `two / one` by the delta method on its logarithm (Katz and others, 1978)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = normal_quantile() * np.sqrt((1 - one) / (one * n) + (1 - two) / (two * n))
        return Bounds(two / one * np.exp(-error), two / one * np.exp(error))


def share_ratio_exact() -> Iterator[Line]:
    def both(
        one: Floats, one_ends: Bounds, two: Floats, two_ends: Bounds, n: int
    ) -> tuple[Bounds, Bounds]:
        return ratio(one, one_ends, two, two_ends), katz(one, two, n)

    return _two_shares(both, lambda p, q: q / p)


def share_difference_exact() -> Iterator[Line]:
    def both(
        one: Floats, one_ends: Bounds, two: Floats, two_ends: Bounds, n: int
    ) -> tuple[Bounds, Bounds]:
        error = normal_quantile() * np.sqrt((one * (1 - one) + two * (1 - two)) / n)
        wald = Bounds(two - one - error, two - one + error)
        return difference(one, one_ends, two, two_ends), wald

    return _two_shares(both, lambda p, q: q - p)


def parts_clustered(rng: np.random.Generator) -> Iterator[Line]:
    for groups in (10, 20, 50, 200, 1000):
        for part in (0.1, 0.5, 0.8):
            n = np.maximum(1, np.round(np.exp(rng.normal(0.5, 1.0, (REPLICATES, groups)))))
            inside = rng.random((REPLICATES, groups)) < part
            x = n * inside
            total = n.sum(1)
            share = x.sum(1) / total
            moments = PartClusters(
                _clusters(n, n), _clusters(x, x), np.arange(REPLICATES), n.ravel()
            )
            ends = cluster_interval(share, total, total, moments).ends
            yield Line(
                (str(groups), pct(part)),
                float(held(ends, part).mean()),
                width(ends),
                float(held(wilson(share, total), part).mean()),
            )


def _falsely_flagged(
    rng: np.random.Generator, audit: int, specificity: float
) -> Iterator[tuple[np.ndarray, FalseFlags]]:
    """Replicates with the same audit, and what that audit says of false flags."""
    fp = rng.binomial(audit, 1 - specificity, REPLICATES)
    for count in np.unique(fp).tolist():
        rates = ErrorRates(40, 3, audit - count, count)
        yield np.flatnonzero(fp == count), FalseFlags.of(rates, 0.95)


#: Audited offers that are none, specificity, share of true offers, true offers expected.
_FALSE_GRID: Final = tuple(
    (audit, sp, share, true)
    for audit in (400, 4000)
    for sp, share in ((0.998, 0.01), (0.998, 0.03), (0.99, 0.03))
    for true in (100, 1000)
)
_SENSITIVITY: Final = 0.93


def parts_corrected(rng: np.random.Generator) -> Iterator[Line]:
    for audit, sp, share, true in _FALSE_GRID:
        for part, of_offers in ((0.8, 0.5), (0.1, 0.3)):
            all_offers = true / share
            offers = all_offers * of_offers
            inside, outside = (
                rng.poisson(t * _SENSITIVITY + (n - t) * (1 - sp), REPLICATES).astype(float)
                for t, n in (
                    (true * part, offers), (true * (1 - part), all_offers - offers)
                )
            )  # fmt: skip
            flagged = inside + outside
            plain = Estimate(inside / flagged, wilson(inside / flagged, flagged), flagged)
            found = _no_ends(REPLICATES)
            for own, false in _falsely_flagged(rng, audit, sp):
                size = len(own)
                ends = corrected_parts(
                    Wholes(
                        _taken(plain, own), np.arange(size), np.full(size, offers), flagged[own],
                        np.full(size, all_offers),
                    ),
                    false,
                ).ends  # fmt: skip
                found.low[own], found.high[own] = ends.low, ends.high
            yield _given(
                (f"{audit:,}", f"{sp:g}", pct(share), f"{true:,}", pct(part), pct(of_offers)),
                found, part, plain.ends,
            )  # fmt: skip


def growth_corrected(rng: np.random.Generator, *, counts: bool) -> Iterator[Line]:
    for audit, sp, share, true in _FALSE_GRID:
        for rate, more in ((1.56, 1.15), (0.8, 1.3)):
            offers = np.array([true / share, true / share * more])
            truths = np.array([true, true * rate])
            target = (rate if counts else rate / more) - 1
            x, y = (
                rng.poisson(t * _SENSITIVITY + (n - t) * (1 - sp), REPLICATES).astype(float)
                for t, n in zip(truths, offers, strict=True)
            )
            before, after = (
                Estimate(one / n, wilson(one / n, np.full(REPLICATES, n)), one)
                for one, n in ((x, offers[0]), (y, offers[1]))
            )
            in_last = Estimate(y / (x + y), wilson(y / (x + y), x + y), x + y)
            plain = count_growth(x, y, in_last) if counts else share_growth(before, after)
            found = _no_ends(REPLICATES)
            for own, false in _falsely_flagged(rng, audit, sp):
                if counts:
                    size = len(own)
                    wholes = Wholes(
                        _taken(in_last, own), np.arange(size), np.full(size, offers[1]),
                        (x + y)[own], np.full(size, offers.sum()),
                    )  # fmt: skip
                    ends = part_growth(corrected_parts(wholes, false)).ends
                else:
                    ends = corrected_share_growth(
                        _taken(before, own), _taken(after, own), false
                    ).ends
                found.low[own], found.high[own] = ends.low, ends.high
            yield _given(
                (
                    f"{audit:,}", f"{sp:g}", pct(share), f"{true:,}", f"{100 * target:+.0f} %",
                ),
                found, target, plain.ends,
            )  # fmt: skip


def _no_ends(size: int) -> Bounds:
    return Bounds(np.full(size, np.nan), np.full(size, np.nan))


def _taken(one: Estimate, rows: np.ndarray) -> Estimate:
    return Estimate(
        one.share[rows], Bounds(one.ends.low[rows], one.ends.high[rows]), one.n_effective[rows]
    )


def _given(where: tuple[str, ...], found: Bounds, truth: float, plain: Bounds) -> Line:
    """A line on the replicates in which there is an interval."""
    given = ~np.isnan(found.low)
    some = Bounds(found.low[given], found.high[given])
    return Line(
        where, float(held(some, truth).mean()), width(some), float(held(plain, truth).mean())
    )


def parts_powered(rng: np.random.Generator) -> Iterator[Line]:
    size = 20_000
    for p, se, sp in ((0.03, 0.93, 0.998), (0.03, 0.93, 0.98), (0.1, 0.8, 0.98)):
        for labelled in (300, 1000, 3000):
            for part, of_offers in ((0.8, 0.5), (0.1, 0.3)):
                hits = np.zeros((2, PPI_REPLICATES))
                widths = 0.0
                for replicate in range(PPI_REPLICATES):
                    found, plain = _part_sample(rng, size, (p, se, sp), labelled, (part, of_offers))
                    hits[0, replicate] = found.low[0] <= part <= found.high[0]
                    hits[1, replicate] = plain.low[0] <= part <= plain.high[0]
                    widths += float(found.high[0] - found.low[0])
                yield Line(
                    (pct(p), f"{se:g}", f"{sp:g}", f"{labelled:,}", pct(part), pct(of_offers)),
                    float(hits[0].mean()),
                    widths / PPI_REPLICATES,
                    float(hits[1].mean()),
                )


def _part_sample(
    rng: np.random.Generator,
    size: int,
    rates: tuple[float, float, float],
    labelled: int,
    parts: tuple[float, float],
) -> tuple[Bounds, Bounds]:
    """Intervals of a part, prediction-powered and plain; half of the labels on flagged offers."""
    p, se, sp = rates
    part, of_offers = parts
    true_in, other_in = p * part, of_offers - p * part
    true_out, other_out = p * (1 - part), 1 - of_offers - p * (1 - part)
    # By kind: true flagged, false flagged, missed, left alone; first inside the part, then not.
    chance = [
        one
        for t, o in ((true_in, other_in), (true_out, other_out))
        for one in (t * se, o * (1 - sp), t * (1 - se), o * sp)
    ]
    counts = rng.multinomial(size, np.array(chance) / sum(chance))
    truth, flag = np.tile([1.0, 0, 1, 0], 2), np.tile([1.0, 1, 0, 0], 2)
    inside = np.repeat([1.0, 0.0], 4)
    kind: list[np.ndarray] = []
    weight: list[Floats] = []
    for number, stratum in enumerate((1.0, 0.0)):
        own = np.flatnonzero(flag == stratum)
        drawn = min(labelled // 2, int(counts[own].sum()))
        if number:
            drawn = labelled - len(kind[0])
        taken = np.repeat(own, rng.multivariate_hypergeometric(counts[own], drawn))
        kind.append(taken)
        weight.append(np.full(drawn, counts[own].sum() / drawn))
    rows, weights = np.concatenate(kind), np.concatenate(weight)
    strata = (flag[rows] == 0).astype(np.int64)
    flagged = float((counts * flag).sum())
    share = np.array([float((counts * flag * inside).sum()) / flagged])
    n = np.array([flagged])
    _, low, high = ppi_parts(
        FlaggedParts(flagged / size, share, n),
        GoldSample(truth[rows], flag[rows], weights, strata),
        LabelledParts(
            np.where(inside[rows] > 0, 0, -1), truth[rows] * inside[rows], flag[rows] * inside[rows]
        ),
    )
    return Bounds(low, high), wilson(share, n)


def growth_powered(rng: np.random.Generator) -> Iterator[Line]:
    size, more, rate = 20_000, 1.15, 1.56
    for p, se, sp in ((0.03, 0.93, 0.998), (0.03, 0.93, 0.98), (0.1, 0.8, 0.98)):
        for labelled in (300, 1000):
            hits, widths = np.zeros((2, PPI_REPLICATES)), []
            for replicate in range(PPI_REPLICATES):
                offers = [int(rng.poisson(size)), int(rng.poisson(size * more))]
                flags, shares = [], []
                for n, true in zip(offers, (p, p * rate / more), strict=True):
                    gold, share = _sample(rng, n, (true, se, sp), labelled, stratified=True)
                    found = ppi(share, n, gold)
                    ends = Bounds(np.array([found.low]), np.array([found.high]))
                    shares.append(Estimate(np.array([found.share]), ends, np.array([float(n)])))
                    flags.append(share * n)
                ends = product(share_growth(*shares), _count_growth(*map(float, offers))).ends
                hits[0, replicate] = held(ends, rate - 1)[0]
                hits[1, replicate] = held(_count_growth(*flags).ends, rate - 1)[0]
                widths.append(float(ends.high[0] - ends.low[0]))
            bounded = np.isfinite(widths)
            yield Line(
                (pct(p), f"{se:g}", f"{sp:g}", f"{labelled:,}", f"{100 * bounded.mean():.0f} %"),
                float(hits[0].mean()),
                float(np.array(widths)[bounded].mean()) if bounded.any() else np.nan,
                float(hits[1].mean()),
            )


def _count_growth(first: float, last: float) -> Growth:
    """Growth of a count of offers, Poisson."""
    both = np.array([first + last])
    share = np.array([last]) / both
    return count_growth(
        np.array([first]), np.array([last]), Estimate(share, wilson(share, both), both)
    )


def sections() -> list[Section]:
    """All tables, each with a generator of its own so that one does not move another."""

    def rng(number: int) -> np.random.Generator:
        return np.random.default_rng([SEED, number])

    return [
        Section(
            "Share, offers counted one by one: Wilson",
            "Exact.",
            ("offers", "share"), "p ± 1.96 se", list(wilson_exact()),
        ),
        Section(
            "Share, weighted offers: Wilson with Kish's effective number",
            "Weights are exp of a normal variable of the spread given. `linked`: the greater the "
            "weight, the likelier the flag, which Kish's number rules out.",
            ("offers", "share", "spread of log weight", "linked"), "weights ignored",
            list(weighted(rng(1))),
        ),
        Section(
            "Share, offers clustered by employer (`--cluster`)",
            "Beta-binomial employers with the intra-employer correlation given; very unequal: "
            "log-normal sizes, spread 1.2.",
            ("employers", "offers of each", "correlation", "share"), "Wilson, clusters ignored",
            list(clustered(rng(2))),
        ),
        Section(
            "Corrected share, fallback: Rogan-Gladen with Lang and Reiczigel's interval",
            "Audit: true offers + others. The first audit is as large as the shipped one.",
            ("audit", "sensitivity", "specificity", "true share", "offers"), "rates taken as known",
            list(corrected(rng(3))),
        ),
        Section(
            "Corrected share: prediction-powered (`--gold`)",
            "20,000 offers. At random, or half of the labels among flagged offers, with their "
            f"inclusion probabilities. {PPI_REPLICATES:,} replicates.",
            ("true share", "sensitivity", "specificity", "labelled", "drawn"),
            "PPI++ as published", list(powered(rng(4))),
        ),
        Section(
            "Growth of a count: conditional on the sum, Wilson",
            "Exact, given that there is any offer. The width is that of bounded intervals.",
            ("expected in the first period", "growth"), "log ratio, delta method",
            list(count_ratio_exact()),
        ),
        Section(
            "Growth of a count, clustered by employer",
            "Gamma-Poisson employers, growth +56 %; spread of log size as given.",
            ("employers", "spread"), "Poisson", list(count_ratio_clustered(rng(5))),
        ),
        Section(
            "Growth of a share: variance recovery on the logarithm with Wilson's ends",
            "Exact, given a first share above 0. The width is that of bounded intervals.",
            ("offers in each period", "first share", "last share"), "Katz",
            list(share_ratio_exact()),
        ),
        Section(
            "Difference of two shares: Newcombe",
            "Exact.",
            ("offers in each period", "first share", "last share"), "Wald",
            list(share_difference_exact()),
        ),
        Section(
            "Part of a whole, clustered by employer",
            "Each employer is wholly in the part or wholly out of it, as branches are; log-normal "
            "sizes, spread 1. Without clusters the part of a whole is Wilson's, as above.",
            ("employers with flagged offers", "part"), "Wilson, clusters ignored",
            list(parts_clustered(rng(6))),
        ),
        Section(
            "Corrected part of a whole, fallback: false flags in common",
            f"Sensitivity {_SENSITIVITY:g}. Where the audit may be read as all flags being false "
            "there is no part; such replicates are left out.",
            (
                "audited others", "specificity", "true share", "true offers", "part",
                "part of all offers",
            ),
            "uncorrected", list(parts_corrected(rng(7))),
        ),
        Section(
            "Corrected part of a whole: prediction-powered (`--gold`)",
            "20,000 offers, half of the labels among flagged offers (all of these where they are "
            f"fewer), with their inclusion probabilities. {PPI_REPLICATES:,} replicates.",
            (
                "true share", "sensitivity", "specificity", "labelled", "part",
                "part of all offers",
            ),
            "uncorrected", list(parts_powered(rng(8))),
        ),
        Section(
            "Growth of a corrected count, fallback: false flags in common",
            f"Sensitivity {_SENSITIVITY:g}. True and all offers expected in the first period; all "
            "offers grow by 15 % where true ones grow, by 30 % where they decline.",
            ("audited others", "specificity", "true share", "true offers", "growth"),
            "uncorrected", list(growth_corrected(rng(9), counts=True)),
        ),
        Section(
            "Growth of a corrected count: prediction-powered (`--gold`)",
            "20,000 offers in the first period, 15 % more in the last, growth of the true ones "
            "+56 %; in each period half of the labels among flagged offers. "
            f"{PPI_REPLICATES:,} replicates. The width is that of bounded intervals.",
            ("true share", "sensitivity", "specificity", "labelled in each", "bounded"),
            "uncorrected", list(growth_powered(rng(11))),
        ),
        Section(
            "Growth of a corrected share, fallback: false flags in common",
            "The same.",
            ("audited others", "specificity", "true share", "true offers", "growth"),
            "uncorrected", list(growth_corrected(rng(10), counts=False)),
        ),
    ]  # fmt: skip


def report(found: list[Section]) -> str:
    """The page."""
    lines = [
        "# Coverage of the intervals",
        "",
        "Written by `scripts/coverage.py`; do not edit. How often a 95 % interval of",
        "`aiskills measure` holds the truth, on a fixed grid: exactly where probabilities can be",
        f"summed, else by {REPLICATES:,} simulated replicates (standard error 0.3 points at 95 %).",
        "`width` is the mean width, in shares; the last column is what a simpler method gives.",
        "",
        f"**Weak corners**: coverage below {100 * WEAK:.0f} %, in bold in the tables.",
        "",
        "| method | points | lowest | median | below 92 % |",
        "|---|--:|--:|--:|--:|",
    ]
    for section in found:
        values = np.array([line.coverage for line in section.lines])
        lines.append(
            f"| {section.title} | {len(values)} | {100 * values.min():.1f} % "
            f"| {100 * np.median(values):.1f} % | {int((values < WEAK).sum())} |"
        )
    for section in found:
        lines += ["", f"## {section.title}", "", section.text, ""]
        lines.append("| " + " | ".join((*section.heads, "coverage", "width", section.other)) + " |")
        lines.append("|" + "--:|" * (len(section.heads) + 3))
        for line in section.lines:
            mark = "**" if line.coverage < WEAK else ""
            other = "" if line.other is None else f"{100 * line.other:.1f} %"
            cells = (
                *line.where, f"{mark}{100 * line.coverage:.1f} %{mark}", f"{line.width:.4f}", other,
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the page, or checks it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = report(sections())
    if parser.parse_args().check:
        same = TARGET.is_file() and TARGET.read_text("utf-8") == text
        print("up to date" if same else f"{TARGET} is not what scripts/coverage.py writes")
        return 0 if same else 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
