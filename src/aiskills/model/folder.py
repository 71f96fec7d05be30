"""The model folder: a declared form, opened without running anything that is in it.

A folder holds ``meta.json`` (protocol, versions, thresholds, calibration, quality with counts),
``weights.npz`` (plain arrays, no pickles) and ``README.md`` (the card). ``meta.json`` carries the
SHA-256 of the weights; a folder that was changed by hand or cut short is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import ModelError
from aiskills.model.features import MentionFeatures, OfferFeatures
from aiskills.model.linear import OUTPUTS, StatusModel
from aiskills.schema import Definition

#: Raised when the folder's form changes; `load` opens this and every earlier one it knows.
PROTOCOL: Final = 1
#: Name of the model that ships with the package.
DEFAULT_MODEL: Final = "fr"

_META: Final = "meta.json"
_WEIGHTS: Final = "weights.npz"
_CARD: Final = "README.md"
#: Bounds against a folder made to exhaust memory; the shipped model takes a hundredth.
_MAX_META_BYTES: Final = 5_000_000
_MAX_WEIGHT_BYTES: Final = 500_000_000
_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_TEXT_ARRAYS: Final = ("mention_words", "mention_categories", "title_words", "text_words")
_MODELS: Final = ("mention", "strict", "study")


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the offer model's log odds of demand to a probability: sigmoid(slope·x + shift)."""

    slope: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """All that a folder holds.

    Attributes:
        mention_features: Features of matches.
        mention: Scores matches.
        offer_features: Features of offers.
        offers: Scores offers, by definition.
        calibration: By definition.
        thresholds: Calibrated probability from which an offer is `demand`, by definition.
        meta: The rest of ``meta.json``: versions, training data, quality.
    """

    mention_features: MentionFeatures
    mention: StatusModel
    offer_features: OfferFeatures
    offers: Mapping[Definition, StatusModel]
    calibration: Mapping[Definition, Calibration]
    thresholds: Mapping[Definition, float]
    meta: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Name and first digits of the weights' hash, e.g. ``fr-1a2b3c4d``."""
        return f"{self.meta['name']}-{str(self.meta['sha256'])[:8]}"


def find_model(model: str | Path | None = None) -> Path:
    """The folder of a model.

    Args:
        model: A path, or None for the model that ships with the package.

    Raises:
        ModelError: There is no such folder.
    """
    if model is not None:
        path = Path(model)
        if not (path / _META).is_file():
            raise ModelError(
                f"{path} is no model folder",
                expected=f"a folder that holds {_META} and {_WEIGHTS}",
                hint="Leave --model out to use the model that ships with aiskills.",
            )
        return path
    installed = Path(str(resources.files("aiskills"))) / "models" / DEFAULT_MODEL
    # An editable install has no copy inside the package: the checkout's own folder serves.
    checkout = Path(__file__).resolve().parents[3] / "models" / DEFAULT_MODEL
    for candidate in (installed, checkout):
        if (candidate / _META).is_file():
            return candidate
    raise ModelError(
        f"the model that ships with aiskills is not at {installed}",
        hint="Reinstall aiskills, or train one with `aiskills train`.",
    )


def load_model(model: str | Path | None = None) -> TrainedModel:
    """Opens a model folder after checking its protocol and hash.

    Args:
        model: A folder, or None for the model that ships with the package.

    Raises:
        ModelError: Missing, damaged, foreign or of another protocol; nothing was run.
    """
    folder = find_model(model)
    meta = _read_meta(folder)
    path = folder / _WEIGHTS
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= _MAX_WEIGHT_BYTES else b""
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(raw).hexdigest() != meta.get("sha256"):
        raise ModelError(
            f"{path} does not match the SHA-256 in {_META}",
            expected="the weights that were saved with it",
            hint="The folder was changed or copied in part; get it again or train it again.",
        )
    try:
        arrays = _open_arrays(raw)
        return _assemble(arrays, meta)
    except Exception as error:  # noqa: BLE001 (a hostile archive makes its readers raise anything)
        raise ModelError(
            f"{folder} is damaged: {str(error)[:200]}", hint="Get it again or train it again."
        ) from None


def _read_meta(folder: Path) -> dict[str, Any]:
    path = folder / _META
    try:
        if path.stat().st_size > _MAX_META_BYTES:
            raise ModelError(f"{path} is larger than {_MAX_META_BYTES:,} bytes")
        meta = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ModelError(f"{path} is not JSON") from None
    protocol = meta.get("protocol") if isinstance(meta, dict) else None
    if protocol != PROTOCOL:
        raise ModelError(
            f"{folder} has protocol {protocol!r}",
            expected=f"protocol {PROTOCOL}",
            hint="Update aiskills if the model is newer, else train it again.",
        )
    if not isinstance(meta.get("name"), str) or not isinstance(meta.get("sha256"), str):
        raise ModelError(f"{path} lacks a name or a hash", hint="Train the model again.")
    return dict(meta)


def _open_arrays(raw: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
        if total > _MAX_WEIGHT_BYTES:
            raise ValueError(f"its weights unpack to {total:,} bytes")
        if {entry.compress_type for entry in archive.infolist()} - _COMPRESSIONS:
            raise ValueError("its weights are neither stored nor deflated")
        return {
            entry.filename.removesuffix(".npy"): _open_array(archive.read(entry))
            for entry in archive.infolist()
        }


def _open_array(raw: bytes) -> NDArray[Any]:
    """One array of the archive, whose header must tell its true size."""
    part = io.BytesIO(raw)
    if np.lib.format.read_magic(part) != (1, 0):
        raise ValueError("an array has another version than 1.0")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(part)
    if fortran or kind.hasobject or kind.kind not in "fu":
        raise ValueError(f"an array holds {kind}")
    if math.prod(shape) * kind.itemsize != len(raw) - part.tell():
        raise ValueError(f"an array says it has shape {shape} and has not")
    return np.frombuffer(raw, dtype=kind, offset=part.tell()).reshape(shape)


def _assemble(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> TrainedModel:
    words = {name: _unpack_words(arrays[name]) for name in _TEXT_ARRAYS}
    mention_features = MentionFeatures(words["mention_words"], words["mention_categories"])
    offer_features = OfferFeatures(words["title_words"], words["text_words"])
    shapes = {
        "mention": (mention_features.n_columns, len(MentionFeatures.DENSE)),
        "strict": (offer_features.n_columns, len(OfferFeatures.DENSE)),
        "study": (offer_features.n_columns, len(OfferFeatures.DENSE)),
    }
    models = {}
    for name, (columns, dense) in shapes.items():
        parts = [
            arrays[f"{name}_{part}"].astype(np.float64) for part in ("sparse", "dense", "bias")
        ]
        expected = [(columns, len(OUTPUTS)), (dense, len(OUTPUTS)), (len(OUTPUTS),)]
        if [part.shape for part in parts] != expected:
            raise ValueError(f"the {name} weights have shapes {[p.shape for p in parts]}")
        if not all(np.isfinite(part).all() for part in parts):
            raise ValueError(f"the {name} weights are not all finite")
        models[name] = StatusModel(*parts)
    return TrainedModel(
        mention_features,
        models["mention"],
        offer_features,
        {d: models[d.value] for d in Definition},
        {d: _calibration(meta["calibration"][d.value]) for d in Definition},
        {d: _threshold(meta["thresholds"][d.value]) for d in Definition},
        meta,
    )


def _calibration(given: Sequence[float]) -> Calibration:
    slope, shift = map(float, given)
    if not (math.isfinite(slope) and math.isfinite(shift) and slope > 0):
        raise ValueError(f"a calibration is {given}")
    return Calibration(slope, shift)


def _threshold(given: float) -> float:
    if not 0 < float(given) <= 1:
        raise ValueError(f"a threshold is {given}")
    return float(given)


def save_model(model: TrainedModel, folder: str | Path, card: str) -> None:
    """Writes a model folder.

    Weights are kept in 32 bits: a loaded model's scores differ from the trained one's in the
    seventh digit.

    Args:
        model: What to save; its ``meta`` is completed with protocol and hash.
        folder: Where; made if missing, files in it replaced one by one.
        card: The text of the card.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    arrays = {
        "mention_words": _pack_words(model.mention_features.words.words),
        "mention_categories": _pack_words(model.mention_features.categories),
        "title_words": _pack_words(model.offer_features.title_words.words),
        "text_words": _pack_words(model.offer_features.text_words.words),
    }
    scorers = {"mention": model.mention, **{d.value: model.offers[d] for d in Definition}}
    for name in _MODELS:
        for part in ("sparse", "dense", "bias"):
            arrays[f"{name}_{part}"] = getattr(scorers[name], part).astype(np.float32)
    raw = _npz(arrays)
    meta = {
        "protocol": PROTOCOL,
        **model.meta,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "thresholds": {d.value: model.thresholds[d] for d in Definition},
        "calibration": {
            d.value: [model.calibration[d].slope, model.calibration[d].shift] for d in Definition
        },
    }
    for name, content in (
        (_WEIGHTS, raw),
        (_META, (json.dumps(meta, ensure_ascii=False, indent=1) + "\n").encode()),
        (_CARD, card.encode()),
    ):
        temporary = target / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(target / name)


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as .npz, with fixed dates so that the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, part.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _pack_words(words: tuple[str, ...]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def _unpack_words(array: NDArray[Any]) -> tuple[str, ...]:
    if array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError(f"words are stored as {array.dtype}")
    text = array.tobytes().decode("utf-8")
    return tuple(text.split("\n")) if text else ()
