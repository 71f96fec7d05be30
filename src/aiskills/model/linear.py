"""Linear models as plain arrays: what a trained model is, and how it scores.

scikit-learn trains these models; to use them takes numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse features and dense ones, for n rows.

    Attributes:
        indptr: Row i's sparse columns are ``columns[indptr[i]:indptr[i + 1]]``; n + 1 offsets.
        columns: Numbers of sparse columns that are on; one that stands twice counts twice.
        values: Value of each, 1 for plain presence.
        dense: Dense features, n x m.
    """

    indptr: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: FloatArray
    dense: FloatArray

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, number: int) -> tuple[NDArray[np.int64], FloatArray]:
        """The sparse columns that are on in one row, and their values."""
        part = slice(self.indptr[number], self.indptr[number + 1])
        return self.columns[part], self.values[part]


def sparse_rows(slots: NDArray[np.int64], values: FloatArray, dense: FloatArray) -> Rows:
    """Rows from columns in slots, -1 where a slot is empty, and values of the same shape."""
    there = slots >= 0
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
    return Rows(indptr, slots[there], values[there], dense)


#: What the two outputs of a `StatusModel` decide.
OUTPUTS: Final = ("demand rather than not", "mention rather than none")


@dataclass(frozen=True, slots=True)
class StatusModel:
    """Two logistic regressions in a row: demand or not, and if not, mention or none.

    Each output is a plain sum of weights, so a score can be taken apart and its parts add up.

    Attributes:
        sparse: Weights of the sparse columns, columns x 2 (see `OUTPUTS`).
        dense: Weights of the dense columns, m x 2.
        bias: One an output.
    """

    sparse: FloatArray
    dense: FloatArray
    bias: FloatArray

    def log_odds(self, rows: Rows) -> FloatArray:
        """Log odds of both outputs for each row, n x 2; the same whatever other rows there are."""
        # A matrix product would add in another order for another number of rows.
        total = np.tile(self.bias, (len(rows), 1))
        for values, weights in zip(rows.dense.T, self.dense, strict=True):
            total += values[:, None] * weights
        counts = np.diff(rows.indptr)
        filled = np.flatnonzero(counts)
        if len(filled):
            total[filled] += np.add.reduceat(
                self.sparse[rows.columns] * rows.values[:, None],
                rows.indptr[:-1][filled],
                axis=0,
            )
        return total

    def probabilities(self, rows: Rows) -> FloatArray:
        """Probability of none, mention and demand, n x 3; each row sums to 1."""
        return status_probabilities(self.log_odds(rows))


def status_probabilities(log_odds: FloatArray) -> FloatArray:
    """Probabilities of none, mention and demand from the two outputs, n x 3."""
    demand, mention = sigmoid(log_odds).T
    return np.column_stack([(1 - demand) * (1 - mention), (1 - demand) * mention, demand])


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """Probability from log odds; beyond 35 either way it stays where it is."""
    result: FloatArray = 1 / (1 + np.exp(-np.clip(log_odds, -35, 35)))
    return result


def logit(probability: FloatArray) -> FloatArray:
    """Log odds, bounded so that 0 and 1 stay finite (to about -9.2 and 9.2)."""
    bounded = np.clip(probability, 1e-4, 1 - 1e-4)
    result: FloatArray = np.log(bounded / (1 - bounded))
    return result
