"""What the parameters come to: offers and shares by month, parts by theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import UsageError
from aiskills.schema import THEMES
from aiskills.simulate.parameters import FIRST_MONTH, LAST_MONTH, Parameters

Floats = NDArray[np.float64]

_FIRST_YEAR: Final = int(FIRST_MONTH[:4])
_GROWTH_TO: Final = 2023
_LAST_YEAR: Final = int(LAST_MONTH[:4])
#: The months of the window, first to last.
MONTHS: Final = tuple(
    month
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1)
    for month in (f"{year}-{number:02}" for number in range(1, 13))
    if month <= LAST_MONTH
)
#: Themes that one AI offer may name.
MOST_THEMES: Final = 3
#: Position of each group in the arrays below.
ELSEWHERE, INDUSTRY = 0, 1


@dataclass(frozen=True, slots=True)
class Targets:
    """Expected values of a stream without its reposts.

    Attributes:
        volume: Part of all offers, by month of `MONTHS` and group (elsewhere, industry); adds up
            to 1.
        share: Share of AI offers (demand or mention, study definition) among cadre offers, the
            same shape, 0 to 1.
        themes: Probability that an AI offer names a theme, by group, month and theme of
            `aiskills.schema.THEMES`.
    """

    volume: Floats
    share: Floats
    themes: Floats

    def ai_share(self, first: str, last: str, group: int | None = None) -> float:
        """Share of AI offers among cadre offers from one month to another, both included.

        Args:
            first: A month of `MONTHS`.
            last: A month of `MONTHS`.
            group: `ELSEWHERE`, `INDUSTRY`, or None for both.
        """
        cells = self._cells(first, last, group)
        return float((self.volume[cells] * self.share[cells]).sum() / self.volume[cells].sum())

    def growth(self, group: int) -> float:
        """Growth of the number of AI offers from 2019 to 2023."""
        counts = [
            float((self.volume[cells] * self.share[cells]).sum())
            for cells in (
                self._cells(f"{year}-01", f"{year}-12", group) for year in (_FIRST_YEAR, _GROWTH_TO)
            )
        ]
        return counts[1] / counts[0] - 1

    def _cells(self, first: str, last: str, group: int | None) -> tuple[slice, slice]:
        rows = slice(MONTHS.index(first), MONTHS.index(last) + 1)
        return rows, slice(None) if group is None else slice(group, group + 1)


def targets(parameters: Parameters) -> Targets:
    """The expected values that parameters come to.

    With `V(y)` the offers of year `y` and `s(y)` its share, the share of 2023 is that of the first
    half of 2024 over `shares.rise`; counts of AI offers run from 2019 to 2023 as
    `1 + growth x progress(y)`; so `s(y) = s(2023) x (count(y) / count(2023)) x (V(2023) / V(y))`.

    Raises:
        UsageError: The parameters contradict each other: a share would not lie between 0 and 0.5.
    """
    volume = _volume(parameters)
    rows = slice(MONTHS.index(f"{_LAST_YEAR}-01"), None)
    industry_part = volume[rows, INDUSTRY].sum() / volume[rows].sum()
    industry = parameters.number("shares.industry")
    rest = parameters.number("shares.all") - industry_part * industry
    last = {ELSEWHERE: rest / (1 - industry_part), INDUSTRY: industry}
    share = np.column_stack(
        [_shares(parameters, volume[:, group], last[group], group) for group in (0, 1)]
    )
    if share.min() < 0 or share.max() > 0.5:
        worst = share.min() if share.min() < 0 else share.max()
        raise UsageError(
            f"a share of AI offers would be {100 * worst:.3g} % in some month",
            expected="shares.industry, shares.all, shares.rise and growth that give 0 to 50 %",
        )
    themes = np.stack(
        [_themes(parameters, name, (volume * share)[:, group]) for group, name in _GROUPS.items()]
    )
    return Targets(volume, share, themes)


_GROUPS: Final = {ELSEWHERE: "elsewhere", INDUSTRY: "industry"}


def _volume(parameters: Parameters) -> Floats:
    season = np.array(parameters.tables["volume"]["season"], dtype=np.float64)
    part = parameters.number("volume.industry_part")
    columns = []
    for group, name in _GROUPS.items():
        years = parameters.table(f"volume.{name}")
        weight = part if group == INDUSTRY else 1 - part
        columns.append([weight * years[month[:4]] * season[int(month[5:]) - 1] for month in MONTHS])
    volume = np.array(columns).T
    return np.asarray(volume / volume.sum())


def _shares(parameters: Parameters, volume: Floats, last: float, group: int) -> list[float]:
    growth = parameters.number(f"growth.{_GROUPS[group]}")
    progress = {f"{_FIRST_YEAR}": 0.0, f"{_GROWTH_TO}": 1.0}
    progress |= parameters.table("growth.progress")
    years = np.array([month[:4] for month in MONTHS])
    offers = {year: float(volume[years == year].sum()) for year in progress}
    share_of_year = {f"{_LAST_YEAR}": last}
    share_to = last / parameters.number("shares.rise")
    top = f"{_GROWTH_TO}"
    for year, reached in progress.items():
        count = (1 + growth * reached) / (1 + growth)
        share_of_year[year] = share_to * count * offers[top] / offers[year]
    return [share_of_year[month[:4]] for month in MONTHS]


def _themes(parameters: Parameters, name: str, ai_offers: Floats) -> Floats:
    """Probabilities by month and theme; a theme that begins late is likelier after."""
    table = parameters.table(f"themes.{name}")
    since = parameters.tables["themes"]["since"]
    found = np.zeros((len(MONTHS), len(THEMES)))
    for theme, part in table.items():
        months = np.array([month >= since.get(theme, FIRST_MONTH) for month in MONTHS])
        after = ai_offers[months].sum()
        raised = part * ai_offers.sum() / after if after > 0 else part
        if raised > 1:
            raise UsageError(
                f"themes.{name}: {theme} would be in {raised:.3g} of the AI offers of its time",
                expected="at most 1",
            )
        found[months, THEMES.index(theme)] = raised
    sums = found.sum(axis=1)
    if sums.min() < 1 or sums.max() > MOST_THEMES:
        raise UsageError(
            f"themes.{name}: in some month the themes add up to {sums.min():.3g}"
            if sums.min() < 1
            else f"themes.{name}: in some month the themes add up to {sums.max():.3g}",
            expected=f"1 to {MOST_THEMES}, also before and after the months of themes.since",
        )
    return found
