"""Which offers a model was trained on, kept in its ``meta.json`` as short hashes.

A figure measured on offers that a model learned from says nothing of others. The hashes tell such
offers without naming any: 64 bits of SHA-256 of each identifier. Among a million identifiers that
were not trained on, less than one in a billion is taken for one that was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Key of ``meta.json``: the hashes, 16 hexadecimal digits each, sorted, without a separator.
TRAINED_ON: Final = "trained_on"
_DIGITS: Final = 16


def training_marks(uids: Iterable[str]) -> str:
    """The value of `TRAINED_ON` for the offers that a model is trained on; order is no matter."""
    return "".join(sorted({_mark(uid) for uid in uids}))


def trained_on(meta: Mapping[str, Any], uids: Sequence[str]) -> NDArray[np.bool_] | None:
    """Which offers a model was trained on.

    Args:
        meta: The model's ``meta``.
        uids: Identifiers of offers, as the labels have them.

    Returns:
        One truth an offer; None where the model does not tell (it was made before models did, or
        what it holds under `TRAINED_ON` is no list of hashes).
    """
    marks = meta.get(TRAINED_ON)
    if not isinstance(marks, str) or len(marks) % _DIGITS:
        return None
    known = {marks[at : at + _DIGITS] for at in range(0, len(marks), _DIGITS)}
    return np.array([_mark(uid) in known for uid in uids], dtype=bool)


def _mark(uid: str) -> str:
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
