"""`aiskills demo`: the main jobs on offers that come with aiskills, on any system."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

#: Of each language, title and first words of the report of the simulated offers.
_WORDS: Final = {
    "fr": (
        "Démonstration : compétences en IA dans des offres simulées",
        "Offres simulées : ces chiffres ont été mis dans la simulation et ne disent rien du marché "
        "du travail.",
    ),
    "en": (
        "Demonstration: AI skills in simulated job offers",
        "Simulated offers: these figures were put into the simulation and say nothing of the "
        "labour market.",
    ),
}
_SEED: Final = 1


def demo(
    folder: Annotated[
        Path, typer.Option("--into", help="Where the results go.", metavar="FOLDER")
    ] = Path("demo"),
    offers: Annotated[
        int, typer.Option("-n", "--offers", help="Simulated offers.", min=1, metavar="N")
    ] = 20_000,
    lang: Annotated[str, typer.Option(help="Language of the report: fr or en.")] = "fr",
) -> None:
    """Flag 300 sample offers, then make a report of 20,000 simulated ones, from start to end.

    The sample offers are invented, the others simulated: no figure says anything of the labour
    market. Each command that is run is shown. Results of an earlier demo are replaced.
    """
    from aiskills.cli.report import language
    from aiskills.errors import OutputError
    from aiskills.samples import samples_folder

    language(lang)
    samples = samples_folder() / "offers.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from None
    results = folder / "results.csv"
    _classify_samples(samples, results)
    page = _report_simulated(folder, offers, lang)
    _show_ways_on(results, page)


def _classify_samples(source: Path, target: Path) -> None:
    from aiskills.cli.classify import classify

    _tell("1. Which of 300 invented offers ask for AI skills?")
    _tell_command("classify", source, "-o", target)
    classify([str(source)], output=str(target), force=True)
    _show_results(target)


def _show_results(target: Path) -> None:
    from aiskills.cli.classify import flagged_table
    from aiskills.cli.console import stdout_console
    from aiskills.files import read_table

    rows = [row for row in read_table(target).to_pylist() if row["ai_study"] == "true"]
    for row in rows:
        row["ai_study_score"] = float(row["ai_study_score"])
        row["ai_strict"] = row["ai_strict"] == "true"
    if rows:
        stdout_console().print("\nThe first of them:\n")
        stdout_console().print(flagged_table(rows[:10]))


def _report_simulated(folder: Path, offers: int, lang: str) -> Path:
    from aiskills.cli.classify import classify
    from aiskills.cli.dedupe import dedupe
    from aiskills.cli.report import report
    from aiskills.cli.simulate import simulate

    stream, scored = folder / "simulated.parquet", folder / "scored.parquet"
    once, page = folder / "deduped.parquet", folder / "report.html"
    title, remark = _WORDS[lang]
    _tell(f"2. What share? {offers:,} simulated offers, from the stream to the report")
    _tell_command("simulate", "-n", offers, "--seed", _SEED, "-o", stream)
    simulate(str(stream), offers=offers, seed=_SEED, force=True)
    _tell_command("classify", stream, "-o", scored)
    classify([str(stream)], output=str(scored), force=True)
    _tell_command("dedupe", scored, "-o", once)
    dedupe([str(scored)], output=str(once), force=True)
    options = ["--lang", lang, "--title", title, "--note", remark]
    _tell_command("report", once, "-o", page, *options)
    report([str(once)], output=page, lang=lang, title=title, remark=remark, force=True)
    return page


def _tell(line: str) -> None:
    sys.stderr.write(f"\n{line}\n")


def _tell_command(*words: object) -> None:
    sys.stderr.write(f"\n$ {shlex.join(['aiskills', *map(str, words)])}\n")


def _show_ways_on(results: Path, page: Path) -> None:
    from aiskills.cli.console import stdout_console

    console, typed = stdout_console(), _typed()
    for line in (
        "",
        f"The report, of simulated offers; open it in a browser:  {page.resolve().as_uri()}",
        f"The flagged samples with their evidence:                {results}",
        f"Why an offer is flagged:   {typed} explain {results} --id ECH-0002",
        f"Your own offers:           {typed} classify YOUR.csv -o results.csv",
    ):
        console.print(line, soft_wrap=True, markup=False)


def _typed() -> str:
    """What to type for this program: its name, or where it is if the shell would not find it."""
    here = Path(sys.argv[0])
    if here.stem != "aiskills" or shutil.which("aiskills"):
        return "aiskills"
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here)
