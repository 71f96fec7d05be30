"""What each source of labels and each family of features is worth: writes docs/ablation.md.

    python scripts/ablation.py pool.parquet

Every line is a cross-validation of its own, grouped and nested as in the model card, so this takes
about half an hour on two cores.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from aiskills.context import OfferReader
from aiskills.labels.texts import OffersFile, read_labelled
from aiskills.model.background import load_background
from aiskills.model.crossval import (
    Material,
    MentionStage,
    OutOfFold,
    TrainOn,
    fit_mention_stage,
    fit_offer_stage,
    gather,
    joined,
    parts_of,
    predict,
)
from aiskills.model.dataset import Dataset, join_labels, make_dataset, read_written
from aiskills.model.features import MENTION_FAMILIES, OFFER_FAMILIES
from aiskills.model.quality import classes_of, judge_out_of_fold, quality, slices
from aiskills.model.train import Settings
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.schema import Definition

ROOT = Path(__file__).resolve().parents[1]
SLICES = ("stratified", "hard", "uncertain")

HEAD = """# What labels and features are worth

Made by `scripts/ablation.py`. Each line is a grouped, nested cross-validation of its own on the
same folds of {offers:,} real labelled offers: no employer and no near-copy on both sides,
calibration and threshold chosen on the other folds. Figures: F1 of `demand`, and log loss of its
probability (nats an offer, smaller is better), by set of labels (652 drawn by stratum, 500 hard,
{uncertain:,} uncertain). F1 moves by about 0.01 with another grouping of the folds, log loss by
about 0.005.

"""


def dataset(path: str) -> Dataset:
    """All labelled offers with their texts."""
    labels = sorted((ROOT / "data" / "labels").glob("*.jsonl"))
    texts = read_labelled(labels, OffersFile(path), with_mentions=True)
    written = read_written(sorted((ROOT / "data" / "training").glob("offers_*.jsonl")))
    reader = OfferReader(Scanner(Lexicon.default(), Headings.default()))
    return make_dataset(join_labels(texts) + written, reader)


def line(name: str, data: Dataset, found: OutOfFold) -> str:
    """One row of the table."""
    predictions, _, _ = judge_out_of_fold(found, data.labels)
    labels = [data.labels[n] for n in found.numbers.tolist()]
    cells = []
    for part in SLICES:
        chosen = slices(labels)[part]
        for definition in Definition:
            truth = classes_of(found.numbers, data.labels, definition)
            f1 = quality(truth, predictions[definition], data.groups[found.numbers], chosen)["f1"]
            score = np.clip(predictions[definition].score[chosen], 1e-3, 1 - 1e-3)
            right = np.where(truth[chosen] == 2, score, 1 - score)
            cells.append(f"{f1:.3f} / {-np.log(right).mean():.3f}")
    row = f"| {name} | " + " | ".join(cells) + " |"
    print(row, flush=True)
    return row


def table(first: str, rows: list[str]) -> str:
    """Rows under their head."""
    names = [f"{part}, `{definition}`" for part in SLICES for definition in Definition]
    return "\n".join(
        [f"| {first} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|", *rows, ""]
    )


def main(path: str) -> None:
    """Measures and writes."""
    data, background = dataset(path), load_background()
    material = gather(data, background)
    stages = mention_stages(material, Settings())
    everything = line("written and real (ships)", data, offers(material, Settings(), stages))
    families = [everything.replace("written and real (ships)", "all families")]
    for family in OFFER_FAMILIES:
        settings = replace(Settings(), without=(family,))
        families.append(line(family, data, offers(material, settings, stages)))
    sources = [everything]
    for name, train_on in (("real labels only", TrainOn.REAL), ("written only", TrainOn.WRITTEN)):
        parts = mention_stages(material, Settings(), train_on)
        sources.append(line(name, data, offers(material, Settings(), parts)))
    for without in [("surroundings", "passages"), *((family,) for family in MENTION_FAMILIES)]:
        settings = replace(Settings(), without=without)
        found = offers(material, settings, mention_stages(material, settings))
        families.append(line(", ".join(without), data, found))
    uncertain = sum(label.set == "uncertain" for label in data.labels.values())
    measured = sum(len(test) for _, test in parts_of(data))
    text = HEAD.format(offers=measured, uncertain=uncertain)
    text += "## Which offers to learn from\n\n" + table("trained on", sources)
    text += "\n## Families of features\n\n" + table("without", families)
    (ROOT / "docs" / "ablation.md").write_text(text, "utf-8")


def mention_stages(
    material: Material, settings: Settings, train_on: TrainOn = TrainOn.BOTH
) -> list[MentionStage]:
    """The mention models of each fold."""
    stages: list[MentionStage] = Parallel(n_jobs=2)(
        delayed(fit_mention_stage)(material, settings, chosen)
        for chosen, _ in parts_of(material.dataset, train_on)
    )
    return stages


def offers(material: Material, settings: Settings, stages: list[MentionStage]) -> OutOfFold:
    """What offer models over these mention models say out of fold."""
    tests = [test for _, test in parts_of(material.dataset)]
    return joined(
        material.dataset,
        [
            predict(material.dataset, fit_offer_stage(material, settings, stage), test)
            for stage, test in zip(stages, tests, strict=True)
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
