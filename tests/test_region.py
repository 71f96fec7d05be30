"""The region of offers: written cases, the tables, precedence of fields, columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.attributes.places import Places, place_key
from aiskills.attributes.region import BASES, NO_REGION, REGION_FIELDS, region_of, regions

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "regions.json").read_text("utf-8")
)
REGIONS = {
    "11 Île-de-France": "75 77 78 91 92 93 94 95",
    "24 Centre-Val de Loire": "18 28 36 37 41 45",
    "27 Bourgogne-Franche-Comté": "21 25 39 58 70 71 89 90",
    "28 Normandie": "14 27 50 61 76",
    "32 Hauts-de-France": "02 59 60 62 80",
    "44 Grand Est": "08 10 51 52 54 55 57 67 68 88",
    "52 Pays de la Loire": "44 49 53 72 85",
    "53 Bretagne": "22 29 35 56",
    "75 Nouvelle-Aquitaine": "16 17 19 23 24 33 40 47 64 79 86 87",
    "76 Occitanie": "09 11 12 30 31 32 34 46 48 65 66 81 82",
    "84 Auvergne-Rhône-Alpes": "01 03 07 15 26 38 42 43 63 69 73 74",
    "93 Provence-Alpes-Côte d'Azur": "04 05 06 13 83 84",
    "94 Corse": "2A 2B",
    "01 Guadeloupe": "971",
    "02 Martinique": "972",
    "03 Guyane": "973",
    "04 La Réunion": "974",
    "06 Mayotte": "976",
    "outre-mer hors région": "975 977 978 984 986 987 988 989",
}
"""Départements of each region, written down apart from the tables (loi 2015-29)."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ; ".join(case["given"].values()))
def test_case(case: dict[str, Any]) -> None:
    assert region_of(**case["given"]) == (case["region"], case["basis"])


def test_all_cases_in_one_call_are_as_one_by_one() -> None:
    fields = {
        name: pa.array([case["given"].get(name) for case in CASES], pa.string())
        for name in REGION_FIELDS
    }
    table = regions(fields)
    assert table["ai_region"].to_pylist() == [case["region"] for case in CASES]
    assert table["ai_region_basis"].to_pylist() == [case["basis"] for case in CASES]


@pytest.mark.parametrize(
    ("number", "region"),
    [(number, region) for region, numbers in REGIONS.items() for number in numbers.split()],
)
def test_every_departement_by_code_number_and_postcode(number: str, region: str) -> None:
    assert region_of(department=number) == (region, "departement")
    assert region_of(f"{number} - Xyzville") == (region, "departement")
    assert region_of(commune=(number + "001")[:5]) == (region, "commune")
    if number not in {"2A", "2B", "977", "978", "984", "989"}:  # no postcodes of their own digits
        assert region_of(postcode=(number + "000")[:5]) == (region, "postcode")


def test_names_of_regions_and_departements_are_known() -> None:
    places = Places.default()
    assert len(places.regions) == 18
    for region in places.regions:
        assert region_of(region[3:])[0] == region
        assert region_of(region=region) == (region, "label")
        assert region_of(region=region[:2]) == (region, "label")


def test_columns_of_any_kind_and_nulls() -> None:
    texts = ["69 - LYON 03", None, "Évry", "69 - LYON 03"]
    expected = ["84 Auvergne-Rhône-Alpes", "inconnu", "11 Île-de-France", "84 Auvergne-Rhône-Alpes"]
    array = pa.array(texts, pa.string())
    for column in (
        array,
        array.cast(pa.large_string()),
        array.dictionary_encode(),
        pa.chunked_array([array[:1], array[1:]]),
        pa.concat_arrays([array, array])[4:],
    ):
        table = regions({"location": column, "region": pa.nulls(4)})
        assert table["ai_region"].to_pylist() == expected
        assert table["ai_region_basis"].to_pylist()[:2] == ["departement", "unknown"]
        assert table.schema.types == [pa.string(), pa.string()]


def test_no_rows_and_no_fields() -> None:
    assert regions({"location": pa.array([], pa.string())}).num_rows == 0
    assert regions({}).column_names == ["ai_region", "ai_region_basis"]
    table = regions({"latitude": pa.array(["48.8", "43.6"])})
    assert table["ai_region"].to_pylist() == ["inconnu", "inconnu"]


@given(st.text(max_size=60), st.text(max_size=8))
def test_any_text_gets_an_answer(text: str, code: str) -> None:
    region, basis = region_of(text, commune=code, postcode=code, department=code, region=code)
    assert region in {*Places.default().regions, *NO_REGION}
    assert basis in BASES
    assert (region == "inconnu") == (basis == "unknown")


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    assert place_key(place_key(text)) == place_key(text)


def test_the_table_is_sorted_and_its_names_are_keys() -> None:
    path = Path(__file__).resolve().parents[1] / "src" / "aiskills" / "data" / "places.csv"
    names = [line.split(";")[0] for line in path.read_text("utf-8").splitlines()[2:]]
    assert names == sorted(names)
    assert len(names) > 37_000
    assert all(place_key(name) == name for name in names)


def test_a_short_name_never_means_the_village() -> None:
    villages = {"Évry": "27 ", "Saint-Ouen": "24 ", "Aix": "75 ", "Boulogne": "52 "}
    for name, region in {**villages, "Clermont": "32 ", "Chalon": "84 "}.items():
        assert not region_of(name)[0].startswith(region)


def test_a_department_chooses_the_village_all_the_same() -> None:
    assert region_of("89 - Évry")[0] == "27 Bourgogne-Franche-Comté"
    assert region_of("Saint-Ouen (41)")[0] == "24 Centre-Val de Loire"
    assert region_of("Aix", region="Nouvelle-Aquitaine")[0] == "75 Nouvelle-Aquitaine"
