"""Whether some process has a file open for writing, as the kernel knows.

A pause of whoever writes a file looks like its end: size and time stand still. Linux tells the two
apart for local files: a read lease is given on a file only while nobody has it open for writing
(fcntl(2), "Leases"). Where that cannot be asked (another system, a network disk, a file of another
user), only the age of a file tells whether it is whole.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import Final

_BUSY: Final = (errno.EAGAIN, errno.EWOULDBLOCK)


def is_being_written(handle: int) -> bool:
    """Whether a process has a file open for writing.

    Args:
        handle: The file, open for reading only.

    Returns:
        True if one has; False if none has, or if it cannot be told.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        # Who opens the file for writing meanwhile makes the kernel send a signal, by default one
        # that ends the process; this one is passed over.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in _BUSY
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def path_is_being_written(path: str | os.PathLike[str]) -> bool:
    """The same of a path; False if it cannot be opened."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        return False
    try:
        return is_being_written(handle)
    finally:
        os.close(handle)
