"""A trained model as scikit-learn estimators and scipy matrices, for those who look inside.

    X = mention_matrix(model, readings)
    mention_estimator(model).predict_proba(X)  # what Judge.score(readings).matches holds

Needs scikit-learn and scipy; judging offers needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from aiskills.context import Reading
from aiskills.model.features import MentionFeatures, OfferFeatures
from aiskills.model.folder import TrainedModel
from aiskills.model.linear import FloatArray, StatusModel
from aiskills.model.ordinal import StatusClassifier
from aiskills.model.train import design
from aiskills.schema import STATUS_ORDER, Definition


def mention_estimator(model: TrainedModel) -> StatusClassifier:
    """The mention model as a fitted estimator over `mention_matrix`.

    Args:
        model: A trained model.

    Returns:
        Its ``classes_`` are none, mention and demand; its two ``estimators_`` are ordinary
        `LogisticRegression`: demand rather than not, and mention rather than none.
    """
    return _estimator(model.mention)


def mention_matrix(model: TrainedModel, readings: Sequence[Reading]) -> sparse.csr_matrix:
    """The mention model's features, one row a match, one column each of `mention_columns`.

    Args:
        model: A trained model.
        readings: Offers, as `Judge.read` gives them; those without a match add no row.
    """
    matched = _matched(readings)
    features = model.mention_features
    if not matched:
        return _no_rows(features)
    return design(features.rows(matched), features.n_columns)


def mention_columns(model: TrainedModel) -> list[str]:
    """What each column of `mention_matrix` stands for, for people."""
    features = model.mention_features
    return [*map(features.column_name, range(features.n_columns)), *features.DENSE]


def offer_estimator(model: TrainedModel, definition: Definition | str) -> StatusClassifier:
    """The offer model under one definition as a fitted estimator over `offer_matrix`.

    Args:
        model: A trained model.
        definition: ``strict`` or ``study``.

    Returns:
        As `mention_estimator`. The calibration is part of its weights, so that its probabilities
        are those of `Judge.score`.
    """
    chosen = Definition(definition)
    calibration = model.calibration[chosen]
    return _estimator(model.offers[chosen], calibration.slope, calibration.shift)


def offer_matrix(model: TrainedModel, readings: Sequence[Reading]) -> sparse.csr_matrix:
    """The offer model's features, one row an offer, one column each of `offer_columns`.

    Args:
        model: A trained model.
        readings: Offers, as `Judge.read` gives them; those without a match get no row, since no
            model ever sees them: they are none.
    """
    matched = _matched(readings)
    features = model.offer_features
    if not matched:
        return _no_rows(features)
    said = model.mention.probabilities(model.mention_features.rows(matched))
    return design(features.rows(matched, said), features.n_columns)


def offer_columns(model: TrainedModel) -> list[str]:
    """What each column of `offer_matrix` stands for, for people."""
    features = model.offer_features
    return [*map(features.column_name, range(features.n_columns)), *features.DENSE]


def _matched(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading.matches]


def _no_rows(features: MentionFeatures | OfferFeatures) -> sparse.csr_matrix:
    return sparse.csr_matrix((0, features.n_columns + len(features.DENSE)))


def _estimator(model: StatusModel, slope: float = 1.0, shift: float = 0.0) -> StatusClassifier:
    coef: FloatArray = np.vstack([model.sparse, model.dense]).T.copy()
    intercept = model.bias.astype(np.float64)  # a copy: the model stays as it is
    coef[0] *= slope
    intercept[0] = intercept[0] * slope + shift
    return StatusClassifier.from_weights([status.value for status in STATUS_ORDER], coef, intercept)
