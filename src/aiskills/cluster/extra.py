"""Dask is an extra: what is said where it is missing, and what goes wrong on a cluster."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from aiskills.errors import AiskillsError, UsageError

INSTALL: Final = 'pip install "aiskills[cluster]"'


class ClusterError(AiskillsError):
    """A cluster that does not answer, differs from this machine, or loses its workers."""


def need(*modules: str) -> None:
    """Checks that the modules of the extra `cluster` are installed, without importing them.

    Raises:
        UsageError: One is missing; says what to install.
    """
    for name in modules:
        if find_spec(name) is None:
            raise UsageError(f"this needs {name}, which is not installed", hint=f"{INSTALL}.")
