"""F1 of `demand` of aiskills and its peers on the same labelled offers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import ModelError
from aiskills.model import load_model
from aiskills.model.features import DEMAND
from aiskills.model.quality import Prediction, quality
from aiskills.phrases import Lexicon
from aiskills.schema import Definition
from benchmarks import textmodel
from benchmarks.labelled import IntArray, Labelled
from benchmarks.peers import KeywordRule, forms_of, keyword_peers

AISKILLS: Final = "aiskills"
#: The offers that were drawn by stratum; all others were picked for a model's doubt.
DRAWN: Final = "stratified"
_KEPT: Final = ("offers", "demand", "tp", "fp", "fn", "f1", "f1_low", "f1_high")
Figures = dict[str, dict[str, Any]]


def measure(labelled: Labelled) -> dict[str, Any]:
    """Figures of everybody on the offers drawn by stratum.

    Keyword peers flag any term. The baseline of words is cross-validated on the folds of the
    shipped model; the figures of aiskills are that model's, out of fold, from its folder.

    Returns:
        By name and definition: counts, F1 and its 95 % bootstrap interval by group.

    Raises:
        ModelError: The labels are not those that the model's figures were measured on.
    """
    numbers = labelled.drawn(DRAWN)
    texts = labelled.texts_of(numbers)
    lexicon = Lexicon.default()
    rule = KeywordRule(forms_of(lexicon))
    found: dict[str, Figures] = {AISKILLS: shipped(labelled, numbers)}
    for name, peer in keyword_peers(lexicon).items():
        forms = peer.find(texts)
        found[name] = {d: figures(labelled, numbers, rule.flags(forms, d), d) for d in Definition}
    said = cross_validated(labelled)
    found[textmodel.NAME] = {d: figures(labelled, numbers, said[d][numbers], d) for d in Definition}
    return {"offers": len(numbers), "figures": found}


def shipped(labelled: Labelled, numbers: IntArray) -> Figures:
    """What the shipped model's folder says of these offers."""
    known = load_model().meta["quality"][DRAWN]
    for d in Definition:
        here = (len(numbers), int(labelled.demand(numbers, d).sum()))
        there = (known[d]["offers"], known[d]["demand"])
        if here != there:
            raise ModelError(
                f"the labels hold {here[1]} {d} demands in {here[0]} offers, the model was "
                f"measured on {there[1]} in {there[0]}",
                hint="Train it again (make train).",
            )
    return {d: {key: known[d][key] for key in _KEPT} for d in Definition}


def cross_validated(labelled: Labelled) -> dict[Definition, NDArray[np.bool_]]:
    """Flags of the baseline of words by models that saw neither an offer nor its group."""
    said = {d: np.zeros(len(labelled.texts), dtype=bool) for d in Definition}
    for train, test in labelled.folds():
        flags = labelled.fit(train).flags(labelled.texts_of(test))
        for d in Definition:
            said[d][test] = flags[d]
    return said


def figures(
    labelled: Labelled, numbers: IntArray, flags: NDArray[np.bool_], definition: Definition
) -> dict[str, Any]:
    """Counts and F1 of some flags."""
    truth = np.where(labelled.demand(numbers, definition), DEMAND, 0)
    said = Prediction(flags.astype(float), np.where(flags, DEMAND, 0))
    groups = labelled.dataset.groups[numbers]
    every = quality(truth, said, groups, np.ones(len(numbers), dtype=bool))
    return {key: every[key] for key in _KEPT}
