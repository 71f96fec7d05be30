"""Rewriting all offers at once: the old ones stay readable until the new ones are whole.

New parts are written into ``.next/``, those that do not change as hard links. One transaction then
says that ``.next`` is complete; the folders ``offers`` and ``.next`` are exchanged; a second
transaction makes the new parts the journal's. A run that dies before the first transaction leaves
the store as it was; after it, the next run goes on from there. The file ``_generation`` in each of
both folders tells which one it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiskills.batch.disk import (
    ASIDE,
    explained,
    make_folder,
    remove_tree,
    swap_folders,
    sync,
    write_file,
)
from aiskills.batch.parts import write_part

if TYPE_CHECKING:
    import pyarrow as pa

    from aiskills.batch.journal import Part
    from aiskills.batch.store import Store

NEXT: Final = ".next"
_NUMBER: Final = "_generation"  # tools that read Parquet folders pass over names with _


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A part's new content.

    Attributes:
        table: Its offers; None for a part that goes, as one without rows does.
        metadata: Versions, for the Parquet file; those of model and lexicon among them.
        gone: Key and version of each offer that is no longer in it.
    """

    table: pa.Table | None
    metadata: Mapping[str, str]
    gone: Iterable[tuple[bytes, int]] = ()


def rewrite(store: Store, change: Callable[[Part], Rewritten | None]) -> int:
    """Rewrites the parts of a store.

    Args:
        store: The store.
        change: Gives the new content of a part; None for one that stays as it is.

    Returns:
        How many parts were rewritten; the exchange is done. With none, nothing was.

    Raises:
        OutputError: The disk is full or may not be written; the store is as it was.
    """
    folder, changed = store.folder / NEXT, 0
    with explained(store.folder):
        remove_tree(folder)
        make_folder(folder)
        fresh: list[dict[str, object]] = []
        gone: list[tuple[bytes, int]] = []
        try:
            for part in store.journal.parts():
                new = change(part)
                if new is None:
                    _link(store.part_path(part), folder / part.path)
                    fresh.append(_row(part))
                    continue
                changed += 1
                gone += new.gone
                if new.table is not None and len(new.table):
                    fresh.append(_written(part, folder / part.path, new))
            if not changed:
                return 0
            number = int(store.journal.meta("generation") or 1) + 1
            _seal(folder, number)
            with store.journal.transaction():
                _announce(store, fresh, gone, number)
        finally:
            if store.journal.meta("next_generation") is None:
                remove_tree(folder)
        finish_rewrite(store)
    return changed


def _link(path: Path, place: Path) -> None:
    make_folder(place.parent)
    try:
        os.link(path, place)
    except FileNotFoundError:
        return  # a damaged store: the part stays missing and `status` says so
    except OSError:  # a disk without hard links
        shutil.copy2(path, place)
        sync(place)


def _row(part: Part) -> dict[str, object]:
    row = asdict(part)
    return {name: row[name] for name in _COLUMNS}


def _written(part: Part, path: Path, new: Rewritten) -> dict[str, object]:
    make_folder(path.parent)
    written = write_part(path, new.table, new.metadata)
    return {
        **asdict(written),
        "id": part.id,
        "model": new.metadata["aiskills_model"],
        "lexicon": new.metadata["aiskills_lexicon"],
    }


_COLUMNS: Final = ("id", "rows", "flagged", "bytes", "sha256", "has_text", "model", "lexicon")


def _seal(folder: Path, number: int) -> None:
    write_file(folder / _NUMBER, f"{number}\n".encode())
    for inner in [one for one in folder.rglob("*") if one.is_dir()] + [folder, folder.parent]:
        sync(inner)


def _announce(
    store: Store, fresh: list[dict[str, object]], gone: list[tuple[bytes, int]], number: int
) -> None:
    names, marks = ", ".join(_COLUMNS), ", ".join("?" * len(_COLUMNS))
    store.journal.execute("DELETE FROM next_parts")
    store.journal.execute("DELETE FROM next_gone")
    store.journal.many(
        f"INSERT INTO next_parts ({names}) VALUES ({marks})",  # noqa: S608 (names are ours)
        [tuple(row[name] for name in _COLUMNS) for row in fresh],
    )
    store.journal.many("INSERT INTO next_gone VALUES (?, ?)", gone)
    store.journal.set_meta("next_generation", str(number))


def finish_rewrite(store: Store) -> bool:
    """Goes on with a rewrite from where it stopped, or clears away one that was never whole.

    Returns:
        Whether there was one to go on with.
    """
    folder, offers = store.folder / NEXT, store.offers
    aside = offers.with_name(offers.name + ASIDE)
    if aside.is_dir():  # it stopped between two renames of `swap_folders`
        aside.replace(folder if offers.is_dir() else offers)
    number = _wanted(store)
    if number is None:
        remove_tree(folder)
        return False
    if number_of(offers) != number:
        make_folder(offers)
        swap_folders(folder, offers)
    with store.journal.transaction():
        _adopt(store, number)
    remove_tree(folder)
    return True


def _wanted(store: Store) -> int | None:
    number = store.journal.meta("next_generation")
    return None if number is None else int(number)


def number_of(folder: Path) -> int | None:
    """Which generation a folder of parts is; None if it is not said."""
    try:
        return int((folder / _NUMBER).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _adopt(store: Store, number: int) -> None:
    names = ", ".join(_COLUMNS[1:])
    store.journal.execute("DELETE FROM parts WHERE id NOT IN (SELECT id FROM next_parts)")
    store.journal.execute(
        f"UPDATE parts SET ({names}) ="  # noqa: S608 (names are ours)
        f" (SELECT {names} FROM next_parts WHERE next_parts.id = parts.id)"
    )
    # What was purged stays known by its hash, so that it is not taken again.
    store.journal.execute(
        "UPDATE offers SET part = NULL WHERE (key, version) IN (SELECT key, version FROM next_gone)"
    )
    store.journal.execute("DELETE FROM next_parts")
    store.journal.execute("DELETE FROM next_gone")
    store.journal.set_meta("next_generation", None)
    store.journal.set_meta("generation", str(number))
