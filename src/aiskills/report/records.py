"""What a report shows, as records; every section is made from these and knows no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiskills.schema import Definition

if TYPE_CHECKING:
    from aiskills.study import Study

Kind = Literal["cell", "unknown", "total", "outside"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader asked for.

    Attributes:
        lang: Language of the page, `fr` or `en`.
        title: Title of the page; empty for the usual one.
        definition: Definition of the detailed sections; the headline is under both.
        population: `cadre` or `all`.
        perimeter: `opco2i`, `insee` or `all`.
        texts: Whether texts of offers are shown.
        note: What the reader must know first, in the user's words; empty for nothing.
    """

    lang: str = "fr"
    title: str = ""
    definition: Definition = Definition.STUDY
    population: str = "all"
    perimeter: str = "all"
    texts: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of a table of shares; shares are 0 to 1, None where there is nothing to tell.

    Attributes:
        label: Value of the group, as the data has it.
        group: What it belongs to (the family of a subfunction); empty without.
        kind: `cell`, `unknown` (its value hides the true one), `total`, or `outside` (not known
            whether it belongs to the total).
        offers: Number of offers.
        flagged: Those of them that are counted.
        share: flagged / offers, with its interval.
        corrected: The share after correction for the classifier's errors, with its interval.
        part: Part of all flagged offers whose group is known, with its interval.
        specificity: share / share of all offers.
        small: Fewer offers than 30.
        secret: Fewer than three employers, or one with more than 85 % of the offers.
    """

    label: str
    kind: Kind
    offers: int
    flagged: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None
    part: float | None = None
    part_low: float | None = None
    part_high: float | None = None
    specificity: float | None = None
    small: bool = False
    secret: bool = False
    group: str = ""


#: Rows of one table under each definition, in the order in which people read them.
Rows = Mapping[Definition, tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Headline:
    """The whole, counted in four ways.

    Attributes:
        demand: Offers that ask for AI, by definition.
        any: Offers that ask for it or name it, by definition, as the published study counts.
        outside: Offers of which it is not known whether they belong, under the report's definition.
        remarks: What the measure says besides, in English.
        about: What was counted, label and text, in English.
    """

    demand: Mapping[Definition, Cell]
    any: Mapping[Definition, Cell]
    outside: tuple[Cell, ...] = ()
    remarks: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Year:
    """One year of the trend.

    Attributes:
        name: The year.
        months: How many of its months have offers.
        cells: By definition.
    """

    name: str
    months: int
    cells: Mapping[Definition, Cell]


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of a number of offers between two periods.

    Attributes:
        sector: `industry`, `other`, `unknown` or `total`.
        measure: `flagged` or `offers`.
        first: Number in the first period.
        last: Number in the last.
        change: last / first − 1, with its interval; None if the first is 0.
    """

    sector: str
    measure: str
    first: float | None
    last: float | None
    change: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Growths:
    """Growth by sector between two periods."""

    first: str
    last: str
    rows: tuple[Growth, ...]


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill as a training planner reads it.

    Attributes:
        name: The skill.
        theme: Theme it belongs to.
        offers: Flagged offers that ask for it.
        part: Part of the flagged offers of the group that ask for it.
    """

    name: str
    theme: str
    offers: int
    part: float | None


@dataclass(frozen=True, slots=True)
class SkillTable:
    """The skills asked in one group.

    Attributes:
        dimension: `all`, `function` or `branch`.
        label: The group.
        flagged: Flagged offers of the group.
        skills: Those asked most, most first.
        typical: Those asked more here than elsewhere, most clearly so first.
    """

    dimension: str
    label: str
    flagged: int
    skills: tuple[Skill, ...]
    typical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text; `status` is set where it is evidence."""

    text: str
    status: str = ""
    theme: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One offer of the sample, cut to what bears its judgement out.

    Attributes:
        title: The title, cut, with its evidence.
        excerpts: Stretches of the description around the evidence.
        status: `demand` or `mention` under the report's definition.
        score: Probability of demand.
        themes: Themes asked for.
        language: Language of the text: `fr`, `en`, or empty.
        place: Region, function, branch and month, those that are known.
        identifier: The offer's own, cut; empty without.
    """

    title: tuple[Stretch, ...]
    excerpts: tuple[tuple[Stretch, ...], ...]
    status: str
    score: float | None
    themes: tuple[str, ...]
    language: str
    place: tuple[str, ...]
    identifier: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the files hold.

    Attributes:
        read: Rows.
        not_judged: Rows without a status.
        reposts: Rows marked as repeating another; None if nobody has looked for them.
        counted: Rows that are judged and no repost.
        unknown: Attribute -> rows among those counted of which it is not known.
        months: Month -> rows counted.
        languages: Language -> rows counted.
    """

    read: int = 0
    not_judged: int = 0
    reposts: int | None = None
    counted: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How the classifier did on offers whose truth is known, with exact 95 % intervals."""

    definition: Definition
    found: int
    true: int
    sensitivity: tuple[float, float]
    left_alone: int
    others: int
    specificity: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """The whole against an earlier report's."""

    definition: Definition
    before: Cell
    now: Cell
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What --compare found; `same_version` tells whether one model and lexicon scored both."""

    name: str
    changes: tuple[Change, ...]
    same_version: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the figures come from.

    Attributes:
        date: Day the report was made, `2025-02-14`.
        command: The command line.
        version: Version of aiskills.
        schema: Version of the columns.
        scored: By file name, rows and what scored it: keys model, model_sha256, lexicon,
            lexicon_sha256, thresholds; empty values where the file does not tell.
    """

    date: str
    command: str
    version: str
    schema: int
    scored: tuple[tuple[str, int, Mapping[str, str]], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a report shows."""

    options: Options
    headline: Headline
    inventory: Inventory
    provenance: Provenance
    years: tuple[Year, ...] = ()
    growth: Growths | None = None
    published: Study | None = None
    tables: Mapping[str, Rows] = field(default_factory=dict)
    iot_only: Mapping[Definition, int] = field(default_factory=dict)
    skills: tuple[SkillTable, ...] = ()
    demand: tuple[Example, ...] = ()
    mention: tuple[Example, ...] = ()
    errors: tuple[ErrorRate, ...] = ()
    compared: Compared | None = None
