"""How well a model does on labelled offers: figures with intervals, and every mistake.

Nothing here needs scikit-learn but `aiskills.evaluation.crossvalidated`, which trains.
"""

from aiskills.evaluation.markdown import markdown
from aiskills.evaluation.page import page
from aiskills.evaluation.report import Report, as_json
from aiskills.evaluation.run import Judged, evaluate, measure
from aiskills.labels.texts import LabelledTexts, OffersFile, read_labelled

__all__ = [
    "Judged",
    "LabelledTexts",
    "OffersFile",
    "Report",
    "as_json",
    "evaluate",
    "markdown",
    "measure",
    "page",
    "read_labelled",
]
