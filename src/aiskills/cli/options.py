"""Options that several commands have, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aiskills.errors import UsageError

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders of offers: CSV, TSV, JSON, JSONL, Parquet, XLSX, also .gz; "
        "- reads standard input.",
        metavar="INPUT",
        show_default=False,
    ),
]
Mapping = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="Which column holds what, where the names do not tell: title=COL,description=COL.",
        metavar="FIELD=COLUMN,…",
    ),
]
Encoding = Annotated[
    str | None, typer.Option(help="Encoding of text files, e.g. cp1252; found by itself if unset.")
]
Separator = Annotated[
    str | None, typer.Option(help="Separator of CSV files, e.g. ';'; found by itself if unset.")
]
LexiconFile = Annotated[
    Path | None, typer.Option("--lexicon", help="A lexicon of your own, laid over the default one.")
]
Model = Annotated[
    Path | None, typer.Option(help="A model folder; the model that ships with aiskills if unset.")
]
Threshold = Annotated[
    str | None,
    typer.Option(
        help="Score from which an offer is a demand: 0.6, or strict=0.6,study=0.5.",
        metavar="NUMBER",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors on stderr.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]


def parse_mapping(text: str | None) -> dict[str, str] | None:
    """``title=COL,description=COL`` as a mapping; None for None.

    Raises:
        UsageError: It does not have this form.
    """
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(field.strip() and column.strip() for field, _, column in pairs):
        raise UsageError(f"--map {text}", expected="title=COL,description=COL")
    return {field.strip(): column.strip() for field, _, column in pairs}
