"""The comparison as plain records, for people, reports and programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa

from aiskills.schema import SCHEMA_VERSION
from aiskills.version import __version__

#: What a comparison says: our interval and the rounding interval of the published figure overlap;
#: they do, but ours is too wide to tell; ours lies above, or below; of leaders, others lead; the
#: data cannot give it.
VERDICTS: Final = ("agree", "inconclusive", "above", "below", "differ", "missing")


@dataclass(frozen=True, slots=True)
class Ours:
    """Our figure under one definition.

    Attributes:
        definition: ``study`` or ``strict``.
        status: ``any`` (demand or mention) or ``demand``.
        value: The figure, 0 to 1; growth -1 or more (0.56 is +56 %). None where there is none.
        low: Lower end of its interval; None where there is none.
        high: Upper end; None where there is none (growth from next to nothing).
        count: Offers behind it: AI offers of a share, of a part, or of the last period of a growth.
        of: Offers it is a share of: all counted; AI offers of known group for a part; AI offers of
            the first period for a growth.
        least: Of a part, the least it can be, wherever offers of unknown group belong; else None.
        most: The most it can be.
        note: Why there is no value, in words; empty if there is one.
        corrected: The figure corrected for the classifier's errors; None where it cannot be.
        corrected_low: Lower end of its interval; None where there is none.
        corrected_high: Upper end; None where there is none.
    """

    definition: str
    status: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    of: int | None = None
    least: float | None = None
    most: float | None = None
    note: str = ""
    corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None


@dataclass(frozen=True, slots=True)
class Leader:
    """A value of a group and its place among all, by number of AI offers.

    Attributes:
        label: The value.
        rank: 1 for the most.
        count: AI offers.
        part: Part of the AI offers of known group, 0 to 1, with its interval.
        low: Lower end.
        high: Upper end.
    """

    label: str
    rank: int
    count: int
    part: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One published figure and ours.

    Attributes:
        id: Name of the figure; it does not change between versions.
        label: What it is, in words.
        kind: ``share``, ``growth``, ``part``, ``theme`` or ``leaders``.
        window: Periods counted, or the two compared by a growth.
        published: The published figure; None for leaders.
        published_low: The least it may have been before rounding.
        published_high: The most.
        published_labels: Of leaders, the values published as leading, in order.
        ours: Like with like: counted as the study counts; its value is uncorrected, and compared.
        beside: `demand` alone, under ``study`` and under ``strict``.
        leaders: Of leaders, ours: the first five, and those that the publication names as behind.
        verdict: One of `VERDICTS`.
        missing: What the data lack, in words; empty unless the verdict is ``missing``.
        reasons: Why the two may differ, in words, what the data say of it first.
    """

    id: str
    label: str
    kind: str
    window: str
    published: float | None
    published_low: float | None
    published_high: float | None
    published_labels: tuple[str, ...]
    ours: Ours
    beside: tuple[Ours, ...]
    leaders: tuple[Leader, ...]
    verdict: str
    missing: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """A figure of another public measure, with our nearest line over all offers: no target.

    Attributes:
        source: Who publishes it.
        what: What it counts, in words.
        period: Its period.
        published: A share, 0 to 1; None for a number.
        published_count: A number of offers; None for a share.
        ours: Our nearest line; None where nothing of ours is like it.
    """

    source: str
    what: str
    period: str
    published: float | None
    published_count: int | None
    ours: Ours | None


@dataclass(frozen=True, slots=True)
class Study:
    """The published figures beside ours.

    Attributes:
        lang: Language of its texts.
        source: Title, publishers, date and window of the study.
        lines: One a published figure.
        context: One a figure of other measures.
        counted: What was counted, line by line: label and text.
        remarks: What holds for all lines, in words.
    """

    lang: str
    source: dict[str, str]
    lines: tuple[Line, ...]
    context: tuple[Context, ...]
    counted: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as dictionaries and lists, for JSON."""
        return asdict(self)

    def table(self) -> pa.Table:
        """A tidy table: for each figure, a row for each of our definitions."""
        rows = [
            {
                "id": line.id, "label": line.label, "kind": line.kind, "window": line.window,
                "published": line.published, "published_low": line.published_low,
                "published_high": line.published_high, "definition": ours.definition,
                "status": ours.status, "value": ours.value, "low": ours.low, "high": ours.high,
                "count": ours.count, "of": ours.of, "least": ours.least, "most": ours.most,
                "corrected": ours.corrected, "corrected_low": ours.corrected_low,
                "corrected_high": ours.corrected_high,
                "verdict": line.verdict if place == 0 else "",
                "note": ours.note,
            }
            for line in self.lines
            for place, ours in enumerate((line.ours, *line.beside))
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=_SCHEMA)

    def metadata(self) -> dict[str, str]:
        """What was counted, for the metadata of a file that holds the table."""
        return {
            "aiskills_version": __version__,
            "aiskills_schema": str(SCHEMA_VERSION),
            **{f"study_{label}": text for label, text in self.counted},
            "study_remarks": " | ".join(self.remarks),
        }


_NUMBERS: Final = ("published", "published_low", "published_high")
_MORE: Final = ("least", "most", "corrected", "corrected_low", "corrected_high")
_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("id", "label", "kind", "window")]
    + [(name, pa.float64()) for name in _NUMBERS]
    + [(name, pa.string()) for name in ("definition", "status")]
    + [(name, pa.float64()) for name in ("value", "low", "high")]
    + [(name, pa.int64()) for name in ("count", "of")]
    + [(name, pa.float64()) for name in _MORE]
    + [(name, pa.string()) for name in ("verdict", "note")]
)
