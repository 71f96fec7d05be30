"""`aiskills.estimate.measure` on invented scored offers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import AiskillsError, InputError, UsageError
from aiskills.estimate import Question, measure, run, wilson
from aiskills.estimate import counts as counts_module
from aiskills.estimate import scored as scored_module
from aiskills.estimate.measurement import Correction
from aiskills.estimate.options import months_of, period_of

BRANCHES = ("Métallurgie", "Chimie", "Plasturgie", "hors OPCO 2i", "inconnu", "intermédiaire")
REGIONS = ("11 Île-de-France", "84 Auvergne-Rhône-Alpes", "télétravail", "inconnu")
THEME_SETS = ("iot", "machine_learning|data_science", "ia|iot", "big_data")
MONTHS = ("2019-02", "2019-09", "2023-03", "2023-11", "2024-05")


def offers(rows: int = 3000, seed: int = 0, **changes: Any) -> pa.Table:
    """Invented scored offers; a change gives a column another content, None takes it away."""
    rng = np.random.default_rng(seed)

    def pick(values: tuple[str | None, ...]) -> list[str | None]:
        return [values[n] for n in rng.integers(0, len(values), rows)]

    branch = pick(BRANCHES)
    score = rng.random(rows)
    study = ["demand" if s < 0.15 else "mention" if s < 0.25 else "none" for s in score]
    strict = ["demand" if s < 0.07 else "mention" if s < 0.15 else "none" for s in score]
    themes = pick(THEME_SETS)
    industry = [None if b in BRANCHES[4:] else b != "hors OPCO 2i" for b in branch]
    columns: dict[str, Any] = {
        "id": [f"o{n}" for n in range(rows)],
        "company": pick(("Alpha", "Bêta", "Gamma", "Delta", None)),
        "source": pick(("un", "deux")),
        "ai_study_status": study,
        "ai_strict_status": strict,
        "ai_themes": [t if s == "demand" else "" for t, s in zip(themes, study, strict=True)],
        "ai_branch": branch,
        "ai_branch_confidence": pick(("certain", "majority", "ambiguous")),
        "ai_branch_division": ["28" if b == "Métallurgie" else None for b in branch],
        "ai_region": pick(REGIONS),
        "ai_function": pick(("Informatique", "Études-R&D", None)),
        "ai_cadre": pick(("cadre", "cadre", "non_cadre", "inconnu")),
        "ai_industry_opco2i": industry,
        "ai_industry_insee": industry,
        "ai_period": pick(MONTHS),
        "ai_language": pick(("fr", "fr", "en")),
        "ai_duplicate_of": pick((None, None, None, "o1")),
        "weight": rng.random(rows) + 0.5,
    } | changes
    return pa.table({name: value for name, value in columns.items() if value is not None})


def rows_of(table: pa.Table, *args: Any, **options: Any) -> list[dict[str, Any]]:
    options.setdefault("error_rates", {})
    found: list[dict[str, Any]] = measure(table, *args, **options).to_pylist()
    return found


def frame(table: pa.Table) -> pd.DataFrame:
    """The counted offers of the default question, to count by hand."""
    data: pd.DataFrame = table.to_pandas()
    return data[data["ai_duplicate_of"].isna()]


# --- counts ------------------------------------------------------------------------------------


def test_the_total_by_hand() -> None:
    table = offers()
    study, strict = rows_of(table)
    data = frame(table)
    for row, definition in ((study, "study"), (strict, "strict")):
        flagged = int((data[f"ai_{definition}_status"] == "demand").sum())
        assert (row["definition"], row["row"], row["status"]) == (definition, "total", "demand")
        assert (row["offers"], row["flagged"]) == (len(data), flagged)
        assert row["share"] == pytest.approx(flagged / len(data))
        ends = wilson(flagged / len(data), len(data))
        assert (row["low"], row["high"]) == (pytest.approx(ends.low), pytest.approx(ends.high))
        assert row["n_effective"] == len(data)
        assert row["correction"] == "none"


def test_any_counts_mentions_too() -> None:
    table = offers()
    (row,) = rows_of(table, status="any", definition="study")
    assert row["flagged"] == int(frame(table)["ai_study_status"].isin(["demand", "mention"]).sum())


def test_cells_by_hand() -> None:
    table = offers()
    data = frame(table)
    data = data[(data["ai_cadre"] == "cadre") & (data["ai_industry_opco2i"] == True)]  # noqa: E712
    found = rows_of(
        table, "branch,year", definition="strict", population="cadre", perimeter="opco2i"
    )
    cells = {(row["branch"], row["year"]): row for row in found if row["row"] == "cell"}
    assert len(cells) == 9
    for (branch, year), row in cells.items():
        own = data[(data["ai_branch"] == branch) & data["ai_period"].str.startswith(year)]
        assert row["offers"] == len(own)
        assert row["flagged"] == int((own["ai_strict_status"] == "demand").sum())
        period = data[data["ai_period"].str.startswith(year)]
        flagged = int((period["ai_strict_status"] == "demand").sum())
        assert row["part"] == pytest.approx(row["flagged"] / flagged)
        overall = flagged / len(period)
        assert row["specificity"] == pytest.approx(row["share"] / overall)
    totals = [row for row in found if row["row"] == "total"]
    assert [row["year"] for row in totals] == ["2019", "2023", "2024", "total"]
    assert {row["branch"] for row in totals} == {"total"}


OUTSIDE = {"cadre status unknown: outside the total", "perimeter unknown: outside the total"}


def test_what_is_unknown_stands_outside_and_is_shown() -> None:
    table = offers()
    data = frame(table)
    found = rows_of(table, population="cadre", perimeter="opco2i", definition="study")
    outside = {row["note"]: row for row in found if row["row"] == "outside"}
    assert set(outside) == OUTSIDE
    unknown = data[(data["ai_cadre"] == "cadre") & data["ai_industry_opco2i"].isna()]
    assert outside["perimeter unknown: outside the total"]["offers"] == len(unknown)
    # Offers known to be outside the perimeter are not unknown, whatever their status.
    status = data[(data["ai_cadre"] == "inconnu") & (data["ai_industry_opco2i"] != False)]  # noqa: E712
    assert outside["cadre status unknown: outside the total"]["offers"] == len(status)


def test_unknown_values_are_rows_of_their_own() -> None:
    found = rows_of(offers(), "function", definition="study")
    assert [row["function"] for row in found if row["row"] == "unknown"] == ["inconnu"]
    found = rows_of(offers(), "region", definition="study")
    assert {row["region"] for row in found if row["row"] == "unknown"} == {"télétravail", "inconnu"}
    assert all(row["part"] is None for row in found if row["row"] == "unknown")
    assert all("unknown" in row["note"] for row in found if row["row"] == "unknown")


@pytest.mark.parametrize(
    "by", ["branch", "region,function", "month", "source,ai_language", "cadre,quarter", "company"]
)
def test_cells_add_up_to_the_total(by: str) -> None:
    for definition, found in itertools.groupby(
        rows_of(offers(), by), key=lambda row: row["definition"]
    ):
        rows = list(found)
        total = [row for row in rows if all(row[name] == "total" for name in by.split(","))]
        assert len(total) == 1, definition
        cells = [row for row in rows if row["row"] in {"cell", "unknown"}]
        for name in ("offers", "flagged"):
            assert sum(row[name] for row in cells) == total[0][name]


def test_study_is_never_below_strict() -> None:
    found = rows_of(offers(), "branch")
    by_branch: dict[str, dict[str, int]] = {}
    for row in found:
        by_branch.setdefault(row["branch"], {})[row["definition"]] = row["flagged"]
    assert all(one["study"] >= one["strict"] for one in by_branch.values())


def test_themes_overlap() -> None:
    table = offers()
    data = frame(table)
    found = rows_of(table, "theme", definition="study")
    cells = {row["theme"]: row for row in found if row["row"] == "cell"}
    assert list(cells) == ["ia", "machine_learning", "data_science", "big_data", "iot"]
    for theme, row in cells.items():
        has = data["ai_themes"].str.split("|").map(lambda names, t=theme: t in names)
        assert row["flagged"] == int(has.sum())
        assert row["offers"] == len(data)
    flagged = int((data["ai_study_status"] == "demand").sum())
    assert cells["iot"]["part"] == pytest.approx(cells["iot"]["flagged"] / flagged)
    assert sum(row["part"] for row in cells.values()) > 1


def test_mentions_have_no_theme() -> None:
    found = rows_of(offers(), "theme", definition="study", status="any")
    assert [row["theme"] for row in found if row["row"] == "cell"][-1] == "sans thème"
    assert rows_of(offers(), "theme", definition="study")[-2]["theme"] != "sans thème"


def test_division_cuts_one_branch() -> None:
    found = rows_of(offers(), "division", definition="study")
    assert [row["division"] for row in found] == ["hors Métallurgie", "28", "inconnu", "total"]


def test_branches_below_a_confidence_become_unknown() -> None:
    table = offers()
    data = frame(table)
    found = {row["branch"]: row for row in rows_of(table, "branch", confidence="majority")[:9]}
    chimie = data[(data["ai_branch"] == "Chimie") & (data["ai_branch_confidence"] != "ambiguous")]
    assert found["Chimie"]["offers"] == len(chimie)
    unsure = data["ai_branch"].isin(BRANCHES[:4]) & (data["ai_branch_confidence"] == "ambiguous")
    inconnu = unsure | (data["ai_branch"] == "inconnu")
    assert found["inconnu"]["offers"] == int(inconnu.sum())


def test_a_window_leaves_other_months_out() -> None:
    table = offers()
    (row,) = rows_of(table, definition="study", window="2023:2024-H1")
    own = frame(table)["ai_period"].between("2023-01", "2024-06")
    assert row["offers"] == int(own.sum())


def test_periods() -> None:
    assert [period_of("2023-07", kind) for kind in ("year", "half", "quarter", "month")] == [
        "2023", "2023-H2", "2023-Q3", "2023-07",
    ]  # fmt: skip
    for kind in ("year", "half", "quarter", "month"):
        for month in ("2023-01", "2023-06", "2023-07", "2023-12"):
            assert month in months_of(period_of(month, kind))
    assert len(months_of("2023")) == 12
    assert months_of("2024-h2") == tuple(f"2024-{n:02d}" for n in range(7, 13))


def test_reposts_count_once_or_each_time() -> None:
    table = offers()
    (once,) = rows_of(table, definition="study")
    (each,) = rows_of(table, definition="study", dedupe=False)
    assert once["offers"] == len(frame(table))
    assert each["offers"] == len(table)
    without = table.drop_columns(["ai_duplicate_of"])
    assert rows_of(without, definition="study")[0]["offers"] == len(table)
    with pytest.raises(InputError, match=r"ai_duplicate_of.*aiskills dedupe"):
        measure(without, dedupe=True)


def test_offers_that_were_not_judged_are_no_offers() -> None:
    table = offers(4, ai_study_status=["demand", None, "", "none"],
                   ai_strict_status=["none", None, "", "none"], ai_duplicate_of=None)  # fmt: skip
    (row,) = rows_of(table, definition="study")
    assert (row["offers"], row["flagged"]) == (2, 1)
    found = measure(table.to_pandas(), error_rates={})
    assert found.attrs["measure_rows"] == "4 read, 2 not judged"


def test_a_panel_keeps_what_is_in_every_period() -> None:
    months = ["2019-01", "2023-01", "2019-02", "2023-02", "2023-02", "2019-05"]
    table = offers(
        6, ai_period=months, source=["a", "a", "b", "c", "a", None], ai_duplicate_of=None
    )
    found = rows_of(table, "year", panel="source", definition="study")
    assert [(row["year"], row["offers"]) for row in found] == [
        ("2019", 1), ("2023", 2), ("total", 3),
    ]  # fmt: skip
    grown = rows_of(table, growth="2019:2023", panel="source", definition="study")
    offers_row = next(row for row in grown if row["measure"] == "offers")
    assert (offers_row["first"], offers_row["last"], offers_row["change"]) == (1, 2, 1)


def test_weights() -> None:
    table = offers()
    data = frame(table)
    (row,) = rows_of(table, definition="study", weights="weight")
    w, y = data["weight"], data["ai_study_status"] == "demand"
    assert row["offers"] == len(data)
    assert row["weighted_offers"] == pytest.approx(w.sum())
    assert row["share"] == pytest.approx((w * y).sum() / w.sum())
    assert row["n_effective"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    (plain,) = rows_of(
        table.append_column("one", pa.array(np.ones(len(table)))), definition="study", weights="one"
    )
    (none,) = rows_of(table, definition="study")
    assert {name: plain[name] for name in none} == none


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    firms = rng.integers(0, 30, 3000)
    rates = rng.beta(0.3, 2.7, 30)
    study = np.where(rng.random(3000) < rates[firms], "demand", "none")
    table = offers(company=[f"F{n}" for n in firms], ai_study_status=study, ai_duplicate_of=None)
    (plain,) = rows_of(table, definition="study")
    (robust,) = rows_of(table, definition="study", cluster="company")
    assert robust["share"] == plain["share"]
    assert robust["high"] - robust["low"] > 2 * (plain["high"] - plain["low"])
    assert robust["n_effective"] < 500
    # Written otherwise, it is the same employer.
    shouted = table.set_column(
        table.column_names.index("company"), "company",
        pa.array([f" f{n}  " if n % 2 else f"F{n}" for n in firms]),
    )  # fmt: skip
    assert rows_of(shouted, definition="study", cluster="company")[0] == robust


def test_secrecy_and_small_cells_are_marked_or_withheld() -> None:
    company = ["A"] * 90 + ["B"] * 5 + ["C"] * 5 + ["A", "B"] * 20 + ["A", "B", "C", "D"]
    branch = ["un"] * 100 + ["deux"] * 40 + ["trois"] * 4
    study = ["demand", "none"] * 72
    table = offers(
        144, company=company, ai_branch=branch, ai_study_status=study, ai_duplicate_of=None
    )
    notes = {row["branch"]: row["note"] for row in rows_of(table, "branch", definition="study")}
    assert notes == {
        "un": "secrecy: one employer has 90 %",
        "deux": "secrecy: 2 employers",
        "trois": "small cell (under 30)",
        "total": "",
    }
    held = rows_of(table, "branch", definition="study", withhold=True)
    assert [row["share"] is None for row in held] == [True, True, True, False]
    assert held[0]["offers"] is None
    assert held[0]["note"].endswith("withheld")


def test_growth_under_secrecy_is_marked_or_withheld() -> None:
    company = ["A", "D", "B", "C"] * 50 + ["A", "B"] * 50
    table = offers(
        300, company=company, ai_branch=["un"] * 200 + ["deux"] * 100,
        ai_period=["2019-01", "2023-01", "2023-01", "2019-01"] * 75, ai_duplicate_of=None,
        ai_study_status=["demand", "none", "none"] * 100,
    )  # fmt: skip
    options: dict[str, Any] = {"growth": "2019:2023", "definition": "study", "min_offers": 10}
    found = rows_of(table, "branch", **options)
    notes = {(row["branch"], row["measure"]): row["note"] for row in found}
    assert notes["deux", "flagged"] == "secrecy: 2 employers"
    assert notes["un", "share"] == "secrecy: 2 employers"
    assert notes["total", "share"] == ""
    held = rows_of(table, "branch", withhold=True, **options)
    for row in held:
        assert (row["change"] is None) == (row["branch"] != "total")
        assert (row["first"] is None) == (row["branch"] != "total")
    few = rows_of(table, "branch", **(options | {"min_offers": 60}))
    notes = {(row["branch"], row["measure"]): row["note"] for row in few}
    assert notes["deux", "share_points"] == "small cell (under 60); secrecy: 2 employers"
    assert notes["deux", "offers"] == "secrecy: 2 employers"
    assert notes["total", "share"] == ""


def test_growth_of_weighted_counts_is_that_of_the_values_shown() -> None:
    for row in rows_of(offers(), growth="2019:2023", weights="weight", definition="study"):
        if row["measure"] in {"flagged", "offers"}:
            assert row["change"] == pytest.approx(row["last"] / row["first"] - 1)


# --- parts of the whole ------------------------------------------------------------------------


def fill(table: pa.Table, choice: Callable[[int], str], *, perimeter: bool) -> dict[str, float]:
    """Parts by branch once every unknown branch is given one (or put outside)."""
    data = frame(table).reset_index(drop=True)
    flagged = data[data["ai_study_status"] == "demand"]
    branch = [
        choice(n) if b in {"inconnu", "intermédiaire"} else b
        for n, b in zip(flagged.index, flagged["ai_branch"], strict=True)
    ]
    if perimeter:
        branch = [b for b in branch if b != "hors OPCO 2i"]
    return {b: branch.count(b) / len(branch) for b in set(branch)}


@pytest.mark.parametrize("perimeter", ["all", "opco2i"])
def test_bounds_hold_whatever_the_unknown_are(perimeter: str) -> None:
    table = offers(600, seed=3)
    found = {
        row["branch"]: row
        for row in rows_of(table, "branch", definition="study", perimeter=perimeter)
        if row["row"] == "cell"
    }
    known = BRANCHES[:3] if perimeter == "opco2i" else BRANCHES[:4]
    rng = np.random.default_rng(5)
    options = BRANCHES[:4]
    seen: dict[str, list[float]] = {name: [] for name in known}
    choices: list[Callable[[int], str]] = [lambda _, b=b: b for b in options]  # type: ignore[misc]
    choices += [lambda _: options[rng.integers(0, 4)]] * 20
    for choice in choices:
        for name, part in fill(table, choice, perimeter=perimeter == "opco2i").items():
            if name in seen:
                seen[name].append(part)
    for name, parts in seen.items():
        row = found[name]
        assert min(parts) >= row["part_min"] - 1e-12
        assert max(parts) <= row["part_max"] + 1e-12
        # The bounds are sharp: all unknown in this branch, or all in another one of the whole.
        assert max(parts) == pytest.approx(row["part_max"])
        assert min(parts) == pytest.approx(row["part_min"])
        assert row["part_min"] <= row["part"] <= row["part_max"]


def test_parts_without_unknown_have_no_room() -> None:
    table = offers(500, ai_branch=(["a", "b", "c", "a"] * 125))
    for row in rows_of(table, "branch", definition="study")[:-1]:
        assert row["part_min"] == pytest.approx(row["part"])
        assert row["part_max"] == pytest.approx(row["part"])
        assert row["part_low"] < row["part"] < row["part_high"]


# --- growth ------------------------------------------------------------------------------------


def test_growth_by_hand() -> None:
    table = offers()
    data = frame(table)
    found = {row["measure"]: row for row in rows_of(table, growth="2019:2023", definition="study")}
    counts = {}
    for year in ("2019", "2023"):
        own = data[data["ai_period"].str.startswith(year)]
        counts[year] = (int((own["ai_study_status"] == "demand").sum()), len(own))
    (x1, n1), (x2, n2) = counts["2019"], counts["2023"]
    assert found["flagged"]["change"] == pytest.approx(x2 / x1 - 1)
    assert found["offers"]["change"] == pytest.approx(n2 / n1 - 1)
    assert found["share"]["change"] == pytest.approx((x2 / n2) / (x1 / n1) - 1)
    assert found["share_points"]["change"] == pytest.approx(x2 / n2 - x1 / n1)
    for row in found.values():
        assert row["low"] < row["change"] < row["high"]
        assert (row["from"], row["to"]) == ("2019", "2023")


def test_growth_by_groups_and_clusters() -> None:
    found = rows_of(offers(), "branch", growth="2019-H1:2023-H1", cluster="company")
    assert {row["branch"] for row in found} == {*BRANCHES, "total"}
    assert {row["method"] for row in found if row["measure"] == "flagged"} == {
        "quasi-Poisson, clusters of company"
    }
    themes = rows_of(offers(), "theme", growth="2019:2023", definition="study")
    assert {"iot", "big_data", "total"} <= {row["theme"] for row in themes}


def test_growth_from_nothing_has_no_figure() -> None:
    table = offers(
        200, ai_period=["2019-01", "2023-01"] * 100, ai_study_status=["none", "demand"] * 100,
        ai_duplicate_of=None,
    )  # fmt: skip
    found = {row["measure"]: row for row in rows_of(table, growth="2019:2023", definition="study")}
    assert found["flagged"]["change"] is None
    assert found["flagged"]["high"] is None
    assert found["flagged"]["low"] > 0
    assert found["share"]["change"] is None
    assert found["share_points"]["change"] == 1


def test_a_period_without_offers_is_no_start() -> None:
    with pytest.raises(InputError, match="no counted offer is of 2018"):
        measure(offers(), growth="2018:2023")


# --- correction --------------------------------------------------------------------------------


def test_error_rates_of_ones_own() -> None:
    rates = {"study": {"tp": 90, "fn": 10, "tn": 980, "fp": 20}}
    study, strict = measure(offers(), error_rates=rates).to_pylist()
    assert study["correction"] == "rogan-gladen (fallback)"
    assert study["share_corrected"] == pytest.approx((study["share"] - 0.02) / 0.88)
    assert study["low_corrected"] < study["share_corrected"] < study["high_corrected"]
    assert strict["correction"] == "none"
    themed = measure(offers(), "theme", error_rates=rates, definition="study").to_pylist()
    assert {row["correction"] for row in themed if row["row"] == "cell"} == {"none"}
    grown = measure(offers(), growth="2019:2023", error_rates=rates, definition="study")
    assert "share_corrected" in grown.column("measure").to_pylist()


def test_parts_and_growth_corrected_by_error_rates() -> None:
    rates = {"study": {"tp": 90, "fn": 10, "tn": 980, "fp": 20}}
    rows = measure(offers(), "branch,year", error_rates=rates, definition="study").to_pylist()
    for year in ("2019", "2023", "2024"):
        cells = [row for row in rows if row["row"] == "cell" and row["year"] == year]
        assert len(cells) == 4
        true = np.array([row["offers"] * row["share_corrected"] for row in cells])
        parts = [row["part_corrected"] for row in cells]
        assert parts == pytest.approx((true / true.sum()).tolist())
        for row in cells:
            assert row["part_corrected_low"] < row["part_corrected"] < row["part_corrected_high"]
            assert row["correction"] == "rogan-gladen (fallback)"
    assert {row["part_corrected"] for row in rows if row["row"] != "cell"} == {None}
    themed = measure(offers(), "theme", error_rates=rates, definition="study").to_pylist()
    assert {row["part_corrected"] for row in themed} == {None}
    plain, spread = (
        {row["measure"]: row for row in measure(
            offers(), growth="2019:2023", error_rates=rates, definition="study", cluster=cluster
        ).to_pylist()}
        for cluster in (None, "company")
    )  # fmt: skip
    count, share, every = (
        plain[name] for name in ("flagged_corrected", "share_corrected", "offers")
    )
    assert 1 + count["change"] == pytest.approx((1 + share["change"]) * (1 + every["change"]))
    assert count["first"] == pytest.approx(share["first"] * every["first"])
    wider = spread["flagged_corrected"]
    assert wider["change"] == pytest.approx(count["change"])
    assert wider["high"] - wider["low"] > count["high"] - count["low"]


def gold_of(table: pa.Table, path: Path, every: int = 4) -> Path:
    """Labels of every fourth offer: right, but that each tenth demand is none."""
    data = table.to_pandas()
    lines = []
    for n in range(0, len(data), every):
        row = data.iloc[n]
        study, strict = row["ai_study_status"], row["ai_strict_status"]
        if study == "demand" and n % (10 * every) == 0:
            study = strict = "none"
        lines.append(
            {"uid": f"{row['source']}:{row['id']}", "study": study, "strict": strict,
             "inclusion": 1 / every, "themes": [t for t in row["ai_themes"].split("|") if t]}
        )  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return path


def test_a_gold_sample_corrects_each_cell(tmp_path: Path) -> None:
    table = offers()
    gold = gold_of(table, tmp_path / "gold.jsonl")
    found = measure(table, "region", gold=gold, definition="study", dedupe=False).to_pylist()
    assert {row["correction"] for row in found} == {"ppi++"}
    for row in found:
        assert row["share_corrected"] < row["share"]
        assert 0 <= row["low_corrected"] < row["share_corrected"] < row["high_corrected"] <= 1
    themed = measure(table, "theme", gold=gold, definition="study", dedupe=False).to_pylist()
    assert {row["correction"] for row in themed} == {"ppi++"}
    few = gold_of(table, tmp_path / "few.jsonl", every=60)
    cells = measure(
        table, "branch", gold=few, definition="study", dedupe=False, error_rates={}
    ).to_pylist()
    assert {row["share_corrected"] for row in cells[:-1]} == {None}
    assert cells[-1]["correction"] == "ppi++"
    # All labels of the whole tell of the parts, few as they are in each.
    known = [row for row in cells if row["row"] == "cell"]
    assert {row["correction"] for row in known} == {"none; part: ppi++"}
    # One has more false flags among its labels than flags: 0, and the others have more than all.
    assert sorted(row["part_corrected"] for row in known)[0] == 0
    assert sum(row["part_corrected"] for row in known) >= 1
    for row in known:
        assert row["part_corrected_low"] <= row["part_corrected"] < row["part_corrected_high"]


def test_a_gold_sample_corrects_parts_of_themes(tmp_path: Path) -> None:
    """Parts of all demands; the labels are right, but that each tenth demand is none."""
    table = offers()
    gold = gold_of(table, tmp_path / "gold.jsonl")
    found = measure(table, "theme", gold=gold, definition="study", dedupe=False).to_pylist()
    for row in found[:-1]:
        assert row["part_corrected"] == pytest.approx(row["part"], abs=0.05)
        assert row["part_corrected_low"] < row["part"] < row["part_corrected_high"]


def test_a_gold_sample_corrects_growth_of_both_kinds(tmp_path: Path) -> None:
    table = offers()
    gold = gold_of(table, tmp_path / "gold.jsonl")
    rates = {"study": {"tp": 90, "fn": 10, "tn": 980, "fp": 20}}
    options: dict[str, Any] = {"growth": "2019:2023", "definition": "study", "dedupe": False}
    found, rows = (
        {row["measure"]: row for row in measure(table, gold=file, **given, **options).to_pylist()}
        for file, given in ((gold, {"error_rates": rates}), (gold, {"error_rates": {}}))
    )
    assert found == rows  # labels come before error rates
    count, share = found["flagged_corrected"], found["share_corrected"]
    offers_grown = found["offers"]["change"]
    assert 1 + count["change"] == pytest.approx((1 + share["change"]) * (1 + offers_grown))
    assert count["change"] == pytest.approx(count["last"] / count["first"] - 1)
    assert count["low"] < count["change"] < count["high"]
    assert "ppi++" in count["method"]
    # Too few labels in each period: the error rates, in both.
    few = gold_of(table, tmp_path / "few.jsonl", every=60)
    fallen = {
        row["measure"]: row
        for row in measure(table, gold=few, error_rates=rates, **options).to_pylist()
    }
    assert "rogan-gladen" in fallen["flagged_corrected"]["method"]
    assert "ppi++" not in fallen["share_corrected"]["method"]
    assert "flagged_corrected" not in {
        row["measure"] for row in measure(table, gold=few, error_rates={}, **options).to_pylist()
    }


def test_a_gold_sample_tells_the_error_rates(tmp_path: Path) -> None:
    """Labels are right, but that each tenth demand is none; rare kinds tell no rate."""
    table = offers()
    gold = gold_of(table, tmp_path / "gold.jsonl")
    records = [json.loads(line) for line in gold.read_text("utf-8").splitlines()]
    flagged = sum(row == "demand" for row in table["ai_study_status"].to_pylist()[::4])
    true = sum(one["study"] == "demand" for one in records)
    others = len(records) - true
    left = 1 - (flagged - true) / others
    found = run(table, Question(dedupe=False), Correction(gold, {}))
    assert (
        f"by these labels (study, demand): sensitivity 100.0 % ({true:,} labelled), "
        f"specificity {100 * left:.1f} % ({others:,} labelled)"
    ) in found.remarks
    few = gold_of(table, tmp_path / "few.jsonl", every=60)
    found = run(table, Question(dedupe=False), Correction(few, {}))
    assert any("sensitivity untold (" in one for one in found.remarks)


def test_gold_weights_undo_the_draw_in_error_rates(tmp_path: Path) -> None:
    """Of offers without a flag every tenth is labelled, of those with one all of them."""
    study = ["demand"] * 100 + ["none"] * 1000
    table = offers(1100, ai_study_status=study, ai_duplicate_of=None)
    lines = []
    for n, (source, name) in enumerate(
        zip(table["source"].to_pylist(), table["id"].to_pylist(), strict=True)
    ):
        if n < 100 or n % 10 == 0:
            truth = "demand" if n < 80 or n in {100, 200} else "none"
            record = {"uid": f"{source}:{name}", "study": truth, "strict": "none",
                      "inclusion": 1.0 if n < 100 else 0.1,
                      "stratum": "flagged" if n < 100 else "rest"}  # fmt: skip
            lines.append(json.dumps(record) + "\n")
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(lines), "utf-8")
    found = run(table, Question(dedupe=False), Correction(path, {}))
    # 80 found, 20 missed (2 labelled of ten each); 980 others left alone of 1,000.
    assert (
        "by these labels (study, demand): sensitivity 80.0 % (82 labelled), "
        "specificity 98.0 % (118 labelled)"
    ) in found.remarks


def test_a_gold_sample_of_other_offers(tmp_path: Path) -> None:
    gold = gold_of(offers(source=["elsewhere"] * 3000), tmp_path / "gold.jsonl")
    with pytest.raises(InputError, match="none of the labelled offers is among"):
        measure(offers(), gold=gold)


def test_the_audit_speaks_only_of_its_model(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    table = offers()
    pq.write_table(table.replace_schema_metadata({"aiskills_model_sha256": "another"}), path)
    found = run([path], Question())
    assert set(found.table.column("correction").to_pylist()) == {"none"}
    assert any("not by the model whose audit" in line for line in found.remarks)
    silent = run(table, Question())
    assert any("do not say which model" in line for line in silent.remarks)
    assert set(silent.table.column("correction").to_pylist()) == {"rogan-gladen (fallback)"}
    mentions = run(table, Question(status="any"))
    assert set(mentions.table.column("correction").to_pylist()) == {"rogan-gladen (fallback)"}
    # The audit tells demand and mention together apart from demand alone.
    assert mentions.remarks != silent.remarks
    none = run(table, Question(), Correction(error_rates={}))
    assert set(none.table.column("correction").to_pylist()) == {"none"}


@pytest.mark.parametrize("thresholds", ['{"strict": 0.9, "study": 0.9}', "damaged {"])
def test_other_thresholds_than_the_audit(thresholds: str) -> None:
    table = offers(50).replace_schema_metadata({"aiskills_thresholds": thresholds})
    found = run(table, Question())
    assert any("thresholds that the audit did not use" in line for line in found.remarks)
    assert set(found.table.column("correction").to_pylist()) == {"none"}


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    found = run(offers(50), Question(), Correction(model=tmp_path))
    assert any("no model folder" in line for line in found.remarks)


# --- the same on any form ----------------------------------------------------------------------


@given(st.integers(0, 2**31), st.integers(1, 700))
def test_order_and_chunks_do_not_matter(seed: int, cut: int) -> None:
    table = offers(700, seed=7)
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = table.take(pa.array(order))
    parts = pa.concat_tables([shuffled.slice(0, cut), shuffled.slice(cut)])
    options = {"by": "branch,half", "perimeter": "opco2i", "cluster": "company"}
    one, two = rows_of(table, **options), rows_of(parts, **options)
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for name, value in a.items():
            same = b[name]
            assert same == (pytest.approx(value) if isinstance(value, float) else value)


def test_batches_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = offers(2000)
    path = tmp_path / "s.parquet"
    pq.write_table(table, path, row_group_size=300)
    expected = measure(table, "branch,region,theme", error_rates={})
    monkeypatch.setattr(scored_module, "_ROWS", 170)
    found = measure([path], "branch,region,theme", error_rates={})
    pd.testing.assert_frame_equal(found, expected.to_pandas(), check_exact=False)


def test_summing_again_and_again_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    table = offers(2000)
    expected = measure(table, "branch,region", cluster="company", weights="weight", error_rates={})
    monkeypatch.setattr(scored_module, "_ROWS", 90)
    monkeypatch.setattr(counts_module, "_PENDING", 50)
    found = measure(table, "branch,region", cluster="company", weights="weight", error_rates={})
    pd.testing.assert_frame_equal(found.to_pandas(), expected.to_pandas(), check_exact=False)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "xlsx"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    from aiskills.files import open_output

    table = offers(300)
    path = tmp_path / f"s.{suffix}"
    with open_output(path) as writer:
        writer.write(table)
    options: dict[str, Any] = {"by": "branch,year", "perimeter": "opco2i", "weights": "weight"}
    found = measure(str(path), **options, error_rates={})
    expected = measure(table, **options, error_rates={}).to_pandas()
    pd.testing.assert_frame_equal(found, expected, check_exact=False)


def test_pandas_polars_and_arrow() -> None:
    table = offers(500)
    arrow = measure(table, "region", error_rates={})
    pandas = measure(table.to_pandas(), "region", error_rates={})
    polars = measure(pl.from_arrow(table), "region", error_rates={})
    assert isinstance(arrow, pa.Table)
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    pd.testing.assert_frame_equal(pandas, arrow.to_pandas())
    assert polars.to_dicts() == arrow.to_pylist()
    assert pandas.attrs["measure_population"] == "all offers"
    assert b"measure_definition" in arrow.schema.metadata


def test_pandas_columns_of_any_kind() -> None:
    data = offers(300).to_pandas()
    expected = measure(data, "branch", error_rates={})
    data["ai_branch"] = pd.Categorical(data["ai_branch"])
    data["company"] = data["company"].where(data.index % 3 > 0, 7)
    assert_same = pd.testing.assert_frame_equal
    assert_same(measure(data, "branch", error_rates={}), expected)


def test_metadata_beside_a_csv(tmp_path: Path) -> None:
    from aiskills.files import open_output

    path = tmp_path / "s.csv"
    with open_output(path, metadata={"aiskills_model": "fr-1", "aiskills_lexicon": "1.0"}) as file:
        file.write(offers(20))
    (scored,) = scored_module.open_scored(str(path))
    assert scored.metadata == {"aiskills_model": "fr-1", "aiskills_lexicon": "1.0"}
    scored.close()
    for text in ("[]", "{"):
        (tmp_path / "s.csv.meta.json").write_text(text, "utf-8")
        (scored,) = scored_module.open_scored(str(path))
        assert scored.metadata == {}
        scored.close()


def test_no_offer_at_all() -> None:
    empty = offers(10).slice(0, 0)
    (row,) = rows_of(empty, definition="study")
    assert (row["offers"], row["flagged"], row["share"]) == (0, 0, None)
    found = rows_of(empty, "branch,year", definition="study")
    assert [(row["row"], row["offers"]) for row in found] == [("total", 0)]


def test_only_the_columns_needed_are_read(tmp_path: Path) -> None:
    table = offers(50).append_column("description", pa.array(["Texte inventé."] * 50))
    path = tmp_path / "s.parquet"
    pq.write_table(table, path)
    (scored,) = scored_module.open_scored([path])
    (batch,) = scored.batches(["ai_branch", "company"])
    assert batch.column_names == ["ai_branch", "company"]
    scored.close()


def test_the_employer_is_found_under_its_usual_names() -> None:
    table = offers(300).rename_columns(
        ["entreprise" if name == "company" else name for name in offers(1).column_names]
    )
    found = rows_of(table, definition="study", cluster="company")
    assert found[0]["n_effective"] < 300
    with pytest.raises(InputError, match="no column 'company'"):
        measure(table.drop_columns(["entreprise"]), cluster="company")


# --- breaks ------------------------------------------------------------------------------------


def scored_file(path: Path, table: pa.Table, model: str) -> Path:
    pq.write_table(
        table.replace_schema_metadata({"aiskills_model": model, "aiskills_lexicon": "1.0"}), path
    )
    return path


def test_two_models_are_a_break_and_each_offer_counts_once(tmp_path: Path) -> None:
    table = offers(400, ai_duplicate_of=None)
    old = scored_file(tmp_path / "old.parquet", table.slice(0, 250), "fr-old")
    status = ["demand"] * 250
    new_table = table.slice(150).set_column(
        table.column_names.index("ai_study_status"), "ai_study_status", pa.array(status)
    )
    new = scored_file(tmp_path / "new.parquet", new_table, "fr-new")
    found = run([old, new], Question(), Correction(error_rates={}))
    assert found.table.column("offers").to_pylist() == [400, 400]
    text = " ".join(found.remarks)
    assert "break of series" in text
    assert "100 offers were scored by both" in text
    assert "100.00 % by the second" in text
    # The later file's answer is the one that counts.
    early = sum(one == "demand" for one in table.column("ai_study_status").to_pylist()[:150])
    assert found.table.column("flagged").to_pylist()[0] == early + 250
    same = run([old], Question(), Correction(error_rates={}))
    assert not any("break" in line for line in same.remarks)


def test_a_break_without_overlap_cannot_be_measured(tmp_path: Path) -> None:
    table = offers(400)
    one = scored_file(tmp_path / "a.parquet", table.slice(0, 200), "fr-old")
    two = scored_file(tmp_path / "b.parquet", table.slice(200), "fr-new")
    found = run([one, two], Question(), Correction(error_rates={}))
    assert any("cannot be measured" in line for line in found.remarks)


def test_versions_in_a_column_are_a_break_too() -> None:
    table = offers(100).append_column("ai_model", pa.array(["fr-old"] * 60 + ["fr-new"] * 40))
    found = run(table, Question(), Correction(error_rates={}))
    assert any("break of series" in line and "fr-old" in line for line in found.remarks)


# --- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "brnch"}, "no column 'brnch'.*Did you mean 'branch'"),
        ({"by": "branch,branch"}, "different groups"),
        ({"status": "yes"}, "demand or any"),
        ({"population": "cadres"}, "cadre or all"),
        ({"perimeter": "industry"}, "opco2i or insee or all"),
        ({"definition": "wide"}, "study, strict or both"),
        ({"period": "week"}, "year or half"),
        ({"growth": "2019"}, "two periods"),
        ({"growth": "2019:2023-H1"}, "same length"),
        ({"growth": "2019:2019"}, "different periods"),
        ({"growth": "2019:2023", "by": "year"}, "no period"),
        ({"window": "2023:2019"}, "earlier period first"),
        ({"window": "2023-13:2024"}, "2023-Q1"),
        ({"panel": "source"}, "--period year"),
        ({"confidence": "sure"}, "certain or majority"),
        ({"level": 95}, "0.95"),
        ({"weights": "nothing"}, "no column 'nothing'"),
        ({"colour": "red"}, "'colour'.*unknown"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AiskillsError, match=words):
        measure(offers(20), **options)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"ai_study_status": None}, {}, "no column 'ai_study_status'.*aiskills classify"),
        ({"ai_branch": None}, {"by": "branch"}, "no column 'ai_branch'.*aiskills classify"),
        ({"ai_cadre": None}, {"population": "cadre"}, "no column 'ai_cadre'"),
        ({"ai_industry_insee": None}, {"perimeter": "insee"}, "no column 'ai_industry_insee'"),
        ({"ai_period": None}, {"period": "year"}, "no column 'ai_period'"),
        ({"ai_study_status": ["yes"] * 20}, {}, "'yes'; expected demand, mention, none"),
        ({"ai_industry_opco2i": ["peut-être"] * 20}, {"perimeter": "opco2i"}, "true, false"),
        ({"ai_period": ["03/2023"] * 20}, {"period": "year"}, "'03/2023'; expected months"),
        ({"weight": [1.0] * 19 + [None]}, {"weights": "weight"}, "1 offers have no weight"),
        ({"weight": [1.0] * 19 + [-1]}, {"weights": "weight"}, "1 offers have no weight"),
        ({"weight": ["x"] * 20}, {"weights": "weight"}, "a weight is no number"),
    ],
)
def test_columns_that_are_missing_or_wrong(
    change: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    table = offers(20, **({"ai_duplicate_of": None} | change))
    with pytest.raises(InputError, match=words):
        measure(table, **options)


def test_no_table_at_all() -> None:
    with pytest.raises(UsageError, match="offers are a int"):
        measure(3)
    with pytest.raises(InputError, match="does not exist"):
        measure("nothing.parquet")


def test_files_with_either_kind_of_text_are_measured_together(tmp_path: Path) -> None:
    """pandas and polars write `large_string`, aiskills `string`."""
    small = pa.table(
        {
            "ai_study_status": ["demand", "none"],
            "ai_strict_status": ["demand", "none"],
            "ai_period": ["2023-01", "2023-02"],
        }
    )
    large = small.cast(pa.schema([(name, pa.large_string()) for name in small.column_names]))
    paths = [tmp_path / "small.parquet", tmp_path / "large.parquet"]
    for table, path in zip((small, large), paths, strict=True):
        pq.write_table(table, path)
    found = measure(paths, by=["year"], definition="study")
    (cell,) = found[found["row"] == "cell"].to_dict("records")
    assert (cell["offers"], cell["flagged"]) == (4, 2)
