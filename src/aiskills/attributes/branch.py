"""The branch of an offer's employer with basis and confidence, and two perimeters of industry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.attributes.branch_tables import (
    AMBIGUOUS,
    CERTAIN,
    HEAD_OFFICE,
    INTERMEDIARY,
    MAJORITY,
    METALLURGIE,
    NOTHING,
    OUTSIDE,
    UNKNOWN,
    Finding,
    branch_tables,
)
from aiskills.attributes.company import told_by_names
from aiskills.attributes.industry import METALLURGIE_DIVISIONS
from aiskills.attributes.naf import Naf2025
from aiskills.attributes.siret import SiretIdcc, parse_sirets

#: Columns of `branches`, with what each holds.
BRANCH_COLUMNS: Final = {
    "ai_branch": "OPCO 2i branch, hors OPCO 2i, siège, intermédiaire or inconnu",
    "ai_branch_basis": "idcc, siret, naf, sector_label, text, company or unknown",
    "ai_branch_confidence": "certain, majority or ambiguous; empty if the branch is unknown",
    "ai_branch_division": "division of the NAF within Métallurgie (24 to 30, 33); else empty",
    "ai_industry_opco2i": "whether OPCO 2i's perimeter holds the employer; empty if unknown",
    "ai_industry_insee": "whether INSEE's sections B to E hold it; empty if unknown",
}

_BASES: Final = ("idcc", "siret", "naf", "sector_label", "text", "company", "unknown")
_, _, _NAF, _LABEL, _TEXT, _COMPANY, _NONE = range(len(_BASES))
_CONFIDENCES: Final = (CERTAIN, MAJORITY, AMBIGUOUS, "")
_MAJORITY, _AMBIGUOUS = _CONFIDENCES.index(MAJORITY), _CONFIDENCES.index(AMBIGUOUS)
_DIVISIONS: Final = (*METALLURGIE_DIVISIONS.values(), "")
_SPECIAL: Final = (OUTSIDE, HEAD_OFFICE, INTERMEDIARY, UNKNOWN)
_UNSAID: Final = -1  # of a boolean that is not known
#: What to divide a NAF code's four digits by to keep its levels: 2 division, 3 group, 4 class.
_CUT: Final = np.array([10**4, 10**4, 100, 10, 1, 1])


#: What one field says of one row, as numbers: positions among the values of ``ai_branch``, in
#: `_CONFIDENCES` and in `_DIVISIONS`; 1, 0 or -1 (not known) for the perimeters; the digits of the
#: NAF rev. 2 code filled up to four, and its levels, 2 (division) to 5 (sub-class), 0 without one.
_SAID: Final = np.dtype(
    [
        (name, np.int16)
        for name in ("branch", "confidence", "opco2i", "insee", "division", "digits", "depth")
    ]
)


def branches(
    fields: Mapping[str, pa.Array],
    *,
    intermediary: pa.Array | None = None,
    cues: pa.Array | None = None,
    siret_idcc: SiretIdcc | None = None,
    naf2025: Naf2025 | None = None,
) -> pa.Table:
    """Tell the branch of each offer's employer.

    What wins where fields disagree:

    1. An intermediary is never silently industrial: where the NAF code (or INSEE's label of one,
       in the sector column) is 78.xx, or the text tells one, the branch is `intermédiaire`
       whatever else is known, since the other fields may be the agency's own. Where the employer's
       name tells one, it is too, unless an agreement is known.
    2. Else the first that names a branch of: the agreement stated (`idcc`), the one of the SIRET
       in the user's file, the NAF code, the sector label, what the text says that the employer
       makes or is, general words in its name. A head office (70.10Z, 64.20Z) is `siège` unless an
       agreement tells more.
    3. Where the NAF code stops above the sub-class (`25`, as France Travail writes it) and the
       sector label is INSEE's title of a class inside it, the label refines it.
    4. A code is a presumption, what the employer says of itself is not: where the text names
       another branch than code or label, its branch counts, `ambiguous`; where it names the same,
       an `ambiguous` code becomes `majority`. Text and name that disagree are `ambiguous`.

    Both perimeters are unknown for `siège` and `intermédiaire`: their code is not that of the
    plant or office that the post serves. INSEE's perimeter follows the NAF code where there is
    one, else the label, else the branch where all of it lies on one side.

    Args:
        fields: Text arrays of one length under the names idcc, siret, naf, sector_label and
            company, null where absent; a missing name is all null, others are not looked at.
        intermediary: True where the text tells that the offer is an intermediary's ("notre
            client"); None if that was not looked for.
        cues: For each offer the kinds of cues in its text, as `aiskills.phrases.kinds_text` gives
            them, of which those of a branch are read; None if they were not looked for.
        siret_idcc: The user's table of establishments, see `read_siret_idcc`.
        naf2025: INSEE's correspondence, see `read_naf2025`; without it a NAF 2025 code is read by
            its division, `ambiguous`.

    Returns:
        The columns of `BRANCH_COLUMNS`, one row an offer. Texts are never null (empty where there
        is nothing to say), the two perimeters are null where not known.
    """
    tables = branch_tables()
    values = (*tables.branches, *_SPECIAL)
    number = {value: place for place, value in enumerate(values)}
    given = [*fields.values(), intermediary, cues]
    n_rows = next((len(one) for one in given if one is not None), 0)

    def column(texts: pa.Array | None, read: Callable[[str], Finding]) -> NDArray[np.void]:
        if texts is None:
            return np.repeat(_encode([NOTHING], number), n_rows)
        coded = _one_array(texts).dictionary_encode()
        found = _encode([*(read(text) for text in coded.dictionary.to_pylist()), NOTHING], number)
        return found[_places(coded)]

    naf = column(fields.get("naf"), lambda text: tables.of_naf_text(text, naf2025))
    label = column(fields.get("sector_label"), tables.of_label)
    names = fields.get("company")
    name = column(None if names is None else told_by_names(_one_array(names)), tables.of_id)
    text = column(cues, tables.of_cues)
    sirets = column(None, tables.of_id)
    if siret_idcc is not None and fields.get("siret") is not None:
        sirets = _of_sirets(_one_array(fields["siret"]), siret_idcc, number)
    if intermediary is not None:
        text[_flags(intermediary)] = _encode([Finding(INTERMEDIARY, MAJORITY)], number)[0]
    nothing = column(None, tables.of_id)
    idcc = column(fields.get("idcc"), tables.of_idcc_text)
    every = np.stack([idcc, sirets, naf, label, text, name, nothing])
    basis, chosen = _chosen(every, number)

    agency, office = number[INTERMEDIARY], number[HEAD_OFFICE]
    away = np.isin(chosen["branch"], [agency, office])
    opco2i = _first_known(chosen["opco2i"], naf["opco2i"], label["opco2i"], text["opco2i"])
    by_title = np.where(label["depth"] > 0, label["insee"], _UNSAID)
    insee = _first_known(naf["insee"], by_title, chosen["insee"], label["insee"])
    opco2i[away] = insee[away] = _UNSAID
    none = len(_DIVISIONS) - 1
    division = np.where(naf["division"] != none, naf["division"], label["division"])
    division[chosen["branch"] != number[METALLURGIE]] = none
    return pa.table(
        [
            _texts(values, chosen["branch"]),
            _texts(_BASES, basis),
            _texts(_CONFIDENCES, chosen["confidence"]),
            _texts(_DIVISIONS, division),
            _booleans(opco2i),
            _booleans(insee),
        ],
        names=list(BRANCH_COLUMNS),
    )


def _chosen(
    every: NDArray[np.void], number: Mapping[str, int]
) -> tuple[NDArray[np.intp], NDArray[np.void]]:
    """Which basis counts for each row, and what it says, after the rules of `branches`.

    Args:
        every: What each basis says of each row, bases x rows.
        number: Number of each value of ``ai_branch``.
    """
    agency, office = number[INTERMEDIARY], number[HEAD_OFFICE]
    naf, label, text, name = (every[one] for one in (_NAF, _LABEL, _TEXT, _COMPANY))
    rows = np.arange(every.shape[1])
    tells = every["branch"] != number[UNKNOWN]
    tells[_NONE] = True
    basis = tells.argmax(axis=0)  # the first that names a branch
    basis[(basis == _NAF) & _refines(label, naf)] = _LABEL
    basis[(name["branch"] == agency) & (basis >= _NAF)] = _COMPANY

    # Code or label beside a text that tells something: siège and intermédiaire stay what they are.
    code = every[basis, rows]["branch"]
    beside = np.isin(basis, [_NAF, _LABEL]) & ~np.isin(code, [agency, office]) & tells[_TEXT]
    agrees = beside & (code == text["branch"])
    differs = beside & ~agrees
    basis[differs | (text["branch"] == agency)] = _TEXT
    differs |= (basis == _TEXT) & tells[_COMPANY] & (name["branch"] != text["branch"])

    basis[(label["branch"] == agency) & (label["depth"] > 0)] = _LABEL
    basis[naf["branch"] == agency] = _NAF
    chosen = every[basis, rows]
    chosen["confidence"][agrees & (chosen["confidence"] == _AMBIGUOUS)] = _MAJORITY
    chosen["confidence"][differs & (chosen["branch"] != agency)] = _AMBIGUOUS
    return basis, chosen


def _encode(found: Sequence[Finding], number: Mapping[str, int]) -> NDArray[np.void]:
    divisions = {title[:2]: place for place, title in enumerate(_DIVISIONS) if title}
    return np.array(
        [
            (
                number[one.branch],
                _CONFIDENCES.index(one.confidence),
                _UNSAID if one.opco2i is None else one.opco2i,
                _UNSAID if one.insee is None else one.insee,
                divisions.get(one.division, len(_DIVISIONS) - 1),
                int(one.naf[:5].replace(".", "").ljust(4, "0")),
                len(one.naf.replace(".", "")),
            )
            for one in found
        ],
        _SAID,
    )


def _of_sirets(texts: pa.Array, known: SiretIdcc, number: Mapping[str, int]) -> NDArray[np.void]:
    """What the user's file says of each SIRET or SIREN.

    Certain by the establishment's sole agreement, majority by that of more than half of the
    company's establishments, else ambiguous.
    """
    coded = texts.dictionary_encode()
    idccs, own, shares = known.look_up(parse_sirets(coded.dictionary))
    distinct, inverse = np.unique(idccs, return_inverse=True)
    found = _encode([branch_tables().of_idcc(int(one)) for one in distinct], number)[inverse]
    sure = np.where(own, shares == 1, False)
    level = np.where(sure, 0, np.where(~own & (shares > 1 / 2), 1, 2))
    found["confidence"] = np.maximum(found["confidence"], level)
    return np.append(found, _encode([NOTHING], number))[_places(coded)]


def _refines(label: NDArray[np.void], naf: NDArray[np.void]) -> NDArray[np.bool_]:
    """Where the label is INSEE's title of a class inside the one that the NAF code names."""
    cut = _CUT[naf["depth"]]
    inside = label["digits"] // cut == naf["digits"] // cut
    refined: NDArray[np.bool_] = inside & (naf["depth"] > 0) & (label["depth"] > naf["depth"])
    return refined


def _one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _places(coded: pa.DictionaryArray) -> NDArray[np.intp]:
    """Position of each row's value in the dictionary, one behind its end for null."""
    filled = coded.indices.fill_null(len(coded.dictionary))
    places: NDArray[np.intp] = filled.to_numpy(zero_copy_only=False)
    return places


def _flags(values: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = _one_array(values).fill_null(False).to_numpy(zero_copy_only=False)
    return flags


def _first_known(*columns: NDArray[np.int16]) -> NDArray[np.int16]:
    found = columns[0].copy()
    for one in columns[1:]:
        found = np.where(found == _UNSAID, one, found)
    return found


def _texts(values: Sequence[str], places: NDArray[np.integer]) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(places))


def _booleans(column: NDArray[np.int16]) -> pa.Array:
    return pa.array(column == 1, pa.bool_(), mask=column == _UNSAID)
