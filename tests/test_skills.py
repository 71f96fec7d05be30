"""Which skills are asked: every figure against a slow count of a few invented offers."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import InputError, UsageError
from aiskills.estimate import wilson
from aiskills.phrases import Lexicon
from aiskills.skills import COLUMNS, TABLES, Skills, read_pieces, skills
from aiskills.skills.render import markdown, sections
from aiskills.skills.typical import lift, together, weighted_log_odds

TERMS = {
    "IoT": "iot", "big data": "big_data", "apprentissage automatique": "machine_learning",
    "science des données": "data_science", "ChatGPT": "ia_generative",
}  # fmt: skip


def evidence(asked: list[str], mentioned: list[str] | None = None) -> str:
    return json.dumps(
        [
            {"term": term, "theme": TERMS[term], "status": status}
            for terms, status in ((asked, "demand"), (mentioned or [], "mention"))
            for term in terms
        ]
    )


def offer(function: str, month: str, asked: list[str], **columns: Any) -> dict[str, Any]:
    strict = [term for term in asked if TERMS[term] not in ("iot", "big_data")]
    return {
        "company": "Forges Velmont",
        "ai_study_status": "demand" if asked else "none",
        "ai_strict_status": "demand" if strict else "none",
        "ai_function": function,
        "ai_period": month,
        "ai_evidence": evidence(asked),
        **columns,
    }


def invented() -> list[dict[str, Any]]:
    """20 offers of IT, 20 of R&D, 4 of unknown function; a third ask for nothing."""
    rows = [offer("Informatique", "2019-02", [])] * 10 + [offer("Études, R&D", "2023-02", [])] * 8
    rows += [offer("Informatique", "2019-02", ["big data", "apprentissage automatique"])] * 6
    rows += [offer("Informatique", "2023-02", ["big data"], company="Atelier Sorbier")] * 4
    rows += [offer("Études, R&D", "2023-02", ["IoT", "IoT"])] * 7
    rows += [offer("Études, R&D", "2023-02", ["apprentissage automatique"])] * 5
    rows += [offer("", "2023-02", ["science des données"])] * 2
    rows += [offer("", "2019-02", [])] * 2
    rows += [
        {**offer("Informatique", "2019-02", []), "ai_study_status": "mention",
         "ai_evidence": evidence([], ["IoT"])}
    ]  # fmt: skip
    return rows


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    names = list(offer("", "", []))
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})


@pytest.fixture(scope="module")
def offers() -> pa.Table:
    return table_of(invented())


@pytest.fixture(scope="module")
def found(offers: pa.Table) -> Skills:
    return skills(offers, by=["function", "period"], growth="2019:2023", definition="both")


def rows_of(found: Skills, name: str, **wanted: Any) -> list[dict[str, Any]]:
    return [
        row
        for row in found.tables[name].to_pylist()
        if all(row[key] == value for key, value in {"definition": "study", **wanted}.items())
    ]


def test_terms_are_counted_as_by_hand(found: Skills) -> None:
    for group, column, cut in (
        ("total", None, None), ("function", "ai_function", None), ("year", "ai_period", 4),
    ):  # fmt: skip
        asked: Counter[tuple[str, str]] = Counter()
        flagged: Counter[str] = Counter()
        every: Counter[str] = Counter()
        for row in invented():
            value = "total" if column is None else row[column][:cut] or "inconnu"
            every[value] += 1
            if row["ai_study_status"] == "demand":
                flagged[value] += 1
                for term in {one["term"] for one in json.loads(row["ai_evidence"])}:
                    asked[value, term] += 1
        rows = rows_of(found, "terms", group=group)
        assert {(row["value"], row["term"]): row["offers"] for row in rows} == dict(asked)
        for row in rows:
            assert row["flagged_offers"] == flagged[row["value"]]
            assert row["all_offers"] == every[row["value"]]
            share = row["offers"] / row["all_offers"]
            ends = wilson(share, row["all_offers"])
            assert row["share_of_all"] == pytest.approx(share)
            assert row["share_of_all_low"] == pytest.approx(float(ends.low))
            assert row["share_of_all_high"] == pytest.approx(float(ends.high))
            assert row["share_of_flagged"] == pytest.approx(row["offers"] / row["flagged_offers"])


def test_strict_counts_strict_terms_only(found: Skills) -> None:
    rows = rows_of(found, "terms", definition="strict", group="total")
    assert {row["term"]: row["offers"] for row in rows} == {
        "apprentissage automatique": 11, "science des données": 2,
    }  # fmt: skip
    assert {row["flagged_offers"] for row in rows} == {13}


def test_a_term_says_where_it_comes_from(found: Skills, lexicon: Lexicon) -> None:
    (row,) = rows_of(found, "terms", group="total", term="IoT")
    term = lexicon.get("IoT")
    assert term is not None
    assert (row["theme"], row["source"]) == ("iot", term.source)
    assert row["employers"] == 1
    assert rows_of(found, "terms", group="total", term="big data")[0]["employers"] == 2


def test_few_offers_and_unknown_values_are_marked(found: Skills) -> None:
    (row,) = rows_of(found, "terms", group="function", value="inconnu")
    assert row["note"] == "unknown; few offers (under 5)"
    (row,) = rows_of(found, "terms", group="function", term="IoT")
    assert row["note"] == ""


def test_a_theme_counts_an_offer_once() -> None:
    rows = [offer("Informatique", "2023-01", ["ChatGPT"])] * 3
    rows += [{**rows[0], "ai_evidence": json.dumps(
        [{"term": term, "theme": "ia_generative", "status": "demand"} for term in ("LLM", "RAG")]
    )}]  # fmt: skip
    (row,) = skills(table_of(rows)).tables["themes"].to_pylist()
    assert (row["theme"], row["offers"], row["flagged_offers"]) == ("ia_generative", 4, 4)


def test_growth_of_the_count_and_of_the_share(found: Skills) -> None:
    (row,) = rows_of(found, "growth", group="total", term="apprentissage automatique")
    assert (row["offers_from"], row["offers_to"]) == (6, 5)
    assert (row["all_offers_from"], row["all_offers_to"]) == (19, 26)
    assert row["growth"] == pytest.approx(5 / 6 - 1)
    assert row["growth_low"] < row["growth"] < row["growth_high"]
    assert row["share_growth"] == pytest.approx((5 / 26) / (6 / 19) - 1)
    # A count from nothing has no growth, and IoT is new.
    (new,) = rows_of(found, "growth", group="total", term="IoT")
    assert (new["offers_from"], new["growth"], new["growth_high"]) == (0, None, None)
    assert rows_of(found, "growth", group="total", term="science des données") == []


def test_what_is_typical(found: Skills) -> None:
    rows = rows_of(found, "typical", group="function")
    assert {row["value"] for row in rows} == {"Informatique", "Études, R&D"}
    first = {value: next(row for row in rows if row["value"] == value) for value in
             ("Informatique", "Études, R&D")}  # fmt: skip
    assert first["Informatique"]["term"] == "big data"
    assert first["Études, R&D"]["term"] == "IoT"
    here = np.array([7.0, 5.0, 0.0])  # IoT, apprentissage automatique, big data
    rest = np.array([0.0, 6.0, 10.0])
    ratio, z = weighted_log_odds(here, rest, here + rest)
    row = first["Études, R&D"]
    assert (row["log_odds"], row["z"]) == pytest.approx((ratio[0], z[0]))
    assert (row["offers_rest"], row["flagged_offers_rest"]) == (0, 10)


def test_log_odds_after_the_paper_in_plain_python() -> None:
    here, rest = [12, 3, 0, 40], [5, 30, 2, 100]
    background = [a + b for a, b in zip(here, rest, strict=True)]
    prior = [4 * one / sum(background) for one in background]
    ratio, z = weighted_log_odds(*(np.array(one, float) for one in (here, rest, background)))
    for n in range(4):
        one, other = here[n] + prior[n], rest[n] + prior[n]
        expected = math.log(one / (sum(here) + 4 - one)) - math.log(other / (sum(rest) + 4 - other))
        assert ratio[n] == pytest.approx(expected)
        assert z[n] == pytest.approx(expected / math.sqrt(1 / one + 1 / other))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12))
def test_log_odds_turn_their_sign_with_the_sides(counts: list[tuple[int, int]]) -> None:
    here, rest = (np.array(one, float) for one in zip(*counts, strict=True))
    used = here + rest > 0
    if not used.any():
        return
    here, rest = here[used], rest[used]
    ratio, z = weighted_log_odds(here, rest, here + rest)
    back, back_z = weighted_log_odds(rest, here, here + rest)
    assert np.isfinite(z).all()
    np.testing.assert_allclose(ratio, -back, atol=1e-9)
    np.testing.assert_allclose(z, -back_z, atol=1e-9)


def test_pairs_as_by_hand(found: Skills) -> None:
    (row,) = rows_of(found, "pairs")
    assert {row["term"], row["with_term"]} == {"big data", "apprentissage automatique"}
    assert (row["offers_both"], row["flagged_offers"]) == (6, 24)
    assert row["lift"] == pytest.approx((6 / 24) / ((10 / 24) * (11 / 24)))
    assert row["npmi"] == pytest.approx(math.log(row["lift"]) / -math.log(6 / 24))
    assert row["term"] == "big data"  # the rarer
    assert row["share_of_term"] == pytest.approx(0.6)


@given(st.lists(st.sets(st.integers(0, 6)), max_size=30))
def test_pairs_are_counted_as_by_a_slow_loop(sets: list[set[int]]) -> None:
    pieces = [(row, term) for row, terms in enumerate(sets) for term in terms]
    offer_of, term = (np.array([one[n] for one in pieces], dtype=np.int64) for n in (0, 1))
    counts = together(offer_of, term, 7)
    for a, b in itertools.product(range(7), repeat=2):
        assert counts[a, b] == sum(a in terms and b in terms for terms in sets)


def test_lift_of_chance_is_one_and_of_always_together_is_most() -> None:
    ratio, npmi = lift(np.array([25.0, 10.0, 100.0]), np.array([50.0, 10.0, 100.0]),
                       np.array([50.0, 10.0, 100.0]), 100)  # fmt: skip
    assert ratio == pytest.approx([1.0, 10.0, 1.0])
    assert npmi == pytest.approx([0.0, 1.0, 1.0])


def test_evidence_is_read_once_an_offer_and_term() -> None:
    texts = [
        evidence(["IoT", "IoT"], ["big data"]),
        None,
        "",
        "[]",
        evidence(["big data"], ["IoT"]),
    ]
    pieces = read_pieces(pa.chunked_array([pa.array(texts)]))
    found = {
        (row, pieces.names[term], bool(asked))
        for row, term, asked in zip(pieces.offer, pieces.term, pieces.demand, strict=True)
    }
    assert found == {
        (0, "IoT", True), (0, "big data", False), (4, "big data", True), (4, "IoT", False),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["IoT", "{}[", '{"term": "IoT"}', '[{"term": "IoT"}]', "[1]", "3"])
def test_other_evidence_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="aiskills classify"):
        read_pieces(pa.chunked_array([pa.array([text])]))


def test_population_window_and_reposts_are_left_out_as_in_measure() -> None:
    rows = [offer("Informatique", "2023-01", ["IoT"])] * 4
    rows += [offer("Informatique", "2021-01", ["IoT"])] * 2
    table = table_of(rows)
    cadre = pa.array(["cadre", "cadre", "non_cadre", "inconnu", "cadre", "cadre"])
    table = table.append_column("ai_cadre", cadre)
    table = table.append_column("ai_duplicate_of", pa.array([None, "o1", None, None, None, None]))
    found = skills(table, population="cadre", window="2023:2023", least=1)
    (row,) = found.tables["terms"].to_pylist()
    assert (row["offers"], row["all_offers"]) == (1, 1)
    assert any("1 offers whose cadre status" in remark for remark in found.remarks)


def test_nothing_asked_gives_empty_tables() -> None:
    found = skills(table_of([offer("Informatique", "2023-01", [])] * 3), by="function")
    assert {name: len(table) for name, table in found.tables.items()} == dict.fromkeys(TABLES, 0)
    for name, table in found.tables.items():
        assert table.column_names == list(COLUMNS[name])
    assert sections(found) == []
    assert "2023" not in markdown(found).splitlines()[0]


def test_a_term_of_another_lexicon_is_told() -> None:
    row = offer("Informatique", "2023-01", ["IoT"])
    row |= {"ai_strict_status": "demand", "ai_evidence": json.dumps(
        [{"term": "zorglub", "theme": "ia", "status": "demand"}])}  # fmt: skip
    found = skills(table_of([row]), definition="strict")
    (term,) = found.tables["terms"].to_pylist()
    assert (term["term"], term["source"]) == ("zorglub", "")
    assert any("not in the lexicon" in remark for remark in found.remarks)


def test_options_that_make_no_sense(offers: pa.Table) -> None:
    for wrong in ({"by": "theme"}, {"least": 0}, {"definition": "x"}, {"status": "any"},
                  {"growth": "2019"}):  # fmt: skip
        with pytest.raises(UsageError):
            skills(offers, **wrong)
    with pytest.raises(InputError, match="no counted offer is of 2020"):
        skills(offers, growth="2020:2023")
    with pytest.raises(InputError, match="ai_evidence"):
        skills(offers.drop_columns(["ai_evidence"]))
    with pytest.raises(InputError, match="ai_branch"):
        skills(offers, by="branch")


def test_chunks_and_files_give_the_same(offers: pa.Table, found: Skills, tmp_path: Path) -> None:
    parts = [offers.slice(0, 7), offers.slice(7)]
    # Files and pandas give texts of either type.
    parts[1] = parts[1].cast(pa.schema([(name, pa.large_string()) for name in offers.column_names]))
    for number, part in enumerate(parts):
        pq.write_table(part, tmp_path / f"{number}.parquet")
    again = skills(
        sorted(tmp_path.glob("*.parquet")),
        by=["function", "period"], growth="2019:2023", definition="both",
    )  # fmt: skip
    frame = skills(
        offers.to_pandas(), by="function,year", growth=("2019", "2023"), definition="both"
    )
    for name in TABLES:
        assert again.tables[name].equals(found.tables[name])
        assert frame.tables[name].equals(found.tables[name])


# --- the command -------------------------------------------------------------------------------

Run = Callable[..., tuple[int, str, str]]


def test_a_pipe_gets_one_whole_table(run: Run) -> None:
    code, out, err = run("skills", "scored.parquet", "--by", "function")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == list(COLUMNS["terms"])
    assert rows[0]["term"] == "apprentissage automatique"
    assert "counts and shares overlap" in err


def test_a_terminal_gets_short_tables(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    code, out, err = run(
        "skills", "scored.parquet", "--by", "function,period", "--growth", "2019:2023", "-q"
    )
    assert (code, err) == (0, "")
    plain = re.sub("\x1b\\[[0-9;]*m", "", out)
    assert max(map(len, plain.splitlines())) <= 100
    for title in ("Skills asked most (study)", "By function (study)", "By year (study)",
                  "Growth (study)", "Asked together (study)"):  # fmt: skip
        assert title in plain
    assert "(under 5 offers)" in plain


def test_files_of_every_format(run: Run, tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet", "t.xlsx", "t.json", "t.md"):
        code, out, err = run("skills", "scored.parquet", "--by", "function", "-o", name, "-q")
        assert (code, out, err) == (0, "", "")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column_names == list(COLUMNS["terms"])
    assert table.schema.metadata[b"skills_table"] == b"terms"
    text = (tmp_path / "t.md").read_text("utf-8")
    assert "## Asked together (study)" in text
    assert "- definition: study" in text
    code, _, _ = run("skills", "scored.parquet", "--table", "pairs", "-o", "p.json", "-q")
    assert code == 0
    (row,) = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert row["offers_both"] == 6


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--by", "theme"), 2, "themes already"),
        (("--by", "brnch"), 1, "Did you mean 'branch'"),
        (("--table", "term"), 2, "Did you mean 'terms'"),
        (("--table", "terms,pairs"), 2, "one table"),
        (("--table", "growth"), 2, "--growth 2019:2023"),
        (("-o", "none/t.md"), 1, "does not exist"),
        (("-o", "scored.parquet", "--force"), 1, "one of the inputs"),
        (("-o", "t.md", "--excel-fr"), 2, "--excel-fr with Markdown"),
        (("--lexicon", "none.csv"), 1, "none.csv"),
    ],
)
def test_mistakes_are_one_line(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    found, out, err = run("skills", "scored.parquet", *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
