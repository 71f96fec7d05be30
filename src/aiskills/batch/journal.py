"""The store's journal: what came in, what became of it, which offers are known.

SQLite with a rollback journal (``journal_mode = DELETE``) and ``synchronous = EXTRA``, not WAL: a
commit is on the disk when it returns, the store at rest is plain files that may be copied or
mounted read-only, and network disks work. One writer with a few commits a run gains nothing from
WAL.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiskills.batch.disk import StoreError

JOURNAL: Final = "journal.sqlite"
#: Raised when a table's form changes; `open_journal` brings earlier ones up to date.
VERSION: Final = 1
_APPLICATION: Final = 0x61697374  # "aist": tells our journals from other SQLite files
_MOST_VARIABLES: Final = 500
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, command TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
  model TEXT, lexicon TEXT, outcome TEXT NOT NULL, report TEXT);
CREATE TABLE files (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, attempt INTEGER NOT NULL,
  size INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES runs, started TEXT NOT NULL, ended TEXT,
  rows_done INTEGER NOT NULL DEFAULT 0, scored INTEGER NOT NULL DEFAULT 0,
  revised INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0, model TEXT, lexicon TEXT,
  outcome TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', archived_to TEXT);
CREATE INDEX files_name ON files (name);
CREATE INDEX files_sha256 ON files (sha256);
CREATE TABLE looks (name TEXT PRIMARY KEY, size INTEGER, modified INTEGER) WITHOUT ROWID;
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, file INTEGER NOT NULL REFERENCES files,
  rows INTEGER NOT NULL, flagged INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  month TEXT, seen TEXT NOT NULL, has_text INTEGER NOT NULL, model TEXT NOT NULL,
  lexicon TEXT NOT NULL);
CREATE TABLE offers (
  key BLOB NOT NULL, version INTEGER NOT NULL, text BLOB NOT NULL, part INTEGER,
  PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
  sha256 TEXT NOT NULL, reason TEXT NOT NULL, rows INTEGER NOT NULL, since TEXT NOT NULL,
  resolved TEXT);
CREATE TABLE tallies (
  day TEXT NOT NULL, measure TEXT NOT NULL, value TEXT NOT NULL, offers INTEGER NOT NULL,
  PRIMARY KEY (day, measure, value)) WITHOUT ROWID;
CREATE TABLE next_parts (
  id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, flagged INTEGER NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, has_text INTEGER NOT NULL, model TEXT NOT NULL,
  lexicon TEXT NOT NULL);
CREATE TABLE next_gone (key BLOB NOT NULL, version INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of the store.

    Attributes:
        id: Its number in the journal; stays when the part is rewritten.
        path: Relative to the folder of offers.
        file: Number of the input that brought it.
        rows: Offers in it.
        flagged: Those that ask for AI under `study`.
        bytes: Its size.
        sha256: Hash of its bytes.
        month: Month of publication, `2024-03`; None if unknown.
        seen: Latest day, ISO, on which a file that brought its offers was modified.
        has_text: Whether titles and descriptions were kept.
        model: Version of the model that scored it.
        lexicon: Version of the lexicon.
    """

    id: int
    path: str
    file: int
    rows: int
    flagged: int
    bytes: int
    sha256: str
    month: str | None
    seen: str
    has_text: bool
    model: str
    lexicon: str


_PART: Final = (
    "SELECT id, path, file, rows, flagged, bytes, sha256, month, seen, has_text, model, lexicon"
    " FROM parts"
)


class Journal:
    """An open journal; see `open_journal`.

    Args:
        connection: In autocommit mode; transactions are explicit.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside lasts, or nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of one statement."""
        return self._connection.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        self._connection.executemany(sql, rows)

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        """Adds a row and gives its number."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 (names are ours)
        number = self._connection.execute(sql, tuple(values.values())).lastrowid
        assert number is not None  # noqa: S101 (an INSERT that did not fail has one)
        return number

    def meta(self, name: str) -> str | None:
        """A setting of the store; None if it is not set."""
        found = self.execute("SELECT value FROM meta WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def set_meta(self, name: str, value: str | None) -> None:
        """Sets a setting; None removes it."""
        self.execute("DELETE FROM meta WHERE name = ?", (name,))
        if value is not None:
            self.execute("INSERT INTO meta VALUES (?, ?)", (name, value))

    def parts(self) -> list[Part]:
        """All parts, in the order of their numbers."""
        rows = self.execute(_PART + " ORDER BY id")
        return [Part(*(*row[:9], bool(row[9]), *row[10:])) for row in rows]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, list[tuple[int, bytes]]]:
        """Versions of offers that are known: number and text hash, by key, in their order."""
        found: dict[bytes, list[tuple[int, bytes]]] = {}
        different = list(dict.fromkeys(keys))
        for start in range(0, len(different), _MOST_VARIABLES):
            some = different[start : start + _MOST_VARIABLES]
            marks = ",".join("?" * len(some))
            sql = f"SELECT key, version, text FROM offers WHERE key IN ({marks}) ORDER BY 1, 2"  # noqa: S608
            for key, version, text in self.execute(sql, some):
                found.setdefault(key, []).append((version, text))
        return found

    def check(self) -> str:
        """What is wrong with the journal's pages; empty if nothing is."""
        try:
            said = str(self.execute("PRAGMA quick_check(1)")[0][0])
        except sqlite3.DatabaseError as error:
            return str(error)
        return "" if said == "ok" else " ".join(said.split())


def open_journal(folder: Path, *, create: bool = False) -> Journal:
    """Opens the journal of a store.

    Args:
        folder: The store.
        create: Whether to make one where there is none.

    Raises:
        StoreError: There is none; it is no journal of ours, or of a newer aiskills.
        sqlite3.Error: It is damaged, or cannot be opened.
    """
    path = folder / JOURNAL
    if not path.is_file() and not create:
        raise StoreError(
            f"{folder} is no store: it holds no {JOURNAL}",
            expected="a folder that `aiskills batch` made",
        )
    mode = "rwc" if create else "rw"
    with contextlib.ExitStack() as undo:
        connection = _connect(path, mode)
        undo.callback(connection.close)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and create:
            _make(connection)
        elif (ours := connection.execute("PRAGMA application_id").fetchone()[0]) != _APPLICATION:
            raise StoreError(f"{path} is no journal of aiskills (application id {ours})")
        elif version > VERSION:
            raise StoreError(
                f"{folder} was written by a newer aiskills (journal version {version})",
                expected=f"version {VERSION} or earlier",
                hint="Update aiskills.",
            )
        undo.pop_all()
    return Journal(connection)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Opens for writing, which is what rolls back the commit of a run that died, or else reads."""
    uri = f"{path.resolve().as_uri()}?mode="
    connection = sqlite3.connect(uri + mode, uri=True, isolation_level=None, timeout=10)
    try:
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.executescript(
        f"BEGIN;{_TABLES}PRAGMA application_id = {_APPLICATION};"
        f"PRAGMA user_version = {VERSION};COMMIT;"
    )
