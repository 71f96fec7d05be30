"""Corrections for the classifier's errors, against other packages, and the files they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import LabelError, UsageError
from aiskills.estimate.classification import ErrorRates, rogan_gladen
from aiskills.estimate.gold import read_gold
from aiskills.estimate.ppi import GoldSample, ppi
from aiskills.estimate.quantiles import normal_quantile
from aiskills.estimate.table import parse_rates
from aiskills.model.folder import find_model
from aiskills.schema import Definition

ORACLE = json.loads((Path(__file__).parent / "cases" / "ppi_oracle.json").read_text("utf-8"))
KINDS = ("tp", "fp", "fn", "tn")


def floats(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def sample(gold: dict[str, int], weights: tuple[float, float] = (1.0, 1.0)) -> GoldSample:
    counts = [gold[kind] for kind in KINDS]
    truth = np.repeat([1.0, 0.0, 1.0, 0.0], counts)
    flag = np.repeat([1.0, 1.0, 0.0, 0.0], counts)
    weight = np.where(flag == 1, *weights)
    return GoldSample(truth, flag, weight, np.zeros(len(truth), dtype=np.int64))


@pytest.mark.parametrize("case", ORACLE["ppi"])
def test_ppi_is_that_of_ppi_python(case: dict[str, Any]) -> None:
    """With a given power, and with the power tuned (None)."""
    gold = sample(case["gold"])
    share, n = case["flagged"] / case["offers"], case["offers"]
    found = ppi(share, n, gold, power=case["power"], cautious=False)
    assert found.share == pytest.approx(case["share"], abs=1e-12)
    # Theirs divides by n, not n - 1, and takes the normal quantile, not Student's.
    size = len(gold.truth)
    variance = found.flags_variance + found.labels_variance * (size - 1) / size
    theirs = (case["high"] - case["low"]) / 2
    assert normal_quantile() * np.sqrt(variance) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("case", ORACLE["ppi_weighted"])
def test_weighted_labels_are_those_of_ppi_python(case: dict[str, Any]) -> None:
    gold = sample(case["gold"], tuple(case["weights"]))
    found = ppi(case["flagged"] / case["offers"], case["offers"], gold, power=case["power"])
    assert found.share == pytest.approx(case["share"], abs=1e-12)


@pytest.mark.parametrize("case", ORACLE["adjusted_count"])
def test_rogan_gladen_is_the_adjusted_count_of_quapy(case: dict[str, Any]) -> None:
    rates = ErrorRates(case["tp"], case["fn"], case["tn"], case["fp"])
    found = rogan_gladen(floats(case["share"]), floats(1000), rates)
    assert found.share[0] == pytest.approx(case["corrected"], abs=1e-12)


def test_lang_and_reiczigel_by_hand() -> None:
    """Their formula written out once more, for 30 of 1,000 flagged."""
    z = normal_quantile()
    n, p, se, sp, n_se, n_sp = 1000, 0.03, 40 / 43, 398 / 400, 43, 400
    p1 = (n * p + z**2 / 2) / (n + z**2)
    se1, sp1 = (n_se * se + 1) / (n_se + 2), (n_sp * sp + 1) / (n_sp + 2)
    prevalence = (p1 + sp1 - 1) / (se1 + sp1 - 1)
    shift = (
        2
        * z**2
        * (
            prevalence * se1 * (1 - se1) / (n_se + 2)
            - (1 - prevalence) * sp1 * (1 - sp1) / (n_sp + 2)
        )
    )
    error = (
        z
        * np.sqrt(
            p1 * (1 - p1) / (n + z**2)
            + prevalence**2 * se1 * (1 - se1) / (n_se + 2)
            + (1 - prevalence) ** 2 * sp1 * (1 - sp1) / (n_sp + 2)
        )
        / (se1 + sp1 - 1)
    )
    found = rogan_gladen(floats(p), floats(n), ErrorRates(40, 3, 398, 2))
    assert found.ends.low[0] == pytest.approx(max(0, prevalence + shift - error))
    assert found.ends.high[0] == pytest.approx(prevalence + shift + error)


@given(
    st.floats(0, 1), st.floats(1, 1e6), st.integers(1, 500), st.integers(0, 50),
    st.integers(1, 5000), st.integers(0, 50),
)  # fmt: skip
def test_corrected_shares_stay_within_bounds(
    share: float, n: float, tp: int, fn: int, tn: int, fp: int
) -> None:
    rates = ErrorRates(tp, fn, tn, fp)
    found = rogan_gladen(floats(share), floats(n), rates)
    if not rates.usable:
        assert np.isnan(found.share).all()
        return
    assert 0 <= found.ends.low[0] <= found.share[0] <= found.ends.high[0] <= 1


def test_a_perfect_classifier_needs_no_correction() -> None:
    found = rogan_gladen(floats(0.03), floats(50_000), ErrorRates(10**7, 0, 10**7, 0))
    assert found.share[0] == pytest.approx(0.03, abs=1e-6)


def test_without_offers_there_is_no_correction() -> None:
    found = rogan_gladen(floats(np.nan), floats(0), ErrorRates(40, 3, 398, 2))
    assert np.isnan(found.share).all()
    assert np.isnan(found.ends.low).all()


# --- prediction-powered ------------------------------------------------------------------------


@given(
    st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 200),
    st.floats(0, 1), st.floats(0.2, 40),
)  # fmt: skip
def test_ppi_stays_within_bounds(
    tp: int, fp: int, fn: int, tn: int, share: float, weight: float
) -> None:
    gold = dict(zip(KINDS, (tp, fp, fn, tn), strict=True))
    if sum(gold.values()) < 2:
        return
    found = ppi(share, 10_000, sample(gold, (1.0, weight)))
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert 0 <= found.power <= 1


def test_caution_widens_an_interval_without_errors() -> None:
    gold = sample({"tp": 10, "fp": 0, "fn": 0, "tn": 290}, (1.0, 60.0))
    plain, cautious = (ppi(0.03, 20_000, gold, cautious=one) for one in (False, True))
    assert plain.share == cautious.share
    assert cautious.high - cautious.low > 3 * (plain.high - plain.low)


def test_strata_and_weights_undo_the_draw() -> None:
    """Half of the labels are of flagged offers, which are 3 % of all: weights put that right."""
    truth = np.repeat([1.0, 0.0, 1.0, 0.0], (90, 10, 2, 98))
    flag = np.repeat([1.0, 0.0], (100, 100))
    weight = np.repeat([300 / 100, 9700 / 100], (100, 100))
    gold = GoldSample(truth, flag, weight, (flag == 0).astype(np.int64))
    expected = 0.03 * 0.9 + 0.97 * 0.02
    for power in (0.0, 0.5, 1.0, None):
        assert ppi(0.03, 10_000, gold, power=power).share == pytest.approx(expected)
    wrong = GoldSample.equal(truth, flag)
    assert ppi(0.03, 10_000, wrong, power=1.0).share != pytest.approx(expected, rel=0.2)
    pooled = GoldSample(truth, flag, weight, np.zeros(200, dtype=np.int64))
    assert (
        ppi(0.03, 10_000, gold, power=0.5).labels_variance
        < ppi(0.03, 10_000, pooled, power=0.5).labels_variance
    )


def test_a_stratum_of_one_offer_is_joined_with_others() -> None:
    gold = GoldSample(floats(1, 0, 0, 1), floats(1, 0, 0, 0), np.ones(4), np.array([0, 1, 1, 2]))
    assert np.isfinite(ppi(0.25, 100, gold).labels_variance)
    alone = GoldSample(floats(1, 0, 0), floats(1, 0, 0), np.ones(3), np.array([0, 1, 1]))
    assert ppi(0.25, 100, alone).labels_variance > 0


def test_one_label_is_no_sample() -> None:
    with pytest.raises(ValueError, match="1 labelled"):
        ppi(0.1, 100, GoldSample.equal(floats(1), floats(1)))


# --- where rates and labels come from ----------------------------------------------------------

AUDIT = {
    "all_trades": {
        "strict": {"tp": 0, "fp": 0, "fn": 0, "tn": 400},
        "study": {"tp": 25, "fp": 2, "fn": 5, "tn": 398},
    },
    "rest": {
        "strict": {"tp": 24, "fp": 3, "fn": 1, "tn": 172},
        "study": {"tp": 39, "fp": 4, "fn": 3, "tn": 154},
    },
}


def test_rates_come_from_the_stratum_of_all_trades() -> None:
    strict = ErrorRates.from_audit(AUDIT, "strict")
    assert strict is not None
    # No true demand in all trades: sensitivity is pooled, specificity is not.
    assert (strict.tp, strict.fn, strict.tn, strict.fp) == (24, 1, 400, 0)
    assert "all trades, rest" in strict.basis
    study = ErrorRates.from_audit(AUDIT, "study")
    assert study is not None
    assert (study.tp, study.fn, study.tn, study.fp) == (25, 5, 398, 2)
    assert ErrorRates.from_audit(AUDIT, "study_any") is None
    assert ErrorRates.from_audit({}, "study") is None
    useless = {"all_trades": {"study": {"tp": 0, "fp": 1, "fn": 0, "tn": 9}}}
    assert ErrorRates.from_audit(useless, "study") is None


def test_the_shipped_audit_can_be_used() -> None:
    meta = json.loads((find_model() / "meta.json").read_text("utf-8"))
    for definition in Definition:
        rates = ErrorRates.from_audit(meta["audit"], definition)
        assert rates is not None
        assert rates.sensitivity > 0.5
        assert rates.specificity > 0.9


@pytest.mark.parametrize(
    ("given_rates", "words"),
    [
        ({"wide": {"tp": 1, "fn": 1, "tn": 1, "fp": 1}}, "study or strict"),
        ({"study": {"tp": 1}}, "tp, fn, tn and fp"),
        ({"study": {"tp": "x", "fn": 1, "tn": 1, "fp": 1}}, "tp, fn, tn and fp"),
        ({"study": {"tp": 0, "fn": 0, "tn": 1, "fp": 1}}, "better than by chance"),
        ({"study": {"tp": 1, "fn": 9, "tn": 1, "fp": 9}}, "better than by chance"),
        ({"study": {"tp": -1, "fn": 9, "tn": 1, "fp": 9}}, "0 or more"),
    ],
)
def test_error_rates_that_are_none(given_rates: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_rates(given_rates)


def gold_file(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return path


LABEL = {"uid": "a", "strict": "none", "study": "demand", "inclusion": 0.5}


def test_labels_without_inclusion_are_refused(tmp_path: Path) -> None:
    path = gold_file(tmp_path / "g.jsonl", LABEL, {"uid": "b", "strict": "none", "study": "none"})
    with pytest.raises(LabelError, match=r"1 of 2 labels have no 'inclusion'.*aiskills sample"):
        read_gold(path)


def test_a_gold_file_must_agree_with_itself(tmp_path: Path) -> None:
    again = gold_file(tmp_path / "g.jsonl", LABEL, LABEL)
    assert list(read_gold(again)) == ["a"]
    two = gold_file(tmp_path / "h.jsonl", LABEL, {**LABEL, "study": "none"})
    with pytest.raises(LabelError, match="'a' has two different labels"):
        read_gold(two)
    with pytest.raises(LabelError, match="no labelled offers"):
        read_gold(gold_file(tmp_path / "i.jsonl"))
