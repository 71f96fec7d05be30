"""Apec's ten families of functions, and their second level, of the post an offer describes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.attributes.title_model import TitleModel, read_model
from aiskills.attributes.titles import FoldedTexts, field, fold_texts, read_rows
from aiskills.text import fold_batch

#: Values of ``ai_function_basis``, the first that tells decides.
BASES: Final = ("code", "label", "rome", "title", "unknown")
#: In the tables and in the model: a trade outside the ten families.
OUTSIDE: Final = "-"
_TITLE_TELLS: Final = "?"
#: Length of a ROME code.
_ROME_CHARS: Final = 5
_CODE: Final = re.compile(r"\s*(0?[1-9]|10)\s*([A-H])?\b", re.IGNORECASE)
#: Offers passed on from Apec carry the function's name behind the title: "… F/H - Maintenance,
#: sécurité".
_BEHIND_TITLE: Final = r"^.* - (?P<end>[^0-9]{8,60})$"


@dataclass(frozen=True, slots=True)
class Function:
    """A function of Apec's list.

    Attributes:
        code: Two digits of the family, and the letter of the second level if there is one.
        family: Name of the family, in French.
        subfunction: Name of the second level; empty for a family.
    """

    code: str
    family: str
    subfunction: str


def functions(fields: Mapping[str, pa.Array], titles: FoldedTexts | None = None) -> pa.Table:
    """The function of each post.

    The first of these that tells decides:

    1. ``code``: Apec's code in the field `function` (``04A``, ``10``);
    2. ``label``: the name of one of Apec's functions in that field, or behind the title where
       partners of Apec write it;
    3. ``rome``: the trade's code in ROME, by ``data/rome_function.csv``; some codes hold trades of
       several families and are left to the title;
    4. ``title``: a linear model over the words of the title, where it is sure enough.

    Args:
        fields: Canonical fields as text: `title`, `function`, `rome`; any may be absent or null.
            At least one must be there, or `titles`.
        titles: The folded titles, if they are at hand; they are folded here otherwise.

    Returns:
        `ai_function` (name of a family), `ai_subfunction` (name of the second level) and
        `ai_function_basis` (one of `BASES`). Function and second level are empty where unknown; a
        trade outside Apec's families (cook, cleaner, farm hand …) has an empty function and the
        basis that told it.
    """
    rows = len(titles) if titles is not None else max(map(len, fields.values()), default=0)
    given = field(fields, "title", rows)
    folded = fold_texts(given) if titles is None else titles
    by_code, by_label = _from_field(field(fields, "function", rows))
    told = {
        "code": by_code,
        "label": _first(by_label, from_title_end(given)),
        "rome": _from_rome(field(fields, "rome", rows)),
    }
    told["title"] = _from_titles(folded, told.values())
    basis = np.full(rows, BASES.index("unknown"), dtype=np.int64)
    for place, name in reversed(list(enumerate(told))):
        basis[told[name].is_valid().to_numpy(zero_copy_only=False)] = place
    # One column after another: row i of column b is at b x rows + i.
    columns = [values.cast(pa.string()) for values in (*told.values(), pa.nulls(rows))]
    codes = pa.chunked_array(columns).take(pa.array(basis * rows + np.arange(rows)))
    return _named(codes.combine_chunks(), basis)


def _named(codes: pa.Array, basis: np.typing.NDArray[np.int64]) -> pa.Table:
    coded = codes.dictionary_encode()
    known = [all_functions().get(code) for code in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(known))
    families = [one.family if one else "" for one in known]
    seconds = [one.subfunction if one else "" for one in known]
    return pa.table(
        {
            "ai_function": pa.array([*families, ""], pa.string()).take(places),
            "ai_subfunction": pa.array([*seconds, ""], pa.string()).take(places),
            "ai_function_basis": pa.array(BASES, pa.string()).take(pa.array(basis)),
        }
    )


@cache
def all_functions() -> dict[str, Function]:
    """Apec's functions by code, families and second levels."""
    return {
        row["code"]: Function(row["code"], row["family"], row["subfunction"])
        for row in read_rows("functions.csv")
    }


@cache
def _labels() -> dict[bytes, str]:
    """Codes by folded name; where a family and a second level share it, the first counts."""
    names: list[str] = []
    codes: list[str] = []
    for row in read_rows("functions.csv"):
        forms = (row["subfunction"] or row["family"], *filter(None, row["aliases"].split("|")))
        names += forms
        codes += [row["code"]] * len(forms)
    # The first of equal names is written last.
    return dict(reversed(list(zip(_plain(names), codes, strict=True))))


def _plain(labels: Sequence[str]) -> list[bytes]:
    """Labels folded, without marks."""
    return [
        b" ".join(word for word in folded.text.split() if word.isalnum())
        for folded in fold_batch(labels)
    ]


def _from_field(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Codes that the field `function` holds as such, and as names."""
    coded = values.dictionary_encode()
    given = coded.dictionary.to_pylist()
    codes = pa.array([_code(text) for text in given], pa.string())
    labels = pa.array([_labels().get(name) for name in _plain(given)], pa.string())
    return codes.take(coded.indices), labels.take(coded.indices)


def _code(text: str) -> str | None:
    match = _CODE.match(text)
    if match is None:
        return None
    code = match[1].zfill(2) + (match[2] or "").upper()
    return code if code in all_functions() else None


def from_title_end(titles: pa.Array) -> pa.Array:
    """Codes of the functions named behind titles."""
    # Few titles have a dash, and the pattern costs ten times what finding one does.
    dashed = pc.fill_null(pc.match_substring(titles, " - "), False).to_numpy(zero_copy_only=False)
    some = titles.filter(pa.array(dashed))
    end = pc.struct_field(pc.extract_regex(some, _BEHIND_TITLE), "end")
    coded = end.dictionary_encode()
    labels = [label.removesuffix("(H/F)") for label in coded.dictionary.to_pylist()]
    # One word is too little: "Comptable - Commercial" names no function of Apec.
    known = [_labels().get(name) if b" " in name else None for name in _plain(labels)]
    told = pa.array(known, pa.string()).take(coded.indices)
    places = np.where(dashed, np.cumsum(dashed) - 1, 0)
    return told.take(pa.array(places, mask=~dashed))


def _from_rome(values: pa.Array) -> pa.Array:
    coded = values.dictionary_encode()
    known = [function_of_rome(code) for code in coded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(coded.indices)


def _from_titles(titles: FoldedTexts, before: Iterable[pa.Array]) -> pa.Array:
    """What titles tell where nothing before them told; the model is the dearest to ask."""
    silent = np.ones(len(titles), dtype=bool)
    for values in before:
        silent &= values.is_null().to_numpy(zero_copy_only=False)
    places = np.where(silent, np.cumsum(silent) - 1, 0)
    said = _model().functions(titles.only(silent))
    return said.take(pa.array(places, mask=~silent))


def function_of_rome(rome: str) -> str | None:
    """The function of a ROME code.

    Returns:
        A code of `all_functions`, `OUTSIDE` for a trade of none, None where ROME does not tell.

    Examples:
        >>> function_of_rome("I1304"), function_of_rome("G1602"), function_of_rome("M1403")
        ('10D', '-', None)
    """
    code = rome.strip().upper()
    table = _rome_table()
    for letters in range(min(len(code), _ROME_CHARS), 0, -1):
        found = table.get(code[:letters])
        if found is not None:
            return None if found == _TITLE_TELLS else found
    return None


@cache
def _rome_table() -> dict[str, str]:
    return {row["rome"]: row["function"] for row in read_rows("rome_function.csv")}


def _first(one: pa.Array, other: pa.Array) -> pa.Array:
    """The value of the first array, of the second where that is null."""
    rows = len(one)
    missing = one.is_null().to_numpy(zero_copy_only=False)
    both = pa.chunked_array([one, other])
    return both.take(pa.array(np.arange(rows) + missing * rows)).combine_chunks()


@cache
def _model() -> TitleModel:
    return read_model()
