"""Places that are no local paths: `s3://bucket/folder/` and whatever else fsspec knows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from aiskills.cluster.extra import need
from aiskills.errors import InputError, UsageError
from aiskills.files.origin import Origin
from aiskills.files.parquet import ParquetTable


def is_address(name: str | os.PathLike[str]) -> bool:
    """Whether a name is an address for fsspec rather than a path."""
    return "://" in os.fspath(name)


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address and the path in it.

    Credentials come from where fsspec and the file system look for them (its configuration folder,
    the environment), on each machine.

    Raises:
        UsageError: fsspec, or what it needs for this kind of address, is not installed.
    """
    need("fsspec")
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{address} cannot be opened ({reason})") from error
    return system, path


def expand_addresses(addresses: Sequence[str]) -> list[str]:
    """The Parquet files behind addresses: files, folders, patterns; sorted within each.

    Raises:
        InputError: There is none.
    """
    found: dict[str, None] = {}
    for address in addresses:
        system, path = file_system(address)
        try:
            if any(mark in path for mark in "*?["):
                names = system.glob(path)
            elif system.isdir(path):
                names = [n for n in system.ls(path, detail=False) if n.endswith(".parquet")]
            else:
                names = [path] if system.exists(path) else []
        except OSError as error:
            raise InputError(f"{address} cannot be read ({error})") from error
        visible = [name for name in sorted(names) if PurePosixPath(name).name[:1] not in {".", "_"}]
        if not visible:
            raise InputError(f"no Parquet file is found at {address}")
        found |= dict.fromkeys(system.unstrip_protocol(name) for name in visible)
    return list(found)


def open_origin(address: str) -> Origin:
    """The bytes behind an address, as the readers of files take them.

    Raises:
        InputError: It cannot be read.
    """
    system, path = file_system(address)
    try:
        return Origin(address, spool=system.open(path, "rb"))
    except OSError as error:
        raise InputError(f"{address} cannot be read ({error})") from error


def open_address(address: str) -> ParquetTable:
    """A Parquet file behind an address.

    Raises:
        InputError: It cannot be read or is no Parquet file.
    """
    origin = open_origin(address)
    if not origin.head.startswith(b"PAR1"):
        raise InputError(f"{address} is no Parquet file", expected="Parquet behind an address")
    return ParquetTable(origin, lambda _: None)


def stamp_of(name: str) -> str:
    """What changes when a file does: its size and time, or what its file system knows of it."""
    if is_address(name):
        system, path = file_system(name)
        return str(system.ukey(path))
    found = Path(name).stat()
    return f"{found.st_size} {found.st_mtime_ns}"
