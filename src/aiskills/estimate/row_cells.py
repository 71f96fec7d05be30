"""The cells of a row: figures, notes, and the order in which people read rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiskills.estimate.cells import Employers, Sums, is_unknown
from aiskills.estimate.corrections import NONE, CorrectedCells
from aiskills.estimate.intervals import Bounds, Floats
from aiskills.estimate.options import PERIODS, Question
from aiskills.estimate.parts import Estimate
from aiskills.schema import THEMES

#: What a group is called in the rows that sum over it.
TOTAL: Final = "total"
#: Secrecy of business statistics: fewer employers than this, or one above this share.
MIN_EMPLOYERS: Final = 3
MAX_EMPLOYER_SHARE: Final = 0.85
#: Columns of figures, empty where a cell is withheld.
FIGURES: Final = (
    "offers", "flagged", "weighted_offers", "weighted_flagged", "share", "low", "high",
    "n_effective", "share_corrected", "low_corrected", "high_corrected", "part", "part_low",
    "part_high", "part_corrected", "part_corrected_low", "part_corrected_high", "part_min",
    "part_max", "specificity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of the flagged offers, of the true ones, and what the unknown may make of the first."""

    part: Estimate
    corrected: CorrectedCells
    bounds: Bounds


def number(value: float) -> float | None:
    """A figure as a cell holds it: None for NaN and for infinity."""
    return float(value) if math.isfinite(value) else None


def figures(
    n: int, sums: Sums, estimate: Estimate, corrected: CorrectedCells, question: Question
) -> dict[str, Any]:
    """Counts and shares of a cell."""
    row: dict[str, Any] = {"offers": round(sums.offers[n]), "flagged": round(sums.flagged[n])}
    if question.weights:
        row["weighted_offers"] = float(sums.weight[n])
        row["weighted_flagged"] = float(sums.weight_flagged[n])
    return row | {
        "share": number(estimate.share[n]),
        "low": number(estimate.ends.low[n]),
        "high": number(estimate.ends.high[n]),
        "n_effective": number(estimate.n_effective[n]),
        "share_corrected": number(corrected.share[n]),
        "low_corrected": number(corrected.ends.low[n]),
        "high_corrected": number(corrected.ends.high[n]),
        "correction": corrected.method[n],
    }


def part_figures(n: int, parts: Parts | None) -> dict[str, Any]:
    """The part of a cell, plain, corrected, and as the unknown bound it; empty without parts."""
    names = (
        "part", "part_low", "part_high", "part_corrected", "part_corrected_low",
        "part_corrected_high", "part_min", "part_max",
    )  # fmt: skip
    if parts is None:
        return dict.fromkeys(names)
    part, corrected, bounds = parts.part, parts.corrected, parts.bounds
    values: tuple[Floats, ...] = (
        part.share, part.ends.low, part.ends.high, corrected.share, corrected.ends.low,
        corrected.ends.high, bounds.low, bounds.high,
    )  # fmt: skip
    return {name: number(value[n]) for name, value in zip(names, values, strict=True)}


def methods(n: int, share: CorrectedCells, parts: Parts | None) -> str:
    """How the share is corrected; how the part is, where in another way."""
    own = share.method[n]
    part = own if parts is None else parts.corrected.method[n]
    return own if part in (own, NONE) else f"{own}; part: {part}"


def secrecy(n: int, hired: Employers) -> list[str]:
    """Why a cell is under secrecy; empty if it is not."""
    # Offers without a name come from one employer at least.
    count = int(hired.named[n] + (hired.unnamed[n] > 0))
    if count < MIN_EMPLOYERS:
        return [f"secrecy: {count} employer" + ("s" if count != 1 else "")]
    if hired.largest[n] > MAX_EMPLOYER_SHARE:
        return [f"secrecy: one employer has {100 * hired.largest[n]:.0f} %"]
    return []


def note(
    n: int,
    sums: Sums,
    hired: Employers | None,
    question: Question,
    *,
    unknown: bool,
    no_interval: bool,
) -> str:
    """What must be said of a cell: unknown, small, under secrecy, without an interval."""
    remarks = ["unknown"] if unknown else []
    if sums.offers[n] < question.min_offers:
        remarks.append(f"small cell (under {question.min_offers})")
    if hired is not None:
        remarks += secrecy(n, hired)
    if no_interval:
        remarks.append("one cluster: no interval")
    return "; ".join(remarks)


def withhold(row: dict[str, Any], names: Iterable[str]) -> None:
    """Empties the figures of a row."""
    row |= dict.fromkeys(name for name in names if name in row)
    row["note"] += "; withheld"


def ordered(rows: list[dict[str, Any]], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Periods in time, themes as listed, the rest by flagged offers; unknown and totals last."""
    weight: dict[tuple[str, str], float] = {}
    for row in rows:
        for name in by:
            key = (name, row[name])
            weight[key] = weight.get(key, 0) + (row["flagged"] or 0)

    def place(row: dict[str, Any], name: str) -> tuple[int, float, str]:
        label = row[name]
        last = 2 if label == TOTAL else 1 if is_unknown(name, label) else 0
        if name in PERIODS:
            return last, 0, label
        if name == "theme" and label in THEMES:
            return last, THEMES.index(label), label
        if name == "theme":
            return last, len(THEMES), label
        return last, -weight[name, label], label

    return sorted(rows, key=lambda row: [place(row, name) for name in by])
