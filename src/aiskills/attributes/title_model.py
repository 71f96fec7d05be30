"""Apec's function of a job title: a linear model over its words, as arrays.

``scripts/train_function.py`` trains it with scikit-learn and writes ``data/function_titles.npz``
(no pickles) and ``data/function_titles.json``, which says from what; reading and scoring need numpy
and Arrow alone.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.attributes.titles import FoldedTexts

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Letters of a word that stand for it and its inflections.
PREFIX_LETTERS: Final = 6
#: Words of a title without a function: sex, contract, grammar. In folded form.
STOP_WORDS: Final = frozenset(
    [
        "h",
        "f",
        "m",
        "w",
        "x",
        "d",
        "nb",
        "hf",
        "fh",
        "mf",
        "fm",
        "mw",
        "hfx",
        "un",
        "une",
        "le",
        "la",
        "les",
        "l",
        "de",
        "du",
        "des",
        "en",
        "et",
        "ou",
        "a",
        "au",
        "aux",
        "pour",
        "sur",
        "dan",
        "par",
        "chez",
        "the",
        "of",
        "and",
        "in",
        "to",
        "for",
        "at",
        "with",
        "an",
        "cdi",
        "cdd",
        "cdic",
        "interim",
        "freelance",
        "independant",
        "temp",
        "plein",
        "partiel",
        "complet",
        "poste",
        "emploi",
        "job",
        "offre",
        "recrute",
        "recherche",
        "urgent",
        "ref",
        "e",
        "ne",
        "se",
        "trice",
        "euse",
    ]
)
#: Titles scored in one go: bounds the memory of what is summed.
_BATCH: Final = 8_192


@dataclass(frozen=True, slots=True)
class TitleTokens:
    """The words of many titles that may tell a function.

    Attributes:
        words: The distinct words.
        codes: For each word of each title, its place in `words`; titles one after another.
        rows: The title each belongs to.
        titles: How many titles.
    """

    words: list[str]
    codes: IntArray
    rows: IntArray
    titles: int


def tokens_of(texts: FoldedTexts) -> TitleTokens:
    """Words of titles: no marks, no figures, none of `STOP_WORDS`."""
    listed = pc.utf8_split_whitespace(texts.as_array())
    coded = listed.flatten().dictionary_encode()
    # Splitting leaves an empty string at both ends.
    kept = [
        word.isascii() and word.isalpha() and word not in STOP_WORDS
        for word in coded.dictionary.to_pylist()
    ]
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    sizes = pc.list_value_length(listed).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(texts)), sizes)
    keep = np.array(kept, dtype=bool)[codes] if len(codes) else np.zeros(0, dtype=bool)
    return TitleTokens(coded.dictionary.to_pylist(), codes[keep], rows[keep], len(texts))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Numbers of the features of titles: words, their beginnings, first words, pairs of words.

    Attributes:
        words: Known words.
        prefixes: Known beginnings of words, of `PREFIX_LETTERS` letters.
        firsts: Words known as the first of a title, as places in `words`, ascending.
        pairs: Known pairs of neighbours, ``first x len(words) + second``, ascending.
    """

    words: list[str]
    prefixes: list[str]
    firsts: IntArray
    pairs: IntArray

    def __len__(self) -> int:
        return len(self.words) + len(self.prefixes) + len(self.firsts) + len(self.pairs)

    def features(self, tokens: TitleTokens) -> tuple[IntArray, IntArray]:
        """Features of titles.

        Returns:
            Pairs of a title's number and a feature's number, by title.
        """
        words = _known(self.words, tokens.words)[tokens.codes]
        begun = [word[:PREFIX_LETTERS] for word in tokens.words]
        prefixes = _known(self.prefixes, begun)[tokens.codes]
        first = np.ones(len(tokens.rows), dtype=bool)
        first[1:] = tokens.rows[1:] != tokens.rows[:-1]
        base = len(self.words)
        found = [(tokens.rows, words), (tokens.rows, np.where(prefixes < 0, -1, prefixes + base))]
        base += len(self.prefixes)
        found.append((tokens.rows[first], _placed(self.firsts, words[first], base)))
        base += len(self.firsts)
        both = (words[:-1] >= 0) & (words[1:] >= 0) & ~first[1:]
        pairs = words[:-1][both] * len(self.words) + words[1:][both]
        found.append((tokens.rows[:-1][both], _placed(self.pairs, pairs, base)))
        rows = np.concatenate([row for row, _ in found])
        numbers = np.concatenate([number for _, number in found])
        rows, numbers = rows[numbers >= 0], numbers[numbers >= 0]
        order = np.argsort(rows, kind="stable")
        return rows[order], numbers[order]


def _known(known: list[str], words: list[str]) -> IntArray:
    places = {word: place for place, word in enumerate(known)}
    return np.array([places.get(word, -1) for word in words] or [-1], dtype=np.int64)


def _placed(known: IntArray, wanted: IntArray, base: int) -> IntArray:
    """Numbers of features among those known, -1 for the others."""
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place + base, -1)


@dataclass(frozen=True, slots=True)
class TitleModel:
    """A multinomial logistic regression over the features of titles.

    Attributes:
        vocabulary: The features.
        classes: Codes of functions; ``-`` for trades outside Apec's families.
        weights: Features x classes.
        bias: By class.
        thresholds: Probability from which a family, and then a second level, is told.
    """

    vocabulary: Vocabulary
    classes: list[str]
    weights: FloatArray
    bias: FloatArray
    thresholds: tuple[float, float]

    def probabilities(self, texts: FoldedTexts) -> FloatArray:
        """Probability of each class, titles x classes; zeros for a title without a known word."""
        rows, features = self.vocabulary.features(tokens_of(texts))
        result = np.zeros((len(texts), len(self.classes)), dtype=np.float32)
        for begin in range(0, len(texts), _BATCH):
            start, stop = np.searchsorted(rows, [begin, begin + _BATCH])
            if start == stop:
                continue
            row, at = np.unique(rows[start:stop], return_index=True)
            counts = np.diff(np.append(at, stop - start))
            sums = _sums(self.weights, features[start:stop], at, counts)
            scores = sums / np.sqrt(counts, dtype=np.float32)[:, None] + self.bias
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            result[row] = scores / scores.sum(axis=1, keepdims=True)
        return result

    def functions(self, texts: FoldedTexts) -> pa.Array:
        """The code each title tells.

        Returns:
            A code of a second level (``10D``) or a family (``10``), ``-`` for a trade outside the
            families, null where the model is not sure enough.
        """
        said = self.probabilities(texts)
        families = sorted({code[:2] for code in self.classes})
        member = np.array([[code[:2] == family for family in families] for code in self.classes])
        # A matrix product would add in another order for another number of titles.
        by_family = np.column_stack([said[:, its].sum(axis=1) for its in member.T])
        best = by_family.argmax(axis=1)
        inside = np.where(member.T[best], said, -1.0)
        second = inside.argmax(axis=1)
        row = np.arange(len(said))
        names = pa.array([*self.classes, *families])
        sure_family, sure_second = self.thresholds
        detailed = inside[row, second] >= sure_second
        places = np.where(detailed, second, len(self.classes) + best)
        return names.take(pa.array(places, mask=by_family[row, best] < sure_family))


def _sums(weights: FloatArray, features: IntArray, at: IntArray, counts: IntArray) -> FloatArray:
    """Sums of the weights of each title's features, added in the features' order.

    The first features of all titles are added at once, then the second ones, and so on: twice as
    fast as `numpy.add.reduceat` on parts of a few rows, and as independent of the other titles as
    a matrix product is not.
    """
    longest_first = np.argsort(-counts, kind="stable")
    begins = at[longest_first]
    having = np.searchsorted(-counts[longest_first], -np.arange(1, counts.max() + 1), side="right")
    sums = weights[features[begins]]
    for rank, titles in enumerate(having[1:].tolist(), 1):
        sums[:titles] += weights[features[begins[:titles] + rank]]
    result = np.empty_like(sums)
    result[longest_first] = sums
    return result


def write_model(model: TitleModel) -> bytes:
    """The model as an npz archive: weights as 8-bit integers, a scale by class."""
    scale = np.maximum(np.abs(model.weights).max(axis=0), 1e-6) / 127
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        words=_packed(model.vocabulary.words),
        prefixes=_packed(model.vocabulary.prefixes),
        firsts=model.vocabulary.firsts,
        pairs=model.vocabulary.pairs,
        classes=_packed(model.classes),
        weights=np.rint(model.weights / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=model.bias.astype(np.float32),
        thresholds=np.array(model.thresholds, dtype=np.float64),
    )
    return buffer.getvalue()


def read_model() -> TitleModel:
    """The model that ships with the package."""
    raw = (resources.files("aiskills") / "data" / "function_titles.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        vocabulary = Vocabulary(
            _unpacked(arrays["words"]),
            _unpacked(arrays["prefixes"]),
            arrays["firsts"],
            arrays["pairs"],
        )
        family, second = arrays["thresholds"].tolist()
        return TitleModel(
            vocabulary,
            _unpacked(arrays["classes"]),
            arrays["weights"].astype(np.float32) * arrays["scale"],
            arrays["bias"],
            (family, second),
        )


def _packed(words: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode("ascii"), dtype=np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    text = packed.tobytes().decode("ascii")
    return text.split("\n") if text else []
