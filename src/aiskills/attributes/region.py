"""The region of offers: `ai_region` and what told it, `ai_region_basis`.

The 18 regions of the Code officiel géographique of 1 January 2026 (13 in metropolitan France with
Corse, 5 overseas) as `84 Auvergne-Rhône-Alpes`: names and vintage of the tables in
`aiskills.attributes.places`. Regions of before 2016 lie whole in those of today. What is no region
is told apart: `télétravail`, `France entière`, `étranger` (Monaco too), `outre-mer hors région`
(975, 977, 978, 984, 986 to 989), `inconnu`.

If the fields of an offer contradict each other, the most precise wins: INSEE commune, then a
postcode, then a département, then the name of a place, then a region; each code before any name,
and the field of its own before the same thing inside the location. Only the name of a country
abroad in the location wins over a French postcode (28001 Madrid). A region field chooses among
homonyms of the place named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.attributes.location import LocationReader
from aiskills.attributes.place_codes import NOTHING, Reading, Trust
from aiskills.attributes.places import (
    ABROAD,
    NATIONWIDE,
    OVERSEAS,
    REMOTE,
    UNKNOWN,
    Places,
)

#: The fields of an offer that `regions` reads; the first wins where two are equally precise.
REGION_FIELDS: Final = ("commune", "postcode", "department", "location", "region")
#: What `ai_region` may hold besides a region.
NO_REGION: Final = (REMOTE, NATIONWIDE, ABROAD, OVERSEAS, UNKNOWN)
#: What `ai_region_basis` may hold, for each `Trust`.
BASES: Final = ("commune", "postcode", "departement", "label", "unknown")

_BASIS_OF: Final = {
    Trust.COMMUNE: "commune",
    Trust.POSTCODE: "postcode",
    Trust.DEPARTMENT: "departement",
    Trust.ABROAD: "label",
    Trust.NAME: "label",
    Trust.REGION: "label",
    Trust.NO_PLACE: "label",
    Trust.UNKNOWN: "unknown",
}

_Codes = NDArray[np.int8]


def regions(fields: Mapping[str, pa.Array]) -> pa.Table:
    """Return the region of every offer.

    Args:
        fields: Canonical field -> one text an offer (null: absent), all of one length: `commune`
            (INSEE code), `postcode`, `department`, `region`, `location` (any writing). Fields may
            be missing; others (`latitude`, …) are not read.

    Returns:
        A table of two text columns without nulls, one row an offer: `ai_region` (a region or one
        of `NO_REGION`) and `ai_region_basis` (one of `BASES`: `label` is a name, `departement` a
        number or a name of one).
    """
    reader = LocationReader(Places.default())
    answers = (*Places.default().regions, *NO_REGION)
    number_of = {answer: number for number, answer in enumerate(answers)}
    rows = max((len(column) for column in fields.values()), default=0)
    given = {name: _encoded(fields[name]) for name in REGION_FIELDS if name in fields}
    found = np.full(rows, number_of[UNKNOWN], np.int8)
    trust = np.full(rows, Trust.UNKNOWN, np.int8)
    second = np.full(rows, number_of[UNKNOWN], np.int8)  # of a postcode that lies in two

    def take(readings: list[Reading], places: NDArray[np.int64]) -> tuple[_Codes, _Codes, _Codes]:
        return (
            np.array([number_of[one.region] for one in readings], np.int8)[places],
            np.array([one.trust for one in readings], np.int8)[places],
            np.array([number_of[one.other or UNKNOWN] for one in readings], np.int8)[places],
        )

    ways: dict[str, Callable[[str], Reading]] = {
        "commune": reader.commune,
        "postcode": reader.postcode,
        "department": reader.department,
        "region": reader.region,
    }
    read = {
        name: take([NOTHING if text is None else ways[name](text) for text in texts], places)
        for name, (texts, places) in given.items()
        if name in ways
    }
    if "location" in given:
        texts, places = given["location"]
        if "region" in read:
            texts, hints, places = _pairs(texts, places, read["region"][0])
            readings = [
                NOTHING if text is None else reader.read(text, hint=answers[hint])
                for text, hint in zip(texts, hints, strict=True)
            ]
        else:
            readings = [NOTHING if text is None else reader.read(text) for text in texts]
        read["location"] = take(readings, places)
    for name in REGION_FIELDS:
        if name in read:
            region, trusted, other = read[name]
            better = trusted < trust
            agrees = (second == region) & (region != number_of[UNKNOWN])
            found = np.where(better | agrees, region, found)
            trust = np.where(better, trusted, trust)
            second = np.where(better & ~agrees, other, second)
    words = pa.array([_BASIS_OF[one] for one in Trust])
    return pa.table(
        {
            "ai_region": pa.array(answers).take(pa.array(found)),
            "ai_region_basis": words.take(pa.array(trust)),
        }
    )


def region_of(
    location: str | None = None,
    *,
    commune: str | None = None,
    postcode: str | None = None,
    department: str | None = None,
    region: str | None = None,
) -> tuple[str, str]:
    """Return the region and the basis of one offer, as `regions` does for many.

    >>> region_of("69 - LYON 03")
    ('84 Auvergne-Rhône-Alpes', 'departement')
    >>> region_of("Vernon, Normandie, France")
    ('28 Normandie', 'label')
    """
    given = {
        "location": location,
        "commune": commune,
        "postcode": postcode,
        "department": department,
        "region": region,
    }
    table = regions({name: pa.array([text], pa.string()) for name, text in given.items()})
    return table["ai_region"][0].as_py(), table["ai_region_basis"][0].as_py()


def _encoded(column: pa.Array | pa.ChunkedArray) -> tuple[list[str | None], NDArray[np.int64]]:
    """Return the distinct texts of a column, None last, and which of them each row has."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    texts: list[str | None] = column.dictionary.to_pylist()
    places = pc.fill_null(column.indices.cast(pa.int64()), len(texts)).to_numpy()
    return [*texts, None], places


def _pairs(
    texts: list[str | None], places: NDArray[np.int64], hints: _Codes
) -> tuple[list[str | None], list[int], NDArray[np.int64]]:
    """Return the distinct pairs of a text and a hint, and which of them each row has."""
    most = int(hints.max(initial=0)) + 1
    pairs, back = np.unique(places * most + hints, return_inverse=True)
    return [texts[one] for one in pairs // most], [int(one) for one in pairs % most], back
