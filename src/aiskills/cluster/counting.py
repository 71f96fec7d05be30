"""Measure: workers count, each whole files; cells, intervals and corrections are made here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aiskills.cluster.addresses import expand_addresses, is_address, open_address
from aiskills.cluster.engines import Engine
from aiskills.cluster.reposts import in_order
from aiskills.errors import UsageError
from aiskills.estimate.counts import Batch, batches_of
from aiskills.estimate.plan import Plan
from aiskills.estimate.scored import Scored, open_scored
from aiskills.files.inputs import expand_inputs
from aiskills.files.notes import Note, ignore

#: Rows read at a time from behind an address.
_REMOTE_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Shared:
    chosen: pa.Array | None
    encoding: str | None
    separator: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan on its way to a worker, which opens the offers itself.

    Attributes:
        source: Path or address; empty where the offers travel along.
        parts: The attributes of the plan but its file.
        again: Ids of offers to leave out.
    """

    source: str
    parts: Mapping[str, Any]
    again: pa.Array | None

    @classmethod
    def of(cls, plan: Plan, again: pa.Array | None, source: str = "") -> Asked:
        """What travels of a plan."""
        names = ("question", "keys", "fields", "read", "dedupe", "uid")
        return cls(source, {name: getattr(plan, name) for name in names}, again)

    def batches(self, scored: Scored, chosen: pa.Array | None) -> list[Batch]:
        """What the offers come to, batch by batch."""
        return list(batches_of(Plan(scored, **self.parts), chosen, self.again))


def scored_files(inputs: Sequence[str], note: Note = ignore) -> list[str]:
    """Full paths or addresses of files of scored offers.

    Raises:
        InputError: There is none.
        UsageError: Standard input, or paths and addresses together.
    """
    remote = [is_address(name) for name in inputs]
    if any(remote) and not all(remote):
        raise UsageError("paths and addresses together", expected="one or the other")
    if "-" in inputs:
        raise UsageError("standard input cannot be shared out", expected="files or folders")
    if any(remote):
        return expand_addresses(inputs)
    return [str(Path(one).resolve()) for one in expand_inputs(inputs, note)]


def open_files(
    sources: Sequence[str], encoding: str | None, separator: str | None, note: Note = ignore
) -> list[Scored]:
    """Opens scored offers behind paths or addresses.

    Raises:
        InputError: A file is missing, damaged or no table.
    """
    if not any(map(is_address, sources)):
        return open_scored(list(sources), encoding=encoding, separator=separator, note=note)
    return [_remote(source) for source in sources]


def _remote(address: str) -> Scored:
    table = open_address(address)
    metadata = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in (table.schema.metadata or {}).items()
        if key.startswith(b"aiskills_")
    }

    def read(columns: list[str]) -> Iterator[pa.Table]:
        for batch in table.batches(_REMOTE_ROWS):
            yield batch.select(columns)

    return Scored(address, table.schema.names, metadata, read, table.close)


class OnEngine:
    """Counts the offers of files on an engine; a `aiskills.estimate.counts.Counter`.

    Args:
        engine: Does the files, one after the other or many at a time.
        sources: Full path or address of each file.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
    """

    def __init__(
        self, engine: Engine, sources: Sequence[str], encoding: str | None, separator: str | None
    ) -> None:
        self._engine = engine
        self._sources = sources
        self._encoding = encoding
        self._separator = separator

    def __call__(
        self,
        plans: Sequence[Plan],
        chosen: pa.Array | None,
        skip: Mapping[str, pa.Array] | None,
    ) -> Iterator[Batch]:
        """The batches of all files in order, so that sums are the same to the last bit."""
        asked = [
            Asked.of(plan, (skip or {}).get(plan.scored.name), source)
            for plan, source in zip(plans, self._sources, strict=True)
        ]
        shared = _Shared(chosen, self._encoding, self._separator)
        for found in in_order(self._engine.map(_count, shared, asked)):
            yield from found


def _count(shared: _Shared, asked: Asked) -> list[Batch]:
    (scored,) = open_files([asked.source], shared.encoding, shared.separator)
    with closing(scored):
        return asked.batches(scored, shared.chosen)
