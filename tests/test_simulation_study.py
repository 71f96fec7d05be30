"""`measure` against simulated offers of known truth: small, with bounds that a fault fails."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from aiskills.estimate import ErrorRates
from aiskills.estimate.measurement import Correction
from aiskills.schema import Definition
from aiskills.simulate import read_parameters, simulate
from aiskills.simulate.targets import ELSEWHERE, INDUSTRY

SCRIPTS = Path(__file__).parent.parent / "scripts"
if TYPE_CHECKING:
    import simulation_study
    from simulated import attributes, coverage, national, streams, summary
else:
    sys.path.insert(0, str(SCRIPTS))
    try:
        attributes, coverage, national, streams, summary = (
            importlib.import_module(f"simulated.{name}")
            for name in ("attributes", "coverage", "national", "streams", "summary")
        )
        simulation_study = importlib.import_module("simulation_study")
    finally:
        sys.path.remove(str(SCRIPTS))

SEEDS, OFFERS = 4, 3_500
#: 95 % intervals hold the truth at least so often; with a wrong rate they do not.
BOUND = 0.85
Spoil = Callable[[ErrorRates], ErrorRates]
SPOILT: dict[str, Spoil] = {
    "one offer in fifty flagged by mistake": lambda one: replace(
        one, tn=one.tn - one.tn // 50, fp=one.fp + one.tn // 50
    ),
    "a third of them found": lambda one: replace(one, tp=one.tp // 3, fn=one.fn + 2 * one.tp // 3),
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[coverage.Study]:
    """Streams of random truth, each with error rates from another seed and labels of its own."""
    folder = tmp_path_factory.mktemp("gold")
    return [coverage.prepare(seed, OFFERS, folder, labelled=300) for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def replicates(studies: list[coverage.Study]) -> list[coverage.Replicate]:
    return [
        coverage.Replicate(
            list(coverage.checks(one)), one.rates, one.own_rates, coverage.false_quotes(one.table)
        )
        for one in studies
    ]


def _checks(replicates: list[coverage.Replicate], what: str, method: str) -> list[coverage.Check]:
    every = [one for replicate in replicates for one in replicate.checks]
    return [one for one in every if (one.what, one.method) == (what, method)]


# Shares


def test_shares_corrected_with_the_rates_of_another_seed(
    replicates: list[coverage.Replicate],
) -> None:
    plain = _checks(replicates, "share", coverage.PLAIN)
    corrected = _checks(replicates, "share", coverage.ROGAN_GLADEN)
    assert len(plain) == len(corrected) == SEEDS * 16
    assert summary.coverage(corrected).share >= BOUND
    assert summary.coverage(corrected, put_in=True).share >= BOUND
    assert abs(summary.error(corrected)) < 0.1


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_wrong_rate_fails_the_bound(studies: list[coverage.Study], spoil: Spoil) -> None:
    found = [
        check
        for study in studies
        for status, rates in study.rates.items()
        for check in coverage.share_checks(
            study,
            status,
            Correction(error_rates={name: spoil(one) for name, one in rates.items()}),
            coverage.ROGAN_GLADEN,
        )
        if check.method == coverage.ROGAN_GLADEN
    ]
    assert len(found) == SEEDS * 12
    assert summary.coverage(found).share < BOUND


def test_shares_corrected_with_labels_of_their_own(
    studies: list[coverage.Study], replicates: list[coverage.Replicate], tmp_path: Path
) -> None:
    found = _checks(replicates, "share", coverage.PPI)
    assert len(found) == SEEDS * 12
    assert summary.coverage(found).share >= BOUND
    assert abs(summary.error(found)) < 0.15
    # Labels that call every tenth offer an AI offer are believed, and the intervals miss.
    wrong: list[coverage.Check] = []
    for number, study in enumerate(studies):
        gold = tmp_path / f"{number}.jsonl"
        records = [json.loads(line) for line in study.gold.read_text("utf-8").splitlines()]
        for record in records[::10]:
            record |= {"study": "demand", "strict": "demand"}
        gold.write_text("\n".join(map(json.dumps, records)), "utf-8")
        for status in coverage.STATUSES:
            wrong += coverage.share_checks(study, status, Correction(gold, {}), coverage.PPI)
    assert len(wrong) == SEEDS * 12
    assert summary.coverage(wrong).share < BOUND


def test_rates_of_another_truth_are_those_of_the_next_seed(
    replicates: list[coverage.Replicate],
) -> None:
    found = summary.other_truth(replicates)
    assert [len(one) for one in found] == [12] * SEEDS
    corrected = {
        (one.group, one.flag): one.estimate
        for one in replicates[0].checks
        if (one.what, one.method) == ("share", coverage.ROGAN_GLADEN)
    }
    same = summary.other_truth([replicates[0]])[0]
    shares = [corrected[one.group, one.flag] for one in same]
    assert [one.estimate for one in same] == pytest.approx(shares)
    assert [one.estimate for one in found[0]] != [one.estimate for one in same]


# Growth and parts


@pytest.mark.parametrize(
    ("what", "method"),
    [
        ("growth of the count", coverage.PLAIN),
        ("growth of the count", coverage.ROGAN_GLADEN),
        ("growth of the share", coverage.PLAIN),
        ("growth of the share", coverage.ROGAN_GLADEN),
    ],
)
def test_growth(replicates: list[coverage.Replicate], what: str, method: str) -> None:
    found = _checks(replicates, what, method)
    assert summary.coverage(found).of >= SEEDS * 8
    assert summary.coverage(found).share >= BOUND
    assert summary.coverage(found, put_in=True).share >= BOUND
    wrong = [replace(one, truth=8 * (1 + one.truth) - 1) for one in found]
    assert summary.coverage(wrong).share < BOUND


@pytest.mark.parametrize(
    "method",
    [
        coverage.PLAIN, coverage.CLUSTERED, coverage.ROGAN_GLADEN,
        coverage.CLUSTERED_ROGAN_GLADEN,
    ],
)  # fmt: skip
def test_part_of_a_branch(replicates: list[coverage.Replicate], method: str) -> None:
    found = _checks(replicates, "part of Métallurgie", method)
    assert len(found) == SEEDS * 4
    assert summary.coverage(found).share >= BOUND
    wrong = [replace(one, truth=one.truth / 3) for one in found]
    assert summary.coverage(wrong).share < BOUND


def test_part_of_a_branch_corrected_with_labels(replicates: list[coverage.Replicate]) -> None:
    """300 labels tell next to nothing of parts: the intervals are wide, and say so."""
    found = _checks(replicates, "part of Métallurgie", coverage.PPI)
    assert len(found) == SEEDS * 4
    assert summary.coverage(found).share >= BOUND
    given = [one for one in found if np.isfinite(one.low)]
    assert all(0 <= one.low <= one.estimate <= one.high <= 1 for one in given)
    assert len(given) > SEEDS * 2


# What the parameters come to


def test_expected_values_are_those_of_the_truth_columns() -> None:
    parameters = streams.random_parameters(np.random.default_rng(3)).with_numbers(
        {"shares.industry": 0.3, "shares.all": 0.25}
    )
    parts = simulate(80_000, seed=9, parameters=parameters, with_text=False)
    truth = streams.truth_of(pa.concat_tables([one.truth for one in parts]))
    for group, side in ((INDUSTRY, True), (ELSEWHERE, False), (None, None)):
        rows = truth if side is None else truth[truth["industry"] == side]
        for status in coverage.STATUSES:
            expected = streams.expected_share(parameters, status, group)
            error = np.sqrt(expected * (1 - expected) / len(rows))
            assert abs(rows[f"study_{status}"].mean() - expected) < 4.5 * error
        counts = [int(rows.loc[rows["year"] == y, "study_any"].sum()) for y in ("2019", "2023")]
        error = 4.5 * np.sqrt(1 / counts[0] + 1 / counts[1])
        growth, _ = streams.expected_growth(parameters, group)
        assert abs(np.log(counts[1] / counts[0]) - np.log1p(growth)) < error


def test_random_truths_span_what_they_should() -> None:
    rng = np.random.default_rng(1)
    drawn = [streams.random_parameters(rng) for _ in range(60)]
    shares = [one.number("shares.industry") for one in drawn]
    growth = [one.number("growth.industry") for one in drawn]
    assert 0.005 <= min(shares) < 0.01 < 0.05 < max(shares) <= 0.1
    assert -0.3 <= min(growth) < 0 < 1.5 < max(growth) <= 2


# The tables


def test_coverage_counts_intervals_that_are_some() -> None:
    one = coverage.Check("share", "all", "study any", "plain", 0.1, 0.05, 0.2, 0.1, 0.3)
    found = [one, replace(one, truth=0.3), replace(one, low=np.nan), replace(one, truth=np.nan)]
    assert summary.coverage(found) == summary.Coverage(1, 2)
    assert summary.coverage(found, put_in=True) == summary.Coverage(0, 3)
    assert summary.error([one, replace(one, estimate=0.2)]) == pytest.approx(0.5)
    low, high = summary.Coverage(38, 40).ends()
    assert (round(low, 3), round(high, 3)) == (0.835, 0.986)


def test_tables_hold_what_was_counted(replicates: list[coverage.Replicate]) -> None:
    lines = list(summary.coverage_lines(replicates))
    assert {"### Shares", "### Part of Métallurgie", "### Shares by size"} <= set(lines)
    row = next(line for line in lines if line.startswith("| all | Rogan-Gladen | "))
    assert f"/{SEEDS} |" in row
    errors = list(summary.error_lines(replicates))
    counted = sum(
        rates["any"][Definition.STUDY].tp + rates["any"][Definition.STUDY].fn
        for one in replicates
        for rates in (one.rates, one.own_rates)
    )
    assert any(line.startswith("| study any |") and f" / {counted:,} (" in line for line in errors)
    assert "«" in summary.quote_line(replicates)


def test_attributes_against_the_truth(studies: list[coverage.Study]) -> None:
    frame = attributes.frame_of(studies[0].table)
    lines = list(attributes.attribute_lines(frame))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    totals = {row[0].strip("`"): row for row in rows if len(row) == 7 and row[1] == "all"}
    assert set(totals) == set(attributes.ATTRIBUTES)
    for row in totals.values():
        offers, silent, right, wrong = (int(cell.replace(",", "")) for cell in row[2:6])
        assert offers == OFFERS == silent + right + wrong
        assert right / (right + wrong) > 0.95
    frame["ai_region"] = "11 Île-de-France"
    spoilt = next(line for line in attributes.attribute_lines(frame) if "`ai_region` | all" in line)
    assert float(spoilt.split("|")[7].split("%")[0]) < 60


def test_reposts_against_the_truth(studies: list[coverage.Study]) -> None:
    frame = attributes.frame_of(studies[0].table)
    found = {
        cells[1].strip(): (int(cells[2].replace(",", "")), int(cells[3].replace(",", "")))
        for line in attributes.repost_lines(frame)
        if len(cells := line.split("|")) == 6 and cells[2].strip().replace(",", "").isdigit()
    }
    truth = studies[0].table.column("true_duplicate_of")
    reposts = pc.sum(pc.not_equal(truth, "")).as_py()
    kinds = [counts for name, counts in found.items() if name.startswith("repost, ")]
    assert found["repost"] == tuple(map(sum, zip(*kinds, strict=True)))
    assert found["repost"][0] == reposts
    assert found["repost, same text"][0] == found["repost, same text"][1] > 0
    assert found["first publication"][0] == OFFERS - reposts
    assert found["first publication"][1] <= 0.002 * OFFERS


def test_published_targets(tmp_path: Path) -> None:
    parameters = read_parameters().with_numbers({"shares.industry": 0.35, "shares.all": 0.3})
    table = streams.make_stream(3_000, 4, parameters)
    rates = streams.rates_of(streams.make_stream(1_500, 5, parameters, dedupe=False), "any")
    pq.write_table(table, tmp_path / "scored.parquet")
    path = tmp_path / "scored.parquet"
    found = national.targets_of(path, path, rates, parameters)
    by_name = {one.name: one for one in found}
    assert len(by_name) == 15
    share = by_name["AI offers among all cadre offers, first half of 2024"]
    truth = streams.truth_of(table)
    month = table.filter(pc.equal(table["true_duplicate_of"], ""))["true_month"].to_pylist()
    last = truth[truth["cadre"] & (np.array(month) >= "2024-01")]
    assert share.truth == pytest.approx(last["study_any"].mean())
    assert share.put_in == 0.3
    for one in found:
        low, high = one.plain[1:]
        assert low <= one.plain[0] <= high
    corrected = [one.corrected or one.plain for one in found]
    held = [low <= one.truth <= high for one, (_, low, high) in zip(found, corrected, strict=True)]
    assert np.mean(held) >= BOUND
    without = {one.name for one in found if one.corrected is None}
    assert without == {name for name in by_name if "asked for" in name}
    lines = list(national.national_lines(found))
    assert len(lines) == 17
    assert all(line.count("|") == 9 for line in lines)


def test_a_block_of_the_page_is_replaced() -> None:
    page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    once = simulation_study.write_block(page, "x", ["new"])
    assert once == "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
    assert simulation_study.write_block(once, "x", ["new"]) == once
    with pytest.raises(ValueError, match="no block 'y'"):
        simulation_study.write_block(page, "y", [])


@pytest.mark.parametrize("name", simulation_study.BLOCKS)
def test_the_page_names_the_model_of_each_block(name: str) -> None:
    page = simulation_study.TARGET.read_text("utf-8")
    block = page.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
    assert "model fr-" in block
    assert block.count("\n|") > 10
