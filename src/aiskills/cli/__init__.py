"""The command line: one file a command; each parses, calls one function and prints.

Nothing heavy is imported before a command runs, so that ``aiskills --help`` stays quick.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from aiskills.cli import classify, demo, explain, lexicon, train
from aiskills.cli.console import ReaderGone, safe
from aiskills.errors import AiskillsError
from aiskills.version import __version__

app = typer.Typer(
    name="aiskills",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_WORK = "Work with offers"
_SHAPE = "Shape what counts"
app.command(rich_help_panel=_WORK)(classify.classify)
app.command(rich_help_panel=_WORK)(explain.explain)
app.command(rich_help_panel=_WORK)(demo.demo)
app.add_typer(lexicon.app, name="lexicon", rich_help_panel=_SHAPE)
app.command(rich_help_panel=_SHAPE)(train.train)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"aiskills {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Find which French job offers ask for AI skills, show why, and measure their share."""


class _Stopped(BaseException):
    """SIGTERM came; unwinds so that temporary files go."""


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped


def main() -> NoReturn:
    """Runs the command line; the exit code is 0, 1 (data), 2 (usage), 130 or 143 (stopped)."""
    signal.signal(signal.SIGTERM, _stop)
    code = 0
    try:
        app(standalone_mode=False)
    except AiskillsError as error:
        sys.stderr.write(f"aiskills: {safe(str(error))}\n")
        code = error.exit_code
    except typer.Exit as done:
        code = done.exit_code
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("aiskills: stopped; nothing half-written was left.\n")
        code = 130
    except _Stopped:
        sys.stderr.write("aiskills: stopped by SIGTERM; nothing half-written was left.\n")
        code = 143
    except ReaderGone:
        # The reader went away (`aiskills … | head`): not our error; and Python must not complain
        # about the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "format_message"):
            raise
        sys.stderr.write(f"aiskills: {safe(error.format_message())}\n")
        sys.stderr.write("Run `aiskills --help`, or `aiskills COMMAND --help`.\n")
        code = int(error.exit_code)
    sys.exit(code)
