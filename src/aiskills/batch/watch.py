"""Is tonight like the nights before? Shares of a run against the last eight weeks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from aiskills.batch.limits import Limits, p_prime
from aiskills.batch.tallies import Tallies, totals
from aiskills.schema import Definition

WEEKS: Final = 8
#: Sources with a smaller share of the history and of the run are not watched.
_LEAST_SHARE: Final = 0.01
_WATCHED: Final = ("language", "source", "unknown")


@dataclass(frozen=True, slots=True)
class Reading:
    """One share of a run beside its limits.

    Attributes:
        measure: `share`, `language`, `source`, `unknown` or `length`.
        value: Definition, language, source, column, or least number of characters.
        share: In the run, 0 to 1.
        offers: Offers of the run.
        limits: None while there is too little to draw them from.
    """

    measure: str
    value: str
    share: float
    offers: int
    limits: Limits | None

    @property
    def signal(self) -> bool:
        """Whether the share lies outside its limits."""
        return self.limits is not None and not self.limits.holds(self.share)


def readings(run: Tallies, stored: Tallies, today: date) -> list[Reading]:
    """Shares of a run beside the limits that the eight weeks before give.

    A subgroup is a day on which files were last modified, so that it does not matter when a run
    takes them.

    Args:
        run: Counts of the run's offers.
        stored: Counts of all offers, the run's among them.
        today: Last day that may be history; days after it come from a wrong clock.

    Returns:
        The shares of AI offers first, in a fixed order; nothing for a run without offers.
    """
    mine = totals(run)
    offers = mine["offers", ""]
    if not offers:
        return []
    history = _before(run, stored, today)
    days = sorted(day for day, counts in history.items() if counts["offers", ""] > 0)
    past = [history[day] for day in days]
    everything: Counter[tuple[str, str]] = Counter()
    for counts in past:
        everything.update(counts)

    def reading(measure: str, value: str, now: int, then: Sequence[int]) -> Reading:
        known = [(part, day["offers", ""]) for part, day in zip(then, past, strict=True)]
        return Reading(measure, value, now / offers, offers, p_prime(known, offers))

    result = [
        reading("share", d.value, mine["share", d.value], [c["share", d.value] for c in past])
        for d in (Definition.STUDY, Definition.STRICT)
    ]
    least = _LEAST_SHARE * offers, _LEAST_SHARE * everything["offers", ""]
    result += [
        reading(*key, mine[key], [counts[key] for counts in past])
        for key in sorted(set(mine) | set(everything))
        if key[0] in _WATCHED and (mine[key] >= least[0] or everything[key] > least[1])
    ]
    if (bin_ := _median_bin(everything or mine)) is not None:
        result.append(
            reading("length", str(2**bin_), _longer(mine, bin_), [_longer(c, bin_) for c in past])
        )
    return result


def _before(run: Tallies, stored: Tallies, today: date) -> dict[str, Counter[tuple[str, str]]]:
    """Counts of the eight weeks by day, without those of the run."""
    first = str(today - timedelta(weeks=WEEKS))
    history: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for (day, measure, value), offers in stored.items():
        if first <= day <= str(today):
            history[day][measure, value] += offers - run[day, measure, value]
    return history


def _median_bin(counts: Mapping[tuple[str, str], int]) -> int | None:
    """The power of two nearest to the median length."""
    bins = sorted((int(value), n) for (measure, value), n in counts.items() if measure == "length")
    whole = sum(n for _, n in bins)
    if not whole:
        return None
    shares = {bin_: sum(n for b, n in bins if b >= bin_) / whole for bin_, _ in bins}
    return min(shares, key=lambda bin_: abs(shares[bin_] - 0.5))


def _longer(counts: Mapping[tuple[str, str], int], bin_: int) -> int:
    return sum(
        n for (measure, value), n in counts.items() if measure == "length" and int(value) >= bin_
    )
