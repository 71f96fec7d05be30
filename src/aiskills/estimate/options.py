"""What is asked of a measure, checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiskills.errors import UsageError
from aiskills.schema import Definition

#: Groups by name -> column that holds them. Any other name is a column of the user's.
COLUMN_OF: Final = {
    "branch": "ai_branch",
    "division": "ai_branch_division",
    "region": "ai_region",
    "function": "ai_function",
    "subfunction": "ai_subfunction",
    "cadre": "ai_cadre",
    "language": "ai_language",
    "theme": "ai_themes",
}
#: Groups that are fields of an offer, found under any of their usual names.
FIELDS: Final = ("source", "company")
#: Periods, and how many months each holds.
PERIODS: Final = {"year": 12, "half": 6, "quarter": 3, "month": 1}
CONFIDENCES: Final = ("certain", "majority", "ambiguous")
_PERIOD: Final = re.compile(r"(\d{4})(?:-(?:H([12])|Q([1-4])|(0[1-9]|1[0-2])))?", re.IGNORECASE)
_FORMS: Final = "2023, 2023-H1, 2023-Q1 or 2023-04"


def period_of(month: str, kind: str) -> str:
    """Name of the period that a month (`2023-04`) lies in: `2023`, `2023-H1`, `2023-Q2`."""
    year, number = month[:4], int(month[5:7])
    match kind:
        case "year":
            return year
        case "half":
            return f"{year}-H{(number + 5) // 6}"
        case "quarter":
            return f"{year}-Q{(number + 2) // 3}"
        case _:
            return month


def months_of(period: str) -> tuple[str, ...]:
    """Months of a named period, in order.

    >>> months_of("2023-Q2")
    ('2023-04', '2023-05', '2023-06')

    Raises:
        UsageError: It is no name of a period.
    """
    found = _PERIOD.fullmatch(period.strip())
    if not found:
        raise UsageError(f"the period '{period}'", expected=_FORMS)
    year, half, quarter, month = found.groups()
    if month:
        return (f"{year}-{month}",)
    size = 6 if half else 3 if quarter else 12
    first = (int(half or quarter or 1) - 1) * size + 1
    return tuple(f"{year}-{number:02d}" for number in range(first, first + size))


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that decides a measure, besides the offers.

    Attributes:
        by: Groups: keys of `COLUMN_OF`, `FIELDS`, `PERIODS`, or columns of the user's.
        definitions: Definitions to measure under.
        status: `demand`, or `any` for demand or mention (as the published study counts).
        population: `cadre`, or `all`.
        perimeter: `opco2i`, `insee` (sections B to E) or `all`.
        window: First and last month counted, `2019-01` to `2024-06`; None for all.
        dedupe: Leave reposts out; None to do so if the offers say which are.
        weights: Column of weights; None if each offer counts as one.
        panel: Column of which only the values seen in every period are kept.
        cluster: Column of clusters for the intervals.
        growth: The two periods compared; None for levels.
        min_offers: Cells with fewer offers are marked.
        confidence: Least confidence of a branch; branches below it become unknown.
        withhold: Empty the cells that are small or under secrecy instead of marking them.
        level: Confidence of the intervals.
    """

    by: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = (Definition.STUDY, Definition.STRICT)
    status: str = "demand"
    population: str = "all"
    perimeter: str = "all"
    window: tuple[str, str] | None = None
    dedupe: bool | None = None
    weights: str | None = None
    panel: str | None = None
    cluster: str | None = None
    growth: tuple[str, str] | None = None
    min_offers: int = 30
    confidence: str | None = None
    withhold: bool = False
    level: float = 0.95

    def __post_init__(self) -> None:
        for name, value, known in (
            ("status", self.status, ("demand", "any")),
            ("population", self.population, ("cadre", "all")),
            ("perimeter", self.perimeter, ("opco2i", "insee", "all")),
            ("confidence", self.confidence or "certain", CONFIDENCES),
        ):
            if value not in known:
                raise UsageError(f"--{name} {value}", expected=" or ".join(known))
        if len(set(self.by)) < len(self.by) or not all(self.by):
            raise UsageError(f"--by {','.join(self.by)}", expected="different groups")
        if not 0 < self.level < 1:
            raise UsageError(f"a confidence level of {self.level}", expected="0.95, say")
        if self.growth and self.time:
            raise UsageError(
                f"--growth with --by {','.join(self.time)}",
                expected="groups that are no period",
                hint="Growth compares its two periods by itself.",
            )
        if self.growth and "theme" in self.by and self.panel == "theme":
            raise UsageError("--panel theme", expected="a column such as source or company")
        if self.panel and not (self.time or self.growth):
            raise UsageError(
                f"--panel {self.panel} without periods",
                expected="--period year (or half, quarter, month), or --growth",
            )

    @property
    def time(self) -> tuple[str, ...]:
        """Those of the groups that are periods."""
        return tuple(name for name in self.by if name in PERIODS)

    @property
    def themes(self) -> bool:
        """Whether themes are among the groups."""
        return "theme" in self.by


def parse_by(by: str | Sequence[str] | None, period: str | None = None) -> tuple[str, ...]:
    """Groups from what a user gives: a list, or names parted by commas; a period joins them.

    Raises:
        UsageError: The period is unknown.
    """
    given = by.split(",") if isinstance(by, str) else list(by or ())
    names = [name.strip() for name in given if name.strip()]
    if period is not None and period not in PERIODS:
        raise UsageError(f"--period {period}", expected=" or ".join(PERIODS))
    if period and period not in names:
        names.append(period)
    return tuple(names)


def parse_definitions(definition: str) -> tuple[Definition, ...]:
    """`study`, `strict` or `both` as definitions.

    Raises:
        UsageError: It is none of them.
    """
    if definition == "both":
        return (Definition.STUDY, Definition.STRICT)
    if definition not in tuple(Definition):
        raise UsageError(f"--definition {definition}", expected="study, strict or both")
    return (Definition(definition),)


def parse_pair(text: str, option: str) -> tuple[str, str]:
    """Two periods parted by a colon.

    Raises:
        UsageError: Not two periods.
    """
    first, colon, last = (part.strip() for part in text.partition(":"))
    if not (first and colon and last):
        raise UsageError(f"{option} {text}", expected=f"two periods as in 2019:2023 ({_FORMS})")
    months_of(first), months_of(last)
    return first, last


def parse_growth(text: str | Sequence[str] | None) -> tuple[str, str] | None:
    """The two periods to compare, from `2019:2023`.

    Raises:
        UsageError: Not two different periods of the same length.
    """
    if text is None:
        return None
    first, last = parse_pair(text if isinstance(text, str) else ":".join(text), "--growth")
    if len(months_of(first)) != len(months_of(last)) or months_of(first) == months_of(last):
        raise UsageError(
            f"--growth {first}:{last}", expected="two different periods of the same length"
        )
    return first, last


def parse_window(text: str | Sequence[str] | None) -> tuple[str, str] | None:
    """First and last month counted, from `2019:2023` or `2019-01:2024-06`.

    Raises:
        UsageError: Not two periods, or the wrong way round.
    """
    if text is None:
        return None
    first, last = parse_pair(text if isinstance(text, str) else ":".join(text), "--window")
    start, end = months_of(first)[0], months_of(last)[-1]
    if start > end:
        raise UsageError(f"--window {first}:{last}", expected="the earlier period first")
    return start, end
