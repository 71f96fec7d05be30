"""`aiskills train`: a model from labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aiskills.cli import options
from aiskills.errors import LabelError, OutputError, UsageError


def train(
    labels: Annotated[
        list[Path],
        typer.Argument(
            help="JSONL files of labelled offers and mentions, joined to the offers by uid.",
            show_default=False,
        ),
    ],
    offers: Annotated[
        Path | None,
        typer.Option(
            help="The labelled offers' texts: a table with uid (or id), title, "
            "description and company."
        ),
    ] = None,
    written: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL files of offers written for training, text and labels together."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The model folder to write.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the model.")] = "custom",
    lexicon: options.LexiconFile = None,
    background: Annotated[
        Path | None,
        typer.Option(help="Folder of what offers without labels taught; default: the shipped one."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    force: options.Force = False,
) -> None:
    """Train the models from labels, cross-validate them, and write folder and card.

    The same labels and lexicon give the same scores.
    """
    if output is None or offers is None:
        raise UsageError("something is missing", expected="--offers FILE and -o FOLDER")
    if output.exists() and not force:
        raise OutputError(f"{output} exists", hint="Use --force to replace the model in it.")
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise UsageError(
            "training needs scikit-learn", hint='Install it with pip install "aiskills[train]".'
        ) from None
    from aiskills.context import OfferReader
    from aiskills.files import read_table
    from aiskills.labels import read_labels
    from aiskills.model.background import load_background
    from aiskills.model.build import build_model
    from aiskills.model.dataset import join_labels, make_dataset, read_written
    from aiskills.model.folder import save_model
    from aiskills.phrases import Headings, Lexicon, Scanner

    terms = Lexicon.read(lexicon) if lexicon else Lexicon.default()
    table = read_table(offers)
    key = next((column for column in ("uid", "id") if column in table.column_names), None)
    missing = [c for c in ("title", "description", "company") if c not in table.column_names]
    if key is None or missing:
        raise LabelError(
            f"{offers} lacks the column(s) {', '.join(missing) or 'uid'}",
            expected="uid (or id), title, description and company",
        )
    kept = table.select([key, "title", "description", "company"]).rename_columns(
        ["uid", "title", "description", "company"]
    )
    offer_labels, mention_labels = read_labels(labels)
    wanted = {o.uid for o in offer_labels} | {m.uid for m in mention_labels}
    rows = [row for row in kept.to_pylist() if row["uid"] in wanted]
    labelled = join_labels(rows, offer_labels, mention_labels) + read_written(written or [])
    dataset = make_dataset(labelled, OfferReader(Scanner(terms, Headings.default())))
    model, card = build_model(
        dataset,
        terms,
        load_background(background),
        name=name,
        jobs=jobs,
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201
    )
    save_model(model, output, card)
    sys.stderr.write(f"written to {output}; its card is {output / 'README.md'}\n")
