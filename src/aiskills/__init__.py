"""Find which French job offers ask for AI skills, show why, and measure their share.

    >>> import aiskills
    >>> aiskills.classify_text("Vous développez des modèles de machine learning.").strict
    <Status.DEMAND: 'demand'>

Public names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiskills.version import __version__

if TYPE_CHECKING:
    from aiskills.classifier import Classifier, classify, classify_text
    from aiskills.dedupe import duplicates
    from aiskills.errors import AiskillsError
    from aiskills.estimate.table import measure
    from aiskills.model import Evidence, Explanation, Judgement
    from aiskills.phrases import Lexicon
    from aiskills.schema import Definition, Status

#: Public name -> module that holds it. No module bears a public function's name: importing it
#: would hide the function.
_HOMES = {
    "AiskillsError": "aiskills.errors",
    "Classifier": "aiskills.classifier",
    "Definition": "aiskills.schema",
    "Evidence": "aiskills.model",
    "Explanation": "aiskills.model",
    "Judgement": "aiskills.model",
    "Lexicon": "aiskills.phrases",
    "Status": "aiskills.schema",
    "classify": "aiskills.classifier",
    "classify_text": "aiskills.classifier",
    "duplicates": "aiskills.dedupe",
    "measure": "aiskills.estimate.table",
}

__all__ = [
    "AiskillsError",
    "Classifier",
    "Definition",
    "Evidence",
    "Explanation",
    "Judgement",
    "Lexicon",
    "Status",
    "__version__",
    "classify",
    "classify_text",
    "duplicates",
    "measure",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aiskills' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
