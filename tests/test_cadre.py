"""Cadre status: a table of cases, the order of what tells, and chunks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aiskills.attributes.cadre import BASES, STATUSES, cadre
from aiskills.attributes.titles import fold_texts
from aiskills.context import OfferReader
from aiskills.phrases import Headings, Lexicon, Scanner, kinds_text

CASES: list[dict[str, str]] = json.loads(
    (Path(__file__).parent / "cases" / "cadre.json").read_text("utf-8")
)
FIELDS = ("title", "qualification", "contract", "rome")
READER = OfferReader(Scanner(Lexicon(()), Headings([])))


def column(cases: list[dict[str, str]], name: str) -> pa.Array:
    return pa.array([case.get(name) for case in cases], pa.string())


def told(cases: list[dict[str, str]], names: tuple[str, ...] = FIELDS) -> list[dict[str, Any]]:
    titles, texts = ([case.get(name, "") for case in cases] for name in ("title", "text"))
    cues = pa.array([kinds_text(reading.cues) for reading in READER.read(titles, texts)])
    rows: list[dict[str, Any]] = cadre(
        {name: column(cases, name) for name in names}, cues
    ).to_pylist()
    return rows


def test_the_table_of_cases() -> None:
    assert len(CASES) >= 120
    for case, row in zip(CASES, told(CASES), strict=True):
        assert (row["ai_cadre"], row["ai_cadre_basis"]) == (case["cadre"], case["basis"]), case


def test_the_cases_meet_every_status_and_basis() -> None:
    assert {case["cadre"] for case in CASES} == set(STATUSES)
    assert {case["basis"] for case in CASES} == set(BASES)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    order = np.random.default_rng(1).permutation(len(CASES))
    shuffled = told([CASES[place] for place in order])
    whole = told(CASES)
    assert shuffled == [whole[place] for place in order]


def test_what_tells_first_decides() -> None:
    case = {
        "title": "Technicien qualité",
        "text": "Statut cadre.",
        "qualification": "Agent de maîtrise",
        "rome": "F1703",
    }
    (row,) = told([case])
    assert (row["ai_cadre"], row["ai_cadre_basis"]) == ("cadre", "text")
    (row,) = told([{**case, "text": ""}])
    assert (row["ai_cadre"], row["ai_cadre_basis"]) == ("non_cadre", "qualification")
    (row,) = told([{**case, "text": "Statut cadre.", "contract": "Stage"}])
    assert (row["ai_cadre"], row["ai_cadre_basis"]) == ("non_cadre", "contract")


@pytest.mark.parametrize("missing", FIELDS)
def test_a_field_may_be_absent(missing: str) -> None:
    names = tuple(name for name in FIELDS if name != missing)
    case = {"title": "Directeur d'usine", "qualification": "9", "rome": "H2510"}
    case.pop(missing, None)
    assert told([case], names)[0]["ai_cadre"] == "cadre"


def test_folded_titles_may_be_given() -> None:
    titles = pa.array(["Ingénieur qualité", None, "Soudeur"])
    cues = pa.array(["", None, ""])
    alone = cadre({"title": titles}, cues)
    assert cadre({}, cues, fold_texts(titles)).equals(alone)
    assert alone.column("ai_cadre").to_pylist() == ["cadre", "inconnu", "non_cadre"]


def test_slices() -> None:
    titles = pa.array(["x", "Ingénieur qualité", "Soudeur", None]).slice(1)
    cues = pa.array(["x", "", "", ""]).slice(1)
    found = cadre({"title": titles}, cues).column("ai_cadre").to_pylist()
    assert found == ["cadre", "non_cadre", "inconnu"]


def test_no_rows() -> None:
    empty = pa.array([], pa.string())
    table = cadre({"title": empty}, empty)
    assert table.num_rows == 0
    assert table.column_names == ["ai_cadre", "ai_cadre_basis"]
