"""Correction of a share for the classifier's errors, from an audit sample: the fallback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from aiskills.errors import UsageError
from aiskills.estimate.intervals import Bounds, Floats, divide
from aiskills.estimate.quantiles import normal_quantile

#: Stratum of the audit sample that stands for offers of all trades; its negatives give the
#: specificity. The others were drawn from queries for data, AI and IT jobs.
ALL_TRADES: Final = "all_trades"
#: Below so many true demands a stratum's own sensitivity says nothing and all strata are pooled.
MIN_POSITIVES: Final = 20


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How a classifier did on offers whose truth is known.

    Attributes:
        tp: True ones that it flagged.
        fn: True ones that it missed.
        tn: Others that it left alone.
        fp: Others that it flagged.
        basis: Where the counts come from, in words for the reader.
    """

    tp: int
    fn: int
    tn: int
    fp: int
    basis: str = "given"

    def __post_init__(self) -> None:
        if min(self.tp, self.fn, self.tn, self.fp) < 0:
            raise UsageError(
                f"error rates of {self.tp}, {self.fn}, {self.tn}, {self.fp}",
                expected="counts of 0 or more: tp, fn, tn, fp",
            )

    @property
    def usable(self) -> bool:
        """Whether both rates were seen and flags tell more than chance."""
        return bool(self.tp + self.fn and self.tn + self.fp and self._youden > 0)

    @property
    def sensitivity(self) -> float:
        """Share of true ones that are flagged; NaN if there was none."""
        return float(divide(self.tp, self.tp + self.fn))

    @property
    def specificity(self) -> float:
        """Share of others that are left alone; NaN if there was none."""
        return float(divide(self.tn, self.tn + self.fp))

    def told(self) -> str:
        """Both rates as counts, with their basis, for the reader."""
        return (
            f"sensitivity {self.tp}/{self.tp + self.fn}, "
            f"specificity {self.tn}/{self.tn + self.fp} ({self.basis})"
        )

    @property
    def _youden(self) -> float:
        return self.sensitivity + self.specificity - 1

    @classmethod
    def from_audit(cls, audit: Mapping[str, Any], key: str) -> Self | None:
        """Rates from the audit of a model's metadata.

        Specificity is that of offers of all trades where that stratum is there, else of all strata.
        Sensitivity is pooled over all strata where that stratum has too few true demands; pooling
        takes an AI offer to be found as easily in one trade as in another.

        Args:
            audit: By stratum and definition, counts tp, fp, fn, tn (`meta.json`, key `audit`).
            key: `study` or `strict`, with `_any` behind for demand or mention.

        Returns:
            None if the audit says nothing of that key or cannot correct.
        """
        strata = {name: found[key] for name, found in audit.items() if key in found}
        if not strata:
            return None
        negatives = {ALL_TRADES: strata[ALL_TRADES]} if ALL_TRADES in strata else strata
        positives = negatives
        if sum(s["tp"] + s["fn"] for s in negatives.values()) < MIN_POSITIVES:
            positives = strata

        def total(chosen: Mapping[str, Any], name: str) -> int:
            return sum(int(s[name]) for s in chosen.values())

        tp, fn = total(positives, "tp"), total(positives, "fn")
        tn, fp = total(negatives, "tn"), total(negatives, "fp")
        basis = f"audit: {_names(positives)}; {_names(negatives)}"
        rates = cls(tp, fn, tn, fp, basis)
        return rates if rates.usable else None


def _names(strata: Mapping[str, Any]) -> str:
    return ", ".join(sorted(name.replace("_", " ") for name in strata))


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share after correction, with its interval; all 0 to 1."""

    share: Floats
    ends: Bounds


def rogan_gladen(share: Floats, n: Floats, rates: ErrorRates, level: float = 0.95) -> Corrected:
    """Share of true ones behind a share of flagged ones.

    Estimate: W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a screening
    test", American Journal of Epidemiology 107 (1978), 71-76, kept within 0 and 1; quantification
    calls it the adjusted count. Interval: Z. Lang and J. Reiczigel, "Confidence limits for
    prevalence of disease adjusted for estimated sensitivity and specificity", Preventive Veterinary
    Medicine 113 (2014), 13-22, which carries the errors of share, sensitivity and specificity.

    Args:
        share: Flagged share of each cell.
        n: Number of offers of each cell, or their effective number.
        rates: Counts of the audit.
        level: Confidence.

    Returns:
        NaN where a cell is empty, or where the rates are not `usable`.
    """
    if not rates.usable:
        nothing = np.full(share.shape, np.nan)
        return Corrected(nothing, Bounds(nothing, nothing))
    youden = rates.sensitivity + rates.specificity - 1
    point = np.clip((share + rates.specificity - 1) / youden, 0, 1)
    z = normal_quantile(level)
    with np.errstate(invalid="ignore"):
        cases = n + z**2
        p = (n * share + z**2 / 2) / cases
    positives, negatives = rates.tp + rates.fn + 2, rates.tn + rates.fp + 2
    se, sp = (rates.tp + 1) / positives, (rates.tn + 1) / negatives
    spread = max(se + sp - 1, 1e-9)
    middle = (p + sp - 1) / spread
    se_error, sp_error = se * (1 - se) / positives, sp * (1 - sp) / negatives
    shift = 2 * z**2 * (middle * se_error - (1 - middle) * sp_error)
    error = (
        z
        / spread
        * np.sqrt(p * (1 - p) / cases + middle**2 * se_error + (1 - middle) ** 2 * sp_error)
    )
    none = ~(n > 0)
    low = np.where(none, np.nan, np.clip(middle + shift - error, 0, 1))
    high = np.where(none, np.nan, np.clip(middle + shift + error, 0, 1))
    # The interval's middle is shrunk, so with few audited offers the estimate may lie outside it.
    return Corrected(
        np.where(none, np.nan, point), Bounds(np.minimum(low, point), np.maximum(high, point))
    )
