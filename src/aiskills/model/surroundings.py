"""What the words around a match have in common with others, and which part of the offer they tell.

Both are learned from offers without labels (`aiskills.model.background`), so they know words that
no annotator ever met: *surroundings* place the words before and behind a match by the company they
keep, *zones* tell whether a passage reads like firm, missions, profile, benefits or hiring process,
also where no heading says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.model.linear import FloatArray
from aiskills.model.windows import Windows
from aiskills.model.words import Words
from aiskills.schema import Zone

IntArray = NDArray[np.int64]

#: The zones that the model of passages tells apart, in the order of its outputs.
PASSAGE_ZONES: Final = (Zone.FIRM, Zone.MISSIONS, Zone.PROFILE, Zone.BENEFITS, Zone.PROCESS)
SIDES: Final = ("before", "behind")

#: Tokens on each side that make up the surroundings …
_NEAR: Final = 20
#: … the farther the lighter: half at eight tokens …
_DISTANCE: Final = 1 / (1 + np.arange(_NEAR) / 8)
#: … and lighter in another sentence.
_OUTSIDE: Final = 0.5
#: Keeps the surroundings of a match with hardly a telling word short.
_SHRINK: Final = 0.05
#: Log probabilities end here …
_LEAST_LOG: Final = -6.0
#: … and are halved, so that regularization weighs them like the other dense features.
_ZONE_SCALE: Final = 0.5


@dataclass(frozen=True, slots=True)
class PassageModel:
    """A softmax over `PASSAGE_ZONES` from the words of a passage and its place in the text.

    Attributes:
        words: Weights of the words, words x 5.
        places: Weights of the tenths of the text, 10 x 5.
        bias: One a zone.
    """

    words: FloatArray
    places: FloatArray
    bias: FloatArray

    def log_probabilities(self, numbers: IntArray, place: IntArray) -> FloatArray:
        """Log probabilities of the zones, never below -6.

        Args:
            numbers: Passages x tokens: numbers of words, -1 for unknown ones. A word that occurs
                twice counts once.
            place: Tenth of the text of each passage.

        Returns:
            Passages x 5.
        """
        ordered = np.sort(numbers, axis=1)
        once = ordered >= 0
        once[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
        owner, column = np.nonzero(once)
        odds = self.places[place] + self.bias
        for zone in range(len(PASSAGE_ZONES)):
            odds[:, zone] += np.bincount(
                owner, weights=self.words[ordered[owner, column], zone], minlength=len(odds)
            )
        odds -= odds.max(axis=1, keepdims=True, initial=-np.inf)
        odds -= np.log(np.exp(odds).sum(axis=1, keepdims=True))
        return np.maximum(odds, _LEAST_LOG)


class Surroundings:
    """Features of the words around matches that need no label to be known.

    Args:
        words: Vocabulary.
        weights: How telling each word is, 0 to 1: rare ones more (smooth inverse frequency, Arora,
            Liang & Ma 2017).
        passages: Tells the zone from the same vocabulary.
    """

    def __init__(self, words: Sequence[str], weights: FloatArray, passages: PassageModel) -> None:
        self.words = Words(words)
        self.weights = weights
        self.passages = passages

    @property
    def n_columns(self) -> int:
        """Number of sparse columns: each word before a match, then each word behind one."""
        return len(SIDES) * len(self.words)

    def slots(self, around: Windows) -> tuple[IntArray, FloatArray, FloatArray]:
        """Features of every match.

        Returns:
            Columns, matches x 40, -1 where there is none; their values, of the same shape, those of
            one side summing to less than 1; half the log probabilities of the zones, matches x 5.
        """
        before = self.words.numbers(around.before)
        behind = self.words.numbers(around.after)
        columns, values = [], []
        for side, (numbers, inside) in enumerate(
            ((before, around.inside_before), (behind, around.inside_after))
        ):
            near = numbers[:, :_NEAR]
            weight = self.weights[near] * _DISTANCE * np.where(inside[:, :_NEAR], 1.0, _OUTSIDE)
            weight[near < 0] = 0.0
            columns.append(np.where(near >= 0, near + side * len(self.words), -1))
            values.append(weight / (weight.sum(axis=1, keepdims=True) + _SHRINK))
        zones = self.passages.log_probabilities(np.hstack([before, behind]), around.place)
        return np.hstack(columns), np.hstack(values), _ZONE_SCALE * zones

    def column_name(self, column: int) -> str:
        """What a sparse column stands for, for people."""
        side, word = divmod(column, len(self.words))
        return f"words like {self.words.words[word]!r} ({SIDES[side]})"


#: Names of the dense features, for people.
ZONE_FEATURES: Final = tuple(f"reads like {zone}" for zone in PASSAGE_ZONES)
