"""Three passes over offers: keys of all, shingles of what may be a copy, then the marked rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.dedupe.clusters import Marks, contested, mark_duplicates
from aiskills.dedupe.offers import UNKNOWN_DAY, OfferKeys, joined, offer_keys
from aiskills.dedupe.shingles import TextKeys, shingle_sets, text_keys
from aiskills.errors import InputError, OutputError, UsageError
from aiskills.hashing import Keys

if TYPE_CHECKING:
    from types import TracebackType

    from aiskills.files import Chunk

#: The column that is added.
COLUMN: Final = "ai_duplicate_of"
#: Chunks that are handed to each process at a time.
_CHUNKS_PER_JOB: Final = 3
#: Below this similarity MinHash bands would miss more than one pair in a hundred.
LEAST_THRESHOLD: Final = 0.7

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What counts as a repost.

    Attributes:
        window_days: Most days between an offer and the latest one before it in its cluster.
        threshold: Jaccard similarity of shingles from which a text is a near-copy.
        same: Fields or columns in which reposts must agree besides their text.
        any_place: Whether the same text for another region is a repost too.

    Raises:
        UsageError: A number is out of its range.
    """

    window_days: int = 90
    threshold: float = 0.8
    same: tuple[str, ...] = ()
    any_place: bool = False

    def __post_init__(self) -> None:
        if self.window_days < 0:
            raise UsageError(f"a window of {self.window_days} days", expected="0 or more")
        if not LEAST_THRESHOLD <= self.threshold <= 1:
            raise UsageError(
                f"a threshold of {self.threshold:g}", expected=f"{LEAST_THRESHOLD} to 1"
            )


@dataclass(frozen=True, slots=True)
class Reposts:
    """What was found in a set of offers.

    Attributes:
        uid: Identifiers of all offers.
        marks: Which offer repeats which.
        undated: Offers without a date.
        compared: Different texts that were read a second time.
    """

    uid: pa.LargeStringArray
    marks: Marks
    undated: int
    compared: int

    def column(self, start: int = 0, count: int | None = None) -> pa.Array:
        """`ai_duplicate_of` of some rows: the original's identifier, null for originals."""
        rows = self.marks.original[start : None if count is None else start + count]
        return self.uid.take(pa.array(rows, mask=rows < 0)).cast(pa.string())


def find_reposts(
    chunks: Iterable[Chunk], settings: Settings, *, jobs: int = 1, tell: Tell = lambda _: None
) -> Reposts:
    """Find the reposts among offers.

    Args:
        chunks: All offers; iterated twice, so a reader of files or a list.
        settings: What counts as a repost.
        jobs: Processes that make keys; the answer is the same for any number.
        tell: Told what is being done.

    Returns:
        The same answer for any cutting into chunks and any order of the rows (but which of two rows
        alike in date, identifier, source, employer, place and text is called the original).

    Raises:
        InputError: A file changed meanwhile.
        UsageError: The settings name a column that is not there.
        OutputError: There is no room for a temporary file.
    """
    parts: list[OfferKeys] = []
    rows = 0
    for chunk, texts in _text_keys(chunks, jobs):
        parts.append(_offer_keys(chunk, texts, settings))
        rows += len(chunk.table)
        tell(f"first reading: {rows:,} offers")
    keys = joined(parts)
    parts.clear()
    again = contested(keys)
    with ShingleStore(keys.text[again]) as store:
        for done in _fill(store, chunks, again, len(keys)):
            tell(f"second reading: {done:,} of {len(again):,} texts that may be copies")
        tell("comparing")
        marks = mark_duplicates(
            keys,
            store.get,
            again,
            window_days=settings.window_days,
            threshold=settings.threshold,
        )
    undated = int((keys.day == UNKNOWN_DAY).sum())
    uid = keys.uid.combine_chunks()
    return Reposts(uid, marks, undated, len(again))


def with_reposts(chunks: Iterable[Chunk], reposts: Reposts) -> Iterator[pa.Table]:
    """The tables of the chunks with `ai_duplicate_of` behind their columns.

    Raises:
        InputError: A file changed since it was read first.
    """
    return _with_column(chunks, len(reposts.uid), reposts.column)


def with_column(chunks: Iterable[Chunk], column: pa.StringArray) -> Iterator[pa.Table]:
    """The tables of the chunks with their `ai_duplicate_of`, found elsewhere, behind their columns.

    Raises:
        InputError: There are more or fewer rows than the column has.
    """
    return _with_column(chunks, len(column), column.slice)


def _with_column(
    chunks: Iterable[Chunk], rows: int, column: Callable[[int, int], pa.Array]
) -> Iterator[pa.Table]:
    start = 0
    for chunk in chunks:
        table = chunk.table
        _check_unchanged(start + len(table) <= rows)
        if COLUMN in table.column_names:
            table = table.drop_columns([COLUMN])
        yield table.append_column(pa.field(COLUMN, pa.string()), column(start, len(chunk.table)))
        start += len(chunk.table)
    _check_unchanged(start == rows)


class ShingleStore:
    """Sorted shingles of texts in a temporary file, so that memory does not grow with them.

    Args:
        texts: Keys of the texts, in the order in which their shingles will be added.
    """

    def __init__(self, texts: Keys) -> None:
        self._order = np.argsort(texts)
        self._texts = texts[self._order]
        self._offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        self._added = 0
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, shingles: Keys) -> None:
        """Keep the shingles of the next text.

        Raises:
            OutputError: The disk is full.
        """
        try:
            self._file.write(shingles.tobytes())
        except OSError as error:
            raise OutputError(
                f"the temporary folder {tempfile.gettempdir()} takes no more ({error.strerror})",
                hint="Set TMPDIR to a folder with more room.",
            ) from error
        self._added += 1
        self._offsets[self._added] = self._offsets[self._added - 1] + shingles.nbytes

    def get(self, text: int) -> Keys:
        """The shingles of a text."""
        number = self._order[np.searchsorted(self._texts, np.uint64(text))]
        start, end = self._offsets[number : number + 2].tolist()
        self._file.seek(start)
        return np.frombuffer(self._file.read(end - start), dtype=np.uint64)


def _fill(
    store: ShingleStore, chunks: Iterable[Chunk], rows: NDArray[np.int64], total: int
) -> Iterator[int]:
    """Add the shingles of some rows; gives how many are done after each chunk."""
    if not len(rows):
        return
    start = done = 0
    for chunk in chunks:
        end = start + len(chunk.table)
        stop = int(np.searchsorted(rows, end))
        if stop > done:
            table = chunk.table.take(pa.array(rows[done:stop] - start))
            for shingles in shingle_sets(*_texts(table, chunk)):
                store.add(shingles)
            done = stop
            yield done
        start = end
    _check_unchanged(start == total and done == len(rows))


def _check_unchanged(same: bool) -> None:  # noqa: FBT001 (a condition)
    if not same:
        raise InputError(
            "an input changed while it was read", expected="files that stay as they are"
        )


def _offer_keys(chunk: Chunk, texts: TextKeys, settings: Settings) -> OfferKeys:
    return offer_keys(
        chunk.table, chunk.fields, texts, same=settings.same, any_place=settings.any_place
    )


def _texts(table: pa.Table, chunk: Chunk) -> tuple[pa.Array, pa.Array]:
    return chunk.fields.extract(table, "title"), chunk.fields.extract(table, "description")


def _text_keys(chunks: Iterable[Chunk], jobs: int) -> Iterator[tuple[Chunk, TextKeys]]:
    """Chunks with the keys of their texts, in order."""
    if jobs == 1:
        for chunk in chunks:
            yield chunk, text_keys(*_texts(chunk.table, chunk))
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", inner_max_num_threads=1), Parallel(n_jobs=jobs) as workers:
        # Some chunks at a time: read further ahead, they would pile up in memory.
        for group in _groups(chunks, _CHUNKS_PER_JOB * jobs):
            found = workers(delayed(text_keys)(*_texts(chunk.table, chunk)) for chunk in group)
            yield from zip(group, found, strict=True)


def _groups(chunks: Iterable[Chunk], size: int) -> Iterator[list[Chunk]]:
    every = iter(chunks)
    while group := list(islice(every, size)):
        yield group
