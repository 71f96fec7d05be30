"""A stop that comes in the middle of a small step waits until the step is done."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stops_held() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block is left, then let them do what they would have.

    For steps between which a file would be on the disk and nobody would know of it. Masking the
    signals is not enough: another thread may receive one, and Python runs the handler in the main
    thread all the same. Nothing is held outside of the main thread, where no handler ever runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: handler
        for number in _STOPS
        # None was installed by code that is not Python's, and could not be put back.
        if (handler := signal.getsignal(number)) is not None
    }
    for number in before:
        signal.signal(number, lambda which, _frame: came.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for which in came:
            signal.raise_signal(which)
