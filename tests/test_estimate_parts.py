"""Parts of the whole and growth, corrected for the classifier's errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.estimate.classification import ErrorRates, rogan_gladen
from aiskills.estimate.false_flags import FalseFlags, corrected_parts, corrected_share_growth
from aiskills.estimate.growth import Growth, count_growth, part_growth, product, share_growth
from aiskills.estimate.intervals import Bounds, wilson
from aiskills.estimate.parts import Estimate, Wholes
from aiskills.estimate.ppi import FlaggedParts, GoldSample, LabelledParts, ppi_parts

ORACLE = json.loads((Path(__file__).parent / "cases" / "ppi_oracle.json").read_text("utf-8"))
KINDS = ("tp", "fp", "fn", "tn")


def floats(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def share_of(flagged: Any, offers: Any) -> Estimate:
    x, n = (np.asarray(one, dtype=np.float64) for one in (flagged, offers))
    return Estimate(x / n, wilson(x / n, n), n)


def parts_of(flagged: Any, offers: Any) -> Wholes:
    """Parts of one whole, known in full."""
    x, n = (np.asarray(one, dtype=np.float64) for one in (flagged, offers))
    zeros = np.zeros(len(x), dtype=np.int64)
    part = Estimate(x / x.sum(), wilson(x / x.sum(), x.sum()), np.full(len(x), x.sum()))
    return Wholes(part, zeros, n, x[:1] * 0 + x.sum(), n[:1] * 0 + n.sum())


# Parts, by error rates

RATES = ErrorRates(84, 6, 980, 20)


def test_a_part_is_the_offers_times_the_corrected_share_over_the_whole() -> None:
    flagged, offers = floats(400, 90, 60), floats(5000, 3000, 2000)
    found = corrected_parts(parts_of(flagged, offers), FalseFlags.of(RATES, 0.95))
    share = rogan_gladen(flagged / offers, offers, RATES).share
    assert (share > 0).all()
    true = offers * share
    assert found.share == pytest.approx(true / true.sum())
    assert found.share.sum() == pytest.approx(1)
    # 400 of 550 flags, but 100, 60 and 40 of them are to be expected without any true offer.
    assert found.share[0] == pytest.approx(300 / 350)
    assert ((found.ends.low < found.share) & (found.share < found.ends.high)).all()


def test_sensitivity_falls_out() -> None:
    wholes = parts_of(floats(400, 90, 60), floats(5000, 3000, 2000))
    poor = ErrorRates(10, 90, 980, 20)
    one, two = (corrected_parts(wholes, FalseFlags.of(r, 0.95)) for r in (RATES, poor))
    assert one.share == pytest.approx(two.share)
    assert one.ends.low == pytest.approx(two.ends.low)


def test_a_cell_with_fewer_flags_than_expected_has_no_part() -> None:
    found = corrected_parts(
        parts_of(floats(400, 10), floats(5000, 5000)), FalseFlags.of(RATES, 0.95)
    )
    assert found.share.tolist() == [1.0, 0.0]
    assert found.ends.low[1] == 0


def test_a_whole_that_may_be_all_false_has_no_parts() -> None:
    """2 % of the offers are flagged, and 2 % of the others were, too."""
    found = corrected_parts(
        parts_of(floats(120, 80), floats(5000, 5000)), FalseFlags.of(RATES, 0.95)
    )
    assert np.isnan(found.share).all()
    assert np.isnan(found.ends.low).all()


def test_where_false_flags_might_be_all_of_them_a_part_may_be_anything() -> None:
    few = FalseFlags.of(ErrorRates(84, 6, 99, 1), 0.95)
    assert few.high > 0.05
    found = corrected_parts(parts_of(floats(120, 80, 100), floats(2000, 2000, 2000)), few)
    assert found.ends.high[0] == 1
    assert found.ends.low[1] == 0
    # Flags are as frequent in the third cell as in all: false ones do not move its part.
    assert found.share[2] == pytest.approx(1 / 3)
    assert found.ends.high[2] < 0.5


def test_an_audit_without_false_flags_widens_to_one_side() -> None:
    wholes = parts_of(floats(400, 150), floats(5000, 5000))
    found = corrected_parts(wholes, FalseFlags.of(ErrorRates(84, 6, 400, 0), 0.95))
    assert found.share == pytest.approx(wholes.part.share)
    assert found.ends.low[0] == pytest.approx(wholes.part.ends.low[0])
    assert found.ends.high[0] > wholes.part.ends.high[0] + 0.02


def test_what_belongs_to_no_whole_has_no_part() -> None:
    part = Estimate(
        floats(0.5, np.nan), Bounds(floats(0.4, np.nan), floats(0.6, np.nan)), floats(99, 0)
    )
    wholes = Wholes(part, np.array([0, -1]), floats(100, 100), floats(50), floats(200))
    found = corrected_parts(wholes, FalseFlags(0.01, 0.005, 0.02))
    assert np.isfinite(found.share[0])
    assert np.isnan([found.share[1], found.ends.low[1], found.ends.high[1]]).all()


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(500, 5000)), min_size=2, max_size=5),
    st.integers(0, 60),
)
def test_corrected_parts_stay_within_bounds(cells: list[tuple[int, int]], false: int) -> None:
    flagged, offers = (floats(*one) for one in zip(*cells, strict=True))
    if not flagged.sum():
        return
    rates = ErrorRates(90, 10, 1000 - false, false)
    found = corrected_parts(parts_of(flagged, offers), FalseFlags.of(rates, 0.95))
    known = ~np.isnan(found.share)
    assert (found.ends.low[known] >= 0).all()
    assert (found.ends.high[known] <= 1).all()
    assert (found.ends.low[known] <= found.share[known] + 1e-12).all()
    assert (found.share[known] <= found.ends.high[known] + 1e-12).all()
    assert found.share[known].sum() >= 1 - 1e-9 or not known.any()


def test_corrected_parts_hold_the_truth_and_plain_ones_do_not() -> None:
    """80 % of 1,000 true offers in half of 33,000; 1 in 100 others is flagged."""
    rng = np.random.default_rng(7)
    held = np.zeros(2)
    for _ in range(400):
        flagged = rng.poisson(floats(0.93 * 800 + 157, 0.93 * 200 + 163)).astype(float)
        wholes = parts_of(flagged, floats(16_500, 16_500))
        rates = ErrorRates(93, 7, *(lambda x: (2000 - x, x))(int(rng.binomial(2000, 0.01))))
        found = corrected_parts(wholes, FalseFlags.of(rates, 0.95))
        for n, ends in enumerate((found.ends, wholes.part.ends)):
            held[n] += ends.low[0] <= 0.8 <= ends.high[0]
    assert held[0] / 400 >= 0.92
    assert held[1] / 400 <= 0.1


# Growth, by error rates


def in_last(first: float, last: float) -> Estimate:
    both = floats(first + last)
    return Estimate(last / both, wilson(last / both, both), both)


def grown(x: tuple[float, float], n: tuple[float, float], false: FalseFlags) -> Growth:
    wholes = Wholes(
        in_last(*x), np.zeros(1, dtype=np.int64), floats(n[1]), floats(sum(x)), floats(sum(n))
    )
    return part_growth(corrected_parts(wholes, false))


def test_growth_of_a_corrected_count_is_that_of_share_and_offers() -> None:
    x, n = (300.0, 500.0), (10_000.0, 13_000.0)
    rates = ErrorRates(90, 10, 1990, 10)
    false = FalseFlags.of(rates, 0.95)
    count = grown(x, n, false)
    first, last = share_of([x[0]], [n[0]]), share_of([x[1]], [n[1]])
    share = corrected_share_growth(first, last, false)
    assert 1 + count.change == pytest.approx((1 + share.change) * n[1] / n[0])
    # 250 true flags in the first period, 435 in the last.
    assert count.change == pytest.approx(435 / 250 - 1)
    shares = [rogan_gladen(floats(x[k] / n[k]), floats(n[k]), rates) for k in (0, 1)]
    assert share.change == pytest.approx(shares[1].share / shares[0].share - 1)
    # The error is the same in both periods: less is left of it than of two independent ones.
    apart = share_growth(*(Estimate(one.share, one.ends, floats(1)) for one in shares))
    assert share.ends.high - share.ends.low < apart.ends.high - apart.ends.low


def test_without_false_flags_growth_is_the_plain_one() -> None:
    none = FalseFlags(0.0, 0.0, 0.0)
    plain = count_growth(floats(30), floats(50), in_last(30, 50))
    found = grown((30, 50), (1000, 1300), none)
    assert found.change == pytest.approx(plain.change)
    assert found.ends.low == pytest.approx(plain.ends.low)
    assert found.ends.high == pytest.approx(plain.ends.high)
    first, last = share_of([30], [1000]), share_of([50], [1300])
    share, plain = corrected_share_growth(first, last, none), share_growth(first, last)
    assert share.ends.low == pytest.approx(plain.ends.low)
    assert share.ends.high == pytest.approx(plain.ends.high)


def test_a_growth_from_what_may_be_nothing_has_no_upper_end() -> None:
    false = FalseFlags(0.01, 0.005, 0.02)
    first, last = share_of([15, 5, 50], [1000, 1000, 1000]), share_of([40, 40, 5], [1000] * 3)
    found = corrected_share_growth(first, last, false)
    assert found.change[0] == pytest.approx(5)
    assert np.isinf(found.ends.high[0])
    assert 0 < found.ends.low[0] < 5
    assert np.isnan(found.change[1])
    assert (found.change[2], found.ends.low[2]) == (-1, -1)
    assert -1 < found.ends.high[2] < 0


def test_growth_of_a_product() -> None:
    one = Growth(floats(0.5, np.nan, -1), Bounds(floats(0.2, np.nan, -1), floats(0.9, np.nan, 1)))
    two = Growth(floats(0.1, 0, 0), Bounds(floats(0.1, 0, 0), floats(0.1, 0, 0)))
    found = product(one, two)
    assert found.change[0] == pytest.approx(0.65)
    assert found.ends.low[0] == pytest.approx(1.2 * 1.1 - 1)
    assert found.ends.high[0] == pytest.approx(1.9 * 1.1 - 1)
    assert np.isnan([found.change[1], found.ends.low[1]]).all()
    assert (found.change[2], found.ends.low[2], found.ends.high[2]) == (-1, -1, 1)


# Parts, by labelled offers


def labels(inside: dict[str, int], outside: dict[str, int]) -> tuple[GoldSample, LabelledParts]:
    counts = [one[kind] for one in (inside, outside) for kind in KINDS]
    truth, flag = np.repeat([1.0, 0, 1, 0] * 2, counts), np.repeat([1.0, 1, 0, 0] * 2, counts)
    part = np.repeat([0] * 4 + [1] * 4, counts)
    return GoldSample.equal(truth, flag), LabelledParts(part, truth, flag)


@pytest.mark.parametrize("case", ORACLE["ppi_parts"])
def test_parts_are_where_ppi_python_finds_a_mean_of_nothing(case: dict[str, Any]) -> None:
    gold, labelled = labels(case["inside"], case["outside"])
    flags = floats(*case["flagged"])
    flagged = FlaggedParts(
        flags.sum() / case["offers"], flags / flags.sum(), np.full(2, flags.sum())
    )
    share, low, high = ppi_parts(flagged, gold, labelled, cautious=False)
    assert share[0] == pytest.approx(case["part"], abs=1e-9)
    assert share.sum() == pytest.approx(1)
    # Theirs takes the normal quantile and divides by n; ours lets the number of flags vary, too.
    width = case["high"] - case["low"]
    assert low[0] == pytest.approx(case["low"], abs=0.01 * width)
    assert high[0] == pytest.approx(case["high"], abs=0.01 * width)
    wider = ppi_parts(flagged, gold, labelled)
    assert wider[1][0] < low[0]
    assert wider[2][0] > high[0]


def test_a_part_without_labelled_offers_keeps_its_flags() -> None:
    gold, labelled = labels(
        {"tp": 40, "fp": 0, "fn": 0, "tn": 60}, {"tp": 10, "fp": 0, "fn": 0, "tn": 90}
    )
    flagged = FlaggedParts(0.05, floats(0.7, 0.2, 0.1), np.full(3, 500.0))
    share, low, high = ppi_parts(flagged, gold, labelled)
    assert share == pytest.approx([0.7, 0.2, 0.1])
    assert ((low < share) & (share < high)).all()


def test_labels_that_leave_nothing_of_the_flags() -> None:
    gold, labelled = labels(
        {"tp": 0, "fp": 20, "fn": 0, "tn": 40}, {"tp": 0, "fp": 0, "fn": 0, "tn": 40}
    )
    flagged = FlaggedParts(0.02, floats(0.5, 0.5), np.full(2, 100.0))
    share, low, high = ppi_parts(flagged, gold, labelled)
    assert np.isnan(share).all()
    assert (low.tolist(), high.tolist()) == ([0, 0], [1, 1])


def test_the_share_of_the_whole_must_be_told_from_nothing() -> None:
    """One true offer in sixty, none of them flagged: what part it has in what is anyone's guess."""
    gold, labelled = labels(
        {"tp": 0, "fp": 0, "fn": 1, "tn": 29}, {"tp": 0, "fp": 0, "fn": 0, "tn": 30}
    )
    flagged = FlaggedParts(0.001, floats(0.5, 0.5), np.full(2, 10.0))
    _, low, high = ppi_parts(flagged, gold, labelled)
    assert (low.tolist(), high.tolist()) == ([0, 0], [1, 1])


# The note on method


def test_the_method_note_has_the_coverage_that_was_computed() -> None:
    docs = Path(__file__).parent.parent / "docs"
    summary = (docs / "coverage.md").read_text("utf-8").partition("| method | points |")[2]
    rows = summary.partition("\n\n")[0].splitlines()[2:]
    assert len(rows) >= 15
    method = (docs / "method.md").read_text("utf-8")
    assert [row for row in rows if row not in method] == []
