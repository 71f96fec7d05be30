"""INSEE's industry (sections B to E) and the cut of Métallurgie by division of the NAF."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from aiskills.attributes.naf import NafCode, parse_naf

#: Divisions 05 to 39 of NAF rev. 2 are sections B (extraction), C (manufacturing), D (energy) and
#: E (water, waste); 34 and 40 do not exist. The same holds in NAF 2025.
_FIRST_INDUSTRY, _LAST_INDUSTRY = 5, 39

#: The divisions that make up Métallurgie, with INSEE's titles (NAF rev. 2, 2008).
METALLURGIE_DIVISIONS: Final = {
    "24": "24 Métallurgie",
    "25": "25 Fabrication de produits métalliques, à l'exception des machines et des équipements",
    "26": "26 Fabrication de produits informatiques, électroniques et optiques",
    "27": "27 Fabrication d'équipements électriques",
    "28": "28 Fabrication de machines et équipements n.c.a.",
    "29": "29 Industrie automobile",
    "30": "30 Fabrication d'autres matériels de transport",
    "33": "33 Réparation et installation de machines et d'équipements",
}


def is_insee_industry(code: NafCode) -> bool:
    """Whether a code belongs to sections B to E, whatever its version and level."""
    return _FIRST_INDUSTRY <= int(code.division) <= _LAST_INDUSTRY


def metallurgie_division(naf: pa.Array) -> pa.Array:
    """The cut of Métallurgie by division of the NAF, 24 to 30 and 33.

    A few sub-classes of these divisions are of other branches (24.42Z and 26.80Z Chimie, 30.12Z
    Industries et services nautiques): keep the rows whose branch is Métallurgie, as `branches`
    does.

    Args:
        naf: NAF codes in any writing and version, null where absent.

    Returns:
        `30 Fabrication d'autres matériels de transport` and the like; an empty string for other
        divisions, unreadable codes and null.
    """
    coded = naf.dictionary_encode()
    titles = []
    for text in coded.dictionary.to_pylist():
        code = parse_naf(text)
        titles.append(METALLURGIE_DIVISIONS.get(code.division, "") if code else "")
    places = coded.indices.fill_null(len(titles))
    return pa.array([*titles, ""], pa.string()).take(places)
