"""Where the bytes of an input come from: a file, a .gz, standard input.

Whatever it is, it can be read several times from its start: standard input and compressed
Parquet or Excel files are copied to a temporary file first.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tempfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aiskills.errors import InputError
from aiskills.files import limits
from aiskills.files.notes import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Buffer

_HEAD_BYTES = 8192
_SPOOL_BYTES = 64 * 2**20  # kept in memory up to here, on disk above


class _Raw(io.RawIOBase):
    """Reads a file at a position of its own, and tells how far it got.

    Args:
        file: What is read; several readers may share it.
        owned: Whether closing this reader closes the file too.
    """

    def __init__(self, file: IO[bytes], *, owned: bool) -> None:
        self._file = file
        self._owned = owned
        self.position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self.position
            whence = io.SEEK_SET
        self.position = self._file.seek(offset, whence)
        return self.position

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        self._file.seek(self.position)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self.position += len(data)
        return len(data)

    def close(self) -> None:
        if self._owned and not self.closed:
            self._file.close()
        super().close()


class Origin:
    """One input, its name for people and its bytes.

    Attributes:
        name: What messages call it: the path as the user gave it, or `stdin`.
        path: The file, None for standard input and for expanded copies.
        size: Bytes on disk (compressed, when it is).
        gz: Whether the bytes are gzip-compressed; `open` gives them expanded.
        head: The first expanded bytes, 8,192 at most.
    """

    def __init__(self, name: str, *, path: Path | None = None, spool: IO[bytes] | None = None):
        self.name = name
        self.path = path
        self._spool = spool
        self._raw: _Raw | None = None
        self.gz = False
        try:
            with self._plain() as plain:
                self.size = plain.seek(0, io.SEEK_END)
                plain.seek(0)
                self.gz = self._guarded(plain, 2) == b"\x1f\x8b"
            with self.open() as stream:
                self.head = self._guarded(stream, _HEAD_BYTES)
        except BaseException:
            self.close()
            raise

    @property
    def suffix(self) -> str:
        """The suffix that tells the format, lower case, `.gz` taken off; empty for stdin."""
        if self.path is None:
            return ""
        name = self.path.name.lower()
        return Path(name.removesuffix(".gz")).suffix

    @property
    def bytes_read(self) -> int:
        """How far the last opened stream has got, in bytes on disk."""
        return self._raw.position if self._raw is not None else 0

    def _plain(self) -> io.BufferedReader:
        if self._spool is not None:
            self._raw = _Raw(self._spool, owned=False)
        else:
            self._raw = _Raw(_open_path(self.name, self.path), owned=True)
        return io.BufferedReader(self._raw, 2**18)

    def open(self) -> io.BufferedIOBase:
        """Open the expanded bytes from their start."""
        plain = self._plain()
        if not self.gz:
            return plain
        return _ClosingGzip(plain)

    def blocks(self) -> Iterator[bytes]:
        """Give all expanded bytes, a block at a time.

        Raises:
            InputError: A .gz is damaged, or expands beyond the bounds of `limits`.
        """
        done = 0
        with self.open() as stream:
            while block := self._guarded(stream, limits.BLOCK_BYTES):
                done += len(block)
                if (
                    self.gz
                    and done > limits.MAX_GZ_BYTES
                    and done > limits.MAX_GZ_RATIO * self.size
                ):
                    raise InputError(
                        f"{self.name} expands to more than {limits.MAX_GZ_RATIO} times its size",
                        expected="a .gz of ordinary text",
                        hint="Check where it comes from; expand it by hand if you trust it.",
                    )
                yield block

    def seekable(self) -> Origin:
        """Return an origin whose bytes are not compressed (itself when they are not)."""
        if not self.gz:
            return self
        expanded = Origin(self.name, spool=_spooled(self.blocks()))
        self.close()
        return expanded

    def close(self) -> None:
        """Drop the temporary copy, if there is one."""
        if self._spool is not None:
            self._spool.close()

    def _guarded(self, stream: io.BufferedIOBase, size: int) -> bytes:
        try:
            return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.name} is a damaged .gz ({error})",
                hint="Copy or download it again.",
            ) from error
        except OSError as error:
            raise InputError(f"{self.name} cannot be read ({error.strerror or error})") from error


class _ClosingGzip(gzip.GzipFile):
    """A GzipFile that closes the stream under it as well."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._under = stream
        super().__init__(fileobj=stream, mode="rb")

    def close(self) -> None:
        super().close()
        self._under.close()


def _spooled(blocks: Iterable[bytes]) -> IO[bytes]:
    """Copy blocks to a temporary file, in memory as long as it is small."""
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 (given away)
    try:
        for block in blocks:
            spool.write(block)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool


def _blocks_of(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(limits.BLOCK_BYTES):
        yield block


def _open_path(name: str, path: Path | None) -> IO[bytes]:
    assert path is not None  # noqa: S101 (an origin has a path or a spool)
    try:
        if path.is_dir():
            raise InputError(f"{name} is a directory", expected="a file")
        return path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist", hint=_near_names(path)) from error
    except PermissionError as error:
        raise InputError(
            f"{name} may not be read (permission denied)",
            hint="Check its rights, or close the program that has it open.",
        ) from error
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # a NUL inside the path
        raise InputError(f"{name!r} is not a path") from error


def _near_names(path: Path) -> str:
    try:
        return did_you_mean(path.name, [one.name for one in path.parent.iterdir()])
    except OSError:
        return ""


def from_stdin() -> Origin:
    """Copy standard input to a temporary file and return it as an origin.

    Raises:
        InputError: There is no standard input, or nothing came.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InputError("there is no standard input to read")
    return Origin("stdin", spool=_spooled(_blocks_of(stream)))


def from_path(given: str | os.PathLike[str]) -> Origin:
    """Return the origin for one path, or for `-`.

    Raises:
        InputError: It does not exist, is a directory or may not be read.
    """
    name = os.fspath(given)
    if name == "-":
        return from_stdin()
    path = Path(name)
    if path.is_fifo() or path.is_char_device():  # <(command), /dev/stdin: read once only
        with _open_path(name, path) as stream:
            return Origin(name, spool=_spooled(_blocks_of(stream)))
    return Origin(name, path=path)
