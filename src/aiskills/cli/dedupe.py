"""`aiskills dedupe`: the same offers, reposts marked with the offer that they repeat."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from aiskills.dedupe import Reposts, Settings
    from aiskills.files import FieldMap

#: Below this many bytes processes cost more to start than they save.
_SMALL = 5_000_000


def dedupe(
    inputs: options.Inputs,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="Where the result goes; its suffix tells the format. - is stdout, "
            "FOLDER/ a folder of Parquet files.",
            metavar="PATH",
        ),
    ],
    window_days: Annotated[
        int,
        typer.Option(
            help="Most days between an offer and the latest one before it that it repeats.",
            metavar="DAYS",
        ),
    ] = 90,
    threshold: Annotated[
        float,
        typer.Option(
            help="Share of word runs in common from which a text is a near-copy, 0.7 to 1.",
            metavar="SHARE",
        ),
    ] = 0.8,
    same: Annotated[
        str | None,
        typer.Option(
            help="Fields or columns in which reposts must agree too, e.g. company,contract.",
            metavar="NAME,…",
        ),
    ] = None,
    any_place: Annotated[
        bool,
        typer.Option("--any-place", help="Mark the same text for another region as a repost too."),
    ] = False,
    file_format: options.FileFormat = None,
    excel_fr: options.ExcelFr = False,
    raw_cells: options.RawCells = False,
    jobs: options.Jobs = None,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    engine: options.EngineChoice = options.EngineName.LOCAL,
    scheduler: options.Scheduler = None,
    part_rows: options.PartRows = options.PART_ROWS,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Mark reposts and near-copies, so that each offer is counted once.

    Every row and column of the input stays as it is; ai_duplicate_of is added. It names the
    earliest offer that a row repeats and is empty for all others. Give all files of a
    period at once: reposts are found across files.

    Examples:
      aiskills dedupe results.parquet -o once.parquet

      aiskills dedupe results/ -o marked.csv --window-days 60 --same company
    """
    from aiskills.cli.console import noter
    from aiskills.cluster.folders import open_folder
    from aiskills.cluster.parts import cut
    from aiskills.cluster.reposts import mark_parts
    from aiskills.dedupe import Settings, find_reposts, with_reposts
    from aiskills.files import open_offers, open_output
    from aiskills.workers import default_jobs

    started = time.monotonic()
    note = noter(quiet=quiet)
    settings = Settings(window_days, threshold, _names(same), any_place)
    options.check_scheduler(engine, scheduler)
    style = options.csv_style(excel_fr=excel_fr, raw_cells=raw_cells)
    if options.is_folder(output, engine):
        options.check_parts(file_format, excel_fr=excel_fr, raw_cells=raw_cells)
        parts = cut(
            inputs,
            mapping=options.parse_mapping(mapping),
            encoding=encoding,
            separator=separator,
            part_rows=part_rows,
            note=note,
        )
        _note_columns(parts.columns, [part.fields for part in parts.parts], note)
        metadata = _metadata(parts.sources, settings)
        folder = open_folder(output, force=force)
        with (
            options.open_engine(engine, scheduler, jobs, note) as workers,
            _status(quiet=quiet) as tell,
        ):
            reposts = mark_parts(parts, folder, settings, workers, metadata, note=note, tell=tell)
        if not quiet:
            _print_summary(reposts, time.monotonic() - started, output)
        return
    with open_offers(
        inputs,
        mapping=options.parse_mapping(mapping),
        encoding=encoding,
        separator=separator,
        chunk_rows=2000,
        note=note,
    ) as offers:
        _note_columns(offers.columns, offers.fields, note)
        if jobs is None:
            jobs = 1 if offers.bytes_total < _SMALL else default_jobs()
        with (
            open_output(
                output,
                format=file_format,
                csv_style=style,
                force=force,
                inputs=inputs,
                metadata=_metadata(offers.sources, settings),
                note=note,
            ) as writer,
            _status(quiet=quiet) as tell,
        ):
            reposts = find_reposts(offers, settings, jobs=jobs, tell=tell)
            tell("writing")
            for table in with_reposts(offers, reposts):
                writer.write(table)
    if not quiet:
        where = None if output == "-" else output
        _print_summary(reposts, time.monotonic() - started, where)


def _note_columns(
    columns: Sequence[str], fields: Sequence[FieldMap], note: Callable[[str], None]
) -> None:
    from aiskills.dedupe import COLUMN

    if COLUMN in columns:
        note(f"the input's own {COLUMN} is replaced")
    if not any("date" in one.paths for one in fields):
        note("no column holds a date: all offers are taken to be of one time")


def _names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"--same {text}", expected="names such as company,contract")
    return names


def _metadata(sources: Sequence[str], settings: Settings) -> dict[str, str]:
    """Versions that all inputs were classified with, and what counted as a repost here."""
    from dataclasses import asdict

    from aiskills.version import __version__

    known = [_versions(name) for name in sources]
    shared = {k: v for k, v in known[0].items() if all(one.get(k) == v for one in known)}
    return {"aiskills_version": __version__} | shared | {
        "aiskills_dedupe": json.dumps(asdict(settings))
    }  # fmt: skip


def _versions(name: str) -> dict[str, str]:
    """What `aiskills classify` wrote about a file, inside Parquet or beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        inside = pq.read_schema(name).metadata or {}
        found: Any = {key.decode(): value.decode() for key, value in inside.items()}
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        try:
            found = json.loads(Path(f"{name}.meta.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
    if not isinstance(found, dict):
        return {}
    return {key: str(value) for key, value in found.items() if key.startswith("aiskills_")}


@contextmanager
def _status(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is being done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from aiskills.cli.console import stderr_console

    with stderr_console().status("reading") as status:
        yield status.update


def _print_summary(reposts: Reposts, seconds: float, where: str | None) -> None:
    """The end of a run, on stderr."""
    from aiskills.cli.console import percent
    from aiskills.dedupe import Kind

    offers = len(reposts.uid)
    counts = reposts.marks.counts()
    marked = offers - counts[Kind.ORIGINAL]
    sizes = reposts.marks.cluster_sizes
    largest = f", the largest of {sizes.max():,} offers" if len(sizes) else ""
    lines = [
        f"{offers:,} offers, {marked:,} reposts ({percent(marked / offers if offers else None)})",
        f"  same id {counts[Kind.SAME_ID]:,}, same text {counts[Kind.SAME_TEXT]:,}, "
        f"near-copies {counts[Kind.NEAR_COPY]:,}",
        f"  {len(sizes):,} clusters of two or more{largest}",
    ]
    if reposts.undated:
        lines.append(f"  {reposts.undated:,} offers without a date, taken to be within the window")
    rate = offers / max(seconds, 1e-9)
    lines.append(
        f"{seconds:.1f} s ({rate:,.0f} offers/s)" + (f", written to {where}" if where else "")
    )
    sys.stderr.write("\n".join(lines) + "\n")
