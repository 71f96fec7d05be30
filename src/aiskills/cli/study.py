"""`aiskills study`: the figures of the Apec / OPCO 2i study beside those of scored offers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from aiskills.study import Study

_COUNTED = options.COUNTED
_STYLES = {"agree": "green", "inconclusive": "yellow", "above": "red", "below": "red",
           "differ": "red"}  # fmt: skip
#: Columns of the table on a terminal: 100 in all with what stands between them.
_WIDTHS = (28, 13, 19, 16, 16)
_TEXT_SUFFIXES = (".md", ".markdown", ".json")


def study(
    inputs: options.Scored,
    lang: Annotated[str, typer.Option(help="Language of the texts: fr or en.")] = "fr",
    definition: Annotated[
        str,
        typer.Option(
            help="Definition put beside the published figures: study, as published; or strict.",
            rich_help_panel=_COUNTED,
        ),
    ] = "study",
    population: Annotated[
        str, typer.Option(help="cadre, as published; or all.", rich_help_panel=_COUNTED)
    ] = "cadre",
    perimeter: Annotated[
        str,
        typer.Option(
            help="Industry: opco2i, as published; or insee (sections B to E).",
            rich_help_panel=_COUNTED,
        ),
    ] = "opco2i",
    comparator: Annotated[
        str,
        typer.Option(
            help="Whose growth the published +13 % is: others, all (recruiters), or both readings.",
            rich_help_panel=_COUNTED,
        ),
    ] = "both",
    dedupe: options.Dedupe = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Intervals by clusters of offers, e.g. company.",
            metavar="COLUMN",
            rich_help_panel=_COUNTED,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where it goes: .md and .json hold everything; .csv, .xlsx and .parquet the table "
            "of figures; - is stdout.",
        ),
    ] = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Put the published figures of the Apec / OPCO 2i study beside yours, like with like.

    Yours are counted as the study counts (study definition, demand or mention, uncorrected), with
    demand alone under both definitions beside. What your offers cannot tell says what is missing.

    Examples:
      aiskills study scored.parquet

      aiskills study scored.parquet --lang en --cluster company -o study.md
    """
    import json

    from aiskills.cli.console import noter
    from aiskills.study import study as run

    target = None if output is None else str(output)
    if target is not None:
        _check_target(target, inputs, force=force)
    found = run(
        inputs,
        lang=lang,
        encoding=encoding,
        separator=separator,
        note=noter(quiet=quiet),
        definition=definition,
        population=population,
        perimeter=perimeter,
        comparator=comparator,
        dedupe=dedupe,
        cluster=cluster,
    )
    if target is None:
        _print(found)
    elif target == "-" or target.lower().endswith(_TEXT_SUFFIXES):
        from aiskills.cli.whole_files import write_files
        from aiskills.study.render import markdown

        as_json = target.lower().endswith(".json")
        text = json.dumps(found.as_dict(), ensure_ascii=False, indent=2) + "\n"
        write_files({Path(target): text if as_json else markdown(found)})
    else:
        from aiskills.files import open_output

        with open_output(target, force=force, inputs=inputs, metadata=found.metadata()) as writer:
            writer.write(found.table())


def _check_target(target: str, inputs: list[str], *, force: bool) -> None:
    """Refuses a target that cannot be written, before any work is done."""
    from aiskills.cli.whole_files import check_places
    from aiskills.files import open_output

    if target == "-":
        return
    if target.lower().endswith(_TEXT_SUFFIXES):
        check_places([Path(target)], inputs, force=force)
    else:
        open_output(target, force=force, inputs=inputs)


def _print(found: Study) -> None:
    """The comparison on a terminal; in a pipe, the same as Markdown."""
    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import safe, stdout_console
    from aiskills.study.render import markdown, numbered, show

    if not sys.stdout.isatty():
        sys.stdout.write(markdown(found))
        return
    shown = show(found)
    console = stdout_console()
    console.print(Text(shown.title, style="bold"))
    *heads, comparison = shown.heads
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, width in zip(heads, _WIDTHS, strict=True):
        table.add_column(head, width=width)
    leaders = []
    for (*cells, verdict), kind, key in zip(shown.rows, shown.kinds, shown.verdicts, strict=True):
        said = Text(safe(verdict), style=_STYLES.get(key, "dim"))
        if kind == "leaders":
            label, theirs, ours = (Text(safe(cell)) for cell in cells[:3])
            leaders += [label, Text(f"  {heads[1]}: ") + theirs, Text(f"  {heads[2]}: ") + ours,
                        Text(f"  {comparison}: ") + said]  # fmt: skip
            continue
        texts = [Text(safe(cell)) for cell in cells]
        texts[2] = Text("\n").join([texts[2], said])
        table.add_row(*texts)
    console.print(table)
    for line in leaders:
        console.print(line)
    _print_lines(console, shown.why_head, [f"{numbered(which)}: {why}" for why, which in shown.why])
    console.print(Text(f"\n{shown.context_head}", style="bold"))
    context = Table(box=None, pad_edge=False, header_style="bold")
    for head in shown.context_heads:
        context.add_column(head)
    for row in shown.context:
        context.add_row(*(Text(safe(cell)) for cell in row))
    console.print(context)
    _print_lines(console, shown.remarks_head, shown.remarks)


def _print_lines(console: Console, head: str, lines: list[str] | tuple[str, ...]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from aiskills.cli.console import safe

    if lines:
        console.print(Text(f"\n{head}", style="bold"))
    for line in lines:
        console.print(Padding(Text(safe(f"- {line}")), (0, 0, 0, 2)))
