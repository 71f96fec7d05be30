"""What a run did: one record, as a JSON line and as lines for people."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from aiskills.batch.ingest import Taken
from aiskills.batch.tallies import Tallies, totals
from aiskills.batch.terms import Rising
from aiskills.batch.watch import WEEKS, Reading
from aiskills.schema import Definition

#: Outcomes of files, in the order in which they are told.
_OUTCOMES: Final = ("done", "same", "quarantined", "stopped")


@dataclass(slots=True)
class RunReport:
    """A run of the night job.

    Attributes:
        run: Its number in the journal.
        store: The store.
        started: When, ISO, UTC.
        model: Version of the model.
        lexicon: Version of the lexicon.
        outcome: `done` or `stopped`.
        seconds: How long it took.
        files: Files by outcome; `same` are those whose content was known.
        left: Name and reason of each file left for the next run.
        unreadable: Names among them that somebody must look at.
        held: Name and reason of each file put into quarantine.
        rows: Rows read.
        scored: New offers.
        revised: Changed texts of known offers.
        duplicates: Rows that were known.
        quarantined: Rows put into quarantine.
        reasons: Those by reason.
        tallies: Counts of the stored offers.
        readings: Shares beside their limits.
        rising: Terms near AI evidence that rise and that the lexicon lacks.
        recovered: What was mended of a run that died.
        damaged: Parts that are missing or have another size than when they were written.
        total: Offers in the store, versions counted.
    """

    run: int
    store: str
    started: str
    model: str
    lexicon: str
    outcome: str = "done"
    seconds: float = 0.0
    files: Counter[str] = field(default_factory=Counter)
    left: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    rows: int = 0
    scored: int = 0
    revised: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tallies: Tallies = field(default_factory=Counter)
    readings: list[Reading] = field(default_factory=list)
    rising: list[Rising] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    total: int = 0

    def add(self, taken: Taken, name: str) -> None:
        """Counts what became of a file."""
        self.files[taken.outcome] += 1
        if taken.outcome == "quarantined":
            self.held.append((name, taken.reason))
        self.rows += taken.rows
        self.scored += taken.scored
        self.revised += taken.revised
        self.duplicates += taken.duplicates
        self.quarantined += taken.quarantined
        self.reasons.update(taken.reasons)
        self.tallies.update(taken.tallies)

    @property
    def drifts(self) -> bool:
        """Whether a share lies outside its limits."""
        return any(one.signal for one in self.readings)

    @property
    def has_quarantine(self) -> bool:
        """Whether a row or file went to quarantine."""
        return bool(self.quarantined or self.held)

    def flagged(self, definition: Definition) -> int:
        """Stored offers of the run that ask for AI under a definition."""
        return totals(self.tallies)["share", definition.value]

    def as_record(self) -> dict[str, Any]:
        """The report as plain values; no text of an offer is in it."""
        return {
            "run": self.run,
            "store": self.store,
            "outcome": self.outcome,
            "started": self.started,
            "seconds": round(self.seconds, 2),
            "model": self.model,
            "lexicon": self.lexicon,
            "files": dict(self.files),
            "left": [{"file": name, "reason": reason} for name, reason in self.left],
            "unreadable": self.unreadable,
            "quarantined_files": [{"file": name, "reason": why} for name, why in self.held],
            "rows_read": self.rows,
            "new": self.scored,
            "changed": self.revised,
            "duplicates": self.duplicates,
            "quarantined_rows": self.quarantined,
            "reasons": dict(self.reasons),
            "flagged": {one.value: self.flagged(one) for one in Definition},
            "offers_in_store": self.total,
            "watch": [_as_record(one) for one in self.readings],
            "signals": [f"{one.measure} {one.value}" for one in self.readings if one.signal],
            "rising": [
                {"term": r.term, "employers": r.employers, "before": r.before} for r in self.rising
            ],
            "recovered": self.recovered,
            "damaged_parts": self.damaged,
        }

    def as_json(self) -> str:
        """The report as one line."""
        return json.dumps(self.as_record(), ensure_ascii=False)

    def lines(self) -> list[str]:
        """The report for people."""
        offers = self.scored + self.revised
        head = f"run {self.run} {self.outcome}: {_files(self.files)}; {self.rows:,} rows read"
        lines = [
            f"{head}: {self.scored:,} new, {self.revised:,} changed, {self.duplicates:,} known, "
            f"{self.quarantined:,} quarantined",
            *(f"  recovered   {line}" for line in self.recovered),
            *(f"  left        {name}: {reason}" for name, reason in self.left),
            *(f"  quarantine  {name}: {reason}" for name, reason in self.held),
        ]
        if self.quarantined:
            reasons = ", ".join(f"{reason}: {n:,}" for reason, n in self.reasons.most_common())
            lines.append(f"  quarantine  {self.quarantined:,} rows ({reasons})")
        lines += [_share_line(one, offers) for one in self.readings if one.measure == "share"]
        lines += [
            f"  SIGNAL      {one.measure} {one.value or '(none)'}: {_within(one)}"
            for one in self.readings
            if one.signal
        ]
        lines += [
            f"  rising      {one.term}: {one.employers} employers, {one.before} before"
            for one in self.rising
        ]
        lines += [f"  DAMAGED     {path}: run `aiskills store repair`" for path in self.damaged]
        lines.append(f"  store       {self.total:,} offers, {self.seconds:.1f} s")
        return lines


def _files(files: Counter[str]) -> str:
    if not files:
        return "no new file"
    return ", ".join(f"{files[name]:,} files {name}" for name in _OUTCOMES if files[name])


def _as_record(one: Reading) -> dict[str, Any]:
    record: dict[str, Any] = {
        "measure": one.measure,
        "value": one.value,
        "share": round(one.share, 5),
        "signal": one.signal,
    }
    if one.limits is not None:
        record |= {
            "centre": round(one.limits.centre, 5),
            "low": round(one.limits.low, 5),
            "high": round(one.limits.high, 5),
            "sigma_z": round(one.limits.sigma_z, 3),
            "days": one.limits.days,
        }
    return record


def _share_line(one: Reading, offers: int) -> str:
    line = f"  {one.value:<10}  {round(one.share * offers):,} ask for AI skills, "
    return line + _within(one)


def _within(one: Reading) -> str:
    if one.limits is None:
        return f"{100 * one.share:.1f} % (no limits yet: too few days or offers)"
    limits = one.limits
    return (
        f"{100 * one.share:.1f} %; last {WEEKS} weeks {100 * limits.centre:.1f} %, "
        f"limits {100 * limits.low:.1f} to {100 * limits.high:.1f} %"
    )
