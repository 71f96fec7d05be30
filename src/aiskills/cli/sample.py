"""`aiskills sample`: offers to label, as tasks for an annotation tool."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.labels.design import Design, Sample
    from aiskills.labels.exports import Tool
    from aiskills.labels.tasks import Task

_Kind = TypeVar("_Kind", bound=StrEnum)
_NEXT: Final = {
    "label-studio": "In Label Studio: paste {1} into Settings, Labeling Interface, Code; "
    "import {0}.",
    "doccano": "In doccano: make a project of the type Intent Detection and Slot Filling; upload "
    "{1} as span labels and {2} as category labels; import {0} as JSONL.",
    "prodigy": "In Prodigy: prodigy aiskills.label DATASET {0} -F {1}",
    "table": "Fill in strict and study (demand, mention or none), themes, and no under sure where "
    "another reader could well disagree.",
}


def sample(
    inputs: options.Inputs,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where the tasks go; - is stdout.")
    ] = None,
    number: Annotated[
        int, typer.Option("-n", "--number", help="How many offers.", min=1, metavar="N")
    ] = 200,
    strategy: Annotated[
        str,
        typer.Option(
            help="random or stratified, to measure with; uncertain, to train with.",
            metavar="STRATEGY",
        ),
    ] = "stratified",
    tool: Annotated[
        str,
        typer.Option("--to", help="label-studio, doccano, prodigy or table.", metavar="TOOL"),
    ] = "table",
    seed: Annotated[int, typer.Option(help="The same seed draws the same offers.")] = 0,
    suggestions: Annotated[
        bool | None,
        typer.Option(
            "--suggestions/--no-suggestions",
            help="Mark what the model found. Off for random and stratified, whose labels must not "
            "depend on the model.",
            show_default=False,
        ),
    ] = None,
    per_company: Annotated[
        int | None,
        typer.Option(
            "--max-per-company",
            help="Offers of one employer at most, for uncertain: 3 unless set; 0 for no limit.",
            min=0,
            metavar="N",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--set", help="Name of the draw in the labels; the strategy if unset.")
    ] = "",
    jobs: options.Jobs = None,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    lexicon: options.LexiconFile = None,
    model: options.Model = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Draw offers to label, as tasks for an annotation tool or a spreadsheet.

    random and stratified write the probability with which each offer was drawn, which
    aiskills measure --gold needs; every offer of the input can be drawn. Scores found in the
    input are used if the same model made them.

    Examples:
      aiskills sample offers.csv -n 200 --strategy stratified --to label-studio -o tasks.json

      aiskills sample offers.parquet -n 300 --strategy uncertain --to prodigy -o tasks.jsonl

      aiskills sample offres.xlsx -n 150 --strategy random --to table -o a_lire.csv
    """
    from aiskills.cli.console import noter
    from aiskills.files import open_offers
    from aiskills.labels.design import PER_COMPANY, Design, Strategy
    from aiskills.labels.exports import Tool
    from aiskills.pipeline import Setup
    from aiskills.sampling import draw_sample
    from aiskills.workers import default_jobs

    if output is None:
        raise UsageError("no output is named", expected="-o FILE, or -o - for stdout")
    how, where = _one_of(Strategy, "strategy", strategy), _one_of(Tool, "to", tool)
    _check_output(output, where, inputs, force=force)
    uncertain = how is Strategy.UNCERTAIN
    limit = PER_COMPANY if per_company is None and uncertain else per_company
    design = Design(
        how, number, seed, limit or None, name, uncertain if suggestions is None else suggestions
    )
    note = noter(quiet=quiet)
    setup = Setup(str(model) if model else None, str(lexicon) if lexicon else None)
    with open_offers(
        inputs,
        mapping=options.parse_mapping(mapping),
        encoding=encoding,
        separator=separator,
        chunk_rows=1000,
        note=note,
    ) as offers:
        if jobs is None:
            jobs = 1 if offers.bytes_total < 5_000_000 else default_jobs()
        drawn = draw_sample(offers, setup, design, jobs=jobs)
    _write(drawn, design, where, output, note=note)
    if not quiet:
        sys.stderr.write(_summary(drawn, design) + "\n")
        if str(output) != "-":
            sys.stderr.write(_NEXT[where].format(output, *_beside(output, where)) + "\n")


def _one_of(kind: type[_Kind], option: str, value: str) -> _Kind:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"--{option} {value}", expected="one of " + ", ".join(kind)) from None


def _beside(output: Path, tool: Tool) -> list[Path]:
    """The files that set the tool up, as `_NEXT` numbers them, then what the draw was."""
    names = {
        "label-studio": [".config.xml"],
        "doccano": [".spans.json", ".categories.json"],
        "prodigy": [".recipe.py"],
        "table": [],
    }[tool]
    return [*(output.with_suffix(name) for name in names), Path(f"{output}.meta.json")]


def _check_output(output: Path, tool: Tool, inputs: list[str], *, force: bool) -> None:
    from aiskills.cli.whole_files import check_places

    if str(output) == "-":
        return
    if tool == "table" and output.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(f"--to table -o {output}", expected="a name that ends in .csv or .xlsx")
    check_places([output, *_beside(output, tool)], inputs, force=force)


def _write(
    drawn: Sample,
    design: Design,
    tool: Tool,
    output: Path,
    *,
    note: Callable[[str], None],
) -> None:
    from aiskills.cli.whole_files import write_files
    from aiskills.labels import doccano, label_studio, prodigy

    tasks = drawn.tasks
    texts: dict[Path, str] = {}
    beside = _beside(output, tool)
    if tool == "label-studio":
        version = drawn.versions["aiskills_model"]
        texts = {output: label_studio.export(tasks, version), beside[0]: label_studio.config()}
    elif tool == "doccano":
        texts = {
            output: doccano.export(tasks),
            beside[0]: doccano.span_types(),
            beside[1]: doccano.category_types(),
        }
    elif tool == "prodigy":
        recipe = prodigy.recipe(output.name, beside[0].name)
        texts = {output: prodigy.export(tasks), beside[0]: recipe}
    else:
        _write_table(tasks, output, note)
    about = {
        "strategy": str(design.strategy),
        "set": tasks[0].set,
        "seed": design.seed,
        "offers": drawn.offers,
        "drawn": len(tasks),
        "repeated_rows_left_out": drawn.repeated,
        "empty_rows_left_out": drawn.empty,
        "suggestions": design.suggestions,
        "strata": [asdict(stratum) for stratum in drawn.strata],
        **drawn.versions,
    }
    texts[beside[-1]] = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    if str(output) == "-":
        texts = {path: text for path, text in texts.items() if path == output}
    write_files(texts)


def _write_table(tasks: list[Task], output: Path, note: Callable[[str], None]) -> None:
    from aiskills.files import CsvStyle, open_output
    from aiskills.labels import spreadsheet

    # Whether the file may be replaced has been checked.
    style = CsvStyle.PLAIN if output.suffix.lower() == ".xlsx" else CsvStyle.EXCEL_FR
    with open_output(output, csv_style=style, force=True, note=note) as writer:
        writer.write(spreadsheet.table(tasks))


def _summary(drawn: Sample, design: Design) -> str:
    """What was drawn from what, on stderr."""
    lines = [f"{len(drawn.tasks):,} of {drawn.offers:,} offers drawn"]
    left = [(drawn.repeated, "repeated an identifier"), (drawn.empty, "had no text")]
    if told := ", ".join(f"{count:,} {why}" for count, why in left if count):
        lines[0] += f" ({told}, left out)"
    if drawn.scored_before:
        lines.append("  the scores in the input were used: the same model made them")
    if design.strategy == "stratified":
        lines += [f"  {s.code}  {s.drawn:>5,} of {s.offers:>9,}  {s.meaning}" for s in drawn.strata]
    elif design.strategy == "uncertain":
        lines.append("  not a sample of anything: no share can be estimated from these labels")
    return "\n".join(lines)
