"""`aiskills train`: a model from labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aiskills.cli import options
from aiskills.errors import OutputError, UsageError


def train(
    labels: Annotated[
        list[Path] | None,
        typer.Argument(
            help="JSONL files of labelled offers and mentions, joined to the offers by uid.",
            show_default=False,
        ),
    ] = None,
    offers: Annotated[
        Path | None,
        typer.Option(help="The labelled offers' texts: any table of offers that classify reads."),
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
    cases: Annotated[
        list[Path] | None,
        typer.Option(
            help="JSON files of invented offers with what they say; the card lists the failures."
        ),
    ] = None,
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
    if output is None:
        raise UsageError("no place for the model", expected="-o FOLDER")
    if bool(labels) != (offers is not None):
        raise UsageError(
            "labels without their offers, or the other way round",
            expected="LABELS and --offers FILE together, or neither",
        )
    if not labels and not written:
        raise UsageError(
            "nothing to learn from", expected="LABELS and --offers FILE, or --written FILE"
        )
    if output.exists() and not force:
        raise OutputError(f"{output} exists", hint="Use --force to replace the model in it.")
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise UsageError(
            "training needs scikit-learn", hint='Install it with pip install "aiskills[train]".'
        ) from None
    from aiskills.cli.console import noter
    from aiskills.context import OfferReader
    from aiskills.labels.texts import OffersFile, read_labelled
    from aiskills.model.background import load_background
    from aiskills.model.build import Recipe, build_model
    from aiskills.model.cases import read_cases
    from aiskills.model.dataset import join_labels, make_dataset, read_written
    from aiskills.model.folder import save_model
    from aiskills.phrases import Headings, Lexicon, Scanner

    terms = Lexicon.read(lexicon) if lexicon else Lexicon.default()
    labelled = read_written(written or [])
    if offers is not None:
        texts = read_labelled(
            labels or [], OffersFile(offers), with_mentions=True, note=noter(quiet=False)
        )
        labelled = join_labels(texts) + labelled
    dataset = make_dataset(labelled, OfferReader(Scanner(terms, Headings.default())))
    model, card = build_model(
        dataset,
        terms,
        load_background(background),
        Recipe(name, cases=read_cases(cases or []), jobs=jobs),
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201
    )
    save_model(model, output, card)
    sys.stderr.write(f"written to {output}; its card is {output / 'README.md'}\n")
