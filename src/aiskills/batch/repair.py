"""A damaged store mended from what is whole: nothing readable is lost, nothing counts twice."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.batch.columns import month_of
from aiskills.batch.disk import StoreError, explained, make_folder, put
from aiskills.batch.generations import NEXT, number_of
from aiskills.batch.journal import JOURNAL, Journal, Part, open_journal
from aiskills.batch.keys import key_of
from aiskills.batch.lock import locked
from aiskills.batch.migrate import metadata_of
from aiskills.batch.parts import hash_file, read_part
from aiskills.batch.store import OFFERS, Store, is_store, now, open_store
from aiskills.batch.tallies import Tallies, tally

_DAMAGED: Final = "damaged"
_STEM: Final = re.compile(r"[0-9a-f]{16}-([0-9]+)-[0-9]{9}")
_SHA256: Final = "aiskills_input_sha256"


@dataclass(slots=True)
class Repaired:
    """What was found and done.

    Attributes:
        journal: Whether the journal was made anew.
        parts: Parts that were checked, byte for byte.
        damaged: Those set aside, by path.
        again: Name and archived place (or None) of each file that must be read again.
    """

    journal: bool = False
    parts: int = 0
    damaged: list[str] = field(default_factory=list)
    again: list[tuple[str, str | None]] = field(default_factory=list)


def repair(folder: Path) -> Repaired:
    """Mends a store.

    A damaged journal is set aside and made anew from the parts, which tell all but this: which
    files came in without bringing a new offer (they are read again, and found known) and which
    offers were purged (they may come back with a file that holds them). A damaged part is set
    aside in ``quarantine/damaged``; the file that brought it counts as new again, so that the next
    run restores its offers if the file is put back into the inbox.

    Raises:
        StoreError: It is no store.
        StoreLockedError: A run writes to it.
        OutputError: It may not be written, or the disk is full.
    """
    result = Repaired()
    if not is_store(folder) and not (folder / OFFERS).is_dir():
        raise StoreError(f"{folder} is no store: it holds neither {JOURNAL} nor {OFFERS}/")
    with locked(folder, "store repair"), explained(folder):
        if not _is_sound(folder):
            _make_anew(folder)
            result.journal = True
    with open_store(folder, "store repair") as store, explained(folder):
        parts = store.journal.parts()
        result.parts = len(parts)
        bad = [part for part in parts if _is_damaged(store, part)]
        for part in bad:
            _set_aside(store, part, result)
        if bad:
            _count_anew(store)
    return result


def _is_sound(folder: Path) -> bool:
    try:
        with _open(folder) as journal:
            return not journal.check()
    except (sqlite3.Error, StoreError) as error:
        if "newer" in str(error):
            raise
        return False


@contextmanager
def _open(folder: Path, *, create: bool = False) -> Iterator[Journal]:
    journal = open_journal(folder, create=create)
    try:
        yield journal
    finally:
        journal.close()


def _make_anew(folder: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for name in (JOURNAL, f"{JOURNAL}-journal"):
        if (folder / name).exists():
            (folder / name).replace(folder / f"{name}.damaged-{stamp}")
    if not (folder / OFFERS).is_dir() and number_of(folder / NEXT) is not None:
        (folder / NEXT).replace(folder / OFFERS)  # the crash came amid the exchange of both
    # Under another name until it is whole: a crash meanwhile leaves the store without a journal,
    # and repair begins again.
    with ExitStack() as undo:
        fresh = folder / ".rebuilt"
        make_folder(fresh)
        (fresh / JOURNAL).unlink(missing_ok=True)
        journal = undo.enter_context(_open(fresh, create=True))
        store = Store(folder, journal)
        with journal.transaction():
            number = number_of(store.offers)
            if number is not None:
                journal.set_meta("generation", str(number))
            _register_all(store)
            _register_quarantine(store)
    put(fresh / JOURNAL, folder / JOURNAL)
    fresh.rmdir()


def _register_all(store: Store) -> None:
    run = store.journal.insert(
        "runs", {"command": "store repair", "started": now(), "ended": now(), "outcome": "done"}
    )
    files: dict[tuple[str, int], int] = {}
    columns: set[str] = set()
    tallies: Tallies = Counter()
    for path in sorted(store.offers.rglob("*.parquet")):
        try:
            table = read_part(path)
            entry = _part_entry(store, path, table, run, files)
        except (StoreError, KeyError, ValueError, pa.ArrowException):
            _move_aside(store, path)
            continue
        part = store.journal.insert("parts", entry)
        rows = (table.column(n).to_pylist() for n in ("uid", "source", "version", "text_hash"))
        store.journal.many(
            "INSERT INTO offers (key, version, text, part) VALUES (?, ?, ?, ?)",
            [
                (key_of(uid, source), version, bytes.fromhex(text), part)
                for uid, source, version, text in zip(*rows, strict=True)
            ],
        )
        columns.add(json.dumps(table.column_names))
        tallies.update(tally(table))
    _write_tallies(store, tallies)
    # Parts of different columns, or none: the next opening sees to it.
    store.journal.set_meta("columns", columns.pop() if len(columns) == 1 else "[]")


def _part_entry(
    store: Store, path: Path, table: pa.Table, run: int, files: dict[tuple[str, int], int]
) -> dict[str, Any]:
    metadata = metadata_of(table)
    stem = _STEM.fullmatch(path.stem)
    if stem is None:
        raise ValueError(path.name)
    key = metadata[_SHA256], int(stem[1])
    if key not in files:
        files[key] = store.journal.insert(
            "files",
            {
                "name": table.column("file")[0].as_py(),
                "sha256": key[0],
                "attempt": key[1],
                **dict.fromkeys(("size", "modified", "changed"), 0),
                "run": run,
                "started": now(),
                "outcome": "again",
                "reason": "its entry was lost with the journal",
            },
        )
    return {
        "path": path.relative_to(store.offers).as_posix(),
        "file": files[key],
        "rows": len(table),
        "flagged": pc.sum(table.column("ai_study")).as_py() or 0,
        "bytes": path.stat().st_size,
        "sha256": hash_file(path),
        "month": month_of(path.parents[1].name, path.parent.name),
        "seen": str(pc.max(table.column("seen")).as_py()),
        "has_text": any(table.column(n).null_count < len(table) for n in ("title", "description")),
        "model": metadata["aiskills_model"],
        "lexicon": metadata["aiskills_lexicon"],
    }


def _register_quarantine(store: Store) -> None:
    for path in sorted(store.quarantine.iterdir()) if store.quarantine.is_dir() else ():
        if not path.is_file() or path.name.endswith(".why.json"):
            continue
        why = path.with_name(path.name + ".why.json")
        is_rows = path.name.endswith(".rows.jsonl")
        told = json.loads(why.read_text("utf-8")) if why.is_file() else {}
        store.journal.insert(
            "quarantine",
            {
                "kind": "rows" if is_rows else "file",
                "path": path.name.encode("utf-8", "surrogateescape"),
                "name": told.get("file", path.name),
                "sha256": told.get("sha256", ""),
                "reason": told.get("reason", "see the file"),
                "rows": path.read_bytes().count(b"\n") if is_rows else 0,
                "since": told.get("since", now()),
            },
        )


def _is_damaged(store: Store, part: Part) -> bool:
    try:
        return hash_file(store.part_path(part)) != part.sha256
    except OSError:
        return True


def _set_aside(store: Store, part: Part, result: Repaired) -> None:
    journal = store.journal
    with journal.transaction():
        file = journal.execute(
            "SELECT name, sha256, archived_to FROM files WHERE id = ?", (part.file,)
        )
        journal.execute("DELETE FROM offers WHERE part = ?", (part.id,))
        journal.execute("DELETE FROM parts WHERE id = ?", (part.id,))
        journal.execute(
            "UPDATE files SET outcome = 'again', reason = 'a part of its offers was damaged'"
            " WHERE sha256 = ?",
            (file[0][1],),
        )
    if store.part_path(part).is_file():
        _move_aside(store, store.part_path(part))
    result.damaged.append(part.path)
    if (entry := (file[0][0], file[0][2])) not in result.again:
        result.again.append(entry)


def _move_aside(store: Store, path: Path) -> None:
    put(path, store.quarantine / _DAMAGED / path.name)


def _count_anew(store: Store) -> None:
    tallies: Tallies = Counter()
    for part in store.journal.parts():
        tallies.update(tally(read_part(store.part_path(part))))
    with store.journal.transaction():
        store.journal.execute("DELETE FROM tallies")
        _write_tallies(store, tallies)


def _write_tallies(store: Store, tallies: Tallies) -> None:
    store.journal.many(
        "INSERT INTO tallies VALUES (?, ?, ?, ?)", [(*key, n) for key, n in tallies.items()]
    )
