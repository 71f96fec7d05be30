"""The model folder: what is saved comes back, what is damaged or hostile is refused unread."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from aiskills.errors import ModelError
from aiskills.model import Judge, TrainedModel, load_model, save_model
from aiskills.model.folder import PROTOCOL, find_model
from aiskills.phrases import Lexicon
from aiskills.schema import Definition

TEXTS = [
    "Vous concevez des modèles de machine learning et des réseaux de neurones.",
    "Notre groupe, leader de l'IoT et de l'IA, recrute un comptable pour son siège.",
    "Boulanger de nuit.",
    "Vision par ordinateur, deep learning, Hadoop et Spark.",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model that may be damaged."""
    return Path(shutil.copytree(find_model(), tmp_path / "model"))


def files(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


# --- round trip --------------------------------------------------------------------------------


def test_what_is_saved_comes_back(model: TrainedModel, lexicon: Lexicon, tmp_path: Path) -> None:
    save_model(model, tmp_path / "a" / "b", "# Card é\n")
    assert files(tmp_path / "a" / "b") == ["README.md", "meta.json", "weights.npz"]
    assert (tmp_path / "a" / "b" / "README.md").read_text("utf-8") == "# Card é\n"
    again = load_model(tmp_path / "a" / "b")
    assert again.meta == model.meta
    assert again.version == model.version
    assert again.thresholds == model.thresholds
    assert again.calibration == model.calibration
    titles = [""] * len(TEXTS)
    assert Judge(again, lexicon).judge(titles, TEXTS) == Judge(model, lexicon).judge(titles, TEXTS)


def test_the_same_arrays_give_the_same_bytes(model: TrainedModel, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_model(model, tmp_path / name, "")
    for name in ("weights.npz", "meta.json", "README.md"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_shipped_folder_is_what_saving_it_gives(model: TrainedModel, tmp_path: Path) -> None:
    save_model(model, tmp_path, (find_model() / "README.md").read_text("utf-8"))
    for name in ("weights.npz", "meta.json", "README.md"):
        assert (tmp_path / name).read_bytes() == (find_model() / name).read_bytes(), name


def test_saving_replaces_and_leaves_nothing_else(model: TrainedModel, tmp_path: Path) -> None:
    save_model(model, tmp_path, "old")
    other = replace(model, thresholds=dict.fromkeys(Definition, 0.9))
    save_model(other, tmp_path, "new")
    assert load_model(tmp_path).thresholds == dict.fromkeys(Definition, 0.9)
    assert files(tmp_path) == ["README.md", "meta.json", "weights.npz"]


# --- damaged and hostile folders ---------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(path)
    message = str(caught.value)
    assert path.name in message
    assert len(message) < 1000
    return message


def change_meta(path: Path, **changes: Any) -> None:
    meta = json.loads((path / "meta.json").read_text("utf-8"))
    meta.update(changes)
    (path / "meta.json").write_text(json.dumps(meta), "utf-8")


def put_weights(path: Path, raw: bytes) -> None:
    """Weights with a right hash, as an attacker would write them."""
    (path / "weights.npz").write_bytes(raw)
    change_meta(path, sha256=hashlib.sha256(raw).hexdigest())


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path / "weights.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    savez: Any = np.savez  # its stub takes the names of arrays for its own options
    savez(buffer, **arrays)
    return buffer.getvalue()


def test_the_control(folder: Path) -> None:
    """The helpers themselves damage nothing."""
    put_weights(folder, npz(arrays_of(folder)))
    assert load_model(folder).thresholds


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    message = refused(tmp_path / "nowhere")
    assert "is no model folder" in message
    assert "meta.json" in message
    assert "--model" in message
    refused(tmp_path)


@pytest.mark.parametrize("name", ["meta.json", "weights.npz"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder)


def test_the_card_is_not_needed(folder: Path) -> None:
    (folder / "README.md").unlink()
    load_model(folder)


def test_weights_that_were_tampered_with(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "weights.npz").write_bytes(raw)
    assert "does not match the SHA-256 in meta.json" in refused(folder)


@pytest.mark.parametrize("size", [0, 10, 1000, -1])
def test_weights_cut_short(folder: Path, size: int) -> None:
    raw = (folder / "weights.npz").read_bytes()[:size]
    (folder / "weights.npz").write_bytes(raw)
    refused(folder)
    put_weights(folder, raw)
    assert "damaged" in refused(folder)


@pytest.mark.parametrize("protocol", [None, PROTOCOL + 1, str(PROTOCOL), [PROTOCOL], {}])
def test_another_protocol(folder: Path, protocol: object) -> None:
    change_meta(folder, protocol=protocol)
    message = refused(folder)
    assert f"has protocol {protocol!r}" in message
    assert f"expected protocol {PROTOCOL}" in message


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"protocol: 1", b"\xff\xfe", b"[" * 100_000, b"\x00", b'{"protocol": 1} x'],
    ids=["empty", "cut", "yaml", "utf16", "deep", "nul", "two"],
)
def test_meta_that_is_not_json(folder: Path, content: bytes) -> None:
    (folder / "meta.json").write_bytes(content)
    assert "is not JSON" in refused(folder)


@pytest.mark.parametrize("content", ["[]", "1", "null", '"x"', "{}"])
def test_meta_that_is_json_but_no_meta(folder: Path, content: str) -> None:
    (folder / "meta.json").write_text(content)
    assert "has protocol None" in refused(folder)


def test_meta_that_is_too_large(folder: Path) -> None:
    change_meta(folder, note="x" * 5_000_000)
    assert "larger than 5,000,000 bytes" in refused(folder)


@pytest.mark.parametrize("key", ["sha256", "calibration", "thresholds"])
@pytest.mark.parametrize("value", [None, 1, "x", {}, [1, 2]])
def test_meta_of_another_form(folder: Path, key: str, value: object) -> None:
    change_meta(folder, **{key: value})
    refused(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thresholds", {"strict": float("nan"), "study": 0.5}),
        ("thresholds", {"strict": -3, "study": 0.5}),
        ("thresholds", {"strict": 7, "study": 0.5}),
        ("calibration", {"strict": [float("nan"), 0], "study": [1, 0]}),
        ("calibration", {"strict": [float("inf"), 0], "study": [1, 0]}),
        ("name", None),
    ],
)
def test_meta_of_senseless_numbers(folder: Path, key: str, value: object) -> None:
    change_meta(folder, **{key: value})
    refused(folder)


def test_meta_without_a_name(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    del meta["name"]
    (folder / "meta.json").write_text(json.dumps(meta), "utf-8")
    try:
        loaded = load_model(folder)
    except ModelError:
        return
    assert loaded.version


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
    for name in ("mention_sparse", "mention_words", "strict_bias", "extra"):
        arrays = arrays_of(find_model())
        arrays[name] = np.array([Bomb(mark)], dtype=object)
        put_weights(folder, npz(arrays))
        assert "an array holds object" in refused(folder)
        assert not mark.exists()


def put_member(path: Path, name: str, content: bytes) -> None:
    """Replaces or adds one member of the archive of weights."""
    with zipfile.ZipFile(path / "weights.npz") as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if n != name}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, old in kept.items():
            archive.writestr(member, old)
        archive.writestr(name, content)
    put_weights(path, buffer.getvalue())


@pytest.mark.parametrize("name", ["strict_bias.npy", "other.pkl", "mention_sparse"])
def test_a_bare_pickle_in_the_archive_is_not_run(folder: Path, tmp_path: Path, name: str) -> None:
    mark = tmp_path / "was-run"
    put_member(folder, name, pickle.dumps(Bomb(mark)))
    refused(folder)
    assert not mark.exists()


def test_a_member_that_is_no_array(folder: Path) -> None:
    put_member(folder, "strict_bias.npy", b"no array")
    refused(folder)


def test_weights_damaged_before_they_were_hashed(folder: Path) -> None:
    whole = (find_model() / "weights.npz").read_bytes()
    for place in range(200, len(whole) // 2, len(whole) // 50):
        raw = bytearray(whole)
        raw[place : place + 40] = b"\xff" * 40
        put_weights(folder, bytes(raw))
        refused(folder)


def test_weights_that_are_encrypted(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    for sign, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(sign)
        raw[at + flag] |= 1
    put_weights(folder, bytes(raw))
    refused(folder)


def test_weights_that_are_a_pickle(folder: Path, tmp_path: Path) -> None:
    put_weights(folder, pickle.dumps(Bomb(tmp_path / "was-run")))
    refused(folder)
    assert not (tmp_path / "was-run").exists()


def test_an_archive_that_unpacks_to_too_much(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"")
    raw = bytearray(buffer.getvalue())
    # The declared size, in the central directory: what a bomb of 600 MB would say.
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (600_000_000).to_bytes(4, "little")
    put_weights(folder, bytes(raw))
    assert "unpack to 600,000,000 bytes" in refused(folder)


@pytest.mark.parametrize(
    "shape",
    ["(1000000000000,)", "(1000000, 1000000)", "(3,)", "(1,)", "()", "(-5,)", "(-2, -1)", "(2.5,)",
     "('x',)"],
)  # fmt: skip
def test_an_array_whose_header_does_not_tell_its_shape(folder: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    put_member(folder, "strict_bias.npy", npy(header))
    assert "damaged" in refused(folder)


def npy(header: str, version: bytes = b"\x01\x00") -> bytes:
    """Two numbers of 64 bits behind a header of one's own."""
    text = header.encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + b"\0" * 16


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", b"\x01\x00"),
        ("{'descr': '<f8', 'fortran_order': True, 'shape': (2,)}", b"\x01\x00"),
        ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}", b"\x01\x00"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"\x02\x00"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"\x09\x00"),
        ("{'descr': '<f8', 'shape': (2,)}", b"\x01\x00"),
        ("__import__('os').getcwd()", b"\x01\x00"),
        ("\0", b"\x01\x00"),
    ],
)
def test_an_array_of_another_header(folder: Path, header: str, version: bytes) -> None:
    put_member(folder, "strict_bias.npy", npy(header, version))
    assert "damaged" in refused(folder)


@pytest.mark.parametrize("header", ["((((", "{'descr': '<f8', ", "'''", "  x\n y"])
def test_a_header_that_is_no_python(folder: Path, header: str) -> None:
    put_member(folder, "strict_bias.npy", npy(header))
    assert "damaged" in refused(folder)


def test_a_long_header_is_not_quoted_whole(folder: Path) -> None:
    put_member(folder, "strict_bias.npy", npy("[" * 4500 + "]" * 4500))
    refused(folder)


def test_weights_packed_with_lzma_and_damaged(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", b"x" * 5000)
    raw = bytearray(buffer.getvalue())
    at = raw.index(b"a.npy") + len(b"a.npy") + 4  # the settings of the packed stream
    raw[at : at + 5] = b"\xff" * 5
    put_weights(folder, bytes(raw))
    assert "damaged" in refused(folder)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["mention_sparse", "strict_dense", "study_bias"])
def test_weights_that_are_not_finite(folder: Path, name: str, bad: float) -> None:
    arrays = arrays_of(folder)
    arrays[name] = arrays[name].copy()
    arrays[name].flat[0] = bad
    put_weights(folder, npz(arrays))
    assert f"the {name.partition('_')[0]} weights are not all finite" in refused(folder)


@pytest.mark.parametrize("name", ["mention_sparse", "mention_dense", "strict_bias", "study_sparse"])
def test_weights_of_the_wrong_shape(folder: Path, name: str) -> None:
    arrays = arrays_of(folder)
    right = arrays[name]
    for wrong in (right[:-1], right[None], right.reshape(-1)[:0]):
        put_weights(folder, npz({**arrays, name: wrong}))
        assert f"the {name.partition('_')[0]} weights have shapes" in refused(folder)


@pytest.mark.parametrize("name", ["near_words", "title_words", "mention_categories"])
def test_a_vocabulary_that_does_not_fit(folder: Path, name: str) -> None:
    arrays = arrays_of(folder)
    for wrong in (
        arrays[name][: len(arrays[name]) // 2],
        arrays[name].astype(np.int64),
        arrays[name][None],
        np.full(9, 0xFF, dtype=np.uint8),
    ):
        put_weights(folder, npz({**arrays, name: wrong}))
        assert "damaged" in refused(folder)


@pytest.mark.parametrize(
    "dtype", ["U4", "S4", "V8", "datetime64[s]", "timedelta64[s]", "complex128", "int64", "bool"]
)
def test_weights_of_another_type(folder: Path, dtype: str) -> None:
    arrays = arrays_of(folder)
    put_weights(folder, npz({**arrays, "strict_bias": np.zeros(2, dtype=dtype)}))
    assert "an array holds " in refused(folder)


@pytest.mark.parametrize("name", ["mention_words", "strict_bias"])
def test_a_missing_array(folder: Path, name: str) -> None:
    arrays = arrays_of(folder)
    del arrays[name]
    put_weights(folder, npz(arrays))
    assert name in refused(folder)


# --- the model that ships ----------------------------------------------------------------------


def test_the_shipped_model_tells_its_quality_with_counts(model: TrainedModel) -> None:
    assert {"stratified", "all"} <= set(model.meta["quality"])
    for name, by_definition in model.meta["quality"].items():
        assert set(by_definition) == {"strict", "study"}
        for quality in by_definition.values():
            tp, fp, fn = (quality[key] for key in ("tp", "fp", "fn"))
            assert quality["demand"] == tp + fn
            assert quality["offers"] == sum(map(sum, quality["confusion"])) >= quality["demand"]
            if name in ("stratified", "all"):
                assert quality["offers"] >= 300
                assert quality["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-3)
                assert quality["f1_low"] <= quality["f1"] <= quality["f1_high"]
                assert quality["precision"] == pytest.approx(tp / (tp + fp), abs=1e-3)
                assert quality["recall"] == pytest.approx(tp / (tp + fn), abs=1e-3)
    assert model.meta["data"]["offers_labelled"] >= 300
    assert model.meta["data"]["mentions_labelled"] > 0


def test_the_shipped_model_is_sane(model: TrainedModel) -> None:
    raw = (find_model() / "weights.npz").read_bytes()
    assert model.meta["sha256"] == hashlib.sha256(raw).hexdigest()
    assert len(raw) < 5_000_000
    assert model.version == f"fr-{model.meta['sha256'][:8]}"
    for definition in Definition:
        assert 0 < model.thresholds[definition] < 1
        assert model.calibration[definition].slope > 0
    assert model.thresholds[Definition.STRICT] == model.thresholds[Definition.STUDY]


def test_the_shipped_model_was_trained_with_the_shipped_lexicon(
    model: TrainedModel, lexicon: Lexicon
) -> None:
    assert model.meta["lexicon_sha256"] == lexicon.sha256
    assert model.meta["lexicon_terms"] == len(lexicon)


# --- what is imported --------------------------------------------------------------------------


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_judging_imports_no_scikit_learn() -> None:
    loaded = run(
        "import sys, aiskills\n"
        "j = aiskills.classify_text('Vous développez des modèles de machine learning.')\n"
        "assert j.strict == 'demand', j\n"
        "print([m for m in ('sklearn', 'scipy', 'pandas', 'ftfy', 'polars') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_importing_aiskills_imports_next_to_nothing() -> None:
    loaded = run(
        "import sys, aiskills\n"
        "aiskills.__version__; dir(aiskills)\n"
        "print([m for m in ('numpy', 'spacy', 'pyarrow', 'pandas', 'typer') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_the_package_has_no_other_attributes() -> None:
    import aiskills

    with pytest.raises(AttributeError, match="no attribute 'measures'"):
        aiskills.measures  # noqa: B018
    for name in aiskills.__all__:
        assert getattr(aiskills, name) is not None
