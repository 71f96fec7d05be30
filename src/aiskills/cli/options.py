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

#: Panel of the options that say which offers are counted.
COUNTED = "What is counted"
Scored = Annotated[
    list[str],
    typer.Argument(
        help="Offers scored by `aiskills classify`: files or folders; - reads standard input.",
        metavar="SCORED",
        show_default=False,
    ),
]
Population = Annotated[str, typer.Option(help="cadre or all.", rich_help_panel=COUNTED)]
Perimeter = Annotated[
    str,
    typer.Option(help="opco2i, insee (sections B to E) or all.", rich_help_panel=COUNTED),
]
Window = Annotated[
    str | None,
    typer.Option(
        help="First and last period counted, as in 2019:2024-H1.",
        metavar="A:B",
        rich_help_panel=COUNTED,
    ),
]
Dedupe = Annotated[
    bool | None,
    typer.Option(
        "--dedupe/--no-dedupe",
        help="Count reposts once; the default where `aiskills dedupe` has marked them.",
        rich_help_panel=COUNTED,
    ),
]
Confidence = Annotated[
    str | None,
    typer.Option(
        help="Least confidence of a branch (certain, majority, ambiguous); others are unknown.",
        rich_help_panel=COUNTED,
    ),
]
Definitions = Annotated[str, typer.Option(help="study, strict or both.", rich_help_panel=COUNTED)]
FileFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="csv, tsv, json, jsonl, parquet or xlsx, where the suffix doesn't tell.",
    ),
]
ExcelFr = Annotated[
    bool, typer.Option("--excel-fr", help="CSV for French Excel: ; , decimal comma, BOM.")
]
Jobs = Annotated[
    int | None,
    typer.Option(help="Processes; the default is one a processor.", min=1, metavar="N"),
]
SiretIdcc = Annotated[
    Path | None,
    typer.Option(
        "--siret-idcc",
        help="The ministry's or France compétences' table of SIRET and IDCC: exact branches.",
    ),
]
Naf2025 = Annotated[
    Path | None,
    typer.Option("--naf2025", help="INSEE's correspondence of NAF 2025 and NAF rev. 2."),
]


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
