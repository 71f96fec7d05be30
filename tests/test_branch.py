"""Branch and industry: a table of cases, the tables themselves, the user's own files."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aiskills.attributes.branch import BRANCH_COLUMNS, branches
from aiskills.attributes.branch_tables import branch_tables, fold_label, parse_idcc
from aiskills.attributes.company import _folded, told_by_names
from aiskills.attributes.industry import METALLURGIE_DIVISIONS, metallurgie_division
from aiskills.attributes.naf import NafCode, parse_naf, read_naf2025
from aiskills.attributes.siret import SiretIdcc, parse_sirets, read_siret_idcc
from aiskills.attributes.titles import fold_texts, read_rows
from aiskills.errors import InputError
from aiskills.phrases.cues import OUTSIDE as OUTSIDE_ID
from aiskills.phrases.cues import expanded

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "branches.json").read_text("utf-8")
)
FIELDS = ("idcc", "siret", "naf", "sector_label", "company")
FORMER = "54 650 2344 714 3231"


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def one(**given: Any) -> dict[str, Any]:
    """The columns of one offer; options of `branches` go through."""
    options = {name: given.pop(name) for name in ("siret_idcc", "naf2025") if name in given}
    table = branches({name: texts(value) for name, value in given.items()}, **options)
    row: dict[str, Any] = table.to_pylist()[0]
    return row


def all_cases(order: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    cases = [CASES[int(place)] for place in order]
    table = branches(
        {name: texts(*(case["fields"].get(name) for case in cases)) for name in FIELDS},
        intermediary=pa.array([case.get("intermediary") for case in cases], pa.bool_()),
        cues=texts(*(case.get("cues") for case in cases)),
    )
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_the_table_of_cases() -> None:
    assert len(CASES) >= 200
    for case, row in zip(CASES, all_cases(np.arange(len(CASES))), strict=True):
        found = {name: row[name] for name in case["expect"]}
        assert found == case["expect"], (case["why"], case["fields"])


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    order = np.random.default_rng(1).permutation(len(CASES))
    shuffled = all_cases(order)
    rows = all_cases(np.arange(len(CASES)))
    assert [rows[int(place)] for place in order] == shuffled
    for place, case in [*enumerate(CASES[:40]), *list(enumerate(CASES))[-40:]]:
        alone = branches(
            {name: texts(value) for name, value in case["fields"].items()} or {"naf": texts(None)},
            intermediary=pa.array([case.get("intermediary")], pa.bool_()),
            cues=texts(case.get("cues")),
        )
        assert alone.to_pylist() == [rows[place]]


def test_words_in_names_stand_for_branches() -> None:
    ids = {row["id"] for row in read_rows("branches.csv")} | {OUTSIDE_ID}
    seen: dict[str, str] = {}
    for row in read_rows("company_words.csv"):
        assert row["branch"] in ids | {"intermediaire", "inconnu"}, row["phrase"]
        for form in expanded(row["phrase"]):
            assert seen.setdefault(form, row["branch"]) == row["branch"], form


def test_names_are_folded_as_titles_are() -> None:
    names = ["Mairie de LYON", "", "Éco-Conseils d’État", "RHPlus", "S.N.C. Bureaux & Cie (44)"]
    assert told_by_names(texts(*names, None, "x\nMairie")).to_pylist() == [
        "hors", None, "hors", None, None, None, "hors",
    ]  # fmt: skip
    assert told_by_names(texts()).to_pylist() == []
    ours, theirs = _folded(names), fold_texts(texts(*names))
    plain = [text.replace(".", " ").split() for text in theirs.as_array().to_pylist()]
    kept = [[word for word in words if word[0].isalnum()] for words in plain]
    assert [text.split() for text in ours.as_array().to_pylist()] == kept
    assert told_by_names(texts(*names, *names)).to_pylist()[:3] == ["hors", None, "hors"]


def test_columns_and_shapes() -> None:
    assert branches({}).num_rows == 0
    assert branches({"naf": texts()}).column_names == list(BRANCH_COLUMNS)
    assert branches({}, intermediary=pa.array([True, None])).column("ai_branch").to_pylist() == [
        "intermédiaire",
        "inconnu",
    ]
    long = pa.array(["x", "25.62B", "20.11Z", None], pa.large_string()).slice(1)
    chunked = pa.chunked_array([texts("25.62B"), texts("20.11Z", None)])
    assert branches({"naf": long}).equals(branches({"naf": chunked}))
    table = branches({"naf": long})
    assert table.column("ai_branch").to_pylist() == ["Métallurgie", "Chimie", "inconnu"]
    assert table.column("ai_branch").null_count == 0


def test_every_sub_class_has_an_answer_that_agrees_with_its_perimeters() -> None:
    tables = branch_tables()
    codes = [code for code in tables._by_naf if len(code) == 6]
    assert len(codes) == 732
    rows = branches({"naf": texts(*codes)}).to_pylist()
    assert len(tables.branches) == len(set(tables.branches)) == 30
    for code, row in zip(codes, rows, strict=True):
        assert parse_naf(code) == NafCode(code)  # no rev. 2 code is taken for a NAF 2025 one
        if row["ai_branch"] in {"siège", "intermédiaire"}:
            assert row["ai_industry_insee"] is row["ai_industry_opco2i"] is None
            continue
        assert row["ai_industry_insee"] is ("05" <= code[:2] <= "39")
        known = row["ai_branch"] != "inconnu"
        assert row["ai_industry_opco2i"] is (
            (row["ai_branch"] in tables.branches) if known else None
        )
        assert (row["ai_branch_confidence"] == "") is not known
        assert (row["ai_branch_basis"] == "unknown") is not known
    # all branches but the two that never win a class are reached
    unreached = set(tables.branches) - {row["ai_branch"] for row in rows}
    assert unreached == {
        "Cristal, verre et vitrail",
        "Produits pharmaceutiques, parapharmaceutiques et vétérinaires",
    }


def test_shares_of_the_industries_of_insee() -> None:
    codes = [code for code in branch_tables()._by_naf if len(code) == 6]
    inside = branches({"naf": texts(*codes)}).column("ai_industry_insee").to_pylist()
    assert inside.count(True) == 291  # sub-classes of divisions 05 to 39


def test_divisions_of_metallurgie() -> None:
    found = metallurgie_division(texts("3030Z", "25", "33.20B", "31.01Z", None, "x", "25.40Y"))
    assert found.to_pylist() == [
        METALLURGIE_DIVISIONS["30"],
        METALLURGIE_DIVISIONS["25"],
        METALLURGIE_DIVISIONS["33"],
        "",
        "",
        "",
        METALLURGIE_DIVISIONS["25"],
    ]
    assert list(METALLURGIE_DIVISIONS) == ["24", "25", "26", "27", "28", "29", "30", "33"]


def test_idcc_numbers_and_folding() -> None:
    assert parse_idcc(FORMER) == (54, 650, 2344, 714, 3231)
    assert parse_idcc("CCN (IDCC 44), avenant n° 12") == (44,)
    assert parse_idcc("") == parse_idcc("le 7 février") == ()
    assert fold_label("  Matières   PLASTIQUES, œuvres ") == "matieres plastiques oeuvres"


# --- a user's SIRET -> IDCC file

MINISTRY = (
    "MOIS,SIRET,IDCC,DATE_MAJ\n"
    "2026-07,11111111100011,3248  ,2026/08/25\n"
    "2026-07,11111111100029,1486  ,2026/08/25\n"
    "2026-07,11111111100029,9999  ,2026/08/25\n"
    "2026-07,11111111100037,0054  ,2026/08/25\n"
    "2026-07,11111111100037,650   ,2026/08/25\n"
    "2026-07,01111111100015,0044  ,2026/08/25\n"
    "2026-07,22222222200012,9999  ,2026/08/25\n"
    "2026-07,nothing,0044,2026/08/25\n"
)
COMPETENCES = (
    "SIRET|IDCC|OPCO_PROPRIETAIRE|OPCO_GESTION\n"
    "11111111100011|3248|OPCO 2I|\n"
    "11111111100029|1486|ATLAS|AKTO\n"
    "11111111100037|3248|OPCO 2I|\n"
    "01111111100015|44|OPCO 2I|\n"
    "22222222200012||AKTO|\n"
)


@pytest.mark.parametrize("layout", ["ministry", "competences", "semicolon", "parquet", "xlsx"])
def test_layouts_of_siret_files(tmp_path: Path, layout: str) -> None:
    rows = [line.split("|") for line in COMPETENCES.splitlines()]
    path = tmp_path / f"siret.{layout if layout in {'parquet', 'xlsx'} else 'csv'}"
    if layout == "ministry":
        path.write_text(MINISTRY, "utf-8")
    elif layout == "competences":
        path.write_text(COMPETENCES, "utf-8")
    elif layout == "semicolon":
        path.write_text(COMPETENCES.replace("|", ";"), "utf-8-sig")
    elif layout == "parquet":
        siret = pa.array([int(row[0]) for row in rows[1:]])  # zeros in front are lost
        idcc = pa.array([float(row[1]) if row[1] else None for row in rows[1:]])
        pq.write_table(pa.table({"siret": siret, "idcc": idcc}), path)
    else:
        xlsxwriter = pytest.importorskip("xlsxwriter")
        book = xlsxwriter.Workbook(str(path))
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            cells = (
                row if not number else [int(row[0]), *(int(one) if one else "" for one in row[1:2])]
            )
            sheet.write_row(number, 0, cells)
        book.close()
    notes: list[str] = []
    table = read_siret_idcc(path, note=notes.append)
    assert len(table) == 4
    assert table.sirets.tolist() == [
        1111111100015,
        11111111100011,
        11111111100029,
        11111111100037,
    ]
    assert table.idccs.tolist() == [44, 3248, 1486, 3248]
    assert len(notes) == 1
    assert "have no SIRET or no IDCC" in notes[0]
    for siret, expected in {
        "11111111100011": ("Métallurgie", "siret", "certain"),
        "111 111 111 00037": ("Métallurgie", "siret", "certain"),
        "11111111100029": ("hors OPCO 2i", "siret", "certain"),
        "11111111199999": ("Métallurgie", "siret", "majority"),  # another of the company's: 2 of 3
        "111111111": ("Métallurgie", "siret", "majority"),
        "01111111100015": ("Chimie", "siret", "certain"),
        "1111111100015": ("Chimie", "siret", "certain"),
        "22222222200012": ("inconnu", "unknown", ""),
        "33333333300033": ("inconnu", "unknown", ""),
        "1111": ("inconnu", "unknown", ""),
    }.items():
        offer = one(siret=siret, siret_idcc=table)
        found = (offer["ai_branch"], offer["ai_branch_basis"], offer["ai_branch_confidence"])
        assert found == expected, siret


def siret_file(tmp_path: Path, *rows: str) -> SiretIdcc:
    path = tmp_path / "siret.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return read_siret_idcc(path)


def test_several_agreements_of_one_establishment(tmp_path: Path) -> None:
    table = siret_file(
        tmp_path,
        "SIRET|IDCC",
        "11111111100011|1486",
        "11111111100011|3248",
        "11111111100029|3248",
        "22222222200012|1486",
        "22222222200012|292",
    )
    row = one(siret="11111111100011", siret_idcc=table)  # the company's own is 3248
    assert (row["ai_branch"], row["ai_branch_confidence"]) == ("Métallurgie", "ambiguous")
    row = one(siret="22222222200012", siret_idcc=table)  # a tie: the lowest number
    assert (row["ai_branch"], row["ai_branch_confidence"]) == ("Plasturgie", "ambiguous")


def test_the_newest_month_counts(tmp_path: Path) -> None:
    table = siret_file(
        tmp_path,
        "MOIS,SIRET,IDCC",
        "2026-06,11111111100011,292",
        "2026-07,11111111100011,44",
        "2026-05,11111111100011,3248",
        "2026-05,11111111100029,3248",
    )
    assert table.idccs.tolist() == [44, 3248]
    assert table.sole.tolist() == [True, True]


def test_half_of_a_company_is_no_majority(tmp_path: Path) -> None:
    table = siret_file(tmp_path, "SIRET|IDCC", "11111111100011|44", "11111111100029|292")
    row = one(siret="111111111", siret_idcc=table)
    assert (row["ai_branch"], row["ai_branch_confidence"]) == ("Chimie", "ambiguous")


def test_siret_among_the_other_fields(tmp_path: Path) -> None:
    table = siret_file(tmp_path, "SIRET|IDCC", "11111111100011|3248", "22222222200012|1486")
    at_head_office = one(siret="11111111100011", naf="70.10Z", siret_idcc=table)
    assert (at_head_office["ai_branch"], at_head_office["ai_industry_insee"]) == (
        "Métallurgie",
        True,
    )
    assert (
        one(siret="22222222200012", naf="26.51B", siret_idcc=table)["ai_branch"] == "hors OPCO 2i"
    )
    assert one(siret="22222222200012", idcc="44", siret_idcc=table)["ai_branch"] == "Chimie"
    assert one(siret="33333333300033", naf="26.51B", siret_idcc=table)["ai_branch_basis"] == "naf"
    assert one(siret="11111111100011", naf="78.20Z", siret_idcc=table)["ai_branch_basis"] == "naf"
    assert one(siret="11111111100011")["ai_branch"] == "inconnu"  # no file given


def test_against_a_plain_dictionary(tmp_path: Path) -> None:
    """Many random rows: the sorted arrays find what a dictionary built row by row finds."""
    rng = np.random.default_rng(7)
    sirens = rng.integers(10**8, 10**9, 40)
    sirets = np.unique(rng.choice(sirens, 400) * 100_000 + rng.integers(0, 30, 400))
    idccs = rng.choice([44, 292, 1486, 3248, 45], len(sirets))
    rows = [f"{siret}|{idcc}" for siret, idcc in zip(sirets, idccs, strict=True)]
    rng.shuffle(rows)
    table = siret_file(tmp_path, "SIRET|IDCC", *rows)
    assert all(a < b for a, b in pairwise(table.sirets.tolist()))
    wanted = np.concatenate([sirets, sirens, sirets + 31])
    idcc, own, shares = table.look_up(wanted)
    by_siret = dict(zip(sirets.tolist(), idccs.tolist(), strict=True))
    for place, number in enumerate(wanted.tolist()):
        if number in by_siret:
            assert own[place]
            assert (idcc[place], shares[place]) == (by_siret[number], 1)
            continue
        siren = number // 100_000 if number >= 10**9 else number
        of_company = [by_siret[one] for one in by_siret if one // 100_000 == siren]
        counts = {one: of_company.count(one) for one in of_company}
        best = min(counts, key=lambda code: (-counts[code], code)) if counts else 0
        assert idcc[place] == best
        if best:
            assert shares[place] == pytest.approx(counts[best] / len(of_company))


def test_parse_sirets() -> None:
    found = parse_sirets(
        texts("11111111100011", "111.111.111 00011", "111111111", "7\u00a0654\u202f321", "12345",
              "11111111100011.0", "1234567890", None, "", "abc")
    )  # fmt: skip
    assert found.tolist() == [
        11111111100011, 11111111100011, 111111111, 7654321, 0, 11111111100011, 0, 0, 0, 0
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("SIREN|IDCC\n1|2\n", "no column SIRET"),
        ("a;b\n1;2\n", "no column SIRET and no column IDCC"),
        ("SIRET|IDCC\n|3248\nabc|44\n", "none of its 2 rows"),
        ("SIRET|IDCC\n", "none of its 0 rows"),
        ("", "empty"),
    ],
)
def test_siret_files_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "siret.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_siret_idcc(path)
    assert str(path) in str(caught.value)
    with pytest.raises(InputError):
        read_siret_idcc(tmp_path / "missing.csv")


# --- INSEE's correspondence of NAF rev. 2 and NAF 2025

NAF2025 = (
    "Correspondance entre la NAF rév. 2 et la NAF 2025;;;\n"
    "NAFold-code;NAFold-intitulé;NACEnew-code;NAFnew-code\n"
    "25.50A;Forge;25.40;25.40Y\n"
    "25.40Z;Armes;25.30;25.30Y\n"
    "3030Z;Aéronautique;30.31;3031Y\n"
    "30.12Z;Bateaux;30.12;30.12Y\n"
    "25.62B;Mécanique;30.12;30.12Y\n"
    "70.10Z;Sièges;70.10;70.10Y\n"
    "20.11Z;Gaz;99.99;99.99Y\n"
)


def test_naf2025_through_insees_file(tmp_path: Path) -> None:
    path = tmp_path / "naf2025.csv"
    path.write_text(NAF2025, "utf-8")
    table = read_naf2025(path)
    assert table["25.40Y"] == ("25.50A",)
    assert table["30.31Y"] == ("30.30Z",)
    assert table["30.12Y"] == ("25.62B", "30.12Z")
    exact = one(naf="25.40Y", naf2025=table)
    assert (exact["ai_branch"], exact["ai_branch_confidence"]) == ("Métallurgie", "certain")
    assert exact["ai_branch_division"] == METALLURGIE_DIVISIONS["25"]
    split = one(naf="30.12Y", naf2025=table)
    assert (split["ai_branch"], split["ai_industry_opco2i"]) == ("inconnu", True)
    assert one(naf="70.10Y", naf2025=table)["ai_branch"] == "siège"
    assert one(naf="9999Y", naf2025=table)["ai_branch"] == "Chimie"
    assert one(naf="26.51Y", naf2025=table)["ai_branch_confidence"] == "ambiguous"  # not in it
    assert one(naf="25.62B", naf2025=table)["ai_branch_confidence"] == "certain"  # rev. 2


@pytest.mark.parametrize("content", ["a;b\n25.62B;25.50A\n", "a;b\nx;y\n", "a;b\n25.40Y;30.31Y\n"])
def test_files_that_are_no_correspondence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "naf2025.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match="no correspondence"):
        read_naf2025(path)
