"""The models: features, arrays, the folder they are kept in, judging and explaining.

Training (`aiskills.model.train` and its neighbours) needs scikit-learn and is imported only by the
command that trains.
"""

from aiskills.model.explain import Explanation, Part, explain, score_of
from aiskills.model.folder import TrainedModel, load_model, save_model
from aiskills.model.judge import Evidence, Judge, Judgement

__all__ = [
    "Evidence",
    "Explanation",
    "Judge",
    "Judgement",
    "Part",
    "TrainedModel",
    "explain",
    "load_model",
    "save_model",
    "score_of",
]
