"""Judgements by models that saw neither an offer nor its employer nor a near-copy of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from aiskills.context import OfferReader
from aiskills.errors import LabelError
from aiskills.evaluation.report import How, Report
from aiskills.evaluation.run import Judged, evaluate
from aiskills.files.notes import plural
from aiskills.labels.texts import LabelledTexts
from aiskills.model import Judge, Judgement, TrainedModel
from aiskills.model.background import Background, load_background
from aiskills.model.crossval import (
    FOLDS,
    Fitted,
    OutOfFold,
    fit_all,
    fold_numbers,
    gather,
    kinds_of,
    predict,
)
from aiskills.model.dataset import AUDIT, Dataset, join_labels, make_dataset, read_written
from aiskills.model.quality import judge_out_of_fold
from aiskills.model.train import Settings
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.schema import Definition
from aiskills.version import __version__

IntArray = NDArray[np.int64]

#: Fewer labelled offers, or groups of them, than this do not make five folds worth training on.
_FEWEST_OFFERS = 50
_FEWEST_GROUPS = 25


@dataclass(frozen=True, slots=True)
class Training:
    """How to train in the folds.

    Attributes:
        written: Files of offers written for training, which are never measured on.
        thresholds: Score from which an offer is a demand; for definitions that are not in it the
            one chosen in the folds.
        settings: What training can be told.
        background: What is known without labels; None for what ships with the package.
        jobs: Processes.
    """

    written: Sequence[str | Path] = ()
    thresholds: Mapping[Definition, float] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    background: Background | None = None
    jobs: int = 2


def measure_out_of_fold(
    texts: LabelledTexts,
    lexicon: Lexicon,
    training: Training,
    *,
    by: Sequence[str] = (),
    with_texts: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Trains in grouped folds as `aiskills train` does, and measures what each says of the rest.

    Mention model, offer model, calibration and threshold are all made without the fold that they
    are measured on. Labels of the set ``audit`` are left out: no training may see them.

    Args:
        texts: Labelled offers and mentions (read them ``with_mentions``).
        lexicon: The terms.
        training: How to train.
        by: Columns to slice by, beside the usual ones.
        with_texts: Whether mistakes carry titles, quotes and snippets.
        say: Takes a line about what is going on.

    Raises:
        LabelError: There are too few offers or groups for grouped folds.
    """
    offers = join_labels(texts) + read_written(training.written)
    dataset = make_dataset(offers, OfferReader(Scanner(lexicon, Headings.default())))
    folds = fold_numbers(_checked(dataset))
    measured = np.array([n for n in np.flatnonzero(folds >= 0) if n in dataset.labels])
    say(f"training {FOLDS} times to measure on {len(measured):,} labelled offers out of fold")
    fitted = _fit(dataset, folds, training)
    judgements = _judge(dataset, lexicon, fitted, folds, measured, training.thresholds)
    judged = Judged(
        [dataset.labels[n] for n in measured.tolist()],
        [texts.rows[dataset.offers[n].uid] for n in measured.tolist()],
        [judgements[n] for n in measured.tolist()],
        How.CROSS_VALIDATION,
        {
            "aiskills_version": __version__,
            "aiskills_lexicon": lexicon.version,
            "aiskills_lexicon_sha256": lexicon.sha256,
        },
        training.thresholds if len(training.thresholds) == len(Definition) else None,
    )
    report = evaluate(judged, by=by, with_texts=with_texts)
    if left := int(dataset.audited.sum()):
        note = f"{plural(left, 'label')} of the set {AUDIT!r} left out: evaluate a model on them."
        return replace(report, warnings=(*report.warnings, note))
    return report


def _checked(dataset: Dataset) -> Dataset:
    usable = ~dataset.written & ~dataset.audited
    offers = sum(bool(usable[n]) for n in dataset.labels)
    groups = len(np.unique(dataset.groups[usable]))
    if offers < _FEWEST_OFFERS or groups < _FEWEST_GROUPS:
        raise LabelError(
            f"{offers:,} labelled offers (the set {AUDIT!r} apart) in {groups:,} groups of one "
            "employer or near-copies are too few for cross-validation",
            expected=f"at least {_FEWEST_OFFERS} offers in {_FEWEST_GROUPS} groups",
            hint="Evaluate a model on them instead, without --cross-validate.",
        )
    return dataset


def _fit(
    dataset: Dataset,
    folds: IntArray,
    training: Training,
) -> list[Fitted]:
    """Both models of each fold, trained on the other folds and on what is in none."""
    background = training.background if training.background is not None else load_background()
    material = gather(dataset, background)
    result: list[Fitted] = Parallel(n_jobs=training.jobs)(
        delayed(fit_all)(material, training.settings, ~dataset.audited & (folds != fold))
        for fold in range(FOLDS)
    )
    return result


def _judge(
    dataset: Dataset,
    lexicon: Lexicon,
    fitted: Sequence[Fitted],
    folds: IntArray,
    measured: IntArray,
    thresholds: Mapping[Definition, float],
) -> dict[int, Judgement]:
    """What the model of each fold says of its offers, calibrated on the other folds."""
    tests = [measured[folds[measured] == fold] for fold in range(FOLDS)]
    odds = [predict(dataset, model, test) for model, test in zip(fitted, tests, strict=True)]
    result: dict[int, Judgement] = {}
    for fold, (model, test) in enumerate(zip(fitted, tests, strict=True)):
        others = [number for number in range(FOLDS) if number != fold]
        numbers = np.concatenate([tests[number] for number in others])
        rest = OutOfFold(
            numbers,
            folds[numbers],
            {d: np.concatenate([odds[number][d] for number in others]) for d in Definition},
            kinds_of(dataset, numbers),
        )
        _, calibration, threshold = judge_out_of_fold(rest, dataset.labels)
        trained = TrainedModel(
            model.mention_features,
            model.mention,
            model.offer_features,
            {d: model.offer(d) for d in Definition},
            calibration,
            dict.fromkeys(Definition, threshold),
            {},
        )
        offers = [dataset.offers[n] for n in test.tolist()]
        said = Judge(trained, lexicon, thresholds).judge(
            [offer.title for offer in offers], [offer.description for offer in offers]
        )
        result.update(zip(test.tolist(), said, strict=True))
    return result
