"""What offers without labels teach: the company words keep, and the zone a passage speaks of.

Training starts from it (`Background`), and the trained model carries what inference needs of it
(`aiskills.model.surroundings`). A word is known only if at least `MIN_EMPLOYERS` employers use it,
so that no firm's name and hardly a person's is in it; the labelled offers themselves are left out,
so that cross-validation stays clean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import ModelError
from aiskills.model.arrays import META, damaged, read_folder, unpack_words, write_folder
from aiskills.model.folder import pack_surroundings, unpack_surroundings
from aiskills.model.linear import FloatArray
from aiskills.model.surroundings import Surroundings

#: Raised when the folder's form changes.
PROTOCOL: Final = 1
_NAME: Final = "background"


@dataclass(frozen=True, slots=True)
class Background:
    """What is known before any label is seen.

    Attributes:
        surroundings: Vocabulary, weights of words, model of passages.
        vectors: Words x dimensions, of unit length: words used alike point the same way.
        meta: Offers, tokens, versions and settings it was made from and with.
    """

    surroundings: Surroundings
    vectors: FloatArray
    meta: Mapping[str, Any]


def find_background() -> Path:
    """The folder of the background that ships with the package.

    Raises:
        ModelError: It is not there.
    """
    installed = Path(str(resources.files("aiskills"))) / "models" / _NAME
    # An editable install has no copy inside the package: the checkout's own folder serves.
    checkout = Path(__file__).resolve().parents[3] / "models" / _NAME
    for candidate in (installed, checkout):
        if (candidate / META).is_file():
            return candidate
    raise ModelError(
        f"what ships with aiskills for training is not at {installed}", hint="Reinstall aiskills."
    )


def load_background(folder: str | Path | None = None) -> Background:
    """Opens a background folder; None for the one that ships with the package.

    Raises:
        ModelError: Missing, damaged, foreign or of another protocol; nothing was run.
    """
    path = Path(folder) if folder is not None else find_background()
    meta, arrays = read_folder(path, PROTOCOL)
    try:
        surroundings = unpack_surroundings(arrays, unpack_words(arrays["near_words"]))
        vectors = arrays["vectors"].astype(np.float64)
        shaped = vectors.ndim == 2 and len(vectors) == len(surroundings.words)
        if not shaped or not np.isfinite(vectors).all():
            raise ValueError(f"vectors have shape {vectors.shape} or are not finite")
    except Exception as error:  # noqa: BLE001 (arrays may hold anything)
        raise damaged(path, error) from None
    return Background(surroundings, vectors, meta)


def save_background(background: Background, folder: str | Path, card: str) -> None:
    """Writes a background folder, vectors in 16 bits."""
    arrays: dict[str, NDArray[Any]] = pack_surroundings(background.surroundings)
    arrays["vectors"] = background.vectors.astype(np.float16)
    write_folder(Path(folder), PROTOCOL, {"name": _NAME, **background.meta}, arrays, card)
