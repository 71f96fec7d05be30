"""The model folder: a declared form, opened without running anything that is in it.

A folder holds ``meta.json`` (protocol, versions, thresholds, calibration, quality with counts),
``weights.npz`` (plain arrays, no pickles) and ``README.md`` (the card). ``meta.json`` carries the
SHA-256 of the weights; a folder that was changed by hand or cut short is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import ModelError
from aiskills.model.arrays import (
    ARRAYS,
    META,
    damaged,
    pack_words,
    read_folder,
    unpack_words,
    write_folder,
)
from aiskills.model.features import MentionFeatures, OfferFeatures
from aiskills.model.linear import OUTPUTS, StatusModel
from aiskills.model.surroundings import PASSAGE_ZONES, PassageModel, Surroundings
from aiskills.model.windows import PLACES
from aiskills.schema import Definition

#: Raised when the folder's form changes; `load` opens this and every earlier one it knows.
PROTOCOL: Final = 2
#: Name of the model that ships with the package.
DEFAULT_MODEL: Final = "fr"

_TEXT_ARRAYS: Final = (
    "mention_words",
    "mention_categories",
    "near_words",
    "title_words",
    "text_words",
)
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
        if not (path / META).is_file():
            raise ModelError(
                f"{path} is no model folder",
                expected=f"a folder that holds {META} and {ARRAYS}",
                hint="Leave --model out to use the model that ships with aiskills.",
            )
        return path
    installed = Path(str(resources.files("aiskills"))) / "models" / DEFAULT_MODEL
    # An editable install has no copy inside the package: the checkout's own folder serves.
    checkout = Path(__file__).resolve().parents[3] / "models" / DEFAULT_MODEL
    for candidate in (installed, checkout):
        if (candidate / META).is_file():
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
    meta, arrays = read_folder(folder, PROTOCOL)
    try:
        return _assemble(arrays, meta)
    except Exception as error:  # noqa: BLE001 (arrays may hold anything)
        raise damaged(folder, error) from None


def _assemble(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> TrainedModel:
    words = {name: unpack_words(arrays[name]) for name in _TEXT_ARRAYS}
    mention_features = MentionFeatures(
        words["mention_words"],
        words["mention_categories"],
        unpack_surroundings(arrays, words["near_words"]),
    )
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


def pack_surroundings(surroundings: Surroundings) -> dict[str, NDArray[Any]]:
    """What is known of words and passages, as arrays in 32 bits."""
    passages = surroundings.passages
    return {
        "near_words": pack_words(surroundings.words.words),
        "near_weights": surroundings.weights.astype(np.float32),
        "passage_words": passages.words.astype(np.float32),
        "passage_places": passages.places.astype(np.float32),
        "passage_bias": passages.bias.astype(np.float32),
    }


def unpack_surroundings(arrays: Mapping[str, NDArray[Any]], words: tuple[str, ...]) -> Surroundings:
    """What `pack_surroundings` packed.

    Raises:
        ValueError: Shapes do not fit, or a number is not finite.
    """
    zones = len(PASSAGE_ZONES)
    shapes = {
        "near_weights": (len(words),),
        "passage_words": (len(words), zones),
        "passage_places": (PLACES, zones),
        "passage_bias": (zones,),
    }
    parts = {name: arrays[name].astype(np.float64) for name in shapes}
    for name, shape in shapes.items():
        if parts[name].shape != shape or not np.isfinite(parts[name]).all():
            raise ValueError(f"{name} has shape {parts[name].shape} or is not finite")
    return Surroundings(
        words,
        parts["near_weights"],
        PassageModel(parts["passage_words"], parts["passage_places"], parts["passage_bias"]),
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
    arrays = {
        "mention_words": pack_words(model.mention_features.words.words),
        "mention_categories": pack_words(model.mention_features.categories),
        **pack_surroundings(model.mention_features.surroundings),
        "title_words": pack_words(model.offer_features.title_words.words),
        "text_words": pack_words(model.offer_features.text_words.words),
    }
    scorers = {"mention": model.mention, **{d.value: model.offers[d] for d in Definition}}
    for name in _MODELS:
        for part in ("sparse", "dense", "bias"):
            arrays[f"{name}_{part}"] = getattr(scorers[name], part).astype(np.float32)
    meta = {
        **model.meta,
        "thresholds": {d.value: model.thresholds[d] for d in Definition},
        "calibration": {
            d.value: [model.calibration[d].slope, model.calibration[d].shift] for d in Definition
        },
    }
    write_folder(Path(folder), PROTOCOL, meta, arrays, card)
