"""The night job: everything new in the inbox into the store, and a look at what came."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiskills.batch import inbox, retry
from aiskills.batch.disk import explained
from aiskills.batch.inbox import Arrival, NotYetError, UnreadableError
from aiskills.batch.ingest import Input, Settings, take
from aiskills.batch.migrate import migrate
from aiskills.batch.report import RunReport
from aiskills.batch.store import Store, is_store, now, open_store
from aiskills.batch.terms import rising
from aiskills.batch.watch import readings
from aiskills.errors import AiskillsError, InputError, UsageError
from aiskills.files.notes import Note, ignore
from aiskills.phrases import Lexicon

#: Outcomes after which a file need not be read again.
_SETTLED: Final = ("done", "same", "quarantined")
_INPUT: Final = "input"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked to do.

    Attributes:
        inbox: The folder files come to.
        store: The store.
        archive: Where files that are done go; None to leave them.
        since: Only files last changed at this time or later; None for all.
        max_files: So many files at most; None for all.
        settle: Seconds without change after which a file counts as whole.
        retry: Whether what is in quarantine is tried again.
    """

    inbox: Path
    store: Path
    archive: Path | None = None
    since: datetime | None = None
    max_files: int | None = None
    settle: float = 60.0
    retry: bool = False


def check_plan(plan: Plan) -> None:
    """Refuses folders that cannot go together.

    Raises:
        UsageError: The inbox is a store or inside one, or the archive is the inbox or in the store.
    """
    inbox_path, store = plan.inbox.resolve(), plan.store.resolve()
    if is_store(inbox_path) or store in (inbox_path, *inbox_path.parents):
        raise UsageError(f"{plan.inbox} is a store, or lies in one", expected="an inbox apart")
    if plan.archive is not None:
        archive = plan.archive.resolve()
        if archive == inbox_path or store in (archive, *archive.parents):
            raise UsageError(
                f"--archive {plan.archive} is the inbox, or lies in the store",
                expected="a folder apart",
            )


def run_batch(
    plan: Plan,
    settings: Settings,
    lexicon: Lexicon,
    stopped: Callable[[], bool] = lambda: False,
    note: Note = ignore,
) -> RunReport:
    """Takes what came into the inbox.

    Args:
        plan: What to do.
        settings: How to read and judge.
        lexicon: The terms of the judge, to tell which rising words it lacks.
        stopped: Asked after each chunk of offers; true ends the run cleanly, to be gone on with by
            the next.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: The inbox cannot be read.
        UsageError: The folders do not go together.
        StoreError: The store is damaged, foreign or of a newer version.
        StoreLockedError: Another run writes to it.
        OutputError: It may not be written, or the disk is full; what was stored stays.
    """
    started = time.monotonic()
    check_plan(plan)
    found, left = inbox.arrivals(plan.inbox)
    with open_store(plan.store, "batch", create=True) as store:
        migrate(store, note)
        model, words = (settings.metadata[f"aiskills_{name}"] for name in ("model", "lexicon"))
        begun = {"command": "batch", "started": now(), "model": model, "lexicon": words}
        with explained(plan.store), store.journal.transaction():
            number = store.journal.insert("runs", {**begun, "outcome": "running"})
        report = RunReport(number, str(plan.store), begun["started"], model, words)
        report.left += left
        report.recovered += store.recovered
        try:
            _Night(store, plan, settings, report, stopped, note).work(found)
            _look(store, report, lexicon)
        except AiskillsError as error:
            with suppress(Exception):  # the error itself is what the user must see
                _end(store, report, started, f"failed: {type(error).__name__}")
            raise
        _end(store, report, started, report.outcome)
    return report


def _end(store: Store, report: RunReport, started: float, outcome: str) -> None:
    report.seconds = time.monotonic() - started
    with explained(store.folder), store.journal.transaction():
        store.journal.execute(
            "UPDATE runs SET ended = ?, outcome = ?, report = ? WHERE id = ?",
            (now(), outcome, report.as_json(), report.run),
        )


def _look(store: Store, report: RunReport, lexicon: Lexicon) -> None:
    """The watch: limits, rising words, damaged parts."""
    with explained(store.folder):
        rows = store.journal.execute("SELECT day, measure, value, offers FROM tallies")
        counts = Counter({(day, measure, value): n for day, measure, value, n in rows})
        today = datetime.now(UTC).date()
        report.readings = readings(report.tallies, counts, today)
        if report.scored or report.revised:
            report.rising = rising(store, lexicon, today)
        report.damaged = [part.path for part in store.damaged_parts()]
        report.total = store.journal.execute("SELECT coalesce(sum(rows), 0) FROM parts")[0][0]


class _Night:
    """One run over the files of the inbox."""

    def __init__(
        self,
        store: Store,
        plan: Plan,
        settings: Settings,
        report: RunReport,
        stopped: Callable[[], bool],
        note: Note,
    ) -> None:
        self._store = store
        self._plan = plan
        self._settings = settings
        self._report = report
        self._stopped = stopped
        self._note = note

    def work(self, found: list[Arrival]) -> None:
        if self._plan.retry:
            self._retry()
        ready = self._ready(found)
        most = self._plan.max_files
        for number, arrival in enumerate(ready):
            if self._stopped():
                self._report.outcome = "stopped"
                return
            if most is not None and number >= most:
                self._leave(arrival.name, "--max-files is reached")
                continue
            try:
                self._arrived(arrival)
            except NotYetError as error:
                self._leave(arrival.name, error.what.removeprefix(arrival.name).strip())
                if isinstance(error, UnreadableError):
                    self._report.unreadable.append(arrival.name)
            if self._report.files["stopped"]:
                self._report.outcome = "stopped"
                return

    def _leave(self, name: str, reason: str) -> None:
        self._report.left.append((name, reason))

    def _ready(self, found: list[Arrival]) -> list[Arrival]:
        """The files to take now, those that are known already put away."""
        journal, since = self._store.journal, self._plan.since
        with explained(self._store.folder):
            looks = {n: (s, m) for n, s, m in journal.execute("SELECT * FROM looks")}
            ready, waiting = [], []
            for arrival in found:
                known = last_entry(self._store, arrival)
                if known is not None and known["outcome"] in _SETTLED:
                    self._put_away(arrival, known["id"], known["sha256"])
                elif since is not None and arrival.modified < since.timestamp() * 10**9:
                    continue
                elif inbox.is_settled(
                    arrival, self._plan.settle, time.time_ns(), looks.get(arrival.name)
                ):
                    ready.append(arrival)
                else:
                    waiting.append((arrival.name, arrival.size, arrival.modified))
                    self._leave(arrival.name, "changed a moment ago, or dated in the future")
            if waiting or looks:
                with journal.transaction():
                    journal.execute("DELETE FROM looks")
                    journal.many("INSERT INTO looks VALUES (?, ?, ?)", waiting)
        return ready

    def _arrived(self, arrival: Arrival) -> None:
        with (
            explained(self._store.folder),
            inbox.snapshot(arrival, self._store.staging(_INPUT)) as (copy, sha256),
        ):
            file, same = self._enter(arrival, sha256)
            if same:
                self._report.files["same"] += 1
            else:
                given = self._given(copy, arrival, sha256, file)
                taken = take(self._store, given, self._settings, self._stopped, self._note)
                self._report.add(taken, arrival.name)
                if taken.outcome == "stopped":
                    self._finish(file, "stopped")
                    return
                if taken.outcome == "done":
                    self._finish(file, "done")
        self._put_away(arrival, file, sha256)

    def _finish(self, file: int, outcome: str) -> None:
        with self._store.journal.transaction():
            self._store.end_file(file, outcome)

    def _enter(self, arrival: Arrival, sha256: str) -> tuple[int, bool]:
        """The journal's entry of a file, a new one or the one to go on with; is it known?"""
        journal = self._store.journal
        earlier = journal.execute(
            "SELECT id, name, outcome, attempt FROM files WHERE sha256 = ?"
            " ORDER BY (outcome IN ('done', 'quarantined')) DESC, id DESC LIMIT 1",
            (sha256,),
        )
        values: dict[str, Any] = {
            "name": arrival.name,
            "size": arrival.size,
            "modified": arrival.modified,
            "changed": arrival.changed,
            "run": self._report.run,
            "model": self._report.model,
            "lexicon": self._report.lexicon,
        }
        with journal.transaction():
            if earlier and earlier[0][2] in ("reading", "stopped"):
                file = int(earlier[0][0])
                changes = ", ".join(f"{name} = ?" for name in values)
                journal.execute(
                    f"UPDATE files SET {changes}, outcome = 'reading' WHERE id = ?",  # noqa: S608
                    (*values.values(), file),
                )
                return file, False
            values |= {"sha256": sha256, "attempt": 1, "started": now(), "outcome": "reading"}
            same = bool(earlier) and earlier[0][2] in _SETTLED
            if same:
                values |= {
                    "outcome": "same",
                    "ended": now(),
                    "reason": f"same content as {earlier[0][1]} ({earlier[0][2]})",
                }
            elif earlier:  # to be read again
                values["attempt"] = earlier[0][3] + 1
            return journal.insert("files", values), same

    def _given(self, copy: Path, arrival: Arrival, sha256: str, file: int) -> Input:
        found = self._store.journal.execute(
            "SELECT attempt, rows_done FROM files WHERE id = ?", (file,)
        )
        attempt, rows_done = found[0]
        return Input(copy, arrival.name, sha256, arrival.day, file, attempt, rows_done)

    def _put_away(self, arrival: Arrival, file: int, sha256: str) -> None:
        """Moves a file that is done to the archive; it stays where that fails."""
        if self._plan.archive is None:
            return
        try:
            place = inbox.archive(arrival, self._plan.archive, sha256)
        except NotYetError as error:
            self._leave(arrival.name, error.what.removeprefix(arrival.name).strip())
            return
        except OSError as error:
            self._leave(arrival.name, f"stored, but not archived ({error.strerror or error})")
            self._report.unreadable.append(arrival.name)
            return
        with explained(self._store.folder), self._store.journal.transaction():
            self._store.journal.execute(
                "UPDATE files SET archived_to = ? WHERE id = ?", (inbox.printable(str(place)), file)
            )

    def _retry(self) -> None:
        for again in retry.held(self._store):
            if self._stopped():
                return
            try:
                taken = retry.take_again(
                    self._store, again, self._settings, self._report.run, self._stopped, self._note
                )
            except InputError:  # somebody changed it; the rest of the night goes on
                self._leave(again.path, "no longer what was put into quarantine")
                self._report.unreadable.append(again.path)
                continue
            self._report.add(taken, again.name)


def last_entry(store: Any, arrival: Arrival) -> dict[str, Any] | None:
    """The journal's last entry of a file that has not changed since; None if it is new."""
    found = store.journal.execute(
        "SELECT id, sha256, outcome FROM files"
        " WHERE name = ? AND size = ? AND modified = ? AND changed = ? ORDER BY id DESC LIMIT 1",
        (arrival.name, arrival.size, arrival.modified, arrival.changed),
    )
    return dict(zip(("id", "sha256", "outcome"), found[0], strict=True)) if found else None
