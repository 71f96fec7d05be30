"""`aiskills skills`: scored offers in, the AI skills that are asked out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options

if TYPE_CHECKING:
    from aiskills.files import CsvStyle
    from aiskills.skills import Skills

_COUNTED = options.COUNTED


def skills(
    inputs: options.Scored,
    by: Annotated[
        str | None,
        typer.Option(
            help="Groups, each on its own: branch, division, region, function, subfunction, cadre, "
            "language, source, company, year, half, quarter, month, period, or any column.",
            metavar="GROUP,…",
        ),
    ] = None,
    growth: Annotated[
        str | None,
        typer.Option(help="Growth from one period to another.", metavar="A:B"),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(help="What `--by period` cuts: year (as if unset), half, quarter or month."),
    ] = None,
    definition: options.Definitions = "study",
    population: options.Population = "all",
    perimeter: options.Perimeter = "all",
    window: options.Window = None,
    dedupe: options.Dedupe = None,
    confidence: options.Confidence = None,
    min_offers: Annotated[
        int,
        typer.Option(
            help="Terms and pairs of fewer offers are marked, or left out of what is typical, "
            "grows or comes together.",
            min=1,
            rich_help_panel=_COUNTED,
        ),
    ] = 5,
    lexicon: options.LexiconFile = None,
    table: Annotated[
        str | None,
        typer.Option(
            help="Tables: terms, themes, typical, growth, pairs. A file of data holds one, terms "
            "if unset; a terminal and Markdown show all.",
            metavar="NAME,…",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(help="Rows of a table on a terminal or in Markdown.", min=1)
    ] = 15,
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
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Say which AI skills offers ask for, what is typical of each group, and what grows.

    Without -o a terminal shows short tables, and a pipe gets one whole table as CSV.

    Examples:
      aiskills skills scored.parquet --by function,branch,region,period

      aiskills skills scored.parquet --growth 2019:2023 --table growth -o growth.xlsx

      aiskills skills scored.parquet --by function --table typical -o typical.csv
    """
    from aiskills.cli.console import noter
    from aiskills.phrases import Lexicon
    from aiskills.skills import skills as run

    target = None if output is None else str(output)
    style = options.csv_style(excel_fr=excel_fr)
    shown = target is None and sys.stdout.isatty() and not excel_fr
    people = shown or (target is not None and _is_markdown(target))
    names = _names(table, growth=growth, people=people)
    if target is not None:
        _check_target(target, inputs, force=force, style=style)
    note = noter(quiet=quiet)
    found = run(
        inputs,
        by,
        least=min_offers,
        lexicon=None if lexicon is None else Lexicon.read(lexicon),
        encoding=encoding,
        separator=separator,
        note=note,
        period=period,
        definition=definition,
        population=population,
        perimeter=perimeter,
        window=window,
        growth=growth,
        dedupe=dedupe,
        confidence=confidence,
    )
    if shown:
        _print(found, names, top)
    elif people:
        from aiskills.cli.whole_files import write_files
        from aiskills.skills.render import markdown

        write_files({Path(str(target)): markdown(found, names, top)})
    else:
        _write(found, names[0], target or "-", inputs, force=force, style=style)
    for remark in found.remarks:
        note(remark)


def _names(given: str | None, *, growth: str | None, people: bool) -> tuple[str, ...]:
    """The tables that are shown or written."""
    from aiskills.errors import UsageError
    from aiskills.files.notes import did_you_mean
    from aiskills.skills import TABLES

    if given is None:
        return TABLES if people else TABLES[:1]
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    for name in names:
        if name not in TABLES:
            raise UsageError(
                f"the table '{name}'",
                expected="one of " + ", ".join(TABLES),
                hint=did_you_mean(name, TABLES),
            )
    if not names or (not people and len(names) > 1):
        raise UsageError(
            f"--table {given}",
            expected="one table, since a file of data holds one",
            hint="Markdown (-o skills.md) holds them all.",
        )
    if "growth" in names and growth is None:
        raise UsageError("--table growth without --growth", expected="--growth 2019:2023, say")
    return names


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
    found: Skills, name: str, target: str, inputs: list[str], *, force: bool, style: CsvStyle
) -> None:
    from aiskills.files import open_output

    metadata = {**found.metadata(), "skills_table": name}
    with open_output(
        target, csv_style=style, force=force, inputs=inputs, metadata=metadata
    ) as writer:
        writer.write(found.tables[name])


def _print(found: Skills, names: tuple[str, ...], top: int) -> None:
    """The tables on a terminal, with a line on what was counted."""
    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import safe, stdout_console
    from aiskills.skills.render import sections

    console = stdout_console()
    for section in sections(found, names, top):
        console.print(Text(safe(section.title), style="bold"))
        table = Table(box=None, pad_edge=False, header_style="dim")
        for head, right in zip(section.heads, section.numeric, strict=True):
            table.add_column(head, justify="right" if right else "left", no_wrap=right)
        for row in section.rows:
            table.add_row(*(Text(safe(cell)) for cell in row))
        console.print(table)
        console.print(Text(f"{safe(section.remark)}\n", style="dim"))
    about = " · ".join(f"{label}: {text}" for label, text in found.about)
    console.print(Text(safe(about), style="dim"))
