"""A model from labels: cross-validated, trained on everything, ready to save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import sklearn

from aiskills.context import Reading
from aiskills.model.audit import audit
from aiskills.model.background import Background
from aiskills.model.card import model_card
from aiskills.model.cases import Case, failures
from aiskills.model.crossval import FOLDS, Material, OutOfFold, cross_validate, fit_all, gather
from aiskills.model.dataset import Dataset
from aiskills.model.features import DEMAND
from aiskills.model.folder import Calibration, TrainedModel
from aiskills.model.judge import Judge
from aiskills.model.quality import classes_of, f1_of, judge_out_of_fold, quality, slices
from aiskills.model.train import Settings
from aiskills.model.trained_on import TRAINED_ON, training_marks
from aiskills.phrases import Lexicon, Strength
from aiskills.schema import SCHEMA_VERSION, Definition

#: Score from which an offer is a demand where no labelled offer could choose it.
_UNMEASURED_THRESHOLD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build a model.

    Attributes:
        name: Its name.
        settings: How to train.
        cases: Invented offers; the card lists those it gets wrong.
        jobs: Processes of the cross-validation.
    """

    name: str
    settings: Settings = field(default_factory=Settings)
    cases: Sequence[Case] = ()
    jobs: int = 2


def build_model(
    dataset: Dataset,
    lexicon: Lexicon,
    background: Background,
    recipe: Recipe,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[TrainedModel, str]:
    """Cross-validates, then trains on all labels but the audit sample; deterministic.

    Args:
        dataset: Labelled offers.
        lexicon: The lexicon they were read with.
        background: What is known without labels.
        recipe: Name, settings and cases.
        say: Takes a line about what is going on.

    Returns:
        The model, whose ``meta`` holds its quality with counts, and its card. Without a labelled
        offer that was not written for training nothing is measured, scores are not calibrated and
        the threshold is one half.
    """
    material = gather(dataset, background)
    quality, calibration, threshold = _cross_validated(material, recipe, say)
    settings = recipe.settings
    meta: dict[str, Any] = {
        "name": recipe.name,
        "schema": SCHEMA_VERSION,
        "lexicon": lexicon.version,
        "lexicon_sha256": lexicon.sha256,
        "lexicon_terms": len(lexicon),
        "scikit_learn": sklearn.__version__,
        "settings": asdict(settings),
        "background": dict(background.meta),
        "data": _data(dataset),
        "folds": FOLDS,
        "quality": quality,
        TRAINED_ON: training_marks(
            offer.uid for offer, out in zip(dataset.offers, dataset.audited, strict=True) if not out
        ),
    }
    if audited := int(dataset.audited.sum()):
        say(f"measuring on the audit sample of {audited:,} offers")
    meta["audit"] = audit(material, settings, calibration, threshold)
    say("training on all offers" + (" but the audit sample" if audited else ""))
    fitted = fit_all(material, settings, ~dataset.audited)
    model = TrainedModel(
        fitted.mention_features,
        fitted.mention,
        fitted.offer_features,
        {d: fitted.offer(d) for d in Definition},
        calibration,
        dict.fromkeys(Definition, threshold),
        meta,
    )
    meta["cases"] = failures(Judge(model, lexicon), recipe.cases)
    return model, model_card(model)


def _cross_validated(
    material: Material, recipe: Recipe, say: Callable[[str], None]
) -> tuple[dict[str, Any], dict[Definition, Calibration], float]:
    """Figures, calibration and threshold from offers out of fold."""
    dataset = material.dataset
    written = int(dataset.written.sum())
    count = len(dataset.labels) - written - int(dataset.audited.sum())
    if not count:
        say(f"nothing is measured: all {written:,} offers were written for training")
        return {}, dict.fromkeys(Definition, Calibration()), _UNMEASURED_THRESHOLD
    say(
        f"cross-validating on {count:,} labelled offers in {FOLDS} grouped "
        f"folds, with {written:,} written ones to train on"
    )
    found = cross_validate(dataset, material.background, recipe.settings, jobs=recipe.jobs)
    predictions, calibration, threshold = judge_out_of_fold(found, dataset.labels)
    return measured(dataset, found, predictions), calibration, threshold


def measured(
    dataset: Dataset, found: OutOfFold, predictions: dict[Definition, Any]
) -> dict[str, dict[str, Any]]:
    """Figures by slice and definition."""
    labels = [dataset.labels[n] for n in found.numbers.tolist()]
    groups = dataset.groups[found.numbers]
    result: dict[str, dict[str, Any]] = {}
    for name, chosen in slices(labels).items():
        if not chosen.any():
            continue
        result[name] = {}
        for d in Definition:
            truth = classes_of(found.numbers, dataset.labels, d)
            keyword = np.array([_has_keyword(dataset.readings[n], d) for n in found.numbers])
            result[name][d.value] = {
                **quality(truth, predictions[d], groups, chosen),
                "keyword_f1": round(f1_of((truth == DEMAND)[chosen], keyword[chosen]), 4),
            }
    return result


def _has_keyword(reading: Reading, definition: Definition) -> bool:
    """What a keyword counter says: any term of the lexicon that is not merely a weak trigger."""
    return any(
        match.term.strength is not Strength.WEAK
        and (definition is Definition.STUDY or match.term.definition is Definition.STRICT)
        for match in reading.matches
    )


def _data(dataset: Dataset) -> dict[str, Any]:
    written = dataset.written
    months = sorted(offer.month for offer in dataset.offers if offer.month and not offer.written)
    return {
        "first_month": months[0] if months else None,
        "last_month": months[-1] if months else None,
        "offers_labelled": sum(not (written | dataset.audited)[n] for n in dataset.labels),
        "offers_audited": int(dataset.audited.sum()),
        "offers_with_labelled_mentions": sum(not written[n] for n in dataset.mentions),
        "mentions_labelled": sum(
            len(mentions) for n, mentions in dataset.mentions.items() if not written[n]
        ),
        "offers_written_for_training": int(written.sum()),
        "groups": len(np.unique(dataset.groups[~written])),
    }
