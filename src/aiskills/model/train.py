"""Training of the two models; deterministic: the same labels and lexicon give the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from aiskills.context import Reading
from aiskills.model.background import Background
from aiskills.model.categories import match_categories
from aiskills.model.dataset import Dataset
from aiskills.model.examples import MentionExamples
from aiskills.model.features import (
    WINDOW_WORDS,
    MentionFeatures,
    OfferFeatures,
    title_and_text,
    window_hashes,
)
from aiskills.model.linear import FloatArray, Rows, StatusModel
from aiskills.model.ordinal import StatusClassifier
from aiskills.model.surroundings import SIDES
from aiskills.model.windows import windows
from aiskills.schema import STATUS_ORDER
from aiskills.tokens import token_hashes

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settings:
    """What training can be told; the defaults were chosen by cross-validation.

    Attributes:
        mention_c: Inverse regularization of the mention model.
        offer_c: Inverse regularization of the offer model.
        text_scale: How much a word of the text counts beside what the mention model said; the
            smaller, the more it is regularized.
        surroundings_scale: How much the vectors of surrounding words count beside the words
            themselves, likewise.
        min_groups: In how many groups (employers, near-copies) a word must occur to become a
            feature, so that no model holds a firm's name.
        min_groups_text: The same for words of whole texts.
        unsure_weight: Weight of an offer whose annotator was unsure, beside 1.
        written_weight: Weight of offers written for training and of their mentions, beside 1.
        without: Families of features to do without (`aiskills.model.features`). The words of the
            windows by themselves are worth less than nothing beside their surroundings
            (docs/ablation.md).
    """

    mention_c: float = 0.2
    offer_c: float = 0.5
    text_scale: float = 0.1
    surroundings_scale: float = 4.0
    min_groups: int = 3
    min_groups_text: int = 5
    unsure_weight: float = 0.6
    written_weight: float = 1.0
    without: tuple[str, ...] = (WINDOW_WORDS,)


def design(rows: Rows, n_columns: int, scale: float = 1.0) -> sparse.csr_matrix:
    """Rows as a scipy matrix: sparse columns (times `scale`), then dense ones."""
    left = sparse.csr_matrix(
        (rows.values * scale, rows.columns, rows.indptr), shape=(len(rows), n_columns)
    )
    return sparse.hstack([left, sparse.csr_matrix(rows.dense)], format="csr")


def fit_status(
    rows: Rows,
    n_columns: int,
    classes: IntArray,
    weights: FloatArray,
    c: float,
    scale: float = 1.0,
    embedding: FloatArray | None = None,
) -> StatusModel:
    """Trains both outputs of a status model.

    Args:
        rows: Features.
        n_columns: Number of sparse columns.
        classes: Places in `STATUS_ORDER`.
        weights: Weight of each row.
        c: Inverse regularization.
        scale: Value of a sparse column that is on, 1 for the same regularization as dense ones.
        embedding: Words x dimensions: the last sparse columns, one block a side, are seen through
            it in training. The model gets one weight for each column all the same, since a
            sum over vectors is a sum over words.
    """
    matrix = design(rows, n_columns, scale)
    vectors = np.zeros((0, 0)) if embedding is None else embedding
    plain, blocks = _blocks(n_columns, vectors)
    if blocks:
        matrix = sparse.hstack(
            [
                matrix[:, :plain],
                *(sparse.csr_matrix(matrix[:, block] @ vectors) for block in blocks),
                matrix[:, n_columns:],
            ],
            format="csr",
        )
    fitted = StatusClassifier(c, classes=range(len(STATUS_ORDER))).fit(
        matrix, classes, sample_weight=weights
    )
    weight = np.ascontiguousarray(fitted.coef_.T)
    dimensions = vectors.shape[1]
    seen = [
        vectors @ weight[plain + at * dimensions : plain + (at + 1) * dimensions]
        for at in range(len(blocks))
    ]
    return StatusModel(
        np.concatenate([weight[:plain], *seen]) * scale,
        weight[plain + len(blocks) * dimensions :],
        fitted.intercept_,
    )


def _blocks(n_columns: int, vectors: FloatArray) -> tuple[int, list[slice]]:
    """How many columns stand for themselves, and the blocks of words behind them."""
    if not len(vectors):
        return n_columns, []
    plain = n_columns - len(SIDES) * len(vectors)
    return plain, [
        slice(plain + side * len(vectors), plain + (side + 1) * len(vectors))
        for side in range(len(SIDES))
    ]


def frequent(
    hashes: Sequence[NDArray[np.uint64]], groups: IntArray, minimum: int
) -> NDArray[np.uint64]:
    """Hashes that occur in at least `minimum` different groups, sorted."""
    pairs = [
        np.unique(np.concatenate([hashes[n] for n in np.flatnonzero(groups == group).tolist()]))
        for group in np.unique(groups)
    ]
    values, counts = np.unique(np.concatenate(pairs), return_counts=True)
    result: NDArray[np.uint64] = values[(counts >= minimum) & (values != 0)]
    return result


def words_by_hash(readings: Sequence[Reading]) -> dict[int, str]:
    """The word behind each hash, and behind each key, of a token."""
    known: dict[int, str] = {}
    for reading in readings:
        if reading.tokens is not None:
            words = reading.folded.text.decode("cp1252").split(" ")[1:-1]
            for hashes in (reading.tokens.hashes, reading.tokens.keys):
                known.update(zip(hashes.tolist(), words, strict=True))
    return known


def _ordered(words: Sequence[str]) -> list[str]:
    """Words in the order of their hashes, as other vocabularies are."""
    return [words[place] for place in np.argsort(token_hashes(words))]


def fit_mentions(
    examples: MentionExamples,
    chosen: NDArray[np.bool_],
    groups: IntArray,
    words: dict[int, str],
    written: NDArray[np.bool_],
    background: Background,
    settings: Settings,
) -> tuple[MentionFeatures, StatusModel]:
    """Trains the mention model.

    Args:
        examples: All examples.
        chosen: Which offers of ``examples.readings`` may be used.
        groups: Group of each of those offers.
        words: The word behind each hash.
        written: Which of those offers were written for training.
        background: What is known without labels.
        settings: How to train.
    """
    used = np.unique(examples.owner[chosen[examples.owner]])
    readings = [examples.readings[n] for n in used]
    keep = np.flatnonzero(chosen[examples.owner])
    vocabulary: IntArray | NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
    if WINDOW_WORDS not in settings.without:
        per_offer = [window_hashes(windows([reading])).reshape(-1) for reading in readings]
        vocabulary = frequent(per_offer, groups[used], settings.min_groups)
    categories = _frequent_categories(readings, groups[used], settings.min_groups)
    features = MentionFeatures(
        [words[int(h)] for h in vocabulary], categories, background.surroundings
    )
    counts = np.array([len(reading.matches) for reading in examples.readings])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    new_offsets = dict(
        zip(used.tolist(), np.concatenate([[0], np.cumsum(counts[used])]).tolist(), strict=False)
    )
    local = np.array(
        [
            new_offsets[int(o)] + row - offsets[o]
            for o, row in zip(examples.owner[keep], examples.rows[keep], strict=True)
        ],
        dtype=np.int64,
    )
    rows = _without(take(features.rows(readings), local), features.families(), settings.without)
    scale = np.where(written[examples.owner[keep]], settings.written_weight, 1.0)
    model = fit_status(
        rows,
        features.n_columns,
        examples.classes[keep],
        examples.weights[keep] * scale,
        settings.mention_c,
        embedding=background.vectors * settings.surroundings_scale,
    )
    return features, model


def _without(
    rows: Rows, families: tuple[Sequence[str], Sequence[str]], without: Sequence[str]
) -> Rows:
    """Rows whose columns of some families are 0, so that training gives them no weight."""
    if not without:
        return rows
    sparse_kept, dense_kept = (~np.isin(names, without) for names in families)
    return Rows(
        rows.indptr, rows.columns, rows.values * sparse_kept[rows.columns], rows.dense * dense_kept
    )


def take(rows: Rows, chosen: IntArray) -> Rows:
    """Some of the rows, in the order of `chosen`."""
    counts = np.diff(rows.indptr)[chosen]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.repeat(rows.indptr[:-1][chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
    return Rows(indptr, rows.columns[places], rows.values[places], rows.dense[chosen])


def _frequent_categories(readings: Sequence[Reading], groups: IntArray, minimum: int) -> list[str]:
    seen: dict[str, set[int]] = {}
    owners = [
        group
        for reading, group in zip(readings, groups.tolist(), strict=True)
        for _ in reading.matches
    ]
    for names, group in zip(match_categories(readings), owners, strict=True):
        for name in names:
            seen.setdefault(name, set()).add(group)
    return sorted(name for name, where in seen.items() if len(where) >= minimum)


def fit_offers(
    readings: Sequence[Reading],
    said: FloatArray,
    classes: IntArray,
    weights: FloatArray,
    groups: IntArray,
    words: dict[int, str],
    settings: Settings,
) -> tuple[OfferFeatures, StatusModel, StatusModel]:
    """Trains the offer model under both definitions.

    Args:
        readings: Offers with at least one match.
        said: Out-of-fold probabilities of their matches, matches x 3.
        classes: Offers x 2: class under strict, and under study.
        weights: One an offer.
        groups: Group of each offer.
        words: The word behind each hash.
        settings: How to train.

    Returns:
        The features, the strict model and the study model.
    """
    split = [title_and_text(reading) for reading in readings]
    features = OfferFeatures(
        _ordered(
            [words[int(h)] for h in frequent([t for t, _ in split], groups, settings.min_groups)]
        ),
        _ordered(
            [
                words[int(h)]
                for h in frequent([t for _, t in split], groups, settings.min_groups_text)
            ]
        ),
    )
    rows = _without(features.rows(readings, said), features.families(), settings.without)
    strict, study = (
        fit_status(
            rows,
            features.n_columns,
            classes[:, column],
            weights,
            settings.offer_c,
            settings.text_scale,
        )
        for column in (0, 1)
    )
    return features, strict, study


def offer_examples(
    dataset: Dataset, chosen: NDArray[np.bool_], settings: Settings
) -> tuple[IntArray, IntArray, FloatArray]:
    """Training examples of the offer model.

    Args:
        dataset: Labelled offers.
        chosen: Which may be used.
        settings: How to train.

    Returns:
        Numbers of offers with a match, their classes (under strict, under study) and weights.
    """
    numbers, classes, weights = [], [], []
    for number in np.flatnonzero(chosen).tolist():
        label = dataset.labels.get(number)
        if label is None or not dataset.readings[number].matches:
            continue
        numbers.append(number)
        classes.append([STATUS_ORDER.index(label.strict), STATUS_ORDER.index(label.study)])
        weight = 1.0 if label.sure else settings.unsure_weight
        written = dataset.offers[number].written
        weights.append(weight * settings.written_weight if written else weight)
    return np.array(numbers), np.array(classes), np.array(weights)
