"""aiskills for scikit-learn users: the classifier of offers as an estimator, and its models.

* `OfferClassifier` takes raw offers and may stand at the end of a `Pipeline`, in
  `cross_val_predict` or in a `GridSearchCV`.
* `mention_estimator` and `offer_estimator` give the two trained models as fitted estimators over
  the matrices of `mention_matrix` and `offer_matrix`.
* `StatusClassifier` is their generic, untrained form.

Needs ``aiskills[train]``; nothing else in aiskills imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from aiskills.context import OfferReader
from aiskills.errors import InputError, UsageError
from aiskills.files import find_fields
from aiskills.model import Judge, Judgement
from aiskills.model.judge import BATCH
from aiskills.model.linear import FloatArray
from aiskills.phrases import Headings, Match, Scanner
from aiskills.pipeline import Setup, parse_threshold
from aiskills.schema import Definition, Status

try:
    from sklearn.base import BaseEstimator, ClassifierMixin

    from aiskills.model.inspection import (
        mention_columns,
        mention_estimator,
        mention_matrix,
        offer_columns,
        offer_estimator,
        offer_matrix,
    )
    from aiskills.model.ordinal import StatusClassifier
except ImportError as error:
    raise UsageError(
        f"aiskills.estimators needs scikit-learn and scipy ({error})",
        hint='Install them with pip install "aiskills[train]".',
    ) from None

__all__ = [
    "OfferClassifier",
    "StatusClassifier",
    "mention_columns",
    "mention_estimator",
    "mention_matrix",
    "offer_columns",
    "offer_estimator",
    "offer_matrix",
]

#: As scikit-learn wants classes: sorted. It happens to be from strongest to weakest.
_CLASSES: Final = tuple(sorted(status.value for status in Status))


class OfferClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The classifier of offers as a scikit-learn estimator: raw offers in, statuses out.

    It comes trained. `fit` learns nothing: it opens the model and looks at the form of the data,
    so that the estimator may stand where scikit-learn fits things. In `cross_val_predict` every
    fold is therefore judged by the same model. To train on labels of your own see
    ``aiskills train``.

    Offers are given as texts (a list, array or series of strings), as two columns (title, then
    description), or as a pandas or polars DataFrame with columns under any of the usual French or
    English names. Missing cells are empty texts.

    Args:
        definition: ``strict`` or ``study``.
        model: A model folder; None for the model that ships with aiskills.
        lexicon: A lexicon file laid over the default one; None for the default alone.
        threshold: Score from which an offer is a demand: a number for both definitions or a mapping
            such as ``{"strict": 0.6}``; None for the model's own. Under ``study`` the strict
            threshold counts too: a strict demand is one under ``study``.
        unjudged: What to do with an offer that has no text or far too much: ``error``, or ``none``
            to call it none.

    Attributes:
        classes_: demand, mention, none.
    """

    def __init__(
        self,
        definition: str = "strict",
        *,
        model: str | Path | None = None,
        lexicon: str | Path | None = None,
        threshold: float | str | Mapping[str, float] | None = None,
        unjudged: Literal["error", "none"] = "error",
    ) -> None:
        self.definition = definition
        self.model = model
        self.lexicon = lexicon
        self.threshold = threshold
        self.unjudged = unjudged

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The statuses, in the order of the columns of `predict_proba`."""
        return np.array(_CLASSES)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803, ARG002 (scikit-learn's form)
        """Learns nothing; finds out whether parameters and offers can be used.

        Args:
            X: Offers.
            y: Ignored.

        Returns:
            Itself.

        Raises:
            InputError: `X` is no offers.
            ModelError: The model folder cannot be opened.
            LexiconError: The lexicon has mistakes.
            UsageError: A parameter has no sense.
        """
        self._checked()
        _titles_and_texts(X)
        return self

    def predict(self, X: Any) -> NDArray[np.str_]:  # noqa: N803
        """Status of each offer: ``demand`` where its score reaches the threshold.

        Args:
            X: Offers, n of them.

        Returns:
            n statuses. That is not always the most probable class of `predict_proba`, since
            thresholds other than 0.5 serve better.

        Raises:
            InputError: `X` is no offers, or one of them cannot be judged (see `unjudged`).
        """
        definition, judge = self._checked()
        judgements = self._judged(judge, *_titles_and_texts(X))
        return np.array(
            [getattr(j, definition.value) or Status.NONE for j in judgements], dtype=str
        )

    def predict_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Calibrated probabilities.

        Args:
            X: Offers, n of them.

        Returns:
            n x 3 in the order of `classes_`; each row sums to 1. That of demand is the
            ``ai_…_score`` of other results.

        Raises:
            InputError: As in `predict`.
        """
        definition, judge = self._checked()
        titles, descriptions = _titles_and_texts(X)
        judgements = self._judged(judge, titles, descriptions)
        demand = np.array(
            [getattr(j, f"{definition.value}_score") or 0.0 for j in judgements], dtype=np.float64
        )
        share = _mention_shares(
            judge,
            definition,
            ["" if j.error else text for j, text in zip(judgements, titles, strict=True)],
            ["" if j.error else text for j, text in zip(judgements, descriptions, strict=True)],
        )
        return np.column_stack([demand, (1 - demand) * share, (1 - demand) * (1 - share)])

    def _checked(self) -> tuple[Definition, Judge]:
        """What the parameters stand for."""
        if self.definition not in tuple(Definition):
            raise UsageError(f"definition {self.definition!r}", expected="strict or study")
        if self.unjudged not in ("error", "none"):
            raise UsageError(f"unjudged {self.unjudged!r}", expected="error or none")
        setup = Setup(
            None if self.model is None else str(self.model),
            None if self.lexicon is None else str(self.lexicon),
            tuple(sorted(parse_threshold(self.threshold).items())),
        )
        return Definition(self.definition), setup.judge()

    def _judged(
        self, judge: Judge, titles: Sequence[str], descriptions: Sequence[str]
    ) -> list[Judgement]:
        judgements = judge.judge(titles, descriptions)
        for number, judgement in enumerate(judgements):
            if judgement.error and self.unjudged == "error":
                raise InputError(
                    f"offer {number} cannot be judged: {judgement.error}",
                    hint='Leave it out, or set unjudged="none".',
                )
        return judgements

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.target_tags.required = False
        # As scikit-learn's own text vectorizers say: made for texts, not for tables of numbers.
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


def _mention_shares(
    judge: Judge, definition: Definition, titles: Sequence[str], descriptions: Sequence[str]
) -> FloatArray:
    """Of what is left beside demand, the share that is mention rather than none; one an offer."""
    reader = OfferReader(Scanner(judge.lexicon, Headings.default()))
    result = np.zeros(len(titles))
    for begin in range(0, len(titles), BATCH):
        batch = slice(begin, begin + BATCH)
        readings = list(reader.read(titles[batch], descriptions[batch]))
        offers = judge.score(readings).offers
        matched = [n for n, reading in enumerate(readings, begin) if reading.matches]
        for row, number in enumerate(matched):
            asked = _decides(definition, readings[number - begin].matches)
            if asked is not None:
                none, mention, _ = offers[asked][row]
                result[number] = mention / (none + mention)
    return result


def _decides(definition: Definition, matches: Sequence[Match]) -> Definition | None:
    """The definition whose model decides, as in `Judge`; None where the offer can only be none."""
    if definition is Definition.STUDY and any(match.term.can_differ for match in matches):
        return Definition.STUDY
    if any(match.term.definition is Definition.STRICT for match in matches):
        return Definition.STRICT
    return None


def _titles_and_texts(offers: Any) -> tuple[list[str], list[str]]:
    """Titles and descriptions of offers in any of the forms that `OfferClassifier` takes."""
    names = getattr(offers, "columns", None)
    if names is not None:
        fields = find_fields([str(name) for name in names])
        columns = {str(name): name for name in names}
        titles, descriptions = (
            _strings(offers[columns[fields.paths[field][0]]])
            if field in fields.paths
            else [""] * len(offers)
            for field in ("title", "description")
        )
        return titles, descriptions
    array = np.asarray(offers, dtype=object)
    if array.ndim == 1:
        return [""] * len(array), _strings(array)
    if array.ndim == 2 and array.shape[1] == 1:
        return [""] * len(array), _strings(array[:, 0])
    if array.ndim == 2 and array.shape[1] == 2:
        return _strings(array[:, 0]), _strings(array[:, 1])
    raise InputError(
        f"offers have the shape {array.shape}",
        expected="texts, two columns (title, description) or a DataFrame",
    )


def _strings(column: Any) -> list[str]:
    import pandas as pd

    result = []
    for number, value in enumerate(column):
        if isinstance(value, str):
            result.append(value)
        elif value is None or (np.ndim(value) == 0 and pd.isna(value)):
            result.append("")
        else:
            raise InputError(
                f"offer {number} holds a {type(value).__name__}", expected="a string or nothing"
            )
    return result
