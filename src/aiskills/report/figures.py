"""Everything a report shows, measured from scored offers by `aiskills.estimate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiskills.errors import InputError
from aiskills.estimate import Measurement, Question, run
from aiskills.estimate.measurement import Correction
from aiskills.estimate.options import COLUMN_OF
from aiskills.files.notes import Note, ignore
from aiskills.report.cells import LEAST, cell, cells_of
from aiskills.report.compared import compare
from aiskills.report.examples import draw, examples
from aiskills.report.growth import growths
from aiskills.report.inventory import survey
from aiskills.report.provenance import error_rates, provenance
from aiskills.report.records import Cell, Example, Figures, Headline, Options, Rows, Year
from aiskills.report.skills import skill_tables
from aiskills.report.sources import Reading, Source, sources
from aiskills.schema import Definition, Status

if TYPE_CHECKING:
    from aiskills.study import Study

#: Tables of the report: name -> groups.
TABLES: Final = {
    "region": ("region",),
    "branch": ("branch",),
    "division": ("division",),
    "function": ("function",),
    "subfunction": ("function", "subfunction"),
    "theme": ("theme",),
}
#: Years shown at most; a file with more has dates that are none.
_YEARS: Final = 40
#: The column of themes as written, joined; one value is one combination.
_COMBINED: Final = COLUMN_OF["theme"]

#: Columns that the comparison with the published study cannot do without.
_STUDY: Final = (
    "ai_branch", "ai_branch_confidence", "ai_cadre", "ai_evidence", "ai_function",
    "ai_industry_opco2i", "ai_period", "ai_region", "ai_themes",
)  # fmt: skip

Ask = Callable[..., Measurement]


def collect(
    data: Any,
    options: Options,
    correction: Correction | None = None,
    *,
    previous: str | Path | None = None,
    command: str = "",
    reading: Reading | None = None,
    note: Note = ignore,
) -> Figures:
    """Measures everything a report shows.

    Args:
        data: Paths, a pandas or polars DataFrame, or a pyarrow Table of scored offers.
        options: What the reader asked for.
        correction: How shares are corrected; None for the audit of the model that ships.
        previous: Scored offers of an earlier report to compare the whole with.
        command: The command line, for the provenance.
        reading: How text files are read; None to find it.
        note: Takes one line for each thing the user should know.

    Raises:
        InputError: A file cannot be read, or a column that the options need is missing.
        OutputError: There is no room for temporary files.
    """
    with sources(data, reading or Reading(), texts=options.texts, note=note) as found:
        how = correction or Correction()

        def ask(**more: Any) -> Measurement:
            given = {"population": options.population, "perimeter": options.perimeter} | more
            return run([one.path for one in found], Question(min_offers=LEAST, **given), how)

        headline = _headline(ask, options, found)
        surveyed = survey(found, options)
        tables = {
            name: _rows(ask(by=by), by)
            for name, by in TABLES.items()
            if _has(found, *(COLUMN_OF[one] for one in by))
        }
        samples: Mapping[Status, tuple[Example, ...]] = {}
        if options.texts:
            drawn = {status: draw(rows, status) for status, rows in surveyed.rows.items()}
            samples = examples(found, drawn, options)
        return Figures(
            options=options,
            headline=headline,
            inventory=surveyed.inventory,
            provenance=provenance(found, command),
            years=_years(ask, found, surveyed.inventory.months),
            growth=growths(ask, found, options),
            published=_published(found, options),
            tables=tables,
            iot_only=_iot_only(ask) if _has(found, _COMBINED) else {},
            skills=skill_tables(found, options),
            demand=samples.get(Status.DEMAND, ()),
            mention=samples.get(Status.MENTION, ()),
            errors=error_rates(found, how.model),
            compared=compare(previous, headline, options, note) if previous else None,
        )


def _published(found: Sequence[Source], options: Options) -> Study | None:
    """The published figures beside ours, counted as the study counts; None without the columns."""
    from aiskills.study import study

    if not _has(found, *_STUDY):
        return None
    return study([one.path for one in found], lang=options.lang)


def _has(found: Sequence[Source], *columns: str) -> bool:
    return all(column in one.columns for one in found for column in columns)


def _headline(ask: Ask, options: Options, found: Sequence[Source]) -> Headline:
    demand, wide = ask(), ask(status="any")
    if not any(row["row"] == "total" and row["offers"] for row in demand.table.to_pylist()):
        raise InputError(
            "no offer is left to report on",
            hint="Check --population and --perimeter, and whether the offers could be judged.",
        )
    return Headline(
        demand=_totals(demand),
        any=_totals(wide),
        outside=tuple(
            cell(row, str(row["note"]))
            for row in demand.table.to_pylist()
            if row["row"] == "outside" and row["definition"] == options.definition
        ),
        remarks=tuple(_named(line, found) for line in demand.remarks),
        about=demand.about,
    )


def _named(remark: str, found: Sequence[Source]) -> str:
    """A remark with the user's names of the files."""
    for one in found:
        remark = remark.replace(str(one.path), Path(one.name).name)
    return remark


def _totals(found: Measurement) -> Mapping[Definition, Cell]:
    return {
        Definition(row["definition"]): cell(row, "total")
        for row in found.table.to_pylist()
        if row["row"] == "total"
    }


def _rows(found: Measurement, by: tuple[str, ...]) -> Rows:
    return cells_of(found.table, by)


def _years(ask: Ask, found: Sequence[Source], months: Mapping[str, int]) -> tuple[Year, ...]:
    if not _has(found, "ai_period"):
        return ()
    rows = cells_of(ask(by=("year",)).table, ("year",))
    by_name: dict[str, dict[Definition, Cell]] = {}
    for definition, cells in rows.items():
        for one in cells:
            if one.kind == "cell":
                by_name.setdefault(one.label, {})[definition] = one
    return tuple(
        Year(name, sum(month.startswith(name) for month in months), by_name[name])
        for name in sorted(by_name)[-_YEARS:]
    )


def _iot_only(ask: Ask) -> Mapping[Definition, int]:
    """Offers whose only theme is the internet of things."""
    rows = ask(by=(_COMBINED,)).table.to_pylist()
    return {
        definition: sum(
            row["flagged"]
            for row in rows
            if row["definition"] == definition and row[_COMBINED] == "iot"
        )
        for definition in Definition
    }
