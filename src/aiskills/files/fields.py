"""Which column, or which place inside a nested column, gives each field of an offer."""

from __future__ import annotations

import ast
import json
import re
import tomllib
import unicodedata
import warnings
import weakref
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError, UsageError
from aiskills.files import limits
from aiskills.files.cells import as_text, nested_values, text_array
from aiskills.files.notes import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CANONICAL: Final[tuple[str, ...]] = (
    "id", "title", "description", "date", "company", "siret", "naf", "idcc", "sector_label",
    "rome", "function", "location", "commune", "postcode", "department", "region", "latitude",
    "longitude", "qualification", "contract", "experience", "source", "url",
)  # fmt: skip
"""The fields of an offer that the other rooms ask for."""

_GIVEN: Final = "given"
_GENERIC: Final = "generic"
_PARSED_SAMPLE: Final = 20  # cells of a sample that are parsed to see what is nested in a column
_MOST_ARROW_BYTES: Final = 2**31 - 1  # of one Arrow `string` array


class NoSuchColumnError(UsageError):
    """A mapping names a column that the table does not have."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where the fields of an offer are found in a table.

    Attributes:
        preset: Name of the preset that fitted (`france_travail`, `apec`, …, `generic`), or
            `given` when the user named columns.
        paths: Canonical field -> (column, then keys inside its nested value). Fields that the
            table lacks are absent.
    """

    preset: str
    paths: Mapping[str, tuple[str, ...]]
    _parsed: dict[str, tuple[weakref.ref[Any], list[Any]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", MappingProxyType(dict(self.paths)))

    def __reduce__(self) -> tuple[type[FieldMap], tuple[str, dict[str, tuple[str, ...]]]]:
        return FieldMap, (self.preset, dict(self.paths))  # what was parsed stays behind

    def __hash__(self) -> int:
        return hash((self.preset, tuple(self.paths.items())))

    def extract(self, table: pa.Table, field: str) -> pa.Array:
        """Return one field of every row.

        Text is given exactly as it stands in the cell (offsets into it hold), but for the tuple
        text of scrapes, `('48.78',)`, of which the content is given. Several values in a nested
        list are joined by `, `. Nested columns are parsed once a table, for the fields asked for.

        Args:
            table: Rows of the file this map was made for; a column may be absent.
            field: One of `CANONICAL`.

        Returns:
            Text, one value a row (`string`; `large_string` above 2 GB); null where the field is
            absent, empty or blank.

        Raises:
            UsageError: `field` is not canonical.
        """
        if field not in CANONICAL:
            raise _unknown_field(field)
        path = self.paths.get(field)
        if path is None or path[0] not in table.column_names:
            return pa.nulls(len(table), pa.string())
        if len(path) == 1:
            values = _unwrapped(_one_array(as_text(table.column(path[0]))))
        else:
            leaves = [_leaf(value, path[1:]) for value in self._nested(table, path[0])]
            if path[-1].casefold() in _NAMES:
                leaves = _or_plain(leaves, table.column(path[0]))
            values = text_array(leaves)
        blank = pc.or_(pc.equal(pc.binary_length(values), 0), pc.utf8_is_space(values))
        if not pc.any(blank).as_py():
            return values
        # Not pc.if_else over the texts: before Arrow 24 it mixes up those of a slice.
        gone = pc.fill_null(blank, fill_value=True).to_numpy(zero_copy_only=False)
        return values.take(pa.array(np.arange(len(values)), mask=gone))

    def _nested(self, table: pa.Table, column: str) -> list[Any]:
        known = self._parsed.get(column)
        if known is not None and known[0]() is table:
            return known[1]
        values = parse_nested(table.column(column))
        self._parsed[column] = (weakref.ref(table), values)
        return values


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        array = column.chunk(0)
    else:
        if column.nbytes > _MOST_ARROW_BYTES:
            column = column.cast(pa.large_string())
        array = column.combine_chunks()
    small = pa.types.is_large_string(array.type) and array.nbytes <= _MOST_ARROW_BYTES
    return array.cast(pa.string()) if small else array


_TUPLE: Final = re.compile(r"""\(\s*(['"])(.*)\1,\)""", re.DOTALL)


def _unwrapped(values: pa.Array) -> pa.Array:
    """Take the content out of tuple text, `('48.78',)`, which some scrapers write."""
    opened = pc.or_(pc.starts_with(values, "('"), pc.starts_with(values, '("'))
    if not pc.any(pc.and_(opened, pc.ends_with(values, ",)"))).as_py():
        return values
    return text_array(
        [
            found[2] if one is not None and (found := _TUPLE.fullmatch(one)) else one
            for one in values.to_pylist()
        ]
    )


def parse_nested(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a nested column as Python objects, one a row.

    Structs and lists are converted; text is read as JSON or as Python text
    (`{'libelle': 'Lyon'}`, as pandas writes it), each different text once. What is neither, or
    longer than `limits.MAX_NESTED_CHARS`, gives None.
    """
    if pa.types.is_nested(column.type):
        return nested_values(column)
    texts = as_text(column).to_pylist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes in literals are the file's business
        values = {text: _parse(text) for text in set(texts)}
    return [values[text] for text in texts]


_OPENS_NESTED: Final = frozenset("{[(")


def _parse(text: str | None) -> Any:
    if not text or len(text) > limits.MAX_NESTED_CHARS or text.lstrip()[:1] not in _OPENS_NESTED:
        return None
    python_first = bool(re.match(r"\s*[\[({]+\s*'", text))
    readers = (_python_text, _json_text) if python_first else (_json_text, _python_text)
    for read in readers:
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def _json_text(text: str) -> Any:
    return json.loads(text)


def _python_text(text: str) -> Any:
    # pandas writes missing values as nan, which is no literal
    return ast.literal_eval(re.sub(r"(?<=[:,\[(] )nan(?=[,}\])])", "None", text.strip()))


#: Keys under which a nested value keeps its name; a cell that holds no nested value is the name.
_NAMES: Final = frozenset({"nom", "name", "libelle", "label", "display_name"})


def _or_plain(leaves: list[str | None], column: pa.ChunkedArray) -> list[str | None]:
    """Names, also of cells that hold plain text where others of the column hold nested values."""
    if pa.types.is_nested(column.type):
        return leaves
    return [
        text if leaf is None and text and text.lstrip()[:1] not in _OPENS_NESTED else leaf
        for leaf, text in zip(leaves, as_text(column).to_pylist(), strict=True)
    ]


def _leaf(value: Any, path: Sequence[str]) -> str | None:
    for key in path:
        if isinstance(value, (list, tuple)):
            value = next((one for one in value if isinstance(one, dict)), None)
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    if isinstance(value, (list, tuple)):
        scalars = [_scalar(one) for one in value if not isinstance(one, (dict, list, tuple))]
        return ", ".join(one for one in scalars if one) or None
    return None if isinstance(value, dict) else _scalar(value)


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value != value else str(value)  # NaN


def find_fields(
    columns: Sequence[str],
    sample: pa.Table | None = None,
    mapping: Mapping[str, str] | None = None,
) -> FieldMap:
    """Say where each canonical field is found.

    The columns the user names come first, then the candidates of the first preset that fits, then
    the generic ones (`data/presets.toml`).

    Args:
        columns: Column names of the file.
        sample: Some of its rows, to see which columns hold nested values; None when unknown.
        mapping: Canonical field -> column, or `column.key` inside a nested one; an empty value
            leaves the field out.

    Raises:
        InputError: Neither a title nor a description can be told; the columns are listed.
        UsageError: `mapping` names an unknown field or a column that is not there.
    """
    finder = _Finder(columns, sample)
    paths: dict[str, tuple[str, ...]] = {}
    for name, wanted in (mapping or {}).items():
        if name not in CANONICAL:
            raise _unknown_field(name)
        if wanted:
            paths[name] = finder.named(name, wanted)
    preset = next(one for one in _presets() if finder.fits(one["columns"]))
    for one in (preset, _presets()[-1]):
        for name in CANONICAL:
            if name in paths or name in (mapping or {}):
                continue
            candidates = one["fields"].get(name, ())
            path = finder.first(candidates, sure=False)
            if path is None and one["name"] != _GENERIC:
                path = finder.first(candidates, sure=True)
            if path is not None:
                paths[name] = path
    if "title" not in paths and "description" not in paths:
        raise InputError(
            f"no column looks like the title or the text of an offer, among: {listing(columns)}",
            hint="Say which one it is, as in --map description=COLUMN.",
        )
    ordered = {name: paths[name] for name in CANONICAL if name in paths}
    return FieldMap(_GIVEN if mapping else preset["name"], ordered)


class _Finder:
    """Looks up candidates among the columns of one file."""

    def __init__(self, columns: Sequence[str], sample: pa.Table | None) -> None:
        self._columns = columns
        self._sample = sample
        self._by_fold: dict[str, str] = {}
        for name in columns:
            if folded := fold_name(name):
                self._by_fold.setdefault(folded, name)
        self._keys: dict[str, list[dict[str, Any]]] = {}

    def fits(self, columns: Sequence[str]) -> bool:
        return all(fold_name(name) in self._by_fold for name in columns)

    def first(self, candidates: Sequence[str], *, sure: bool) -> tuple[str, ...] | None:
        """Return the path of the first candidate that the file has."""
        found = (self.find(one, sure=sure) for one in candidates)
        return next((path for path in found if path), None)

    def find(self, candidate: str, *, sure: bool) -> tuple[str, ...] | None:
        """Return the path of a candidate, None when the file does not have it.

        Args:
            candidate: As in the presets.
            sure: Whether the nested keys are known to be those of this source, so that the sample
                need not show them (they may be missing in the first rows).
        """
        if column := self._by_fold.get(fold_name(candidate)):
            return (column,)
        name, _, inside = candidate.partition(".")
        column = self._by_fold.get(fold_name(name))
        if not inside or column is None:
            return None
        if self._sample is None or len(self._sample) == 0:
            return (column, *inside.split(".")) if sure else None
        path: list[str] = [column]
        values = self._objects(column)
        for wanted in inside.split("."):
            keys = {fold_name(key): key for one in values for key in one}
            key = keys.get(fold_name(wanted))
            if key is None and not (sure and self._objects(column)):
                return None
            path.append(key or wanted)
            values = _objects_in(one.get(path[-1]) for one in values)
        return tuple(path)

    def named(self, field: str, wanted: str) -> tuple[str, ...]:
        """Return the path the user names for a field: a column, or `column.key`."""
        if wanted in self._columns:
            return (wanted,)
        if path := self.find(wanted, sure=False):
            return path
        column, _, inside = wanted.partition(".")
        if inside and column in self._columns and self._objects(column):
            return (column, *inside.split("."))
        hint = did_you_mean(wanted, self._columns)
        raise NoSuchColumnError(
            f"{field}={wanted}: there is no column '{wanted}'",
            expected=f"one of {listing(self._columns)}",
            hint=hint,
        )

    def _objects(self, column: str) -> list[dict[str, Any]]:
        """Return the objects found in the first cells of a column."""
        if self._sample is None or column not in self._sample.column_names:
            return []
        if column not in self._keys:
            cells = self._sample.column(column).drop_null()[:_PARSED_SAMPLE]
            self._keys[column] = _objects_in(parse_nested(cells))
        return self._keys[column]


def _objects_in(values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for value in values:
        if isinstance(value, dict):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += [one for one in value if isinstance(one, dict)]
    return found


def is_offer(record: Mapping[str, Any]) -> bool:
    """Whether an object looks like one offer: it has a title and a text under known names."""
    generic = _presets()[-1]["fields"]
    folded = {fold_name(key) for key, value in record.items() if isinstance(value, str)}
    return all(
        any(fold_name(name) in folded for name in generic[field])
        for field in ("title", "description")
    )


@cache
def fold_name(name: str) -> str:
    """Return a column name in the form in which names are compared.

    >>> fold_name("Code Postal"), fold_name("lieuTravail.codePostal"), fold_name("Société")
    ('codepostal', 'lieutravailcodepostal', 'societe')
    """
    plain = unicodedata.normalize("NFKD", name.lower().replace("œ", "oe"))
    return "".join(one for one in plain if one.isalnum())


@cache
def _presets() -> tuple[dict[str, Any], ...]:
    text = files("aiskills").joinpath("data/presets.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["preset"])


def _unknown_field(name: str) -> UsageError:
    return UsageError(
        f"'{name}' is not a field of an offer",
        expected="one of " + ", ".join(CANONICAL),
        hint=did_you_mean(name, CANONICAL),
    )
