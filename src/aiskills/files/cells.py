"""Cells and columns: any Arrow column as text, names made unique, texts made encodable."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError
from aiskills.files import limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON_TEXT: Final = {b"aiskills": b"json"}
"""Metadata of a text field whose every cell is JSON text: written to JSONL as it is, not quoted."""

_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str
).encode


def is_json_text(field: pa.Field) -> bool:
    """Whether the cells of a text field are JSON text."""
    return bool(field.metadata) and field.metadata.get(b"aiskills") == b"json"


def compact_json(value: object) -> str:
    """Return a value as JSON text without blanks; NaN and infinities become null."""
    try:
        return _ENCODE(value)
    except ValueError:  # a NaN somewhere inside
        return _ENCODE(_without_nan(value))


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    return value


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds text (string, large_string, string_view)."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def text_array(values: Sequence[str | None]) -> pa.Array:
    """Return texts as an Arrow array; lone surrogates (JSON can hold them) become U+FFFD."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([one and _encodable(one) for one in values], pa.string())
    except pa.ArrowInvalid as error:
        if "surrogates" not in str(error):
            raise
        return pa.array([one and _encodable(one) for one in values], pa.string())


def _encodable(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Return any column as text (`string` or `large_string`), null kept.

    Numbers are written shortest (`0.1`), NaN and infinities null, booleans `true` / `false`,
    dates and times as ISO with a blank between them, lists and structs as compact JSON, bytes as
    the UTF-8 text they hold, else base64.
    """
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_nested(kind):
        texts = [None if one is None else compact_json(one) for one in nested_values(column)]
        return pa.chunked_array([text_array(texts)])
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([text_array([_bytes_text(one) for one in column.to_pylist()])])
    text = column.cast(pa.string())
    if pa.types.is_timestamp(kind):  # "… 10:00:00.000000" -> "… 10:00:00"
        text = pc.replace_substring_regex(text, r"\.0+($|[Z+-])", r"\1")
    return text


def nested_values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column of lists or structs as Python objects.

    Raises:
        InputError: A time inside them is beyond what Python knows (the years 1 to 9999).
    """
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError) as error:
        raise InputError("a nested column holds a time beyond the years 1 to 9999") from error
    return values


def _bytes_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def unique_names(names: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names with repeated ones made unique (`name_2`), and each change (old, new).

    >>> unique_names(["id", "titre", "id", "id_2"])
    (['id', 'titre', 'id_3', 'id_2'], [('id', 'id_3')])
    """
    given = list(names)
    taken = set(given)
    seen: set[str] = set()
    kept: list[str] = []
    changes: list[tuple[str, str]] = []
    for name in given:
        new = name
        if name in seen:
            number = 2
            while (new := f"{name}_{number}") in taken:
                number += 1
            taken.add(new)
            changes.append((name, new))
        seen.add(new)
        kept.append(new)
    return kept, changes


def check_lengths(table: pa.Table, source: str, first_row: int) -> None:
    """Refuse a cell over `limits.MAX_FIELD_CHARS` characters.

    Raises:
        InputError: Names the column and the row (from 1).
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not is_text(column.type) or pa.types.is_string_view(column.type):
            continue
        if (pc.max(pc.binary_length(column)).as_py() or 0) <= limits.MAX_FIELD_CHARS:
            continue
        sizes = pc.utf8_length(column)
        if (most := pc.max(sizes).as_py()) > limits.MAX_FIELD_CHARS:
            row = first_row + pc.index(sizes, most).as_py() + 1
            raise InputError(
                f"{source}, row {row:,}: the cell in '{name}' has {most:,} characters",
                expected=f"at most {limits.MAX_FIELD_CHARS:,}",
            )
