"""A synthetic national stream of offers, January 2019 to June 2024, whose truth is known.

It proves the machinery of measuring, not a figure: every marginal is a parameter, and its texts are
the project's own.
"""

from aiskills.simulate.parameters import Parameters, read_parameters
from aiskills.simulate.stream import Chunk, simulate
from aiskills.simulate.targets import Targets, targets
from aiskills.simulate.truth import TRUTH_COLUMNS

__all__ = [
    "TRUTH_COLUMNS",
    "Chunk",
    "Parameters",
    "Targets",
    "read_parameters",
    "simulate",
    "targets",
]
