"""Labelled offers of the user's own data, matched to their scored rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiskills.errors import LabelError
from aiskills.estimate.cells import NO_THEME
from aiskills.estimate.clusters import Ints
from aiskills.estimate.intervals import Floats
from aiskills.estimate.plan import UID
from aiskills.estimate.ppi import MIN_GOLD, GoldSample, PpiEstimate, ppi
from aiskills.labels.records import OfferLabel, read_labels
from aiskills.schema import Definition, Status


def read_gold(path: str | Path) -> dict[str, OfferLabel]:
    """Labels by offer, each with its probability of having been drawn.

    Raises:
        LabelError: The file is no file of labels, an offer has two different labels, or one has no
            `inclusion`.
    """
    offers, _ = read_labels([path])
    if not offers:
        raise LabelError(f"{path} holds no labelled offers", expected="a label an offer")
    without = sum(one.inclusion is None for one in offers)
    if without:
        raise LabelError(
            f"{path}: {without:,} of {len(offers):,} labels have no 'inclusion'",
            expected="the probability with which each offer was drawn, above 0 and up to 1",
            hint="Draw the offers to label with `aiskills sample --strategy stratified`: it writes "
            "them. A sample picked by hand corrects nothing.",
        )
    labels: dict[str, OfferLabel] = {}
    for one in offers:
        if labels.setdefault(one.uid, one) != one:
            raise LabelError(f"{path}: the offer '{one.uid[:40]}' has two different labels")
    return labels


@dataclass(frozen=True, slots=True)
class Gold:
    """Labelled offers that were found among the scored ones, in the order of their rows.

    Attributes:
        labels: One a row.
        flags: By definition, 1.0 where the row is flagged.
        weights: Survey weight of each row by 1 / probability of having been drawn.
        strata: Number of the stratum of each row.
    """

    labels: tuple[OfferLabel, ...]
    flags: Mapping[Definition, Floats]
    weights: Mapping[Definition, Floats]
    strata: Ints

    @classmethod
    def match(
        cls, rows: pa.Table, labels: Mapping[str, OfferLabel], definitions: Sequence[Definition]
    ) -> Gold:
        """Joins labels to the rows that `counts.count` chose."""
        found = tuple(labels[uid] for uid in rows.column(UID).to_pylist())
        drawn = np.array([one.inclusion or 1.0 for one in found])
        names = sorted({one.stratum for one in found})
        flags, weights = {}, {}
        for definition in definitions:
            flags[definition] = np.asarray(rows.column(f"x_{definition}"), dtype=np.float64)
            name = f"w_{definition}" if f"w_{definition}" in rows.column_names else (
                f"n_{definition}"
            )  # fmt: skip
            weights[definition] = np.asarray(rows.column(name), dtype=np.float64) / drawn
        return cls(
            found,
            flags,
            weights,
            np.array([names.index(one.stratum) for one in found], dtype=np.int64),
        )

    def truth(self, definition: Definition, status: str, theme: str | None = None) -> Floats:
        """1.0 where the label says that the offer is one, else 0.0.

        Args:
            definition: Under which definition.
            status: `demand`, or `any` for demand or mention.
            theme: Only offers that ask for this theme; None for all.
        """
        wanted = {Status.DEMAND} if status == "demand" else {Status.DEMAND, Status.MENTION}
        given = [one.study if definition is Definition.STUDY else one.strict for one in self.labels]
        hits = [one in wanted for one in given]
        if theme is not None:
            hits = [
                hit and (theme in one.themes or (theme == NO_THEME and not one.themes))
                for hit, one in zip(hits, self.labels, strict=True)
            ]
        return np.array(hits, dtype=np.float64)

    def estimate(
        self,
        definition: Definition,
        rows: np.ndarray,
        truth: Floats,
        flags: Floats,
        cell: tuple[float, float],
        level: float,
    ) -> PpiEstimate | None:
        """The corrected share of one cell.

        Args:
            definition: Whose weights.
            rows: Numbers of the labelled rows in the cell.
            truth: What `truth` gives.
            flags: 1.0 where a labelled row counts as flagged.
            cell: Flagged share of the cell and its effective number of offers.
            level: Confidence.

        Returns:
            None if too few of its offers are labelled.
        """
        rows = self.weighted(definition, rows)
        if len(rows) < MIN_GOLD or not np.isfinite(cell).all() or cell[1] <= 0:
            return None
        return ppi(cell[0], cell[1], self.sample(definition, rows, truth, flags), level=level)

    def rates(self, definition: Definition, status: str) -> str:
        """Sensitivity and specificity by these labels, for the reader.

        Each label has its weight, so that the rates are those of the offers it was drawn from; a
        rate of fewer than `MIN_GOLD` labelled offers is not told.
        """
        truth, flag = self.truth(definition, status), self.flags[definition]
        weight = self.weights[definition]
        told = []
        for name, kind, right in (("sensitivity", truth == 1, flag), (
            "specificity", truth == 0, 1 - flag
        )):  # fmt: skip
            own = kind & (weight > 0)
            count = int(own.sum())
            if count < MIN_GOLD:
                told.append(f"{name} untold ({count:,} labelled)")
            else:
                rate = float((weight * right)[own].sum() / weight[own].sum())
                told.append(f"{name} {100 * rate:.1f} % ({count:,} labelled)")
        return ", ".join(told)

    def weighted(self, definition: Definition, rows: np.ndarray) -> np.ndarray:
        """Those of the labelled rows that have a weight above 0."""
        kept: np.ndarray = rows[self.weights[definition][rows] > 0]
        return kept

    def sample(
        self, definition: Definition, rows: np.ndarray, truth: Floats, flags: Floats
    ) -> GoldSample:
        """Labelled rows as a sample, strata numbered anew."""
        _, strata = np.unique(self.strata[rows], return_inverse=True)
        weight = self.weights[definition][rows]
        return GoldSample(truth[rows], flags[rows], weight, strata.astype(np.int64))
