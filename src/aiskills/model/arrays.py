"""A declared folder of plain arrays: ``meta.json``, an archive of arrays and a card.

It is opened without running anything that is in it. ``meta.json`` carries the SHA-256 of the
arrays; a folder that was changed by hand or cut short is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import ModelError

META: Final = "meta.json"
ARRAYS: Final = "weights.npz"
CARD: Final = "README.md"
#: Bounds against a folder made to exhaust memory; the shipped model takes a hundredth.
_MAX_META_BYTES: Final = 5_000_000
_MAX_ARRAY_BYTES: Final = 500_000_000
_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def read_folder(folder: Path, protocol: int) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Opens a folder after checking its protocol and hash.

    Args:
        folder: The folder.
        protocol: The form that its reader knows.

    Returns:
        What ``meta.json`` says, and the arrays by name.

    Raises:
        ModelError: Missing, damaged, foreign or of another protocol; nothing was run.
    """
    meta = _read_meta(folder, protocol)
    path = folder / ARRAYS
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= _MAX_ARRAY_BYTES else b""
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(raw).hexdigest() != meta.get("sha256"):
        raise ModelError(
            f"{path} does not match the SHA-256 in {META}",
            expected="the weights that were saved with it",
            hint="The folder was changed or copied in part; get it again or train it again.",
        )
    try:
        return meta, _open_arrays(raw)
    except Exception as error:  # noqa: BLE001 (a hostile archive makes its readers raise anything)
        raise damaged(folder, error) from None


def damaged(folder: Path, error: Exception) -> ModelError:
    """What to raise when a folder's content makes no sense."""
    return ModelError(
        f"{folder} is damaged: {str(error)[:200]}", hint="Get it again or train it again."
    )


def write_folder(
    folder: Path,
    protocol: int,
    meta: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    card: str,
) -> None:
    """Writes a folder; made if missing, files in it replaced one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = _npz(arrays)
    full = {"protocol": protocol, **meta, "sha256": hashlib.sha256(raw).hexdigest()}
    for name, content in (
        (ARRAYS, raw),
        (META, (json.dumps(full, ensure_ascii=False, indent=1) + "\n").encode()),
        (CARD, card.encode()),
    ):
        temporary = folder / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(folder / name)


def _read_meta(folder: Path, protocol: int) -> dict[str, Any]:
    path = folder / META
    try:
        if path.stat().st_size > _MAX_META_BYTES:
            raise ModelError(f"{path} is larger than {_MAX_META_BYTES:,} bytes")
        meta = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ModelError(f"{path} is not JSON") from None
    found = meta.get("protocol") if isinstance(meta, dict) else None
    if found != protocol:
        raise ModelError(
            f"{folder} has protocol {found!r}",
            expected=f"protocol {protocol}",
            hint="Update aiskills if the model is newer, else train it again.",
        )
    if not isinstance(meta.get("name"), str) or not isinstance(meta.get("sha256"), str):
        raise ModelError(f"{path} lacks a name or a hash", hint="Train the model again.")
    return dict(meta)


def _open_arrays(raw: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
        if total > _MAX_ARRAY_BYTES:
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


def pack_words(words: tuple[str, ...]) -> NDArray[np.uint8]:
    """Words as an array of bytes."""
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def unpack_words(array: NDArray[Any]) -> tuple[str, ...]:
    """The words that `pack_words` packed."""
    if array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError(f"words are stored as {array.dtype}")
    text = array.tobytes().decode("utf-8")
    return tuple(text.split("\n")) if text else ()
