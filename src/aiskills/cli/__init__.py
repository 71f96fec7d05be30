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

from aiskills.cli import (
    batch,
    classify,
    dedupe,
    demo,
    evaluate,
    explain,
    labels,
    lexicon,
    measure,
    report,
    rescore,
    sample,
    simulate,
    skills,
    status,
    store,
    study,
    train,
)
from aiskills.cli.console import safe
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
_NIGHT = "Every night"
_SHAPE = "Shape what counts"
app.command(rich_help_panel=_WORK)(classify.classify)
app.command(rich_help_panel=_WORK)(dedupe.dedupe)
app.command(rich_help_panel=_WORK)(measure.measure)
app.command(rich_help_panel=_WORK)(study.study)
app.command(rich_help_panel=_WORK)(report.report)
app.command(rich_help_panel=_WORK)(skills.skills)
app.command(rich_help_panel=_WORK)(explain.explain)
app.command(rich_help_panel=_WORK)(demo.demo)
app.command(rich_help_panel=_NIGHT)(batch.batch)
app.command(rich_help_panel=_NIGHT)(status.status)
app.command(rich_help_panel=_NIGHT)(rescore.rescore)
app.add_typer(store.app, name="store", rich_help_panel=_NIGHT)
app.add_typer(lexicon.app, name="lexicon", rich_help_panel=_SHAPE)
app.command(rich_help_panel=_SHAPE)(simulate.simulate)
app.command(rich_help_panel=_SHAPE)(sample.sample)
app.add_typer(labels.app, name="labels", rich_help_panel=_SHAPE)
app.command(rich_help_panel=_SHAPE)(train.train)
app.command(rich_help_panel=_SHAPE)(evaluate.evaluate)


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
    """Runs the command line.

    The exit code is 0, 1 (data), 2 (usage), 3 (a --fail-on condition), 4 (locked), 130 or 143
    (stopped).
    """
    signal.signal(signal.SIGTERM, _stop)
    code = _run()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _cannot_print(error)
    sys.exit(code)


def _run() -> int:
    """The exit code of what the user asked for; whatever went wrong has been said."""
    try:
        # A command that raises typer.Exit(code) ends here, with that code as the value.
        code = app(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except AiskillsError as error:
        sys.stderr.write(f"aiskills: {safe(str(error))}\n")
        return error.exit_code
    except typer.Exit as done:
        return done.exit_code
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("aiskills: stopped; nothing half-written was left.\n")
        return 130
    except _Stopped:
        sys.stderr.write("aiskills: stopped by SIGTERM; nothing half-written was left.\n")
        return 143
    except SystemExit:
        # click and rich end so when what reads our output went away (`aiskills … | head`). That is
        # no error of ours.
        _leave_stdout()
    except OSError as error:
        return _cannot_print(error)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "format_message"):
            raise
        sys.stderr.write(f"aiskills: {safe(error.format_message())}\n")
        sys.stderr.write("Run `aiskills --help`, or `aiskills COMMAND --help`.\n")
        return int(error.exit_code)
    return 0


def _cannot_print(error: OSError) -> int:
    """Says that standard output takes no more, unless its reader just went away."""
    _leave_stdout()
    if isinstance(error, BrokenPipeError):
        return 0
    sys.stderr.write(f"aiskills: cannot write to standard output: {error.strerror}.\n")
    return 1


def _leave_stdout() -> None:
    """Sends what is still buffered nowhere, so that Python does not complain of it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
