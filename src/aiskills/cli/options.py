"""Options that several commands have, defined once."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cluster.sizes import PART_ROWS as PART_ROWS
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.cluster.engines import Engine
    from aiskills.files import CsvStyle

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
RawCells = Annotated[
    bool,
    typer.Option(
        "--raw-cells", help="CSV without the ' before text that a spreadsheet would run (=1+1)."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(help="Processes; the default is one a processor.", min=1, metavar="N"),
]
#: Panel of the options for folders of parts and clusters.
BEYOND = "Beyond one file and one machine"


class EngineName(StrEnum):
    """Who does the work."""

    LOCAL = "local"
    DASK = "dask"


EngineChoice = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="Processes of this machine, or the workers of a Dask cluster.",
        rich_help_panel=BEYOND,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of the Dask scheduler; a cluster on this machine if unset.",
        metavar="tcp://HOST:PORT",
        rich_help_panel=BEYOND,
    ),
]
PartRows = Annotated[
    int,
    typer.Option(
        help="Rows of a part, for results that are folders.",
        min=1,
        metavar="N",
        rich_help_panel=BEYOND,
    ),
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


def is_folder(output: str | os.PathLike[str] | None, engine: EngineName) -> bool:
    """Whether a result is a folder of parts: what ends in a slash, is one, or is an address.

    Raises:
        UsageError: A cluster is to write something else.
    """
    name = "-" if output is None else os.fspath(output)
    if name != "-" and (name.endswith(("/", "\\")) or "://" in name or Path(name).is_dir()):
        return True
    if engine is not EngineName.LOCAL:
        raise UsageError(
            f"--engine {engine} writes a folder of Parquet files",
            expected="-o FOLDER/ (with a slash at its end) or an address such as s3://bucket/scored",
        )
    return False


def texts(*given: Path | str | None) -> tuple[str | None, ...]:
    """Options as text, None where one was not given."""
    return tuple(None if one is None else str(one) for one in given)


def csv_style(*, excel_fr: bool, raw_cells: bool = False) -> CsvStyle:
    """How CSV is written.

    Raises:
        UsageError: Both options were given.
    """
    from aiskills.files import CsvStyle

    if excel_fr and raw_cells:
        raise UsageError("--excel-fr with --raw-cells", expected="one of them")
    if raw_cells:
        return CsvStyle.RAW
    return CsvStyle.EXCEL_FR if excel_fr else CsvStyle.PLAIN


def check_parts(file_format: str | None, *, excel_fr: bool, raw_cells: bool) -> None:
    """Refuses formats that folders of parts do not have.

    Raises:
        UsageError: Another format than Parquet was asked for.
    """
    if excel_fr or raw_cells or file_format not in {None, "parquet"}:
        other = "--raw-cells" if raw_cells else f"--format {file_format}"
        asked = "--excel-fr" if excel_fr else other
        raise UsageError(
            f"{asked} with a folder of parts", expected="Parquet, or a file as the output"
        )


def open_engine(
    engine: EngineName, scheduler: str | None, jobs: int | None, note: Callable[[str], None]
) -> Engine:
    """Who does the parts.

    Raises:
        UsageError: A scheduler without Dask, or Dask is not installed.
    """
    if engine is EngineName.DASK:
        from aiskills.cluster.dask_engine import OnDask

        return OnDask(scheduler, jobs=jobs, note=note)
    from aiskills.cluster.engines import Here
    from aiskills.workers import default_jobs

    check_scheduler(engine, scheduler)
    return Here(jobs or default_jobs())


def check_scheduler(engine: EngineName, scheduler: str | None) -> None:
    """Refuses a scheduler that would not be used.

    Raises:
        UsageError: There is one without Dask.
    """
    if scheduler is not None and engine is not EngineName.DASK:
        raise UsageError(f"--scheduler {scheduler} without --engine dask")
