"""Coverage over seeds as Markdown: how often, how surely, and how far off the estimates are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from scipy import stats

from aiskills.estimate import ErrorRates, rogan_gladen, wilson
from aiskills.schema import Definition
from simulated.coverage import PLAIN, STATUSES, Check, Replicate

OTHER_TRUTH: Final = "Rogan-Gladen, rates of another truth"
FLAGS: Final = tuple(f"{d} {s}" for d in (Definition.STUDY, Definition.STRICT) for s in STATUSES)
#: Ends of the bands of true shares, 0 to 1.
_BANDS: Final = (0.0, 0.01, 0.03, 1.0)
_QUOTES: Final = 6


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often intervals held.

    Attributes:
        hits: Intervals that held.
        of: Intervals.
    """

    hits: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1; NaN of nothing."""
        return self.hits / self.of if self.of else np.nan

    def ends(self, cases: int | None = None) -> tuple[float, float]:
        """Its Monte-Carlo interval: Wilson's, for so many independent cases (all, if unset)."""
        found = wilson(np.array([self.share]), np.array([float(cases or self.of)]))
        return float(found.low[0]), float(found.high[0])


def coverage(found: Iterable[Check], *, put_in: bool = False) -> Coverage:
    """How often intervals hold the truth of the offers, or what the parameters put in.

    An interval whose lower end is empty is none, and not counted; neither is one without a truth.
    """
    hits = of = 0
    for one in found:
        truth = one.expected if put_in else one.truth
        if np.isfinite(truth) and np.isfinite(one.low):
            of += 1
            hits += one.low <= truth <= one.high
    return Coverage(hits, of)


def other_truth(replicates: Sequence[Replicate]) -> list[list[Check]]:
    """Plain shares of each seed, corrected with the rates of the next seed's audit, whose shares
    and growth are others."""
    result = []
    for number, one in enumerate(replicates):
        rates = replicates[(number + 1) % len(replicates)].rates
        corrected = []
        for check in one.checks:
            if check.what == "share" and check.method == PLAIN and np.isfinite(check.n):
                definition, status = check.flag.split()
                found = rogan_gladen(
                    np.array([check.estimate]), np.array([check.n]),
                    rates[status][Definition(definition)],
                )  # fmt: skip
                ends = float(found.ends.low[0]), float(found.ends.high[0])
                corrected.append(
                    replace(
                        check, method=OTHER_TRUTH, estimate=float(found.share[0]), low=ends[0],
                        high=ends[1],
                    )
                )  # fmt: skip
        result.append(corrected)
    return result


def error(found: Sequence[Check]) -> float:
    """Median error of estimates: relative for shares, else a difference; NaN of nothing."""
    values = [
        one.estimate / one.truth - 1 if one.what == "share" else one.estimate - one.truth
        for one in found
        if np.isfinite(one.estimate) and np.isfinite(one.truth) and one.truth != 0
    ]
    return float(np.median(values)) if values else np.nan


def coverage_lines(replicates: Sequence[Replicate]) -> Iterator[str]:
    """The tables of coverage."""
    every = [one for replicate in replicates for one in replicate.checks]
    every += [one for found in other_truth(replicates) for one in found]
    titles = {
        "share": ("Shares", "%"),
        "growth of the count": ("Growth of the count, 2019 to 2023", "points"),
        "growth of the share": ("Growth of the share, 2019 to 2023", "points"),
    }
    for what in dict.fromkeys(one.what for one in every):
        chosen = [one for one in every if one.what == what]
        title, unit = titles.get(what, (what[0].upper() + what[1:], "points"))
        yield from ("", f"### {title}", "")
        yield from _table(chosen, len(replicates), unit)
    yield from ("", "### Shares by size", "")
    yield from _bands([one for one in every if one.what == "share"])


def _table(chosen: list[Check], seeds: int, unit: str) -> Iterator[str]:
    heads = (
        "offers", "method", *FLAGS, "together", "put in (study)",
        f"median error, study demand / any ({unit})",
    )  # fmt: skip
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---|" + "--:|" * (len(heads) - 2)
    for group, method in sorted({(one.group, one.method) for one in chosen}):
        rows = [one for one in chosen if (one.group, one.method) == (group, method)]
        by_flag = [[one for one in rows if one.flag == flag] for flag in FLAGS]
        cells = [_of(coverage(found)) for found in by_flag]
        put_in = coverage(rows, put_in=True)
        errors = " / ".join(_signed(error(found)) for found in by_flag[:2])
        yield "| " + " | ".join(
            (group, method, *cells, _told(coverage(rows), seeds), _told(put_in, seeds), errors)
        ) + " |"  # fmt: skip


def _bands(shares: list[Check]) -> Iterator[str]:
    yield "| true share | method | intervals | truth of the offers | put in | median error |"
    yield "|---|---|--:|--:|--:|--:|"
    kept = [one for one in shares if one.flag.startswith("study") and one.group in _SIDES]
    for low, high in pairwise(_BANDS):
        for method in dict.fromkeys(one.method for one in kept):
            rows = [one for one in kept if one.method == method and low <= one.truth < high]
            if not rows:
                continue
            held, put_in = coverage(rows), coverage(rows, put_in=True)
            yield (
                f"| {100 * low:g} to {100 * high:g} % | {method} | {held.of} | {_told(held)} "
                f"| {_told(put_in)} | {_signed(error(rows))} % |"
            )


_SIDES: Final = ("industry", "elsewhere")


def _of(found: Coverage) -> str:
    return f"{found.hits}/{found.of}" if found.of else ""


def _told(found: Coverage, seeds: int | None = None) -> str:
    """Coverage with its Monte-Carlo interval, as if all flags of a seed told no more than one."""
    if not found.of:
        return ""
    low, high = found.ends(seeds)
    return f"{100 * found.share:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _signed(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:+.1f}"


def dispersion(
    replicates: Sequence[Replicate],
    rate: Callable[[ErrorRates], tuple[int, int]],
    flag: str,
) -> tuple[float, int]:
    """How much more an error rate differs between two seeds than if offers erred one by one.

    Returns:
        Mean over seeds of the squared difference between both streams over its binomial variance
        (1: offers err independently), and the number of seeds it rests on.
    """  # fmt: skip
    definition, status = flag.split()
    ratios = []
    for one in replicates:
        (x, n), (y, m) = (rate(rates[status][Definition(definition)]) for rates in (
            one.own_rates, one.rates
        ))  # fmt: skip
        pooled = (x + y) / (n + m) if n + m else 0.0
        variance = pooled * (1 - pooled) * (1 / n + 1 / m) if 0 < pooled < 1 and n and m else 0.0
        if variance > 0:
            ratios.append((x / n - y / m) ** 2 / variance)
    return (float(np.mean(ratios)) if ratios else np.nan), len(ratios)


def error_lines(replicates: Sequence[Replicate]) -> Iterator[str]:
    """Error rates over all seeds, and whether errors come in lumps."""
    yield "| flag | sensitivity | specificity | dispersion of sensitivity | of specificity |"
    yield "|---|--:|--:|--:|--:|"
    for flag in FLAGS:
        definition, status = flag.split()
        both = [r[status][Definition(definition)] for one in replicates for r in (
            one.own_rates, one.rates
        )]  # fmt: skip
        tp, fn, tn, fp = (sum(getattr(r, name) for r in both) for name in ("tp", "fn", "tn", "fp"))
        se, _ = dispersion(replicates, lambda r: (r.fn, r.tp + r.fn), flag)
        sp, count = dispersion(replicates, lambda r: (r.fp, r.tn + r.fp), flag)
        yield (
            f"| {flag} | {tp:,} / {tp + fn:,} ({100 * tp / (tp + fn):.1f} %) | {tn:,} / "
            f"{tn + fp:,} ({100 * tn / (tn + fp):.2f} %) | {se:.2f} | {sp:.2f} |"
        )
    low, high = (stats.chi2.ppf(p, count) / count for p in (0.025, 0.975))
    yield ""
    yield (
        "Dispersion: squared difference of the rate between the two streams of a seed over its "
        f"binomial variance. 1 if offers err one by one; by chance {low:.2f} to {high:.2f}."
    )


def quote_line(replicates: Sequence[Replicate]) -> str:
    """The words quoted most in offers that were flagged without any AI."""
    quotes = sum((one.false for one in replicates), Counter[str]())
    flagged = sum(one.own_rates["any"][Definition.STUDY].fp for one in replicates)
    most = ", ".join(f"« {quote} » ({count:,})" for quote, count in quotes.most_common(_QUOTES))
    return (
        f"Of the {flagged:,} offers without AI that were flagged (study, demand or mention), the "
        f"evidence quotes most often: {most}."
    )
