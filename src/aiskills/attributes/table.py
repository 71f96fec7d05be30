"""All attributes of a table of offers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.attributes.branch import branches
from aiskills.attributes.cadre import cadre
from aiskills.attributes.function import functions
from aiskills.attributes.naf import read_naf2025
from aiskills.attributes.period import periods
from aiskills.attributes.region import regions
from aiskills.attributes.siret import SiretIdcc, read_siret_idcc
from aiskills.attributes.titles import fold_texts
from aiskills.phrases import CueKind

#: The canonical fields that attributes are told from.
ATTRIBUTE_FIELDS: Final = (
    *("title", "contract", "qualification", "rome", "function", "date"),
    *("idcc", "siret", "naf", "sector_label", "company"),
    *("commune", "postcode", "department", "region", "location"),
)


@dataclass(frozen=True, slots=True)
class OwnTables:
    """Files of the user that tell branches better than the shipped tables can.

    Attributes:
        siret_idcc: Path of a file of establishments and their agreement; None without one.
        naf2025: Path of INSEE's correspondence of NAF 2025 and NAF rev. 2; None without one.
    """

    siret_idcc: str | None = None
    naf2025: str | None = None


def attributes(
    fields: Mapping[str, pa.Array], cues: pa.Array, own: OwnTables | None = None
) -> pa.Table:
    """Branch, region, function, cadre status and period of offers.

    Args:
        fields: Text arrays of one length by the names in `ATTRIBUTE_FIELDS`; null where a field is
            empty. ``title`` must be there, others may be missing.
        cues: For each offer the kinds of cues that its text holds, joined by ``|``
            (`aiskills.phrases.kinds_text`).
        own: The user's own tables.

    Returns:
        A row an offer, with the columns of `branches`, `regions`, `functions` and `cadre`, and
        ``ai_period``.
    """
    own = own or OwnTables()
    titles = fold_texts(fields["title"])
    parts = (
        branches(
            fields,
            intermediary=pc.match_substring(cues, CueKind.INTERMEDIARY.value),
            cues=cues,
            siret_idcc=_siret_idcc(own.siret_idcc, _stamp(own.siret_idcc)),
            naf2025=_naf2025(own.naf2025, _stamp(own.naf2025)),
        ),
        regions(fields),
        functions(fields, titles),
        cadre(fields, cues, titles),
    )
    columns = {name: part.column(name) for part in parts for name in part.column_names}
    dates = fields.get("date", pa.nulls(len(cues), pa.string()))
    return pa.table({**columns, "ai_period": periods(dates)})


def _stamp(path: str | None) -> tuple[int, int] | None:
    """What changes when a file does, so that an edited table is read again."""
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None


@lru_cache(maxsize=1)
def _siret_idcc(path: str | None, _stamp: tuple[int, int] | None) -> SiretIdcc | None:
    return read_siret_idcc(path) if path else None


@lru_cache(maxsize=1)
def _naf2025(path: str | None, _stamp: tuple[int, int] | None) -> dict[str, tuple[str, ...]] | None:
    return read_naf2025(path) if path else None
