"""Builds the tables of French places in src/aiskills/data from packaged official geography.

    npm pack @etalab/decoupage-administratif@6.0.0   # COG of 1 January 2026
    npm pack @etalab/decoupage-administratif@0.7.0   # COG of 1 January 2019
    (unpack each)
    python scripts/make_places.py NEW/package OLD/package

Writes places.csv, places_departments.csv and places_postcodes.csv. Communes of 2026 with their
population, their delegated and associated communes, groupings (EPCI, EPT), and names that were in
force in 2019 and are no longer, since offers go back to then. Of the old package only names and
populations are taken: its postcodes had another licence.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiskills.attributes.places import ASSUMED_POPULATION, place_key

DATA = Path(__file__).resolve().parents[1] / "src" / "aiskills" / "data"
SOURCE = (
    "# {what}. Source: @etalab/decoupage-administratif 6.0.0 (INSEE, Code officiel géographique of "
    "1 January 2026; DGCL; La Poste), Licence Ouverte / Etalab. Made by scripts/make_places.py"
)
#: Kind of grouping, which offers leave out or write in many ways.
_KIND = re.compile(
    r"^(CC|CA|CU|CS|Métropole|Communauté d['’]agglomération|Communauté de communes|EPT)\s+"
    r"(de la |de l['’]|des |du |de |d['’])?",
    re.IGNORECASE,
)

Record = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("new", type=Path, help="unpacked package of 2026")
    parser.add_argument("old", type=Path, help="unpacked package of 2019")
    given = parser.parse_args()
    departments = write_departments(given.new)
    communes = [one for one in records(given.new, "communes") if one["type"] == "commune-actuelle"]
    write_places(given.new, given.old, communes, departments)
    write_postcodes(communes, departments)


def records(package: Path, name: str) -> list[Record]:
    found: list[Record] = json.loads((package / "data" / f"{name}.json").read_text("utf-8"))
    return found


def department_of(code: str) -> str:
    """The département of an INSEE commune code."""
    return code[:3] if code.startswith(("97", "98")) else code[:2]


def write_departments(package: Path) -> dict[str, str]:
    """Départements, collectivités included, with the region of each (empty: no region)."""
    names = {one["code"]: one["nom"] for one in records(package, "regions")}
    rows = []
    for one in sorted(records(package, "departements"), key=lambda row: str(row["code"])):
        region = one["region"] if len(one["region"]) == 2 else ""
        rows.append((one["code"], one["nom"], region, names[region] if region else ""))
    write("places_departments.csv", "Départements and their regions",
          ("department", "name", "region", "region_name"), rows)  # fmt: skip
    return {row[0]: row[2] for row in rows}


def write_places(new: Path, old: Path, communes: list[Record], departments: dict[str, str]) -> None:
    """Names of places as `place_key` writes them, with département and population."""
    found: dict[tuple[str, str], int] = {}

    def add(name: str, department: str, population: int) -> None:
        key = (place_key(name), department)
        found[key] = max(population, found.get(key, 0))

    known = {(one["nom"], department_of(one["code"])) for one in communes}
    for one in communes:
        add(one["nom"], department_of(one["code"]), one.get("population", 0))
    for one in former(new, old):
        department = department_of(one["code"])
        if (one["nom"], department) not in known and department in departments:
            add(one["nom"], department, one.get("population", ASSUMED_POPULATION))
    for name, department in groupings(new, {one["code"] for one in communes}):
        if (place_key(name), department) not in found:
            add(name, department, 0)  # told by its whole name only, never against a commune
    rows = [(name, department, size) for (name, department), size in found.items()]
    write("places.csv", "Communes, former communes, groupings; population of 2023 (former: 2016)",
          ("name", "department", "population"), sorted(rows))  # fmt: skip


def former(new: Path, old: Path) -> Iterator[Record]:
    """Communes that are no longer: those of 2019 first, which have a population."""
    kept = {"commune-deleguee", "commune-associee"}
    seen = set()
    old_rows = records(old, "communes")
    for one in (
        *(row for row in old_rows if row["type"] == "commune-actuelle"),
        *(row for row in records(new, "communes") if row["type"] in kept),
        *(row for row in old_rows if row["type"] in kept),
    ):
        if (one["nom"], one["code"]) not in seen:
            seen.add((one["nom"], one["code"]))
            yield one


def groupings(package: Path, communes: set[str]) -> Iterator[tuple[str, str]]:
    """EPCI and EPT, with and without their kind, in the département of most inhabitants."""
    for one in (*records(package, "epci"), *records(package, "ept")):
        sizes: dict[str, int] = defaultdict(int)
        for member in one["membres"]:
            if member["code"] in communes:
                sizes[department_of(member["code"])] += member.get("populationTotale") or 0
        if sizes:
            department = max(sizes, key=lambda code: (sizes[code], code))
            for name in (one["nom"], _KIND.sub("", one["nom"])):
                if len(place_key(name)) > 3:
                    yield name, department


def write_postcodes(communes: list[Record], departments: dict[str, str]) -> None:
    """Postcodes whose first digits do not tell the region, with all regions and inhabitants."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in communes:
        for postcode in one.get("codesPostaux", ()):
            sizes[postcode][department_of(one["code"])] += one.get("population") or 0
    rows = []
    for postcode, found in sorted(sizes.items()):
        by_digits = by_first_digits(postcode)
        if {departments.get(code) for code in found} != {departments.get(by_digits)} or (
            departments.get(by_digits) == "" and set(found) != {by_digits}
        ):
            rows += [(postcode, code, found[code]) for code in sorted(found)]
    write("places_postcodes.csv", "Postcodes whose first digits do not tell the region",
          ("postcode", "department", "population"), rows)  # fmt: skip


def by_first_digits(postcode: str) -> str:
    if postcode.startswith("20"):
        return "2A" if postcode[2] in "01" else "2B"
    return department_of(postcode)


def write(name: str, what: str, header: tuple[str, ...], rows: list[Any]) -> None:
    with (DATA / name).open("w", encoding="utf-8", newline="\n") as file:
        file.write(SOURCE.format(what=what) + "\n")
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows, {(DATA / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
