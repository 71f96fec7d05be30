"""Simulated employers: names, sectors, NAF codes, how many offers of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from aiskills.simulate.parameters import Parameters
from aiskills.simulate.pools import Floats, Ints, choose, choose_in_cells, table_of
from aiskills.simulate.stock import Texts, read_csv, read_toml

#: Branch of employers outside OPCO 2i's perimeter.
OUTSIDE: Final = "hors OPCO 2i"
_LEAST_IN_A_CELL: Final = 3
_AGENCIES: Final = 300
_AGENCY_NAF: Final = ("78.10Z", "78.20Z", "78.30Z", "70.22Z")


@dataclass(frozen=True, slots=True)
class Places:
    """Regions and towns.

    Attributes:
        regions: INSEE code and name, as in the column `ai_region`.
        towns: Rows of data/simulate/places.csv.
        first: First town of each region, and the end of the last; towns are sorted by region.
        cumulated: Running sum of the towns' weights, with 0 before the first.
    """

    regions: tuple[str, ...]
    towns: tuple[dict[str, str], ...]
    first: Ints
    cumulated: Floats

    def codes(self) -> list[str]:
        """INSEE codes of the regions."""
        return [region[:2] for region in self.regions]


def read_places() -> Places:
    """The places that ship with aiskills."""
    towns = read_csv("places")
    regions = tuple(dict.fromkeys(town["region"] for town in towns))
    towns.sort(key=lambda town: regions.index(town["region"]))
    counts = [sum(town["region"] == region for town in towns) for region in regions]
    weights = [float(town["weight"]) for town in towns]
    return Places(
        regions,
        tuple(towns),
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([[0.0], np.cumsum(weights)]),
    )


@dataclass(frozen=True, slots=True)
class Employers:
    """Employers, sorted by cell of branch and region; an employer's posts lie in its region.

    Attributes:
        branches: Branch names; the last is `OUTSIDE`.
        names: Employers' names.
        sector: Sector of each employer, a position in the stock's sectors.
        naf: NAF code of each.
        starts: First employer of each cell (branch x regions + region), and the end of the last.
        cumulated: Running sums of their numbers of offers without AI and with AI.
        agencies: Names of recruiters and agencies.
        agency_naf: Their NAF codes.
    """

    branches: tuple[str, ...]
    names: pa.Array
    sector: Ints
    naf: pa.Array
    starts: Ints
    cumulated: tuple[Floats, Floats]
    agencies: pa.Array
    agency_naf: pa.Array

    def draw(self, cells: Ints, ai: np.typing.NDArray[np.bool_], u: Floats) -> Ints:
        """An employer of each row's cell, by their numbers of offers of that kind."""
        plain, with_ai = (choose_in_cells(one, self.starts, cells, u) for one in self.cumulated)
        return np.where(ai, with_ai, plain)


def make_employers(
    parameters: Parameters, stock: Texts, places: Places, rng: np.random.Generator
) -> Employers:
    """Employers of a simulated country.

    Numbers of offers within a cell follow Zipf's law; an employer's propensity to AI is a gamma
    variable of mean 1, so that AI offers gather at some employers while every marginal holds.
    """
    branches = tuple(dict.fromkeys(s["branch"] for s in stock.sectors if s["branch"] != OUTSIDE))
    branches = (*branches, OUTSIDE)
    counts = _counts(parameters, branches, places)
    total = int(counts.sum())
    starts = np.concatenate([[0], np.cumsum(counts)])
    cell = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(total) - starts[cell] + 1
    size = rank ** -parameters.number("employers.skew")
    spread = parameters.number("employers.ai_spread")
    propensity = rng.gamma(1 / spread, spread, total) if spread else np.ones(total)
    propensity = np.maximum(propensity, 1e-9)  # a cell must not be without any
    names = _names(rng, total + _AGENCIES)
    sector = _sectors(stock, branches, cell // len(places.regions), rng.random(total))
    agency_naf = rng.integers(0, len(_AGENCY_NAF), _AGENCIES)
    kinds = read_toml("names")["agency"]
    agencies = [
        f"{name.split()[0]} {kinds[i % len(kinds)]}" for i, name in enumerate(names[total:])
    ]
    return Employers(
        branches,
        pa.array(names[:total], pa.string()),
        sector,
        _nafs(stock, sector, rng.random(total)),
        starts,
        (_running(size), _running(size * propensity)),
        pa.array(agencies, pa.string()),
        pa.array([_AGENCY_NAF[i] for i in agency_naf], pa.string()),
    )


def _running(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _counts(parameters: Parameters, branches: Sequence[str], places: Places) -> Ints:
    """Employers by cell: in proportion to its offers without AI."""
    part = parameters.number("volume.industry_part")
    branch = part * table_of(branches, [parameters.table("branches.other")])[0]
    branch[branches.index(OUTSIDE)] = 1 - part
    regions = table_of(
        places.codes(),
        [parameters.table("regions.industry"), parameters.table("regions.elsewhere")],
    )
    by_cell = branch[:, None] * regions[np.array([b == OUTSIDE for b in branches], dtype=int)]
    wanted = np.rint(parameters.number("employers.count") * by_cell.ravel())
    return np.asarray(np.maximum(wanted, _LEAST_IN_A_CELL), dtype=np.int64)


def _sectors(stock: Texts, branches: Sequence[str], branch: Ints, u: Floats) -> Ints:
    weights = np.array(
        [
            [float(s["weight"]) if s["branch"] == name else 0.0 for s in stock.sectors]
            for name in branches
        ]
    )
    return choose(weights / weights.sum(axis=1, keepdims=True), branch, u)


def _nafs(stock: Texts, sector: Ints, u: Floats) -> pa.Array:
    lists = [sector_["naf"] for sector_ in stock.sectors]
    codes = pa.array([code for one in lists for code in one], pa.string())
    counts = np.array([len(one) for one in lists])
    starts = np.cumsum(counts) - counts
    return codes.take(pa.array(starts[sector] + (u * counts[sector]).astype(np.int64)))


def _names(rng: np.random.Generator, wanted: int) -> list[str]:
    """Invented names, all different as long as the syllables suffice, then numbered."""
    parts = read_toml("names")
    first, middle, last, after = (parts[key] for key in ("first", "middle", "last", "after"))
    possible = len(first) * len(middle) * len(last)
    numbers = np.concatenate([rng.permutation(possible) for _ in range(-(-wanted // possible))])
    ends = rng.integers(0, len(after), wanted)
    names = []
    for place, number in enumerate(numbers[:wanted].tolist()):
        one = first[number % len(first)]
        two = middle[number // len(first) % len(middle)]
        three = last[number // (len(first) * len(middle))]
        again = f" {place // possible + 1}" if place >= possible else ""
        names.append(f"{one}{two}{three}{again} {after[ends[place]]}".rstrip())
    return names
