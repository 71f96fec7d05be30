"""`aiskills lexicon`: look at the terms, check one's own, see what a change moves."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.phrases import Lexicon, Term

app = typer.Typer(
    help="List, check and compare the terms that are looked for.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.command("list")
def list_terms(
    theme: Annotated[str | None, typer.Option(help="Only terms of this theme.")] = None,
    definition: Annotated[str | None, typer.Option(help="Only strict, or only study.")] = None,
    strength: Annotated[
        str | None, typer.Option(help="Only strong, context, weak or trap ones.")
    ] = None,
    lexicon: options.LexiconFile = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="All columns as CSV, to begin a lexicon of your own.")
    ] = False,
) -> None:
    """List the terms; --csv gives the file that --lexicon reads."""
    from aiskills.phrases import Strength
    from aiskills.schema import THEMES, Definition

    wanted = {
        "theme": _one_of("theme", theme, THEMES),
        "definition": _one_of("definition", definition, tuple(Definition)),
        "strength": _one_of("strength", strength, tuple(Strength)),
    }
    terms = [
        term
        for term in _open(lexicon).terms
        if all(value in (None, getattr(term, name)) for name, value in wanted.items())
    ]
    if as_csv:
        _print_csv(terms)
    else:
        _print_table(terms)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="Your lexicon file.", show_default=False)],
) -> None:
    """Check a lexicon file; every mistake is named with its line."""
    from aiskills.phrases import Lexicon, changed_terms

    found = Lexicon.read(path)
    changes = changed_terms(Lexicon.default(), found)
    counts = {kind: sum(k == kind for k, _ in changes) for kind in ("added", "changed", "removed")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    typer.echo(f"{path}: no mistakes; {len(found):,} terms, against the default {told}.")


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A lexicon file, or default.", show_default=False)],
    after: Annotated[str, typer.Argument(help="Another, or default.", show_default=False)],
    on: Annotated[
        list[str] | None, typer.Option("--on", help="Offers on which to count moved flags.")
    ] = None,
    mapping: options.Mapping = None,
    model: options.Model = None,
) -> None:
    """Show how two lexicons differ, and how many flags the change moves on real offers."""
    from aiskills.phrases import changed_terms

    old, new = (_open(None if name == "default" else Path(name)) for name in (before, after))
    changes = changed_terms(old, new)
    for kind, name in changes:
        typer.echo(f"{kind:<8} {name}")
    typer.echo(f"{len(changes):,} terms differ.")
    if on:
        _print_moves(old, new, on, options.parse_mapping(mapping), model)


def _open(path: Path | None) -> Lexicon:
    from aiskills.phrases import Lexicon

    return Lexicon.default() if path is None else Lexicon.read(path)


def _one_of(name: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value is not None and value not in known:
        raise UsageError(f"--{name} {value}", expected="one of " + ", ".join(known))
    return value


def _print_csv(terms: list[Term]) -> None:
    from aiskills.phrases.lexicon_file import COLUMNS

    writer = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    for term in terms:
        cells = (getattr(term, column) for column in COLUMNS)
        writer.writerow([" | ".join(c) if isinstance(c, tuple) else str(c) for c in cells])


def _print_table(terms: list[Term]) -> None:
    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import stdout_console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("term", "theme", "definition", "strength", "other forms"):
        table.add_column(name)
    for term in terms:
        forms = ", ".join(term.variants[:4]) + (" …" if len(term.variants) > 4 else "")
        cells = (term.term, term.theme, term.definition, term.strength, forms)
        table.add_row(*(Text(str(cell)) for cell in cells))
    stdout_console().print(table)
    sys.stderr.write(f"{len(terms):,} terms\n")


def _print_moves(
    old: Lexicon,
    new: Lexicon,
    inputs: list[str],
    mapping: dict[str, str] | None,
    model: Path | None,
) -> None:
    from collections import Counter

    from aiskills.files import open_offers
    from aiskills.model import Judge, load_model
    from aiskills.pipeline import texts
    from aiskills.schema import Definition

    trained = load_model(model)
    judges = [Judge(trained, lexicon) for lexicon in (old, new)]
    moves: Counter[tuple[str, str, str]] = Counter()
    offers = 0
    with open_offers(inputs, mapping=mapping, chunk_rows=1000) as reader:
        for chunk in reader:
            said = [judge.judge(*texts(chunk.table, chunk.fields)) for judge in judges]
            offers += len(chunk.table)
            for one, other in zip(*said, strict=True):
                for definition in Definition:
                    statuses = [str(getattr(j, definition) or "not judged") for j in (one, other)]
                    if statuses[0] != statuses[1]:
                        moves[definition.value, statuses[0], statuses[1]] += 1
    typer.echo(f"On {offers:,} offers:")
    for definition in Definition:
        moved = sum(count for (d, _, _), count in moves.items() if d == definition)
        typer.echo(f"  {definition:<6} {moved:,} statuses move")
        for (d, one, other), count in sorted(moves.items()):
            if d == definition:
                typer.echo(f"           {count:,} from {one} to {other}")
