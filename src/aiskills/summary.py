"""What a run found, counted chunk by chunk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from aiskills.schema import Definition, Status


@dataclass(slots=True)
class Tally:
    """Counts over classified offers.

    Attributes:
        read: Rows read.
        judged: Rows with a status.
        errors: Rows not judged, by reason.
        statuses: Judged rows by definition and status.
        themes: Offers that ask for each theme.
    """

    read: int = 0
    judged: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[Definition, Status]] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)

    def add(self, table: pa.Table) -> None:
        """Counts the rows of a table that `aiskills.pipeline` gave."""
        self.read += len(table)
        for definition in Definition:
            for entry in pc.value_counts(table.column(f"ai_{definition}_status")).to_pylist():
                if entry["values"] is not None:
                    self.statuses[definition, Status(entry["values"])] += entry["counts"]
        for entry in pc.value_counts(table.column("ai_error")).to_pylist():
            if entry["values"]:
                reason = str(entry["values"]).partition(":")[0].partition(" of ")[0]
                self.errors[reason] += entry["counts"]
        self.judged = self.read - self.errors.total()
        for entry in pc.value_counts(table.column("ai_themes")).to_pylist():
            for theme in filter(None, (entry["values"] or "").split("|")):
                self.themes[theme] += entry["counts"]

    def count(self, definition: Definition, status: Status) -> int:
        """Judged offers with that status under that definition."""
        return self.statuses[definition, status]

    def share(self, definition: Definition, status: Status) -> float | None:
        """Their share of all judged offers, 0 to 1; None if none was judged."""
        return self.count(definition, status) / self.judged if self.judged else None
