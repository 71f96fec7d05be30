"""Learning the background (`aiskills.model.background`) from offers without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from aiskills.context import REACH
from aiskills.model.background import Background
from aiskills.model.linear import FloatArray
from aiskills.model.surroundings import PASSAGE_ZONES, PassageModel, Surroundings
from aiskills.model.windows import PLACES
from aiskills.phrases import Headings, ZoneMap
from aiskills.phrases.automaton import Automaton, Hits
from aiskills.repair import FIELD_BREAK
from aiskills.text import fold_many
from aiskills.tokens import TokenCutter
from aiskills.version import __version__

IntArray = NDArray[np.int64]

#: A word is known from so many employers on …
MIN_EMPLOYERS: Final = 10
#: … and so many uses.
_MIN_USES: Final = 30
_DIMENSIONS: Final = 100
#: Words within so many tokens keep each other company, the nearer the more.
_COMPANY: Final = 5
#: Smooths the frequencies of neighbours (Levy, Goldberg & Dagan 2015).
_SMOOTHING: Final = 0.75
#: Of smooth inverse frequency: a word of this share of all tokens weighs one half.
_HALF_WEIGHT: Final = 1e-3
#: For the model of passages: offers of one employer, passages of one offer.
_OFFERS_AN_EMPLOYER: Final = 3
_PASSAGES_AN_OFFER: Final = 10
_PASSAGE_C: Final = 0.02
_SEED: Final = 2024


@dataclass(frozen=True, slots=True)
class _Corpus:
    """Tokens of many offers.

    Attributes:
        tokens: Number of each token's word in the vocabulary, -1 for unknown ones.
        offer: Number of each token's offer.
        zone: Place in `PASSAGE_ZONES` of the zone each stands in by its heading, else -1.
        begins: First token of each offer; one more for the end.
        employer: Number of each offer's employer.
    """

    tokens: IntArray
    offer: IntArray
    zone: NDArray[np.int8]
    begins: IntArray
    employer: IntArray


def learn_background(
    titles: Sequence[str], descriptions: Sequence[str], companies: Sequence[str | None]
) -> Background:
    """Learns words and passages; deterministic.

    Args:
        titles: Titles of offers, empty strings where there is none.
        descriptions: Descriptions, likewise.
        companies: Employers; an offer without one counts as an employer of its own.

    Returns:
        Word vectors (positive pointwise mutual information of words within five tokens, factored
        by truncated SVD; Levy & Goldberg 2014), weights by smooth inverse frequency, and a model
        of passages taught by the headings that the offers do have.
    """
    corpus, words, counts = _read(titles, descriptions, companies)
    vectors = _vectors(corpus, len(words))
    weights = _HALF_WEIGHT / (_HALF_WEIGHT + counts / counts.sum())
    passages, accuracy, tested = _passages(corpus, len(words))
    meta = {
        "aiskills": __version__,
        "offers": len(titles),
        "tokens": len(corpus.tokens),
        "words": len(words),
        "dimensions": _DIMENSIONS,
        "min_employers": MIN_EMPLOYERS,
        "min_uses": _MIN_USES,
        "passage_accuracy": round(accuracy, 4),
        "passages_tested": tested,
    }
    return Background(Surroundings(words, weights, passages), vectors, meta)


def _read(
    titles: Sequence[str], descriptions: Sequence[str], companies: Sequence[str | None]
) -> tuple[_Corpus, list[str], FloatArray]:
    _, employer = np.unique(
        [company or f"\x00{number}" for number, company in enumerate(companies)],
        return_inverse=True,
    )
    hashes, zones, sizes = [], [], []
    known: dict[int, str] = {}
    for tokens, zone, text in _tokens(titles, descriptions):
        hashes.append(tokens)
        zones.append(zone)
        sizes.append(len(tokens))
        known.update(zip(tokens.tolist(), text.split(" ")[1:-1], strict=True))
    offer = np.repeat(np.arange(len(sizes)), sizes)
    distinct, number, counts = np.unique(
        np.concatenate(hashes), return_inverse=True, return_counts=True
    )
    pairs = np.unique(number * (employer.max() + 1) + employer[offer])
    employers = np.bincount(pairs // (employer.max() + 1), minlength=len(distinct))
    kept = (counts >= _MIN_USES) & (employers >= MIN_EMPLOYERS)
    renumbered = np.full(len(distinct), -1)
    renumbered[kept] = np.arange(kept.sum())
    corpus = _Corpus(
        renumbered[number],
        offer,
        np.concatenate(zones),
        np.concatenate([[0], np.cumsum(sizes)]),
        employer,
    )
    return corpus, [known[int(h)] for h in distinct[kept]], counts[kept].astype(np.float64)


def _tokens(
    titles: Sequence[str], descriptions: Sequence[str]
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int8], str]]:
    """For each offer its tokens' hashes and zones, and the folded text."""
    headings, cutter = Headings.default(), TokenCutter()
    automaton = Automaton(headings.patterns())
    order = {zone: number for number, zone in enumerate(PASSAGE_ZONES)}
    for begin in range(0, len(titles), 256):
        given = [
            title + FIELD_BREAK + text
            for title, text in zip(
                titles[begin : begin + 256], descriptions[begin : begin + 256], strict=True
            )
        ]
        batch = fold_many(given)
        hits = automaton.find_all(batch.text)
        owner = np.searchsorted(batch.starts, hits.start, side="right") - 1
        shift = batch.starts[owner]
        hits = Hits(hits.entry, hits.start - shift, hits.end - shift)
        opened = headings.placed(hits, owner, batch, given)
        for number, folded in enumerate(batch.texts):
            tokens = cutter.cut(folded)
            body = int(np.searchsorted(folded.source, len(titles[begin + number])))
            zones = ZoneMap(opened.get(number, ()), body)
            yield (
                tokens.hashes,
                np.array(
                    [order.get(zones.at(start), -1) for start in tokens.starts.tolist()],
                    dtype=np.int8,
                ),
                folded.text.decode("cp1252"),
            )


def _vectors(corpus: _Corpus, size: int) -> FloatArray:
    """Unit vectors of words, size x `_DIMENSIONS`."""
    together = sparse.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, _COMPANY + 1):
        left, right = corpus.tokens[:-distance], corpus.tokens[distance:]
        pair = (corpus.offer[:-distance] == corpus.offer[distance:]) & (left >= 0) & (right >= 0)
        weight = np.full(int(pair.sum()), 1 / distance, dtype=np.float32)
        once = sparse.coo_matrix((weight, (left[pair], right[pair])), shape=(size, size)).tocsr()
        together = together + once + once.T
    table = together.tocoo()
    often = table.data >= 1
    row, column, count = table.row[often], table.col[often], table.data[often].astype(np.float64)
    by_row = np.bincount(row, count, size)
    by_column = np.bincount(column, count, size) ** _SMOOTHING
    information = np.log(count / by_row[row]) - np.log(by_column[column] / by_column.sum())
    positive = information > 0
    matrix = sparse.csr_matrix(
        (information[positive], (row[positive], column[positive])), shape=(size, size)
    )
    left, singular, _ = randomized_svd(
        matrix, n_components=min(_DIMENSIONS, size - 1), n_iter=3, random_state=_SEED
    )
    vectors = left * np.sqrt(singular)
    result: FloatArray = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)
    return result


def _passages(corpus: _Corpus, size: int) -> tuple[PassageModel, float, int]:
    """The model of passages, its accuracy on a tenth of the employers, and how many were tested.

    Passages are drawn where a heading tells the zone; the model sees their words alone, so it also
    tells the zone where there is no heading.
    """
    random = np.random.default_rng(_SEED)
    rows: list[IntArray] = []
    zones, places, owners = [], [], []
    taken: dict[int, int] = {}
    for offer in random.permutation(len(corpus.begins) - 1).tolist():
        begin, end = corpus.begins[offer], corpus.begins[offer + 1]
        own = corpus.zone[begin:end]
        told = np.flatnonzero(own >= 0)
        employer = int(corpus.employer[offer])
        if len(np.unique(own[told])) < 2 or taken.get(employer, 0) >= _OFFERS_AN_EMPLOYER:
            continue
        taken[employer] = taken.get(employer, 0) + 1
        for middle in random.choice(told, min(_PASSAGES_AN_OFFER, len(told)), replace=False):
            at = begin + middle
            around = np.concatenate(
                [
                    corpus.tokens[max(begin, at - REACH) : at],
                    corpus.tokens[at + 1 : min(end, at + 1 + REACH)],
                ]
            )
            numbers = np.unique(around)
            rows.append(numbers[numbers >= 0])
            zones.append(own[middle])
            places.append(PLACES * middle // (end - begin))
            owners.append(employer)
    columns = np.concatenate(
        [np.append(row, size + at) for row, at in zip(rows, places, strict=True)]
    )
    indptr = np.concatenate([[0], np.cumsum([len(row) + 1 for row in rows])])
    matrix = sparse.csr_matrix(
        (np.ones(len(columns)), columns, indptr), shape=(len(rows), size + PLACES)
    )
    truth, test = np.array(zones), np.array(owners) % 10 == 0
    trained = LogisticRegression(C=_PASSAGE_C, max_iter=300, tol=1e-3).fit(
        matrix[~test], truth[~test]
    )
    weights = np.zeros((size + PLACES, len(PASSAGE_ZONES)))
    bias = np.full(len(PASSAGE_ZONES), -20.0)
    weights[:, trained.classes_] = trained.coef_.T
    bias[trained.classes_] = trained.intercept_
    accuracy = float(trained.score(matrix[test], truth[test]))
    return PassageModel(weights[:size], weights[size:], bias), accuracy, int(test.sum())
