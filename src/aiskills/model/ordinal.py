"""The form of both models as an ordinary scikit-learn estimator: logistic regressions in a row.

Imported only where scikit-learn is at hand (training, and those who want estimators): judging
offers takes `aiskills.model.linear` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from aiskills.model.linear import FloatArray, sigmoid

#: Log odds of an output that had nothing to tell apart: 0.95 to 0.05, far from certain.
_CONSTANT: Final = 3.0


class StatusClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Ordered classes told apart from the strongest down, each step a logistic regression.

    The first step tells the strongest class from all others, the next the second strongest from
    those below it, and so on: a continuation-ratio model read downwards (Fienberg, *The Analysis of
    Cross-Classified Categorical Data*, 2nd ed. 1980, chapter 6). With none < mention < demand these
    are the two outputs of `aiskills.model.linear.StatusModel`, and this is what
    `aiskills.model.train` fits. With two classes it is logistic regression.

    Args:
        C: Inverse strength of the L2 penalty, above 0.
        classes: The classes from weakest to strongest; those without an example get a constant
            small probability. None for those of y as numpy sorts them, at least two. Leave it None
            in `cross_val_predict(method="predict_proba")`, which puts numbers for the classes.
        max_iter: Iterations of the solver at most, for each step.
        tol: Tolerance of the solver.

    Attributes:
        classes_: The classes from weakest to strongest, k of them.
        estimators_: The k - 1 fitted `LogisticRegression`, that of the strongest class first.
        coef_: Their weights, k - 1 x features.
        intercept_: Their intercepts, k - 1.
        n_features_in_: Number of features.
        n_iter_: Iterations that each step took; 1 where there was nothing to tell apart.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 (scikit-learn's name)
        *,
        classes: Sequence[Any] | None = None,
        max_iter: int = 1000,
        tol: float = 1e-4,
    ) -> None:
        self.C = C
        self.classes = classes
        self.max_iter = max_iter
        self.tol = tol

    def fit(
        self,
        X: Any,  # noqa: N803 (scikit-learn's name)
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fits every step.

        Args:
            X: Features, n x m: dense, or sparse in any form.
            y: Class of each row.
            sample_weight: Weight of each row; None for 1.

        Returns:
            Itself.

        Raises:
            ValueError: The data are not what scikit-learn takes, hold one class only (and
                `classes` is None), or one that `classes` lacks.
        """
        matrix, labels = validate_data(
            self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32]
        )
        check_classification_targets(labels)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        check_consistent_length(matrix, weights)
        self.classes_, place = _ordered(labels, self.classes)
        self.estimators_ = []
        for top in range(len(self.classes_) - 1, 0, -1):
            # While all classes are left, the whole matrix is used as it is: no copy.
            left = slice(None) if top == len(self.classes_) - 1 else place <= top
            its = None if weights is None else weights[left]
            self.estimators_.append(self._fit_step(matrix[left], place[left] == top, its))
        self._stack()
        return self

    def _fit_step(
        self,
        matrix: Any,
        positive: NDArray[np.bool_],
        weights: FloatArray | None,
    ) -> LogisticRegression:
        step = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)
        if positive.all() or not positive.any():
            bias = _CONSTANT if positive.any() else -_CONSTANT
            return set_weights(step, np.zeros(matrix.shape[1]), bias)
        return step.fit(matrix, positive, sample_weight=weights)

    def _stack(self) -> None:
        self.coef_ = np.vstack([step.coef_[0] for step in self.estimators_])
        self.intercept_ = np.array([float(step.intercept_[0]) for step in self.estimators_])
        self.n_iter_ = np.array([int(step.n_iter_[0]) for step in self.estimators_])

    @classmethod
    def from_weights(cls, classes: Sequence[Any], coef: FloatArray, intercept: FloatArray) -> Self:
        """A fitted estimator from known weights.

        Args:
            classes: The classes from weakest to strongest, k of them.
            coef: Weights, k - 1 x features, those of the strongest class first.
            intercept: Intercepts, k - 1.
        """
        made = cls(classes=tuple(classes))
        made.classes_ = np.asarray(classes)
        made.n_features_in_ = coef.shape[1]
        made.estimators_ = [
            set_weights(LogisticRegression(), weights, float(bias))
            for weights, bias in zip(coef, intercept, strict=True)
        ]
        made._stack()
        return made

    def log_odds(self, X: Any) -> FloatArray:  # noqa: N803
        """Log odds of each step, n x (k - 1), that of the strongest class first.

        Args:
            X: Features, n x m.
        """
        check_is_fitted(self)
        matrix = validate_data(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        result: FloatArray = np.asarray(matrix @ self.coef_.T + self.intercept_)
        return result

    def predict_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Probability of each class, n x k in the order of `classes_`; each row sums to 1.

        Args:
            X: Features, n x m.
        """
        steps = sigmoid(self.log_odds(X))
        result = np.empty((len(steps), len(self.classes_)))
        left = np.ones(len(steps))
        for number in range(steps.shape[1]):
            result[:, -1 - number] = left * steps[:, number]
            left = left * (1 - steps[:, number])
        result[:, 0] = left
        return result

    def predict_log_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Logarithm of `predict_proba`.

        Args:
            X: Features, n x m.
        """
        result: FloatArray = np.log(self.predict_proba(X))
        return result

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable class of each row.

        Args:
            X: Features, n x m.
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        result: NDArray[Any] = self.classes_[best]
        return result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def set_weights(
    estimator: LogisticRegression, weights: FloatArray, bias: float
) -> LogisticRegression:
    """Makes a binary logistic regression (False, True) fitted with known weights.

    Args:
        estimator: An unfitted one.
        weights: One a feature.
        bias: Its intercept.

    Returns:
        The same estimator.
    """
    estimator.classes_ = np.array([False, True])
    estimator.coef_ = np.array(weights, dtype=np.float64).reshape(1, -1)
    estimator.intercept_ = np.array([bias])
    estimator.n_features_in_ = len(weights)
    estimator.n_iter_ = np.array([1], dtype=np.int32)
    return estimator


def _ordered(
    y: NDArray[Any], classes: Sequence[Any] | None
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The classes from weakest to strongest, and the place of each label among them."""
    present, number = np.unique(y, return_inverse=True)
    if classes is None:
        if len(present) < 2:
            raise ValueError(
                "StatusClassifier needs samples of at least 2 classes in the data, which contain "
                f"only one class: {present[0]!r}; or name all classes with classes=…"
            )
        return present, number
    every = np.asarray(classes)
    if every.ndim != 1 or len(every) < 2 or len(np.unique(every)) != len(every):
        raise ValueError(f"classes is {classes!r}; expected two or more different classes")
    unknown = [label for label in present.tolist() if label not in every.tolist()]
    if unknown:
        raise ValueError(f"y holds {unknown!r}; expected one of the classes {every.tolist()!r}")
    places = np.array([every.tolist().index(label) for label in present.tolist()])
    return every, places[number]
