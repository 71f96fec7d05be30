"""Small text files that are written whole or not at all, several together."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from aiskills.errors import OutputError


def check_places(paths: Iterable[Path], inputs: Iterable[str | Path], *, force: bool) -> None:
    """Checks that files can be written, before the work begins.

    Args:
        paths: Where they go.
        inputs: What is read, which is never written over; `-` among them is standard input.
        force: Whether existing files may be replaced.

    Raises:
        OutputError: A folder is missing, or a file exists or is an input.
    """
    read = {Path(one).resolve() for one in inputs if str(one) != "-"}
    for path in paths:
        if not path.parent.is_dir():
            raise OutputError(f"{path}: the folder {path.parent} does not exist")
        if path.is_dir():
            raise OutputError(f"{path} is a folder", expected="a file name")
        if path.resolve() in read:
            raise OutputError(f"{path} is one of the inputs", expected="another file name")
        if path.exists() and not force:
            raise OutputError(f"{path} exists", hint="Use --force to replace it.")


def write_files(texts: Mapping[Path, str]) -> None:
    """Writes texts as UTF-8 with newlines as they are, each through a temporary file beside it.

    Args:
        texts: What goes where; the path `-` is standard output.

    Raises:
        OutputError: A file cannot be written; what was there before stays.
    """
    for path, text in texts.items():
        if str(path) == "-":
            sys.stdout.write(text)
            continue
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            temporary.write_bytes(text.encode("utf-8", "replace"))
            temporary.replace(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}") from None
        finally:
            temporary.unlink(missing_ok=True)
