"""`aiskills batch`: the night job, from an inbox of files into a store of scored offers."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.batch.report import RunReport
    from aiskills.batch.run import Plan

_JUDGE = "How offers are read and judged"


class LogFormat(StrEnum):
    """How stderr is written."""

    TEXT = "text"
    JSON = "json"


class FailOn(StrEnum):
    """What makes a run that did its work exit with 3."""

    DRIFT = "drift"
    QUARANTINE = "quarantine"


def batch(
    inbox: Annotated[
        Path, typer.Argument(help="Folder that files of offers come to.", show_default=False)
    ],
    store: Annotated[
        Path, typer.Option(help="Folder of the store; made if missing.", show_default=False)
    ],
    archive: Annotated[
        Path | None,
        typer.Option(help="Where files go once they are stored; they stay in the inbox if unset."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Only files changed since then: 2026-03-01, or 7d for seven days.",
            metavar="DATE|DAYS",
        ),
    ] = None,
    max_files: Annotated[
        int | None, typer.Option(help="So many files at most, the oldest first.", min=1)
    ] = None,
    settle: Annotated[
        float,
        typer.Option(help="Seconds without change after which a file counts as whole.", min=0),
    ] = 60,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which files would be taken.")
    ] = False,
    retry_quarantine: Annotated[
        bool, typer.Option("--retry-quarantine", help="Try again what is in quarantine.")
    ] = False,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Store no title, description or quote.")
    ] = False,
    fail_on: Annotated[
        list[FailOn] | None,
        typer.Option(help="Exit with 3 if shares left their limits, or something was held."),
    ] = None,
    log_format: Annotated[LogFormat, typer.Option(help="How stderr is written.")] = LogFormat.TEXT,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes; the default is one a processor.",
            min=1,
            metavar="N",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    lexicon: options.LexiconFile = None,
    model: options.Model = None,
    threshold: options.Threshold = None,
    siret_idcc: options.SiretIdcc = None,
    naf2025: options.Naf2025 = None,
    quiet: options.Quiet = False,
) -> None:
    """Score what is new in an inbox, each offer exactly once, into a store of Parquet files.

    Run it every night. Files still being written are left for the next run; what cannot be read
    goes to STORE/quarantine with the reason; a run that was stopped or died is taken up by the
    next. One JSON line on stdout tells what was done.

    Examples:
      aiskills batch inbox/ --store store/ --archive done/

      aiskills batch inbox/ --store store/ --no-text --fail-on drift --fail-on quarantine
    """
    from aiskills.batch.run import Plan, check_plan

    plan = Plan(inbox, store, archive, _since(since), max_files, settle, retry_quarantine)
    if dry_run:
        check_plan(plan)
        _tell_plan(plan)
        return
    from aiskills.batch.ingest import Settings
    from aiskills.batch.run import run_batch
    from aiskills.pipeline import provenance, setup_of

    log = _logger(log_format, quiet=quiet)
    setup = setup_of(*options.texts(model, lexicon, threshold, siret_idcc, naf2025))
    judge = setup.judge()
    settings = Settings(
        setup,
        provenance(judge),
        options.parse_mapping(mapping),
        encoding,
        separator,
        jobs,
        keep_text=not no_text,
    )
    with _stop_cleanly() as signals:
        report = run_batch(plan, settings, judge.lexicon, lambda: bool(signals), log)
    sys.stdout.write(report.as_json() + "\n")
    for line in report.lines():
        log(line)
    if signals:
        log("stopped cleanly; run the same command again to go on")
        raise typer.Exit(128 + signals[0])
    if code := _exit_code(report, fail_on or []):
        raise typer.Exit(code)


def _exit_code(report: RunReport, fail_on: list[FailOn]) -> int:
    if report.unreadable or report.damaged:
        return 1
    failed = (FailOn.DRIFT in fail_on and report.drifts) or (
        FailOn.QUARANTINE in fail_on and report.has_quarantine
    )
    return 3 if failed else 0


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    number = text.removesuffix("d")
    if text.endswith("d") and number.isascii() and number.isdigit() and len(number) < 6:
        return datetime.now(UTC) - timedelta(days=int(number))
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(
            f"--since {text}", expected="a date such as 2026-03-01, or days such as 7d"
        ) from None


def _tell_plan(plan: Plan) -> None:
    """Says on stdout, a line a file, what a run would do."""
    from aiskills.batch.preview import preview

    for name, what in preview(plan):
        sys.stdout.write(f"{what}\t{name}\n")


def _logger(form: LogFormat, *, quiet: bool) -> Callable[[str], None]:
    from aiskills.cli.console import safe

    def log(line: str) -> None:
        if quiet:
            return
        if form is LogFormat.JSON:
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            record: dict[str, Any] = {"time": moment, "message": line.strip()}
            sys.stderr.write(json.dumps(record, ensure_ascii=False) + "\n")
        else:
            sys.stderr.write(safe(line) + "\n")

    return log


@contextmanager
def _stop_cleanly() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM instead of obeying; the second one stops at once."""
    signals: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)

    before = {one: signal.signal(one, note) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
