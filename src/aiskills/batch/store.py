"""The store: Parquet parts that any tool reads, a journal, and the order in which both are written.

A segment of offers is written to ``.staging`` and flushed; then one transaction of the journal says
that its parts, keys and counts are the store's; then the parts move to their places. A run that
dies before the transaction leaves files nobody knows, which are deleted; one that dies after it
leaves moves to be done, which are. Readers of ``offers/`` see complete parts only.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.batch.columns import columns_id, folder_of, without_text
from aiskills.batch.disk import (
    StoreError,
    explained,
    make_folder,
    of_journal,
    put,
    remove_tree,
    short_name,
    sync,
    write_file,
)
from aiskills.batch.journal import JOURNAL, Journal, Part, open_journal
from aiskills.batch.lock import locked
from aiskills.batch.parts import write_part
from aiskills.batch.quarantine import QUARANTINE, Rejected, encode_reason, encode_rows

OFFERS: Final = "offers"
_STAGING: Final = ".staging"
_PARTS: Final = "parts"
_ORDER: Final = [("uid", "ascending"), ("version", "ascending")]
#: A key under which nothing is taken any more: its offer was erased on demand.
BLOCKED: Final = b""


@dataclass(slots=True)
class Segment:
    """Rows of one input, judged, to be stored together.

    Attributes:
        file: Number of the input in the journal.
        sha256: Hash of the input.
        attempt: 1 the first time it is read, then 2, …
        name: Its name.
        start: First row of the segment within the input, from 0.
        end: Row after its last.
        offers: New offers in the store's columns, `version` still null.
        keys: Their keys.
        texts: Hashes of their texts.
        months: Their months of publication, None if unknown.
        duplicates: Rows that were known already.
        rejected: Rows that go to quarantine.
        broken: Lines that go there because they cannot be cut into cells.
        tallies: Counts of the new offers by (day, measure, value).
    """

    file: int
    sha256: str
    attempt: int
    name: str
    start: int
    end: int
    offers: pa.Table
    keys: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    months: list[str | None] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    broken: list[Rejected] = field(default_factory=list)
    tallies: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def is_store(folder: Path) -> bool:
    """Whether a folder is a store."""
    try:
        return (folder / JOURNAL).is_file()
    except OSError:  # a folder we may not look into
        return False


def now() -> str:
    """The time, ISO, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Store:
    """A store open for writing; get one from `open_store`.

    Attributes:
        folder: Where it is.
        journal: Its journal.
        recovered: What was mended at opening, for people; empty if the last run ended well.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder = folder
        self.journal = journal
        self.recovered: list[str] = []

    @property
    def offers(self) -> Path:
        """The folder of Parquet parts."""
        return self.folder / OFFERS

    @property
    def quarantine(self) -> Path:
        """The folder of what could not be taken."""
        return self.folder / QUARANTINE

    def staging(self, name: str) -> Path:
        """A place for what is not yet the store's."""
        return self.folder / _STAGING / name

    def part_path(self, part: Part) -> Path:
        """Where a part lies."""
        return self.offers / part.path

    def commit(
        self,
        segment: Segment,
        metadata: Mapping[str, str],
        *,
        keep_text: bool = True,
    ) -> tuple[int, int]:
        """Stores a segment: all of it or nothing.

        Args:
            segment: Rows of one input.
            metadata: Versions, for the parts.
            keep_text: Whether titles, descriptions and quotes are stored.

        Returns:
            How many offers were new, and how many a changed text of known ones.

        Raises:
            OutputError: The disk is full or may not be written. The store is as it was, or, where
                only moves to their places were left, the next opening makes them.
        """
        with explained(self.folder):
            versions = self._versions(segment)
            table = _with_versions(segment.offers, versions)
            if not keep_text:
                table = without_text(table)
            known_by = {"aiskills_input_sha256": segment.sha256}
            staged, numbers = self._stage(segment, table, {**metadata, **known_by})
            held = self._stage_rows(segment)
            revised = sum(version > 1 for version in versions)
            fresh = len(versions) - revised
            with self.journal.transaction():
                self._register(segment, staged, numbers, versions)
                self._count(segment, fresh, revised)
                for kind, path, rows in held:
                    self._hold(kind, path, segment, len(rows), _reasons(rows))
            self._place()
        return fresh, revised

    def _versions(self, segment: Segment) -> list[int]:
        known = self.journal.known(segment.keys)
        last = {key: entries[-1][0] for key, entries in known.items()}
        versions = []
        for key in segment.keys:
            last[key] = last.get(key, 0) + 1
            versions.append(last[key])
        return versions

    def _stage(
        self, segment: Segment, table: pa.Table, metadata: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], list[int]]:
        """Writes a part a month; gives their journal rows, and each offer's place among them."""
        staged: list[dict[str, Any]] = []
        place = [0] * len(table)
        months = np.array([month or "" for month in segment.months], dtype=str)
        stem = f"{segment.sha256[:16]}-{segment.attempt}-{segment.start:09}"
        for number, month in enumerate(sorted(set(months.tolist()))):
            rows = np.flatnonzero(months == month)
            for row in rows.tolist():
                place[row] = number
            part = table.take(pa.array(rows))
            part = part.take(pc.sort_indices(part, _ORDER))
            path = f"{folder_of(month or None)}/{stem}.parquet"
            target = self.staging(_PARTS) / path
            make_folder(target.parent)
            written = write_part(target, part, metadata)
            sync(target.parent)
            staged.append(
                {
                    "path": path,
                    "file": segment.file,
                    "rows": written.rows,
                    "flagged": written.flagged,
                    "bytes": written.bytes,
                    "sha256": written.sha256,
                    "month": month or None,
                    "seen": str(pc.max(part.column("seen")).as_py()),
                    "has_text": written.has_text,
                    "model": metadata["aiskills_model"],
                    "lexicon": metadata["aiskills_lexicon"],
                }
            )
        return staged, place

    def _stage_rows(self, segment: Segment) -> list[tuple[str, str, list[Rejected]]]:
        """Writes what is rejected; gives kind, name and rows of each file."""
        stem = f"{segment.sha256[:16]}-{segment.attempt}-{segment.start:09}"
        held = [
            (kind, f"{stem}.{kind}.jsonl", rows)
            for kind, rows in (("rows", segment.rejected), ("lines", segment.broken))
            if rows
        ]
        for _, name, rows in held:
            self._stage_file(name, encode_rows(rows))
        return held

    def _stage_file(self, name: str, data: bytes) -> None:
        target = self.staging(QUARANTINE) / name
        make_folder(target.parent)
        write_file(target, data)
        sync(target.parent)

    def _register(
        self,
        segment: Segment,
        staged: Sequence[Mapping[str, Any]],
        numbers: Sequence[int],
        versions: Sequence[int],
    ) -> None:
        ids = [self.journal.insert("parts", part) for part in staged]
        self.journal.many(
            "INSERT INTO offers (key, version, text, part) VALUES (?, ?, ?, ?)",
            [
                (key, version, text, ids[number])
                for key, version, text, number in zip(
                    segment.keys, versions, segment.texts, numbers, strict=True
                )
            ],
        )
        self.journal.many(
            "INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET offers = offers + excluded.offers",
            [(*key, count) for key, count in segment.tallies.items()],
        )

    def _count(self, segment: Segment, fresh: int, revised: int) -> None:
        self.journal.execute(
            "UPDATE files SET rows_done = ?, scored = scored + ?, revised = revised + ?,"
            " duplicates = duplicates + ?, quarantined = quarantined + ? WHERE id = ?",
            (
                *(segment.end, fresh, revised, segment.duplicates),
                len(segment.rejected) + len(segment.broken),
                segment.file,
            ),
        )

    def end_file(self, file: int, outcome: str, reason: str = "") -> None:
        """Says what became of an input."""
        self.journal.execute(
            "UPDATE files SET outcome = ?, reason = ?, ended = ? WHERE id = ?",
            (outcome, reason, now(), file),
        )

    def hold_file(self, segment: Segment, copy: Path, reason: str) -> None:
        """Puts a whole input into quarantine, as it was read.

        Args:
            segment: Says which input; its rows are not looked at.
            copy: The bytes that were read; moved away.
            reason: Why, without words of an offer.

        Raises:
            OutputError: The disk is full or may not be written; nothing was changed.
        """
        name = f"{segment.sha256[:16]}-{segment.attempt}-{short_name(copy.name)}"
        with explained(self.folder):
            why = encode_reason(segment.name, segment.sha256, reason, now())
            self._stage_file(f"{name}.why.json", why)
            sync(copy)
            put(copy, self.staging(QUARANTINE) / name)
            with self.journal.transaction():
                self._hold("file", name, segment, 0, reason)
                self.end_file(segment.file, "quarantined", reason)
            self._place()

    def _hold(self, kind: str, path: str, segment: Segment, rows: int, reason: str) -> None:
        name = path.encode("utf-8", "surrogateescape")
        if self.journal.execute("SELECT 1 FROM quarantine WHERE path = ?", (name,)):
            return  # the end of a file, told again by a run that takes it up
        self.journal.insert(
            "quarantine",
            {
                "kind": kind,
                "path": name,
                "name": segment.name,
                "sha256": segment.sha256,
                "reason": reason,
                "rows": rows,
                "since": now(),
            },
        )

    def _place(self) -> int:
        """Moves what the journal knows from staging to its place; deletes the rest of staging."""
        moved = 0
        staged = [path for path in self.staging(_PARTS).rglob("*.parquet") if path.is_file()]
        for path in staged:
            relative = path.relative_to(self.staging(_PARTS)).as_posix()
            if self.journal.execute("SELECT 1 FROM parts WHERE path = ?", (relative,)):
                put(path, self.offers / relative)
                moved += 1
        held = self.staging(QUARANTINE)
        for path in sorted(held.iterdir()) if held.is_dir() else ():
            name = path.name.removesuffix(".why.json").encode("utf-8", "surrogateescape")
            if self.journal.execute("SELECT 1 FROM quarantine WHERE path = ?", (name,)):
                put(path, self.quarantine / path.name)
                moved += 1
        remove_tree(self.staging(_PARTS))
        remove_tree(held)
        return moved

    def recover(self) -> None:
        """Finishes or undoes what a run that died had begun; says so in `recovered`."""
        had_rest = any((self.folder / _STAGING).rglob("*.*"))
        moved = self.tidy()
        died = self.journal.execute("SELECT id FROM runs WHERE outcome = 'running'")
        if died:
            with self.journal.transaction():
                self.journal.execute("UPDATE runs SET outcome = 'died' WHERE outcome = 'running'")
            self.recovered.append("the run before died; what it had not finished is taken up again")
        if moved:
            self.recovered.append(f"{moved} files it had written were put in place")
        elif had_rest:
            self.recovered.append("files it had not finished were removed")

    def tidy(self) -> int:
        """Puts in place what the journal knows, removes the rest; gives how much was moved."""
        moved = self._place()
        remove_tree(self.folder / _STAGING)
        return moved

    def damaged_parts(self) -> list[Part]:
        """Parts that are missing or have another size than when they were written."""
        return [part for part in self.journal.parts() if not _is_whole(self.part_path(part), part)]


def _is_whole(path: Path, part: Part) -> bool:
    try:
        return path.stat().st_size == part.bytes
    except OSError:
        return False


def _with_versions(table: pa.Table, versions: Sequence[int]) -> pa.Table:
    place = table.schema.get_field_index("version")
    return table.set_column(place, table.schema.field(place), pa.array(versions, pa.int32()))


def _reasons(rows: Sequence[Rejected]) -> str:
    counts = Counter(row.reason.partition(":")[0] for row in rows)
    return ", ".join(f"{reason}: {count}" for reason, count in counts.most_common())


@contextlib.contextmanager
def open_store(folder: Path, command: str, *, create: bool = False) -> Iterator[Store]:
    """Opens a store for writing, and mends what a run that died left behind.

    Args:
        folder: The store.
        command: What this run is called in other runs' messages.
        create: Whether to make one where there is none.

    Raises:
        StoreError: It is none, damaged, or written by a newer aiskills.
        StoreLockedError: Another run writes to it.
        OutputError: It may not be written, or the disk is full.
    """
    from aiskills.batch.generations import finish_rewrite

    if not is_store(folder):
        with explained(folder):
            _check_free(folder, create=create)
            folder.mkdir(exist_ok=True)
    with locked(folder, command), _opened(folder, create=create) as journal:
        store = Store(folder, journal)
        with explained(folder):
            if damage := journal.check():
                raise sqlite3.DatabaseError(damage)
            if journal.meta("columns") is None:
                with journal.transaction():
                    journal.set_meta("columns", columns_id())
            if finish_rewrite(store):
                store.recovered.append("a rewrite of the store was finished")
            store.recover()
        try:
            yield store
        except sqlite3.Error as error:
            raise of_journal(folder, error) from error
        finally:
            # After a failure this makes room at once; where it fails too, the next opening does it.
            with contextlib.suppress(OSError, sqlite3.Error):
                store.tidy()


@contextlib.contextmanager
def _opened(folder: Path, *, create: bool) -> Iterator[Journal]:
    with explained(folder):
        journal = open_journal(folder, create=create)
    try:
        yield journal
    finally:
        journal.close()


def _check_free(folder: Path, *, create: bool) -> None:
    if (folder / OFFERS).is_dir():
        raise StoreError(
            f"{folder} has lost its {JOURNAL}",
            hint=f"`aiskills store repair {folder}` makes it anew from the offers.",
        )
    if not create:
        raise StoreError(
            f"{folder} is no store", expected="a folder that `aiskills batch --store` made"
        )
    if not folder.parent.is_dir():
        raise StoreError(f"{folder}: the folder {folder.parent} does not exist")
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is no folder")
    if folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir()):
        raise StoreError(
            f"{folder} holds other files and is no store",
            expected="a store, an empty folder or a new name",
        )


class ReadStore:
    """A store open for reading: nothing is written, no lock is taken.

    Args:
        folder: The store.

    Raises:
        StoreError: It is none, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with explained(folder):
            if not is_store(folder):
                _check_free(folder, create=False)
            self.journal = open_journal(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.journal.close()

    def paths(self) -> list[Path]:
        """Its parts, in the order in which they came."""
        with explained(self.folder):
            return [self.folder / OFFERS / part.path for part in self.journal.parts()]
