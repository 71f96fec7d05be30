"""The other columns of a file of offers: dates, codes, places, qualification, with their gaps."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.simulate.layout import descriptions, title_texts
from aiskills.simulate.pools import Floats
from aiskills.simulate.truth import DATES, Rows, World

#: Columns of the file, in order, named as a flattened answer of France Travail's API.
OFFER_COLUMNS: Final = (
    *("id", "intitule", "description", "dateCreation", "entreprise_nom", "codeNAF"),
    *("secteurActiviteLibelle", "romeCode", "lieuTravail_libelle", "lieuTravail_codePostal"),
    *("qualificationLibelle", "typeContrat", "experienceLibelle", "source"),
)
_SOURCES: Final = ("site emploi", "portail", "agrégateur", "partenaire", "école")
_SOURCE_PARTS: Final = (0.4, 0.25, 0.2, 0.1, 0.05)
#: Sources whose NAF codes have no dot.
_WITHOUT_DOT: Final = (1, 3)
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"),
    *("octobre", "novembre", "décembre"),
)
_NO_PLACE: Final = ("France entière", "Télétravail", "")
_HEAD_OFFICE: Final = "70.10Z"
_QUALIFICATIONS: Final = (
    "Cadre",
    "Technicien",
    "Agent de maîtrise",
    "Employé qualifié",
    "Ouvrier qualifié (P3,P4,OHQ)",
)
_CONTRACTS: Final = ("CDI", "CDD", "Intérim")
_EXPERIENCES: Final = ("Débutant accepté", "1 an", "2 ans", "3 ans", "5 ans", "")
#: Families in which offers that are no cadre's are workers' rather than employees'.
_WORKERS: Final = ("Production industrielle, travaux, chantiers", "Services techniques")


def offers_table(world: World, rows: Rows) -> pa.Table:
    """Rows as a file of offers has them, without the ids, which the stream adds."""
    u = rows["fields"]
    missing = {name: world.parameters.number(f"missing.{name}") for name in _GAPS}
    gap = {name: u[:, place] < missing[name] for name, place in _GAPS.items()}
    source = np.searchsorted(np.cumsum(_SOURCE_PARTS), u[:, 5], side="right").clip(0, 4)
    naf = _nafs(world, rows)
    return pa.table(
        {
            "intitule": title_texts(world, rows),
            "description": descriptions(world, rows),
            "dateCreation": _dates(rows["day"], source, u[:, 6]),
            "entreprise_nom": _companies(world, rows),
            "codeNAF": _without(_written(naf, source), gap["naf"]),
            "secteurActiviteLibelle": _without(_labels(naf), gap["naf"]),
            "romeCode": _without(_romes(world, rows), gap["rome"]),
            "lieuTravail_libelle": _places(world, rows, gap["place"]),
            "lieuTravail_codePostal": _without(
                _postcodes(world, rows), gap["postcode"] | gap["place"]
            ),
            "qualificationLibelle": _without(_qualifications(world, rows), gap["qualification"]),
            "typeContrat": _chosen(_CONTRACTS, np.where(rows["cadre"], 0.94, 0.7), u[:, 8]),
            "experienceLibelle": pa.array(_EXPERIENCES, pa.string()).take(
                pa.array((u[:, 9] * len(_EXPERIENCES)).astype(np.int64))
            ),
            "source": pa.array(_SOURCES, pa.string()).take(pa.array(source)),
        }
    )


#: Fields that may be missing, and the draw that decides.
_GAPS: Final = {"naf": 0, "rome": 1, "postcode": 2, "qualification": 3, "place": 4}


def _without(texts: pa.Array, where: NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(where), pa.scalar("", pa.string()), texts)


def _chosen(names: tuple[str, ...], first: Floats, u: Floats) -> pa.Array:
    """The first name with probability `first`, else one of the others."""
    scaled = (u - first) / np.maximum(1 - first, 1e-9) * (len(names) - 1)
    place = np.where(u < first, 0, 1 + scaled.astype(np.int64))
    return pa.array(names, pa.string()).take(pa.array(place.clip(0, len(names) - 1)))


@cache
def _date_forms() -> pa.Array:
    """Every day of the window in every form, form after form."""

    def written(day: date) -> str:
        return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"

    forms = [
        [f"{day.isoformat()}T08:{day.day:02}:00.000Z" for day in DATES],
        [day.strftime("%d/%m/%Y") for day in DATES],
        [day.isoformat() for day in DATES],
        [written(day) for day in DATES],
        [day.strftime("%Y%m%d") for day in DATES],
    ]
    return pa.array([one for form in forms for one in form], pa.string())


def _dates(day: NDArray[np.generic], source: NDArray[np.int64], u: Floats) -> pa.Array:
    """Dates, each source in its form; one in fifty is missing where the source is the last."""
    dates = _date_forms().take(pa.array(source * len(DATES) + day.astype(np.int64)))
    return _without(dates, (source == len(_SOURCES) - 1) & (u < 0.02))


def _companies(world: World, rows: Rows) -> pa.Array:
    employers, agencies = world.employers.names, world.employers.agencies
    names = pa.concat_arrays([pa.array([""], pa.string()), employers, agencies])
    place = np.select(
        [rows["agency"] >= 0, rows["anonymous"].astype(bool)],
        [1 + len(employers) + rows["agency"], 0],
        1 + rows["employer"],
    )
    return names.take(pa.array(place))


def _nafs(world: World, rows: Rows) -> pa.Array:
    """NAF codes as the files have them: an agency's or a head office's is its own."""
    employers = world.employers
    codes = pa.concat_arrays([employers.naf, employers.agency_naf, pa.array([_HEAD_OFFICE])])
    own = np.where(rows["other_naf"] >= 0, rows["other_naf"], rows["employer"])
    place = np.select(
        [rows["agency"] >= 0, rows["head_office"].astype(bool)],
        [len(employers.naf) + rows["agency"], len(codes) - 1],
        own,
    )
    return codes.take(pa.array(place))


def _written(naf: pa.Array, source: NDArray[np.int64]) -> pa.Array:
    bare = pa.array(np.isin(source, _WITHOUT_DOT))
    return pc.if_else(bare, pc.replace_substring(naf, ".", ""), naf)


def _labels(naf: pa.Array) -> pa.Array:
    coded = naf.dictionary_encode()
    names = [_label_of().get(code, "") for code in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


@cache
def _label_of() -> dict[str, str]:
    text = (resources.files("aiskills") / "data" / "naf_branch.csv").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {row["naf"]: row["label_fr"] for row in csv.DictReader(lines, delimiter=";")}


def _romes(world: World, rows: Rows) -> pa.Array:
    codes = pa.array([title.rome for title in world.stock.titles], pa.string())
    return codes.take(pa.array(rows["title"]))


def _places(world: World, rows: Rows, gap: NDArray[np.bool_]) -> pa.Array:
    """Places in the forms of real files."""
    towns = world.places.towns
    forms = [
        [f"{t['department']} - {t['name'].upper()}" for t in towns],
        [f"{t['department']} - {t['name']}" for t in towns],
        [f"{t['name']} ({t['department']})" for t in towns],
        [t["name"] for t in towns],
        [f"{t['name']} - {t['department']}" for t in towns],
        [f"{t['name']}, {t['region'][3:]}, France" for t in towns],
        [t["region"][3:] for t in towns],
        [f"{t['name']} Cedex" for t in towns],
    ]
    texts = pa.array([*(one for form in forms for one in form), *_NO_PLACE], pa.string())
    u = rows["fields"][:, 10]
    form = (u * len(forms)).astype(np.int64) * len(towns) + rows["town"]
    none = len(forms) * len(towns) + (u * len(_NO_PLACE)).astype(np.int64)
    return texts.take(pa.array(np.where(gap, none, form)))


def _postcodes(world: World, rows: Rows) -> pa.Array:
    codes = pa.array([town["postcode"] for town in world.places.towns], pa.string())
    return codes.take(pa.array(rows["town"]))


def _qualifications(world: World, rows: Rows) -> pa.Array:
    u = rows["fields"][:, 7]
    workers = np.isin(rows["family"], [world.families.index(name) for name in _WORKERS])
    others = np.where(workers, 1 + 3 * (u < 0.6), 1 + (u * 3).astype(np.int64))
    place = np.where(rows["cadre"], 0, others)
    return pa.array(_QUALIFICATIONS, pa.string()).take(pa.array(place))
