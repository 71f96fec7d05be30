"""From what the user named (files, folders, patterns) to the list of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aiskills.errors import InputError, UsageError
from aiskills.files.detect import READ_SUFFIXES
from aiskills.files.notes import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiskills.files.notes import Note

_SIDECAR = ".meta.json"  # written beside results: it tells about a table, it is none


def expand_inputs(inputs: Sequence[str | os.PathLike[str]], note: Note) -> list[str]:
    """Return the files behind the inputs, in the order given, folders sorted by name.

    Args:
        inputs: Files, folders (their known files, not hidden ones, not those of folders inside),
            `-` for standard input. A pattern such as `*.csv` is expanded when no file bears that
            name, for shells that do not (Windows).
        note: Told about files left out and files given twice.

    Raises:
        InputError: A folder or pattern holds no known file.
        UsageError: No input at all, or `-` twice.
    """
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    if not inputs:
        raise UsageError("no input was given", expected="files, folders, or - for standard input")
    every: list[str] = []
    for given in inputs:
        name = os.fspath(given)
        if name != "-" and Path(name).is_dir():
            every += _known_files(name, note)
        elif name != "-" and any(mark in name for mark in "*?[") and not Path(name).exists():
            every += _pattern(name)
        else:
            every.append(name)
    return _once_each(every, note)


def _known_files(folder: str, note: Note) -> list[str]:
    try:
        files = sorted(one for one in Path(folder).iterdir() if one.is_file())
    except PermissionError as error:
        raise InputError(f"{folder} may not be read (permission denied)") from error
    seen = [one for one in files if not one.name.startswith((".", "~$"))]
    known = [one for one in seen if _is_known(one.name)]
    if not known:
        raise InputError(
            f"{folder} is a folder without any file of offers",
            expected="files ending in " + ", ".join(sorted(READ_SUFFIXES)) + " (or those with .gz)",
            hint="Files in folders inside it are not looked for: name that folder.",
        )
    if left := len(seen) - len(known):
        note(f"{folder}: {plural(left, 'file')} of other kinds left out")
    return [str(one) for one in known]


def _is_known(name: str) -> bool:
    lower = name.lower()
    return not lower.endswith(_SIDECAR) and Path(lower.removesuffix(".gz")).suffix in READ_SUFFIXES


def _pattern(name: str) -> list[str]:
    path = Path(name)
    found = sorted(str(one) for one in path.parent.glob(path.name) if one.is_file())
    if not found:
        raise InputError(f"no file matches {name}")
    return found


def _once_each(names: list[str], note: Note) -> list[str]:
    kept: dict[str, str] = {}
    for name in names:
        key = name if name == "-" else os.path.realpath(name)
        if key in kept and name == "-":
            raise UsageError("standard input (-) was given twice")
        if key in kept:
            note(f"{name} was given twice; it is read once")
            continue
        kept[key] = name
    return list(kept.values())
