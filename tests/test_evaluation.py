"""Evaluation: figures against scikit-learn and brute force, evidence, mistakes, the three forms."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiskills.errors import LabelError, UsageError
from aiskills.evaluation import (
    Judged,
    LabelledTexts,
    OffersFile,
    Report,
    as_json,
    evaluate,
    markdown,
    measure,
    page,
    read_labelled,
)
from aiskills.evaluation.evidence import Quoted, demand_spans, evidence_figures, overlaps
from aiskills.evaluation.figures import (
    demand_figures,
    status_figures,
    weighted_figures,
)
from aiskills.evaluation.intervals import bootstrap, exact
from aiskills.evaluation.mistakes import AROUND, Kind, mistakes, snippets
from aiskills.evaluation.plot import LEFT, SIDE, TOP, calibration_plot
from aiskills.evaluation.report import How
from aiskills.evaluation.scores import average_precision, probability_figures
from aiskills.evaluation.slices import REST, UNKNOWN, parts
from aiskills.evaluation.themes import theme_figures
from aiskills.labels import OfferLabel
from aiskills.labels.texts import Row
from aiskills.model import Evidence, Judge, Judgement
from aiskills.model.intervals import exact_interval
from aiskills.model.trained_on import TRAINED_ON, trained_on, training_marks
from aiskills.schema import STATUS_ORDER, THEMES, Definition, Language, Status, Zone

NONE, MENTION, DEMAND = STATUS_ORDER


def random_case(seed: int, size: int = 300) -> tuple[Any, Any, Any]:
    """Classes by label, classes said, and scores with ties; said is right most of the time."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, size=size, p=[0.6, 0.15, 0.25])
    said = np.where(random.random(size) < 0.8, truth, random.integers(0, 3, size))
    score = np.round(np.clip(0.4 * (truth == 2) + random.random(size) * 0.6, 0, 1), 1)
    return truth, said, score


# ------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    truth, said, score = random_case(seed)
    found = demand_figures(truth, said, np.arange(len(truth)))
    demand, flagged = truth == 2, said == 2
    assert found.precision.value == pytest.approx(metrics.precision_score(demand, flagged))
    assert found.recall.value == pytest.approx(metrics.recall_score(demand, flagged))
    assert found.f1.value == pytest.approx(metrics.f1_score(demand, flagged))
    (tn, fp), (fn, tp) = metrics.confusion_matrix(demand, flagged).tolist()
    assert (found.tp, found.fp, found.fn, found.tn) == (tp, fp, fn, tn)
    assert (found.offers, found.demand) == (300, tp + fn)

    statuses = status_figures(truth, said)
    assert np.array(statuses.confusion).tolist() == (
        metrics.confusion_matrix(truth, said, labels=[0, 1, 2]).tolist()
    )
    assert statuses.macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    each = metrics.precision_recall_fscore_support(truth, said, labels=[0, 1, 2])
    for place, one in enumerate(statuses.by_status):
        assert [one.precision, one.recall, one.f1, one.labelled] == (
            pytest.approx([figure[place] for figure in each])
        )

    scores = probability_figures(demand, score)
    assert scores.average_precision == pytest.approx(metrics.average_precision_score(demand, score))
    assert scores.brier == pytest.approx(metrics.brier_score_loss(demand, score))


def test_average_precision_takes_ties_together() -> None:
    truth = np.array([True, False, False, True])
    score = np.array([0.5, 0.5, 0.5, 0.5])
    assert average_precision(truth, score) == 0.5
    assert average_precision(truth[::-1].copy(), score) == 0.5
    assert average_precision(np.zeros(4, dtype=bool), score) is None


def test_calibration_bins_hold_every_offer_once_and_zeros_apart() -> None:
    random = np.random.default_rng(7)
    score = np.concatenate([np.zeros(80), random.random(200)])
    truth = np.concatenate([np.zeros(80, dtype=bool), random.random(200) < score[80:]])
    found = probability_figures(truth, score)
    assert (found.bins[0].offers, found.bins[0].high, found.bins[0].share.value) == (80, 0.0, 0.0)
    assert [b.offers for b in found.bins[1:]] == [20] * 10
    assert all(a.high <= b.low for a, b in zip(found.bins, found.bins[1:], strict=False))
    order = np.argsort(score[80:])
    expected = sum(
        len(part) * abs(truth[80:][part].mean() - score[80:][part].mean())
        for part in np.split(order, 10)
    )
    assert found.calibration_error == pytest.approx(expected / 280)
    assert expected / 280 < 0.1  # the truth was drawn with these very scores
    few = probability_figures(truth[-12:], score[-12:])
    assert len(few.bins) == 2  # at least five offers each


@pytest.mark.parametrize(
    ("truth", "said", "expected"),
    [
        ([0, 0, 0], [0, 0, 0], (None, None, None, 1.0, 1.0)),  # precision … specificity, macro F1
        ([2, 2, 2], [2, 2, 2], (1.0, 1.0, 1.0, None, 1.0)),
        ([2, 2, 2], [0, 0, 0], (None, 0.0, 0.0, None, 0.0)),
        ([0, 0, 1], [2, 2, 2], (0.0, None, 0.0, 0.0, 0.0)),
        ([], [], (None, None, None, None, None)),
    ],
)
def test_all_of_one_class(truth: list[int], said: list[int], expected: tuple[Any, ...]) -> None:
    true, told = (np.array(one, dtype=np.int64) for one in (truth, said))
    found = demand_figures(true, told, np.arange(len(true)))
    statuses = status_figures(true, told)
    assert (
        found.precision.value,
        found.recall.value,
        found.f1.value,
        found.specificity.value,
        statuses.macro_f1,
    ) == expected
    scores = probability_figures(true == 2, np.full(len(true), 0.3))
    assert (scores.brier is None) == (not truth)


def test_weighted_figures_are_those_of_offers_repeated() -> None:
    """An offer drawn with a probability of 1/k counts as k offers."""
    truth, said, _ = random_case(3, 120)
    times = np.random.default_rng(3).integers(1, 6, size=120)
    groups, strata = np.arange(120) // 2, times
    found = weighted_figures(truth, said, 1 / times, groups, strata)
    brute = demand_figures(
        np.repeat(truth, times), np.repeat(said, times), np.repeat(groups, times)
    )
    assert found.population == pytest.approx(times.sum())
    assert found.precision.value == pytest.approx(brute.precision.value)
    assert found.recall.value == pytest.approx(brute.recall.value)
    assert found.f1.value == pytest.approx(brute.f1.value)
    assert found.specificity.value == pytest.approx(brute.specificity.value)
    assert found.demand.value == pytest.approx(np.repeat(truth == 2, times).mean())
    assert found.flagged.value == pytest.approx(np.repeat(said == 2, times).mean())
    assert found.effective == pytest.approx(times.sum() ** 2 / (times**2).sum())
    assert found.offers == 120
    equal = weighted_figures(truth, said, np.full(120, 0.25), groups, np.zeros(120, dtype=np.int64))
    assert equal.effective == pytest.approx(120)
    plain = demand_figures(truth, said, groups)
    assert equal.f1 == plain.f1  # the same draws, too


def test_themes_are_counted_by_offer() -> None:
    labelled = [("ia", "nlp"), ("iot",), (), ("ia",)]
    said = [("ia",), ("iot", "ia"), ("rpa",), ("ia",)]
    found = theme_figures(labelled, said, THEMES)
    assert [(one.theme, one.tp, one.fp, one.fn) for one in found.by_theme] == [
        ("ia", 2, 1, 0),
        ("nlp", 0, 0, 1),
        ("iot", 1, 0, 0),
        ("rpa", 0, 1, 0),
    ]
    assert (found.micro.tp, found.micro.fp, found.micro.fn) == (3, 2, 1)
    assert found.micro.f1 == pytest.approx(2 * 3 / (5 + 4))
    assert theme_figures([], [], THEMES).micro.f1 is None


# ----------------------------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("part", "whole"), [(0, 1), (1, 1), (0, 20), (20, 20), (3, 7), (570, 572), (1, 3000)]
)
def test_exact_interval_is_that_of_scipy(part: int, whole: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(part, whole).proportion_ci(0.95, "exact")
    assert exact_interval(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_exact_interval_of_nothing() -> None:
    assert exact(0, 0).value is None
    with pytest.raises(ValueError, match="0 of 0"):
        exact_interval(0, 0)
    with pytest.raises(ValueError, match="3 of 2"):
        exact_interval(3, 2)


def test_bootstrap_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Offers of a group are right together: an interval that forgot groups would be too narrow."""
    random = np.random.default_rng(11)
    held = narrow = 0
    for _ in range(100):
        by_group = random.random(50) < 0.8
        right = np.repeat(by_group, 5)
        groups = np.repeat(np.arange(50), 5)
        columns = np.column_stack([right, np.ones(250)]).astype(np.float64)

        def share(sums: Any) -> Any:
            return sums[:, :1] / sums[:, 1:]

        (grouped,) = bootstrap(columns, groups, share)
        (alone,) = bootstrap(columns, np.arange(250), share)
        assert grouped.low is not None
        assert grouped.high is not None
        assert alone.low is not None
        assert alone.high is not None
        held += grouped.low <= 0.8 <= grouped.high
        narrow += alone.low <= 0.8 <= alone.high
    assert held >= 88
    assert narrow < 80


def test_bootstrap_is_the_same_every_time_and_none_of_one_group() -> None:
    truth, said, _ = random_case(1)
    groups = np.arange(300) // 3
    assert demand_figures(truth, said, groups) == demand_figures(truth, said, groups)
    # what the groups are called does not matter
    assert demand_figures(truth, said, groups * 7 + 5) == demand_figures(truth, said, groups)
    alone = demand_figures(truth, said, np.zeros(300, dtype=np.int64)).f1
    assert alone.value is not None
    assert (alone.low, alone.high) == (None, None)


def test_bootstrap_draws_within_strata() -> None:
    """Each stratum keeps its size, so what differs between strata alone does not vary."""
    strata = np.repeat([0, 1], 50)
    columns = np.column_stack([strata, np.ones(100)]).astype(np.float64)

    def share(sums: Any) -> Any:
        return sums[:, :1] / sums[:, 1:]

    (within,) = bootstrap(columns, np.arange(100), share, strata)
    (across,) = bootstrap(columns, np.arange(100), share)
    assert (within.low, within.value, within.high) == (0.5, 0.5, 0.5)
    assert across.low is not None
    assert across.low < 0.45


# ------------------------------------------------------------------------------------ evidence


@pytest.mark.parametrize(
    ("span", "others", "expected"),
    [
        ((5, 9), [(0, 5)], False),  # they touch
        ((5, 9), [(0, 6)], True),
        ((5, 9), [(9, 12)], False),
        ((5, 9), [(8, 12)], True),
        ((5, 9), [(6, 7)], True),
        ((5, 9), [(0, 20)], True),
        ((5, 9), [], False),
        ((5, 9), [(0, 2), (5, 6)], True),
    ],
)
def test_overlap(span: tuple[int, int], others: list[tuple[int, int]], expected: bool) -> None:  # noqa: FBT001
    assert overlaps(span, others) is expected


def test_evidence_figures_count_flags_quotes_and_spans() -> None:
    found = evidence_figures(
        [
            Quoted(agreed=True, quoted=((0, 5), (20, 25)), marked=((3, 9),)),
            Quoted(agreed=True, quoted=((0, 5),), marked=((50, 60), (70, 80))),
            Quoted(agreed=True, quoted=((0, 5),), marked=()),  # nothing to compare with
            Quoted(agreed=False, quoted=((0, 5),), marked=()),  # nothing should be quoted
            Quoted(agreed=False, quoted=((0, 5),), marked=((0, 4),)),
        ]
    )
    assert (found.agreed.flags, found.agreed.unmarked, found.agreed.overlapping) == (3, 1, 1)
    assert found.agreed.share.value == 0.5
    assert (found.every.flags, found.every.unmarked, found.every.overlapping) == (5, 1, 2)
    assert found.every.share.value == 0.5
    assert (found.every.share.low, found.every.share.high) == exact_interval(2, 4)
    assert found.quotes.value == pytest.approx(1 / 3)
    assert found.spans.value == pytest.approx(1 / 3)
    assert evidence_figures([]).every.share.value is None


def piece(
    text: str,
    quote: str,
    *,
    field: str = "description",
    status: Status = DEMAND,
    definition: Definition = Definition.STRICT,
) -> Evidence:
    start = text.index(quote)
    return Evidence(
        quote,
        quote,
        start,
        start + len(quote),
        field,
        Zone.MISSIONS,
        "ia",
        definition,
        status,
        0.9,
    )


def test_offsets_of_evidence_are_those_of_labels() -> None:
    title, text = (
        "Chef de projet IA",
        "Vous menez des projets d'IA et d'IoT. Notre firme aime le RPA.",
    )
    evidence = (
        piece(title, "IA", field="title"),
        piece(text, "IA"),
        piece(text, "IoT", definition=Definition.STUDY),
        piece(text, "RPA", definition=Definition.STUDY, status=MENTION),
    )
    whole = f"{title}\n{text}"
    said = {
        d: [whole[start:end] for start, end in demand_spans(evidence, d, title)] for d in Definition
    }
    assert said == {Definition.STRICT: ["IA", "IA"], Definition.STUDY: ["IA", "IA", "IoT"]}


# ------------------------------------------------------------------------- slices and mistakes


def judgement(
    strict: Status, study: Status, scores: tuple[float, float] = (0.5, 0.5), **more: Any
) -> Judgement:
    return Judgement(strict, study, *scores, language=Language.FR, **more)


def row(title: str = "Titre", text: str = "Un texte.", **columns: str | None) -> Row:
    return Row(title, text, columns.pop("company", None), columns)


def test_slices_by_label_date_length_and_columns() -> None:
    labels = [OfferLabel("a", NONE, NONE, lang="en"), OfferLabel("b", NONE, NONE, sure=False)]
    rows = [
        row(text="x" * 700, date="2023-05-06", source="apec", contract="CDI"),
        row(text="x" * 6000, date="06/05/2019", source=None, contract=" "),
    ]
    found = {
        (part.by, part.value): part.chosen.tolist() for part in parts(labels, rows, ["contract"])
    }
    assert found == {
        ("language", "en"): [True, False],
        ("language", "fr"): [False, True],
        ("sure", "not sure"): [False, True],
        ("sure", "sure"): [True, False],
        ("source", "apec"): [True, False],
        ("source", UNKNOWN): [False, True],
        ("year", "2019"): [False, True],
        ("year", "2023"): [True, False],
        ("length", "500 to 999 characters"): [True, False],
        ("length", "5,000 characters and more"): [False, True],
        ("contract", "CDI"): [True, False],
        ("contract", UNKNOWN): [False, True],
    }
    assert all(part.small for part in parts(labels, rows, []))


def test_rare_values_of_a_column_are_together() -> None:
    values = [f"v{n}" for n in range(30) for _ in range(30 - n)]
    labels = [OfferLabel(str(n), NONE, NONE) for n in range(len(values))]
    rows = [row(firm=value) for value in values]
    found = [part for part in parts(labels, rows, ["firm"]) if part.by == "firm"]
    assert [part.value for part in found] == [*(f"v{n}" for n in range(14)), REST]
    assert sum(part.chosen.sum() for part in found) == len(values)
    assert not found[0].small


def test_mistakes_come_worst_first_and_by_kind() -> None:
    labels = [
        OfferLabel("right", DEMAND, DEMAND),
        OfferLabel("flag, sure", NONE, NONE),
        OfferLabel("flag, hardly", MENTION, MENTION),
        OfferLabel("missed, sure", DEMAND, DEMAND),
        OfferLabel("missed, hardly", NONE, DEMAND),
        OfferLabel("mention", NONE, MENTION),
        OfferLabel("flag and confusion", NONE, NONE),
    ]
    said = [
        judgement(DEMAND, DEMAND, (0.9, 0.9)),
        judgement(NONE, DEMAND, (0.0, 0.95)),
        judgement(DEMAND, DEMAND, (0.55, 0.55)),
        judgement(NONE, NONE, (0.01, 0.02)),
        judgement(NONE, MENTION, (0.0, 0.45)),
        judgement(NONE, NONE, (0.0, 0.1)),
        judgement(MENTION, DEMAND, (0.3, 0.7)),
    ]
    found = mistakes(labels, [row()] * 7, said, with_texts=True)
    assert [(one.uid, one.kind, one.sureness) for one in found] == [
        ("flag, sure", Kind.FALSE_FLAG, 0.95),
        ("flag and confusion", Kind.FALSE_FLAG, 0.7),
        ("flag, hardly", Kind.FALSE_FLAG, 0.55),
        ("missed, sure", Kind.MISSED, 0.99),
        ("missed, hardly", Kind.MISSED, 0.55),
        ("mention", Kind.LESSER, 0.9),
    ]
    assert found[0].definitions == (Definition.STUDY,)
    assert found[1].definitions == (Definition.STRICT, Definition.STUDY)


def test_snippets_show_quotes_and_marks_with_what_is_around() -> None:
    text = "a" * 500 + " IA " + "b" * 200 + " IoT " + "c" * 1000 + " RPA " + "d" * 500
    whole = f"Titre\n{text}"
    marked = (whole.index("IA"), whole.index("IA") + 2)
    evidence = [piece(text, "IA"), piece(text, "RPA", status=MENTION)]
    first, second = snippets("Titre", text, evidence, [marked, (len(whole) + 5, len(whole) + 9)])
    assert [(s.text, s.said, s.marked) for s in first.segments][1] == ("IA", DEMAND, True)
    assert (
        "".join(s.text for s in first.segments) == (whole[marked[0] - AROUND : marked[1] + AROUND])
    )
    assert (first.cut_before, first.cut_after) == (True, True)
    assert [s.text for s in second.segments if s.said is MENTION] == ["RPA"]
    assert not any(s.marked for s in second.segments)
    # two places that touch are one
    (both,) = snippets("Titre", text, [piece(text, "IA"), piece(text, "IoT")], [])
    assert [s.text for s in both.segments if s.said] == ["IA", "IoT"]
    assert list(snippets("Titre", text, [], [])) == []


# --------------------------------------------------------------------------------- the report

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>{{ 7*7 }}\u202e'


def small_report(*, with_texts: bool = True, **changes: Any) -> Report:
    text = f"Vous menez des projets d'IA. {HOSTILE} Vous parlez."
    labels = [
        OfferLabel("a|`1`", NONE, NONE, evidence=((10, 20),), set="x<b>", inclusion=0.5),
        OfferLabel("b2", DEMAND, DEMAND, ("ia",), ((21, 30),), inclusion=0.1),
        OfferLabel("c3", DEMAND, DEMAND, ("nlp",), ((21, 30),), inclusion=0.1),
        OfferLabel("d4", NONE, NONE),
        OfferLabel("e5", NONE, MENTION),
    ]
    evidence = (piece(text, "IA"), piece(text, HOSTILE))
    said = [
        judgement(DEMAND, DEMAND, (0.8, 0.9), themes=("ia",), evidence=evidence),
        judgement(DEMAND, DEMAND, (0.9, 0.9), themes=("ia",), evidence=evidence),
        judgement(NONE, NONE, (0.1, 0.1)),
        Judgement(None, None, None, None, error="no text"),
        judgement(NONE, NONE, (0.0, 0.0)),
    ]
    rows = [row(f"Titre {HOSTILE}", text, source=HOSTILE, company=c) for c in "abcde"]
    given = Judged(labels, rows, said, How.MODEL, {"aiskills_model": "fr-<i>"}, None)
    return evaluate(replace(given, **changes), with_texts=with_texts)


def test_report_counts_what_could_be_judged() -> None:
    report = small_report()
    assert (report.data.offers, report.data.judged, report.data.unjudged) == (
        5,
        4,
        {"d4": "no text"},
    )
    demand = report.definitions[Definition.STRICT].demand
    assert (demand.tp, demand.fp, demand.fn, demand.tn) == (1, 1, 1, 1)
    assert report.themes.agreed.offers == 1
    assert report.themes.every.micro.tp == 1
    weighted = report.definitions[Definition.STUDY].weighted
    assert weighted is not None
    assert weighted.population == pytest.approx(22)
    assert weighted.recall.value == pytest.approx(0.5)
    assert weighted.precision.value == pytest.approx(10 / 12)
    assert any("1 of 5 labelled offers could not be judged" in line for line in report.warnings)


def test_json_is_complete_and_has_the_documented_keys() -> None:
    record = json.loads(as_json(small_report()))
    assert list(record) == [
        "version", "how", "provenance", "thresholds", "data", "warnings", "definitions", "themes",
        "slices", "mistakes",
    ]  # fmt: skip
    assert list(record["definitions"]) == ["strict", "study"]
    assert list(record["definitions"]["strict"]) == [
        "demand", "statuses", "probabilities", "evidence", "weighted",
    ]  # fmt: skip
    assert set(record["definitions"]["strict"]["demand"]["f1"]) == {"value", "low", "high"}
    assert record["definitions"]["study"]["statuses"]["confusion"][0] == [0, 0, 1]
    assert [one["uid"] for one in record["mistakes"]] == ["a|`1`", "c3", "e5"]
    assert record["mistakes"][0]["evidence"][1]["quote"] == HOSTILE
    assert "snippets" not in record["mistakes"][0]


def test_hostile_texts_stay_text_in_the_page() -> None:
    html = page(small_report())
    assert "<script" not in html
    assert "<img" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;alert(&#34;x&#34;)" in html
    assert "{{ 7*7 }}" in html  # shown, not computed
    assert "\u202e" not in html  # nothing turns the page's reading direction
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    assert not re.search(r"(?:src|href)=\"(?!#)", html)
    assert '<mark class="demand by-hand">' in html or '<mark class="demand">' in html


def test_hostile_names_stay_text_in_markdown() -> None:
    text = markdown(small_report())
    assert r"a\|\`1\`" in text
    assert "<script" not in text.replace(r"\<", "")
    assert "\u202e" not in text
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert tables
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in tables]
    heads = [n for n, line in enumerate(tables) if re.fullmatch(r"[|\s:-]+", line)]
    for start, end in zip(heads, [*heads[1:], len(tables) + 1], strict=True):
        assert len(set(widths[start - 1 : end - 1])) == 1  # no name ends a cell


@pytest.mark.parametrize("form", [markdown, as_json, page])
def test_without_texts_no_words_of_offers_are_shown(form: Any) -> None:
    shown = form(small_report(with_texts=False))
    assert "projets" not in shown
    assert "Titre" not in shown
    assert "c3" in shown


def test_markdown_never_shows_words_of_offers() -> None:
    shown = markdown(small_report())
    assert "projets" not in shown
    assert "Titre" not in shown


def test_trained_on_marks_those_that_were() -> None:
    meta = {TRAINED_ON: training_marks(["a", "b", "b", "é"])}
    found = trained_on(meta, ["a", "c", "é", ""])
    assert found is not None
    assert found.tolist() == [True, False, True, False]
    assert len(meta[TRAINED_ON]) == 3 * 16
    assert "a" not in meta[TRAINED_ON].split()
    nothing = trained_on({TRAINED_ON: training_marks([])}, ["a"])
    assert nothing is not None
    assert not nothing.any()
    for odd in ({}, {TRAINED_ON: None}, {TRAINED_ON: ["a"]}, {TRAINED_ON: "123"}):
        assert trained_on(odd, ["a"]) is None


@pytest.mark.parametrize("form", [markdown, as_json, page])
def test_every_form_warns_of_training_data(form: Any) -> None:
    trained = np.array([True, True, False, True, False])
    shown = form(small_report(trained=trained))
    assert "2 of 4 labelled offers were in the training data of this model" in shown
    assert "does not tell which offers" in form(small_report())
    apart = form(small_report(trained=np.zeros(5, dtype=bool)))
    assert "does not tell" not in apart
    assert "were in the training data" not in apart


def test_marks_beyond_the_text_are_told() -> None:
    labels = [OfferLabel("a", DEMAND, DEMAND, evidence=((0, 5000),))]
    given = Judged(labels, [row()], [judgement(DEMAND, DEMAND)], How.MODEL, {})
    assert any("beyond the end" in line for line in evaluate(given).warnings)


def test_nothing_judged_is_an_error() -> None:
    labels = [OfferLabel("a", NONE, NONE)]
    given = Judged(labels, [row()], [Judgement(None, None, None, None, error="x")], How.MODEL, {})
    with pytest.raises(LabelError, match="none of the 1 labelled offers could be judged"):
        evaluate(given)


def test_plot_places_bins_inside_its_frame() -> None:
    truth, _, score = random_case(5)
    found = calibration_plot(probability_figures(truth == 2, score).bins)
    assert len(found.points) >= 10
    for point in found.points:
        assert LEFT <= point.x <= LEFT + SIDE
        assert TOP <= point.high <= point.y <= point.low <= TOP + SIDE
    assert found.ticks[0].y > found.ticks[-1].y  # shares grow upwards
    assert calibration_plot(()).told == "no offers"


# ----------------------------------------------------------------------------- labels and texts

OFFERS = """uid,titre,description,entreprise,date,contrat
o1,Data scientist,Vous entraînez des modèles de machine learning.,Alpha,2024-01-02,CDI
o2,Boulanger,Vous pétrissez la pâte et cuisez le pain.,Beta,2023-02-03,CDD
o3,Chauffeur,Vous conduisez un camion.,,2023-02-03,CDD
"""


def write(folder: Path, labels: list[dict[str, Any]], offers: str = OFFERS) -> tuple[Path, Path]:
    given, table = folder / "labels.jsonl", folder / "offers.csv"
    given.write_text("\n".join(map(json.dumps, labels)), "utf-8")
    table.write_text(offers, "utf-8")
    return given, table


def label(uid: str, strict: str = "none", **more: Any) -> dict[str, Any]:
    return {"uid": uid, "strict": strict, "study": strict, **more}


def test_labels_find_their_offers(tmp_path: Path) -> None:
    labels, offers = write(tmp_path, [label("o2"), label("o1", "demand")])
    found = read_labelled([labels], OffersFile(offers), by=["contrat", "company"])
    assert [one.uid for one in found.labels] == ["o2", "o1"]
    assert set(found.rows) == {"o1", "o2"}
    assert found.rows["o1"].title == "Data scientist"
    assert found.rows["o1"].company == "Alpha"
    columns = found.rows["o2"].columns
    assert (columns["contrat"], columns["company"], columns["date"]) == (
        "CDD",
        "Beta",
        "2023-02-03",
    )


def test_labels_of_missing_offers_are_named(tmp_path: Path) -> None:
    labels, offers = write(tmp_path, [label("o1"), label("zz"), label("yy")])
    with pytest.raises(LabelError, match=r"2 of 3 labelled offers are not in .*: yy, zz; expected"):
        read_labelled([labels], OffersFile(offers))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "hold no label of a whole offer; expected"),
        (
            [{"uid": "o1", "start": 0, "end": 2, "status": "none"}],
            r"no label of a whole offer \(1 mention of offers, no offer\)",
        ),
        ([label("o1"), label("o1", "demand")], "'o1' is labelled twice, and differently"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path: Path, given: list[Any], told: str) -> None:
    labels, offers = write(tmp_path, given)
    with pytest.raises(LabelError, match=told):
        read_labelled([labels], OffersFile(offers))


def test_repeated_labels_and_offers_count_once(tmp_path: Path) -> None:
    labels, offers = write(
        tmp_path,
        [label("o1"), label("o1")],
        OFFERS + "o1,Autre,Autre texte.,Alpha,2024-01-02,CDI\n",
    )
    notes: list[str] = []
    found = read_labelled([labels], OffersFile(offers), note=notes.append)
    assert len(found.labels) == 1
    assert found.rows["o1"].title == "Data scientist"
    assert notes == [
        "1 label given twice; each counts once",
        "1 labelled offer found twice or more; the first is taken",
    ]


def test_a_column_to_slice_by_must_be_there(tmp_path: Path) -> None:
    labels, offers = write(tmp_path, [label("o1")])
    with pytest.raises(UsageError, match=r"--by contrats: .*no such column.*contrat"):
        read_labelled([labels], OffersFile(offers), by=["contrats"])


def test_half_a_character_in_labels_is_no_traceback(judge: Judge, tmp_path: Path) -> None:
    labels, offers = write(tmp_path, [label("o1", set="a\ud800"), label("\ud83d")])
    with pytest.raises(LabelError, match="1 of 2 labelled offers are not in"):
        read_labelled([labels], OffersFile(offers))
    labels, offers = write(tmp_path, [label("o1", set="a\ud800")])
    report = measure(judge, read_labelled([labels], OffersFile(offers)))
    for form in (markdown, as_json, page):
        assert form(report).encode("utf-8")


def test_measuring_needs_nothing_of_training() -> None:
    """scikit-learn and scipy come with the extra `train` alone."""
    script = (
        "import sys; import aiskills.evaluation, aiskills.cli.evaluate; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'sklearn', 'scipy'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_column_to_slice_by_must_hold_values(tmp_path: Path) -> None:
    labels, _ = write(tmp_path, [label("o1")])
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    nested = [[{"name": "a"}]]
    table = pa.table(
        {"uid": ["o1"], "description": ["Un texte."], "skills": nested, "source": nested}
    )
    pq.write_table(table, tmp_path / "offers.parquet")
    with pytest.raises(
        UsageError, match=r"column skills are list.*expected text, numbers or dates"
    ):
        read_labelled([labels], OffersFile(tmp_path / "offers.parquet"), by=["skills"])
    read_labelled([labels], OffersFile(tmp_path / "offers.parquet"))  # what nobody asked for


def test_identifiers_may_be_numbers_in_a_mapped_column(tmp_path: Path) -> None:
    labels, offers = write(tmp_path, [label("7")], "numero,uid,description\n7,o1,Un texte.\n")
    found = read_labelled([labels], OffersFile(offers, {"id": "numero"}))
    assert found.rows["7"].description == "Un texte."


def test_measure_with_the_shipped_model(judge: Judge, tmp_path: Path) -> None:
    labels, offers = write(
        tmp_path,
        [
            label("o1", "demand", themes=["machine_learning"], evidence=[[43, 59]]),
            label("o2", "demand"),
            label("o3"),
        ],
    )
    texts: LabelledTexts = read_labelled([labels], OffersFile(offers))
    report = measure(judge, texts)
    demand = report.definitions[Definition.STRICT].demand
    assert (demand.tp, demand.fp, demand.fn, demand.tn) == (1, 0, 1, 1)
    assert report.definitions[Definition.STRICT].evidence.every.overlapping == 1
    assert [(one.uid, one.kind) for one in report.mistakes] == [("o2", Kind.MISSED)]
    assert report.provenance["aiskills_model"] == judge.model.version
    assert report.thresholds == judge.thresholds
    assert report.data.employers == 2


# ------------------------------------------------------------------------------ out of fold

TRAINING = sorted((Path(__file__).resolve().parents[1] / "data" / "training").glob("*.jsonl"))


@pytest.mark.skipif(not TRAINING, reason="data/training IS MISSING: nothing to train on")
def test_cross_validation_judges_as_training_measures() -> None:
    """Each fold's judge says what `aiskills train` measures, and saw nothing of the fold."""
    pytest.importorskip("sklearn")
    threadpoolctl = pytest.importorskip("threadpoolctl")
    from aiskills.context import OfferReader
    from aiskills.evaluation.crossvalidated import Training, measure_out_of_fold
    from aiskills.model.crossval import cross_validate
    from aiskills.model.dataset import join_labels, make_dataset, read_written
    from aiskills.model.learn import learn_background
    from aiskills.model.quality import judge_out_of_fold
    from aiskills.model.train import Settings
    from aiskills.phrases import Headings, Lexicon, Scanner

    every = read_written(TRAINING)
    chosen = every[:: len(every) // 80]
    audited = replace(chosen[0].offer, set="audit") if chosen[0].offer else None
    labels = tuple(
        replace(one.offer, set="stratified") for one in chosen[1:] if one.offer is not None
    )
    assert audited is not None
    texts = LabelledTexts(
        (audited, *labels),
        tuple(mention for one in chosen for mention in one.mentions),
        {one.uid: Row(one.title, one.description, one.company, {}) for one in chosen},
    )
    lexicon = Lexicon.default()
    with threadpoolctl.threadpool_limits(1):
        background = learn_background(
            [one.title for one in every],
            [one.description for one in every],
            [one.uid for one in every],
        )
        report = measure_out_of_fold(texts, lexicon, Training(background=background, jobs=1))
        dataset = make_dataset(
            join_labels(texts), OfferReader(Scanner(lexicon, Headings.default()))
        )
        found = cross_validate(dataset, background, Settings(), jobs=1)
    predictions, _, _ = judge_out_of_fold(found, dataset.labels)
    for definition in Definition:
        truth = [getattr(dataset.labels[n], definition) for n in found.numbers.tolist()]
        confusion = np.zeros((3, 3), dtype=int)
        for status, said in zip(truth, predictions[definition].status, strict=True):
            confusion[STATUS_ORDER.index(status), said] += 1
        statuses = report.definitions[definition].statuses
        assert [list(line) for line in statuses.confusion] == confusion.tolist()
    assert report.data.judged == len(labels)
    assert any("1 label of the set 'audit' left out" in line for line in report.warnings)
    assert report.how is How.CROSS_VALIDATION


def test_too_few_labels_for_cross_validation() -> None:
    pytest.importorskip("sklearn")
    from aiskills.evaluation.crossvalidated import Training, measure_out_of_fold
    from aiskills.phrases import Lexicon

    texts = LabelledTexts((OfferLabel("a", NONE, NONE),), (), {"a": row()})
    with pytest.raises(LabelError, match="too few for cross-validation; expected at least 50"):
        measure_out_of_fold(texts, Lexicon.default(), Training())
