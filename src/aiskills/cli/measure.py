"""`aiskills measure`: scored offers in, shares with their uncertainty out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options

if TYPE_CHECKING:
    from aiskills.estimate import Measurement
    from aiskills.estimate.render import Shown
    from aiskills.files import CsvStyle

_COUNTED = options.COUNTED
_INTERVALS = "Correction and intervals"
#: Columns of a terminal up to which names of groups wrap early, so that figures fit.
_NARROW = 90
#: Blanks between columns.
_GAP = 2
#: So many columns of a group's name are always shown.
_LEGIBLE = 28
#: Notes in a word: how the note begins, the word, what it means.
_BRIEF = (
    ("small cell", "small", "few offers, see --min-offers"),
    ("secrecy", "secret", "fewer than 3 employers, or one above 85 %"),
)


def measure(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Offers scored by `aiskills classify`: files or folders; a store of "
            "`aiskills batch`; - reads standard input.",
            metavar="SCORED",
            show_default=False,
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(
            help="Groups: branch, division, region, function, subfunction, cadre, language, theme, "
            "source, company, year, half, quarter, month, or any column.",
            metavar="GROUP,…",
        ),
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="One more group: year, half, quarter or month.")
    ] = None,
    growth: Annotated[
        str | None,
        typer.Option(help="Growth from one period to another instead of levels.", metavar="A:B"),
    ] = None,
    definition: options.Definitions = "both",
    status: Annotated[
        str,
        typer.Option(
            help="demand; or any, for demand or mention, as the published study counts.",
            rich_help_panel=_COUNTED,
        ),
    ] = "demand",
    population: options.Population = "all",
    perimeter: options.Perimeter = "all",
    window: options.Window = None,
    dedupe: options.Dedupe = None,
    panel: Annotated[
        str | None,
        typer.Option(
            help="Keep only its values that are in every period: source or company.",
            metavar="COLUMN",
            rich_help_panel=_COUNTED,
        ),
    ] = None,
    confidence: options.Confidence = None,
    weights: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Weights.", rich_help_panel=_COUNTED)
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Labels of offers drawn from this data by `aiskills sample`, to correct with.",
            metavar="FILE",
            rich_help_panel=_INTERVALS,
        ),
    ] = None,
    correct: Annotated[
        bool,
        typer.Option(
            "--correct/--no-correct",
            help="Correct for the classifier's errors.",
            rich_help_panel=_INTERVALS,
        ),
    ] = True,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder whose audit is used; the one that ships if unset.",
            rich_help_panel=_INTERVALS,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Intervals by clusters of offers, e.g. company.",
            metavar="COLUMN",
            rich_help_panel=_INTERVALS,
        ),
    ] = None,
    min_offers: Annotated[
        int,
        typer.Option(help="Cells with fewer offers are marked.", min=1, rich_help_panel=_INTERVALS),
    ] = 30,
    withhold: Annotated[
        bool,
        typer.Option(
            "--withhold",
            help="Empty the cells that are small or under secrecy.",
            rich_help_panel=_INTERVALS,
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where the table goes: .csv, .parquet, .xlsx, .json or .md; - is stdout.",
        ),
    ] = None,
    excel_fr: options.ExcelFr = False,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    engine: options.EngineChoice = options.EngineName.LOCAL,
    scheduler: options.Scheduler = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Measure the share of offers that ask for AI skills, with its uncertainty.

    Without -o a terminal shows a table in percent, and a pipe gets CSV with shares from 0 to 1.

    Examples:
      aiskills measure scored.parquet --by branch,year --perimeter opco2i --population cadre

      aiskills measure scored.parquet --status any --period half -o shares.xlsx

      aiskills measure scored.parquet --growth 2019:2023 --cluster company
    """
    from aiskills.batch.reading import open_current
    from aiskills.batch.store import is_store
    from aiskills.cli.console import noter
    from aiskills.cluster.addresses import is_address
    from aiskills.cluster.counting import OnEngine, open_files, scored_files
    from aiskills.errors import UsageError
    from aiskills.estimate.measurement import Correction, run
    from aiskills.estimate.table import question_of

    question = question_of(
        by,
        period=period,
        growth=growth,
        definition=definition,
        status=status,
        population=population,
        perimeter=perimeter,
        window=window,
        dedupe=dedupe,
        panel=panel,
        confidence=confidence,
        weights=weights,
        cluster=cluster,
        min_offers=min_offers,
        withhold=withhold,
    )
    note = noter(quiet=quiet)
    target = None if output is None else str(output)
    style = options.csv_style(excel_fr=excel_fr)
    if target is not None:
        _check_target(target, inputs, force=force, style=style)
    correction = Correction(gold, None if correct else {}, model)
    options.check_scheduler(engine, scheduler)
    alone = engine is options.EngineName.LOCAL and jobs in {None, 1}
    stores = [one for one in inputs if not is_address(one) and is_store(Path(one))]
    if stores and not alone:
        raise UsageError(
            f"{stores[0]} is a store, which one process reads",
            expected="files or folders of scored offers with --engine or --jobs",
        )
    if alone and not any(map(is_address, inputs)):
        # The store of `aiskills batch` gives the last version of each offer.
        data = [open_current(Path(one)) if one in stores else one for one in inputs]
        found = run(data, question, correction, encoding=encoding, separator=separator, note=note)
    else:
        sources = scored_files(inputs, note)
        with options.open_engine(engine, scheduler, jobs, note) as workers:
            found = run(
                open_files(sources, encoding, separator, note),
                question,
                correction,
                counter=OnEngine(workers, sources, encoding, separator),
                note=note,
            )
    if target is None and sys.stdout.isatty() and not excel_fr:
        _print(found)
    else:
        _write(found, target or "-", inputs, force=force, style=style)
    for remark in found.remarks:
        note(remark)


def _is_markdown(target: str) -> bool:
    return target.lower().endswith((".md", ".markdown"))


def _check_target(target: str, inputs: list[str], *, force: bool, style: CsvStyle) -> None:
    """Refuses a target that cannot be written, before any work is done."""
    from aiskills.cli.whole_files import check_places
    from aiskills.errors import UsageError
    from aiskills.files import open_output

    if not _is_markdown(target):
        open_output(target, csv_style=style, force=force, inputs=inputs)
        return
    if style is not style.PLAIN:
        raise UsageError(f"{target}: --excel-fr with Markdown", expected="a .csv")
    check_places([Path(target)], inputs, force=force)


def _write(
    found: Measurement, target: str, inputs: list[str], *, force: bool, style: CsvStyle
) -> None:
    from aiskills.cli.whole_files import write_files
    from aiskills.estimate.render import markdown
    from aiskills.files import open_output

    if _is_markdown(target):
        write_files({Path(target): markdown(found)})
        return
    with open_output(
        target, csv_style=style, force=force, inputs=inputs, metadata=found.metadata()
    ) as writer:
        writer.write(found.table)


def _print(found: Measurement) -> None:
    """The table on a terminal, with a line on what was counted."""
    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import safe, stdout_console
    from aiskills.estimate.render import show

    console = stdout_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    shown, kept = _that_fits(show(found), console.width)
    for number in kept:
        right = shown.numeric[number]
        widest = max(len(_brief(row[number])) for row in shown.rows)
        table.add_column(
            shown.heads[number],
            justify="right" if right else "left",
            no_wrap=right,
            # A group's name may wrap where there is no room for it, but stays legible.
            min_width=widest if right else min(widest, _LEGIBLE if console.width > _NARROW else 8),
        )
    notes = {number for number, head in enumerate(shown.heads) if head == "note"}
    for row, kind in zip(shown.rows, shown.kinds, strict=True):
        style = {"total": "bold", "unknown": "dim", "outside": "dim"}.get(kind, "")
        cells = (_brief(row[n]) if n in notes else row[n] for n in kept)
        table.add_row(*(Text(safe(cell)) for cell in cells), style=style)
    console.print(table)
    said = " ".join(row[n] for row in shown.rows for n in notes)
    legend = [f"{word}: {meaning}" for mark, word, meaning in _BRIEF if mark in said]
    console.print(Text("\n" + " · ".join([safe(shown.caption), *legend]), style="dim"))


def _that_fits(shown: Shown, width: int) -> tuple[Shown, list[int]]:
    """The table and the numbers of the columns to show.

    Where there is no room, what is least needed goes: columns, or the intervals in them.
    """
    from aiskills.estimate.render import DISPENSABLE, without_ends

    kept = list(range(len(shown.heads)))
    for head, only_ends in DISPENSABLE:
        sizes = [
            max(len(title), *(min(len(_brief(row[number])), _LEGIBLE) for row in shown.rows)) + _GAP
            for number, title in enumerate(shown.heads)
        ]
        if sum(sizes[number] for number in kept) <= width:
            break
        for number in [one for one in kept if shown.heads[one].startswith(head)]:
            if not only_ends:
                kept.remove(number)
                continue
            heads, rows = list(shown.heads), [list(row) for row in shown.rows]
            for cells in (heads, *rows):
                cells[number] = without_ends(cells[number])
            shown = replace(shown, heads=tuple(heads), rows=tuple(map(tuple, rows)))
    return shown, kept


def _brief(note: str) -> str:
    """A note for the terminal; files have it in full."""
    short = {mark: word for mark, word, _ in _BRIEF}
    parts = note.split("; ")
    return ", ".join(
        next((w for m, w in short.items() if part.startswith(m)), part) for part in parts
    )
