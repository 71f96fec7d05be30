"""The background: learned alike every time, from no single employer, and kept in a safe folder.

It is learned here from the offers written for training, enough of them for a few hundred words; how
well the shipped one tells passages apart is in its ``meta.json``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="scikit-learn IS MISSING: learning is not tested")
pytest.importorskip("scipy", reason="scipy IS MISSING: learning is not tested")

from aiskills.errors import ModelError
from aiskills.model.background import (
    PROTOCOL,
    Background,
    find_background,
    load_background,
    save_background,
)
from aiskills.model.dataset import LabelledOffer, read_written
from aiskills.model.folder import find_model
from aiskills.model.learn import MIN_EMPLOYERS, learn_background
from aiskills.model.surroundings import PASSAGE_ZONES
from aiskills.model.windows import PLACES
from aiskills.repair import FIELD_BREAK
from aiskills.text import fold_batch

FILES = sorted((Path(__file__).resolve().parents[1] / "data" / "training").glob("*.jsonl"))
#: The fewest uses of a word that is known (`min_uses` of the meta).
MIN_USES = 30
#: An invented firm's name, as its own offers repeat it.
FIRM = "Zorblatique"

pytestmark = pytest.mark.skipif(not FILES, reason="data/training IS MISSING: nothing to learn from")


def offers() -> list[LabelledOffer]:
    return read_written(FILES)


def learn(titles: list[str], texts: list[str], companies: list[str | None]) -> Background:
    threadpoolctl = pytest.importorskip("threadpoolctl")  # comes with scikit-learn
    # On a busy machine the threads of BLAS wait for each other five times as long as they work.
    with threadpoolctl.threadpool_limits(1):
        return learn_background(titles, texts, companies)


def material() -> tuple[list[str], list[str], list[str | None]]:
    """The written offers as those of 60 employers, and 40 offers of one firm that names itself."""
    written = offers()
    titles = [offer.title for offer in written]
    texts = [offer.description for offer in written]
    companies: list[str | None] = [f"employer {number % 60}" for number in range(len(written))]
    titles += ["Vendeur"] * 40
    texts += [f"{FIRM} vend des fleurs. Chez {FIRM}, vous conseillez les clients."] * 40
    companies += [FIRM] * 40
    return titles, texts, companies


@cache
def learned() -> Background:
    return learn(*material())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A background folder that may be damaged."""
    save_background(learned(), tmp_path / "background", "# Card é\n")
    return tmp_path / "background"


# --- learning ----------------------------------------------------------------------------------


def test_the_same_offers_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """In another process, where sets and dicts of strings fall otherwise."""
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path / "again")],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for name in ("weights.npz", "meta.json", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_only_words_of_enough_employers_and_uses_are_known() -> None:
    """Counted here word by word: what is known is what is wide-spread, and all of it."""
    titles, texts, companies = material()
    employers: dict[str, set[str | None]] = defaultdict(set)
    uses: Counter[str] = Counter()
    given = [title + FIELD_BREAK + text for title, text in zip(titles, texts, strict=True)]
    for folded, company in zip(fold_batch(given), companies, strict=True):
        words = folded.text.decode("cp1252").split(" ")[1:-1]
        uses.update(words)
        for word in words:
            employers[word].add(company)
    expected = {
        word
        for word, where in employers.items()
        if len(where) >= MIN_EMPLOYERS and uses[word] >= MIN_USES
    }
    assert set(learned().surroundings.words.words) == expected
    assert len(expected) > 200
    assert any(uses[word] >= MIN_USES and len(employers[word]) < MIN_EMPLOYERS for word in uses)


def test_no_word_of_one_employer_is_known() -> None:
    folded = next(iter(fold_batch([FIRM]))).text.decode("cp1252").strip()
    assert folded not in learned().surroundings.words.words
    titles, texts, companies = material()
    parted: list[str | None] = [None if company == FIRM else company for company in companies]
    # The same offers without an employer's name count as so many employers: the word is common.
    assert folded in learn(titles, texts, parted).surroundings.words.words


def test_what_is_learned_has_the_form_that_is_told() -> None:
    background = learned()
    known, zones = len(background.surroundings.words), len(PASSAGE_ZONES)
    assert background.vectors.shape == (known, background.meta["dimensions"])
    assert np.linalg.norm(background.vectors, axis=1) == pytest.approx(np.ones(known), abs=1e-3)
    weights = background.surroundings.weights
    assert ((weights > 0) & (weights < 1)).all()
    passages = background.surroundings.passages
    assert passages.words.shape == (known, zones)
    assert passages.places.shape == (PLACES, zones)
    assert passages.bias.shape == (zones,)
    titles, _, _ = material()
    assert background.meta["offers"] == len(titles)
    assert background.meta["words"] == known
    assert background.meta["min_employers"] == MIN_EMPLOYERS
    assert background.meta["min_uses"] == MIN_USES


def test_rarer_words_are_more_telling() -> None:
    words = learned().surroundings.words.words
    telling = dict(zip(words, learned().surroundings.weights.tolist(), strict=True))
    assert telling["de"] < telling["vou"] < telling["client"]


def test_passages_are_told_apart_better_than_by_chance() -> None:
    meta = learned().meta
    assert meta["passages_tested"] > 50
    assert 1 / len(PASSAGE_ZONES) + 0.1 < meta["passage_accuracy"] <= 1


# --- the folder --------------------------------------------------------------------------------


def test_what_is_saved_comes_back(folder: Path) -> None:
    background, again = learned(), load_background(folder)
    assert sorted(one.name for one in folder.iterdir()) == ["README.md", "meta.json", "weights.npz"]
    assert (folder / "README.md").read_text("utf-8") == "# Card é\n"
    assert again.surroundings.words.words == background.surroundings.words.words
    assert again.surroundings.weights == pytest.approx(background.surroundings.weights, rel=1e-6)
    for name in ("words", "places", "bias"):
        kept = getattr(again.surroundings.passages, name)
        assert kept == pytest.approx(getattr(background.surroundings.passages, name), rel=1e-6)
    assert again.vectors == pytest.approx(background.vectors, abs=1e-3)  # 16 bits
    assert again.vectors.dtype == np.float64
    assert {key: again.meta[key] for key in background.meta} == dict(background.meta)
    assert again.meta["name"] == "background"


def test_saving_what_was_loaded_changes_nothing(folder: Path, tmp_path: Path) -> None:
    save_background(load_background(folder), tmp_path / "other", "# Card é\n")
    for name in ("weights.npz", "meta.json", "README.md"):
        assert (tmp_path / "other" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_shipped_one_opens() -> None:
    shipped = load_background()
    assert shipped.meta["min_employers"] >= MIN_EMPLOYERS
    assert len(shipped.vectors) == len(shipped.surroundings.words) == shipped.meta["words"]
    assert find_background().name == "background"


# --- damaged and foreign folders ---------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_background(path)
    message = str(caught.value)
    assert path.name in message
    assert len(message) < 1000
    return message


def change_meta(path: Path, **changes: Any) -> None:
    meta = json.loads((path / "meta.json").read_text("utf-8"))
    meta.update(changes)
    (path / "meta.json").write_text(json.dumps(meta), "utf-8")


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path / "weights.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def put_arrays(path: Path, **changes: NDArray[Any] | None) -> None:
    """Other arrays under a right hash, as an attacker would write them; None takes one away."""
    arrays = {k: v for k, v in {**arrays_of(path), **changes}.items() if v is not None}
    buffer = io.BytesIO()
    savez: Any = np.savez  # its stub takes the names of arrays for its own options
    savez(buffer, **arrays)
    (path / "weights.npz").write_bytes(buffer.getvalue())
    change_meta(path, sha256=hashlib.sha256(buffer.getvalue()).hexdigest())


def test_the_control(folder: Path) -> None:
    """The helpers themselves damage nothing."""
    put_arrays(folder)
    assert load_background(folder).meta["words"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "nowhere")
    refused(tmp_path)


@pytest.mark.parametrize("name", ["meta.json", "weights.npz"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder)


def test_a_model_is_no_background() -> None:
    assert re.search(r"has protocol \d+.* expected protocol \d+", refused(find_model()))


@pytest.mark.parametrize("protocol", [None, PROTOCOL + 1, str(PROTOCOL), [PROTOCOL], {}])
def test_another_protocol(folder: Path, protocol: object) -> None:
    change_meta(folder, protocol=protocol)
    assert f"has protocol {protocol!r}" in refused(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_meta_that_is_none(folder: Path, content: bytes) -> None:
    (folder / "meta.json").write_bytes(content)
    refused(folder)


def test_arrays_that_were_tampered_with(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "weights.npz").write_bytes(raw)
    assert "does not match the SHA-256 in meta.json" in refused(folder)


ARRAYS = (
    "near_words",
    "near_weights",
    "passage_words",
    "passage_places",
    "passage_bias",
    "vectors",
)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_is_missing(folder: Path, name: str) -> None:
    put_arrays(folder, **{name: None})
    assert "damaged" in refused(folder)


CHANGES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "one row less": lambda array: array[:-1],
    "flat": lambda array: array.reshape(-1)[: max(len(array) - 1, 1)],
    "no row": lambda array: array[:0],
    "another axis": lambda array: array[None],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ARRAYS[1:])
def test_an_array_of_another_shape(folder: Path, name: str, change: str) -> None:
    put_arrays(folder, **{name: CHANGES[change](arrays_of(folder)[name])})
    assert "damaged" in refused(folder)


@pytest.mark.parametrize("name", ARRAYS[1:])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_array_that_is_not_finite(folder: Path, name: str, value: float) -> None:
    array = arrays_of(folder)[name].copy()
    array.reshape(-1)[0] = value
    put_arrays(folder, **{name: array})
    assert "not finite" in refused(folder)


class Bomb:
    """What a pickle in a hostile folder would be: unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_pickle_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    mark, control = tmp_path / "was-run", tmp_path / "control"
    pickle.loads(pickle.dumps(Bomb(control)))  # noqa: S301 (the bomb does go off)
    assert control.is_dir()
    put_arrays(folder, vectors=np.array([Bomb(mark)], dtype=object))
    assert "an array holds object" in refused(folder)
    assert not mark.exists()


if __name__ == "__main__":
    save_background(learned(), sys.argv[1], "# Card é\n")
