"""Draws what is true of each offer: when, who, where, which post, and what it says of AI."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.errors import UsageError
from aiskills.schema import STATUS_ORDER, THEMES
from aiskills.simulate.employers import OUTSIDE, Employers, Places
from aiskills.simulate.parameters import Parameters
from aiskills.simulate.pools import (
    Floats,
    Ints,
    Pools,
    choose,
    choose_in_cells,
    systematic,
    table_of,
)
from aiskills.simulate.stock import ENGLISH, Texts, Title
from aiskills.simulate.targets import INDUSTRY, MONTHS, MOST_THEMES, Targets
from aiskills.simulate.themes import FAMILY_OF_TOPIC, STRICT

#: Arrays by row, by name.
Rows = dict[str, NDArray[Any]]

#: Days since 1970 of the first day of the window, and the days of the window.
FIRST_DAY: Final = date.fromisoformat(f"{MONTHS[0]}-01")
_MONTH_STARTS: Final = np.array(
    [(date.fromisoformat(f"{month}-01") - FIRST_DAY).days for month in MONTHS]
    + [(date(int(MONTHS[-1][:4]), int(MONTHS[-1][5:]) + 1, 1) - FIRST_DAY).days]
)
DAYS: Final = int(_MONTH_STARTS[-1])
DATES: Final = tuple(FIRST_DAY + timedelta(days=n) for n in range(DAYS))

NONE, MENTION, DEMAND = range(len(STATUS_ORDER))
#: Columns of the truth, in order, and what each holds.
TRUTH_COLUMNS: Final = {
    "id": "id of the offer; a repost under the same id has the same",
    "true_study": "true where the study definition's status is demand",
    "true_strict": "true where the strict definition's status is demand",
    "true_study_status": "demand, mention or none under the study definition",
    "true_strict_status": "demand, mention or none under the strict definition",
    "true_themes": "themes asked for, joined by |; empty if none",
    "true_themes_named": "themes asked for or mentioned, joined by |; empty if none",
    "true_evidence": "words that make the status, as title and description have them, joined by |",
    "true_branch": "OPCO 2i branch of the employer with whom the post is, or hors OPCO 2i",
    "true_industry": "true in OPCO 2i's perimeter",
    "true_industry_insee": "true in INSEE's sections B to E",
    "true_region": "INSEE code and name of the region of the post",
    "true_function": "one of Apec's ten families; empty for a trade of none",
    "true_cadre": "cadre or non_cadre",
    "true_month": "month of publication, 2023-03",
    "true_employer": "employer with whom the post is, also where an agency publishes",
    "true_language": "fr or en",
    "true_duplicate_of": "id of the offer that this row repeats; empty for a first publication",
}


@dataclass(frozen=True, slots=True)
class World:
    """All that draws depend on.

    Attributes:
        parameters: The parameters.
        targets: What they come to.
        stock: Texts.
        places: Regions and towns.
        employers: Employers.
        families: Apec's families, and "-".
        titles: Titles by language, family and cadre status, keyed by `title_key`.
        topic: Position in the stock's topics of each title's topic.
    """

    parameters: Parameters
    targets: Targets
    stock: Texts
    places: Places
    employers: Employers
    families: tuple[str, ...]
    titles: Pools
    topic: Ints

    def title_key(self, english: Ints, family: Ints, cadre: Ints) -> Ints:
        """Key of the titles of a language, family and status."""
        return (english * len(self.families) + family) * 2 + cadre


def titles_of(stock: Texts) -> tuple[tuple[str, ...], Pools, Ints]:
    """Families, titles by language, family and status, and the topics of titles."""
    families = tuple(dict.fromkeys(FAMILY_OF_TOPIC.values()))

    def key(title: Title) -> tuple[bool, str, bool]:
        return title.english, FAMILY_OF_TOPIC[title.topic[:2]], title.cadre

    pools = Pools.of(
        [
            [n for n, title in enumerate(stock.titles) if key(title) == (english, family, cadre)]
            for english in (False, True)
            for family in families
            for cadre in (False, True)
        ]
    )
    topic = np.array([stock.topics.index(title.topic) for title in stock.titles])
    return families, pools, topic


def check(world: World) -> None:
    """Checks the names in tables of parts.

    Raises:
        UsageError: A table names what is unknown, or a function for which there is no title.
    """
    known = {
        "functions": world.families,
        "branches": world.employers.branches[:-1],
        "regions": tuple(world.places.codes()),
    }
    for section, names in known.items():
        for table in world.parameters.tables[section]:
            for name, part in world.parameters.table(f"{section}.{table}").items():
                if name not in names:
                    raise UsageError(
                        f"{section}.{table}: {name} is unknown",
                        expected="one of " + ", ".join(names),
                    )
                if section == "functions" and part and not _has_titles(world, table, name):
                    raise UsageError(
                        f"{section}.{table}: there is no title for {name}",
                        expected="another function",
                    )


def _has_titles(world: World, table: str, family: str) -> bool:
    cadre = np.array([not table.startswith("other")], dtype=np.int64)
    place = np.array([world.families.index(family)])
    return bool(world.titles.counts[world.title_key(np.zeros_like(place), place, cadre)][0])


def draw_truth(world: World, rows: int, rng: np.random.Generator) -> Rows:
    """Draws what is true of offers that are no reposts.

    Args:
        world: What draws depend on.
        rows: How many.
        rng: Source of the draws.

    Returns:
        Arrays by row: `day` (since the first of the window), `industry`, `cadre`, `ai`, `status`
        (rows by themes; positions in STATUS_ORDER), `branch`, `region`, `town`, `family`, `title`,
        `topic`, `employer`, `english`, `sector` and the draws that decide the fields of the file.
    """
    p = world.parameters
    u = rng.random((rows, 24))
    cell = choose(world.targets.volume.reshape(1, -1), np.zeros(rows, dtype=np.int64), u[:, 0])
    month, group = cell // 2, cell % 2
    begin = _MONTH_STARTS[month]
    day = begin + (u[:, 1] * (_MONTH_STARTS[month + 1] - begin)).astype(np.int64)
    cadre = u[:, 2] < p.number("cadre.part")
    ratio = np.where(cadre, 1.0, p.number("cadre.ai_ratio"))
    ai = u[:, 3] < world.targets.share[month, group] * ratio
    industry = group == INDUSTRY
    branch = _branch(world, industry, ai, u[:, 4])
    region = _region(world, industry, ai, u[:, 5])
    family = _family(world, industry, ai, cadre, u[:, 6])
    english = (u[:, 7] < p.number("text.english")).astype(np.int64)
    english *= world.titles.counts[world.title_key(english, family, cadre.astype(int))] > 0
    title, _ = world.titles.draw(world.title_key(english, family, cadre.astype(int)), u[:, 8])
    employer = world.employers.draw(branch * len(world.places.regions) + region, ai, u[:, 9])
    return {
        "day": day,
        "industry": industry,
        "cadre": cadre,
        "ai": ai,
        "status": _statuses(world, month, group, ai, rng),
        "branch": branch,
        "region": region,
        "town": choose_in_cells(world.places.cumulated, world.places.first, region, u[:, 10]),
        "family": family,
        "title": title,
        "topic": np.where(english > 0, world.stock.topics.index(ENGLISH), world.topic[title]),
        "employer": employer,
        "sector": world.employers.sector[employer],
        "english": english,
        "agency": np.where(
            u[:, 11] < p.number("employers.agency"),
            (u[:, 12] * len(world.employers.agencies)).astype(np.int64),
            -1,
        ),
        "head_office": industry & (u[:, 13] < p.number("employers.head_office")),
        "other_naf": np.where(
            industry & (u[:, 14] < p.number("employers.other_naf")),
            (u[:, 15] * len(world.employers.names)).astype(np.int64),
            -1,
        ),
        "anonymous": u[:, 16] < p.number("missing.company"),
    }


def _branch(world: World, industry: NDArray[np.bool_], ai: NDArray[np.bool_], u: Floats) -> Ints:
    names = world.employers.branches
    tables = [world.parameters.table(f"branches.{name}") for name in ("other", "ai")]
    found = choose(table_of(names, tables), ai.astype(np.int64), u)
    return np.where(industry, found, names.index(OUTSIDE))


def _region(world: World, industry: NDArray[np.bool_], ai: NDArray[np.bool_], u: Floats) -> Ints:
    names = ("elsewhere", "elsewhere_ai", "industry", "industry_ai")
    tables = [world.parameters.table(f"regions.{name}") for name in names]
    return choose(table_of(world.places.codes(), tables), industry * 2 + ai, u)


def _family(
    world: World,
    industry: NDArray[np.bool_],
    ai: NDArray[np.bool_],
    cadre: NDArray[np.bool_],
    u: Floats,
) -> Ints:
    names = (
        *("other_elsewhere", "other_ai", "other_industry", "other_ai"),
        *("elsewhere", "elsewhere_ai", "industry", "industry_ai"),
    )
    tables = [world.parameters.table(f"functions.{name}") for name in names]
    return choose(table_of(world.families, tables), cadre * 4 + industry * 2 + ai, u)


def _statuses(
    world: World, month: Ints, group: Ints, ai: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Status of each theme in each offer; one theme leads, and the others follow its status."""
    p = world.parameters
    u = rng.random((len(month), 3 + len(THEMES)))
    status = np.zeros((len(month), len(THEMES)), dtype=np.int8)
    rows = np.flatnonzero(ai)
    drawn = systematic(world.targets.themes[group[rows], month[rows]], u[rows, 0], MOST_THEMES)
    leading = np.where(drawn, u[rows, 3:], -1).argmax(axis=1)
    asked = drawn & (u[rows, 3:] < p.number("status.second_demand"))
    asked[np.arange(len(rows)), leading] = True
    asked &= (u[rows, 1] < p.number("status.demand"))[:, None]
    status[rows] = drawn * MENTION + asked * (DEMAND - MENTION)
    return status


def truth_table(world: World, rows: Rows, evidence: pa.Array | None) -> pa.Table:
    """The truth of rows as a table.

    Args:
        world: What the draws depended on.
        rows: The draws, with `id` and `duplicate_of` (positions in the stream; -1 for none).
        evidence: Words that decide, by row; None where no text was made.

    Returns:
        The columns of `TRUTH_COLUMNS` but for the ids, which the stream adds.
    """
    status = rows["status"]
    strict = np.where(STRICT, status, NONE).max(axis=1)
    study = status.max(axis=1)
    sectors = world.stock.sectors
    words = {
        "fr_en": ("fr", "en"),
        "cadre": ("non_cadre", "cadre"),
        "family": tuple("" if name == "-" else name for name in world.families),
        "insee": tuple(bool(sector["insee"]) for sector in sectors),
    }
    empty = pa.array([""] * len(study), pa.string())
    columns = {
        "true_study": pa.array(study == DEMAND),
        "true_strict": pa.array(strict == DEMAND),
        "true_study_status": _named(tuple(map(str, STATUS_ORDER)), study),
        "true_strict_status": _named(tuple(map(str, STATUS_ORDER)), strict),
        "true_themes": _joined(status == DEMAND),
        "true_themes_named": _joined(status != NONE),
        "true_evidence": empty if evidence is None else evidence,
        "true_branch": _named(world.employers.branches, rows["branch"]),
        "true_industry": pa.array(rows["industry"]),
        "true_industry_insee": pa.array(np.array(words["insee"])[rows["sector"]]),
        "true_region": _named(world.places.regions, rows["region"]),
        "true_function": _named(words["family"], rows["family"]),
        "true_cadre": _named(words["cadre"], rows["cadre"]),
        "true_month": _named(tuple(str(day)[:7] for day in DATES), rows["day"]),
        "true_employer": world.employers.names.take(pa.array(rows["employer"])),
        "true_language": _named(words["fr_en"], rows["english"]),
    }
    return pa.table(columns)


def _named(names: tuple[object, ...], places: NDArray[np.generic]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(places.astype(np.int64)))


def _joined(named: NDArray[np.bool_]) -> pa.Array:
    """Themes that hold, joined by |; made once for each combination."""
    weights = 1 << np.arange(len(THEMES), dtype=np.int64)
    found, places = np.unique((named * weights).sum(axis=1), return_inverse=True)
    texts = [
        "|".join(theme for n, theme in enumerate(THEMES) if one >> n & 1) for one in found.tolist()
    ]
    return pa.array(texts, pa.string()).take(pa.array(places))
