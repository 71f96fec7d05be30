"""`aiskills status`: how a store is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def status(
    store: Annotated[Path, typer.Argument(help="Folder of the store.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how a store is: offers, last runs, what is in quarantine, what should be done.

    Examples:
      aiskills status store/

      aiskills status store/ --json
    """
    from aiskills.batch.status import lines_of, status_of
    from aiskills.cli.console import safe

    record = status_of(store)
    if as_json:
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(safe(line) + "\n" for line in lines_of(record)))
