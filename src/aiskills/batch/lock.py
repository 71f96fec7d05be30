"""One writer at a time: a lock the system lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiskills.batch.disk import explained
from aiskills.errors import AiskillsError

_LOCK: Final = ".lock"
_HOLDER: Final = ".lock.json"  # apart from the lock: Windows lets nobody read a locked file


class StoreLockedError(AiskillsError):
    """Another run writes to the store."""

    exit_code = 4


@contextlib.contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Holds a store's lock.

    Args:
        folder: The store; it must exist.
        command: What the holder is called in other runs' messages.

    Raises:
        StoreLockedError: Another process holds it; the message tells which, and since when.
        OutputError: The folder may not be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK, timeout=0)
    with explained(folder):
        try:
            lock.acquire()
        except Timeout:
            raise StoreLockedError(
                f"{folder} is in use by {holder(folder) or 'another run'}",
                hint="Wait until it ends, then run the same command again.",
            ) from None
    try:
        with explained(folder):
            _say_who(folder, command)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / _HOLDER).unlink(missing_ok=True)
        lock.release()


def _say_who(folder: Path, command: str) -> None:
    who = {
        "command": command,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    fresh = folder / (_HOLDER + ".new")
    fresh.write_text(json.dumps(who), "utf-8")
    fresh.replace(folder / _HOLDER)


def holder(folder: Path) -> str:
    """Who holds the lock, for people; empty if nobody says so.

    A holder that died may still be named; only `locked` tells whether the lock is free.
    """
    try:
        who = json.loads((folder / _HOLDER).read_text("utf-8"))
        return (
            f"`aiskills {who['command']}` (process {who['pid']} on {who['host']}) "
            f"since {who['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def is_locked(folder: Path) -> bool:
    """Whether a run holds the lock now; False where that cannot be found out."""
    from filelock import FileLock, Timeout

    if not (folder / _LOCK).is_file():
        return False
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
