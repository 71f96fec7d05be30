"""Results to files: a file appears whole or not at all, and never over what must stay."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

import pyarrow as pa

from aiskills.errors import OutputError, UsageError
from aiskills.files.detect import FORMATS
from aiskills.files.encode import (
    CsvEncoder,
    CsvStyle,
    Encoder,
    ExcelEncoder,
    JsonEncoder,
    JsonLinesEncoder,
    ParquetEncoder,
    sidecar_bytes,
)
from aiskills.files.notes import did_you_mean, ignore, listing
from aiskills.files.stops import stops_held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from aiskills.files.notes import Note

_STREAMED: Final = ("csv", "tsv", "jsonl", "json")  # may be compressed, may go to stdout
_BY_SUFFIX: Final = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes}
_KNOWN: Final = ", ".join(_BY_SUFFIX) + " (text formats also with .gz)"
_SIDECAR: Final = ".meta.json"


def open_output(
    target: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 (the name the command line and users know)
    csv_style: CsvStyle = CsvStyle.PLAIN,
    force: bool = False,
    inputs: Sequence[str | os.PathLike[str]] = (),
    metadata: Mapping[str, str] | None = None,
    note: Note = ignore,
) -> OutputWriter:
    """Check that a result can be written where it is asked for; nothing is created yet.

    Args:
        target: The file, `-` for standard output.
        format: One of `FORMATS`; None to take it from the suffix (`csv` for `-`).
        csv_style: How CSV and TSV are written. The apostrophe before text that a spreadsheet could
            run as a formula is taken off again by `open_offers` and `read_table`.
        force: Whether an existing file may be replaced. An input never is.
        inputs: Files, folders or `-` that were read.
        metadata: Versions and settings: in the schema of a Parquet file, beside any other file
            in `<name>.meta.json`, nowhere for standard output.
        note: Takes one line for each thing the user should know.

    Raises:
        OutputError: The folder is missing or may not be written; the file exists, is an input or
            no ordinary file.
        UsageError: The format is unknown, or the options do not go together.
    """
    name = os.fspath(target)
    metadata = dict(metadata or {})
    kind, packed = _format_of(name, format)
    allowed = {
        CsvStyle.PLAIN: FORMATS,
        CsvStyle.EXCEL_FR: ("csv", "xlsx"),
        CsvStyle.RAW: ("csv", "tsv"),
    }[csv_style]
    if kind not in allowed:
        asked = "--excel-fr" if csv_style is CsvStyle.EXCEL_FR else "--raw-cells"
        raise UsageError(
            f"{name}: {asked} with the format {kind}",
            expected="csv" if csv_style is CsvStyle.EXCEL_FR else "csv or tsv",
        )
    if name == "-":
        return OutputWriter(
            None,
            kind,
            packed=False,
            csv_style=csv_style,
            force=True,
            metadata={},
            note=note,
        )
    path = Path(name)
    if path.is_symlink():
        path = path.resolve()  # write through the link instead of replacing it
    beside = [] if kind == "parquet" or not metadata else [_sidecar(path)]
    _check_place(path, name, inputs, force=force)
    for one in beside:
        _check_place(one, str(one), inputs, force=force)
    return OutputWriter(
        path,
        kind,
        packed=packed,
        csv_style=csv_style,
        force=force,
        metadata=metadata,
        note=note,
    )


def _format_of(name: str, given: str | None) -> tuple[str, bool]:
    """Return the format and whether it is compressed."""
    if given is not None and given not in FORMATS:
        raise UsageError(
            f"the format '{given}' is unknown",
            expected="one of " + ", ".join(FORMATS),
            hint=did_you_mean(given, list(FORMATS)),
        )
    if name == "-":
        if given in {"parquet", "xlsx"}:
            raise UsageError(f"{given} cannot go to standard output", expected="csv or jsonl")
        return given or "csv", False
    lower = Path(name).name.lower()
    packed = lower.endswith(".gz")
    kind = given or _BY_SUFFIX.get(Path(lower.removesuffix(".gz")).suffix)
    if kind is None:
        raise UsageError(
            f"{name}: its suffix tells no format", expected=_KNOWN, hint="Or name it with --format."
        )
    if packed and kind not in _STREAMED:
        raise UsageError(f"{name}: {kind} is compressed by itself", expected="the name without .gz")
    return kind, packed


def _check_place(
    path: Path, name: str, inputs: Sequence[str | os.PathLike[str]], *, force: bool
) -> None:
    folder = path.parent
    try:
        if not folder.is_dir():
            raise OutputError(
                f"{name}: the folder {folder} does not exist", hint="Create it first."
            )
        if path.is_dir():
            raise OutputError(f"{name} is a folder", expected="a file name")
        exists = path.exists()
    except OSError as error:
        raise _explained(name, error) from error
    if exists:
        if not path.is_file():
            raise OutputError(
                f"{name} is no ordinary file", hint="Write to standard output with - instead."
            )
        for one in _files_of(inputs):
            if _is_same(path, one):
                raise OutputError(
                    f"{name} is one of the inputs ({one})", expected="another file name"
                )
        if not force:
            raise OutputError(f"{name} exists", hint="Use --force to replace it.")
        if not os.access(path, os.W_OK):
            raise OutputError(f"{name} may not be written (permission denied)")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{name}: the folder {folder} may not be written (permission denied)")


def _files_of(inputs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    found: list[Path] = []
    for given in inputs:
        path = Path(given)
        with contextlib.suppress(OSError):
            found += [*path.iterdir()] if path.is_dir() else [path]
    return found


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + _SIDECAR)


def _explained(name: str, error: OSError) -> OutputError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutputError(f"{name}: the disk is full", hint="Nothing was left behind.")
    if isinstance(error, PermissionError):
        return OutputError(
            f"{name} may not be written (permission denied)",
            hint="Is it open in another program?",
        )
    return OutputError(f"{name} cannot be written ({error.strerror or error})")


class OutputWriter:
    """Writes tables to one file, inside a `with`.

    The rows go to a hidden temporary file in the same folder. Leaving the `with` normally puts it
    in place in one step; an exception removes it, and what was there before stays.

    Attributes:
        name: What messages call the target.
        format: One of `FORMATS`.
        rows: Rows written so far.
    """

    def __init__(
        self,
        path: Path | None,
        kind: str,
        *,
        packed: bool,
        csv_style: CsvStyle,
        force: bool,
        metadata: Mapping[str, str],
        note: Note,
    ) -> None:
        self.name = "stdout" if path is None else str(path)
        self.format = kind
        self.rows = 0
        self._path = path
        self._packed = packed
        self._csv_style = csv_style
        self._force = force
        self._metadata = metadata
        self._note = note
        self._temporary: Path | None = None
        self._disk: IO[bytes] | None = None
        self._file: IO[bytes] | None = None
        self._encoder: Encoder | None = None
        self._schema: pa.Schema | None = None

    def __enter__(self) -> Self:
        try:
            self._encoder = self._open()
        except BaseException as error:
            self._discard()
            if isinstance(error, OSError):
                raise _explained(self.name, error) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException as failure:
            self._discard()
            if isinstance(failure, (OSError, pa.ArrowException)) and not isinstance(
                failure, BrokenPipeError
            ):
                raise self._failed(failure) from failure
            raise
        self._encoder = None

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table.

        Args:
            table: The columns of the first table written; their order may differ.

        Raises:
            OutputError: The disk is full or the file cannot be written; the columns differ from
                the first table's; more rows than the format holds.
        """
        if self._encoder is None:
            raise ValueError("OutputWriter.write is called outside of its with block")
        try:
            if self._schema is None:
                self._schema = table.schema
                self._encoder.start(table.schema)
            self._encoder.write(self._aligned(table))
        except BrokenPipeError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise self._failed(error) from error
        self.rows += len(table)

    def _aligned(self, table: pa.Table) -> pa.Table:
        schema = self._schema
        if table.schema.equals(schema):
            return table
        assert schema is not None  # noqa: S101 (set by write)
        if sorted(table.column_names) != sorted(schema.names):
            odd = sorted(set(table.column_names) ^ set(schema.names))
            raise OutputError(
                f"{self.name}: tables of different columns ({listing(odd)})",
                expected="the columns of the first table",
            )
        return table.select(schema.names).cast(schema)

    def _failed(self, error: OSError | pa.ArrowException) -> OutputError:
        if isinstance(error, OSError):
            return _explained(self.name, error)
        return OutputError(f"{self.name} cannot be written ({str(error).splitlines()[0]})")

    def _open(self) -> Encoder:
        if self._path is None:
            self._file = sys.stdout.buffer
        else:
            with stops_held():
                self._temporary, self._disk = _open_temporary(self._path)
            self._file = self._disk
            if self._packed:
                # no name and no time inside: the same rows give the same bytes
                self._file = gzip.GzipFile("", "wb", 6, self._disk, mtime=0)  # type: ignore[assignment]
        file = self._file
        assert file is not None  # noqa: S101 (set above)
        match self.format:
            case "csv" | "tsv":
                excel = self._csv_style is CsvStyle.EXCEL_FR
                separator = ";" if excel else "," if self.format == "csv" else "\t"
                return CsvEncoder(file, separator, self._note, self._csv_style)
            case "jsonl":
                return JsonLinesEncoder(file)
            case "json":
                return JsonEncoder(file)
            case "parquet":
                return ParquetEncoder(file, self._metadata)
            case _:
                return ExcelEncoder(str(self._temporary), self.name, self._note)

    def _finish(self) -> None:
        assert self._encoder is not None  # noqa: S101 (set by __enter__)
        if self._schema is None:
            raise OutputError(f"{self.name}: no table was written to it")
        self._encoder.finish()
        if self._path is None or self._disk is None or self._temporary is None:
            sys.stdout.buffer.flush()
            return
        if self._file is not self._disk and self._file is not None:
            self._file.close()
        self._disk.flush()
        os.fsync(self._disk.fileno())
        self._disk.close()
        if not self._force and self._path.exists():  # someone was faster
            raise OutputError(f"{self.name} exists", hint="Use --force to replace it.")
        with stops_held():
            self._put_in_place(self._path, self._temporary)
        _sync_folder(self._path.parent)

    def _put_in_place(self, path: Path, temporary: Path) -> None:
        beside = self._write_sidecar()
        try:
            if self._force and path.exists():
                shutil.copymode(path, temporary)
            temporary.replace(path)
            self._temporary = None
            if beside is not None:
                beside.replace(_sidecar(path))
                beside = None
        finally:
            if beside is not None:
                beside.unlink(missing_ok=True)

    def _write_sidecar(self) -> Path | None:
        """Write the metadata to a temporary file, put in place after the data."""
        if self._path is None or self.format == "parquet" or not self._metadata:
            return None
        path, file = _open_temporary(_sidecar(self._path))
        try:
            with file:
                file.write(sidecar_bytes(self._metadata))
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _discard(self) -> None:
        """Remove what was begun; whatever goes wrong here hides nothing."""
        encoder, self._encoder = self._encoder, None
        with contextlib.suppress(Exception):
            if encoder is not None and self._path is not None:
                encoder.abort()
        for file in (self._file, self._disk):
            if file is not None and self._path is not None:
                with contextlib.suppress(Exception):
                    file.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            self._temporary = None


def _open_temporary(path: Path) -> tuple[Path, IO[bytes]]:
    """Create a hidden file beside a path, with the rights a new file would have."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    return temporary, temporary.open("xb")


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
