"""The result of an evaluation, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from aiskills.evaluation.evidence import EvidenceFigures
from aiskills.evaluation.figures import Demand, Statuses, Weighted
from aiskills.evaluation.mistakes import Mistake
from aiskills.evaluation.scores import Probabilities
from aiskills.evaluation.themes import Themes
from aiskills.schema import Definition

#: Raised when a key of the JSON form is renamed or removed or changes its meaning.
REPORT_VERSION: Final = 1
_DIGITS: Final = 6


class How(StrEnum):
    """Where the judgements come from."""

    MODEL = "model"
    """A saved model judged the offers."""
    CROSS_VALIDATION = "cross-validation"
    """Models trained without an offer's employer and near-copies judged it."""


@dataclass(frozen=True, slots=True)
class Data:
    """What was evaluated.

    Attributes:
        offers: Labelled offers.
        judged: Those that could be judged; all figures are about them.
        unjudged: By uid, why the others could not.
        sure: Judged offers of whose label the annotator was sure.
        groups: Groups of judged offers: one employer's, and near-copies.
        employers: Judged offers whose employer is known; of the others only near-copies are
            grouped, so that intervals are a little too narrow.
        trained_on: Judged offers that the model was trained on; None if it does not tell.
    """

    offers: int
    judged: int
    unjudged: Mapping[str, str]
    sure: int
    groups: int
    employers: int
    trained_on: int | None


@dataclass(frozen=True, slots=True)
class DefinitionFigures:
    """Figures under one definition; `weighted` where labels tell how likely they were drawn."""

    demand: Demand
    statuses: Statuses
    probabilities: Probabilities
    evidence: EvidenceFigures
    weighted: Weighted | None


@dataclass(frozen=True, slots=True)
class ThemeReport:
    """Themes (they do not depend on the definition; demand is that of `study`).

    Attributes:
        agreed: Over offers whose label and judgement are both demand.
        every: Over all offers.
    """

    agreed: Themes
    every: Themes


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """Figures of some of the offers; `small` ones hardly say anything."""

    by: str
    value: str
    offers: int
    small: bool
    definitions: Mapping[Definition, Demand]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        how: Where the judgements come from.
        provenance: Versions and hashes of package, model and lexicon.
        thresholds: Score from which an offer is a demand, by definition; None in cross-validation,
            where each fold has its own.
        data: What was evaluated.
        warnings: What a reader must know before believing the figures.
        definitions: Figures by definition.
        themes: Figures of themes.
        slices: Figures of kinds of offers.
        mistakes: Every offer judged wrong, as `aiskills.evaluation.mistakes.mistakes` sorts them.
    """

    how: How
    provenance: Mapping[str, str]
    thresholds: Mapping[Definition, float] | None
    data: Data
    warnings: tuple[str, ...]
    definitions: Mapping[Definition, DefinitionFigures]
    themes: ThemeReport
    slices: tuple[SliceFigures, ...]
    mistakes: tuple[Mistake, ...]


def as_json(report: Report) -> str:
    """A report as JSON, with a line break at its end.

    The keys are those of `Report` and of the records in it, in their order, behind ``version``
    (`REPORT_VERSION`): ``how``, ``provenance``, ``thresholds``, ``data``, ``warnings``,
    ``definitions`` (``strict`` and ``study``, each with ``demand``, ``statuses``,
    ``probabilities``, ``evidence``, ``weighted``), ``themes`` (``agreed``, ``every``), ``slices``
    and ``mistakes``. A rate is ``{"value", "low", "high"}``. Shares are 0 to 1, with six decimals;
    what cannot be told (nothing to divide by, no interval) is null, and what was not asked for or
    does not apply is null or an empty list, never absent. Snippets of texts are in the page alone.
    """
    record = {"version": REPORT_VERSION, **asdict(report)}
    for mistake in record["mistakes"]:
        del mistake["snippets"]
    text = json.dumps(_rounded(record), ensure_ascii=False, indent=1) + "\n"
    return text.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be written


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value
