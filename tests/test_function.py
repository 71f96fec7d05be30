"""Apec's function: codes, names, ROME, titles; the tables and the shipped title model."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.attributes.function import (
    BASES,
    OUTSIDE,
    all_functions,
    function_of_rome,
    functions,
)
from aiskills.attributes.title_model import TitleModel, Vocabulary, read_model, tokens_of
from aiskills.attributes.titles import PhraseFinder, fold_texts, read_rows

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "function.json").read_text("utf-8")
)
ROOT = Path(__file__).resolve().parents[1]


def told(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    fields = {
        name: pa.array([case["fields"].get(name) for case in cases], pa.string())
        for name in ("title", "rome", "function")
    }
    rows: list[dict[str, Any]] = functions(fields).to_pylist()
    return rows


def test_the_table_of_cases() -> None:
    assert len(CASES) >= 150
    for case, row in zip(CASES, told(CASES), strict=True):
        assert (row["ai_function"], row["ai_function_basis"]) == (
            case["function"],
            case["basis"],
        ), case
        if "subfunction" in case:
            assert row["ai_subfunction"] == case["subfunction"], case


def test_the_cases_meet_every_family_and_basis() -> None:
    families = {one.family for one in all_functions().values()}
    assert {case["function"] for case in CASES} == families | {""}
    assert {case["basis"] for case in CASES} == set(BASES)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    order = np.random.default_rng(1).permutation(len(CASES))
    whole = told(CASES)
    assert told([CASES[place] for place in order]) == [whole[place] for place in order]


@pytest.mark.parametrize(
    ("title", "second"),
    [
        ("Technicien de maintenance", "Maintenance, sécurité"),
        ("Responsable qualité", "Qualité"),
        ("Ingénieur méthodes", "Process, méthodes"),
        ("Acheteur", "Achats"),
        ("Cariste", "Logistique"),
        ("Opérateur de production", "Production"),
        ("Chef de produit", "Marketing"),
        ("Data scientist", "Système, réseaux, données"),
        ("Commercial itinérant", "Commercial"),
    ],
)
def test_the_second_level_of_titles(title: str, second: str) -> None:
    (row,) = functions({"title": pa.array([title])}).to_pylist()
    assert row["ai_subfunction"] == second


# --- the tables --------------------------------------------------------------------------------


def test_ten_families_and_their_second_levels() -> None:
    known = all_functions()
    assert sorted(code for code in known if len(code) == 2) == [f"{n:02}" for n in range(1, 11)]
    assert len({one.family for one in known.values()}) == 10
    for code, one in known.items():
        assert one.family == known[code[:2]].family
        assert bool(one.subfunction) == (len(code) == 3)


def test_every_trade_of_rome_has_a_function_or_is_left_to_the_title() -> None:
    used = {row["function"] for row in read_rows("rome_function.csv")}
    assert used <= {*all_functions(), OUTSIDE, "?"}
    left = [r["rome"] for r in read_rows("rome_cadre.csv") if function_of_rome(r["rome"]) is None]
    assert 0 < len(left) < 40
    assert all(code.startswith(("M14", "K24")) for code in left)


def test_written_titles_have_known_functions() -> None:
    text = (ROOT / "data" / "training" / "titles.csv").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines, delimiter=";"))
    assert len(rows) >= 600
    codes = {row["function"] for row in rows}
    assert codes <= {*all_functions(), OUTSIDE}
    assert {code[:2] for code in codes} == {code[:2] for code in all_functions()} | {OUTSIDE}


# --- the model ---------------------------------------------------------------------------------


def test_the_shipped_model_is_the_one_described() -> None:
    folder = resources.files("aiskills") / "data"
    meta = json.loads((folder / "function_titles.json").read_text("utf-8"))
    raw = (folder / "function_titles.npz").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == meta["sha256"]
    model = read_model()
    assert model.weights.shape == (len(model.vocabulary), len(model.classes))
    assert len(model.vocabulary) == meta["features"]["all"]
    assert set(model.classes) <= {*all_functions(), OUTSIDE}
    assert all(word.isalpha() and word.isascii() for word in model.vocabulary.words)


def tiny() -> TitleModel:
    """Words a, b and the pair "a b", two classes of one family and one outside."""
    vocabulary = Vocabulary(["alpha", "beta"], ["alpha"], np.array([1]), np.array([1]))
    weights = np.array([[2, 0, 0], [0, 2, 0], [1, 0, 0], [0, 0, 4], [0, 3, 0]], np.float32)
    return TitleModel(vocabulary, ["10C", "10D", "-"], weights, np.zeros(3, np.float32), (0.6, 0.5))


def test_features_of_a_tiny_model() -> None:
    rows, features = tiny().vocabulary.features(
        tokens_of(fold_texts(pa.array(["Alpha bêta H/F", "", "Beta, 12", "gamma"])))
    )
    assert sorted(zip(rows.tolist(), features.tolist(), strict=True)) == [
        (0, 0), (0, 1), (0, 2), (0, 4), (2, 1), (2, 3),
    ]  # fmt: skip


def test_probabilities_of_a_tiny_model_by_hand() -> None:
    said = tiny().probabilities(fold_texts(pa.array(["Alpha bêta", None, "beta"])))
    scores = np.array([3, 5, 0]) / 2
    np.testing.assert_allclose(said[0], np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)
    assert said[1].tolist() == [0, 0, 0]
    scores = np.array([0, 2, 4]) / np.sqrt(2)
    np.testing.assert_allclose(said[2], np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)


def test_families_second_levels_and_abstention_of_a_tiny_model() -> None:
    titles = fold_texts(pa.array(["alpha beta", "beta", "gamma", None, "alpha"]))
    assert tiny().functions(titles).to_pylist() == ["10D", "-", None, None, "10C"]
    unsure = replace(tiny(), thresholds=(0.6, 0.9))
    assert unsure.functions(titles).to_pylist() == ["10", "-", None, None, "10"]


def test_probabilities_are_the_same_in_any_batch() -> None:
    titles = [case["fields"].get("title", "") for case in CASES] * 60
    model = read_model()
    whole = model.probabilities(fold_texts(pa.array(titles)))
    assert len(titles) > 8_192
    np.testing.assert_allclose(
        whole[: len(CASES)], model.probabilities(fold_texts(pa.array(titles[: len(CASES)]))), 1e-5
    )
    np.testing.assert_allclose(whole[: len(CASES)], whole[-len(CASES) :], rtol=1e-5)


@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), max_size=6))
def test_any_titles(titles: list[str | None]) -> None:
    table = functions({"title": pa.array(titles, pa.string())})
    assert table.num_rows == len(titles)
    known = {one.family for one in all_functions().values()}
    for row in table.to_pylist():
        assert row["ai_function"] in known | {""}
        assert row["ai_function"] or not row["ai_subfunction"]


def test_folded_titles_may_be_given_and_fields_be_absent() -> None:
    titles = pa.array(["Soudeur", None, "Data scientist"])
    assert functions({}, fold_texts(titles)).equals(functions({"title": titles}))
    assert functions({}).num_rows == 0
    assert functions({"rome": pa.array(["I1304"])}).column("ai_function").to_pylist() == [
        "Services techniques"
    ]


# --- titles ------------------------------------------------------------------------------------


def test_folded_texts_are_arrow_strings_as_they_stand() -> None:
    texts = ["Chef d'œuvre €", None, "", "Opérateur(trice)\nH/F"]
    folded = fold_texts(pa.array(texts))
    assert len(folded) == 4
    assert [text.strip() for text in folded.as_array().to_pylist()] == [
        "chef d ?uvre ?", "", "", "operateur h / f",
    ]  # fmt: skip


def test_the_first_phrase_counts_and_of_those_the_longest() -> None:
    finder = PhraseFinder([("chef", "one"), ("chef de projet", "two"), ("technicien", "three")])
    texts = ["Chef technicien", "Technicien, chef", "chef de projet", "chefs", "chefferie", None]
    assert finder.first(fold_texts(pa.array(texts))).to_pylist() == [
        "one", "three", "two", "one", None, None,
    ]  # fmt: skip
