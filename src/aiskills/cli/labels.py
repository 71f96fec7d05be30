"""`aiskills labels`: exports of annotation tools in, labels out; labels checked and compared."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiskills.cli import options
from aiskills.errors import LabelError, UsageError

if TYPE_CHECKING:
    from aiskills.labels.agreement import Agreement, Comparison
    from aiskills.labels.annotation import Imported
    from aiskills.labels.check import Finding

#: Offers named in a message.
_NAMED = 10

app = typer.Typer(
    help="Read, check and compare labels.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.command("import")
def import_labels(
    exports: Annotated[
        list[Path],
        typer.Argument(help="What the tool exported, or the filled-in table.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The JSONL file of labels; - is stdout."),
    ] = None,
    tool: Annotated[
        str,
        typer.Option(
            "--from", help="label-studio, doccano, prodigy, table, or auto.", metavar="TOOL"
        ),
    ] = "auto",
    annotator: Annotated[
        str | None, typer.Option(help="Only what this annotator said, as the tool names them.")
    ] = None,
    quiet: options.Quiet = False,
    force: options.Force = False,
) -> None:
    """Read what annotators said as labels.

    Offers that were skipped, that lack a status, or on which annotators differ are left out and
    counted. Read one annotator at a time with --annotator, and compare them with agreement.

    Examples:
      aiskills labels import project-3.json -o labels.jsonl

      aiskills labels import a_lire.csv -o labels.jsonl
    """
    from aiskills.cli.whole_files import check_places, write_files
    from aiskills.files.notes import plural
    from aiskills.labels.annotation import mention_record, offer_record, settle
    from aiskills.labels.exports import Tool, read_export

    if output is None:
        raise UsageError("no output is named", expected="-o FILE, or -o - for stdout")
    if tool != "auto" and tool not in tuple(Tool):
        raise UsageError(f"--from {tool}", expected="auto or one of " + ", ".join(Tool))
    if str(output) != "-":
        check_places([output], exports, force=force)
    which = None if tool == "auto" else Tool(tool)
    said = [one for path in exports for one in read_export(path, which)]
    labels = settle(said, annotator)
    if not labels.offers:
        raise LabelError(
            f"{', '.join(map(str, exports))}: no offer has a label",
            expected="a status under both definitions",
            hint=_left_out(labels),
        )
    records = [offer_record(offer) for offer in labels.offers]
    records += [mention_record(mention) for mention in labels.mentions]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    write_files({output: lines})
    if not quiet:
        counts = " and ".join(
            (plural(len(labels.offers), "offer"), plural(len(labels.mentions), "mention"))
        )
        sys.stderr.write(f"{counts} labelled. {_left_out(labels)}".rstrip() + "\n")


def _left_out(labels: Imported) -> str:
    parts = [f"{labels.skipped:,} skipped or not labelled"] if labels.skipped else []
    for uids, why in (
        (labels.incomplete, "with a status under one definition only"),
        (labels.disagreed, "on which annotators differ"),
    ):
        if uids:
            parts.append(f"{len(uids):,} {why} ({_listed(uids)})")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _listed(uids: list[str]) -> str:
    more = len(uids) - _NAMED
    return ", ".join(uids[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


@app.command()
def check(
    labels: Annotated[
        list[Path], typer.Argument(help="JSONL files of labels.", show_default=False)
    ],
    offers: Annotated[
        list[str] | None,
        typer.Option(
            "--offers", help="The offers they are about, to check identifiers and places."
        ),
    ] = None,
    mapping: options.Mapping = None,
) -> None:
    """Count labels and look for what cannot be true; the exit code is 1 if anything is found."""
    from aiskills.files.notes import plural
    from aiskills.labels import read_labels
    from aiskills.labels.check import check_labels

    of_offers, mentions = read_labels(labels)
    counts: Counter[tuple[str, str, str]] = Counter()
    for label in of_offers:
        counts[label.set or "(no set)", "strict", label.strict] += 1
        counts[label.set or "(no set)", "study", label.study] += 1
    typer.echo(f"{plural(len(of_offers), 'offer')}, {plural(len(mentions), 'mention')}")
    for name in dict.fromkeys(key[0] for key in sorted(counts)):
        for definition in ("strict", "study"):
            told = ", ".join(
                f"{counts[name, definition, status]:,} {status}"
                for status in ("demand", "mention", "none")
            )
            typer.echo(f"  {name:<12} {definition:<6} {told}")
    known = sum(label.inclusion is not None for label in of_offers)
    typer.echo(f"  {known:,} with an inclusion probability")
    wanted = {o.uid for o in of_offers} | {m.uid for m in mentions}
    lengths = _lengths(offers, wanted, mapping) if offers else None
    findings = check_labels(of_offers, mentions, lengths)
    _print_findings(findings)
    if findings:
        raise LabelError(
            f"{len(findings):,} things in {', '.join(map(str, labels))} cannot be true",
            hint="Correct them where they were labelled, and import again.",
        )


def _lengths(inputs: list[str], wanted: set[str], mapping: str | None) -> dict[str, int]:
    """Characters of title, newline and description of the wanted offers."""
    from aiskills.files import open_offers
    from aiskills.labels.uid import offer_uids
    from aiskills.pipeline import texts

    found: dict[str, int] = {}
    with open_offers(inputs, mapping=options.parse_mapping(mapping)) as reader:
        for chunk in reader:
            uids = offer_uids(chunk.table, chunk.fields)
            for uid, title, text in zip(uids, *texts(chunk.table, chunk.fields), strict=True):
                if uid in wanted:
                    found.setdefault(uid, len(title) + 1 + len(text))
    return found


def _print_findings(findings: list[Finding]) -> None:
    kinds = Counter(finding.kind for finding in findings)
    for kind, count in kinds.items():
        typer.echo(f"{count:,} x {kind}")
        told = [finding for finding in findings if finding.kind == kind]
        for finding in told[:_NAMED]:
            typer.echo(f"  {finding.uid}" + (f": {finding.what}" if finding.what else ""))
        if count > _NAMED:
            typer.echo(f"  and {count - _NAMED:,} more")
    if not findings:
        typer.echo("Nothing contradicts anything.")


@app.command()
def agreement(
    first: Annotated[Path, typer.Argument(help="Labels of one reader.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Labels of another.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A table of the offers to settle: CSV, XLSX, …"),
    ] = None,
    force: options.Force = False,
) -> None:
    """Compare two readers of the same offers: agreement, Cohen's kappa, what to settle."""
    from aiskills.files.notes import plural
    from aiskills.labels import read_labels
    from aiskills.labels.agreement import compare

    (ours, _), (theirs, _) = read_labels([first]), read_labels([second])
    compared = compare(ours, theirs)
    for definition, found in compared.definitions.items():
        _print_agreement(definition, found)
    for path, count in ((first, compared.only_first), (second, compared.only_second)):
        if count:
            typer.echo(f"{plural(count, 'offer')} only in {path}")
    if output is not None:
        _write_unsettled(compared, output, [first, second], force=force)
        typer.echo(f"{plural(len(compared.unsettled), 'offer')} to settle, in {output}")
        return
    typer.echo(f"{plural(len(compared.unsettled), 'offer')} to settle")
    for uid, (a_strict, a_study), (b_strict, b_study) in compared.unsettled:
        typer.echo(f"  {uid}  strict {a_strict} / {b_strict}  study {a_study} / {b_study}")


def _print_agreement(definition: str, found: Agreement) -> None:
    from aiskills.schema import STATUS_ORDER

    low, high = found.share_interval
    line = (
        f"{definition:<6} {found.same:,} of {found.offers:,} the same "
        f"({found.share:.1%}, 95 % interval {low:.1%} to {high:.1%})"
    )
    if found.kappa is None or found.kappa_interval is None:
        line += "; kappa is not defined: both always said the same one thing"
    else:
        line += f"; kappa {found.kappa:.2f} ({found.kappa_interval[0]:.2f} to "
        line += f"{found.kappa_interval[1]:.2f})"
    typer.echo(line)
    typer.echo("  first \\ second " + "".join(f"{status:>9}" for status in STATUS_ORDER))
    for status, row in zip(STATUS_ORDER, found.confusion, strict=True):
        typer.echo(f"  {status:<15}" + "".join(f"{count:>9,}" for count in row))


def _write_unsettled(
    compared: Comparison, output: Path, inputs: list[Path], *, force: bool
) -> None:
    import pyarrow as pa

    from aiskills.files import open_output

    names = ("uid", "strict_first", "strict_second", "study_first", "study_second")
    rows = [(uid, one[0], other[0], one[1], other[1]) for uid, one, other in compared.unsettled]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )
    with open_output(output, force=force, inputs=inputs) as writer:
        writer.write(table)
