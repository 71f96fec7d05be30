"""Files that last: written whole, flushed to the disk, put in place in one step."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from aiskills.errors import AiskillsError, OutputError

#: Ends the name of a folder that waits between two renames.
ASIDE: Final = ".aside"
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class StoreError(AiskillsError):
    """A store that is missing, damaged, foreign or of a newer version."""


@contextlib.contextmanager
def explained(what: Path) -> Iterator[None]:
    """Turns what the system says of a store's files into an error a user can act on.

    Args:
        what: The store, as messages call it.

    Raises:
        OutputError: The disk is full, writing is denied or fails.
        StoreError: The journal is damaged or locked.
    """
    try:
        yield
    except AiskillsError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _of_system(what, error) from error
    except sqlite3.Error as error:
        raise of_journal(what, error) from error


def _of_system(what: Path, error: OSError | pa.ArrowException) -> OutputError:
    number = getattr(error, "errno", None)
    reason = " ".join(str(error).split())
    if number in _FULL or "No space left" in reason or "File too large" in reason:
        return OutputError(
            f"{what}: the disk is full",
            hint="What was stored before is safe. Make room and run the same command again.",
        )
    if number in _DENIED:
        return OutputError(
            f"{what} may not be written ({os.strerror(number or errno.EACCES).lower()})",
            hint="Check who owns the folder, and whether its disk is mounted read-only.",
        )
    said = getattr(error, "strerror", None) or reason[:120]
    return OutputError(f"{what} cannot be written ({said})")


def of_journal(what: Path, error: sqlite3.Error) -> AiskillsError:
    """What SQLite says of a store's journal, as an error a user can act on."""
    said = str(error)
    if "full" in said:
        return _of_system(what, OSError(errno.ENOSPC, said))
    if "readonly" in said or "unable to open" in said or "I/O error" in said:
        return OutputError(
            f"{what}: its journal cannot be written ({said})",
            hint="Check who owns the folder, whether its disk is mounted read-only, or full.",
        )
    return StoreError(
        f"{what}: its journal is damaged ({said})",
        hint=f"`aiskills store repair {what}` makes it anew from the offers; nothing is lost.",
    )


def sync(path: Path) -> None:
    """Makes a file's content, or a folder's names, last through a power cut.

    Raises:
        OSError: The disk refused; what was written may be lost.
    """
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, lasting; nothing if it is there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def put(staged: Path, place: Path) -> None:
    """Moves a flushed file to its place on the same disk, in one step."""
    make_folder(place.parent)
    staged.replace(place)
    sync(place.parent)
    if staged.parent != place.parent:
        sync(staged.parent)


def write_file(path: Path, data: bytes) -> None:
    """Writes and flushes a new file; the caller puts it in place."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def short_name(name: str, most: int = 180) -> str:
    """A file's name cut in its middle, so that something may be put before and behind it.

    Systems take 255 bytes. The end stays whole, since its suffix tells the format.

    >>> short_name("é" * 200 + ".csv.gz", 20)
    'ééééé….csv.gz'
    """
    raw = os.fsencode(name)
    if len(raw) <= most:
        return name
    suffix = "".join(Path(name).suffixes[-2:])[-16:]
    room = most - len(os.fsencode(suffix)) - len("…".encode())
    return raw[:room].decode("utf-8", "ignore") + "…" + suffix


def move(path: Path, place: Path) -> None:
    """Moves a file, to another disk if need be: it is always whole at one of both places."""
    make_folder(place.parent)
    try:
        path.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = place.with_name(f".{place.name}.part")
        shutil.copy2(path, partial)
        sync(partial)
        partial.replace(place)
        sync(place.parent)
        path.unlink()
    else:
        sync(place.parent)


def swap_folders(one: Path, other: Path) -> None:
    """Exchanges two folders on one disk: in one step on Linux, else in two renames.

    Readers that look between the two renames find no folder; opening the store mends it after a
    crash there.
    """
    if not _exchange(one, other):
        aside = other.with_name(other.name + ASIDE)
        one.replace(aside)
        other.replace(one)
        aside.replace(other)
    sync(one.parent)


def _exchange(one: Path, other: Path) -> bool:
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    failed = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return not failed


def remove_tree(path: Path) -> None:
    """Removes a folder and all in it; nothing if it is not there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)
