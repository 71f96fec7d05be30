"""Train the model that tells Apec's function from a job title.

    python scripts/train_function.py OFFERS.parquet     (or AISKILLS_REAL_OFFERS=OFFERS.parquet)

Learns from titles written for this project (data/training/titles.csv), the names of ROME's trades
(src/aiskills/data/rome_cadre.csv), and titles of real offers that carry a ROME code or, behind the
title, the name of Apec's function. Offers read by hand (data/readings/) are left out. A word known
only from real offers is kept if three employers or more use it and it is part of no employer's or
place's name. Writes src/aiskills/data/function_titles.npz and .json, the same from the same data.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from aiskills.attributes.function import (
    OUTSIDE,
    from_title_end,
    function_of_rome,
)
from aiskills.attributes.title_model import (
    PREFIX_LETTERS,
    TitleModel,
    TitleTokens,
    Vocabulary,
    tokens_of,
    write_model,
)
from aiskills.attributes.titles import fold_texts

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "aiskills" / "data"
#: How much a title counts: written ones were chosen with care, ROME codes of offers are noisy.
WRITTEN, TRADE, LABELLED, CODED = 3.0, 1.0, 2.0, 1.0
LEAST_EMPLOYERS = 3
LEAST_TITLES = 2
FOLDS = 5
#: 0 leaves frequent functions their weight, 1 makes all functions equal.
BALANCE = 0.3
REGULARIZATION = 60.0
#: Chosen on titles of real offers, out of fold: what the model leaves unsaid it seldom knows.
FAMILY_THRESHOLD, SECOND_THRESHOLD = 0.5, 0.4


@dataclass
class Titles:
    """Titles with their functions."""

    titles: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    employers: list[str] = field(default_factory=list)

    def add(self, title: str, code: str, weight: float, employer: str = "") -> None:
        self.titles.append(title)
        self.codes.append(code)
        self.weights.append(weight)
        self.employers.append(employer)


def rows_of(path: Path) -> list[dict[str, str]]:
    lines = [x for x in path.read_text("utf-8").splitlines() if not x.startswith("#")]
    return list(csv.DictReader(lines, delimiter=";"))


def own_titles() -> Titles:
    """Written titles and names of trades: free of employers' names."""
    found = Titles()
    for row in rows_of(ROOT / "data" / "training" / "titles.csv"):
        found.add(row["title"], row["function"], WRITTEN)
    for row in rows_of(DATA / "rome_cadre.csv"):
        code = function_of_rome(row["rome"])
        for name in row["label_fr"].split(" / ") if code else ():
            found.add(name, str(code), TRADE)
    return found


def real_titles(offers: pa.Table) -> Titles:
    """Titles of offers that carry a function's name or a ROME code, each once an employer."""
    read = {row["uid"] for row in rows_of(ROOT / "data" / "readings" / "function_cadre.csv")}
    found = Titles()
    seen: set[tuple[str, str]] = set()
    labels = from_title_end(offers.column("title").cast(pa.string()).combine_chunks())
    columns = [offers.column(name).to_pylist() for name in ("uid", "title", "company", "rome")]
    for uid, title, company, rome, label in zip(*columns, labels.to_pylist(), strict=True):
        code = label or (function_of_rome(rome) if rome else None)
        key = (title, company or "")
        if uid in read or not title or not code or key in seen:
            continue
        seen.add(key)
        bare = title.rpartition(" - ")[0] if label else title
        found.add(bare, code, LABELLED if label else CODED, company or f"? {len(seen)}")
    return found


def named(offers: pa.Table) -> set[str]:
    """Words of employers' and places' names."""
    names = {
        name
        for column in ("company", "location_label")
        for name in offers.column(column).to_pylist()
        if name
    }
    return set(tokens_of(fold_texts(pa.array(sorted(names)))).words)


def vocabulary_of(own: Titles, real: Titles, names: set[str]) -> Vocabulary:
    own_tokens = tokens_of(fold_texts(pa.array(own.titles)))
    allowed = {own_tokens.words[code] for code in own_tokens.codes.tolist()}
    tokens = tokens_of(fold_texts(pa.array(real.titles)))
    employers: dict[str, set[str]] = defaultdict(set)
    for code, row in zip(tokens.codes.tolist(), tokens.rows.tolist(), strict=True):
        employers[tokens.words[code]].add(real.employers[row])
    allowed |= {
        word
        for word, who in employers.items()
        if len(who) >= LEAST_EMPLOYERS and word not in names and len(word) > 1
    }
    words = sorted(allowed)
    every = Titles([*own.titles, *real.titles])
    tokens = tokens_of(fold_texts(pa.array(every.titles)))
    number = {word: place for place, word in enumerate(words)}
    codes = np.array([number.get(word, -1) for word in tokens.words])[tokens.codes]
    first = np.append(True, tokens.rows[1:] != tokens.rows[:-1])
    both = (codes[:-1] >= 0) & (codes[1:] >= 0) & ~first[1:]
    pairs = codes[:-1][both] * len(words) + codes[1:][both]
    prefixes = [words[code][:PREFIX_LETTERS] for code in codes[codes >= 0].tolist()]
    return Vocabulary(
        words,
        sorted(p for p, n in _counts(prefixes).items() if n >= LEAST_TITLES),
        _frequent(codes[first & (codes >= 0)]),
        _frequent(pairs),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for value in values:
        found[value] += 1
    return found


def _frequent(values: NDArray[np.int64]) -> NDArray[np.int64]:
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[counts >= LEAST_TITLES].astype(np.int64)


def matrix_of(vocabulary: Vocabulary, tokens: TitleTokens) -> Any:
    from scipy.sparse import csr_matrix

    rows, features = vocabulary.features(tokens)
    counts = np.bincount(rows, minlength=tokens.titles)
    values = 1 / np.sqrt(counts[rows])
    return csr_matrix((values, (rows, features)), shape=(tokens.titles, len(vocabulary)))


def fit(matrix: Any, codes: Sequence[str], weights: NDArray[np.float64]) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=REGULARIZATION, max_iter=300)
    return model.fit(matrix, codes, sample_weight=weights)


def balanced(codes: Sequence[str], weights: Sequence[float]) -> NDArray[np.float64]:
    """Weights under which a frequent function counts for less than its titles' number: the offers
    at hand were gathered by searches for data and IT jobs."""
    total: dict[str, float] = defaultdict(float)
    for code, weight in zip(codes, weights, strict=True):
        total[code] += weight
    return np.array([w / total[c] ** BALANCE for c, w in zip(codes, weights, strict=True)])


def assemble(fitted: Any, vocabulary: Vocabulary) -> TitleModel:
    return TitleModel(
        vocabulary,
        [str(code) for code in fitted.classes_],
        fitted.coef_.T.astype(np.float32),
        fitted.intercept_.astype(np.float32),
        (FAMILY_THRESHOLD, SECOND_THRESHOLD),
    )


def out_of_fold(matrix: Any, every: Titles, first_real: int) -> dict[str, object]:
    """How often families of real offers' titles are told rightly by models that saw no offer of
    that title."""
    folds = np.array(
        [int(hashlib.sha256(t.lower().encode()).hexdigest(), 16) % FOLDS for t in every.titles]
    )
    families = np.array([code[:2] for code in every.codes])
    weights = balanced(every.codes, every.weights)
    codes = np.array(every.codes)
    sure, right = [], []
    for fold in range(FOLDS):
        train = folds != fold
        test = ~train & (np.arange(len(folds)) >= first_real)
        fitted = fit(matrix[train], codes[train], weights[train])
        said = fitted.predict_proba(matrix[test])
        names = sorted({code[:2] for code in fitted.classes_})
        member = np.array([[c[:2] == name for name in names] for c in fitted.classes_])
        by_family = said @ member
        sure.append(by_family.max(axis=1))
        right.append(np.array(names)[by_family.argmax(axis=1)] == families[test])
    chances, hits = np.concatenate(sure), np.concatenate(right)
    table = {}
    for threshold in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        told = chances >= threshold
        table[f"{threshold}"] = f"{int(hits[told].sum())}/{int(told.sum())} of {len(hits)}"
    return {"right of told, of all, by threshold": table}


def main() -> None:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("AISKILLS_REAL_OFFERS", "")
    if not given:
        sys.exit("train_function: name the file of real offers; see the top of this script")
    offers = pq.read_table(given)
    own, real = own_titles(), real_titles(offers)
    vocabulary = vocabulary_of(own, real, named(offers))
    every = Titles(
        own.titles + real.titles,
        own.codes + real.codes,
        own.weights + real.weights,
    )
    matrix = matrix_of(vocabulary, tokens_of(fold_texts(pa.array(every.titles))))
    quality = out_of_fold(matrix, every, len(own.titles))
    fitted = fit(matrix, every.codes, balanced(every.codes, every.weights))
    raw = write_model(assemble(fitted, vocabulary))
    (DATA / "function_titles.npz").write_bytes(raw)
    meta = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "titles": {"own": len(own.titles), "real offers": len(real.titles)},
        "features": {"words": len(vocabulary.words), "all": len(vocabulary)},
        "classes": len(fitted.classes_),
        "outside": OUTSIDE,
        "thresholds": {"family": FAMILY_THRESHOLD, "second level": SECOND_THRESHOLD},
        "out of fold, families of real offers' titles against ROME or Apec's label": quality,
    }
    (DATA / "function_titles.json").write_text(json.dumps(meta, indent=1) + "\n", "utf-8")
    print(json.dumps(meta, indent=1))


if __name__ == "__main__":
    main()
