"""The labelled offers with their texts, grouped and cut to folds as the shipped model's are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiskills.labels.texts import OffersFile, read_labelled
from aiskills.model.crossval import parts_of
from aiskills.model.dataset import Dataset, LabelledOffer, join_labels, read_written
from aiskills.model.features import DEMAND
from aiskills.model.groups import group_offers
from aiskills.model.quality import PICKED, classes_of
from aiskills.schema import Definition
from benchmarks.data import LABELS, ROOT
from benchmarks.textmodel import TextModel

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled offers.

    Attributes:
        dataset: The offers and their groups; without readings, which no peer needs.
        texts: Title and description of each.
    """

    dataset: Dataset
    texts: Sequence[str]

    def texts_of(self, numbers: IntArray) -> list[str]:
        """Texts of some offers."""
        return [self.texts[n] for n in numbers.tolist()]

    def demand(self, numbers: IntArray, definition: Definition) -> NDArray[np.bool_]:
        """Which of some offers are a demand."""
        return np.equal(classes_of(numbers, self.dataset.labels, definition), DEMAND)

    def drawn(self, name: str) -> IntArray:
        """Numbers of the offers of one set of labels."""
        labels = self.dataset.labels
        return np.array([n for n in sorted(labels) if labels[n].set == name], dtype=np.int64)

    def folds(self) -> list[tuple[IntArray, IntArray]]:
        """For each fold the offers to train on and those to test; the audit sample is in none."""
        labels = self.dataset.labels
        return [
            (np.array([n for n in np.flatnonzero(usable) if n in labels], dtype=np.int64), test)
            for usable, test in parts_of(self.dataset)
        ]

    def fit(self, numbers: IntArray) -> TextModel:
        """The baseline of words, trained on some offers.

        Real offers that were not picked for a model's doubt choose its threshold; all do where
        there are none.
        """
        sets = np.array([self.dataset.labels[n].set for n in numbers.tolist()])
        drawn = ~np.isin(sets, sorted(PICKED)) & ~self.dataset.written[numbers]
        return TextModel().fit(
            self.texts_of(numbers),
            {d: self.demand(numbers, d) for d in Definition},
            self.dataset.groups[numbers],
            drawn if drawn.any() else np.ones(len(numbers), dtype=bool),
        )


def read(offers: Path | None) -> Labelled:
    """The labelled offers; without real ones those written for training alone."""
    found: list[LabelledOffer] = []
    if offers is not None:
        paths = sorted(LABELS.glob("*.jsonl"))
        found += join_labels(read_labelled(paths, OffersFile(offers), with_mentions=True))
    found += read_written(sorted((ROOT / "data" / "training").glob("offers_*.jsonl")))
    texts = [f"{offer.title}\n{offer.description}" for offer in found]
    groups = group_offers(texts, [offer.company for offer in found])
    return Labelled(Dataset(found, [], groups), texts)
