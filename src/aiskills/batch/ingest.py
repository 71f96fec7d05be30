"""One file into the store: read, known offers left out, the rest judged and stored by segments."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.attributes.period import periods
from aiskills.batch.columns import store_schema, stored
from aiskills.batch.keys import Keys, keys_of
from aiskills.batch.locate import LineFinder
from aiskills.batch.quarantine import Rejected
from aiskills.batch.store import BLOCKED, Segment, Store
from aiskills.batch.tallies import Tallies, tally
from aiskills.errors import AiskillsError, InputError
from aiskills.files import Chunk, open_offers
from aiskills.files.cells import as_text
from aiskills.files.fields import NoSuchColumnError
from aiskills.files.notes import Note, ignore
from aiskills.files.tolerant import BadRow
from aiskills.pipeline import Setup, classify_chunks
from aiskills.schema import CLASSIFY_COLUMNS
from aiskills.workers import default_jobs

#: Rows judged between two looks at whether the run shall stop: about a second.
CHUNK_ROWS: Final = 1000
#: Rows and bytes after which what was judged is stored.
SEGMENT_ROWS: Final = 20_000
_SEGMENT_BYTES: Final = 128 * 2**20
#: Below this size of a file, processes cost more to start than they save.
_SMALL_BYTES: Final = 5_000_000
_TAIL: Final = re.compile(r"(, which reads '|, among: |, only |holds several lists: ).*", re.DOTALL)
_QUOTED: Final = re.compile(r"'[^']*'")


@dataclass(frozen=True, slots=True)
class Settings:
    """How files are read and judged.

    Attributes:
        setup: The judge to use.
        metadata: Versions of model, lexicon and package, for the parts.
        mapping: Which column holds what; None to find it.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
        jobs: Processes; None for one with small files, else one a processor.
        keep_text: Whether titles, descriptions and quotes are stored.
    """

    setup: Setup
    metadata: Mapping[str, str]
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None
    separator: str | None = None
    jobs: int | None = None
    keep_text: bool = True


@dataclass(frozen=True, slots=True)
class Input:
    """A file to take.

    Attributes:
        copy: Where its bytes are; nobody changes them.
        name: Its name.
        sha256: Hash of its bytes.
        day: Day of its last change (UTC).
        file: Its number in the journal.
        attempt: 1 the first time it is read, then 2, …
        rows_done: Rows of it that an earlier run has stored.
    """

    copy: Path
    name: str
    sha256: str
    day: date
    file: int
    attempt: int
    rows_done: int


@dataclass(slots=True)
class Taken:
    """What became of a file.

    Attributes:
        outcome: `done`, `stopped` (at the caller's wish; the next run goes on) or `quarantined`.
        reason: Why it was quarantined, else empty.
        rows: Rows read by this run.
        scored: New offers stored.
        revised: Changed texts of known offers stored.
        duplicates: Rows that were known already.
        quarantined: Rows put into quarantine.
        reasons: Those by reason.
        tallies: Counts of the stored offers.
    """

    outcome: str = "done"
    reason: str = ""
    rows: int = 0
    scored: int = 0
    revised: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tallies: Tallies = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows of one chunk that are not known: their numbers in the chunk and their keys.

    `broken` are the lines among them that cannot be read.
    """

    chunk: Chunk
    rows: list[int]
    keys: Keys
    broken: list[Rejected]


def take(
    store: Store,
    given: Input,
    settings: Settings,
    stopped: Callable[[], bool],
    note: Note = ignore,
) -> Taken:
    """Takes a file into the store.

    A row that holds no offer, or one too long, goes to quarantine. So does a file that cannot be
    read, from the place on where it cannot; the rows before are stored.

    Args:
        store: The store.
        given: The file.
        settings: How to read and judge.
        stopped: Asked after each chunk whether to stop.
        note: Takes one line for each thing the user should know.

    Raises:
        OutputError: The store may not be written, or the disk is full.
        StoreError: The journal is damaged.
    """
    taken = Taken()
    told: list[BadRow] = []
    try:
        with open_offers(
            [given.copy],
            mapping=settings.mapping,
            encoding=settings.encoding,
            separator=settings.separator,
            chunk_rows=CHUNK_ROWS,
            note=lambda line: note(_named(line, given)),
            on_bad_row=told.append,
        ) as reader:
            _Intake(store, given, settings, stopped, taken, told).work(iter(reader))
    except (InputError, NoSuchColumnError) as error:
        _hold(store, given, taken, _reason(error, given))
    except AiskillsError:
        raise
    except Exception as error:  # noqa: BLE001 (one file that trips us must not stop the night)
        if stopped():  # a signal that reached the worker processes too
            taken.outcome = "stopped"
            return taken
        _hold(store, given, taken, f"{given.name} cannot be taken ({_place_of(error)})")
    return taken


def _named(text: str, given: Input) -> str:
    """A message with the file's own name in place of its copy's path, and nothing quoted from it.

    What the reader quotes (a broken place, columns of a file without a header) may be an offer's.
    """
    return _QUOTED.sub("'…'", _TAIL.sub("", text.replace(str(given.copy), given.name)))


def _reason(error: AiskillsError, given: Input) -> str:
    return _named(str(AiskillsError(_TAIL.sub("", error.what), hint=error.hint)), given)


def _place_of(error: BaseException) -> str:
    """Kind and place of an unforeseen error; not its words, which may be an offer's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f", {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"unforeseen {type(error).__name__}{where}"


def _hold(store: Store, given: Input, taken: Taken, reason: str) -> None:
    taken.outcome, taken.reason = "quarantined", reason
    store.hold_file(_segment(given, 0, 0), given.copy, reason)


class _Intake:
    """The rows of one file on their way into the store."""

    def __init__(
        self,
        store: Store,
        given: Input,
        settings: Settings,
        stopped: Callable[[], bool],
        taken: Taken,
        told: list[BadRow],
    ) -> None:
        self._told = told
        self._store = store
        self._given = given
        self._settings = settings
        self._stopped = stopped
        self._taken = taken
        self._finder = LineFinder(given.copy, settings.encoding, settings.separator)
        self._waiting: deque[_Batch] = deque()  # read, and not judged yet
        self._judged: list[tuple[_Batch, pa.Table]] = []  # not stored yet
        self._read: set[tuple[bytes, bytes]] = set()  # keys and texts of both
        self._failure: Exception | None = None

    def work(self, chunks: Iterator[Chunk]) -> None:
        """Judges and stores all chunks, or those until it shall stop.

        Raises:
            Exception: What ended the reading; the rows before are stored.
        """
        results = classify_chunks(self._unknown(chunks), self._settings.setup, self._jobs())
        with closing(cast("Generator[pa.Table]", results)):
            for table in results:
                self._judged.append((self._waiting.popleft(), table))
                if self._stopped():
                    self._taken.outcome = "stopped"
                    break
                rows = sum(len(one.chunk.table) for one, _ in self._judged)
                size = sum(judged.nbytes for _, judged in self._judged)
                if rows >= SEGMENT_ROWS or size >= _SEGMENT_BYTES:
                    self._commit()
        self._commit()
        if self._taken.outcome != "stopped":
            self._commit_end()
        if self._failure is not None and self._taken.outcome != "stopped":
            raise self._failure

    def _jobs(self) -> int:
        if self._settings.jobs is not None:
            return self._settings.jobs
        return 1 if self._given.copy.stat().st_size < _SMALL_BYTES else default_jobs()

    def _unknown(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The rows whose offer and text the store does not have, chunk by chunk."""
        while True:
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 (raised later, after the rows before it)
                self._failure = error
                return
            broken = self._broken()
            skip = min(max(0, self._given.rows_done - chunk.first_row), len(chunk.table))
            if skip == len(chunk.table):
                continue
            first = chunk.first_row + skip
            chunk = Chunk(chunk.table.slice(skip), chunk.fields, chunk.source, first)
            keys = keys_of(chunk.table, chunk.fields)
            rows = self._fresh(keys)
            self._waiting.append(_Batch(chunk, rows, keys.take(rows), broken))
            table = chunk.table.take(pa.array(rows, pa.int64()))
            yield Chunk(table, chunk.fields, chunk.source, first)

    def _fresh(self, keys: Keys) -> list[int]:
        known = self._store.journal.known(keys.keys)
        stored = {(key, text) for key, versions in known.items() for _, text in versions}
        blocked = {key for key, text in stored if text == BLOCKED}
        rows = []
        for row, pair in enumerate(zip(keys.keys, keys.texts, strict=True)):
            if pair not in stored and pair not in self._read and pair[0] not in blocked:
                self._read.add(pair)
                rows.append(row)
        return rows

    def _broken(self) -> list[Rejected]:
        """The lines told since the last call."""
        name = self._given.name
        rows = [Rejected(name, None, one.line, one.reason, None, one.raw) for one in self._told]
        self._told.clear()
        return rows

    def _commit_end(self) -> None:
        """Keeps the broken lines behind the last row."""
        broken = self._broken()
        if not broken:
            return
        done = self._store.journal.execute(
            "SELECT rows_done FROM files WHERE id = ?", (self._given.file,)
        )[0][0]
        segment = _segment(self._given, done, done)
        segment.broken = broken
        self._store.commit(segment, self._settings.metadata)
        self._count_broken(broken)

    def _count_broken(self, broken: list[Rejected]) -> None:
        self._taken.quarantined += len(broken)
        self._taken.reasons.update(row.reason.partition(":")[0] for row in broken)

    def _commit(self) -> None:
        """Stores what was judged."""
        if not self._judged:
            return
        first, last = self._judged[0][0].chunk, self._judged[-1][0].chunk
        segment = _segment(self._given, first.first_row, last.first_row + len(last.table))
        _fill(segment, self._judged, self._settings, self._given, self._finder)
        segment.tallies = tally(segment.offers)
        segment.broken = [row for batch, _ in self._judged for row in batch.broken]
        fresh, revised = self._store.commit(
            segment, self._settings.metadata, keep_text=self._settings.keep_text
        )
        for batch, _ in self._judged:
            self._read.difference_update(zip(batch.keys.keys, batch.keys.texts, strict=True))
        self._judged = []
        taken = self._taken
        taken.rows += segment.end - segment.start
        taken.scored += fresh
        taken.revised += revised
        taken.duplicates += segment.duplicates
        taken.quarantined += len(segment.rejected)
        taken.reasons.update(row.reason.partition(":")[0] for row in segment.rejected)
        self._count_broken(segment.broken)
        taken.tallies.update(segment.tallies)


def _as_records(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as plain values; a column with values that Python has none for as text."""
    columns = []
    for column in table.columns:
        try:
            columns.append(column.to_pylist())
        except (ValueError, OverflowError, pa.ArrowException):  # a time beyond the year 9999
            columns.append(as_text(column).to_pylist())
    return [
        dict(zip(table.column_names, values, strict=True)) for values in zip(*columns, strict=True)
    ]


def _segment(given: Input, start: int, end: int) -> Segment:
    empty = store_schema().empty_table()
    return Segment(given.file, given.sha256, given.attempt, given.name, start, end, empty)


def _fill(
    segment: Segment,
    judged: list[tuple[_Batch, pa.Table]],
    settings: Settings,
    given: Input,
    finder: LineFinder,
) -> None:
    """Parts what was judged into offers and rejected rows."""
    tables = []
    for batch, table in judged:
        segment.duplicates += len(batch.chunk.table) - len(batch.rows)
        errors = pc.fill_null(table.column("ai_error"), "").to_pylist()
        good = [row for row, error in enumerate(errors) if not error]
        bad = [row for row, error in enumerate(errors) if error]
        segment.rejected += _rejected(batch, table, bad, errors, given.name, finder)
        kept = batch.keys.take(good)
        offers = table.take(pa.array(good, pa.int64()))
        dates = batch.chunk.fields.extract(offers, "date")
        segment.months += periods(dates, given.day).to_pylist()
        segment.keys += kept.keys
        segment.texts += kept.texts
        tables.append(
            stored(
                offers,
                batch.chunk.fields,
                kept,
                name=given.name,
                seen=given.day,
                model=settings.metadata["aiskills_model"],
            )
        )
    segment.offers = pa.concat_tables(tables)


def _rejected(
    batch: _Batch,
    table: pa.Table,
    bad: list[int],
    errors: list[str],
    name: str,
    finder: LineFinder,
) -> list[Rejected]:
    if not bad:
        return []
    own = table.select([one for one in table.column_names if one not in CLASSIFY_COLUMNS])
    cells = _as_records(own.take(pa.array(np.array(bad))))
    result = []
    for row, values in zip(bad, cells, strict=True):
        number = batch.chunk.first_row + batch.rows[row]
        line, raw = finder.find(number)
        result.append(Rejected(name, number + 1, line, errors[row], values, raw))
    return result
