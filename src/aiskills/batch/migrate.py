"""A store of an earlier aiskills brought to today's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiskills.batch.columns import columns_id, conformed
from aiskills.batch.disk import StoreError, explained
from aiskills.batch.generations import Rewritten, rewrite
from aiskills.batch.parts import read_part
from aiskills.files.notes import Note, ignore

if TYPE_CHECKING:
    from aiskills.batch.journal import Part
    from aiskills.batch.store import Store


def migrate(store: Store, note: Note = ignore) -> int:
    """Rewrites all parts in today's columns, if they have others; see `generations`.

    Columns that are new are empty until `aiskills rescore` fills them. A damaged part stays as it
    is.

    Returns:
        How many parts were rewritten.

    Raises:
        OutputError: The disk is full or may not be written; the store is as it was.
    """
    if store.journal.meta("columns") == columns_id():
        return 0

    def change(part: Part) -> Rewritten | None:
        try:
            table = read_part(store.part_path(part))
        except StoreError:
            return None
        return Rewritten(conformed(table), metadata_of(table))

    changed = rewrite(store, change)
    with explained(store.folder), store.journal.transaction():
        store.journal.set_meta("columns", columns_id())
    if changed:
        note(
            f"{store.folder}: {changed} parts were brought to the columns of this version of "
            "aiskills; `aiskills rescore` fills what is new"
        )
    return changed


def metadata_of(table: object) -> dict[str, str]:
    """Versions that a part was written with."""
    found = getattr(table, "schema").metadata or {}  # noqa: B009
    return {
        key.decode(): value.decode() for key, value in found.items() if key.startswith(b"aiskills_")
    }
