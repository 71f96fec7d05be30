"""From labels to training examples for the two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.context import Reading
from aiskills.labels import MentionLabel, OfferLabel
from aiskills.phrases import Match, Strength
from aiskills.schema import STATUS_ORDER, Definition, Status

#: Weight of what an unsure annotator said.
_UNSURE: Final = 0.6
#: Weight of what an offer's label implies for a match that nobody labelled.
_IMPLIED: Final = 0.4


@dataclass(frozen=True, slots=True)
class MentionExamples:
    """Training examples of the mention model.

    Attributes:
        readings: The offers that hold them.
        rows: For each example its row among all matches of `readings`.
        classes: For each its class, a place in `STATUS_ORDER`.
        weights: For each its weight, above 0.
        owner: For each the number of its offer in `readings`.
        unmatched: Labelled mentions at which the lexicon finds nothing.
    """

    readings: list[Reading]
    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: NDArray[np.float64]
    owner: NDArray[np.int64]
    unmatched: int


def mention_examples(
    readings: Sequence[Reading],
    mentions: Mapping[int, Sequence[MentionLabel]],
    offers: Mapping[int, OfferLabel],
) -> MentionExamples:
    """Examples from labelled mentions, and from what offer labels imply for the other matches.

    An offer that is `none` holds no true mention; one that is `mention` holds no demand; in one
    that is `demand`, what the annotator quoted is demand.

    Args:
        readings: Offers.
        mentions: Labelled mentions by the offer's number in `readings`.
        offers: Offer labels by the same number.

    Returns:
        The examples, in the order of readings and matches.
    """
    rows: list[tuple[int, int, float, int]] = []
    row = unmatched = 0
    for number, reading in enumerate(readings):
        said = _labelled(reading, mentions.get(number, ()))
        unmatched += len(mentions.get(number, ())) - len(said)
        label = offers.get(number)
        for place, match in enumerate(reading.matches):
            if place in said:
                mention = said[place]
                status, weight = mention.status, 1.0 if mention.sure else _UNSURE
            elif label is not None:
                implied = _implied(reading, match, label)
                if implied is None:
                    continue
                status = implied
                weight = _IMPLIED if label.sure else _IMPLIED * _UNSURE
            else:
                continue
            rows.append((row + place, STATUS_ORDER.index(status), weight, number))
        row += len(reading.matches)
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return MentionExamples(
        list(readings),
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        table[:, 2],
        table[:, 3].astype(np.int64),
        unmatched,
    )


def _labelled(reading: Reading, labels: Sequence[MentionLabel]) -> dict[int, MentionLabel]:
    """The label of each match that overlaps a labelled mention."""
    said: dict[int, MentionLabel] = {}
    for label in labels:
        for place, match in enumerate(reading.matches):
            start, end = reading.folded.span(match.start, match.end)
            if start < label.end and label.start < end:
                said.setdefault(place, label)
                break
    return said


def _implied(reading: Reading, match: Match, label: OfferLabel) -> Status | None:
    """What an offer's label says of one of its matches, None if nothing."""
    status = label.strict if match.term.definition is Definition.STRICT else label.study
    if status is Status.NONE:
        return Status.NONE
    start, end = reading.folded.span(match.start, match.end)
    quoted = any(start < stop and begin < end for begin, stop in label.evidence)
    if status is Status.DEMAND:
        # A strict demand makes study demand too: quoted or not, a study-only match may be any.
        own = match.term.definition is Definition.STRICT or label.strict is not Status.DEMAND
        return Status.DEMAND if quoted and own else None
    if quoted or match.term.strength is Strength.STRONG:
        return Status.MENTION
    return None
