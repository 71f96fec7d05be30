"""Which offers the data hold of a period, so that a missing figure can say what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from aiskills.estimate.options import months_of, parse_window
from aiskills.files.cells import as_text

#: What a perimeter column holds for employers known to be outside.
OUTSIDE = frozenset({"false", "0", "0.0", "faux", "non", "no"})
_INSIDE = frozenset({"true", "1", "1.0", "vrai", "oui", "yes"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which offers a figure is about.

    Attributes:
        months: First and last month.
        cadre: Whether only cadre offers are.
        perimeter: ``industry``, ``others`` or ``all``.
    """

    months: tuple[str, str]
    cadre: bool
    perimeter: str


class Cover:
    """Numbers of judged offers by month, cadre status and perimeter.

    Args:
        offers: The offers.
        perimeter: The column that tells the perimeter.
    """

    def __init__(self, offers: pa.Table, perimeter: str) -> None:
        names = [
            name for name in ("ai_period", "ai_cadre", perimeter) if name in offers.column_names
        ]
        texts = pa.table({name: as_text(offers.column(name)) for name in names})
        rows = texts.group_by(names, use_threads=False).aggregate([([], "count_all")]).to_pylist()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            place = str(row.get(perimeter) or "").strip()
            kind = "industry" if place in _INSIDE else "others" if place in OUTSIDE else ""
            cadre = str(row.get("ai_cadre") or "inconnu")
            self._counts[row["ai_period"] or "", cadre, kind] += row["count_all"]

    def span(self) -> tuple[str, str] | None:
        """First and last month that any offer is of; None if none is known."""
        known = sorted({month for month, _, _ in self._counts if month})
        return (known[0], known[-1]) if known else None

    def months_without(self, wanted: Wanted) -> tuple[int, int]:
        """Months of the period without an offer that counts, and all months of it."""
        months = _between(*wanted.months)
        seen = {
            month for (month, cadre, kind), count in self._counts.items()
            if count and _fits(wanted, cadre, kind)
        }  # fmt: skip
        return len([month for month in months if month not in seen]), len(months)

    def offers(self, wanted: Wanted) -> int:
        """Offers of the period that count."""
        return sum(
            count
            for (month, cadre, kind), count in self._counts.items()
            if wanted.months[0] <= month <= wanted.months[1] and _fits(wanted, cadre, kind)
        )

    def unknown(self, wanted: Wanted) -> tuple[float, float]:
        """Of all offers of the period, the shares of unknown cadre status and perimeter."""
        every = cadres = places = 0
        for (month, cadre, kind), count in self._counts.items():
            if wanted.months[0] <= month <= wanted.months[1]:
                every += count
                cadres += count if cadre == "inconnu" else 0
                places += count if not kind else 0
        return (cadres / every, places / every) if every else (0.0, 0.0)


def _fits(wanted: Wanted, cadre: str, kind: str) -> bool:
    return (not wanted.cadre or cadre == "cadre") and wanted.perimeter in ("all", kind)


def _between(first: str, last: str) -> Sequence[str]:
    years = range(int(first[:4]), int(last[:4]) + 1)
    every = [month for year in years for month in months_of(str(year))]
    return [month for month in every if first <= month <= last]


def months_between(window: str) -> tuple[str, str]:
    """First and last month of a window (``2019:2023``) or of one period (``2024-H1``)."""
    pair = window if ":" in window else f"{window}:{window}"
    found = parse_window(pair)
    assert found is not None  # noqa: S101 (a text was given)
    return found
