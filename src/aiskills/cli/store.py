"""`aiskills store`: looking after a store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Look after a store: purge, repair.")

_Store = Annotated[Path, typer.Argument(help="Folder of the store.", show_default=False)]


@app.command()
def purge(
    store: _Store,
    older_than: Annotated[
        str | None,
        typer.Option(help="Delete what is older than so many days.", metavar="400d"),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", help="Delete the offers of this uid, and let none come back."),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Delete offers from a store: those past their time, or single ones on demand.

    Examples:
      aiskills store purge store/ --older-than 400d

      aiskills store purge store/ --id apec:123 --id apec:124
    """
    from datetime import UTC, datetime

    from aiskills.batch.purge import purge_ids, purge_older
    from aiskills.batch.store import open_store

    if (older_than is None) == (not ids):
        raise UsageError("purge needs one of both", expected="--older-than 400d, or --id UID")
    days = _days(older_than) if older_than is not None else 0
    with open_store(store, "store purge") as opened:
        if older_than is not None:
            purged = purge_older(opened, days, datetime.now(UTC).date())
        else:
            purged = purge_ids(opened, ids or [])
    if not quiet:
        held = f" and {purged.held:,} entries of the quarantine" if purged.held else ""
        sys.stderr.write(f"{purged.offers:,} offers{held} deleted\n")


def _days(text: str) -> int:
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) < 6):
        raise UsageError(f"--older-than {text}", expected="days, such as 400d")
    return int(number)


@app.command()
def repair(store: _Store, quiet: options.Quiet = False) -> None:
    """Check every part and the journal; set aside what is damaged, make anew what can be.

    Examples:
      aiskills store repair store/
    """
    from aiskills.batch.repair import repair as work

    done = work(store)
    if quiet:
        return
    if done.journal:
        sys.stderr.write("the journal was made anew from the parts\n")
    sys.stderr.write(f"{done.parts:,} parts checked, {len(done.damaged):,} damaged\n")
    for path in done.damaged:
        sys.stderr.write(f"  set aside   {path}\n")
    for name, place in done.again:
        where = f"from {place}" if place else "unless it is still there"
        sys.stderr.write(f"  read again  put {name} back into the inbox, {where}\n")
