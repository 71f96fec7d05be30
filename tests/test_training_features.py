"""Training in parts: families left out, words seen through vectors, cases, written offers alone.

What a whole model is like after training is tested in ``test_training.py``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: training is not tested")
pytest.importorskip("scipy", reason="scipy IS MISSING: training is not tested")

from scipy import sparse
from typer.testing import CliRunner

from aiskills.cli import app
from aiskills.context import OfferReader
from aiskills.errors import LabelError
from aiskills.model import Judge, load_model
from aiskills.model.background import load_background
from aiskills.model.cases import Case, failures, read_cases
from aiskills.model.crossval import Material, gather
from aiskills.model.dataset import Dataset, make_dataset, read_written
from aiskills.model.features import (
    MENTION_FAMILIES,
    OFFER_FAMILIES,
    WINDOW_WORDS,
    MentionFeatures,
    OfferFeatures,
)
from aiskills.model.linear import FloatArray, Rows, StatusModel
from aiskills.model.train import (
    Settings,
    design,
    fit_mentions,
    fit_offers,
    fit_status,
    offer_examples,
)
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.schema import Definition, Status

FILES = sorted((Path(__file__).resolve().parents[1] / "data" / "training").glob("*.jsonl"))
OFFERS = 60

pytestmark = pytest.mark.skipif(not FILES, reason="data/training IS MISSING: nothing to train on")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Any:
    """On a busy machine the threads of BLAS wait for each other five times as long as they work."""
    threadpoolctl = pytest.importorskip("threadpoolctl")  # comes with scikit-learn
    with threadpoolctl.threadpool_limits(1):
        yield


@cache
def material() -> Material:
    every = [offer for offer in read_written(FILES) if offer.offer is not None]
    some = every[:: len(every) // OFFERS][:OFFERS]
    reader = OfferReader(Scanner(Lexicon.default(), Headings.default()))
    return gather(make_dataset(some, reader), load_background())


def data() -> Dataset:
    return material().dataset


@cache
def mentions(without: tuple[str, ...] = ()) -> tuple[MentionFeatures, StatusModel]:
    return fit_mentions(
        material().examples,
        np.ones(len(data().offers), dtype=bool),
        data().groups,
        material().words,
        data().written,
        material().background,
        Settings(without=without),
    )


@cache
def offer_models(without: tuple[str, ...] = ()) -> tuple[OfferFeatures, StatusModel, StatusModel]:
    settings = Settings(without=without)
    numbers, classes, weights = offer_examples(
        data(), np.ones(len(data().offers), dtype=bool), settings
    )
    readings = [data().readings[n] for n in numbers]
    features, model = mentions()
    return fit_offers(
        readings,
        model.probabilities(features.rows(readings)),
        classes,
        weights,
        data().groups[numbers],
        material().words,
        settings,
    )


def weights_by_family(
    model: StatusModel, families: tuple[list[str], list[str]]
) -> dict[str, FloatArray]:
    """All weights of each family, of both outputs."""
    stacked = np.vstack([model.sparse, model.dense])
    names = np.array([*families[0], *families[1]])
    assert len(names) == len(stacked)
    return {name: stacked[names == name] for name in np.unique(names).tolist()}


# --- families ----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", MENTION_FAMILIES)
def test_a_family_of_the_mention_model_left_out(family: str) -> None:
    features, model = mentions((family,))
    found = weights_by_family(model, features.families())
    # Words of the windows are not even looked up when they are left out; other columns stay.
    gone = {family} & {WINDOW_WORDS}
    assert set(found) == set(MENTION_FAMILIES) - gone
    for name, weights in found.items():
        assert weights.any() == (name != family), name
    if gone:
        assert features.words.words == ()
        return
    full, _ = mentions()
    # The columns stay where they are: a family without weight is still there.
    assert features.n_columns == full.n_columns
    assert features.words.words == full.words.words
    assert features.categories == full.categories


@pytest.mark.parametrize("family", OFFER_FAMILIES)
def test_a_family_of_the_offer_model_left_out(family: str) -> None:
    features, *models = offer_models((family,))
    for model in models:
        found = weights_by_family(model, features.families())
        assert set(found) == {*OFFER_FAMILIES, "matches"}
        for name, weights in found.items():
            assert weights.any() == (name != family), name
    assert features.n_columns == offer_models()[0].n_columns


def test_several_families_left_out() -> None:
    left_out = ("surroundings", "passages", "title")
    features, model = mentions(left_out)
    found = weights_by_family(model, features.families())
    assert {name for name, weights in found.items() if not weights.any()} == set(left_out)


def test_a_family_that_is_left_out_decides_nothing() -> None:
    """Other surroundings, same score: what has no weight cannot tell."""
    features, model = mentions(("surroundings", "passages", "window words", "cues"))
    reader = OfferReader(Scanner(Lexicon.default(), Headings.default()))
    texts = ["Vous aimez python et IA ici.", "Elle ferme volets et IA hier."]
    rows = features.rows(list(reader.read(["", ""], texts)))
    alike = model.log_odds(Rows(rows.indptr, rows.columns, rows.values, np.zeros_like(rows.dense)))
    assert len(alike) == 2
    assert alike[0] == pytest.approx(alike[1])
    features, model = mentions()
    full = model.log_odds(features.rows(list(reader.read(["", ""], texts))))
    assert full[0] != pytest.approx(full[1])


# --- words seen through vectors ------------------------------------------------------------------


def invented(seed: int = 5) -> tuple[Rows, int, NDArray[np.int64], FloatArray, FloatArray]:
    """Rows with 3 plain columns and two blocks of 7 words, classes, weights and vectors."""
    random = np.random.default_rng(seed)
    rows, plain, words, dense = 80, 3, 7, 2
    size = plain + 2 * words
    matrix = sparse.random(rows, size, 0.3, random_state=seed, format="csr")
    return (
        Rows(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int64),
            matrix.data,
            random.normal(size=(rows, dense)),
        ),
        size,
        random.integers(0, 3, rows),
        random.uniform(0.5, 1, rows),
        random.normal(size=(words, 4)),
    )


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_scores_are_those_of_the_product_with_vectors(scale: float) -> None:
    """Trained on plain columns and sums of vectors, the model scores words: the same odds."""
    rows, size, classes, weights, vectors = invented()
    model = fit_status(rows, size, classes, weights, 1.0, scale, vectors)
    assert model.sparse.shape == (size, 2)

    matrix = design(rows, size, scale).toarray()
    plain, words = size - 2 * len(vectors), len(vectors)
    seen = np.hstack(
        [
            matrix[:, :plain],
            matrix[:, plain : plain + words] @ vectors,
            matrix[:, plain + words : size] @ vectors,
            matrix[:, size:],
        ]
    )
    columns = np.arange(seen.shape[1])
    through = fit_status(
        Rows(
            np.arange(len(seen) + 1) * len(columns),
            np.tile(columns, len(seen)),
            seen.reshape(-1),
            np.zeros((len(seen), 0)),
        ),
        len(columns),
        classes,
        weights,
        1.0,
    )
    expected = seen @ through.sparse + through.bias
    assert model.log_odds(rows) == pytest.approx(expected, abs=2e-3)
    assert np.ptp(expected) > 1


def test_weights_of_words_lie_in_the_space_of_the_vectors() -> None:
    """One weight a word and side, each the product of its vector with the same few numbers."""
    rows, size, classes, weights, vectors = invented()
    model = fit_status(rows, size, classes, weights, 1.0, embedding=vectors)
    plain, words = size - 2 * len(vectors), len(vectors)
    for block in (slice(plain, plain + words), slice(plain + words, size)):
        solved, *_ = np.linalg.lstsq(vectors, model.sparse[block], rcond=None)
        assert vectors @ solved == pytest.approx(model.sparse[block])
    bare = fit_status(rows, size, classes, weights, 1.0)
    solved, *_ = np.linalg.lstsq(vectors, bare.sparse[plain : plain + words], rcond=None)
    assert vectors @ solved != pytest.approx(bare.sparse[plain : plain + words], abs=1e-2)


def test_words_alike_weigh_alike() -> None:
    """A word that no example has gets the weight of one that is used alike."""
    rows, size, classes, weights, vectors = invented()
    plain, words = size - 2 * len(vectors), len(vectors)
    vectors[6] = vectors[2]
    unseen = (rows.columns != plain + 6) & (rows.columns != plain + words + 6)
    values = rows.values * unseen
    model = fit_status(
        Rows(rows.indptr, rows.columns, values, rows.dense), size, classes, weights, 1.0,
        embedding=vectors,
    )  # fmt: skip
    for side in (plain, plain + words):
        assert model.sparse[side + 6] == pytest.approx(model.sparse[side + 2])
        assert model.sparse[side + 2].any()


def test_the_trained_mention_model_has_a_weight_for_each_word() -> None:
    features, model = mentions()
    assert model.sparse.shape == (features.n_columns, 2)
    block = model.sparse[features.first_surrounding :]
    assert len(block) == features.surroundings.n_columns
    vectors = material().background.vectors
    for side in np.split(block, 2):
        solved, *_ = np.linalg.lstsq(vectors, side, rcond=None)
        assert vectors @ solved == pytest.approx(side, abs=1e-6)


# --- invented cases ------------------------------------------------------------------------------


def case(name: str, text: str, strict: Status, study: Status) -> Case:
    return Case(name, "", text, strict, study, f"why {name}")


def test_failures_are_those_flagged_wrongly(judge: Judge) -> None:
    ask = "Vous développez des modèles de machine learning en Python. Profil : deep learning."
    none, mention, demand = Status.NONE, Status.MENTION, Status.DEMAND
    cases = [
        case("right", ask, demand, demand),
        case("right none", "Boulanger de nuit.", none, none),
        case("wrong", ask, none, none),
        case("wrong strict alone", ask, none, demand),
        case("wrong mention", ask, mention, mention),
        # A mention that is taken for nothing is not flagged wrongly.
        case("mention unseen", "Boulanger de nuit.", mention, mention),
        case("demand unseen", "Boulanger de nuit.", demand, demand),
    ]
    found = failures(judge, cases)
    assert found["cases"] == len(cases)
    assert [one["id"] for one in found["failed"]] == [
        "wrong", "wrong strict alone", "wrong mention", "demand unseen",
    ]  # fmt: skip
    assert found["failed"][1] == {
        "id": "wrong strict alone",
        "why": "why wrong strict alone",
        "is": {"strict": "none", "study": "demand"},
        "said": {"strict": "demand", "study": "demand"},
    }
    assert failures(judge, []) == {"cases": 0, "failed": []}


CASE = {"id": "a", "title": "T", "text": "x", "strict": "none", "study": "demand", "why": "w"}


def test_cases_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([CASE, {**CASE, "id": 7, "themes": []}]), "utf-8")
    first, second = read_cases([path])
    assert first == Case("a", "T", "x", Status.NONE, Status.DEMAND, "w")
    assert second.id == "7"
    assert len(read_cases([path, path])) == 4


@pytest.mark.parametrize(
    "content",
    [
        "[", "1", '["a"]', json.dumps([{**CASE, "strict": "yes"}]),
        json.dumps([{k: v for k, v in CASE.items() if k != "why"}]),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_cases(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(content, "utf-8")
    with pytest.raises(LabelError, match=r"cases\.json.*a JSON list of objects"):
        read_cases([path])


def test_cases_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="nowhere"):
        read_cases([tmp_path / "nowhere.json"])


# --- written offers alone ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written_only(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A model trained at the command line from written offers alone; the folder, and stderr."""
    folder = tmp_path_factory.mktemp("written")
    lines = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
    (folder / "some.jsonl").write_text("\n".join(lines[:: len(lines) // OFFERS][:OFFERS]), "utf-8")
    wrong = {**CASE, "id": "never-right", "text": "Boulanger.", "strict": "demand"}
    right = {**CASE, "id": "always-right", "text": "Boulanger.", "study": "none"}
    (folder / "cases.json").write_text(json.dumps([wrong, right]), "utf-8")
    done = CliRunner().invoke(
        app,
        ["train", "--written", str(folder / "some.jsonl"), "--cases", str(folder / "cases.json"),
         "--name", "tiny", "-o", str(folder / "model"), "--jobs", "1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    return folder / "model", done.stderr


def test_nothing_is_measured_on_written_offers(written_only: tuple[Path, str]) -> None:
    folder, said = written_only
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    assert meta["quality"] == {}
    assert meta["data"]["offers_labelled"] == meta["data"]["offers_audited"] == 0
    assert meta["data"]["offers_written_for_training"] == OFFERS
    assert meta["data"]["first_month"] is None
    assert f"nothing is measured: all {OFFERS} offers were written for training" in said
    assert "cross-validating" not in said
    assert f"written to {folder}" in said


def test_the_threshold_is_one_half_and_scores_are_not_calibrated(
    written_only: tuple[Path, str],
) -> None:
    model = load_model(written_only[0])
    for definition in Definition:
        assert model.thresholds[definition] == 0.5
        assert (model.calibration[definition].slope, model.calibration[definition].shift) == (1, 0)


def test_the_card_says_what_was_not_done_and_which_cases_fail(
    written_only: tuple[Path, str],
) -> None:
    card = (written_only[0] / "README.md").read_text("utf-8")
    meta = load_model(written_only[0]).meta
    assert card.startswith("# Model `tiny`\n")
    assert f"{OFFERS} offers written for training" in card
    assert "Decision threshold, for both definitions: 0.50." in card
    assert "Nothing was measured" in card
    assert "F1" not in card
    assert "1 of 2 invented cases" in card
    assert meta["cases"]["cases"] == 2
    assert [one["id"] for one in meta["cases"]["failed"]] == ["never-right"]
    assert "never-right" in card
    assert "always-right" not in card


def test_a_model_of_written_offers_judges(written_only: tuple[Path, str]) -> None:
    judge = Judge(load_model(written_only[0]))
    asks, bakes = judge.judge(
        ["Data scientist", "Boulanger"],
        ["Vous entraînez des modèles de machine learning et de deep learning.", "Nuit."],
    )
    assert asks.study is Status.DEMAND
    assert asks.study_score is not None
    assert asks.study_score > 0.5
    assert bakes.study_score == 0
    assert bakes.study is Status.NONE
