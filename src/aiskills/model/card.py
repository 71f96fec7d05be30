"""The model card: what a model was trained on and how well it does, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiskills.model.folder import TrainedModel
from aiskills.schema import Definition

_SLICES: Final = {
    "stratified": "drawn by stratum",
    "stratified, sure": "of these, label sure",
    "hard": "hard (a first model was unsure)",
    "uncertain": "uncertain (a later model was)",
    "English": "in English",
    "all": "all labelled",
}


def model_card(model: TrainedModel) -> str:
    """The card of a model, as Markdown, from its ``meta``."""
    meta = model.meta
    data, settings = meta["data"], meta["settings"]
    audited = _audit(meta["audit"])
    threshold = model.thresholds[Definition.STRICT]
    return f"""# Model `{meta["name"]}`

Two linear models that tell, for a French (or English) job offer, whether the person hired must deal
with AI (`demand`), whether AI is only named (`mention`), or neither (`none`), under the definitions
`strict` (AI proper) and `study` (and IoT, big data, industrie du futur, robotics, RPA). The first
scores every match of the lexicon in its context, the second the offer from its matches and words.

This card is written by `aiskills train`. Nothing in the folder is code; weights are plain arrays.

## Data

{_labelled(data)}- {data["offers_written_for_training"]:,} offers written for training.
{_background(meta["background"])}- Lexicon {meta["lexicon"]}: {meta["lexicon_terms"]:,} terms,
  SHA-256 `{meta["lexicon_sha256"][:16]}…`.

## Quality

{_quality(meta)}{audited}Decision threshold, for both definitions: {threshold:.2f}.

{_failures(meta["cases"])}## Limits

- Figures of offers drawn by stratum, or because a model was unsure of them, are no error rates of a
  market.
- `mention` is rarer than the others and its figures the least certain.
- An offer in which the lexicon finds nothing is `none`: AI told in words that no term covers is
  missed.
- Where a label is not `sure`, readers differ.
- What is known of the labels and what else to know: `docs/method.md`.

## Settings

{", ".join(f"`{name}` {value}" for name, value in settings.items() if value != [])};
scikit-learn {meta["scikit_learn"]}.

Licence: MIT, as the package. To cite: see `CITATION.cff`.
"""


def _labelled(data: Mapping[str, Any]) -> str:
    """What was read by people; empty where nothing was."""
    if not data["offers_with_labelled_mentions"] and not data["offers_labelled"]:
        return ""
    period = f", published {data['first_month']} to {data['last_month']}"
    return (
        f"- {data['offers_labelled']:,} offers labelled by reading the whole text, and\n"
        f"  {data['mentions_labelled']:,} mentions labelled in their context\n"
        f"  (in {data['offers_with_labelled_mentions']:,} offers), in {data['groups']:,} groups of"
        f" one\n  employer or near-copies{period if data['first_month'] else ''}.\n"
    )


def _background(known: Mapping[str, Any]) -> str:
    if not known:
        return ""
    return (
        f"- {known['offers']:,} offers without labels ({known['tokens']:,} tokens) taught vectors"
        f" of\n  {known['words']:,} words and a model of passages; none of them is among the"
        " labelled ones.\n"
    )


def _quality(meta: Mapping[str, Any]) -> str:
    if not meta["quality"]:
        return "Nothing was measured: there was no labelled offer that was not written for it.\n\n"
    return f"""Grouped cross-validation, {meta["folds"]} folds: no employer and no near-copy of a
test offer was trained on; calibration and thresholds were chosen on the other folds. Offers written
for training are never measured on. Intervals: 95 %, bootstrap over groups. The hard and the
uncertain offers were picked because earlier models were unsure of them: they are a stress test and
a sample of nothing. "Any keyword" is the F1 of a counter that takes every match of the lexicon,
weak triggers apart, for a demand.

{_table(meta["quality"])}

Confusion of the offers drawn by stratum (rows: label; columns: none, mention, demand):

{_confusions(meta["quality"])}

"""


def _failures(cases: Mapping[str, Any]) -> str:
    """The invented cases that go wrong, a section of their own; empty where none were tried."""
    if not cases["cases"]:
        return ""
    rows = [
        f"| {_cell(entry['why'])} | {_pair(entry['is'])} | {_pair(entry['said'])} "
        f"| `{entry['id']}` |"
        for entry in cases["failed"]
    ]
    return "\n".join(
        [
            "## Known failures",
            "",
            f"{len(cases['failed'])} of {cases['cases']:,} invented cases (`tests/cases/`, where",
            "their texts are) are flagged wrongly, `strict` / `study`:",
            "",
            "| what it tries | is | said | case |",
            "|---|---|---|---|",
            *rows,
            "",
            "",
        ]
    )


def _pair(statuses: Mapping[str, str]) -> str:
    return f"{statuses['strict']} / {statuses['study']}"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def _table(quality: Mapping[str, Any]) -> str:
    rows = [
        "| offers | definition | n | demand | tp | fp | fn | precision | recall | F1 [95 %] "
        "| any keyword | macro F1 | calibration error |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|",
    ]
    for name, title in _SLICES.items():
        for definition, q in quality.get(name, {}).items():
            rows.append(
                f"| {title} | `{definition}` | {q['offers']} | {q['demand']} | {q['tp']} "
                f"| {q['fp']} | {q['fn']} | {_figure(q['precision'])} | {_figure(q['recall'])} "
                f"| {q['f1']:.3f} [{q['f1_low']:.3f}, {q['f1_high']:.3f}] "
                f"| {q['keyword_f1']:.3f} | {q['macro_f1']:.3f} | {q['calibration_error']:.3f} |"
            )
    return "\n".join(rows)


def _audit(strata: Mapping[str, Any]) -> str:
    """Sensitivity and specificity on the audit sample, a section of its own; empty without one."""
    if not strata:
        return ""
    rows = [
        "| audit sample | definition | n | demand | tp | fp | fn | sensitivity | specificity |",
        "|---|---|--:|--:|--:|--:|--:|---|---|",
    ]
    for stratum, definitions in strata.items():
        for definition, q in definitions.items():
            rates = " | ".join(_rate(q[name]) for name in ("sensitivity", "specificity"))
            rows.append(
                f"| {stratum.replace('_', ' ')} | `{definition}` | {q['offers']} | {q['demand']} "
                f"| {q['tp']} | {q['fp']} | {q['fn']} | {rates} |"
            )
    return "\n".join(
        [
            "Audit sample: offers drawn at random from what nobody had labelled, each stratum with",
            "equal probabilities (`data/labels/audit.jsonl`), read whole, never trained or chosen",
            "on. The model measured here saw no offer of their employers. Exact 95 % intervals",
            "(Clopper-Pearson).",
            "",
            *rows,
            "",
            "",
        ]
    )


def _rate(rate: Sequence[float] | None) -> str:
    return "–" if rate is None else f"{rate[0]:.3f} [{rate[1]:.3f}, {rate[2]:.3f}]"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _confusions(quality: Mapping[str, Any]) -> str:
    parts = []
    for definition, q in quality.get("stratified", {}).items():
        rows = zip(("none", "mention", "demand"), q["confusion"], strict=True)
        told = "; ".join(f"{name} {' / '.join(map(str, row))}" for name, row in rows)
        parts.append(f"- `{definition}`: {told}")
    return "\n".join(parts) or "not measured"
