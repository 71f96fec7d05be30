"""A report as Markdown, for a terminal, an issue or a pull request. It holds no text of offers."""

from __future__ import annotations

from typing import Final

from aiskills.evaluation.cells import figure, plain, rate, table
from aiskills.evaluation.figures import Demand
from aiskills.evaluation.mistakes import Kind, Mistake
from aiskills.evaluation.report import How, Report
from aiskills.evaluation.themes import Themes
from aiskills.schema import STATUS_ORDER, Definition

#: Mistakes shown of each kind; all of them are in the other formats.
SHOWN: Final = 10

#: How kinds of mistakes are called.
KINDS: Final = {
    Kind.FALSE_FLAG: "False flags",
    Kind.MISSED: "Missed",
    Kind.LESSER: "Mention and none confused",
}


def markdown(report: Report) -> str:
    """A report as Markdown: the figures with their counts, and the worst mistakes by uid."""
    sections = [
        _head(report),
        _demand(report),
        _statuses(report),
        _probabilities(report),
        _evidence(report),
        _themes(report),
        _weighted(report),
        _slices(report),
        _mistakes(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def subject(report: Report) -> str:
    """What was evaluated, in a sentence or two."""
    data = report.data
    by = (
        "models trained in grouped folds without the offer's employer and near-copies"
        if report.how is How.CROSS_VALIDATION
        else f"model {report.provenance.get('aiskills_model', '')}"
    )
    limits = ""
    if report.thresholds is not None:
        limits = "; demand from " + ", ".join(
            f"{report.thresholds[d]:.2f} ({d})" for d in Definition
        )
    apart = ""
    if data.trained_on == 0:
        apart = (
            " None of them was in the model's training data; other offers of their employers may "
            "have been."
        )
    return (
        f"{data.judged:,} labelled offers ({data.sure:,} with a sure label) in {data.groups:,} "
        f"groups of one employer or near-copies (employer known of {data.employers:,}), judged by "
        f"{by}, aiskills {report.provenance.get('aiskills_version', '')}, lexicon "
        f"{report.provenance.get('aiskills_lexicon', '')}{limits}.{apart}"
    )


def _head(report: Report) -> str:
    warnings = "\n>\n".join(f"> **Warning:** {plain(line)}" for line in report.warnings)
    head = f"# Evaluation\n\n{plain(subject(report))}"
    return f"{head}\n\n{warnings}" if warnings else head


def _counts(demand: Demand) -> list[object]:
    return [demand.offers, demand.demand, demand.tp, demand.fp, demand.fn, demand.tn]


_COUNTS: Final = ("offers:", "demand:", "tp:", "fp:", "fn:", "tn:")


def _demand(report: Report) -> str:
    rows = [
        [d, *_counts(one), *map(rate, (one.precision, one.recall, one.f1))]
        for d, one in ((d, found.demand) for d, found in report.definitions.items())
    ]
    exact = [
        [d, rate(found.demand.sensitivity), rate(found.demand.specificity)]
        for d, found in report.definitions.items()
    ]
    return "\n".join(
        [
            "## Demand",
            "",
            table(["definition", *_COUNTS, "precision", "recall", "F1"], rows),
            "",
            "Intervals: 95 %, bootstrap over groups. Exact ones (Clopper-Pearson):",
            "",
            table(["definition", "sensitivity", "specificity"], exact),
        ]
    )


def _statuses(report: Report) -> str:
    lines = ["## Three statuses"]
    for definition, found in report.definitions.items():
        rows = [
            [one.status, *counts, *map(figure, (one.precision, one.recall, one.f1))]
            for one, counts in zip(found.statuses.by_status, found.statuses.confusion, strict=True)
        ]
        said = [f"said {status}:" for status in STATUS_ORDER]
        lines += [
            "",
            f"`{definition}`: macro-F1 {figure(found.statuses.macro_f1)}",
            "",
            table(["label", *said, "precision:", "recall:", "F1:"], rows),
        ]
    return "\n".join(lines)


def _probabilities(report: Report) -> str:
    rows = [
        [
            d,
            figure(found.probabilities.average_precision),
            figure(found.probabilities.brier),
            figure(found.probabilities.calibration_error),
        ]
        for d, found in report.definitions.items()
    ]
    lines = [
        "## Scores",
        "",
        table(
            ["definition", "average precision:", "Brier:", "expected calibration error:"],
            rows,
        ),
    ]
    for definition, found in report.definitions.items():
        bins = [
            [f"{b.low:.3f} to {b.high:.3f}", b.offers, figure(b.score), rate(b.share)]
            for b in found.probabilities.bins
        ]
        lines += [
            "",
            f"Calibration of `{definition}` (exact intervals):",
            "",
            table(["scores", "offers:", "mean score:", "share of demand"], bins),
        ]
    return "\n".join(lines)


def _evidence(report: Report) -> str:
    rows = []
    for definition, found in report.definitions.items():
        kinds = (("agreed", found.evidence.agreed), ("all", found.evidence.every))
        rows += [
            [definition, name, one.flags, one.unmarked, one.overlapping, rate(one.share)]
            for name, one in kinds
        ]
    pieces = [
        [definition, rate(found.evidence.quotes), rate(found.evidence.spans)]
        for definition, found in report.definitions.items()
    ]
    return "\n".join(
        [
            "## Evidence",
            "",
            "Flags that quote something which overlaps what the annotator marked; agreed: labelled "
            "demand too. Exact intervals.",
            "",
            table(["definition", "flags", "n:", "unmarked:", "overlap:", "share"], rows),
            "",
            table(["definition", "quotes that overlap", "marked spans that are quoted"], pieces),
        ]
    )


def _themes(report: Report) -> str:
    agreed, every = report.themes.agreed, report.themes.every
    names = dict.fromkeys(one.theme for one in (*agreed.by_theme, *every.by_theme))
    rows = [[name, *_theme(agreed, name), *_theme(every, name)] for name in ("all", *names)]
    columns = ("tp:", "fp:", "fn:", "precision:", "recall:", "F1:")
    return "\n".join(
        [
            "## Themes",
            "",
            f"Left: over {agreed.offers:,} offers whose label and judgement are both demand "
            f"(study); right: over all {every.offers:,}.",
            "",
            table(["theme", *columns, *columns], rows),
        ]
    )


def _theme(themes: Themes, name: str) -> list[object]:
    for one in (themes.micro, *themes.by_theme):
        if one.theme == name:
            return [one.tp, one.fp, one.fn, *map(figure, (one.precision, one.recall, one.f1))]
    return ["–"] * 6


def _weighted(report: Report) -> str:
    found = {d: one.weighted for d, one in report.definitions.items() if one.weighted is not None}
    if not found:
        return ""
    first = next(iter(found.values()))
    rows = [
        [
            d,
            *map(
                rate, (one.demand, one.flagged, one.precision, one.recall, one.f1, one.specificity)
            ),
        ]
        for d, one in found.items()
    ]
    return "\n".join(
        [
            "## Weighted by the draw",
            "",
            f"{first.offers:,} offers with a known probability of being drawn stand for "
            f"{first.population:,.0f} (Horvitz-Thompson); as certain as {first.effective:,.0f} "
            "drawn with equal probabilities. Intervals: bootstrap over groups within strata.",
            "",
            table(
                [
                    "definition",
                    "share of demand",
                    "share flagged",
                    "precision",
                    "recall",
                    "F1",
                    "specificity",
                ],
                rows,
            ),
        ]
    )


def _slices(report: Report) -> str:
    if not report.slices:
        return ""
    lines = ["## Slices", "", "⚠: fewer than 20 offers."]
    for definition in report.definitions:
        rows = [
            [
                plain(part.by),
                plain(part.value) + (" ⚠" if part.small else ""),
                *_counts(one),
                figure(one.precision.value),
                figure(one.recall.value),
                rate(one.f1),
            ]
            for part in report.slices
            for one in (part.definitions[definition],)
        ]
        head = ["by", "value", *_COUNTS, "precision:", "recall:", "F1"]
        lines += ["", f"`{definition}`", "", table(head, rows)]
    return "\n".join(lines)


def _mistakes(report: Report) -> str:
    lines = ["## Mistakes", "", f"{len(report.mistakes):,} offers, those first of which the model "]
    lines[-1] += "was surest."
    for kind, name in KINDS.items():
        found = [one for one in report.mistakes if one.kind is kind]
        if not found:
            continue
        lines += ["", f"### {name}: {len(found):,}", ""]
        head = ["uid", "label (strict, study)", "said (strict, study)", "scores", "terms quoted"]
        lines.append(table(head, map(_mistake, found[:SHOWN])))
        if len(found) > SHOWN:
            lines += ["", f"and {len(found) - SHOWN:,} more; `--format html` or `json` has all."]
    return "\n".join(lines)


def _mistake(one: Mistake) -> list[str]:
    terms = dict.fromkeys(quote.term for quote in one.evidence)
    return [
        plain(one.uid),
        ", ".join(one.labelled.values()) + ("" if one.sure else " (not sure)"),
        ", ".join(one.said.values()),
        ", ".join(f"{score:.2f}" for score in one.scores.values()),
        plain(", ".join(terms)) or "–",
    ]
