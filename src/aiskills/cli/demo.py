"""`aiskills demo`: the main job on the sample offers, on any system."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aiskills.cli.classify import classify
from aiskills.cli.report import report


def demo(
    folder: Annotated[
        Path, typer.Option("--into", help="Where the results go.", metavar="FOLDER")
    ] = Path("demo"),
) -> None:
    """Classify the sample offers that come with aiskills, and make a report of them.

    All sample offers are invented. Results of an earlier demo are replaced.
    """
    from aiskills.errors import OutputError
    from aiskills.samples import samples_folder

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from None
    source, target = samples_folder() / "offers.csv", folder / "results.csv"
    sys.stderr.write(f"$ aiskills classify {source} -o {target}\n")
    classify([str(source)], output=target, force=True)
    _show_results(target, folder)
    page = folder / "report.html"
    sys.stderr.write(f"\n$ aiskills report {target} -o {page}\n")
    report(
        [str(target)],
        output=page,
        remark="Offres inventées : ces chiffres ne disent rien du marché.",
        force=True,
    )


def _show_results(target: Path, folder: Path) -> None:
    import pyarrow as pa

    from aiskills.cli.classify import flagged_table
    from aiskills.cli.console import stdout_console
    from aiskills.files import read_table

    table = read_table(target)
    rows = [row for row in table.to_pylist() if row["ai_study"] == "true"]
    for row in rows:
        row["ai_study_score"] = float(row["ai_study_score"])
        row["ai_strict"] = row["ai_strict"] == "true"
    if not isinstance(table, pa.Table) or not rows:
        return
    console = stdout_console()
    console.print("\nThe first offers that ask for AI skills:\n")
    console.print(flagged_table(rows[:10]))
    console.print(f"\nAll of them, with their evidence: {target}")
    first = next((row["id"] for row in rows if row.get("id")), None)
    if first:
        console.print(f"Why one is flagged:  aiskills explain {target} --id {first}")
    console.print(f"Your own offers:     aiskills classify YOUR.csv -o {folder / 'mine.csv'}")
