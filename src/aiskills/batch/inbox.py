"""The inbox: which files have settled and are new, and a copy of each that nobody can change."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TypeVar

from aiskills.batch.disk import make_folder, move, remove_tree, short_name
from aiskills.batch.writers import is_being_written, path_is_being_written
from aiskills.errors import InputError
from aiskills.files.detect import READ_SUFFIXES

_SIDECAR: Final = ".meta.json"
_BLOCK: Final = 2**20
_NANO: Final = 10**9
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of the inbox as it was when it was looked at.

    Attributes:
        path: Where it is.
        name: Its name for people, journal and store; bytes that are no UTF-8 are escaped.
        size: Bytes.
        modified: Nanoseconds since 1970 of its last change of content.
        changed: The same of its last change of anything, which copying tools cannot set back.
    """

    path: Path
    name: str
    size: int
    modified: int
    changed: int

    @property
    def day(self) -> date:
        """Day of its last change of content (UTC)."""
        try:
            return datetime.fromtimestamp(self.modified / _NANO, UTC).date()
        except (OverflowError, ValueError, OSError):  # a clock gone mad
            return date(1970, 1, 1)


class NotYetError(InputError):
    """The file changed, vanished or may not be read: it is left for the next run."""


def arrivals(inbox: Path) -> tuple[list[Arrival], list[tuple[str, str]]]:
    """The files of offers in an inbox, oldest first, and what was left out.

    Folders inside, hidden files and files of other kinds are passed over. Symbolic links are left
    out, wherever they point: nothing outside the inbox is read because of what lies in it.

    Returns:
        The files, and pairs of name and reason for what should be looked at.

    Raises:
        InputError: The inbox is missing, no folder or may not be read.
    """
    found: list[Arrival] = []
    left: list[tuple[str, str]] = []
    try:
        entries = sorted(inbox.iterdir())
    except FileNotFoundError as error:
        raise InputError(f"{inbox} does not exist", expected="the folder that files come to") from (
            error
        )
    except NotADirectoryError as error:
        raise InputError(f"{inbox} is no folder", expected="the folder files come to") from error
    except OSError as error:
        raise InputError(f"{inbox} may not be read ({error.strerror})") from error
    for path in entries:
        name = printable(path.name)
        if not _is_known(path.name):
            continue
        try:
            seen = path.lstat()
        except OSError:  # gone since it was listed: as if it had never been there
            continue
        if stat.S_ISLNK(seen.st_mode):
            left.append((name, "a symbolic link: links are not followed"))
        elif stat.S_ISREG(seen.st_mode):
            found.append(_arrival(path, name, seen))
    return sorted(found, key=lambda one: (one.modified, one.name)), left


def _is_known(name: str) -> bool:
    lower = name.lower()
    if lower.startswith((".", "~$")) or lower.endswith(_SIDECAR):
        return False
    return Path(lower.removesuffix(".gz")).suffix in READ_SUFFIXES


def _arrival(path: Path, name: str, seen: os.stat_result) -> Arrival:
    return Arrival(path, name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def printable(name: str) -> str:
    r"""A file name as text that any file and terminal takes.

    >>> printable("caf\udce9.csv"), printable("a\nb.csv")
    ('caf\\xe9.csv', 'a\\x0ab.csv')
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def is_settled(arrival: Arrival, seconds: float, now: int, earlier: tuple[int, int] | None) -> bool:
    """Whether a file is no longer being written, as far as one can tell.

    It is when its content is older than `seconds`, or when the run before saw it with the same
    size and time: the second rule takes files from the future, which a clock that was wrong made.

    Args:
        arrival: The file.
        seconds: Age from which it counts as settled.
        now: Nanoseconds since 1970.
        earlier: Size and time of change that an earlier run saw; None if it saw none.
    """
    age = now - arrival.modified
    if age >= seconds * _NANO:
        return True
    return age < 0 and earlier == (arrival.size, arrival.modified)


@contextmanager
def snapshot(arrival: Arrival, folder: Path) -> Iterator[tuple[Path, str]]:
    """A copy of a file that does not change while it is read, and its SHA-256.

    Args:
        arrival: The file.
        folder: Where the copy goes; emptied before and after.

    Yields:
        Path and hash of the copy. It bears the file's own name, whose suffix tells its format.

    Raises:
        NotYetError: The file vanished, changed since it was looked at, or may not be read.
    """
    remove_tree(folder)
    make_folder(folder)
    copy = folder / arrival.path.name
    try:
        yield copy, _copied(arrival, copy)
    finally:
        remove_tree(folder)


def _copied(arrival: Arrival, copy: Path) -> str:
    digest = hashlib.sha256()
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with _opened(arrival, flags | getattr(os, "O_BINARY", 0)) as handle, copy.open("wb") as target:
        if is_being_written(handle):
            raise NotYetError(f"{arrival.name} is still open for writing")
        while block := _or_not_yet(arrival, lambda: os.read(handle, _BLOCK)):
            digest.update(block)
            target.write(block)
        after = os.fstat(handle)
    if _arrival(arrival.path, arrival.name, after) != arrival:
        raise NotYetError(f"{arrival.name} changed while it was read")
    return digest.hexdigest()


@contextmanager
def _opened(arrival: Arrival, flags: int) -> Iterator[int]:
    handle = _or_not_yet(arrival, lambda: os.open(arrival.path, flags))
    try:
        yield handle
    finally:
        os.close(handle)


def _or_not_yet(arrival: Arrival, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except FileNotFoundError as error:
        raise NotYetError(f"{arrival.name} vanished before it was read") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnreadableError(f"{arrival.name} cannot be read ({reason})") from error


class UnreadableError(NotYetError):
    """The file is there and the system does not let us read it: somebody must look."""


def archive(arrival: Arrival, folder: Path, sha256: str) -> Path:
    """Moves a file that is done out of the inbox.

    Args:
        arrival: The file.
        folder: Where to; made if missing.
        sha256: Its hash, part of the new name where the old one is taken.

    Returns:
        Its new place.

    Raises:
        NotYetError: It is no longer the file that was read; it stays.
        OSError: It cannot be moved; it stays.
    """
    now = _or_not_yet(arrival, arrival.path.lstat)
    if _arrival(arrival.path, arrival.name, now) != arrival:
        raise NotYetError(f"{arrival.name} changed after it was read")
    if path_is_being_written(arrival.path):
        raise NotYetError(f"{arrival.name} was opened for writing after it was read")
    place = folder / arrival.path.name
    number = 0
    while place.exists():
        number += 1
        place = folder / f"{sha256[:8]}-{number}-{short_name(arrival.path.name)}"
    move(arrival.path, place)
    return place
