"""Offers deleted from a store: those past their time, and single ones on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.batch.disk import explained
from aiskills.batch.generations import Rewritten, rewrite
from aiskills.batch.keys import key_of
from aiskills.batch.migrate import metadata_of
from aiskills.batch.parts import read_part
from aiskills.batch.retry import release
from aiskills.batch.store import BLOCKED, now

if TYPE_CHECKING:
    from aiskills.batch.journal import Part
    from aiskills.batch.store import Store


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted.

    Attributes:
        offers: Offers, versions counted.
        held: Entries of the quarantine.
    """

    offers: int
    held: int


def purge_older(store: Store, days: int, today: date) -> Purged:
    """Deletes offers and quarantined rows that are older than so many days.

    An offer's age counts from the end of its month of publication; where that is unknown, from the
    day on which the file that brought it was last modified. Their hashes stay, so that they are
    not taken again from another file.

    Raises:
        StoreError: A part is damaged; nothing was deleted.
        OutputError: The disk is full or may not be written; nothing was deleted.
    """
    last = str(today - timedelta(days=days))
    offers = 0

    def change(part: Part) -> Rewritten | None:
        nonlocal offers
        # 2024-02-31 sorts behind every day of that month, which is all that counts.
        if (f"{part.month}-31" if part.month else part.seen) >= last:
            return None
        table = read_part(store.part_path(part), ["uid", "source", "version"])
        offers += len(table)
        return Rewritten(None, metadata_of(table), _gone(table))

    rewrite(store, change)
    with explained(store.folder):
        held = store.journal.execute(
            "SELECT id, path FROM quarantine WHERE resolved IS NULL AND substr(since, 1, 10) < ?",
            (last,),
        )
        for number, path in held:
            release(store.quarantine, path.decode("utf-8", "surrogateescape"))
            with store.journal.transaction():
                store.journal.execute(
                    "UPDATE quarantine SET resolved = ? WHERE id = ?", (now(), number)
                )
    return Purged(offers, len(held))


def purge_ids(store: Store, uids: Sequence[str]) -> Purged:
    """Deletes every version of the offers of these identifiers, and lets none come back.

    Args:
        store: The store.
        uids: Identifiers as the column `uid` holds them.

    Raises:
        StoreError: A part is damaged; nothing was deleted.
        OutputError: The disk is full or may not be written; nothing was deleted.
    """
    wanted = pa.array(list(uids), pa.string())
    offers = 0

    def change(part: Part) -> Rewritten | None:
        nonlocal offers
        hit = pc.is_in(read_part(store.part_path(part), ["uid"]).column("uid"), wanted)
        if not pc.any(hit).as_py():
            return None
        table = read_part(store.part_path(part))
        gone = table.filter(hit)
        offers += len(gone)
        keys = _gone(gone)
        with store.journal.transaction():  # first: a later run must not bring it back
            store.journal.many(
                "INSERT OR IGNORE INTO offers VALUES (?, 0, ?, NULL)",
                [(key, BLOCKED) for key, _ in keys],
            )
        return Rewritten(table.filter(pc.invert(hit)), metadata_of(table), keys)

    rewrite(store, change)
    return Purged(offers, 0)


def _gone(table: pa.Table) -> list[tuple[bytes, int]]:
    columns = (table.column(name).to_pylist() for name in ("uid", "source", "version"))
    return [(key_of(uid, source), version) for uid, source, version in zip(*columns, strict=True)]
