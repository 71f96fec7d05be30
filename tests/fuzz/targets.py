"""The entry points that a file from outside reaches, and what must hold whatever is in it.

A target takes any bytes and returns; what it raises is a finding. Everywhere only `AiskillsError`
may come out of the package; further promises are asserted where there are some.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aiskills.attributes.table import ATTRIBUTE_FIELDS, attributes
from aiskills.batch.locate import LineFinder
from aiskills.batch.quarantine import Rejected, cells_of, encode_rows
from aiskills.errors import AiskillsError
from aiskills.files import open_offers
from aiskills.files.cells import as_text
from aiskills.labels.exports import read_export
from aiskills.labels.records import read_labels
from aiskills.model import Judge, load_model
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.phrases.cues import Cues
from aiskills.phrases.lexicon_file import apply_rows, read_rows
from aiskills.phrases.terms import Term
from aiskills.schema import STATUS_ORDER
from aiskills.text import fold, fold_batch
from fuzz import seeds
from fuzz.encoded import text_of

_FOLDER: Final = tempfile.TemporaryDirectory(prefix="aiskills-fuzz-")


@dataclass(frozen=True, slots=True)
class Target:
    """An entry point.

    Attributes:
        name: Its name, and that of its folder of cases.
        run: Takes any bytes; raises where a promise is broken.
        seeds: Bytes to begin with.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def _saved(name: str, data: bytes) -> Path:
    path = Path(_FOLDER.name) / name
    path.write_bytes(data)
    return path


def _check_message(error: AiskillsError) -> None:
    assert 0 < len(str(error)) < 20_000, "no message, or far too long a one"


def _read_twice(path: Path, *, tolerant: bool) -> None:
    """Reads offers of any format twice, with all their fields; the second time gives the same."""
    bad: list[Any] = []
    try:
        with open_offers([path], chunk_rows=3, on_bad_row=bad.append if tolerant else None) as file:
            first = _rows(file)
            told, bad[:] = list(bad), []
            assert _rows(file) == first, "the second reading differs"
            assert bad == told, "the second reading tells other bad rows"
    except AiskillsError as error:
        _check_message(error)


def _rows(file: Any) -> list[str]:
    rows: list[str] = []
    for chunk in file:
        chunk.table.validate(full=True)
        assert chunk.table.schema.equals(file.schema)
        assert chunk.first_row == len(rows)
        for name in chunk.fields.paths:
            values = chunk.fields.extract(chunk.table, name)
            values.validate(full=True)
            assert len(values) == len(chunk.table)
        cells = [as_text(column).to_pylist() for column in chunk.table.columns]
        rows += map(repr, zip(*cells, strict=True))
    return rows


def _csv(data: bytes) -> None:
    flags, data = data[:1], data[1:]
    path = _saved("case.tsv" if flags == b"\t" else "case.csv", data)
    _read_twice(path, tolerant=False)
    _read_twice(path, tolerant=True)
    finder = LineFinder(path, None, None)
    for row in range(3):
        line, text = finder.find(row)
        assert (line is None) == (text is None)


def _json(data: bytes) -> None:
    _read_twice(_saved("case.json", data), tolerant=False)


def _jsonl(data: bytes) -> None:
    path = _saved("case.jsonl", data)
    _read_twice(path, tolerant=False)
    _read_twice(path, tolerant=True)
    LineFinder(path, None, None).find(1)


def _parquet(data: bytes) -> None:
    _read_twice(_saved("case.parquet", data), tolerant=False)


def _workbook(data: bytes) -> None:
    """The first byte says which part of a workbook the rest is, or that it is a whole file."""
    number, data = (data[0] if data else 0) % (len(seeds.PARTS) + 2), data[1:]
    if number < len(seeds.PARTS):
        name, file = "case.xlsx", seeds.workbook({seeds.PARTS[number]: data})
    elif number == len(seeds.PARTS):
        name, file = "case.ods", seeds.opendocument(data)
    else:
        name, file = "case.xlsx" if data[:1] == b"P" else "case.xls", data
    _read_twice(_saved(name, file), tolerant=False)


def _packed(data: bytes) -> None:
    """A .gz or a zip, damaged, and a sound .gz of anything."""
    flag, data = data[:1], data[1:]
    content = gzip.compress(data, 1, mtime=0) if flag == b"g" else data
    _read_twice(_saved("case.csv.gz", content), tolerant=True)


def _text(data: bytes) -> None:
    given = text_of(data)
    folded = fold(given)
    assert len(folded.text) == len(folded.source), "the map has another length than the text"
    assert folded.text[:1] == folded.text[-1:] == b" ", "it does not begin and end with a blank"
    assert b"  " not in folded.text, "two blanks"
    assert folded.source.min() >= 0, "an offset before the text"
    assert folded.source.max() <= len(given), "an offset beyond the text"
    assert (np.diff(folded.source) >= 0).all(), "offsets go back"
    blanks = [place for place, byte in enumerate(folded.text) if byte == ord(" ")]
    for before, after in pairwise(blanks):
        start, end = folded.span(before, after)
        assert 0 <= start < end <= len(given), "a token without a place in the text"
    again = list(fold_batch(["avant", given, ""]))[1]
    assert again.text == folded.text, "folded together it differs"
    assert (again.source == folded.source).all(), "folded together its map differs"


@cache
def _scanner() -> Scanner:
    return Scanner(Lexicon.default(), Headings.default())


def _phrases(data: bytes) -> None:
    _check_places(_scanner(), text_of(data))


def _check_places(scanner: Scanner, given: str) -> None:
    folded = fold(given)
    end = 0
    for match in scanner.scan(folded, given).matches:
        assert end <= match.start < match.end < len(folded.text), "matches overlap or stand outside"
        assert folded.text[match.start] == folded.text[match.end] == ord(" "), "no whole tokens"
        first, last = folded.span(match.start, match.end)
        assert 0 <= first < last <= len(given), "a match without a place in the text"
        end = match.end


@cache
def _judge() -> Judge:
    return Judge(load_model())


def _judged(data: bytes) -> None:
    title, _, description = text_of(data).partition("|")
    (said,) = _judge().judge([title], [description])
    if said.error:
        assert [said.strict, said.study, said.strict_score, said.study_score] == [None] * 4
        assert not said.evidence
        return
    assert said.strict is not None
    assert said.study is not None
    assert STATUS_ORDER.index(said.study) >= STATUS_ORDER.index(said.strict)
    for score in (said.strict_score, said.study_score):
        assert score is not None
        assert 0 <= score <= 1
    for piece in said.evidence:
        text = title if piece.field == "title" else description
        assert piece.quote == text[piece.start : piece.end], "the quote stands elsewhere"
        assert piece.quote


def _attributes(data: bytes) -> None:
    """Every field of an offer the same text."""
    text = text_of(data).encode("utf-8", "replace").decode("utf-8")
    column = pa.array([text, None, "Paris"], pa.string())
    told = attributes(dict.fromkeys(ATTRIBUTE_FIELDS, column), pa.array(["", "", ""]))
    assert len(told) == 3
    alone = attributes(
        {name: column.slice(0, 1) for name in ATTRIBUTE_FIELDS}, pa.array([""], pa.string())
    )
    assert alone.to_pylist() == told.slice(0, 1).to_pylist(), "neighbours change the result"


def _lexicon(data: bytes) -> None:
    """The first byte says whether the rest is the file itself or stands for a text."""
    content = data[1:] if data[:1] == b"r" else text_of(data[1:]).encode("utf-8", "replace")
    try:
        rows = read_rows(_saved("lexicon.csv", content))
        terms = apply_rows(rows, _terms() if rows.extends else (), "it")
    except AiskillsError as error:
        _check_message(error)
        return
    scanner = Scanner(Lexicon(terms, rows.version), Headings(()), Cues(()))
    given = "; ".join(form for term in terms for form in term.forms)
    _check_places(scanner, given)


@cache
def _terms() -> tuple[Term, ...]:
    return Lexicon.default().terms[:20]


def _model(data: bytes) -> None:
    """The first byte says what of a small model folder the rest is.

    Its meta.json, its archive, one array in it, or the header of one; the hash is always right.
    """
    number, data = (data[0] if data else 0) % 4, data[1:]
    meta, arrays = seeds.small_model()
    if number == 1:
        archive = data
    else:
        replaced = {2: ("near_weights", data), 3: ("mention_words", seeds.array_of(data))}
        archive = seeds.archive_of(arrays | dict([replaced[number]] if number > 1 else []))
    meta = {**meta, "sha256": hashlib.sha256(archive).hexdigest()}
    folder = Path(_FOLDER.name) / "model"
    folder.mkdir(exist_ok=True)
    (folder / "weights.npz").write_bytes(archive)
    (folder / "meta.json").write_bytes(data if number == 0 else json.dumps(meta).encode())
    try:
        load_model(folder)
    except AiskillsError as error:
        _check_message(error)


def _quarantine(data: bytes) -> None:
    """A file of the quarantine as somebody left it; and what is put there comes back."""
    try:
        for cells in cells_of(_saved("case.rows.jsonl", data)):
            json.dumps(dict(cells))
    except AiskillsError:
        pass
    text = text_of(data)
    row = Rejected("a.csv", 1, 2, "why", {"titre": text, "n": 1.5}, data)
    path = _saved("own.rows.jsonl", encode_rows([row, row]))
    back = list(cells_of(path))
    assert len(back) == 2
    expected = text.encode("utf-8", "replace").decode("utf-8")
    assert back[0]["titre"] == expected, "a cell comes back changed"


def _labels(data: bytes) -> None:
    path = _saved("case.json", data)
    for read in (lambda: read_labels([path]), lambda: read_export(path)):
        try:
            read()
        except AiskillsError as error:
            _check_message(error)


TARGETS: Final = {
    target.name: target
    for target in (
        Target("csv", _csv, seeds.csv_files),
        Target("json", _json, seeds.json_files),
        Target("jsonl", _jsonl, seeds.jsonl_files),
        Target("parquet", _parquet, seeds.parquet_files),
        Target("workbook", _workbook, seeds.workbooks),
        Target("packed", _packed, seeds.packed_files),
        Target("text", _text, seeds.texts),
        Target("phrases", _phrases, seeds.texts),
        Target("judged", _judged, seeds.texts),
        Target("attributes", _attributes, seeds.cells),
        Target("lexicon", _lexicon, seeds.lexicons),
        Target("model", _model, seeds.models),
        Target("quarantine", _quarantine, seeds.quarantines),
        Target("labels", _labels, seeds.label_files),
    )
}
