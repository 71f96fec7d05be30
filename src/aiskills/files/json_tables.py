"""JSON and JSONL: records to columns of text.

Every column is text. A value that is no text is kept as compact JSON text (`2`, `true`,
`{"libelle":"…"}`), null stays null, a NaN is null. A column without any text value is marked as
JSON text (`cells.JSON_TEXT`), so that writing it to JSONL gives the values back as they were.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from aiskills.errors import InputError
from aiskills.files import limits
from aiskills.files.cells import JSON_TEXT, compact_json, text_array
from aiskills.files.fields import is_offer
from aiskills.files.notes import listing
from aiskills.files.tables import SAMPLE_ROWS, TableFile, check_columns
from aiskills.files.tolerant import bad_row, is_undecoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiskills.files.detect import TextForm
    from aiskills.files.origin import Origin
    from aiskills.files.tolerant import BadRow, OnBadRow

Record = dict[str, Any]

# Names under which services put their list of offers, first ones first.
_LIST_NAMES: Final = (
    "resultats", "results", "offres", "offers", "jobs", "job_offers", "annonces", "data",
    "hits", "items", "records", "rows", "content",
)  # fmt: skip
_OFFERS: Final = "an array of offers, or an object holding one (such as 'resultats')"
_DEPTH: Final = 3  # objects around the array of offers
_PART_ROWS: Final = 512


class _Kinds:
    """The keys of records in the order they are first seen, and which hold text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.is_text: dict[str, bool] = {}
        self.valued: set[str] = set()

    def add(self, record: Record) -> None:
        for key, value in record.items():
            if value is None:
                self.is_text.setdefault(key, False)
            else:
                self.valued.add(key)
                self.is_text[key] = isinstance(value, str) or self.is_text.get(key, False)
        check_columns(len(self.is_text), self._name)

    def schema(self) -> pa.Schema:
        # A key may hold what UTF-8 cannot (a lone surrogate); its name in the table cannot.
        names = text_array(list(self.is_text)).to_pylist()
        return pa.schema(
            [
                pa.field(name, pa.string(), metadata=_mark(key in self.valued and not text))
                for name, (key, text) in zip(names, self.is_text.items(), strict=True)
            ]
        )


def _mark(is_json: bool) -> dict[bytes, bytes] | None:  # noqa: FBT001
    return JSON_TEXT if is_json else None


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return compact_json(value)


def _to_table(records: list[Record], keys: list[str], schema: pa.Schema, name: str) -> pa.Table:
    try:
        columns = [text_array([_cell(record.get(key)) for record in records]) for key in keys]
    except RecursionError as error:
        raise _too_deep(name) from error
    return pa.Table.from_arrays(columns, schema=schema)


def _too_deep(name: str) -> InputError:
    return InputError(f"{name}: JSON nested too deep", expected=_OFFERS)


def _no_constant(_text: str) -> None:
    """Read NaN and Infinity, which are no JSON but which pandas writes, as null."""


class JsonTable(TableFile):
    """One JSON document, read whole.

    Args:
        origin: The file.
        form: Its encoding.
        keep: Whether its records stay in memory between opening and reading, which spares reading
            it twice; not when there are many files.

    Raises:
        InputError: Not JSON (with line and column), too large, or without a list of offers.
    """

    def __init__(self, origin: Origin, form: TextForm, *, keep: bool) -> None:
        super().__init__(origin)
        self._form = form
        records = self._load()
        kinds = _Kinds(origin.name)
        for record in records:
            kinds.add(record)
        if not kinds.is_text:
            raise InputError(f"{origin.name} holds an empty list", expected=_OFFERS)
        self.n_rows = len(records)
        self._keys = list(kinds.is_text)
        self.schema = kinds.schema()
        self.sample = _to_table(records[:SAMPLE_ROWS], self._keys, self.schema, origin.name)
        self._records = records if keep else None

    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows."""
        records = self._load() if self._records is None else self._records
        for start in range(0, len(records), chunk_rows):
            part = records[start : start + chunk_rows]
            self.share_read = min(1.0, (start + len(part)) / len(records))
            yield _to_table(part, self._keys, self.schema, self.origin.name)

    def close(self) -> None:
        """Let go of files and memory."""
        self._records = None
        super().close()

    def _load(self) -> list[Record]:
        name = self.origin.name
        text = self._text()
        try:
            document = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise _broken(name, error, text) from error
        except RecursionError as error:
            raise _too_deep(name) from error
        except ValueError as error:  # a number of thousands of digits
            raise InputError(f"{name}: not JSON ({error})") from error
        records = _find_records(document, name)
        for number, record in enumerate(records, 1):
            if not isinstance(record, dict):
                raise InputError(
                    f"{name}: entry {number:,} of the list is no object", expected=_OFFERS
                )
        return records

    def _text(self) -> str:
        parts, size = [], 0
        for block in self.origin.blocks():
            size += len(block)
            if size > limits.MAX_JSON_BYTES:
                raise InputError(
                    f"{self.origin.name} is over {limits.MAX_JSON_BYTES / 2**30:.0f} GB",
                    expected="a smaller JSON document: it is read whole",
                    hint="Write it as JSONL (one object a line), which is read in chunks.",
                )
            parts.append(block)
        whole = b"".join(parts)
        parts.clear()
        text = whole.decode(self._form.encoding, self._form.errors)
        return text.removeprefix("\ufeff")


def _broken(name: str, error: json.JSONDecodeError, text: str) -> InputError:
    seen = " ".join(text[error.pos : error.pos + 40].split())
    where = f"line {error.lineno:,}, column {error.colno:,}"
    hint = ""
    if not text.lstrip().startswith(("[", "{")):
        hint = "It begins with other text: an error message in place of offers?"
    elif error.msg == "Extra data":
        hint = "Several JSON documents in one file? Put one object a line and name it .jsonl."
    elif error.pos >= len(text.rstrip()):
        hint = "It ends too early: was it cut?"
    reads = f", which reads '{seen}'" if seen else ""
    return InputError(f"{name} is not JSON: {error.msg} at {where}{reads}", hint=hint)


def _find_records(document: object, name: str) -> list[Any]:
    """Return the list of offers in a document.

    The document itself, or a list of objects in it: under a known name, or the only one; else the
    document when it is one offer.

    Raises:
        InputError: There is none, or there are several.
    """
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise InputError(f"{name} holds a single JSON value", expected=_OFFERS)
    if found := _known_list(document, _DEPTH):
        return found
    if is_offer(document):
        return [document]
    lists = [key for key, value in document.items() if _is_record_list(value)]
    if len(lists) == 1:
        only: list[Any] = document[lists[0]]
        return only
    if lists:
        raise InputError(f"{name} holds several lists: {listing(lists)}", expected=_OFFERS)
    empty = [key for key in _LIST_NAMES if document.get(key) == []]
    if empty:
        raise InputError(f"{name} holds an empty list ('{empty[0]}')", expected=_OFFERS)
    raise InputError(f"{name} holds no list of offers, only {listing(document)}", expected=_OFFERS)


def _is_record_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _known_list(document: Record, depth: int) -> list[Any] | None:
    by_name = {key.lower(): value for key, value in document.items()}
    for wanted in _LIST_NAMES:
        value = by_name.get(wanted)
        if _is_record_list(value):
            found: list[Any] = by_name[wanted]
            return found
        if isinstance(value, dict) and depth > 1 and (inner := _known_list(value, depth - 1)):
            return inner
    return None


class JsonLinesTable(TableFile):
    """JSONL: one object a line. Read twice: once for the keys of all records, once for the rows.

    Args:
        origin: The file.
        form: Its encoding.
        bad: Takes each line that is no JSON object, once; None to make it an error.

    Raises:
        InputError: A line is not a JSON object (with line and column); no line at all.
    """

    def __init__(self, origin: Origin, form: TextForm, bad: OnBadRow | None = None) -> None:
        super().__init__(origin)
        self._form = form
        self._bad = bad
        self._position = 0
        kinds, first, count = _Kinds(origin.name), [], 0
        for record in self._records(bad and _tell_nobody):
            kinds.add(record)
            if count < SAMPLE_ROWS:
                first.append(record)
            count += 1
        if not kinds.is_text:
            raise InputError(f"{origin.name} holds no offers", expected="one JSON object a line")
        self.n_rows = count
        self._keys = list(kinds.is_text)
        self.schema = kinds.schema()
        self.sample = _to_table(first, self._keys, self.schema, origin.name)

    @property
    def bytes_read(self) -> int:
        """Bytes on disk read so far."""
        return self.origin.bytes_read

    def batches(self, chunk_rows: int) -> Iterator[pa.Table]:
        """Give the rows in order as tables of at most `chunk_rows` rows."""
        part: list[Record] = []
        records = self._records(self._bad)
        start = 0
        for record in records:
            part.append(record)
            full = len(part) >= chunk_rows
            if full or (
                len(part) % _PART_ROWS == 0 and self._position - start > limits.MAX_CHUNK_BYTES
            ):
                yield _to_table(part, self._keys, self.schema, self.origin.name)
                part, start = [], self._position
        if part:
            yield _to_table(part, self._keys, self.schema, self.origin.name)

    def _records(self, bad: OnBadRow | None) -> Iterable[Record]:
        with self._form.open(self.origin, newline="\n") as stream:
            for number, line in enumerate(stream, 1):
                if line.isspace():
                    continue
                self._position = self.origin.bytes_read
                try:
                    yield self._record(number, line)
                except InputError as error:
                    if bad is None:
                        raise
                    bad(bad_row(number, f"not JSONL: {_why(error)}", line))

    def _record(self, number: int, line: str) -> Record:
        name = self.origin.name
        if is_undecoded(line):
            raise InputError(f"{name}, line {number:,}: not UTF-8")
        try:
            record = _DECODE(line.removeprefix("\ufeff") if number == 1 else line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{name} is not JSONL: {error.msg} at line {number:,}, column {error.colno:,}",
                expected="one JSON object a line",
            ) from error
        except RecursionError as error:
            raise _too_deep(f"{name}, line {number:,}") from error
        except ValueError as error:
            raise InputError(f"{name}, line {number:,}: not JSON ({error})") from error
        if not isinstance(record, dict):
            raise InputError(
                f"{name}, line {number:,}: no JSON object", expected="one object a line"
            )
        return record


_DECODE: Final = json.JSONDecoder(parse_constant=_no_constant).decode


def _why(error: InputError) -> str:
    """What is wrong with a line, without the file's name before it."""
    return error.what.rpartition(": ")[2]


def _tell_nobody(_row: BadRow) -> None:
    """What the first of two readings tells; the second one tells it."""
