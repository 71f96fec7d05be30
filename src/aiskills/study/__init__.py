"""The published figures of the Apec / OPCO 2i study beside those of other offers.

from aiskills.study import study
study("results.parquet").lines
"""

from aiskills.study.published import Figure, Published, published
from aiskills.study.record import VERDICTS, Context, Leader, Line, Ours, Study
from aiskills.study.run import COMPARATORS, StudyOptions, study

__all__ = [
    "COMPARATORS",
    "VERDICTS",
    "Context",
    "Figure",
    "Leader",
    "Line",
    "Ours",
    "Published",
    "Study",
    "StudyOptions",
    "published",
    "study",
]
