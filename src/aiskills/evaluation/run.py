"""From labelled offers and a judge to the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiskills.errors import LabelError
from aiskills.evaluation.evidence import Quoted, demand_spans, evidence_figures
from aiskills.evaluation.figures import (
    DEMAND,
    demand_figures,
    status_figures,
    weighted_figures,
)
from aiskills.evaluation.mistakes import mistakes
from aiskills.evaluation.report import (
    Data,
    DefinitionFigures,
    How,
    Report,
    SliceFigures,
    ThemeReport,
)
from aiskills.evaluation.scores import probability_figures
from aiskills.evaluation.slices import parts
from aiskills.evaluation.themes import theme_figures
from aiskills.files.notes import plural
from aiskills.labels import OfferLabel
from aiskills.labels.texts import LabelledTexts, Row
from aiskills.model import Judge, Judgement
from aiskills.model.groups import employer_key, group_offers
from aiskills.model.trained_on import trained_on
from aiskills.pipeline import provenance
from aiskills.repair import FIELD_BREAK
from aiskills.schema import STATUS_ORDER, THEMES, Definition, Status

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Labelled offers and what was said of them; the sequences go together.

    Attributes:
        labels: Labels.
        rows: Their offers.
        judgements: What was said of them.
        how: Where the judgements come from.
        versions: Versions of what made them.
        thresholds: Score from which an offer is a demand, by definition; None if there is not one.
        trained: Which offers the model was trained on; None if that is not known.
    """

    labels: Sequence[OfferLabel]
    rows: Sequence[Row]
    judgements: Sequence[Judgement]
    how: How
    versions: Mapping[str, str]
    thresholds: Mapping[Definition, float] | None = None
    trained: NDArray[np.bool_] | None = None


_UNKNOWN_TRAINING = (
    "This model does not tell which offers it was trained on. If some of the labelled offers are "
    "among them, the figures are too good; use --cross-validate then."
)


def measure(
    judge: Judge, texts: LabelledTexts, *, by: Sequence[str] = (), with_texts: bool = True
) -> Report:
    """Judges labelled offers with a model and measures how well it does.

    Args:
        judge: The judge.
        texts: Labelled offers.
        by: Columns to slice by, beside the usual ones.
        with_texts: Whether mistakes carry titles, quotes and snippets.
    """
    rows = [texts.rows[label.uid] for label in texts.labels]
    judgements = judge.judge([row.title for row in rows], [row.description for row in rows])
    known = trained_on(judge.model.meta, [label.uid for label in texts.labels])
    judged = Judged(
        texts.labels, rows, judgements, How.MODEL, provenance(judge), judge.thresholds, known
    )
    return evaluate(judged, by=by, with_texts=with_texts)


def evaluate(given: Judged, *, by: Sequence[str] = (), with_texts: bool = True) -> Report:
    """Measures judgements against labels.

    Args:
        given: Labelled offers and what was said of them.
        by: Columns to slice by, beside the usual ones.
        with_texts: Whether mistakes carry titles, quotes and snippets.

    Raises:
        LabelError: None of the offers could be judged.
    """
    judged = [at for at, one in enumerate(given.judgements) if one.strict is not None]
    if not judged:
        raise LabelError(
            f"none of the {len(given.labels):,} labelled offers could be judged",
            expected="offers with a text",
        )
    labels = [given.labels[at] for at in judged]
    rows = [given.rows[at] for at in judged]
    judgements = [given.judgements[at] for at in judged]
    groups = group_offers(
        [row.title + FIELD_BREAK + row.description for row in rows], [row.company for row in rows]
    )
    data = Data(
        len(given.labels),
        len(judged),
        {
            label.uid: one.error
            for label, one in zip(given.labels, given.judgements, strict=True)
            if one.strict is None
        },
        sum(label.sure for label in labels),
        len(np.unique(groups)),
        sum(bool(employer_key(row.company)) for row in rows),
        None if given.trained is None else int(given.trained[judged].sum()),
    )
    truth = {d: _classes([getattr(label, d.value) for label in labels]) for d in Definition}
    said = {d: _classes([getattr(one, d.value) for one in judgements]) for d in Definition}
    return Report(
        given.how,
        given.versions,
        given.thresholds,
        data,
        tuple(_warnings(given.how, data, labels, rows)),
        {
            d: _definition(d, labels, rows, judgements, truth[d], said[d], groups)
            for d in Definition
        },
        _themes(labels, judgements),
        tuple(
            SliceFigures(
                part.by,
                part.value,
                int(part.chosen.sum()),
                part.small,
                {
                    d: demand_figures(
                        truth[d][part.chosen], said[d][part.chosen], groups[part.chosen]
                    )
                    for d in Definition
                },
            )
            for part in parts(labels, rows, by)
        ),
        tuple(mistakes(labels, rows, judgements, with_texts=with_texts)),
    )


def _classes(statuses: Sequence[Status]) -> IntArray:
    return np.array([STATUS_ORDER.index(status) for status in statuses], dtype=np.int64)


def _definition(
    definition: Definition,
    labels: Sequence[OfferLabel],
    rows: Sequence[Row],
    judgements: Sequence[Judgement],
    truth: IntArray,
    said: IntArray,
    groups: IntArray,
) -> DefinitionFigures:
    score = np.array([getattr(one, f"{definition}_score") for one in judgements], dtype=np.float64)
    known = np.array([label.inclusion is not None for label in labels])
    flags = [
        Quoted(
            bool(truth[place] == DEMAND),
            demand_spans(judgements[place].evidence, definition, rows[place].title),
            labels[place].evidence,
        )
        for place in np.flatnonzero(said == DEMAND).tolist()
    ]
    weighted = None
    if known.any():
        drawn = [label for label in labels if label.inclusion is not None]
        names = [f"{label.set}\n{label.stratum}" for label in drawn]
        weighted = weighted_figures(
            truth[known],
            said[known],
            np.array([label.inclusion for label in drawn], dtype=np.float64),
            groups[known],
            np.unique(names, return_inverse=True)[1],
        )
    return DefinitionFigures(
        demand_figures(truth, said, groups),
        status_figures(truth, said),
        probability_figures(truth == DEMAND, score),
        evidence_figures(flags),
        weighted,
    )


def _themes(labels: Sequence[OfferLabel], judgements: Sequence[Judgement]) -> ThemeReport:
    both = [
        (label, judgement)
        for label, judgement in zip(labels, judgements, strict=True)
        if label.study is Status.DEMAND and judgement.study is Status.DEMAND
    ]
    return ThemeReport(
        theme_figures([la.themes for la, _ in both], [ju.themes for _, ju in both], THEMES),
        theme_figures([la.themes for la in labels], [ju.themes for ju in judgements], THEMES),
    )


def _warnings(how: How, data: Data, labels: Sequence[OfferLabel], rows: Sequence[Row]) -> list[str]:
    found = []
    if how is How.MODEL and data.trained_on is None:
        found.append(_UNKNOWN_TRAINING)
    elif data.trained_on:
        found.append(
            f"{data.trained_on:,} of {data.judged:,} labelled offers were in the training data of "
            "this model: figures are too good; use --cross-validate."
        )
    if data.unjudged:
        found.append(
            f"{len(data.unjudged):,} of {data.offers:,} labelled offers could not be judged and "
            "are in no figure."
        )
    beyond = sum(
        any(end > len(row.title) + 1 + len(row.description) for _, end in label.evidence)
        for label, row in zip(labels, rows, strict=True)
    )
    if beyond:
        found.append(
            f"{plural(beyond, 'label')} with evidence beyond the end of the offer's text: do the "
            "labels belong to these texts?"
        )
    return found
