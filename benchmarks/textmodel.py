"""The usual baseline: TF-IDF of words and pairs of words, and logistic regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from aiskills.model.quality import choose_threshold
from aiskills.schema import Definition

BoolArray = NDArray[np.bool_]
NAME: Final = "scikit-learn TF-IDF (1,2) + LogisticRegression"
_INNER_FOLDS: Final = 3


class TextModel:
    """One vectorizer and, for each definition, a regression with its threshold."""

    def __init__(self) -> None:
        self._vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self._models: dict[Definition, Any] = {}
        self._thresholds: dict[Definition, float] = {}

    def fit(
        self,
        texts: Sequence[str],
        demand: Mapping[Definition, BoolArray],
        groups: NDArray[np.int64],
        drawn: BoolArray,
    ) -> TextModel:
        """Learns from labelled offers.

        The threshold is the one that is best on predictions out of fold within these offers, of
        those that have a say in it.

        Args:
            texts: Titles and descriptions.
            demand: By definition, which offers are a demand.
            groups: Offers of one group stay on one side when the threshold is chosen.
            drawn: Which offers have a say in the threshold.
        """
        rows = self._vectorizer.fit_transform(texts)
        folds = GroupKFold(_INNER_FOLDS)
        for definition, truth in demand.items():
            model = LogisticRegression(C=10.0, solver="liblinear")
            said = cross_val_predict(
                model, rows, truth, groups=groups, cv=folds, method="predict_proba"
            )
            self._thresholds[definition] = choose_threshold([(said[drawn, 1], truth[drawn])])
            self._models[definition] = model.fit(rows, truth)
        return self

    def flags(self, texts: Sequence[str]) -> dict[Definition, BoolArray]:
        """Which offers are flagged, by definition."""
        rows = self._vectorizer.transform(texts)
        return {
            definition: model.predict_proba(rows)[:, 1] >= self._thresholds[definition]
            for definition, model in self._models.items()
        }
