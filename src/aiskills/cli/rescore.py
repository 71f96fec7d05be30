"""`aiskills rescore`: another model's results for a whole store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aiskills.cli import options


def rescore(
    store: Annotated[Path, typer.Argument(help="Folder of the store.", show_default=False)],
    model: options.Model = None,
    lexicon: options.LexiconFile = None,
    threshold: options.Threshold = None,
    siret_idcc: options.SiretIdcc = None,
    naf2025: options.Naf2025 = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Judge all offers of a store anew; the old results stay readable until all is done.

    Examples:
      aiskills rescore store/

      aiskills rescore store/ --model models/new --jobs 4
    """
    from aiskills.batch.migrate import migrate
    from aiskills.batch.rescore import rescore as work
    from aiskills.batch.store import open_store
    from aiskills.cli.console import noter
    from aiskills.pipeline import provenance, setup_of
    from aiskills.workers import default_jobs

    setup = setup_of(*options.texts(model, lexicon, threshold, siret_idcc, naf2025))
    metadata = provenance(setup.judge())
    with open_store(store, "rescore") as opened:
        migrate(opened, noter(quiet=quiet))
        offers = work(opened, setup, metadata, jobs or default_jobs())
    if not quiet:
        sys.stderr.write(f"{offers:,} offers judged anew by {metadata['aiskills_model']}\n")
