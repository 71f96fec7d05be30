"""The scikit-learn side: estimators pass scikit-learn's own checks and agree with the judge."""

from __future__ import annotations

import csv
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: estimators are not tested")
pytest.importorskip("scipy", reason="scipy IS MISSING: estimators are not tested")

from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import SkipTestWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from aiskills import AiskillsError, Classifier
from aiskills.context import Reading
from aiskills.errors import InputError, ModelError, UsageError
from aiskills.estimators import (
    OfferClassifier,
    StatusClassifier,
    mention_columns,
    mention_estimator,
    mention_matrix,
    offer_columns,
    offer_estimator,
    offer_matrix,
)
from aiskills.model import Judge, Judgement, TrainedModel
from aiskills.schema import STATUS_ORDER, Definition, Status

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples" / "offers.csv"


@pytest.fixture(scope="module")
def offers() -> pd.DataFrame:
    """Sample offers, none without text."""
    with SAMPLES.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["description"].strip()]
    return pd.DataFrame(rows)[["title", "description"]].head(150)


@pytest.fixture(scope="module")
def judgements(judge: Judge, offers: pd.DataFrame) -> list[Judgement]:
    return judge.judge(list(offers["title"]), list(offers["description"]))


@pytest.fixture(scope="module")
def readings(judge: Judge, offers: pd.DataFrame) -> list[Reading]:
    return [judge.read(t, d) for t, d in offers.itertuples(index=False)]


def points(count: int = 400, features: int = 6) -> tuple[Any, Any]:
    """Three ordered classes along one direction, with noise."""
    random = np.random.default_rng(3)
    matrix = random.normal(size=(count, features))
    place = matrix @ random.normal(size=features) + random.normal(scale=0.5, size=count)
    return matrix, np.digitize(place, np.quantile(place, [0.5, 0.75]))


# --- StatusClassifier --------------------------------------------------------------------------


# scikit-learn runs its check of other array libraries only where SCIPY_ARRAY_API is set.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [StatusClassifier(), StatusClassifier(C=0.1, max_iter=50)]
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_steps_are_logistic_regressions_in_a_row() -> None:
    matrix, y = points()
    weights = np.linspace(0.2, 1, len(y))
    fitted = StatusClassifier(C=0.3).fit(matrix, y, sample_weight=weights)
    top = LogisticRegression(C=0.3, max_iter=1000).fit(matrix, y == 2, sample_weight=weights)
    rest = y != 2
    low = LogisticRegression(C=0.3, max_iter=1000).fit(
        matrix[rest], y[rest] == 1, sample_weight=weights[rest]
    )
    assert fitted.coef_.tobytes() == np.vstack([top.coef_, low.coef_]).tobytes()
    demand, mention = top.predict_proba(matrix)[:, 1], low.predict_proba(matrix)[:, 1]
    expected = np.column_stack([(1 - demand) * (1 - mention), (1 - demand) * mention, demand])
    np.testing.assert_allclose(fitted.predict_proba(matrix), expected, atol=1e-12)
    np.testing.assert_allclose(
        fitted.log_odds(matrix),
        np.column_stack([top.decision_function(matrix), low.decision_function(matrix)]),
        atol=1e-12,
    )
    assert fitted.score(matrix, y) > 0.75  # always saying 0 gets 0.5


def test_sparse_and_dense_are_one() -> None:
    matrix, y = points()
    matrix[np.abs(matrix) < 1] = 0
    dense = StatusClassifier().fit(matrix, y).predict_proba(matrix)
    for form in (sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array):
        given = form(matrix)
        np.testing.assert_allclose(
            StatusClassifier().fit(given, y).predict_proba(given), dense, atol=1e-6
        )


def test_two_classes_are_logistic_regression() -> None:
    matrix, y = points()
    ours = StatusClassifier(C=2.0).fit(matrix, y > 0)
    theirs = LogisticRegression(C=2.0, max_iter=1000).fit(matrix, y > 0)
    np.testing.assert_allclose(ours.predict_proba(matrix), theirs.predict_proba(matrix), atol=1e-12)
    assert ours.classes_.tolist() == [False, True]


def test_five_classes_have_four_steps() -> None:
    matrix, _ = points()
    y = np.digitize(matrix[:, 0], [-1, -0.3, 0.3, 1])
    fitted = StatusClassifier(C=100).fit(matrix, y)
    assert fitted.coef_.shape == (4, 6)
    np.testing.assert_allclose(fitted.predict_proba(matrix).sum(axis=1), 1)
    assert fitted.score(matrix, y) > 0.9


def test_named_classes_set_the_order() -> None:
    matrix, y = points()
    names = np.array(["none", "mention", "demand"])
    fitted = StatusClassifier(classes=names.tolist()).fit(matrix, names[y])
    by_number = StatusClassifier().fit(matrix, y)
    np.testing.assert_array_equal(fitted.predict_proba(matrix), by_number.predict_proba(matrix))
    assert fitted.classes_.tolist() == names.tolist()
    assert set(fitted.predict(matrix)) <= set(names)


def test_a_class_without_examples_stays_possible() -> None:
    matrix, y = points()
    no_demand = y < 2
    fitted = StatusClassifier(classes=(0, 1, 2)).fit(matrix[no_demand], y[no_demand])
    chance = fitted.predict_proba(matrix)[:, 2]
    np.testing.assert_allclose(chance, 1 / (1 + np.exp(3)))
    only = StatusClassifier(classes=(0, 1, 2)).fit(matrix[y == 2], y[y == 2])
    assert set(only.predict(matrix)) == {2}


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ((0, 1), r"y holds \[2\]; expected one of the classes \[0, 1\]"),
        ((0, 1, 1, 2), "two or more different classes"),
        ((1,), "two or more different classes"),
    ],
)
def test_classes_that_do_not_fit_are_refused(classes: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        StatusClassifier(classes=classes).fit(*points())


def test_it_is_what_training_fits() -> None:
    from aiskills.model.linear import Rows
    from aiskills.model.train import design, fit_status

    matrix, y = points()
    columns = np.flatnonzero(matrix[:, 0] > 0) % 5
    there = (matrix[:, 0] > 0).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(there)]).astype(np.int64)
    values = np.linspace(0.5, 1.5, len(columns))
    rows = Rows(indptr=indptr, columns=columns, values=values, dense=matrix)
    weights = np.where(y == 1, 0.6, 1.0)
    model = fit_status(rows, 5, y, weights, c=0.3, scale=0.1)
    fitted = StatusClassifier(0.3, classes=range(3)).fit(
        design(rows, 5, 0.1), y, sample_weight=weights
    )
    np.testing.assert_allclose(model.sparse.T / 0.1, fitted.coef_[:, :5], atol=1e-12)
    np.testing.assert_array_equal(model.dense.T, fitted.coef_[:, 5:])
    np.testing.assert_array_equal(model.bias, fitted.intercept_)


# --- the trained models ------------------------------------------------------------------------


def test_the_mention_model_as_estimator(
    model: TrainedModel, judge: Judge, readings: list[Reading]
) -> None:
    estimator, matrix = mention_estimator(model), mention_matrix(model, readings)
    ours = judge.score(readings).matches
    assert len(ours) > 100
    np.testing.assert_allclose(estimator.predict_proba(matrix), ours, rtol=0, atol=1e-9)
    assert estimator.classes_.tolist() == [status.value for status in STATUS_ORDER]
    demand, mention = estimator.estimators_
    assert isinstance(demand, LogisticRegression)
    np.testing.assert_allclose(demand.predict_proba(matrix)[:, 1], ours[:, 2], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        mention.predict_proba(matrix)[:, 1],
        ours[:, 1] / (ours[:, 0] + ours[:, 1]),
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize("definition", Definition)
def test_the_offer_model_as_estimator(
    model: TrainedModel, judge: Judge, readings: list[Reading], definition: Definition
) -> None:
    estimator, matrix = offer_estimator(model, definition.value), offer_matrix(model, readings)
    ours = judge.score(readings).offers[definition]
    assert len(ours) > 50
    np.testing.assert_allclose(estimator.predict_proba(matrix), ours, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        estimator.estimators_[0].predict_proba(matrix)[:, 1], ours[:, 2], rtol=0, atol=1e-9
    )


def test_columns_have_names(model: TrainedModel, judge: Judge) -> None:
    text = "Vous développez des modèles de machine learning."
    reading = judge.read("Data scientist", text)
    matrix, names = mention_matrix(model, [reading]), mention_columns(model)
    assert matrix.shape == (len(reading.matches), len(names))
    assert mention_estimator(model).coef_.shape == (2, len(names))
    on = {names[column] for column in matrix[0].indices}
    assert {"term=data scientist", "zone=title"} <= on
    matrix, names = offer_matrix(model, [reading]), offer_columns(model)
    assert matrix.shape == (1, len(names))
    assert "title has 'data'" in {names[column] for column in matrix[0].indices}
    with_weights = offer_estimator(model, Definition.STUDY)
    assert with_weights.coef_.shape == (2, len(names))


def test_offers_without_a_match_have_no_row(model: TrainedModel, judge: Judge) -> None:
    reading = judge.read("Boulanger", "Vous pétrissez et vous cuisez.")
    assert reading.matches == ()
    assert mention_matrix(model, [reading]).shape == (0, len(mention_columns(model)))
    assert offer_matrix(model, [reading]).shape == (0, len(offer_columns(model)))


def test_looking_inside_leaves_the_model_alone(model: TrainedModel) -> None:
    before = model.mention.sparse.copy(), model.mention.bias.copy()
    estimator = mention_estimator(model)
    estimator.coef_[:] = 0
    estimator.intercept_[:] = 0
    np.testing.assert_array_equal(model.mention.sparse, before[0])
    np.testing.assert_array_equal(model.mention.bias, before[1])


# --- OfferClassifier ---------------------------------------------------------------------------


@pytest.mark.parametrize("definition", Definition)
def test_it_says_what_the_judge_says(
    definition: Definition, offers: pd.DataFrame, judgements: list[Judgement]
) -> None:
    estimator = OfferClassifier(definition.value)
    said = estimator.predict(offers)
    assert said.tolist() == [getattr(j, definition.value) for j in judgements]
    assert set(said) == {"demand", "mention", "none"}
    chances = estimator.predict_proba(offers)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert chances.min() >= 0
    scores = [getattr(j, f"{definition.value}_score") for j in judgements]
    np.testing.assert_allclose(chances[:, 0], scores, atol=1e-12)
    assert estimator.classes_.tolist() == ["demand", "mention", "none"]


def test_probabilities_go_with_statuses(offers: pd.DataFrame, judgements: list[Judgement]) -> None:
    """Below the threshold, mention where it is likelier than none; study takes the stronger."""
    strict = OfferClassifier("strict").predict_proba(offers)
    study = OfferClassifier("study").predict_proba(offers)
    seen = 0
    for judgement, a, b in zip(judgements, strict, study, strict=True):
        if judgement.strict is not Status.DEMAND:
            assert (a[1] > a[2]) == (judgement.strict is Status.MENTION)
        if judgement.study is not Status.DEMAND and judgement.strict is Status.NONE:
            assert (b[1] > b[2]) == (judgement.study is Status.MENTION)
            seen += judgement.study is Status.MENTION
    assert seen


def forms(frame: pd.DataFrame) -> dict[str, Any]:
    pairs = list(frame.itertuples(index=False, name=None))
    return {
        "pandas": frame,
        "other names": frame.rename(columns={"title": "intitule", "description": "texte"}),
        "reversed columns": frame[["description", "title"]],
        "polars": pl.DataFrame({name: list(frame[name]) for name in frame.columns}),
        "array": frame.to_numpy(dtype=object),
        "array of strings": frame.to_numpy(dtype=str),
        "pairs": pairs,
    }


@pytest.mark.parametrize("form", [*forms(pd.DataFrame({"title": ["a"], "description": ["b"]}))])
def test_offers_come_in_many_forms(
    form: str, offers: pd.DataFrame, judgements: list[Judgement]
) -> None:
    few = offers.head(40)
    said = OfferClassifier("study").fit(forms(few)[form]).predict(forms(few)[form])
    assert said.tolist() == [j.study for j in judgements[:40]]


def test_texts_alone_are_descriptions(classifier: Classifier, offers: pd.DataFrame) -> None:
    texts = list(offers["description"].head(20))
    expected = [classifier.classify_text(text).strict for text in texts]
    for given in (texts, np.array(texts), pd.Series(texts), pd.DataFrame({"description": texts})):
        assert OfferClassifier().predict(given).tolist() == expected
    assert OfferClassifier().predict(np.array(texts)[:, None]).tolist() == expected


def test_no_offers_give_no_statuses() -> None:
    assert OfferClassifier().predict([]).shape == (0,)
    assert OfferClassifier().predict_proba([]).shape == (0, 3)


def test_a_missing_title_is_an_empty_one(classifier: Classifier) -> None:
    text = "Vous entraînez des réseaux de neurones."
    expected = classifier.classify_text(text).strict
    for missing in (None, float("nan"), pd.NA):
        frame = pd.DataFrame({"title": [missing], "description": [text]}, dtype=object)
        assert OfferClassifier().predict(frame).tolist() == [expected]


@pytest.mark.parametrize("empty", ["", "  \n", "x" * 200_001])
def test_an_offer_that_cannot_be_judged(empty: str) -> None:
    given = ["Vous entraînez des réseaux de neurones.", empty]
    with pytest.raises(InputError, match="offer 1 cannot be judged"):
        OfferClassifier().predict(given)
    with pytest.raises(InputError, match="offer 1 cannot be judged"):
        OfferClassifier().predict_proba(given)
    lenient = OfferClassifier(unjudged="none")
    assert lenient.predict(given).tolist() == ["demand", "none"]
    assert lenient.predict_proba(given)[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "given",
    [
        "a text that is no list",
        [[1, 2], [3, 4]],
        np.zeros((2, 3)),
        [{"title": "a"}],
        pd.DataFrame({"price": [1.0]}),
        pd.DataFrame({"title": [3], "description": ["x"]}),
    ],
)
def test_what_is_no_offers_is_refused(given: Any) -> None:
    for method in ("fit", "predict", "predict_proba"):
        with pytest.raises(InputError):
            getattr(OfferClassifier(), method)(given)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"definition": "wide"}, UsageError),
        ({"threshold": 3}, UsageError),
        ({"threshold": {"wide": 0.5}}, UsageError),
        ({"unjudged": "skip"}, UsageError),
        ({"model": "no-such-folder"}, ModelError),
        ({"lexicon": "no-such-file.csv"}, AiskillsError),
    ],
)
def test_parameters_without_sense_are_refused(
    parameters: dict[str, Any], error: type[AiskillsError]
) -> None:
    estimator = OfferClassifier(**parameters)  # as scikit-learn wants: not before fit
    for method in ("fit", "predict", "predict_proba"):
        with pytest.raises(error):
            getattr(estimator, method)(["Un texte."])


def test_thresholds_move_statuses(offers: pd.DataFrame) -> None:
    chances = OfferClassifier().predict_proba(offers)[:, 0]
    for threshold in (0.1, 0.9):
        said = OfferClassifier(threshold=threshold).predict(offers)
        np.testing.assert_array_equal(said == "demand", chances >= threshold)


def test_it_is_an_estimator_like_others() -> None:
    estimator = OfferClassifier("study", threshold={"study": 0.4})
    assert is_classifier(estimator)
    assert estimator.get_params() == {
        "definition": "study",
        "model": None,
        "lexicon": None,
        "threshold": {"study": 0.4},
        "unjudged": "error",
    }
    copy = clone(estimator).set_params(definition="strict")
    assert (copy.definition, estimator.definition) == ("strict", "study")
    assert repr(estimator) == "OfferClassifier(definition='study', threshold={'study': 0.4})"
    assert pickle.loads(pickle.dumps(estimator)).get_params() == estimator.get_params()  # noqa: S301
    # scikit-learn's checks feed numbers: for texts it says itself that it cannot run them.
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(estimator)


def test_it_stands_where_scikit_learn_fits_things(
    offers: pd.DataFrame, judgements: list[Judgement]
) -> None:
    y = np.array([str(j.study) for j in judgements])
    estimator = OfferClassifier("study")
    strip = FunctionTransformer(lambda frame: frame.apply(lambda column: column.str.strip()))
    piped = make_pipeline(strip, estimator).fit(offers, y)
    assert piped.score(offers, y) > 0.98
    np.testing.assert_array_equal(cross_val_predict(estimator, offers, y, cv=3), y)
    assert cross_val_score(estimator, offers, y, cv=3).tolist() == [1, 1, 1]
    chances = cross_val_predict(estimator, offers, y, cv=3, method="predict_proba")
    # A matrix cut otherwise is summed otherwise: the last digit may differ.
    np.testing.assert_allclose(chances, estimator.predict_proba(offers), atol=1e-12)
    assert log_loss(y, chances, labels=estimator.classes_) < 0.7
    frozen = FrozenEstimator(estimator)
    np.testing.assert_array_equal(frozen.fit(offers, y).predict(offers), y)
    search = GridSearchCV(
        estimator, {"definition": ["strict", "study"]}, cv=2, scoring="accuracy"
    ).fit(offers, y)
    assert search.best_params_ == {"definition": "study"}


# --- without scikit-learn ----------------------------------------------------------------------


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("missing", ["sklearn", "scipy"])
def test_without_scikit_learn_the_error_says_what_to_install(missing: str) -> None:
    done = run(
        f"import sys; sys.modules[{missing!r}] = None\n"
        "import aiskills\n"
        "print(aiskills.classify_text('Vous entraînez des réseaux de neurones.').strict)\n"
        "try:\n    import aiskills.estimators\n"
        "except aiskills.AiskillsError as error:\n    print(error)\n"
    )
    assert done.returncode == 0, done.stderr
    status, said = done.stdout.splitlines()
    assert status == "demand"
    assert "needs scikit-learn and scipy" in said
    assert 'pip install "aiskills[train]"' in said


def test_nothing_else_imports_scikit_learn() -> None:
    done = run(
        "import sys, aiskills\n"
        "aiskills.Classifier.load().classify_text('IA')\n"
        "print([m for m in ('sklearn', 'scipy', 'aiskills.estimators') if m in sys.modules])"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
