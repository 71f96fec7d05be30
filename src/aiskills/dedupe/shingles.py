"""Texts as 64-bit keys: words, runs of words (shingles) and MinHash bands, whole batches at once.

Every key is integer arithmetic modulo 2^64 on the folded text, so it is the same in every process,
on every machine and with every version of numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aiskills.hashing import GOLDEN, Keys, constants, mix, powers, slice_hashes
from aiskills.repair import FIELD_BREAK
from aiskills.schema import MAX_TEXT_CHARS
from aiskills.text import fold_batch

#: Words of a shingle. Four is long enough to be rare outside copies and short enough that one
#: changed word touches only four shingles.
SHINGLE_WORDS: Final = 4
#: Bands of a MinHash signature and hashes of a band: two texts of Jaccard similarity s share a band
#: with a probability of 1 - (1 - s^4)^16, which is 0.989 for 0.7, 0.9998 for 0.8, 0.9999999 for 0.9
#: (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4).
BANDS: Final = 16
BAND_HASHES: Final = 4
#: Texts with fewer words say too little for a near-copy to mean anything.
SHORT_WORDS: Final = 30

#: Characters worked on at once: the arrays of a batch then stay in a processor's cache.
_BATCH_CHARS: Final = 500_000
_FACTORS: Final = constants(BANDS * BAND_HASHES, 2) | np.uint64(1)
_SHIFTS: Final = constants(BANDS * BAND_HASHES, 3)
_BAND: Final = constants(BANDS, 4)
_PLACES: Final = constants(BAND_HASHES, 5) | np.uint64(1)
_WORDY: Final = np.array([bytes([b]).decode("cp1252", "replace").isalnum() for b in range(256)])


def value_keys(values: pa.Array) -> Keys:
    """Keys of texts exactly as they stand.

    Args:
        values: `string` or `large_string`.

    Returns:
        One key a value, equal for equal values; 0 for null and empty.
    """
    values = values.cast(pa.large_string())
    keys = np.zeros(len(values), dtype=np.uint64)
    if not len(values):
        return keys
    buffers = values.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[values.offset : values.offset + len(values) + 1]
    data = np.frombuffer(buffers[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    filled = (offsets[1:] > offsets[:-1]) & values.is_valid().to_numpy(zero_copy_only=False)
    keys[filled] = slice_hashes(data, offsets[:-1][filled], offsets[1:][filled])
    return keys


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts.

    Attributes:
        hashes: Keys of all words, text after text.
        offsets: Where each text begins in `hashes`, and at the end where the last one ends.
    """

    hashes: Keys
    offsets: NDArray[np.int64]

    def keys(self) -> Keys:
        """One key a text, equal for the same words in the same order; 0 where there are none."""
        counts = np.diff(self.offsets)
        result = np.zeros(len(counts), dtype=np.uint64)
        some = counts > 0
        if some.any():
            bits = max(10, int(counts.max()).bit_length())
            place = np.arange(len(self.hashes)) - np.repeat(self.offsets[:-1], counts)
            terms = self.hashes * powers(GOLDEN, bits)[place]
            result[some] = mix(np.add.reduceat(terms, self.offsets[:-1][some]))
        return result

    def shingles(self) -> Words:
        """Runs of `SHINGLE_WORDS` words, as words; none for a text with fewer."""
        runs = max(0, len(self.hashes) - SHINGLE_WORDS + 1)
        hashes = np.zeros(runs, dtype=np.uint64)
        for step in range(SHINGLE_WORDS):
            hashes = hashes * np.uint64(GOLDEN) + self.hashes[step : step + runs]
        counts = np.diff(self.offsets)
        text = np.repeat(np.arange(len(counts)), counts)
        inside = text[:runs] == text[len(text) - runs :]  # not across the end of a text
        runs_of = np.maximum(counts - SHINGLE_WORDS + 1, 0)
        return Words(mix(hashes[inside]), np.concatenate([[0], np.cumsum(runs_of)]))

    def sets(self) -> Iterator[Keys]:
        """The distinct hashes of each text, sorted."""
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield np.unique(self.hashes[start:end])


def cut_words(texts: Sequence[str]) -> Words:
    """The words of folded texts; punctuation, case, accents and plurals do not count."""
    folded = [one.text for one in fold_batch(texts)]
    data = np.frombuffer(b"".join(folded), dtype=np.uint8)
    blanks = np.flatnonzero(data == ord(" "))
    starts, ends = blanks[:-1] + 1, blanks[1:]
    word = ends > starts
    word[word] = _WORDY[data[starts[word]]]
    starts, ends = starts[word], ends[word]
    borders = np.cumsum([0, *map(len, folded)])
    return Words(slice_hashes(data, starts, ends), np.searchsorted(starts, borders))


@dataclass(frozen=True, slots=True)
class TextKeys:
    """What is kept of each text.

    Attributes:
        text: Its key; 0 where there is no word.
        words: Its number of words.
        bands: Keys of its MinHash bands, an array of texts by `BANDS`; zeros for short texts.
    """

    text: Keys
    words: NDArray[np.int32]
    bands: Keys


def text_keys(titles: pa.Array, descriptions: pa.Array) -> TextKeys:
    """Keys of offers.

    Args:
        titles: Texts, null where absent.
        descriptions: Texts, null where absent.
    """
    parts = [_keys_of(cut_words(batch)) for batch in _batches(titles, descriptions)]
    return TextKeys(
        np.concatenate([part.text for part in parts]),
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.bands for part in parts]),
    )


def shingle_sets(titles: pa.Array, descriptions: pa.Array) -> Iterator[Keys]:
    """The distinct shingles of each offer, sorted."""
    for batch in _batches(titles, descriptions):
        yield from cut_words(batch).shingles().sets()


def jaccard(one: Keys, other: Keys) -> float:
    """Shared over all shingles of two sorted sets, 0 to 1; 0 if both are empty."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / max(len(one) + len(other) - shared, 1)


def _batches(titles: pa.Array, descriptions: pa.Array) -> Iterator[list[str]]:
    """Title and description of each offer as one text, in batches; one empty batch for none."""
    batch: list[str] = []
    size = 0
    for title, description in zip(titles.to_pylist(), descriptions.to_pylist(), strict=True):
        text = f"{title or ''}{FIELD_BREAK}{description or ''}"[:MAX_TEXT_CHARS]
        if size + len(text) > _BATCH_CHARS and batch:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    yield batch


def _keys_of(words: Words) -> TextKeys:
    counts = np.diff(words.offsets)
    shingles = words.shingles()
    bands = np.zeros((len(counts), BANDS), dtype=np.uint64)
    long = counts >= SHORT_WORDS
    if long.any():
        signature = _signatures(shingles)[long].reshape(-1, BANDS, BAND_HASHES)
        bands[long] = mix((signature * _PLACES).sum(axis=2, dtype=np.uint64) + _BAND)
    return TextKeys(words.keys(), counts.astype(np.int32), bands)


def _signatures(shingles: Words) -> Keys:
    """MinHash signatures (Broder, 1997): the least of each of 64 hashes over a text's shingles."""
    some = np.flatnonzero(np.diff(shingles.offsets))
    starts = shingles.offsets[some]
    result = np.zeros((len(shingles.offsets) - 1, len(_FACTORS)), dtype=np.uint64)
    for number, (factor, shift) in enumerate(zip(_FACTORS, _SHIFTS, strict=True)):
        result[some, number] = np.minimum.reduceat(shingles.hashes * factor + shift, starts)
    return result
