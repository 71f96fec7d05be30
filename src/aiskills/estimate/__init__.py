"""Shares, growth and parts of the whole, with intervals, corrected for classification error.

from aiskills.estimate import measure
measure("results.parquet", by=["branch", "year"], status="any", perimeter="opco2i")
"""

from aiskills.estimate.classification import ErrorRates, rogan_gladen
from aiskills.estimate.clusters import cluster_interval
from aiskills.estimate.intervals import Bounds, difference, kish, ratio, wilson
from aiskills.estimate.measurement import Measurement, run
from aiskills.estimate.options import Question
from aiskills.estimate.ppi import GoldSample, ppi
from aiskills.estimate.table import measure

__all__ = [
    "Bounds",
    "ErrorRates",
    "GoldSample",
    "Measurement",
    "Question",
    "cluster_interval",
    "difference",
    "kish",
    "measure",
    "ppi",
    "ratio",
    "rogan_gladen",
    "run",
    "wilson",
]
