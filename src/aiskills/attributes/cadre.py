"""Cadre status of the post an offer describes, and what told it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.attributes.titles import (
    FoldedTexts,
    PhraseFinder,
    field,
    fold_texts,
    mapped,
    read_rows,
)
from aiskills.phrases import CueKind

#: Values of ``ai_cadre``; the position is the code inside this module.
STATUSES: Final = ("inconnu", "cadre", "assimile", "non_cadre")
#: Values of ``ai_cadre_basis``, the first that tells decides.
BASES: Final = ("contract", "text", "qualification", "forfait", "title", "rome", "unknown")

_UNKNOWN, _CADRE, _ASSIMILE, _NON_CADRE = range(4)
_CODE: Final = {status: code for code, status in enumerate(STATUSES)}
#: France Travail's `qualificationCode`: 1 manœuvre, 2 to 4 ouvrier, 5 and 6 employé, 7 technicien,
#: 8 agent de maîtrise, 9 cadre.
_QUALIFICATION_CODES: Final = {
    **dict.fromkeys("12345678", "non_cadre"),
    "9": "cadre",
    "A": "cadre",
    "A+": "cadre",
    "B": "non_cadre",
    "C": "non_cadre",
}
#: Between the labels of a qualification that names several.
_SEVERAL: Final = re.compile(r"[,;/|]| ou ")
_Codes = NDArray[np.uint8]


def cadre(
    fields: Mapping[str, pa.Array], cues: pa.Array, titles: FoldedTexts | None = None
) -> pa.Table:
    """Whether each post is a cadre's.

    The first of these that tells decides:

    1. ``contract``: a traineeship or apprenticeship, told by the contract or the title: not a
       cadre's, whatever the trade;
    2. ``text``: the offer says the status in words ("statut cadre", "non cadre", métallurgie F11
       and above …): what was written of this post weighs more than the box ticked on a form;
    3. ``qualification``: France Travail's codes 1 to 9 and labels, Apec's `Statut`, categories and
       corps of the civil service;
    4. ``forfait``: working time counted in days, which agents de maîtrise seldom have;
    5. ``title``: a trade whose posts are plainly cadres' or plainly not;
    6. ``rome``: ROME counts the trade among those that are not cadres'. That ROME counts a trade
       among cadres' settles nothing: of such offers that have a qualification and whose title does
       not tell, fewer than half are cadres'.

    An offer that names several statuses ("ETAM ou cadre") is left to what comes after.

    Args:
        fields: Canonical fields as text: `title`, `qualification`, `contract`, `rome`; any may be
            absent or null.
        cues: Kinds of the cues found in each offer's text, as `aiskills.phrases.kinds_text` gives
            them; as many as rows.
        titles: The folded titles, if they are at hand; they are folded here otherwise.

    Returns:
        `ai_cadre` (one of `STATUSES`) and `ai_cadre_basis` (one of `BASES`), no nulls.
    """
    rows = len(cues)
    words = _words()
    folded = fold_texts(field(fields, "title", rows)) if titles is None else titles
    told = {
        "contract": _trainees(fields, folded, words),
        "text": _from_cues(cues, _status_of),
        "qualification": _from_qualification(field(fields, "qualification", rows)),
        "forfait": _from_cues(cues, _forfait),
        "title": _codes(words.title.first(folded)),
        "rome": _from_rome(field(fields, "rome", rows)),
    }
    status = np.zeros(rows, dtype=np.uint8)
    basis = np.full(rows, BASES.index("unknown"), dtype=np.int8)
    for name, codes in told.items():
        new = (status == _UNKNOWN) & (codes != _UNKNOWN)
        status[new] = codes[new]
        basis[new] = BASES.index(name)
    return pa.table(
        {
            "ai_cadre": pa.array(STATUSES, pa.string()).take(pa.array(status)),
            "ai_cadre_basis": pa.array(BASES, pa.string()).take(pa.array(basis)),
        }
    )


def _trainees(fields: Mapping[str, pa.Array], folded: FoldedTexts, words: _Words) -> _Codes:
    contract = field(fields, "contract", len(folded)).dictionary_encode()
    kinds = words.contract.first(fold_texts(contract.dictionary))
    by_contract = _codes(kinds.take(contract.indices))
    by_title = _codes(words.trainee.first(folded))
    return np.maximum(by_contract, by_title)


def _from_cues(cues: pa.Array, tell: Callable[[set[str]], str | None]) -> _Codes:
    coded = cues.dictionary_encode()
    told = [tell(set((kinds or "").split("|"))) for kinds in coded.dictionary.to_pylist()]
    return _codes(pa.array(told, pa.string()).take(coded.indices))


def _status_of(kinds: set[str]) -> str | None:
    """Status that the text tells; none where it tells several."""
    marks = kinds & {CueKind.CADRE, CueKind.ASSIMILE, CueKind.NON_CADRE}
    return str(marks.pop()) if len(marks) == 1 else None


def _forfait(kinds: set[str]) -> str | None:
    return "cadre" if CueKind.FORFAIT in kinds and CueKind.NON_CADRE not in kinds else None


def _from_qualification(values: pa.Array) -> _Codes:
    coded = values.dictionary_encode()
    told = _qualified(coded.dictionary.to_pylist())
    return _codes(pa.array(told, pa.string()).take(coded.indices))


def _qualified(texts: Sequence[str]) -> list[str | None]:
    """Status that each qualification tells; none where it names posts of several."""
    # One corps or label at a time: "Attaché, Ingénieur" are both cadres, "Ingénieur, Technicien"
    # are not.
    parts = [(number, part) for number, text in enumerate(texts) for part in _SEVERAL.split(text)]
    folded = fold_texts(pa.array([part for _, part in parts], pa.string()))
    named: list[set[str]] = [set() for _ in texts]
    for (number, _), status in zip(
        parts, _words().qualification.first(folded).to_pylist(), strict=True
    ):
        if status is not None:
            named[number].add(status)
    return [
        _QUALIFICATION_CODES.get(text.strip().removesuffix(".0").upper())
        or (found.pop() if len(found) == 1 else None)
        for text, found in zip(texts, named, strict=True)
    ]


def _from_rome(values: pa.Array) -> _Codes:
    return _codes(mapped(values, dict.fromkeys(_trades_of_no_cadre(), "non_cadre")))


def _codes(statuses: pa.Array) -> _Codes:
    """Codes of statuses; that of `inconnu` for null."""
    coded = statuses.dictionary_encode()
    known = [_CODE[status] for status in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    codes: _Codes = np.array([*known, _UNKNOWN], dtype=np.uint8)[places]
    return codes


@dataclass(frozen=True, slots=True)
class _Words:
    contract: PhraseFinder
    trainee: PhraseFinder
    qualification: PhraseFinder
    title: PhraseFinder


@cache
def _words() -> _Words:
    rows: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows("cadre_words.csv"):
        rows.setdefault(row["field"], []).append((row["phrase"], row["status"]))
    return _Words(**{name: PhraseFinder(found) for name, found in rows.items()})


@cache
def _trades_of_no_cadre() -> frozenset[str]:
    return frozenset(row["rome"] for row in read_rows("rome_cadre.csv") if row["cadre"] == "no")
