"""Grouped cross-validation: what the models say of offers they never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from aiskills.model.background import Background
from aiskills.model.dataset import Dataset
from aiskills.model.examples import MentionExamples, mention_examples
from aiskills.model.features import MentionFeatures, OfferFeatures
from aiskills.model.linear import FloatArray, StatusModel
from aiskills.model.train import (
    Settings,
    fit_mentions,
    fit_offers,
    offer_examples,
    words_by_hash,
)
from aiskills.schema import Definition

IntArray = NDArray[np.int64]

FOLDS: Final = 5
#: Log odds of an offer without any match: the gate says none.
_GATE_LOG_ODDS: Final = -12.0


class TrainOn(StrEnum):
    """Which offers a model may learn from."""

    BOTH = "both"
    REAL = "real"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Material:
    """All that training needs.

    Attributes:
        dataset: Labelled offers.
        examples: Training examples of the mention model made of them.
        words: The word behind each token's hash.
        background: What is known without labels.
    """

    dataset: Dataset
    examples: MentionExamples
    words: dict[int, str]
    background: Background


def gather(dataset: Dataset, background: Background) -> Material:
    """The material of some labelled offers."""
    return Material(
        dataset,
        mention_examples(dataset.readings, dataset.mentions, dataset.labels),
        words_by_hash(dataset.readings),
        background,
    )


@dataclass(frozen=True, slots=True)
class MentionStage:
    """The trained mention model, and what the offer model learns from.

    Attributes:
        chosen: Which offers it may have seen.
        said: By the number of each of them, probabilities of its matches, matches x 3, by a mention
            model that did not see it.
        features: Features of the mention model.
        mention: The mention model.
    """

    chosen: NDArray[np.bool_]
    said: dict[int, FloatArray]
    features: MentionFeatures
    mention: StatusModel


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both trained models with their features."""

    mention_features: MentionFeatures
    mention: StatusModel
    offer_features: OfferFeatures
    strict: StatusModel
    study: StatusModel

    def offer(self, definition: Definition) -> StatusModel:
        """The offer model of one definition."""
        return self.strict if definition is Definition.STRICT else self.study


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Predictions for labelled offers by models that saw neither them nor their group.

    Attributes:
        numbers: Number of each offer in the dataset.
        folds: Fold of each.
        log_odds: By definition, the two outputs of the offer model, offers x 2.
        kinds: By definition, which offers hold a match that can decide it: a `strict` term, or one
            that can make `study` differ from it.
    """

    numbers: IntArray
    folds: IntArray
    log_odds: dict[Definition, FloatArray]
    kinds: dict[Definition, NDArray[np.bool_]]

    @property
    def gated(self) -> NDArray[np.bool_]:
        """Which offers hold no match, so that no model was asked."""
        return ~(self.kinds[Definition.STRICT] | self.kinds[Definition.STUDY])


def fold_numbers(dataset: Dataset, folds: int = FOLDS) -> IntArray:
    """The fold of each offer; -1 for written ones and the audit sample, which are in none."""
    result = np.full(len(dataset.offers), -1, dtype=np.int64)
    real = np.flatnonzero(~dataset.written & ~dataset.audited)
    if len(real):
        splits = GroupKFold(folds).split(real, groups=dataset.groups[real])
        for number, (_, test) in enumerate(splits):
            result[real[test]] = number
    return result


def cross_validate(
    dataset: Dataset,
    background: Background,
    settings: Settings,
    *,
    train_on: TrainOn = TrainOn.BOTH,
    jobs: int = 2,
) -> OutOfFold:
    """Predicts every labelled offer that was not written for training.

    Args:
        dataset: Labelled offers.
        background: What is known without labels.
        settings: How to train.
        train_on: Which offers may be trained on.
        jobs: Processes.

    Returns:
        Predictions out of fold.
    """
    material = gather(dataset, background)
    outcomes = Parallel(n_jobs=jobs)(
        delayed(_one_fold)(material, settings, chosen, test)
        for chosen, test in parts_of(dataset, train_on)
    )
    return joined(dataset, outcomes)


def parts_of(
    dataset: Dataset, train_on: TrainOn = TrainOn.BOTH
) -> list[tuple[NDArray[np.bool_], IntArray]]:
    """For each fold which offers may be trained on, and the numbers of those to test."""
    folds = fold_numbers(dataset)
    usable = {
        TrainOn.BOTH: ~dataset.audited,
        TrainOn.REAL: ~dataset.audited & ~dataset.written,
        TrainOn.WRITTEN: dataset.written,
    }[train_on]
    return [
        (
            usable & (folds != fold),
            np.array([n for n in np.flatnonzero(folds == fold) if n in dataset.labels]),
        )
        for fold in range(FOLDS)
    ]


def joined(dataset: Dataset, outcomes: Sequence[Mapping[Definition, FloatArray]]) -> OutOfFold:
    """What the models of each fold say of its test offers (`predict`), put together."""
    tests = [test for _, test in parts_of(dataset)]
    numbers = np.concatenate(tests)
    return OutOfFold(
        numbers,
        np.repeat(np.arange(FOLDS), [len(test) for test in tests]),
        {d: np.concatenate([outcome[d] for outcome in outcomes]) for d in Definition},
        kinds_of(dataset, numbers),
    )


def kinds_of(dataset: Dataset, numbers: IntArray) -> dict[Definition, NDArray[np.bool_]]:
    """By definition, which of some offers hold a match that can decide it; see `OutOfFold`."""
    matches = [[match.term for match in dataset.readings[n].matches] for n in numbers]
    return {
        Definition.STRICT: np.array(
            [any(term.definition is Definition.STRICT for term in terms) for terms in matches]
        ),
        Definition.STUDY: np.array([any(term.can_differ for term in terms) for terms in matches]),
    }


def _one_fold(
    material: Material, settings: Settings, chosen: NDArray[np.bool_], test: IntArray
) -> dict[Definition, FloatArray]:
    return predict(material.dataset, fit_all(material, settings, chosen), test)


def predict(
    dataset: Dataset, fitted: Fitted, numbers: Sequence[int] | IntArray
) -> dict[Definition, FloatArray]:
    """Log odds of both outputs for some offers, by definition; without a match the gate's."""
    result = {d: np.full((len(numbers), 2), _GATE_LOG_ODDS) for d in Definition}
    asked = [place for place, n in enumerate(numbers) if dataset.readings[n].matches]
    readings = [dataset.readings[numbers[place]] for place in asked]
    if readings:
        said = fitted.mention.probabilities(fitted.mention_features.rows(readings))
        rows = fitted.offer_features.rows(readings, said)
        for definition in Definition:
            result[definition][asked] = fitted.offer(definition).log_odds(rows)
    return result


def fit_all(material: Material, settings: Settings, chosen: NDArray[np.bool_]) -> Fitted:
    """Trains both models; the offer model on what mention models say that did not see the offer."""
    return fit_offer_stage(material, settings, fit_mention_stage(material, settings, chosen))


def fit_mention_stage(
    material: Material, settings: Settings, chosen: NDArray[np.bool_]
) -> MentionStage:
    """Trains the mention model, and those that say out of fold what the offer model learns from."""
    said = _said_out_of_fold(material, settings, chosen)
    return MentionStage(chosen, said, *_fit_mentions(material, settings, chosen))


def fit_offer_stage(material: Material, settings: Settings, stage: MentionStage) -> Fitted:
    """Trains the offer model on what the mention stage says."""
    dataset = material.dataset
    numbers, classes, weights = offer_examples(dataset, stage.chosen, settings)
    offer_features, strict, study = fit_offers(
        [dataset.readings[n] for n in numbers],
        np.concatenate([stage.said[int(n)] for n in numbers]),
        classes,
        weights,
        dataset.groups[numbers],
        material.words,
        settings,
    )
    return Fitted(stage.features, stage.mention, offer_features, strict, study)


def _fit_mentions(
    material: Material, settings: Settings, chosen: NDArray[np.bool_]
) -> tuple[MentionFeatures, StatusModel]:
    return fit_mentions(
        material.examples,
        chosen,
        material.dataset.groups,
        material.words,
        material.dataset.written,
        material.background,
        settings,
    )


def _said_out_of_fold(
    material: Material, settings: Settings, chosen: NDArray[np.bool_]
) -> dict[int, FloatArray]:
    dataset = material.dataset
    said: dict[int, FloatArray] = {}
    numbers = np.flatnonzero(chosen)
    for train, test in GroupKFold(FOLDS).split(numbers, groups=dataset.groups[numbers]):
        inner = np.zeros(len(chosen), dtype=bool)
        inner[numbers[train]] = True
        features, model = _fit_mentions(material, settings, inner)
        asked = [int(n) for n in numbers[test] if dataset.readings[n].matches]
        all_said = model.probabilities(features.rows([dataset.readings[n] for n in asked]))
        at = 0
        for number in asked:
            count = len(dataset.readings[number].matches)
            said[number] = all_said[at : at + count]
            at += count
    return said
