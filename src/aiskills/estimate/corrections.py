"""Which correction of classification error applies, and its result for each cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from aiskills.errors import ModelError
from aiskills.estimate.breaks import version_of
from aiskills.estimate.classification import ErrorRates, rogan_gladen
from aiskills.estimate.clusters import Ints
from aiskills.estimate.false_flags import FalseFlags, corrected_parts
from aiskills.estimate.gold import Gold
from aiskills.estimate.intervals import Bounds, Floats
from aiskills.estimate.options import Question
from aiskills.estimate.parts import Estimate, Wholes
from aiskills.estimate.ppi import MIN_GOLD, FlaggedParts, LabelledParts, ppi_parts
from aiskills.estimate.scored import Scored
from aiskills.schema import Definition

PPI: Final = "ppi++"
FALLBACK: Final = "rogan-gladen (fallback)"
NONE: Final = "none"

Rates = Mapping[Definition, ErrorRates]


def rates_key(definition: Definition, status: str) -> str:
    """Key of the audit that fits a definition and a status."""
    return definition.value if status == "demand" else f"{definition.value}_any"


def audit_rates(
    inputs: Sequence[Scored], question: Question, model: str | Path | None
) -> tuple[dict[Definition, ErrorRates], list[str]]:
    """Error rates from the audit sample of the model that scored the offers.

    Args:
        inputs: The files, whose metadata say which model that was.
        question: What is measured.
        model: A model folder; None for the model that ships with aiskills.

    Returns:
        Rates by definition, those that apply; and lines that say on what they rest, or why there
        are none.
    """
    from aiskills.model.folder import find_model

    try:
        meta = json.loads((find_model(model) / "meta.json").read_text("utf-8"))
    except (ModelError, OSError, ValueError) as error:
        return {}, [f"no correction: {error}"]
    why_not = _misfit(inputs, meta)
    if why_not:
        return {}, [f"no correction: {why_not}"]
    lines = []
    if not all(version_of(one) for one in inputs):
        lines.append(
            "the offers do not say which model scored them: taken to be "
            f"{meta.get('name')}, whose audit is used"
        )
    rates: dict[Definition, ErrorRates] = {}
    for definition in question.definitions:
        key = rates_key(definition, question.status)
        found = ErrorRates.from_audit(meta.get("audit") or {}, key)
        if found is None:
            lines.append(f"no correction ({definition}, {question.status}): not in the audit")
        else:
            rates[definition] = found
            lines.append(f"correction ({definition}): Rogan-Gladen, {found.told()}")
    if rates:
        lines.append(
            "these error rates are taken to hold in every cell; the audit is too small to tell "
            "them by language, period or branch. Label a sample of your own offers (--gold)"
        )
    return rates, lines


def _misfit(inputs: Sequence[Scored], meta: Mapping[str, Any]) -> str:
    """Why the audit says nothing of these offers; empty if it does."""
    for one in inputs:
        given = one.metadata.get("aiskills_model_sha256")
        if given and given != meta.get("sha256"):
            return (
                f"{one.name} was scored by {one.metadata.get('aiskills_model', 'another model')}, "
                f"not by the model whose audit is at hand ({meta.get('name')})"
            )
        thresholds = one.metadata.get("aiskills_thresholds")
        if thresholds and _read(thresholds) != meta.get("thresholds"):
            return f"{one.name} was scored with thresholds that the audit did not use"
    return ""


def _read(text: str) -> Any:
    """JSON of a file's metadata; None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


@dataclass(slots=True)
class CorrectedCells:
    """Corrected shares (or parts) of cells, with the method that each was given."""

    share: Floats
    ends: Bounds
    method: list[str]

    @classmethod
    def none(cls, size: int) -> CorrectedCells:
        """No cell is corrected."""
        ends = Bounds(np.full(size, np.nan), np.full(size, np.nan))
        return cls(np.full(size, np.nan), ends, [NONE] * size)

    @classmethod
    def by_rates(cls, share: Floats, ends: Bounds) -> CorrectedCells:
        """Cells corrected by error rates, where these give anything."""
        known = ~np.isnan(share)
        return cls(share, ends, [FALLBACK if one else NONE for one in known.tolist()])


@dataclass(slots=True)
class Corrector:
    """Corrects the shares of cells.

    Attributes:
        question: What is measured.
        rates: Error rates by definition, for the fallback.
        gold: Labelled offers; None without.
        gold_rows: Numbers of their rows among the counts.
        lacking: Cells that had too few labelled offers.
    """

    question: Question
    rates: Rates
    gold: Gold | None = None
    gold_rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lacking: int = 0

    def correct(
        self,
        definition: Definition,
        estimate: Estimate,
        cell: Ints,
        theme: str | None = None,
        hits: np.ndarray | None = None,
    ) -> CorrectedCells:
        """Corrects each cell: by its own labelled offers, else by the error rates, else not.

        Args:
            definition: Whose flags.
            estimate: Flagged shares.
            cell: By row of the counts, the number of its cell, -1 for none.
            theme: Set where only offers with this theme count as flagged; error rates then say
                nothing.
            hits: By row of the counts, whether it has that theme.
        """
        result = self.by_rates(definition, estimate, theme)
        if self.gold is not None:
            self._by_gold(self.gold, definition, estimate, cell, (theme, hits), result)
        return result

    def by_rates(
        self, definition: Definition, estimate: Estimate, theme: str | None = None
    ) -> CorrectedCells:
        """Corrects each cell by the error rates, where they say anything."""
        rates = self.rates.get(definition)
        if rates is None or theme is not None:
            return CorrectedCells.none(len(estimate.share))
        found = rogan_gladen(estimate.share, estimate.n_effective, rates, self.question.level)
        return CorrectedCells.by_rates(found.share, found.ends)

    def false_flags(self, definition: Definition, theme: str | None = None) -> FalseFlags | None:
        """Share of false flags that the error rates tell; None where they say nothing."""
        rates = self.rates.get(definition)
        if rates is None or theme is not None or not rates.usable:
            return None
        return FalseFlags.of(rates, self.question.level)

    def correct_parts(
        self,
        definition: Definition,
        wholes: Wholes,
        rows: tuple[Ints, Ints],
        theme: str | None = None,
        hits: np.ndarray | None = None,
    ) -> CorrectedCells:
        """Corrects each part: by the labelled offers of its whole, else by the error rates.

        Args:
            definition: Whose flags.
            wholes: Parts of the flagged offers.
            rows: By row of the counts, the numbers of its part and of its whole, -1 for none.
            theme: As in `correct`.
            hits: As in `correct`.
        """
        false = self.false_flags(definition, theme)
        result = CorrectedCells.none(len(wholes.offers))
        if false is not None:
            found = corrected_parts(wholes, false)
            result = CorrectedCells.by_rates(found.share, found.ends)
        if self.gold is not None:
            self._parts_by_gold(self.gold, definition, wholes, rows, (theme, hits), result)
        return result

    def _parts_by_gold(
        self,
        gold: Gold,
        definition: Definition,
        wholes: Wholes,
        rows: tuple[Ints, Ints],
        themed: tuple[str | None, np.ndarray | None],
        result: CorrectedCells,
    ) -> None:
        theme, hits = themed
        truth, flags = gold.truth(definition, self.question.status), gold.flags[definition]
        own_truth, own_flags = truth, flags
        if theme is not None and hits is not None:
            own_truth = gold.truth(definition, self.question.status, theme)
            own_flags = flags * hits[self.gold_rows]
        part_of, whole_of = (one[self.gold_rows] for one in rows)
        place = np.full(len(wholes.offers) + 1, -1, dtype=np.int64)  # the last is for no part
        for whole in np.unique(wholes.whole_of[wholes.whole_of >= 0]).tolist():
            labelled = gold.weighted(definition, np.flatnonzero(whole_of == whole))
            parts = np.flatnonzero((wholes.whole_of == whole) & ~np.isnan(wholes.part.ends.low))
            if len(labelled) < MIN_GOLD or not len(parts):
                continue
            place[:] = -1
            place[parts] = np.arange(len(parts))
            share, low, high = ppi_parts(
                FlaggedParts(
                    float(wholes.flagged[whole] / wholes.all_offers[whole]),
                    wholes.part.share[parts],
                    wholes.part.n_effective[parts],
                ),
                gold.sample(definition, labelled, truth, flags),
                LabelledParts(place[part_of[labelled]], own_truth[labelled], own_flags[labelled]),
                level=self.question.level,
            )
            if np.isnan(share).any():  # by the labels there is nothing of which to have a part
                continue
            result.share[parts], result.ends.low[parts], result.ends.high[parts] = share, low, high
            for part in parts.tolist():
                result.method[part] = PPI

    def _by_gold(
        self,
        gold: Gold,
        definition: Definition,
        estimate: Estimate,
        cell: Ints,
        themed: tuple[str | None, np.ndarray | None],
        result: CorrectedCells,
    ) -> None:
        theme, hits = themed
        truth = gold.truth(definition, self.question.status, theme)
        flags = gold.flags[definition]
        if hits is not None:
            flags = flags * hits[self.gold_rows]
        own = cell[self.gold_rows]
        order = np.argsort(own, kind="stable")
        starts = np.searchsorted(own[order], np.arange(len(result.method) + 1))
        for number in range(len(result.method)):
            rows = order[starts[number] : starts[number + 1]]
            found = gold.estimate(
                definition,
                rows,
                truth,
                flags,
                (float(estimate.share[number]), float(estimate.n_effective[number])),
                self.question.level,
            )
            if found is None:
                self.lacking += 1
                continue
            result.share[number] = found.share
            result.ends.low[number], result.ends.high[number] = found.low, found.high
            result.method[number] = PPI

    def remarks(self) -> list[str]:
        """What to tell the reader once all cells are corrected."""
        if self.gold is None:
            return []
        lines = [
            f"correction: prediction-powered, {len(self.gold.labels):,} labelled offers found "
            "among those counted",
            *(
                f"by these labels ({one}, {self.question.status}): "
                f"{self.gold.rates(one, self.question.status)}"
                for one in self.question.definitions
            ),
        ]
        if self.lacking:
            lines.append(
                f"{self.lacking:,} cells hold fewer than {MIN_GOLD} labelled offers and have no "
                "prediction-powered correction of their own"
            )
        return lines
