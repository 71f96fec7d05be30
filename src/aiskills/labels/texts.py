"""Labels joined with the offers they speak of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import LabelError, UsageError
from aiskills.files import CANONICAL, Chunk, open_offers
from aiskills.files.notes import Note, did_you_mean, ignore, listing, plural
from aiskills.labels.records import MentionLabel, OfferLabel, read_labels
from aiskills.labels.uid import UID_COLUMN, offer_uids

#: Columns that slices are made of where the offers have them, beside those asked for.
_ALWAYS: Final = ("source", "date", "ai_function")


@dataclass(frozen=True, slots=True)
class OffersFile:
    """A file of offers and how to read it.

    Attributes:
        path: The file, or ``-``; `aiskills.labels.uid.offer_uid` of its rows, or their bare
            identifiers, join it to labels.
        mapping: Canonical field to column, where the names do not tell.
        encoding: Encoding of a text file; None to find it.
        separator: Separator of a CSV file; None to find it.
    """

    path: str | os.PathLike[str]
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a labelled offer beside its label.

    Attributes:
        title: Title, empty if there is none.
        description: Description, likewise.
        company: Employer; None if unknown.
        columns: Values to slice by; None where the cell is empty.
    """

    title: str
    description: str
    company: str | None
    columns: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Labels and the offers they speak of.

    Attributes:
        labels: Labels of whole offers, one an offer.
        mentions: Labels of mentions.
        rows: By uid, every offer that has a label of either kind that was asked for.
    """

    labels: tuple[OfferLabel, ...]
    mentions: tuple[MentionLabel, ...]
    rows: Mapping[str, Row]


def read_labelled(
    labels: Iterable[str | Path],
    offers: OffersFile,
    *,
    by: Sequence[str] = (),
    with_mentions: bool = False,
    note: Note = ignore,
) -> LabelledTexts:
    """Reads labels and, in one pass, the offers they speak of.

    Args:
        labels: JSONL files of labels.
        offers: The offers.
        by: Columns or fields of the offers to slice by.
        with_mentions: Whether offers of which mentions alone are labelled are wanted too.
        note: Takes one line for each thing the user should know.

    Raises:
        LabelError: No offer is labelled, one is labelled twice and differently, or an offer of a
            label is not in the file.
        InputError: The file cannot be read as offers.
        UsageError: A column to slice by is not there.
    """
    every, mentions = read_labels(labels)
    kept = _once_each(every, note)
    if not kept:
        only = f" ({plural(len(mentions), 'mention')} of offers, no offer)" if mentions else ""
        raise LabelError(
            f"the files hold no label of a whole offer{only}",
            expected="lines with uid, strict and study",
        )
    wanted = {label.uid for label in kept}
    if with_mentions:
        wanted |= {mention.uid for mention in mentions}
    rows = _rows(offers, wanted, by, note)
    missing = sorted(wanted - set(rows))
    if missing:
        raise LabelError(
            f"{len(missing):,} of {len(wanted):,} labelled offers are not in "
            f"{os.fspath(offers.path)}: {listing(missing, most=3)}",
            expected="every uid of the labels in the uid column, or among the identifiers",
            hint="Give the file that was labelled, or say which column with --map id=COLUMN.",
        )
    return LabelledTexts(tuple(kept), tuple(mentions), rows)


def _once_each(labels: Iterable[OfferLabel], note: Note) -> list[OfferLabel]:
    kept: dict[str, OfferLabel] = {}
    repeated = 0
    for label in labels:
        known = kept.setdefault(label.uid, label)
        if known != label:
            raise LabelError(
                f"the offer {label.uid!r} is labelled twice, and differently",
                expected="one label an offer",
                hint="Settle the difference, or evaluate each reader's file by itself.",
            )
        repeated += known is not label
    if repeated:
        note(f"{plural(repeated, 'label')} given twice; each counts once")
    return list(kept.values())


def _rows(offers: OffersFile, wanted: set[str], by: Sequence[str], note: Note) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    repeated = 0
    with open_offers(
        [offers.path],
        mapping=offers.mapping,
        encoding=offers.encoding,
        separator=offers.separator,
        note=note,
    ) as chunks:
        for name in by:
            if name not in chunks.columns and name not in CANONICAL:
                raise UsageError(
                    f"--by {name}: the offers have no such column",
                    expected=f"one of {listing(chunks.columns)}",
                    hint=did_you_mean(name, [*chunks.columns, *CANONICAL]),
                )
        by_uid = UID_COLUMN in chunks.columns and "id" not in (offers.mapping or {})
        names = list(dict.fromkeys([*_ALWAYS, *by]))
        values = pa.array([uid for uid in sorted(wanted) if _can_stand_in_a_table(uid)])
        for chunk in chunks:
            for uid, row in _wanted_rows(chunk, values, names, by_uid=by_uid):
                repeated += uid in rows
                rows.setdefault(uid, row)
    if repeated:
        note(f"{plural(repeated, 'labelled offer')} found twice or more; the first is taken")
    return rows


def _can_stand_in_a_table(uid: str) -> bool:
    """Whether it is whole: JSON can hold half a character, a table of offers cannot."""
    return uid.isascii() or uid.encode("utf-8", "ignore").decode() == uid


def _wanted_rows(
    chunk: Chunk, wanted: pa.Array, names: Sequence[str], *, by_uid: bool
) -> Iterator[tuple[str, Row]]:
    """The rows of a chunk that are wanted, with their identifiers."""
    table = chunk.table
    keys = _keys(chunk, wanted, by_uid=by_uid)
    table = table.filter(pc.is_valid(keys))
    fields = {
        name: chunk.fields.extract(table, name).to_pylist()
        for name in ("title", "description", "company")
    }
    columns = {name: _text(chunk, table, name).to_pylist() for name in names}
    for at, uid in enumerate(keys.drop_null().to_pylist()):
        yield (
            uid,
            Row(
                fields["title"][at] or "",
                fields["description"][at] or "",
                fields["company"][at],
                {name: values[at] for name, values in columns.items()},
            ),
        )


def _keys(chunk: Chunk, wanted: pa.Array, *, by_uid: bool) -> pa.Array:
    """The identifier of each row if it is wanted, else null."""
    table = chunk.table
    if by_uid:
        keys = _text(chunk, table, UID_COLUMN).cast(pa.large_string())
        keys = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    else:
        # A user's labels may name the offer by its bare identifier, without the source.
        keys = chunk.fields.extract(table, "id").cast(pa.large_string())
        stable = pa.array(offer_uids(table, chunk.fields), pa.large_string())
        known = pc.is_in(stable, value_set=wanted.cast(pa.large_string()))
        own = pa.array(range(len(table)), pa.int64())
        keys = pa.concat_arrays([keys, stable]).take(
            pc.if_else(known, pc.add(own, len(table)), own)
        )
    there = pc.is_in(keys, value_set=wanted.cast(pa.large_string()))
    rows = pa.array(range(len(table)), pa.int64())
    return keys.take(pc.if_else(there, rows, pa.scalar(None, pa.int64())))


def _text(chunk: Chunk, table: pa.Table, name: str) -> pa.ChunkedArray | pa.Array:
    """A column, or else the field of that name, as text; null where the offers have neither."""
    if name in table.column_names and not (name in _ALWAYS and name in CANONICAL):
        column = table.column(name)
        try:
            return column.cast(pa.large_string())
        except pa.ArrowException:
            raise UsageError(
                f"the cells of the column {name} are {column.type}",
                expected="text, numbers or dates",
            ) from None
    if name in CANONICAL:
        return chunk.fields.extract(table, name)
    return pa.nulls(len(table), pa.string())
