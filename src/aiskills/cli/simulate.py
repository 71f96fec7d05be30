"""`aiskills simulate`: a synthetic national stream of offers, and the truth about it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.files import OutputWriter
    from aiskills.simulate import Chunk, Parameters

#: The parameters that have an option of their own, by option.
_OPTIONS: Final = {
    "share_industry": "shares.industry",
    "share_all": "shares.all",
    "growth_industry": "growth.industry",
    "growth_elsewhere": "growth.elsewhere",
}
_PANEL: Final = "What is true"


def simulate(
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", help="Where the offers go; its suffix tells the format. - is stdout."
        ),
    ],
    offers: Annotated[
        int, typer.Option("-n", "--offers", help="Rows, reposts included.", min=1, metavar="N")
    ] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same offers.", min=0)] = 0,
    truth: Annotated[
        Path | None,
        typer.Option(help="Where the truth goes, row for row with the offers; nowhere if unset."),
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(help="A TOML file with the parameters that differ from the default."),
    ] = None,
    share_industry: Annotated[
        float | None,
        typer.Option(
            help="AI offers among industry's cadre offers, first half of 2024: 0.03 as published.",
            metavar="SHARE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    share_all: Annotated[
        float | None,
        typer.Option(
            help="The same over all sectors: 0.022 as published.",
            metavar="SHARE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    growth_industry: Annotated[
        float | None,
        typer.Option(
            help="Growth of industry's AI offers, 2019 to 2023: 0.56 as published.",
            metavar="GROWTH",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    growth_elsewhere: Annotated[
        float | None,
        typer.Option(
            help="The same outside industry: 0.13 as published.",
            metavar="GROWTH",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    file_format: options.FileFormat = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Make up a national stream of offers, 2019 to June 2024, whose truth is known.

    It shows whether the machinery finds what was put in; it says nothing of the real market. Every
    marginal is a parameter; the default follows the figures of Apec and OPCO 2i.

    Examples:
      aiskills simulate -n 20000 --seed 1 -o offers.parquet --truth truth.parquet

      aiskills simulate -n 200000 --share-industry 0.05 --growth-industry 1.2 -o offers.csv
    """
    from aiskills.cli.console import noter
    from aiskills.files import open_output
    from aiskills.simulate import read_parameters
    from aiskills.simulate import simulate as stream

    given = {
        "share_industry": share_industry,
        "share_all": share_all,
        "growth_industry": growth_industry,
        "growth_elsewhere": growth_elsewhere,
    }
    chosen = read_parameters(parameters)
    numbers = {_OPTIONS[name]: value for name, value in given.items() if value is not None}
    chosen = chosen.with_numbers(numbers)
    if truth is not None and os.path.realpath(truth) == os.path.realpath(output):
        raise UsageError(f"--truth {truth} is the offers' file too", expected="another file")
    chunks = stream(offers, seed=seed, parameters=chosen)
    note = noter(quiet=quiet)
    metadata = _metadata(chosen, offers, seed)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(
            open_output(output, format=file_format, force=force, metadata=metadata, note=note)
        )
        beside = None
        if truth is not None:
            beside = stack.enter_context(
                open_output(truth, force=force, metadata=metadata, note=note)
            )
        for chunk in chunks:
            _write(chunk, writer, beside)
    if not quiet:
        sys.stderr.write(f"{offers:,} simulated offers, seed {seed}: {_where(output, truth)}\n")


def _write(chunk: Chunk, writer: OutputWriter, beside: OutputWriter | None) -> None:
    if chunk.offers is not None:
        writer.write(chunk.offers)
    if beside is not None:
        beside.write(chunk.truth)


def _where(output: str, truth: Path | None) -> str:
    places = ["stdout" if output == "-" else output]
    if truth is not None:
        places.append(f"truth in {truth}")
    return ", ".join(places)


def _metadata(parameters: Parameters, offers: int, seed: int) -> dict[str, str]:
    from aiskills.version import __version__

    return {
        "aiskills_version": __version__,
        "aiskills_simulated": "true",
        "aiskills_simulate_offers": str(offers),
        "aiskills_simulate_seed": str(seed),
        "aiskills_simulate_parameters": json.dumps(dict(parameters.tables), ensure_ascii=False),
    }
