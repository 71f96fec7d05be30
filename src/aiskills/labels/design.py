"""How offers are drawn for labelling, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiskills.labels.tasks import Task

#: Offers of one employer that an uncertain draw takes at most.
PER_COMPANY: Final = 3


class Strategy(StrEnum):
    """How offers are chosen."""

    RANDOM = "random"
    """A simple random sample: every offer has the same chance."""
    STRATIFIED = "stratified"
    """Random inside strata of the model's answer: doubtful and rare answers have more chance."""
    UNCERTAIN = "uncertain"
    """Those that the model is least sure of: for training, no sample of anything."""


@dataclass(frozen=True, slots=True)
class Design:
    """What to draw.

    Attributes:
        strategy: How.
        number: How many offers.
        seed: The same seed and offers give the same draw.
        per_company: Offers of one employer at most; only for `uncertain`, None for no limit.
        name: What the labels' ``set`` will be.
        suggestions: Whether tasks carry the model's evidence.
    """

    strategy: Strategy
    number: int
    seed: int = 0
    per_company: int | None = None
    name: str = ""
    suggestions: bool = False


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a draw.

    Attributes:
        code: What labels call it.
        meaning: In words.
        offers: Offers in it.
        drawn: Offers drawn from it.
    """

    code: str
    meaning: str
    offers: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Offers drawn, and what they were drawn from.

    Attributes:
        tasks: The offers, in random order.
        offers: Different offers with text in the input: the population.
        repeated: Rows left out, since an offer of the same identifier came before.
        empty: Rows left out, since they have neither title nor description.
        strata: Strata of a draw with probabilities, else empty.
        scored_before: Whether the scores are those found in the file.
        versions: Versions of what scored them (`aiskills.pipeline.provenance`).
    """

    tasks: list[Task]
    offers: int
    repeated: int
    empty: int
    strata: list[Stratum]
    scored_before: bool
    versions: Mapping[str, str]
