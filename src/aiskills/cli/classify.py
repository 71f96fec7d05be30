"""`aiskills classify`: offers in, the same offers with AI columns out."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from aiskills.cli import options
from aiskills.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

    import pyarrow as pa

    from aiskills.files import OfferReader
    from aiskills.summary import Tally

#: Bytes of input below which one process is enough.
_SMALL_BYTES: Final = 5_000_000
#: Flagged offers shown on a terminal when no output file is given.
_SHOWN = 12


def classify(
    inputs: options.Inputs,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Where the result goes; its suffix tells the format. - is stdout, "
            "FOLDER/ a folder of Parquet files.",
            metavar="PATH",
        ),
    ] = None,
    file_format: options.FileFormat = None,
    excel_fr: options.ExcelFr = False,
    raw_cells: options.RawCells = False,
    jobs: options.Jobs = None,
    mapping: options.Mapping = None,
    encoding: options.Encoding = None,
    separator: options.Separator = None,
    lexicon: options.LexiconFile = None,
    model: options.Model = None,
    threshold: options.Threshold = None,
    siret_idcc: options.SiretIdcc = None,
    naf2025: options.Naf2025 = None,
    only_flagged: Annotated[
        bool,
        typer.Option("--only-flagged", help="Keep only offers that ask for AI skills (study)."),
    ] = False,
    engine: options.EngineChoice = options.EngineName.LOCAL,
    scheduler: options.Scheduler = None,
    part_rows: options.PartRows = options.PART_ROWS,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Flag the offers that ask for AI skills, and show the words that prove it.

    Every row and column of the input stays as it is; columns beginning with ai_ are added: flags
    with their evidence, and branch, region, function, cadre status and month of each offer.
    Without -o a terminal shows the first flagged offers, and a pipe gets CSV.

    Examples:
      aiskills classify offers.csv -o results.csv

      aiskills classify exports/ -o results.parquet --jobs 4

      aiskills classify offres.xlsx -o resultats.csv --excel-fr --only-flagged

      aiskills classify 'offers/*.parquet' -o scored/ --engine dask
    """
    from aiskills.cli.console import noter

    started = time.monotonic()
    note = noter(quiet=quiet)
    given = options.texts(model, lexicon, threshold, siret_idcc, naf2025)
    options.check_scheduler(engine, scheduler)
    style = options.csv_style(excel_fr=excel_fr, raw_cells=raw_cells)
    if options.is_folder(output, engine):
        from aiskills.cluster.classifying import classify_parts
        from aiskills.cluster.folders import open_folder
        from aiskills.cluster.parts import cut
        from aiskills.pipeline import setup_of

        options.check_parts(file_format, excel_fr=excel_fr, raw_cells=raw_cells)
        setup = setup_of(*given)
        offers = cut(
            inputs,
            mapping=options.parse_mapping(mapping),
            encoding=encoding,
            separator=separator,
            part_rows=part_rows,
            note=note,
        )
        _note_replaced(offers.columns, note)
        folder = open_folder(str(output), force=force)
        with options.open_engine(engine, scheduler, jobs, note) as workers:
            update, close = _progress(offers.rows, quiet=quiet)
            try:
                tally = classify_parts(
                    offers, folder, setup, workers,
                    only_flagged=only_flagged,
                    note=note,
                    tell=lambda tally: update(tally.read, tally.read),
                )  # fmt: skip
            finally:
                close()
        if not quiet:
            print_summary(tally, time.monotonic() - started, output)
        return
    to_terminal = (
        output is None and sys.stdout.isatty() and file_format is None and style is style.PLAIN
    )
    if only_flagged and to_terminal:
        raise UsageError("--only-flagged without an output", expected="-o FILE or a pipe")
    processes = _enough(_bytes_of(inputs), jobs)
    with contextlib.ExitStack() as stack:
        judges: Executor | None = None
        if processes > 1:
            from aiskills.warm import warm_workers

            # They take seconds to load, and begin before this process imports what it needs.
            judges = stack.enter_context(warm_workers(processes, *given))
        from aiskills.cluster.classifying import flagged
        from aiskills.files import open_offers, open_output
        from aiskills.pipeline import CHUNK_ROWS, classify_chunks, provenance, setup_of
        from aiskills.summary import Tally

        setup = setup_of(*given)
        judge = setup.judge()
        tally = Tally()
        reader = stack.enter_context(
            open_offers(
                inputs,
                mapping=options.parse_mapping(mapping),
                encoding=encoding,
                separator=separator,
                chunk_rows=CHUNK_ROWS,
                note=note,
            )
        )
        _note_replaced(reader.columns, note)
        if judges is None:  # standard input is no file, but as long as one once it was read
            processes = _enough(reader.bytes_total, jobs)
        judged = classify_chunks(reader, setup, processes, judges)
        results = _counted(judged, reader, tally, quiet=quiet)
        if to_terminal:
            _show(results)
        else:
            target = "-" if output is None else output
            with (
                open_output(
                    target,
                    format=file_format,
                    csv_style=style,
                    force=force,
                    inputs=inputs,
                    metadata=provenance(judge),
                    note=note,
                ) as writer,
            ):
                for table in results:
                    writer.write(flagged(table) if only_flagged else table)
    if not quiet:
        where = None if output == "-" else output
        print_summary(tally, time.monotonic() - started, where)
        if to_terminal:
            sys.stderr.write("Use -o results.csv to keep all offers with their evidence.\n")


def _note_replaced(columns: Sequence[str], note: Callable[[str], None]) -> None:
    from aiskills.schema import CLASSIFY_COLUMNS

    replaced = [name for name in columns if name in CLASSIFY_COLUMNS]
    if replaced:
        note(f"the input's own {', '.join(replaced)} are replaced")


def _bytes_of(inputs: Sequence[str]) -> int:
    """Bytes of the inputs as far as they can be told before any is opened."""
    size = 0
    for path in map(Path, inputs):
        # What cannot be looked at will be told when it is opened.
        with contextlib.suppress(OSError):
            size += sum(one.stat().st_size for one in (path.iterdir() if path.is_dir() else [path]))
    return size


def _enough(size: int, jobs: int | None) -> int:
    """How many processes judge so many bytes, where the user does not say."""
    from aiskills.workers import default_jobs

    # They cost more to start than they save on a small input.
    return jobs or (1 if size < _SMALL_BYTES else default_jobs())


def _counted(
    judged: Iterator[pa.Table], offers: OfferReader, tally: Tally, *, quiet: bool
) -> Iterator[pa.Table]:
    """Classified tables, counted, with a progress bar while they are made."""
    by_rows = offers.n_rows_hint is not None
    update, close = _progress(offers.n_rows_hint or offers.bytes_total, quiet=quiet)
    try:
        for table in judged:
            tally.add(table)
            update(tally.read, tally.read if by_rows else offers.bytes_read)
            yield table
    finally:
        close()


def _progress(
    total: int | None, *, quiet: bool
) -> tuple[Callable[[int, int], None], Callable[[], None]]:
    """A bar on stderr: what to call with the offers done and how far of the total, and at the end.

    Args:
        total: Offers or bytes in all; None or 0 if nobody knows.
        quiet: Whether there is no bar.
    """
    if quiet or not sys.stderr.isatty():
        return lambda _done, _completed: None, lambda: None
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from aiskills.cli.console import stderr_console

    bar = Progress(
        TextColumn("{task.fields[done]:,} offers"),
        BarColumn(),
        TextColumn("{task.fields[rate]:,.0f} offers/s"),
        TimeRemainingColumn(),
        console=stderr_console(),
        transient=True,
    )
    task = bar.add_task("", total=total or None, done=0, rate=0)
    bar.start()
    started = time.monotonic()

    def update(done: int, completed: int) -> None:
        rate = done / max(time.monotonic() - started, 1e-9)
        bar.update(task, completed=completed, done=done, rate=rate)

    return update, bar.stop


def _show(results: Iterator[pa.Table]) -> None:
    """The first flagged offers as a table on the terminal."""
    from aiskills.cli.console import stdout_console
    from aiskills.cluster.classifying import flagged

    rows: list[dict[str, Any]] = []
    for table in results:
        if len(rows) < _SHOWN:
            rows += flagged(table).slice(0, _SHOWN - len(rows)).to_pylist()
    if rows:
        stdout_console().print(flagged_table(rows))
    else:
        stdout_console().print("No offer asks for AI skills.")


def flagged_table(rows: Sequence[dict[str, Any]]) -> Any:
    """Flagged offers as a rich table, a line each: how sure, what, which words."""
    import json

    from rich.table import Table
    from rich.text import Text

    from aiskills.cli.console import one_line
    from aiskills.files import find_fields

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("definition", no_wrap=True)
    table.add_column("offer", no_wrap=True, ratio=1)
    table.add_column("the words that prove it", no_wrap=True, ratio=1)
    fields = find_fields(list(rows[0]), None, None)
    column = (fields.paths.get("title") or fields.paths["description"])[0]
    for row in rows:
        evidence = [e for e in json.loads(row["ai_evidence"] or "[]") if e["status"] == "demand"]
        quotes = dict.fromkeys(one_line(piece["quote"], 40) for piece in evidence)
        table.add_row(
            f"{row['ai_study_score']:.2f}",
            "strict" if row["ai_strict"] else "study only",
            Text(one_line(str(row.get(column) or "(no title)"), 80)),
            Text(" · ".join(quotes)),
        )
    return table


def print_summary(tally: Tally, seconds: float, where: str | None) -> None:
    """The end of a run, on stderr."""
    from aiskills.cli.console import percent
    from aiskills.schema import Definition, Status

    lines = [f"{tally.read:,} offers read, {tally.judged:,} judged"]
    if tally.errors:
        reasons = ", ".join(f"{reason}: {n:,}" for reason, n in tally.errors.most_common())
        lines[0] += f", {tally.errors.total():,} not judged ({reasons})"
    words = ((Status.DEMAND, "ask for AI skills"), (Status.MENTION, "only mention AI"))
    lines += [
        f"  {definition:<6}  "
        + ", ".join(
            f"{tally.count(definition, status):,} {word} "
            f"({percent(tally.share(definition, status))})"
            for status, word in words
        )
        for definition in (Definition.STUDY, Definition.STRICT)
    ]
    if tally.themes:
        top = ", ".join(f"{theme} {count:,}" for theme, count in tally.themes.most_common(5))
        lines.append(f"  themes  {top}")
    rate = tally.read / max(seconds, 1e-9)
    lines.append(
        f"{seconds:.1f} s ({rate:,.0f} offers/s)" + (f", written to {where}" if where else "")
    )
    sys.stderr.write("\n".join(lines) + "\n")
