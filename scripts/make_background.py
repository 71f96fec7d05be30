"""Learns models/background from offers without labels; deterministic.

    python scripts/make_background.py pool.parquet

Offers that are labelled in data/labels are left out, so that what is measured on them stays clean.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aiskills.files import read_table
from aiskills.labels import read_labels
from aiskills.model.background import save_background
from aiskills.model.learn import learn_background

ROOT = Path(__file__).resolve().parents[1]

CARD = """# Background

What {offers:,} offers without labels teach ({tokens:,} tokens; public dumps of 2019 to 2026, most
of them queries for data and IT jobs; none of the labelled offers): vectors of {words:,} words from
the company they keep, and a model of passages that tells firm, missions, profile, benefits and
hiring process from a passage's words. Training starts from it.

- A word is known only from {min_employers} employers and {min_uses} uses on: no text, no firm's
  name.
- Vectors: positive pointwise mutual information within five tokens, truncated SVD to {dimensions}
  dimensions.
- Passages: {passage_accuracy:.1%} of {passages_tested:,} passages of employers kept apart are told
  right (headings are the truth, the passage's words and its place the evidence).

Made by `scripts/make_background.py`. Licence: MIT, as the package.
"""


def main(path: str) -> None:
    """Learns and writes."""
    table = read_table(path).select(["uid", "title", "description", "company"])
    offers, mentions = read_labels(sorted((ROOT / "data" / "labels").glob("*.jsonl")))
    labelled = {label.uid for label in offers} | {label.uid for label in mentions}
    rows = [row for row in table.to_pylist() if row["uid"] not in labelled]
    background = learn_background(
        [row["title"] or "" for row in rows],
        [row["description"] or "" for row in rows],
        [row["company"] for row in rows],
    )
    target = ROOT / "models" / "background"
    save_background(background, target, CARD.format(**background.meta))
    print(f"written to {target}: {background.meta}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
