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

from aiskills.context import OfferReader
from aiskills.labels.texts import OffersFile, read_labelled
from aiskills.model.background import Background, load_background
from aiskills.model.crossval import OutOfFold, TrainOn, cross_validate
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
    both = cross_validate(data, background, Settings())
    everything = line("written and real (ships)", data, both)
    sources = [everything]
    for name, train_on in (("real labels only", TrainOn.REAL), ("written only", TrainOn.WRITTEN)):
        found = cross_validate(data, background, Settings(), train_on=train_on)
        sources.append(line(name, data, found))
    families = [everything.replace("written and real (ships)", "all families")]
    families += [one_less(family, data, background) for family in MENTION_FAMILIES]
    families += [one_less(family, data, background) for family in OFFER_FAMILIES]
    families.append(one_less("surroundings, passages", data, background))
    labels = list(data.labels.values())
    text = HEAD.format(
        offers=len(both.numbers), uncertain=sum(label.set == "uncertain" for label in labels)
    )
    text += "## Which offers to learn from\n\n" + table("trained on", sources)
    text += "\n## Features of matches, then of offers\n\n" + table("without", families)
    (ROOT / "docs" / "ablation.md").write_text(text, "utf-8")


def one_less(family: str, data: Dataset, background: Background) -> str:
    """The row of a model without a family, or several parted by a comma and a blank."""
    names = (family,) if family in MENTION_FAMILIES else tuple(family.split(", "))
    settings = replace(Settings(), without=names)
    return line(family, data, cross_validate(data, background, settings))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
