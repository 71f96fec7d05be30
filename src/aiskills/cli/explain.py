"""`aiskills explain`: one offer with its evidence, zones, scores and what weighed most."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiskills.cli import options
from aiskills.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiskills.model import Explanation


def explain(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Files of offers.", show_default=False)
    ] = None,
    offer_id: Annotated[
        str | None, typer.Option("--id", help="The offer with this identifier.", metavar="ID")
    ] = None,
    row: Annotated[
        int | None, typer.Option(help="The offer in this row, counted from 1.", min=1)
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text instead of a file.")] = None,
    title: Annotated[str, typer.Option(help="A title to go with --text.")] = "",
    html: Annotated[
        Path | None, typer.Option(help="Write the same as a page instead.", metavar="FILE")
    ] = None,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    lexicon: options.LexiconFile = None,
    model: options.Model = None,
    threshold: options.Threshold = None,
    force: options.Force = False,
) -> None:
    """Show why an offer is flagged, or why it is not.

    Examples:
      aiskills explain offers.csv --id 123ABC

      aiskills explain --text "Vous entraînez des réseaux de neurones."
    """
    from aiskills.classifier import Classifier

    given = [source for source in (text, offer_id, row) if source is not None]
    if len(given) != 1 or (text is None) != bool(inputs):
        raise UsageError(
            "it is not clear which offer to explain",
            expected='--text "…", or files with --id ID or --row N',
        )
    classifier = Classifier.load(model, lexicon=lexicon, threshold=threshold)
    if text is None:
        name, title, text = _find(
            inputs or [], offer_id, row, options.parse_mapping(mapping), encoding, separator
        )
    else:
        name = ""
    explanation = classifier.explain(text, title)
    if html is not None:
        _write_page(html, explanation, name, force=force)
        sys.stderr.write(f"written to {html}\n")
    else:
        _print(explanation, name)


def _find(
    inputs: Sequence[str],
    offer_id: str | None,
    row: int | None,
    mapping: dict[str, str] | None,
    encoding: str | None,
    separator: str | None,
) -> tuple[str, str, str]:
    """Identifier, title and description of the offer asked for."""
    from aiskills.files import open_offers
    from aiskills.pipeline import texts

    seen = 0
    with open_offers(inputs, mapping=mapping, encoding=encoding, separator=separator) as offers:
        for chunk in offers:
            ids = chunk.fields.extract(chunk.table, "id").to_pylist()
            place = None
            if row is not None:
                place = row - 1 - seen if 0 <= row - 1 - seen < len(ids) else None
            elif offer_id in ids:
                place = ids.index(offer_id)
            if place is not None:
                titles, descriptions = texts(chunk.table.slice(place, 1), chunk.fields)
                return ids[place] or f"row {seen + place + 1}", titles[0], descriptions[0]
            seen += len(ids)
        if offer_id is not None and not any("id" in fields.paths for fields in offers.fields):
            raise InputError(
                f"{', '.join(offers.sources)} has no column of identifiers",
                hint="Say which one it is with --map id=COLUMN, or use --row N.",
            )
    what = f"row {row}" if offer_id is None else f"an offer with the id {offer_id!r}"
    raise InputError(f"{what} is not among the {seen:,} offers of {', '.join(offers.sources)}")


def _write_page(path: Path, explanation: Explanation, name: str, *, force: bool) -> None:
    from aiskills.report import explained_page

    if path.exists() and not force:
        raise OutputError(f"{path} exists", hint="Use --force to replace it.")
    page = explained_page(explanation, name).encode("utf-8", "replace")
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(page)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _print(explanation: Explanation, name: str) -> None:
    from rich.text import Text

    from aiskills.cli.console import safe, stdout_console
    from aiskills.model import score_of
    from aiskills.schema import Definition

    console = stdout_console()
    judgement = explanation.judgement
    heading = Text(safe(name) + ("  " if name else ""), style="dim")
    console.print(heading + _highlighted(explanation, "title"), soft_wrap=True)
    if judgement.error:
        console.print(f"Not judged: {judgement.error}")
        return
    console.print(_highlighted(explanation, "description"))
    console.print()
    for definition in Definition:
        parts = explanation.parts.get(definition, ())
        status = getattr(judgement, definition.value)
        console.print(
            f"[bold]{definition:<6}[/] {status:<8} score {score_of(parts):.2f} "
            f"[dim](demand from {explanation.thresholds[definition]:.2f})[/]"
        )
    if not judgement.evidence:
        console.print(
            "No term of the lexicon stands in it."
            if not explanation.parts
            else "Terms were found, but none of them is about AI here."
        )
    else:
        console.print(_evidence_table(explanation))
    _print_parts(explanation, console)


def _highlighted(explanation: Explanation, field: str) -> Any:
    from rich.text import Text

    from aiskills.cli.console import safe
    from aiskills.report import segments
    from aiskills.schema import Status

    result = Text()
    for segment in segments(getattr(explanation, field), explanation.judgement.evidence, field):
        if segment.evidence is None:
            result.append(safe(segment.text))
        else:
            asked = segment.evidence.status is Status.DEMAND
            result.append(safe(segment.text), "bold black on yellow" if asked else "black on cyan")
            result.append(f"[{segment.evidence.zone}]", "dim")
    return result


def _evidence_table(explanation: Explanation) -> Any:
    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import one_line

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("evidence", "term", "theme", "zone", "status", "score", "what weighed most"):
        table.add_column(name, justify="right" if name == "score" else "left")
    for piece, parts in zip(explanation.judgement.evidence, explanation.matches, strict=True):
        weighed = [part for part in parts if not part.name.startswith("start")][:2]
        table.add_row(
            Text(one_line(piece.quote, 40)),
            piece.term,
            piece.theme,
            piece.zone,
            piece.status,
            f"{piece.score:.2f}",
            Text("; ".join(f"{part.name} {part.log_odds:+.2f}" for part in weighed)),
        )
    return table


def _print_parts(explanation: Explanation, console: Any) -> None:
    from rich.text import Text

    from aiskills.report.explained import weightiest
    from aiskills.schema import Definition

    for definition in Definition:
        parts = explanation.parts.get(definition, ())
        if not parts:
            continue
        console.print(f"\n[bold]What made the {definition} score[/] [dim](log odds; they sum)[/]")
        for part in weightiest(parts):
            console.print(Text(f"  {part.log_odds:+6.2f}  {part.name}"))
