"""Titles and other short texts, column-wise: folded, and searched for the phrases of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
import pyarrow as pa
from ahocorasick_rs import BytesAhoCorasick, MatchKind
from numpy.typing import NDArray

from aiskills.phrases.cues import expanded
from aiskills.phrases.inflect import folded_patterns
from aiskills.text import PARTING_BYTE, fold_joined

#: Folded texts are of Windows-1252; what is not ASCII in them (œ, €, …) is of no use here, and one
#: byte a character makes them Arrow strings as they stand.
_ASCII: Final = bytes(
    ord("\n") if code == PARTING_BYTE else code if code < 128 else ord("?") for code in range(256)
)


@dataclass(frozen=True, slots=True)
class FoldedTexts:
    """Many short texts, folded, in one piece.

    Attributes:
        text: The folded texts, ASCII, each with a blank at both ends and a line break behind it.
        starts: Where each begins in `text`, and the end of the last.
    """

    text: bytes
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def only(self, chosen: NDArray[np.bool_]) -> FoldedTexts:
        """Some of the texts, in their order."""
        begins, ends = self.starts[:-1][chosen], self.starts[1:][chosen]
        text = b"".join(
            [self.text[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
        )
        return FoldedTexts(text, np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64))

    def as_array(self) -> pa.Array:
        """The texts as Arrow strings, with their line breaks."""
        offsets = pa.py_buffer(self.starts.astype(np.int32).tobytes())
        return pa.Array.from_buffers(
            pa.string(), len(self), [None, offsets, pa.py_buffer(self.text)]
        )


def fold_texts(texts: pa.Array) -> FoldedTexts:
    """Folds texts as `aiskills.text.fold` does.

    Args:
        texts: Text; null counts as empty.
    """
    given = [text or "" for text in texts.to_pylist()]
    joined, ends = fold_joined(given)
    # Behind each text stands one byte that parts it from the next.
    return FoldedTexts(joined.translate(_ASCII), np.concatenate([[0], ends + 1]))


class PhraseFinder:
    """Finds which phrase of a table stands first in each of many texts, in one pass.

    Args:
        rows: Pairs of a phrase and what it stands for. In a phrase ``{a|b}`` stands for either; its
            inflections are searched too. Of equal phrases the first row counts.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        written = [(form, value) for phrase, value in rows for form in expanded(phrase)]
        found: dict[bytes, str] = {}
        forms = folded_patterns([form for form, _ in written])
        for patterns, (_, value) in zip(forms, written, strict=True):
            for pattern in patterns:
                found.setdefault(pattern.encode("cp1252").translate(_ASCII), value)
        self._values = pa.array(found.values(), pa.string())
        # Of the phrases that begin first the longest, and no overlaps: one hit a text is wanted.
        self._finder = BytesAhoCorasick(list(found), matchkind=MatchKind.LeftmostLongest)

    def first(self, texts: FoldedTexts) -> pa.Array:
        """What the first phrase of each text stands for.

        Returns:
            As many strings as texts; null where no phrase is found.
        """
        hits = self._finder.find_matches_as_indexes(texts.text)
        places = np.full(len(texts), -1, dtype=np.int64)
        if hits:
            table = np.array(hits, dtype=np.int64)
            rows = np.searchsorted(texts.starts, table[:, 1], side="right") - 1
            row, at = np.unique(rows, return_index=True)
            places[row] = table[at, 0]
        return self._values.take(pa.array(places, mask=places < 0))


def mapped(values: pa.Array, table: Mapping[str, str | None]) -> pa.Array:
    """Values looked up in a table, each distinct one once.

    Returns:
        As many strings; null where the value is null or not in the table.
    """
    coded = values.dictionary_encode()
    known = [table.get(value) for value in coded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(coded.indices)


def field(fields: Mapping[str, pa.Array], name: str, rows: int) -> pa.Array:
    """A field of offers as text; nulls where the file has no such field."""
    values = fields.get(name)
    if values is None:
        return pa.nulls(rows, pa.string())
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def read_rows(name: str) -> list[dict[str, str]]:
    """Rows of a table of ``aiskills/data``; lines that begin with ``#`` are comments."""
    text = (resources.files("aiskills") / "data" / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter=";"))
