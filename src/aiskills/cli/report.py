"""`aiskills report`: scored offers in, a page to show around out."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiskills.cli import options

if TYPE_CHECKING:
    from aiskills.report.records import Figures, Options

_COUNTED: Final = "What is counted"
#: Forms of a report, and the ending of a file that asks for each.
FORMATS: Final = {"html": ".html", "xlsx": ".xlsx", "pdf": ".pdf", "png-folder": ""}


def report(
    inputs: options.Scored,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Where it goes; - is standard output (HTML)."),
    ] = Path("report.html"),
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="html, xlsx, pdf or png-folder (a picture a chart); told by the file's ending if "
            "unset. pdf and png-folder need Chromium, Chrome or Edge.",
        ),
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the report: fr or en.")] = "fr",
    title: Annotated[str, typer.Option(help="A title of your own.", show_default=False)] = "",
    remark: Annotated[
        str,
        typer.Option(
            "--note",
            help="What readers must know first, e.g. that the offers are no random sample.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = "",
    texts: Annotated[
        bool,
        typer.Option("--texts/--no-texts", help="Show a sample of offers with their evidence."),
    ] = True,
    compare: Annotated[
        str | None,
        typer.Option(help="Scored offers of an earlier report.", metavar="SCORED"),
    ] = None,
    definition: Annotated[
        str,
        typer.Option(
            help="Definition of the detailed sections, study or strict; the headline has both.",
            rich_help_panel=_COUNTED,
        ),
    ] = "study",
    population: options.Population = "all",
    perimeter: options.Perimeter = "all",
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Labels of offers drawn from this data by `aiskills sample`, to correct with.",
            metavar="FILE",
            rich_help_panel=_COUNTED,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder whose audit is used; the one that ships if unset.",
            rich_help_panel=_COUNTED,
        ),
    ] = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Make a report to show around: one page with figures, charts, a map and the evidence.

    Examples:
      aiskills report scored.parquet -o report.html

      aiskills report scored.parquet -o rapport.xlsx --population cadre --perimeter opco2i

      aiskills report 2025.parquet --compare 2024.parquet --no-texts --lang en

      aiskills report dump.parquet --note "Recherche par mots-clés : non représentatif."
    """
    from aiskills.cli.console import noter
    from aiskills.estimate.measurement import Correction
    from aiskills.report.figures import collect
    from aiskills.report.sources import Reading

    wanted = _form(form, output)
    asked = replace(
        _options(lang, definition, population, perimeter), title=title, note=remark, texts=texts
    )
    _check(output, wanted, inputs, force=force)
    note = noter(quiet=quiet)
    figures = collect(
        inputs,
        asked,
        Correction(gold, None, model),
        previous=compare,
        command=shlex.join(["aiskills", *sys.argv[1:]]),
        reading=Reading(encoding, separator),
        note=note,
    )
    _write(figures, output, wanted)
    if not quiet and str(output) != "-":
        sys.stderr.write(f"written to {output}\n")


def _form(form: str | None, output: Path) -> str:
    from aiskills.errors import UsageError

    if form is None:
        endings = {ending: name for name, ending in FORMATS.items() if ending}
        form = endings.get(output.suffix.lower()) if str(output) != "-" else "html"
        if form is None:
            raise UsageError(
                f"-o {output}",
                expected="a file ending in " + ", ".join(endings),
                hint="Or say what to make with --format " + ", ".join(FORMATS) + ".",
            )
    if form not in FORMATS:
        raise UsageError(f"--format {form}", expected=" or ".join(FORMATS))
    if str(output) == "-" and form != "html":
        raise UsageError(f"--format {form} to standard output", expected="a file")
    return form


def language(lang: str) -> str:
    """The language, if a report can be in it.

    Raises:
        UsageError: It cannot.
    """
    from aiskills.errors import UsageError
    from aiskills.report.words import LANGUAGES

    if lang not in LANGUAGES:
        raise UsageError(f"--lang {lang}", expected=" or ".join(LANGUAGES))
    return lang


def _options(lang: str, definition: str, population: str, perimeter: str) -> Options:
    from aiskills.errors import UsageError
    from aiskills.report.records import Options
    from aiskills.schema import Definition

    for name, value, known in (
        ("definition", definition, tuple(Definition)),
        ("population", population, ("cadre", "all")),
        ("perimeter", perimeter, ("opco2i", "insee", "all")),
    ):
        if value not in known:
            raise UsageError(f"--{name} {value}", expected=" or ".join(known))
    return Options(
        language(lang),
        definition=Definition(definition),
        population=population,
        perimeter=perimeter,
    )


def _check(output: Path, form: str, inputs: list[str], *, force: bool) -> None:
    """Refuses a target that cannot be written, before any work is done."""
    from aiskills.cli.whole_files import check_places
    from aiskills.errors import OutputError
    from aiskills.report.browser import need_browser

    if form in ("pdf", "png-folder"):
        need_browser(f"--format {form}")
    if form == "png-folder":
        if output.is_file():
            raise OutputError(f"{output} is a file", expected="a folder")
        if output.is_dir() and any(output.iterdir()) and not force:
            raise OutputError(f"{output} holds files", hint="Use --force to write among them.")
    elif str(output) != "-":
        check_places([output], inputs, force=force)


def _write(figures: Figures, output: Path, form: str) -> None:
    if form == "xlsx":
        from aiskills.report.xlsx import write_workbook

        write_workbook(figures, output)
    elif form == "png-folder":
        from aiskills.report.images import write_pictures

        write_pictures(figures, output)
    else:
        from aiskills.cli.whole_files import write_files
        from aiskills.report.browser import to_pdf
        from aiskills.report.page import page

        if form == "pdf":
            to_pdf(page(figures), output)
        else:
            write_files({output: page(figures)})
