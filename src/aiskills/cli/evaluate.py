"""`aiskills evaluate`: how well labelled offers are judged, and every mistake."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options
from aiskills.cli.whole_files import check_places, write_files
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiskills.evaluation import LabelledTexts, Report


class Format(StrEnum):
    """Forms of the result."""

    MD = "md"
    JSON = "json"
    HTML = "html"


_SUFFIXES = {
    ".md": Format.MD,
    ".markdown": Format.MD,
    ".json": Format.JSON,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}


def evaluate(
    labels: Annotated[
        list[Path],
        typer.Argument(
            help="JSONL files of labelled offers, joined to the offers by uid.",
            show_default=False,
        ),
    ],
    offers: Annotated[
        Path | None,
        typer.Option(help="The labelled offers' texts: a file with uid (or id) and text."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where the result goes; its suffix tells the format. - is stdout.",
        ),
    ] = None,
    file_format: Annotated[
        Format | None,
        typer.Option("--format", help="Where the suffix doesn't tell; md without -o."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="A column to give figures by, beside the usual ones.", metavar="COLUMN"),
    ] = None,
    no_texts: Annotated[
        bool, typer.Option("--no-texts", help="Leave the texts of offers out; uid only.")
    ] = False,
    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate",
            help="Train in grouped folds on these labels and measure out of fold, "
            "instead of judging with a model.",
        ),
    ] = False,
    written: Annotated[
        list[Path] | None,
        typer.Option(help="Offers written for training, for --cross-validate (JSONL)."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes, for --cross-validate.", min=1)] = 2,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    lexicon: options.LexiconFile = None,
    model: options.Model = None,
    threshold: options.Threshold = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Measure how well offers are judged, against labels: figures with intervals, every mistake.

    Examples:
      aiskills evaluate labels.jsonl --offers offers.csv

      aiskills evaluate labels.jsonl --offers offers.csv -o evaluation.html

      aiskills evaluate labels.jsonl --offers offers.csv --cross-validate --by contract
    """
    if offers is None:
        raise UsageError("the offers' texts are missing", expected="--offers FILE")
    if cross_validate and model is not None:
        raise UsageError("--cross-validate trains models of its own", expected="it without --model")
    if written and not cross_validate:
        raise UsageError("--written is for training", expected="it with --cross-validate")
    to_stdout = output is None or str(output) == "-"
    form = _form(None if to_stdout else output, file_format)
    inputs = [*labels, offers, *(written or [])]
    check_places([output] if output is not None and not to_stdout else [], inputs, force=force)
    from aiskills.cli.console import noter
    from aiskills.evaluation import OffersFile, as_json, markdown, page, read_labelled

    note = noter(quiet=quiet)
    texts = read_labelled(
        labels,
        OffersFile(offers, options.parse_mapping(mapping), encoding, separator),
        by=by or (),
        with_mentions=cross_validate,
        note=note,
    )
    if cross_validate:
        report = _out_of_fold(
            texts, lexicon, threshold, written or [], by or [], jobs, note, no_texts=no_texts
        )
    else:
        report = _with_model(texts, model, lexicon, threshold, by or [], no_texts=no_texts)
    for line in report.warnings:
        note(line)
    result = {Format.MD: markdown, Format.JSON: as_json, Format.HTML: page}[form](report)
    write_files({output or Path("-"): result})
    if not to_stdout:
        note(f"written to {output}")


def _with_model(
    texts: LabelledTexts,
    model: Path | None,
    lexicon: Path | None,
    threshold: str | None,
    by: Sequence[str],
    *,
    no_texts: bool,
) -> Report:
    from aiskills.evaluation import measure
    from aiskills.pipeline import setup_of

    setup = setup_of(*options.texts(model, lexicon, threshold))
    return measure(setup.judge(), texts, by=by, with_texts=not no_texts)


def _out_of_fold(
    texts: LabelledTexts,
    lexicon: Path | None,
    threshold: str | None,
    written: Sequence[Path],
    by: Sequence[str],
    jobs: int,
    say: Callable[[str], None],
    *,
    no_texts: bool,
) -> Report:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise UsageError(
            "cross-validation needs scikit-learn",
            hint='Install it with pip install "aiskills[train]".',
        ) from None
    from aiskills.evaluation.crossvalidated import Training, measure_out_of_fold
    from aiskills.phrases import Lexicon
    from aiskills.pipeline import parse_threshold

    return measure_out_of_fold(
        texts,
        Lexicon.read(lexicon) if lexicon else Lexicon.default(),
        Training(written, parse_threshold(threshold), jobs=jobs),
        by=by,
        with_texts=not no_texts,
        say=say,
    )


def _form(output: Path | None, given: Format | None) -> Format:
    if given is not None:
        return given
    if output is None:
        return Format.MD
    form = _SUFFIXES.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"{output}: its suffix tells no format",
            expected=".md, .json or .html",
            hint="Or name it with --format.",
        )
    return form
