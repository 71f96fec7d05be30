"""What is in quarantine, tried again: a newer aiskills or other options may take it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiskills.batch.disk import explained, make_folder, remove_tree
from aiskills.batch.ingest import Input, Settings, Taken, take
from aiskills.batch.parts import hash_file
from aiskills.batch.quarantine import cells_of
from aiskills.batch.store import now
from aiskills.files.notes import Note, ignore

if TYPE_CHECKING:
    from aiskills.batch.store import Store

_INPUT: Final = "input"


@dataclass(frozen=True, slots=True)
class Held:
    """An entry of the quarantine.

    Attributes:
        id: Its number in the journal.
        kind: `file` or `rows`.
        path: Its name in the folder.
        name: Name of the input it comes from.
        sha256: Hash of that input.
    """

    id: int
    kind: str
    path: str
    name: str
    sha256: str


def held(store: Store) -> list[Held]:
    """What is in quarantine and may be tried again, oldest first; not what somebody deleted."""
    with explained(store.folder):
        rows = store.journal.execute(
            "SELECT id, kind, path, name, sha256 FROM quarantine"
            " WHERE resolved IS NULL AND kind IN ('file', 'rows') ORDER BY id"
        )
    entries = [
        Held(number, kind, path.decode("utf-8", "surrogateescape"), name, sha256)
        for number, kind, path, name, sha256 in rows
    ]
    return [entry for entry in entries if (store.quarantine / entry.path).is_file()]


def take_again(
    store: Store,
    entry: Held,
    settings: Settings,
    run: int,
    stopped: Callable[[], bool],
    note: Note = ignore,
) -> Taken:
    """Takes an entry of the quarantine as if it had just come; what fails again is held anew.

    Raises:
        OutputError: The store may not be written, or the disk is full.
        InputError: The entry's file is gone or damaged.
    """
    folder = store.staging(_INPUT)
    with explained(store.folder):
        remove_tree(folder)
        make_folder(folder)
        try:
            copy = _copy(store, entry, folder)
            given = _given(store, entry, copy, settings, run)
            taken = take(store, given, settings, stopped, note)
        finally:
            remove_tree(folder)
        with store.journal.transaction():
            if taken.outcome != "quarantined":
                store.end_file(given.file, taken.outcome)
            if taken.outcome != "stopped":
                store.journal.execute(
                    "UPDATE quarantine SET resolved = ? WHERE id = ?", (now(), entry.id)
                )
        if taken.outcome != "stopped":
            release(store.quarantine, entry.path)
    return taken


def release(folder: Path, path: str) -> None:
    """Deletes an entry's files."""
    (folder / path).unlink(missing_ok=True)
    (folder / f"{path}.why.json").unlink(missing_ok=True)


def _copy(store: Store, entry: Held, folder: Path) -> Path:
    held_at = store.quarantine / entry.path
    if entry.kind == "file":
        own = entry.path.split("-", 2)[2]  # behind hash and attempt
        copy = folder / own
        copy.write_bytes(held_at.read_bytes())
        return copy
    copy = folder / "rows.jsonl"
    with copy.open("w", encoding="utf-8") as lines:
        for cells in cells_of(held_at):
            lines.write(json.dumps(dict(cells), ensure_ascii=False) + "\n")
    return copy


def _given(store: Store, entry: Held, copy: Path, settings: Settings, run: int) -> Input:
    sha256 = hash_file(copy)
    journal = store.journal
    origin = journal.execute(
        "SELECT modified FROM files WHERE sha256 = ? ORDER BY id LIMIT 1", (entry.sha256,)
    )
    modified = origin[0][0] if origin else 0
    attempts = journal.execute("SELECT max(attempt) FROM files WHERE sha256 = ?", (sha256,))
    attempt = (attempts[0][0] or 0) + 1
    with journal.transaction():
        file = journal.insert(
            "files",
            {
                "name": entry.name,
                "sha256": sha256,
                "attempt": attempt,
                "size": copy.stat().st_size,
                "modified": modified,
                "changed": 0,  # no file of the inbox is taken for this one
                "run": run,
                "started": now(),
                "model": settings.metadata["aiskills_model"],
                "lexicon": settings.metadata["aiskills_lexicon"],
                "outcome": "reading",
            },
        )
    return Input(copy, entry.name, sha256, _day(modified), file, attempt, 0)


def _day(modified: int) -> date:
    try:
        return datetime.fromtimestamp(modified / 10**9, UTC).date()
    except (OverflowError, ValueError, OSError):  # a clock gone mad
        return date(1970, 1, 1)
