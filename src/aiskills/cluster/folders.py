"""Folders of results: they appear whole, and a run that was stopped is taken up again.

Parts are written one by one under their final names, each whole or not at all. On a local or shared
disk they gather in a hidden folder beside the target that takes its place at the end; behind an
address, where nothing can be renamed in one step, they gather in place, and `.aiskills.json` says
when all are there.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from aiskills.cluster.addresses import file_system, is_address
from aiskills.errors import OutputError
from aiskills.files import OutputWriter, open_output
from aiskills.files.notes import Note, listing

#: What a folder of results tells about itself. Hidden, so that no reader takes it for a table.
MANIFEST: Final = ".aiskills.json"
_PART: Final = re.compile(r"part-\d{5,}\.parquet")
_TEMPORARY: Final = re.compile(r"\.part-\d{5,}\.parquet\.[0-9a-f]+\.tmp")


def plan_of(*what: Any) -> str:
    """A name for exactly this work on exactly these inputs: runs of the same name may continue."""
    return sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


def open_folder(target: str, *, force: bool = False) -> Folder:
    """The folder of results at a path or address; nothing is created yet.

    Args:
        target: A path or an address.
        force: Whether results that are there may be replaced.
    """
    if is_address(target):
        return _Remote(target.rstrip("/"), force)
    path = Path(target).resolve()
    return _Local(target, str(path), str(path.with_name(f".{path.name}.partial")), force)


class Folder(ABC):
    """Where parts go; small, so that it travels."""

    @abstractmethod
    def begin(self, plan: str, *, inputs: Sequence[str], note: Note) -> frozenset[str]:
        """Makes ready for a run.

        Args:
            plan: Name of the work (`plan_of`).
            inputs: Full paths or addresses of what is read.
            note: Told when a stopped run is taken up again.

        Returns:
            Names of the parts that an earlier run of the same work has left.

        Raises:
            OutputError: Results are there, or files that are none; an input is in it.
        """

    @abstractmethod
    def write(self, name: str, plan: str, metadata: Mapping[str, str]) -> Any:
        """A context that gives the writer of one part, which appears whole when left normally.

        Raises:
            OutputError: It cannot be written, or another run has taken the folder over.
        """

    @abstractmethod
    def finish(self, plan: str, names: Iterable[str], metadata: Mapping[str, str]) -> None:
        """Ends a run: exactly these parts are there, and the folder says so.

        Raises:
            OutputError: A part is missing.
        """


@dataclass(frozen=True, slots=True)
class _Local(Folder):
    """A folder on a disk that all workers see under the same path."""

    given: str
    target: str
    partial: str
    force: bool

    def begin(self, plan: str, *, inputs: Sequence[str], note: Note) -> frozenset[str]:
        target, partial = Path(self.target), Path(self.partial)
        if not target.parent.is_dir():
            raise OutputError(
                f"{self.given}: the folder {target.parent} does not exist", hint="Create it first."
            )
        if target.exists() and not target.is_dir():
            raise OutputError(f"{self.given} is a file", expected="a folder")
        if any(target in Path(one).parents for one in inputs):
            raise OutputError(
                f"{self.given} holds some of the inputs", expected="another folder for the results"
            )
        there = [one.name for one in target.iterdir()] if target.exists() else []
        _check_replaceable(self.given, there, force=self.force)
        try:
            if _plan_in(partial / MANIFEST) == plan:
                done = frozenset(one.name for one in partial.iterdir() if _PART.fullmatch(one.name))
                if done:
                    note(f"{self.given}: goes on where a run was stopped ({len(done):,} parts)")
                return done
            if partial.exists():
                note(f"{self.given}: what another run had begun is removed")
                shutil.rmtree(partial)
            partial.mkdir()
            _write_whole(partial / MANIFEST, _manifest(plan, (), {}, complete=False))
        except OSError as error:
            raise _explained(self.given, error) from error
        return frozenset()

    @contextlib.contextmanager
    def write(self, name: str, plan: str, metadata: Mapping[str, str]) -> Iterator[OutputWriter]:
        # The same part may be written twice, when a worker was only thought dead: both write the
        # same bytes, and each puts them in place in one step.
        path = Path(self.partial) / name
        with open_output(path, force=True, metadata=metadata) as writer:
            yield writer
            if _plan_in(Path(self.partial) / MANIFEST) != plan:
                raise _taken(self.given)

    def finish(self, plan: str, names: Iterable[str], metadata: Mapping[str, str]) -> None:
        target, partial = Path(self.target), Path(self.partial)
        wanted = sorted(names)
        try:
            if _plan_in(partial / MANIFEST) != plan:
                raise _taken(self.given)
            found = {one.name for one in partial.iterdir()}
            _check_whole(self.given, wanted, found)
            for name in found:
                if _TEMPORARY.fullmatch(name):  # of a worker that was killed
                    (partial / name).unlink(missing_ok=True)
            _write_whole(partial / MANIFEST, _manifest(plan, wanted, metadata, complete=True))
            old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
            if target.exists():
                target.rename(old)
            partial.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise _explained(self.given, error) from error


@dataclass(frozen=True, slots=True)
class _Remote(Folder):
    """A folder behind an address."""

    target: str
    force: bool

    def begin(self, plan: str, *, inputs: Sequence[str], note: Note) -> frozenset[str]:
        if any(one.startswith(f"{self.target}/") for one in inputs):
            raise OutputError(
                f"{self.target} holds some of the inputs", expected="another place for the results"
            )
        system, path = file_system(self.target)
        try:
            there = self._names(system, path)
            manifest = self._manifest(system, path)
            if manifest.get("plan") == plan and not manifest.get("complete"):
                done = frozenset(name for name in there if _PART.fullmatch(name))
                if done:
                    note(f"{self.target}: goes on where a run was stopped ({len(done):,} parts)")
                return done
            _check_replaceable(self.target, there, force=self.force)
            # The manifest goes first: without one nothing is taken for parts of this run.
            for name in sorted(there, key=lambda name: name != MANIFEST):
                system.rm_file(f"{path}/{name}")
            system.makedirs(path, exist_ok=True)
            system.pipe_file(f"{path}/{MANIFEST}", _manifest(plan, (), {}, complete=False))
        except OSError as error:
            raise _explained(self.target, error) from error
        return frozenset()

    @contextlib.contextmanager
    def write(self, name: str, plan: str, metadata: Mapping[str, str]) -> Iterator[OutputWriter]:
        with tempfile.TemporaryDirectory(prefix="aiskills-") as folder:
            here = Path(folder) / name
            with open_output(here, metadata=metadata) as writer:
                yield writer
            system, path = file_system(self.target)
            hidden = f"{path}/.{name}.{secrets.token_hex(4)}.tmp"
            try:
                if self._manifest(system, path).get("plan") != plan:
                    raise _taken(self.target)
                system.put_file(str(here), hidden)
                system.mv(hidden, f"{path}/{name}")
            except OSError as error:
                with contextlib.suppress(OSError):
                    system.rm_file(hidden)
                raise _explained(self.target, error) from error

    def finish(self, plan: str, names: Iterable[str], metadata: Mapping[str, str]) -> None:
        system, path = file_system(self.target)
        wanted = sorted(names)
        try:
            if self._manifest(system, path).get("plan") != plan:
                raise _taken(self.target)
            found = set(self._names(system, path))
            _check_whole(self.target, wanted, found)
            for name in found:
                if _TEMPORARY.fullmatch(name):
                    system.rm_file(f"{path}/{name}")
            system.pipe_file(f"{path}/{MANIFEST}", _manifest(plan, wanted, metadata, complete=True))
        except OSError as error:
            raise _explained(self.target, error) from error

    @staticmethod
    def _names(system: Any, path: str) -> list[str]:
        system.invalidate_cache(path)
        if not system.isdir(path):
            return []
        return [PurePosixPath(one).name for one in system.ls(path, detail=False)]

    @staticmethod
    def _manifest(system: Any, path: str) -> dict[str, Any]:
        try:
            found = json.loads(system.cat_file(f"{path}/{MANIFEST}"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _manifest(
    plan: str, names: Sequence[str], metadata: Mapping[str, str], *, complete: bool
) -> bytes:
    told = {"plan": plan, "complete": complete, "parts": list(names), **metadata}
    return (json.dumps(told, indent=1) + "\n").encode()


def _plan_in(path: Path) -> str | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found.get("plan") if isinstance(found, dict) else None


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _check_replaceable(name: str, there: Sequence[str], *, force: bool) -> None:
    """Results may be replaced with --force, other files never."""
    ours = (_PART, _TEMPORARY, re.compile(re.escape(MANIFEST)))
    foreign = sorted(one for one in there if not any(form.fullmatch(one) for form in ours))
    if foreign:
        raise OutputError(
            f"{name} holds files that are no parts of a result ({listing(foreign, most=3)})",
            expected="an empty or new folder",
        )
    if there and not force:
        raise OutputError(f"{name} exists", hint="Use --force to replace it.")


def _check_whole(name: str, wanted: Sequence[str], found: set[str]) -> None:
    missing = [one for one in wanted if one not in found]
    odd = sorted(one for one in found if _PART.fullmatch(one) and one not in set(wanted))
    if missing or odd:
        raise OutputError(
            f"{name}: parts are missing or too many ({listing(missing or odd, most=3)})",
            hint="Run the same command again.",
        )


def _taken(name: str) -> OutputError:
    return OutputError(
        f"{name}: another run has begun to write there", expected="one run at a time"
    )


def _explained(name: str, error: OSError) -> OutputError:
    return OutputError(f"{name} cannot be written ({error.strerror or error})")
