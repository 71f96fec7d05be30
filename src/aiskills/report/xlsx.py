"""The report as a workbook: real numbers and percentages, notes on the columns, no formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from aiskills.errors import OutputError
from aiskills.report.page import title_of, writers
from aiskills.report.records import Cell, Example, Figures
from aiskills.report.tables import marks_of
from aiskills.schema import Definition

#: Longest text of a cell; Excel takes 32,767 characters.
_LONGEST: Final = 8000
#: Control characters that a workbook cannot hold, and halves of characters.
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Characters that turn the reading direction.
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMATS: Final = {"count": "#,##0", "share": "0.0%", "ratio": "0.00", "change": "+0.0%;-0.0%;0%"}
_WIDTHS: Final = {"text": 34, "count": 12, "share": 12, "ratio": 12, "change": 13}
#: Columns of a table of shares: kind, note.
_COLUMNS: Final = (
    ("column.offers", "count", "note_offers"),
    ("column.flagged", "count", "note_flagged"),
    ("column.share", "share", "note_share"),
    ("xlsx.low", "share", "note_low"),
    ("xlsx.high", "share", "note_low"),
    ("column.corrected", "share", "note_corrected"),
    ("xlsx.corrected_low", "share", "note_low"),
    ("xlsx.corrected_high", "share", "note_low"),
    ("column.part", "share", "note_part"),
    ("column.specificity", "ratio", "note_specificity"),
    ("column.note", "text", "note_note"),
)
Column = tuple[str, str, str]


def write_workbook(figures: Figures, target: Path) -> None:
    """Writes all figures of a report.

    Args:
        figures: What was measured.
        target: The .xlsx.

    Raises:
        OutputError: xlsxwriter is not installed, or the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise OutputError(
            f"{target} needs xlsxwriter", hint='Run pip install "aiskills[excel]".'
        ) from None
    options = {
        "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }  # fmt: skip
    temporary = target.with_name(f".{target.name}.part")
    try:
        book = xlsxwriter.Workbook(str(temporary), options)
        _Workbook(book, figures).write()
        book.close()
        temporary.replace(target)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise OutputError(f"{target} cannot be written: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)


class _Workbook:
    def __init__(self, book: Any, figures: Figures) -> None:
        self.book, self.figures = book, figures
        self.words, self.numbers = writers(figures)
        book.set_properties({"title": _clean(title_of(figures, self.words))})
        self.head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
        self.wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self.formats = {
            name: book.add_format({"num_format": text, "valign": "top"})
            for name, text in _FORMATS.items()
        }

    def write(self) -> None:
        self._about()
        self._headline()
        self._years()
        self._growth()
        for name in ("region", "branch", "division", "function", "subfunction", "theme"):
            if name in self.figures.tables:
                self._shares(name)
        self._skills()
        if self.figures.options.texts:
            self._evidence()
        self._quality()

    def sheet(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> None:
        """One table: a frozen head with notes, filters, and typed cells."""
        sheet = self.book.add_worksheet(self.words.plain(f"xlsx.{name}")[:31])
        rows = list(rows)
        for place, (head, kind, note) in enumerate(columns):
            sheet.write_string(0, place, head, self.head)
            if note:
                sheet.write_comment(0, place, self.words.plain(f"xlsx.{note}"), {"x_scale": 2})
            sheet.set_column(place, place, _WIDTHS[kind])
        for line, row in enumerate(rows, 1):
            for place, (value, (_, kind, _note)) in enumerate(zip(row, columns, strict=True)):
                if value is None:
                    continue
                if kind == "text":
                    sheet.write_string(line, place, _clean(str(value)), self.wrap)
                else:
                    sheet.write_number(line, place, value, self.formats[kind])
        sheet.freeze_panes(1, 1)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)

    def column(self, key: str, kind: str = "text", note: str = "") -> Column:
        return self.words.plain(key), kind, note

    def _about(self) -> None:
        words, options, origin = self.words, self.figures.options, self.figures.provenance
        lines = [
            (words.plain("column.what"), words.plain(
                "page.scope",
                population=words.of("population", options.population),
                perimeter=words.of("perimeter", options.perimeter),
                definition=words.of("definition", f"{options.definition}_long"),
            )),
            *(("", words.plain(f"headline.{key}", mention=self.numbers.count(self._mentions)))
              for key in ("not_market", "not_jobs", "not_mention", "not_exact")),
            ("", words.plain("method.statement")),
            ("", words.plain("method.definitions")),
            ("", words.plain("method.intervals")),
            (words.plain("quality.correction"), words.plain("quality.correction_text")),
            (words.plain("method.date"), origin.date),
            (words.plain("method.version"),
             words.plain("method.version_text", version=origin.version, schema=origin.schema)),
            (words.plain("method.command"), origin.command),
        ]  # fmt: skip
        for name, rows, about in origin.scored:
            told = [f"{key} {value}" for key, value in about.items() if value]
            count = words.plain("method.rows", rows=self.numbers.count(rows))
            lines.append((words.plain("column.file"), f"{name}, {count}"))
            lines.append(("", "; ".join(told) or words.plain("method.not_told")))
        title = title_of(self.figures, words)
        sheet = self.book.add_worksheet(words.plain("xlsx.about"))
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 110)
        sheet.write_string(
            0, 0, _clean(title), self.book.add_format({"bold": True, "font_size": 14})
        )
        for line, (name, text) in enumerate(lines, 2):
            sheet.write_string(line, 0, _clean(name), self.head if name else self.wrap)
            sheet.write_string(line, 1, _clean(text), self.wrap)
        sheet.freeze_panes(1, 0)

    @property
    def _mentions(self) -> int:
        headline, own = self.figures.headline, self.figures.options.definition
        return headline.any[own].flagged - headline.demand[own].flagged

    def _headline(self) -> None:
        headline = self.figures.headline
        columns = [self.column("column.definition"), self.column("xlsx.status"), *self._columns()]
        rows = [
            [self.words.of("definition", definition), self.words.of("status", status),
             *self._cell(cells[definition])]
            for definition in Definition
            for status, cells in (("demand", headline.demand), ("any", headline.any))
        ]  # fmt: skip
        self.sheet("headline", columns, rows)

    def _years(self) -> None:
        columns = [self.column("column.year"), self.column("column.months", "count"),
                   self.column("column.definition"), *self._columns()]  # fmt: skip
        rows = [
            [year.name, year.months, self.words.of("definition", definition), *self._cell(cell)]
            for definition in Definition
            for year in self.figures.years
            if (cell := year.cells.get(definition))
        ]
        self.sheet("years", columns, rows)

    def _growth(self) -> None:
        found = self.figures.growth
        if found is None:
            return
        columns = [
            self.column("column.sector"), self.column("column.measure"),
            (found.first, "count", ""), (found.last, "count", ""),
            self.column("column.change", "change"), self.column("xlsx.low", "change"),
            self.column("xlsx.high", "change"),
        ]  # fmt: skip
        rows = [
            [self.words.of("sector", one.sector), self.words.of("measure", one.measure),
             one.first, one.last, one.change, one.low, one.high]
            for one in found.rows
        ]  # fmt: skip
        self.sheet("growth", columns, rows)

    def _shares(self, name: str) -> None:
        grouped = name == "subfunction"
        columns = [self.column(f"column.{name}"), self.column("column.definition")]
        if grouped:
            columns.insert(0, self.column("column.function"))
        rows = [
            [*([cell.group] if grouped else []),
             self.words.of("theme" if name == "theme" else "label", cell.label),
             self.words.of("definition", definition), *self._cell(cell)]
            for definition, cells in self.figures.tables[name].items()
            for cell in cells
        ]  # fmt: skip
        self.sheet(name, [*columns, *self._columns()], rows)

    def _columns(self) -> list[Column]:
        return [self.column(key, kind, note) for key, kind, note in _COLUMNS]

    def _cell(self, cell: Cell) -> list[Any]:
        note = marks_of(cell).strip("\u00a0").replace("\u00a0", " ")
        if cell.kind == "unknown":
            note = f"{note} {self.words.plain('note.unknown')}".strip()
        return [
            cell.offers, cell.flagged, cell.share, cell.low, cell.high, cell.corrected,
            cell.corrected_low, cell.corrected_high, cell.part, cell.specificity, note,
        ]  # fmt: skip

    def _skills(self) -> None:
        if not self.figures.skills:
            return
        columns = [
            self.column("xlsx.dimension"), self.column("xlsx.group"), self.column("column.skill"),
            self.column("column.theme"), self.column("column.asked", "count"),
            self.column("column.share", "share"),
        ]  # fmt: skip
        names = {"all": "label.total", "function": "column.function", "branch": "column.branch"}
        rows = [
            [self.words.plain(names[one.dimension]), one.label, skill.name,
             self.words.of("theme", skill.theme), skill.offers, skill.part]
            for one in self.figures.skills
            for skill in one.skills
        ]  # fmt: skip
        self.sheet("skills", columns, rows)

    def _evidence(self) -> None:
        columns = [
            self.column("xlsx.status"), self.column("xlsx.identifier"), self.column("xlsx.title"),
            self.column("xlsx.quote"), self.column("column.theme"),
        ]  # fmt: skip
        rows = [
            [self.words.of("status", one.status), one.identifier,
             "".join(part.text for part in one.title), _quotes(one),
             ", ".join(self.words.of("theme", code) for code in one.themes)]
            for one in (*self.figures.demand, *self.figures.mention)
        ]  # fmt: skip
        self.sheet("evidence", columns, rows)

    def _quality(self) -> None:
        words, stock = self.words, self.figures.inventory
        columns = [self.column("column.attribute"), self.column("xlsx.value", "count"),
                   self.column("column.share", "share")]  # fmt: skip
        rows: list[list[Any]] = [
            [f"{words.of('attribute', name)} – {words.plain('note.unknown')}", count,
             count / stock.counted if stock.counted else None]
            for name, count in stock.unknown.items()
        ]  # fmt: skip
        if stock.reposts is not None:
            rows.append([words.plain("quality.duplicates"), stock.reposts, None])
        for one in self.figures.errors:
            name = words.of("definition", one.definition)
            for key, part, whole in (("sensitivity", one.found, one.true),
                                     ("exactness", one.left_alone, one.others)):  # fmt: skip
                rows.append([f"{words.plain(f'column.{key}')} ({name}), {part}/{whole}", part,
                             part / whole])  # fmt: skip
        self.sheet("quality", columns, rows)


def _quotes(one: Example) -> str:
    return "\n".join("".join(part.text for part in excerpt) for excerpt in one.excerpts)


def _clean(text: str) -> str:
    """Text that a workbook can hold, cut; turning characters shown as ``␦``."""
    return _TURNING.sub("␦", _NOT_XML.sub("", text))[:_LONGEST]
