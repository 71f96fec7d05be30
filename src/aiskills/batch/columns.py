"""The columns of the store: the same in every part, whatever the files that came in looked like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.files import CANONICAL
from aiskills.schema import CLASSIFY_COLUMNS

if TYPE_CHECKING:
    from aiskills.batch.keys import Keys
    from aiskills.files import FieldMap

#: The store's own columns, and what each holds.
OWN: Final[Mapping[str, tuple[pa.DataType, str]]] = {
    "uid": (pa.string(), "identifier of the offer, the same whenever it comes again"),
    "version": (pa.int32(), "1 for the text first seen, 2 for its first change, and so on"),
    "text_hash": (pa.string(), "hash of title and description, hexadecimal"),
    "file": (pa.string(), "name of the file that brought it"),
    "seen": (pa.date32(), "day on which that file was last modified (UTC)"),
    "model": (pa.string(), "version of the model that scored it"),
}
_TEXTS: Final = ("title", "description")


def store_schema() -> pa.Schema:
    """The columns of a part: the store's own, the fields of an offer, those that are added."""
    from aiskills.pipeline import ADDED  # heavy; who only reads the journal does without

    return pa.schema(
        [
            *((name, kind) for name, (kind, _) in OWN.items()),
            *((name, pa.string()) for name in CANONICAL),
            *((field.name, field.type) for field in ADDED),
        ]
    )


def columns_id() -> str:
    """Names of the columns as the journal keeps them, to see whether a store has them all."""
    return json.dumps([*OWN, *CANONICAL, *CLASSIFY_COLUMNS])


def stored(
    table: pa.Table, fields: FieldMap, keys: Keys, *, name: str, seen: date, model: str
) -> pa.Table:
    """Scored offers in the columns of the store, `version` still null.

    Columns of the input that are no field of an offer are not kept.

    Args:
        table: Rows of one input with the added columns.
        fields: Where that input has the fields of an offer.
        keys: What the rows are known by.
        name: Name of the input.
        seen: Day on which it was last modified.
        model: Version of the model.
    """
    rows = len(table)
    own = {
        "uid": pa.array(keys.uids, pa.string()),
        "version": pa.nulls(rows, pa.int32()),
        "text_hash": pa.array([text.hex() for text in keys.texts], pa.string()),
        "file": pa.array([name] * rows, pa.string()),
        "seen": pa.array([seen] * rows, pa.date32()),
        "model": pa.array([model] * rows, pa.string()),
    }
    columns: list[pa.Array | pa.ChunkedArray] = []
    for field in store_schema():
        if field.name in own:
            columns.append(own[field.name])
        elif field.name in CANONICAL:
            columns.append(fields.extract(table, field.name).cast(pa.string()))
        else:
            columns.append(table.column(field.name).cast(field.type))
    return pa.Table.from_arrays(columns, schema=store_schema())


def conformed(table: pa.Table) -> pa.Table:
    """A part of an earlier aiskills in today's columns: new ones null, old ones dropped."""
    schema = store_schema()
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def without_text(table: pa.Table) -> pa.Table:
    """Stored offers without their words: no title, no description, no quotes in the evidence."""
    for name in _TEXTS:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.nulls(len(table), pa.string()))
    place = table.schema.get_field_index("ai_evidence")
    coded = pc.dictionary_encode(table.column(place)).combine_chunks()
    bare = pa.array([_unquoted(text) for text in coded.dictionary.to_pylist()], pa.string())
    return table.set_column(place, "ai_evidence", bare.take(coded.indices))


def _unquoted(evidence: str | None) -> str | None:
    if not evidence:
        return evidence
    pieces = [{k: v for k, v in piece.items() if k != "quote"} for piece in json.loads(evidence)]
    return json.dumps(pieces, ensure_ascii=False)


def folder_of(month: str | None) -> str:
    """The folder of a month of publication, in the form that DuckDB, pandas and polars read.

    Unknown months are in year 0: the null that Hive knows breaks pandas ("Cannot yet unify
    dictionaries with nulls").

    >>> folder_of("2024-03"), folder_of(None)
    ('year=2024/month=3', 'year=0/month=0')
    """
    year, number = (month or "0-0").split("-")
    return f"year={int(year)}/month={int(number)}"


def month_of(year: str, month: str) -> str | None:
    """The month of two folders' names; None for unknown months.

    >>> month_of("year=2024", "month=3"), month_of("year=0", "month=0")
    ('2024-03', None)

    Raises:
        ValueError: They are no such names.
    """
    numbers = [int(name.partition("=")[2]) for name in (year, month)]
    return f"{numbers[0]:04}-{numbers[1]:02}" if any(numbers) else None
