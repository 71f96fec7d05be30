"""From flagged offers and their evidence to tidy tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import InputError
from aiskills.estimate.cells import Coded, is_unknown
from aiskills.estimate.growth import Growth, count_growth, share_growth
from aiskills.estimate.intervals import Floats, divide, wilson
from aiskills.estimate.options import months_of
from aiskills.estimate.parts import Estimate
from aiskills.estimate.rows import TOTAL
from aiskills.phrases import Lexicon
from aiskills.schema import THEMES, Definition
from aiskills.skills.offers import Offers
from aiskills.skills.pieces import Ints, Mask, Pieces
from aiskills.skills.typical import lift, together, weighted_log_odds

Row = dict[str, Any]
#: Terms that fewer offers than this ask for are marked.
SMALL: Final = "few offers (under {})"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for under one definition.

    Attributes:
        offers: The offers.
        definition: The definition.
        pieces: Terms asked for by offers flagged under it; terms are counted under it.
        flagged: By row of `offers.flagged`, whether it is flagged under it.
        level: Confidence of the intervals.
        least: Least number of offers below which a figure is marked, or not given.
        lexicon: Says where a term comes from.
        by: Groups, each on its own.
    """

    offers: Offers
    definition: Definition
    pieces: Pieces
    flagged: Mask
    level: float
    least: int
    lexicon: Lexicon
    by: tuple[str, ...]

    def groups(self) -> Iterator[tuple[str, str, Mask, Mask]]:
        """Group and value with the rows of `flagged` and of `every` that have it; total first."""
        every, flagged = self.offers.every, self.offers.flagged
        yield TOTAL, TOTAL, self.flagged, np.ones(len(every), dtype=bool)
        for name in self.by:
            number = {value: code for code, value in enumerate(flagged.labels[name])}
            values = [(is_unknown(name, one), one, n) for n, one in enumerate(every.labels[name])]
            for _, value, code in sorted(values):
                here = flagged.codes[name] == number.get(value, -1)
                yield name, value, self.flagged & here, every.codes[name] == code

    def counts(self, rows: Mask) -> Ints:
        """By term, offers among some rows of `flagged` that ask for it."""
        own = self.pieces.term[rows[self.pieces.offer]]
        return np.bincount(own, minlength=len(self.pieces.names))

    def all_offers(self, rows: Mask) -> float:
        """Number of offers, flagged or not, among some rows of `every`."""
        return float(self.offers.every.sums[f"n_{self.definition}"][rows].sum())

    def term(self, number: int) -> Row:
        """The columns that say which term it is."""
        name = self.pieces.names[number]
        known = self.lexicon.get(name)
        return {
            "term": name,
            "theme": self.pieces.themes[number],
            "source": known.source if known else "",
        }

    def note(self, group: str, value: str, count: float) -> str:
        """Remarks on a row: that its group's value is unknown, that few offers are behind it."""
        parts = [UNKNOWN] if is_unknown(group, value) else []
        return "; ".join([*parts, SMALL.format(self.least)] if count < self.least else parts)


def asked(
    offers: Offers,
    definition: Definition,
    lexicon: Lexicon,
    how: tuple[tuple[str, ...], int, float],
) -> Asked:
    """What offers that are flagged under a definition ask for.

    Args:
        offers: The offers.
        definition: The definition.
        lexicon: Says under which definition a term counts; one that it does not know counts.
        how: Groups, least number of offers, confidence.
    """
    by, least, level = how
    flagged = offers.flagged.sums[f"x_{definition}"] > 0
    pieces = offers.pieces
    keep = pieces.demand & flagged[pieces.offer]
    if definition is Definition.STRICT:
        known = [lexicon.get(name) for name in pieces.names]
        counts = np.array(
            [one is None or one.definition is Definition.STRICT for one in known], dtype=bool
        )
        keep &= counts[pieces.term]
    return Asked(offers, definition, pieces.only(keep), flagged, level, least, lexicon, by)


def term_rows(given: Asked) -> Iterator[Row]:
    """A row a value and term that is asked there; the most asked first."""
    for group, value, rows, every in given.groups():
        counts = given.counts(rows)
        hired = _employers(given, rows)
        flagged, total = float(rows.sum()), given.all_offers(every)
        order = [n for n in np.argsort(-counts, kind="stable").tolist() if counts[n]]
        shares = _shares(counts, flagged, total, given.level)
        for n in order:
            yield {
                **_head(given, group, value),
                **given.term(n),
                "offers": int(counts[n]),
                "flagged_offers": int(flagged),
                "all_offers": int(total),
                "employers": None if hired is None else int(hired[n]),
                **{name: float(column[n]) for name, column in shares.items()},
                "note": given.note(group, value, counts[n]),
            }


def theme_rows(given: Asked) -> Iterator[Row]:
    """A row a value and theme that is asked there, in the order of the themes."""
    seen = set(given.pieces.themes)
    themes = [one for one in THEMES if one in seen] + sorted(seen - set(THEMES))
    place = {theme: number for number, theme in enumerate(themes)}
    theme_of = np.array([place[one] for one in given.pieces.themes], dtype=np.int64)
    pairs = np.unique(np.stack([given.pieces.offer, theme_of[given.pieces.term]]), axis=1)
    for group, value, rows, every in given.groups():
        counts = np.bincount(pairs[1][rows[pairs[0]]], minlength=len(themes))
        flagged, total = float(rows.sum()), given.all_offers(every)
        shares = _shares(counts, flagged, total, given.level)
        for n in np.flatnonzero(counts).tolist():
            yield {
                **_head(given, group, value),
                "theme": themes[n],
                "offers": int(counts[n]),
                "flagged_offers": int(flagged),
                "all_offers": int(total),
                **{name: float(column[n]) for name, column in shares.items()},
                "note": given.note(group, value, counts[n]),
            }


def typical_rows(given: Asked) -> Iterator[Row]:
    """A row a known value and term, most typical first; terms asked by too few are left out."""
    groups = list(given.groups())
    for name in given.by:
        own = [one for one in groups if one[0] == name and not is_unknown(name, one[1])]
        counts = np.array([given.counts(rows) for _, _, rows, _ in own], dtype=np.float64)
        if len(own) < 2 or not counts.any():
            continue
        used = np.flatnonzero(counts.sum(axis=0) > 0)
        counts, flagged = counts[:, used], np.array([float(one[2].sum()) for one in own])
        background = counts.sum(axis=0)
        for number, (group, value, _, _) in enumerate(own):
            here, rest = counts[number], background - counts[number]
            ratio, z = weighted_log_odds(here, rest, background)
            other = flagged.sum() - flagged[number]
            for n in np.argsort(-z, kind="stable").tolist():
                if here[n] < given.least:
                    continue
                yield {
                    **_head(given, group, value),
                    **given.term(int(used[n])),
                    "offers": int(here[n]),
                    "flagged_offers": int(flagged[number]),
                    "share_of_flagged": here[n] / flagged[number],
                    "offers_rest": int(rest[n]),
                    "flagged_offers_rest": int(other),
                    "share_of_flagged_rest": rest[n] / other if other else None,
                    "log_odds": float(ratio[n]),
                    "z": float(z[n]),
                }


def growth_rows(given: Asked, periods: tuple[str, str]) -> Iterator[Row]:
    """A row a value and term that enough offers of both periods together ask for.

    Raises:
        InputError: A period holds no offer.
    """
    every, flagged = given.offers.every, given.offers.flagged
    first, last = (
        tuple(np.isin(_months(one), months_of(name)) for one in (flagged, every))
        for name in periods
    )
    for name, one in zip(periods, (first, last), strict=True):
        if not given.all_offers(one[1]):
            raise InputError(
                f"no counted offer is of {name}", hint="Compare periods that the offers cover."
            )
    for group, value, rows, wanted in given.groups():
        before, after = (given.counts(rows & one[0]).astype(float) for one in (first, last))
        totals = [np.array([given.all_offers(wanted & one[1])]) for one in (first, last)]
        changes = _changes((before, after), (totals[0], totals[1]), given.level)
        for n in np.argsort(-after, kind="stable").tolist():
            if before[n] + after[n] < given.least:
                continue
            yield {
                **_head(given, group, value),
                **given.term(n),
                "from": periods[0],
                "to": periods[1],
                "offers_from": int(before[n]),
                "offers_to": int(after[n]),
                "all_offers_from": int(totals[0][0]),
                "all_offers_to": int(totals[1][0]),
                **{
                    name + end: _number(column[n])
                    for name, growth in changes.items()
                    for end, column in (
                        ("", growth.change),
                        ("_low", growth.ends.low),
                        ("_high", growth.ends.high),
                    )
                },
                "note": UNKNOWN if is_unknown(group, value) else "",
            }


def pair_rows(given: Asked) -> Iterator[Row]:
    """A row a pair of terms that enough offers ask together, the most telling first."""
    counts = together(given.pieces.offer, given.pieces.term, len(given.pieces.names))
    single, flagged = np.diag(counts).astype(float), float(given.flagged.sum())
    one, other = np.nonzero(np.triu(counts >= max(given.least, 1), k=1))
    both = counts[one, other].astype(float)
    ratio, npmi = lift(both, single[one], single[other], flagged)
    for n in np.lexsort((-both, -npmi)).tolist():
        # The rarer term first: that is the one of which the pair says most.
        a, b = sorted((int(one[n]), int(other[n])), key=lambda term: (single[term], term))
        names = given.pieces.names, given.pieces.themes
        yield {
            "definition": given.definition.value,
            "term": names[0][a],
            "theme": names[1][a],
            "with_term": names[0][b],
            "with_theme": names[1][b],
            "offers_both": int(both[n]),
            "offers_term": int(single[a]),
            "offers_with_term": int(single[b]),
            "flagged_offers": int(flagged),
            "share_of_term": both[n] / single[a],
            "lift": float(ratio[n]),
            "npmi": float(npmi[n]),
        }


def _head(given: Asked, group: str, value: str) -> Row:
    return {"definition": given.definition.value, "group": group, "value": value}


def _shares(counts: Ints, flagged: float, every: float, level: float) -> Mapping[str, Floats]:
    result: dict[str, Floats] = {}
    for name, whole in (("share_of_flagged", flagged), ("share_of_all", every)):
        share = divide(counts, whole)
        ends = wilson(share, whole, level)
        result |= {name: share, f"{name}_low": ends.low, f"{name}_high": ends.high}
    return result


def _employers(given: Asked, rows: Mask) -> Ints | None:
    """By term, how many named employers ask for it; None if none is named anywhere."""
    employer = given.offers.flagged.employer
    if employer is None:
        return None
    pieces = given.pieces
    keep = rows[pieces.offer] & (employer[pieces.offer] >= 0)
    pairs = np.stack([pieces.term[keep], employer[pieces.offer[keep]]])
    return np.bincount(np.unique(pairs, axis=1)[0], minlength=len(pieces.names))


def _months(coded: Coded) -> NDArray[np.str_]:
    months: NDArray[np.str_] = np.array(coded.month or [""])[coded.month_code]
    return months


def _changes(
    counts: tuple[Floats, Floats], totals: tuple[Floats, Floats], level: float
) -> dict[str, Growth]:
    """Growth of the number of offers that ask for a term, and of their share of all offers."""
    (before, after), both = counts, counts[0] + counts[1]
    part = divide(after, both)
    estimates = []
    for count, total in zip(counts, totals, strict=True):
        whole = np.repeat(total, len(count))
        share = divide(count, whole)
        estimates.append(Estimate(share, wilson(share, whole, level), whole))
    return {
        "growth": count_growth(before, after, Estimate(part, wilson(part, both, level), both)),
        "share_growth": share_growth(*estimates),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
