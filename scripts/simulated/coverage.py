"""How often the intervals of `measure` hold the truth, over seeds and random truths."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from aiskills.estimate import ErrorRates, Question, run
from aiskills.estimate.measurement import Correction
from aiskills.schema import Definition
from aiskills.simulate import Parameters
from aiskills.simulate.targets import ELSEWHERE, INDUSTRY
from simulated.streams import (
    expected_growth,
    expected_share,
    make_stream,
    random_parameters,
    rates_of,
    truth_of,
    write_gold,
)

STATUSES: Final = ("demand", "any")
FLAGGED: Final = frozenset({"demand", "mention"})
BRANCH: Final = "Métallurgie"
YEARS: Final = ("2019", "2023")
LABELLED: Final = 400
PLAIN, ROGAN_GLADEN, PPI = "plain", "Rogan-Gladen", "prediction-powered"
CLUSTERED: Final = "plain, by employer"
CLUSTERED_ROGAN_GLADEN: Final = "Rogan-Gladen, by employer"
#: Value of `true_industry` in a table -> group of the parameters.
_GROUPS: Final = {"true": INDUSTRY, "false": ELSEWHERE, "total": None}
_GROUP_NAMES: Final = {"true": "industry", "false": "elsewhere", "total": "all"}
_BY: Final = ("true_industry",)


@dataclass(frozen=True, slots=True)
class Study:
    """One seed: a stream, what it follows, and what is known of the classifier's errors.

    Attributes:
        table: The stream, classified, reposts marked.
        truth: See `truth_of`.
        parameters: What it follows.
        rates: By status and definition, error rates on another seed of the same parameters.
        own_rates: The same on this very stream.
        gold: Labels of offers drawn from the stream.
    """

    table: pa.Table
    truth: pd.DataFrame
    parameters: Parameters
    rates: Mapping[str, Mapping[Definition, ErrorRates]]
    own_rates: Mapping[str, Mapping[Definition, ErrorRates]]
    gold: Path


@dataclass(frozen=True, slots=True)
class Check:
    """An interval, and what it should hold.

    Attributes:
        what: `share`, `growth of the count`, `growth of the share` or the part of a branch.
        group: Offers concerned.
        flag: Definition and status.
        method: How it was estimated.
        estimate: The estimate; shares and parts 0 to 1, growth 0.56 for +56 %.
        low: Lower end; may be NaN where `measure` gives none.
        high: Upper end; infinite where `measure` gives none.
        truth: The same among the stream's first publications, from the truth columns.
        expected: What the parameters put in; NaN where it is not known in closed form.
        n: Offers that the estimate rests on, as if independent; NaN where no share is meant.
    """

    what: str
    group: str
    flag: str
    method: str
    estimate: float
    low: float
    high: float
    truth: float
    expected: float
    n: float = np.nan


def prepare(seed: int, offers: int, folder: Path, *, labelled: int = LABELLED) -> Study:
    """Simulates a stream of random truth and a second one of the same truth, and classifies both.

    Args:
        seed: Decides everything.
        offers: Rows of each.
        folder: Where the labels go.
        labelled: Offers to label.
    """
    rng = np.random.default_rng([20250214, seed])
    parameters = random_parameters(rng)
    first, second = rng.choice(2**31, 2, replace=False).tolist()
    table = make_stream(offers, first, parameters)
    audit = make_stream(offers, second, parameters, dedupe=False)
    return Study(
        table,
        truth_of(table),
        parameters,
        {status: rates_of(audit, status) for status in STATUSES},
        {status: rates_of(table, status) for status in STATUSES},
        write_gold(table, labelled, seed, folder),
    )


def checks(
    study: Study, rates: Mapping[str, Mapping[Definition, ErrorRates]] | None = None
) -> Iterator[Check]:
    """All intervals of a study beside their truth.

    Args:
        study: What `prepare` gives.
        rates: Error rates to correct with; None for those of the second seed.
    """
    for status in STATUSES:
        known = dict((rates or study.rates)[status])
        yield from share_checks(study, status, Correction(error_rates=known), ROGAN_GLADEN)
        yield from share_checks(study, status, Correction(study.gold, {}), PPI)
        yield from _perimeter(study, status, Correction(error_rates=known))
        yield from _growth(study, status, Correction(error_rates=known))
        yield from _part(study, status, Correction(error_rates=known), (PLAIN, ROGAN_GLADEN))
        yield from _part(
            study, status, Correction(error_rates=known), (CLUSTERED, CLUSTERED_ROGAN_GLADEN),
            cluster="company",
        )  # fmt: skip
        yield from _part(study, status, Correction(study.gold, {}), (None, PPI))


def _rows(study: Study, question: Question, how: Correction) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run(study.table, question, how).table.to_pylist()
    return [row for row in rows if row["row"] != "outside"]


def share_checks(study: Study, status: str, how: Correction, method: str) -> Iterator[Check]:
    """Shares in all, inside industry and outside; with `ROGAN_GLADEN` the plain ones too."""
    for row in _rows(study, Question(by=_BY, status=status), how):
        flag, group = f"{row['definition']} {status}", row["true_industry"]
        rows = _group(study.truth, group)
        truth = float(rows[f"{row['definition']}_{status}"].mean())
        expected = expected_share(study.parameters, status, _GROUPS[group])
        expected = expected if row["definition"] == "study" else np.nan
        about = ("share", _GROUP_NAMES[group], flag)
        if method == ROGAN_GLADEN:  # once
            ends = (row["low"], row["high"])
            n = row["n_effective"]
            yield Check(*about, PLAIN, row["share"], *ends, truth, expected, n)
        if row["share_corrected"] is not None:
            ends = (row["low_corrected"], row["high_corrected"])
            yield Check(*about, method, row["share_corrected"], *ends, truth, expected)


def _perimeter(study: Study, status: str, how: Correction) -> Iterator[Check]:
    """Industry as `classify` knows it, where it knows it."""
    for row in _rows(study, Question(status=status, perimeter="opco2i"), how):
        flag = f"{row['definition']} {status}"
        truth = float(_group(study.truth, "true")[f"{row['definition']}_{status}"].mean())
        expected = expected_share(study.parameters, status, INDUSTRY)
        expected = expected if row["definition"] == "study" else np.nan
        about = ("share", "industry, by `ai_industry_opco2i`", flag)
        yield Check(*about, PLAIN, row["share"], row["low"], row["high"], truth, expected)
        ends = (row["low_corrected"], row["high_corrected"])
        yield Check(*about, ROGAN_GLADEN, row["share_corrected"], *ends, truth, expected)


def _growth(study: Study, status: str, how: Correction) -> Iterator[Check]:
    names = {
        "flagged": ("growth of the count", PLAIN),
        "flagged_corrected": ("growth of the count", ROGAN_GLADEN),
        "share": ("growth of the share", PLAIN),
        "share_corrected": ("growth of the share", ROGAN_GLADEN),
    }
    for row in _rows(study, Question(by=_BY, status=status, growth=YEARS), how):
        if row["measure"] not in names:
            continue
        what, method = names[row["measure"]]
        group, definition = row["true_industry"], row["definition"]
        rows = _group(study.truth, group)
        column = f"{definition}_{status}"
        first, last = (rows.loc[rows["year"] == year, column] for year in YEARS)
        counted = what == "growth of the count"
        ends = (first.sum(), last.sum()) if counted else (first.mean(), last.mean())
        truth = float(ends[1] / ends[0] - 1) if ends[0] else np.nan
        expected = np.nan
        if definition == "study":
            expected = expected_growth(study.parameters, _GROUPS[group])[0 if counted else 1]
        yield Check(
            what, _GROUP_NAMES[group], f"{definition} {status}", method,
            _number(row["change"]), _number(row["low"]), _number(row["high"], np.inf),
            truth, expected,
        )  # fmt: skip


def _part(
    study: Study,
    status: str,
    how: Correction,
    methods: tuple[str | None, str],
    cluster: str | None = None,
) -> Iterator[Check]:
    """The part of a branch, plain (where that method has a name) and corrected."""
    industry = _group(study.truth, "true")
    asked = Question(by=("branch",), status=status, perimeter="opco2i", cluster=cluster)
    for row in _rows(study, asked, how):
        if row["branch"] != BRANCH:
            continue
        named = industry[industry[f"{row['definition']}_{status}"]]
        truth = float((named["branch"] == BRANCH).mean()) if len(named) else np.nan
        expected = study.parameters.table("branches.ai")[BRANCH]
        for method, column in zip(methods, ("part", "part_corrected"), strict=True):
            if method is None:
                continue
            estimate, low, high = (_number(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
            yield Check(
                f"part of {BRANCH}", "industry, by `ai_branch`", f"{row['definition']} {status}",
                method, estimate, low, high, truth, expected,
            )  # fmt: skip


def _number(value: float | None, otherwise: float = np.nan) -> float:
    return otherwise if value is None else float(value)


def _group(truth: pd.DataFrame, group: str) -> pd.DataFrame:
    return truth if group == "total" else truth[truth["industry"] == (group == "true")]


def false_quotes(table: pa.Table) -> Counter[str]:
    """What the evidence of offers quotes that have no AI and were flagged (study, any)."""
    found: Counter[str] = Counter()
    names = ("ai_study_status", "true_study_status", "ai_evidence", "true_duplicate_of")
    for flag, truth, evidence, repeats in zip(
        *(table.column(name).to_pylist() for name in names), strict=True
    ):
        if flag in FLAGGED and truth == "none" and not repeats:
            found.update({piece["quote"].lower() for piece in json.loads(evidence or "[]")})
    return found


@dataclass(frozen=True, slots=True)
class Replicate:
    """What is kept of one seed."""

    checks: list[Check]
    rates: Mapping[str, Mapping[Definition, ErrorRates]]
    own_rates: Mapping[str, Mapping[Definition, ErrorRates]]
    false: Counter[str]


def replicate(seed: int, offers: int) -> Replicate:
    """One seed, from the simulation to the checks."""
    with tempfile.TemporaryDirectory() as folder:
        study = prepare(seed, offers, Path(folder))
        found = list(checks(study))
    return Replicate(found, study.rates, study.own_rates, false_quotes(study.table))
