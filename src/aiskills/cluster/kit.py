"""A setup that travels: the user's own files with it, and what the machine it reaches must find."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiskills.attributes.table import OwnTables
from aiskills.cluster.extra import ClusterError
from aiskills.errors import InputError
from aiskills.pipeline import Setup, provenance

#: One judge serves a process; it is not made for two threads at a time.
JUDGING: Final = threading.Lock()
_UNPACKED: dict[str, Setup] = {}
_UNPACKING: Final = threading.Lock()
_FILES: Final = ("model", "lexicon", "siret_idcc", "naf2025")


@dataclass(frozen=True, slots=True)
class Kit:
    """What a machine needs to judge as this one does.

    The model that ships is on every machine already; a model, lexicon or table of the user's own
    travels as bytes and is laid out once in each process.

    Attributes:
        setup: The setup on the machine that packed it.
        versions: Versions and hashes that the judge must have (`aiskills.pipeline.provenance`).
        files: For each of the user's own files the bytes by path; a folder has several.
        digest: Of all files; empty if there is none.
    """

    setup: Setup
    versions: Mapping[str, str]
    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def pack(cls, setup: Setup, *, travels: bool) -> Kit:
        """Opens the model here and takes the user's own files along.

        Args:
            setup: What the judge is made from.
            travels: Whether other machines must do without this machine's files.

        Raises:
            ModelError: The model folder cannot be opened.
            LexiconError: The lexicon has mistakes.
            InputError: One of the user's own tables cannot be read.
        """
        versions = provenance(setup.judge())
        files: dict[str, dict[str, bytes]] = {}
        for name, place in zip(_FILES, _places(setup), strict=True):
            if travels and place is not None:
                files[name] = _bytes_of(Path(place))
        total = sha256()
        for name, content in files.items():
            for path, data in sorted(content.items()):
                total.update(f"{name}\0{path}\0{len(data)}\0".encode() + data)
        return cls(setup, versions, files, total.hexdigest() if files else "")

    def unpack(self) -> Setup:
        """The setup on this machine, checked: the same versions of package, model and lexicon.

        Raises:
            ClusterError: They differ.
        """
        setup = self.setup
        if self.digest:
            with _UNPACKING:
                if self.digest not in _UNPACKED:
                    _UNPACKED[self.digest] = self._laid_out()
            # What was laid out depends on the files alone; thresholds belong to this run.
            setup = replace(_UNPACKED[self.digest], thresholds=setup.thresholds)
        with JUDGING:
            found = provenance(setup.judge())
        for name, wanted in self.versions.items():
            if found.get(name) != wanted:
                raise ClusterError(
                    f"a worker has {name} {found.get(name, 'none')}, this machine has {wanted}",
                    expected="the same versions everywhere",
                    hint="Install the same aiskills on all machines.",
                )
        return setup

    def _laid_out(self) -> Setup:
        folder = Path(tempfile.mkdtemp(prefix="aiskills-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        places: dict[str, str] = {}
        for name, content in self.files.items():
            for path, data in content.items():
                target = folder / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            single = len(content) == 1 and name != "model"
            places[name] = str(folder / name / next(iter(content)) if single else folder / name)
        return replace(
            self.setup,
            model=places.get("model"),
            lexicon=places.get("lexicon"),
            own=OwnTables(places.get("siret_idcc"), places.get("naf2025")),
        )


def _places(setup: Setup) -> tuple[str | None, ...]:
    return setup.model, setup.lexicon, setup.own.siret_idcc, setup.own.naf2025


def _bytes_of(place: Path) -> dict[str, bytes]:
    """Bytes by path below a folder, or of one file by its name."""
    try:
        if place.is_dir():
            inside = sorted(one for one in place.rglob("*") if one.is_file())
            return {one.relative_to(place).as_posix(): one.read_bytes() for one in inside}
        return {place.name: place.read_bytes()}
    except OSError as error:
        raise InputError(f"{place} cannot be read ({error.strerror})") from error
