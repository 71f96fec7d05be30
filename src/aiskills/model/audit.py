"""Sensitivity and specificity on an audit sample: drawn at random, never trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiskills.model.crossval import Material, OutOfFold, fit_all, kinds_of, predict
from aiskills.model.features import DEMAND, MENTION
from aiskills.model.folder import Calibration
from aiskills.model.intervals import exact_interval
from aiskills.model.quality import classes_of, consistent_statuses
from aiskills.model.train import Settings
from aiskills.schema import Definition

BoolArray = NDArray[np.bool_]


def audit(
    material: Material,
    settings: Settings,
    calibration: Mapping[Definition, Calibration],
    threshold: float,
) -> dict[str, dict[str, Any]]:
    """Measures a model trained without the audit sample's employers and near-copies.

    Args:
        material: What to train on, the audit sample in it.
        settings: How to train.
        calibration: By definition.
        threshold: Calibrated probability from which an offer is a demand.

    Returns:
        By stratum of the draw and definition (``study_any``: demand or mention): offers, demand,
        tp, fp, fn, tn, sensitivity and specificity with exact (Clopper-Pearson) 95 % intervals.
        Each stratum was drawn with equal probabilities, so inside it no weights are needed. Empty
        without an audit sample.
    """
    dataset = material.dataset
    numbers = np.flatnonzero(dataset.audited)
    if not len(numbers):
        return {}
    own_groups = np.unique(dataset.groups[numbers])
    chosen = ~dataset.audited & ~np.isin(dataset.groups, own_groups)
    fitted = fit_all(material, settings, chosen)
    found = OutOfFold(
        numbers,
        np.zeros(len(numbers), dtype=np.int64),
        predict(dataset, fitted, numbers),
        kinds_of(dataset, numbers),
    )
    statuses = consistent_statuses(found, calibration, threshold)
    strata = np.array([dataset.labels[n].stratum for n in numbers.tolist()])
    return {
        stratum: {
            f"{d.value}{suffix}": _rates(
                (classes_of(numbers, dataset.labels, d) >= least)[strata == stratum],
                (statuses[d] >= least)[strata == stratum],
            )
            for suffix, least in (("", DEMAND), ("_any", MENTION))
            for d in Definition
        }
        for stratum in sorted(set(strata.tolist()))
    }


def _rates(truth: BoolArray, said: BoolArray) -> dict[str, Any]:
    tp, fn = int((truth & said).sum()), int((truth & ~said).sum())
    fp, tn = int((~truth & said).sum()), int((~truth & ~said).sum())
    return {
        "offers": len(truth),
        "demand": tp + fn,
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "sensitivity": _share(tp, tp + fn),
        "specificity": _share(tn, tn + fp),
    }


def _share(part: int, whole: int) -> list[float] | None:
    """A share with its exact interval: value, low, high; None of nothing."""
    if not whole:
        return None
    return [round(value, 4) for value in (part / whole, *exact_interval(part, whole))]
