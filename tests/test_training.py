"""Training: the same labels give the same bytes, and a model that was trained can be used.

Only offers written for this project are used, a few of them; that the shipped model is good is
measured elsewhere (its ``meta.json`` says how well it does).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: training is not tested")
pytest.importorskip("scipy", reason="scipy IS MISSING: training is not tested")

from aiskills.context import OfferReader
from aiskills.labels import OfferLabel
from aiskills.model import Judge, TrainedModel, load_model, save_model
from aiskills.model.background import load_background
from aiskills.model.build import Recipe, build_model
from aiskills.model.crossval import OutOfFold, fold_numbers
from aiskills.model.dataset import Dataset, LabelledOffer, make_dataset, read_written
from aiskills.model.quality import judge_out_of_fold
from aiskills.model.train import frequent
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.schema import Definition, Status

FILES = sorted((Path(__file__).resolve().parents[1] / "data" / "training").glob("*.jsonl"))
OFFERS = 90

pytestmark = pytest.mark.skipif(not FILES, reason="data/training IS MISSING: nothing to train on")


def some_offers() -> list[LabelledOffer]:
    """A few written offers, half of them passed off as real so that they are measured on."""
    every = read_written(FILES)
    step = len(every) // OFFERS
    chosen = every[:: max(step, 1)][:OFFERS]
    return [
        replace(offer, written=number % 2 == 0, offer=replace(offer.offer, set="stratified"))
        for number, offer in enumerate(chosen)
        if offer.offer is not None
    ]


def dataset() -> Dataset:
    return make_dataset(some_offers(), OfferReader(Scanner(Lexicon.default(), Headings.default())))


def build(folder: Path) -> str:
    """Trains and saves a model; returns its card."""
    threadpoolctl = pytest.importorskip("threadpoolctl")  # comes with scikit-learn
    # On a busy machine the threads of BLAS wait for each other five times as long as they work.
    with threadpoolctl.threadpool_limits(1):
        model, card = build_model(
            dataset(), Lexicon.default(), load_background(), Recipe("tiny", jobs=1)
        )
    save_model(model, folder, card)
    return card


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    build(folder)
    return folder


def test_the_same_offers_give_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    """In another process, where sets and dicts of strings fall otherwise."""
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for name in ("weights.npz", "meta.json", "README.md"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes(), name


def test_a_trained_model_learned_something(trained: Path) -> None:
    judge = Judge(load_model(trained))
    offers = some_offers()
    said = judge.judge([o.title for o in offers], [o.description for o in offers])
    labels = [offer.offer for offer in offers]
    right = sum(
        (judgement.study is Status.DEMAND) == (label.study is Status.DEMAND)
        for judgement, label in zip(said, labels, strict=True)
        if label is not None
    )
    assert right >= 0.8 * len(offers)  # on the offers it was trained on: far from a coin's 0.5


def test_the_meta_tells_data_and_quality(trained: Path) -> None:
    meta = json.loads((trained / "meta.json").read_text("utf-8"))
    assert meta["name"] == "tiny"
    assert meta["lexicon_sha256"] == Lexicon.default().sha256
    assert meta["data"]["offers_labelled"] == OFFERS // 2
    assert meta["data"]["offers_written_for_training"] == OFFERS - OFFERS // 2
    quality = meta["quality"]["all"]["study"]
    assert quality["offers"] == OFFERS // 2  # never the written ones
    assert quality["tp"] + quality["fn"] == quality["demand"] > 0
    card = (trained / "README.md").read_text("utf-8")
    assert card.startswith("# Model `tiny`\n")
    assert f"{OFFERS // 2:,} offers labelled" in card


def test_no_word_of_one_employer_alone_is_a_feature(trained: Path) -> None:
    model: TrainedModel = load_model(trained)
    data = dataset()
    where: dict[str, set[int]] = {}
    for reading, group in zip(data.readings, data.groups.tolist(), strict=True):
        for word in reading.folded.text.decode("cp1252").split(" ")[1:-1]:
            where.setdefault(word, set()).add(group)
    for words in (
        model.offer_features.title_words.words,
        model.offer_features.text_words.words,
    ):
        assert words
        assert all(len(where[word]) >= 3 for word in words)


def test_folds_part_groups_and_leave_written_offers_out() -> None:
    data = dataset()
    folds = fold_numbers(data)
    assert (folds[data.written] == -1).all()
    assert set(folds[~data.written].tolist()) == set(range(5))
    for group in np.unique(data.groups):
        assert len(set(folds[(data.groups == group) & ~data.written].tolist())) <= 1


def test_frequent_counts_groups_not_offers() -> None:
    hashes = [np.array(row, dtype=np.uint64) for row in ([5, 5, 1], [5, 2], [2, 0], [2, 0])]
    assert frequent(hashes, np.array([0, 0, 1, 2]), 2).tolist() == [2]
    assert frequent(hashes, np.array([0, 1, 2, 3]), 2).tolist() == [2, 5]
    assert frequent(hashes, np.array([0, 0, 0, 0]), 2).tolist() == []


def test_thresholds_are_probabilities(trained: Path) -> None:
    model = load_model(trained)
    for definition in Definition:
        assert 0 < model.thresholds[definition] < 1


@pytest.mark.parametrize("drawn", ["stratified", ""])  # "": of a label that says nothing
def test_calibration_of_labels_of_any_set(drawn: str) -> None:
    statuses = [Status.DEMAND if n % 2 else Status.NONE for n in range(40)]
    labels = {n: OfferLabel(str(n), s, s, set=drawn) for n, s in enumerate(statuses)}
    odds = np.array([[4.0 * (n % 2) - 2 + (n % 7) / 10, 0.0] for n in range(40)])
    numbers = np.arange(40)
    every = dict.fromkeys(Definition, numbers >= 0)
    found = OutOfFold(numbers, numbers // 8, dict.fromkeys(Definition, odds), every)
    predictions, calibration, threshold = judge_out_of_fold(found, labels)
    assert 0 < threshold < 1
    for definition in Definition:
        assert calibration[definition].slope > 0
        assert (predictions[definition].status == np.where(numbers % 2, 2, 0)).all()


def test_definitions_differ_out_of_fold_only_where_they_may() -> None:
    """Measured is what is judged: no term of `study` or weak trigger, no difference."""
    numbers = np.arange(60)
    statuses = [Status.DEMAND if n % 2 else Status.NONE for n in range(60)]
    labels = {n: OfferLabel(str(n), s, s, set="stratified") for n, s in enumerate(statuses)}
    odds = {  # one is sure of the odd offers, the other of the even ones
        Definition.STRICT: np.array([[6.0 * (n % 2) - 3, 0.0] for n in range(60)]),
        Definition.STUDY: np.array([[3.0 - (n % 3), 0.0] for n in range(60)]),
    }
    kinds = {Definition.STRICT: numbers < 40, Definition.STUDY: (numbers >= 20) & (numbers < 50)}
    found = OutOfFold(numbers, numbers % 5, odds, kinds)
    strict, study = (judge_out_of_fold(found, labels)[0][d] for d in Definition)
    assert (strict.status[:20] == study.status[:20]).all()
    assert (strict.score[:20] == study.score[:20]).all()
    assert (study.status >= strict.status).all()
    assert (study.score >= strict.score).all()
    assert (strict.status[40:] == 0).all()  # nothing strict stands in them
    assert (strict.score[40:] == 0).all()
    assert (study.status[50:] == 0).all()  # nothing at all does
    assert found.gated.tolist() == [False] * 50 + [True] * 10


if __name__ == "__main__":
    build(Path(sys.argv[1]))
