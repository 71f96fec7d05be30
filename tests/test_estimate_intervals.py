"""Intervals of shares, differences, ratios and clusters, against other packages and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aiskills.estimate.clusters import Clusters, PartClusters, cluster_interval
from aiskills.estimate.growth import count_growth, share_growth
from aiskills.estimate.intervals import Bounds, difference, kish, ratio, wilson
from aiskills.estimate.parts import Estimate
from aiskills.estimate.quantiles import normal_quantile, t_quantile

ORACLE = json.loads((Path(__file__).parent / "cases" / "ppi_oracle.json").read_text("utf-8"))
SHARES = st.floats(0, 1, allow_nan=False)


def floats(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 30, 101, 999, 1000, 1001, 40_000])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_student_quantiles(df: int, level: float) -> None:
    assert t_quantile(df, level) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-8)
    assert normal_quantile(level) == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=1e-12)


def test_student_needs_a_degree_of_freedom() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        t_quantile(0)


@pytest.mark.parametrize("case", ORACLE["wilson"])
def test_wilson_is_that_of_statsmodels(case: dict[str, Any]) -> None:
    ends = wilson(case["flagged"] / case["offers"], case["offers"], case["level"])
    assert float(ends.low) == pytest.approx(case["low"], abs=1e-12)
    assert float(ends.high) == pytest.approx(case["high"], abs=1e-12)


@pytest.mark.parametrize("case", ORACLE["newcombe"])
def test_the_difference_is_that_of_statsmodels(case: dict[str, Any]) -> None:
    (x1, n1), (x2, n2) = case["first"], case["last"]
    one, two = floats(x1 / n1), floats(x2 / n2)
    ends = difference(one, wilson(one, n1), two, wilson(two, n2))
    assert ends.low[0] == pytest.approx(case["low"], abs=1e-12)
    assert ends.high[0] == pytest.approx(case["high"], abs=1e-12)


@pytest.mark.parametrize("case", ORACLE["katz"])
def test_the_ratio_is_near_katz_of_statsmodels(case: dict[str, Any]) -> None:
    """The same to a third where counts are small, and nearly the same where they are large."""
    (x1, n1), (x2, n2) = case["first"], case["last"]
    one, two = floats(x1 / n1), floats(x2 / n2)
    ours = ratio(one, wilson(one, n1), two, wilson(two, n2))
    near = 0.35 if x1 < 100 else 0.01
    assert ours.low[0] == pytest.approx(case["low"], rel=near)
    assert ours.high[0] == pytest.approx(case["high"], rel=near)


@given(SHARES, st.floats(0.5, 1e7))
def test_wilson_holds_the_share_and_stays_within_bounds(share: float, n: float) -> None:
    ends = wilson(share, n)
    assert 0 <= ends.low <= share + 1e-12
    assert share - 1e-12 <= ends.high <= 1


@given(st.floats(0.001, 0.999), st.integers(2, 10_000), st.integers(2, 20))
def test_more_offers_narrow_the_interval(share: float, n: int, factor: int) -> None:
    few, many = wilson(share, n), wilson(share, n * factor)
    assert many.high - many.low < few.high - few.low


def test_nothing_gives_no_interval() -> None:
    ends = wilson(floats(0.5, np.nan), floats(0, 10))
    assert np.isnan(ends.low).all()
    assert np.isnan(ends.high).all()
    assert np.isnan(kish(0, 0))


def test_kish() -> None:
    w = floats(1, 1, 4)
    assert float(kish(w.sum(), (w**2).sum())) == pytest.approx(2)
    assert float(kish(7, 7)) == 7


@given(st.integers(1, 50), st.integers(1, 50))
def test_the_ratio_holds_itself_and_turns_round(a: int, b: int) -> None:
    one, two = floats(a / 100), floats(b / 80)
    ends = ratio(one, wilson(one, 100), two, wilson(two, 80))
    back = ratio(two, wilson(two, 80), one, wilson(one, 100))
    assert ends.low[0] <= two[0] / one[0] <= ends.high[0]
    assert ends.low[0] == pytest.approx(1 / back.high[0])


def test_a_ratio_from_or_to_nothing() -> None:
    nothing, some = floats(0.0), floats(0.1)
    up = ratio(nothing, wilson(nothing, 50), some, wilson(some, 50))
    assert np.isnan(up.low[0])
    assert np.isnan(up.high[0])
    down = ratio(some, wilson(some, 50), nothing, wilson(nothing, 50))
    assert down.low[0] == 0
    assert 0 < down.high[0] < np.inf


def test_growth_of_a_count_by_hand() -> None:
    first, last = floats(100, 0, 10), floats(156, 5, 0)
    part = last / (first + last)
    growth = count_growth(first, last, Estimate(part, wilson(part, first + last), first + last))
    assert growth.change[0] == pytest.approx(0.56)
    # The logarithm's delta method agrees where counts are large.
    error = 1.96 * np.sqrt(1 / 100 + 1 / 156)
    assert growth.ends.low[0] == pytest.approx(1.56 * np.exp(-error) - 1, abs=0.01)
    assert growth.ends.high[0] == pytest.approx(1.56 * np.exp(error) - 1, abs=0.01)
    assert np.isnan(growth.change[1])
    assert growth.ends.high[1] == np.inf
    assert growth.change[2] == -1
    assert growth.ends.low[2] == -1


def test_growth_of_a_share_without_change() -> None:
    share = floats(0.03)
    one = Estimate(share, wilson(share, 1000), floats(1000))
    growth = share_growth(one, one)
    assert growth.change[0] == 0
    assert growth.ends.low[0] < 0 < growth.ends.high[0]
    assert (1 + growth.ends.low[0]) * (1 + growth.ends.high[0]) == pytest.approx(1)


# --- clusters ----------------------------------------------------------------------------------


def jackknife(weights: list[float], flagged: list[float]) -> float:
    """Variance by leaving out one cluster after the other, in plain Python."""
    total, hits, groups = sum(weights), sum(flagged), len(weights)
    share = hits / total
    changes = [
        ((hits - x) / (total - w) - share) ** 2 for w, x in zip(weights, flagged, strict=True)
    ]
    return (groups - 1) / groups * sum(changes)


def none(size: int) -> Any:
    return np.zeros(size)


def test_the_variance_is_the_jackknife_one() -> None:
    weights, flagged = [40.0, 10, 25, 5, 80], [8.0, 0, 1, 1, 3]
    total, share = sum(weights), floats(sum(flagged) / sum(weights))
    cells = np.zeros(5, dtype=np.int64)
    clusters = Clusters(cells, floats(*weights), floats(*flagged), *(none(1),) * 4)
    found = cluster_interval(share, floats(total), floats(total), clusters)
    expected = jackknife(weights, flagged)
    assert share[0] * (1 - share[0]) / found.n_effective[0] == pytest.approx(expected)
    assert found.df[0] == int(total**2 / sum(w**2 for w in weights)) - 1
    t = stats.t.ppf(0.975, found.df[0])
    logit = np.log(share[0] / (1 - share[0]))
    error = t * np.sqrt(expected) / (share[0] * (1 - share[0]))
    assert found.ends.low[0] == pytest.approx(1 / (1 + np.exp(error - logit)))
    assert found.ends.high[0] == pytest.approx(1 / (1 + np.exp(-error - logit)))


def test_offers_without_a_cluster_are_one_each() -> None:
    named = Clusters(
        np.zeros(400, dtype=np.int64), np.ones(400), np.repeat([1.0, 0.0], (12, 388)),
        *(none(1),) * 4,
    )  # fmt: skip
    single = Clusters(
        np.zeros(0, dtype=np.int64), floats(), floats(), floats(400), floats(12), floats(400),
        floats(12),
    )  # fmt: skip
    share, total = floats(0.03), floats(400)
    one, two = (cluster_interval(share, total, total, c) for c in (named, single))
    assert one.ends.low[0] == pytest.approx(two.ends.low[0], rel=0.01)
    assert one.ends.high[0] == pytest.approx(two.ends.high[0], rel=0.01)
    assert one.n_effective[0] == pytest.approx(400, rel=0.01)


def test_one_cluster_says_nothing_and_no_flag_says_little() -> None:
    cells = np.array([0, 1, 1, 1])
    clusters = Clusters(cells, floats(50, 20, 20, 20), floats(5, 0, 0, 0), *(none(2),) * 4)
    weight = floats(50, 60)
    found = cluster_interval(floats(0.1, 0), weight, weight, clusters)
    assert np.isnan(found.ends.low[0])
    assert np.isnan(found.n_effective[0])
    assert found.n_effective[1] == pytest.approx(3)
    assert found.ends.low[1] == 0
    assert found.ends.high[1] > 0.5


def test_parts_of_clusters_by_hand() -> None:
    whole = [10.0, 4, 6, 20, 2]
    part = [10.0, 0, 3, 0, 2]
    cells = np.zeros(5, dtype=np.int64)
    every = Clusters(cells, floats(*whole), floats(*whole), *(none(1),) * 4)
    there = np.array([0, 2, 4])
    inside = floats(*(part[n] for n in there))
    moments = PartClusters(
        every,
        Clusters(np.zeros(3, dtype=np.int64), inside, inside, *(none(1),) * 4),
        np.zeros(1, dtype=np.int64),
        floats(*(whole[n] for n in there)),
    )
    total = sum(whole)
    share = floats(sum(part) / total)
    found = cluster_interval(share, floats(total), floats(total), moments)
    expected = jackknife(whole, part)
    assert share[0] * (1 - share[0]) / found.n_effective[0] == pytest.approx(expected)


def test_bounds_are_given_as_arrays() -> None:
    ends = wilson(floats(0.1, 0.2), 100)
    assert isinstance(ends, Bounds)
    assert ends.low.shape == (2,)
