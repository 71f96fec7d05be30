"""Another model's results in place of those of a whole store, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from aiskills.batch.columns import store_schema
from aiskills.batch.disk import StoreError
from aiskills.batch.generations import Rewritten, rewrite
from aiskills.batch.migrate import metadata_of
from aiskills.batch.parts import read_part
from aiskills.files import CANONICAL, Chunk, FieldMap
from aiskills.pipeline import Setup, classify_chunks

if TYPE_CHECKING:
    from aiskills.batch.journal import Part
    from aiskills.batch.store import Store

_CHUNK_ROWS: Final = 1000
#: The store's own columns are named like the fields they hold.
FIELDS: Final = FieldMap("given", {name: (name,) for name in CANONICAL})


def rescore(store: Store, setup: Setup, metadata: Mapping[str, str], jobs: int = 1) -> int:
    """Judges all offers of a store anew; the old results stay until the new ones are whole.

    Args:
        store: The store.
        setup: The judge to use.
        metadata: Its versions.
        jobs: Processes.

    Returns:
        Offers judged.

    Raises:
        StoreError: Offers were kept without their texts, or a part is damaged; nothing changed.
        OutputError: The disk is full or may not be written; nothing changed.
    """
    parts = store.journal.parts()
    if bare := sum(part.rows for part in parts if not part.has_text):
        raise StoreError(
            f"{store.folder}: {bare:,} offers were stored without their text (--no-text)",
            hint="They cannot be judged anew; have their files read again into a new store.",
        )
    judged = classify_chunks(_chunks(store, parts), setup, jobs)
    model = pa.scalar(metadata["aiskills_model"])
    schema = store_schema()
    place = schema.get_field_index("model")

    def change(part: Part) -> Rewritten:
        pieces = [next(judged) for _ in range(0, part.rows, _CHUNK_ROWS)]
        kept = metadata_of(pieces[0])
        table = pa.concat_tables([piece.select(schema.names).cast(schema) for piece in pieces])
        fresh = pa.array([model.as_py()] * len(table), pa.string())
        return Rewritten(table.set_column(place, schema.field(place), fresh), {**kept, **metadata})

    rewrite(store, change)
    return sum(part.rows for part in parts)


def _chunks(store: Store, parts: list[Part]) -> Iterator[Chunk]:
    for part in parts:
        table = read_part(store.part_path(part))
        for first in range(0, len(table), _CHUNK_ROWS):
            yield Chunk(table.slice(first, _CHUNK_ROWS), FIELDS, part.path, first)
