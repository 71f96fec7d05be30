"""What a file is: its format, its encoding, its separator. From its bytes; never a silent guess."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, cast

from aiskills.errors import InputError, UsageError
from aiskills.files import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiskills.files.notes import Note
    from aiskills.files.origin import Origin

FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "parquet": (".parquet", ".pq"),
    "xlsx": (".xlsx",),
}
"""Formats that are read and written, each with its suffixes, the usual one first."""

_ALSO_READ: Final = {
    ".txt": "csv",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}
READ_SUFFIXES: Final[Mapping[str, str]] = {
    **{suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes},
    **_ALSO_READ,
}
"""Suffix -> format, for every suffix that is read (each may be followed by `.gz` too)."""

ONE_COLUMN: Final = "\x1f"
"""Separator of a file whose header is one cell: a comma in its rows is text."""

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# First bytes of what people give by mistake, and what to call it.
_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\x00", "an image (TIFF)"),
    (b"MM\x00*", "an image (TIFF)"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"\x1f\x8b", "compressed twice"),
)
BINARY_TABLES: Final = (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0")
"""First bytes of the formats that are no text; they are read at any place, so not from a .gz."""

_OLE: Final = b"\xd0\xcf\x11\xe0"  # .xls, but .doc and .msg as well
_TABLE: Final = "a table of offers: CSV, TSV, JSON, JSONL, Parquet or Excel (or .gz of these)"
_JSON_START: Final = re.compile(r"\s*(\[\s*[\[{\]]|\{\s*[\"}])")


def identify(origin: Origin, note: Note) -> str:
    """Return the format of a file, a key of `FORMATS`.

    Args:
        origin: The file; only its first bytes are looked at (all names inside, for a zip).
        note: Told when the content is not what the suffix says.

    Raises:
        InputError: It is empty, or something else than a table.
    """
    head = origin.head
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise InputError(f"{origin.name} is empty", expected=_TABLE)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _identify_zip(origin)
    if head.startswith(_OLE) and origin.suffix in {".xls", ""}:
        return "xlsx"
    if head.startswith(_OLE):
        raise InputError(f"{origin.name} is an old Office document", expected=_TABLE)
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{origin.name} is {what}", expected=_TABLE)
    if (said := READ_SUFFIXES.get(origin.suffix)) in {"parquet", "xlsx"}:
        raise InputError(
            f"{origin.name} is damaged, or no {said} file at all",
            hint="Its first bytes are not those of its suffix: save or download it again.",
        )
    return _identify_text(origin, said, note)


def _identify_zip(origin: Origin) -> str:
    try:
        with origin.open() as stream, zipfile.ZipFile(cast("IO[bytes]", stream)) as archive:
            names = archive.namelist()
            expanded = sum(one.file_size for one in archive.infolist())
            kind = b""
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    kind = member.read(80)
    except Exception as error:  # a hostile archive makes its reader raise anything
        raise InputError(f"{origin.name} is a damaged zip or Excel file ({error})") from error
    if any(name.startswith("xl/") for name in names) or b"opendocument.spreadsheet" in kind:
        if expanded > limits.MAX_SHEET_BYTES:
            raise InputError(
                f"{origin.name} expands to {expanded / 2**30:.0f} GB",
                expected=f"a workbook under {limits.MAX_SHEET_BYTES / 2**30:.0f} GB expanded",
                hint="Save it as CSV or Parquet.",
            )
        if expanded > limits.SHEET_BYTES and expanded > limits.MAX_GZ_RATIO * origin.size:
            raise InputError(
                f"{origin.name} expands to more than {limits.MAX_GZ_RATIO} times its size",
                expected="a workbook of ordinary text",
                hint="Check where it comes from; save it as CSV if you trust it.",
            )
        return "xlsx"
    if any(name.startswith("word/") for name in names):
        raise InputError(f"{origin.name} is a Word document", expected=_TABLE)
    if b"opendocument" in kind or any(name.startswith("ppt/") for name in names):
        raise InputError(f"{origin.name} is an Office document, but no workbook", expected=_TABLE)
    raise InputError(
        f"{origin.name} is a zip archive", expected=_TABLE, hint="Extract it, then name the files."
    )


def _identify_text(origin: Origin, said: str | None, note: Note) -> str:
    start = origin.head.decode(_bom_encoding(origin.head) or "utf-8", errors="replace")
    start = start.lstrip("\ufeff")
    if re.match(r"\s*<(!|\?|html|head|body|[a-z]+[ >])", start, re.IGNORECASE):
        raise InputError(f"{origin.name} is an HTML or XML page", expected=_TABLE)
    if said in {"json", "jsonl"}:
        return said if said == "jsonl" else _json_or_lines(origin)
    if _JSON_START.match(start):
        found = _json_or_lines(origin)
        if said is not None:
            note(f"{origin.name}: holds JSON whatever its suffix says; read as {found}")
        return found
    return said or "csv"


def _json_or_lines(origin: Origin) -> str:
    """Tell JSONL (a whole object on the first line, and more after it) from one JSON document."""
    form = TextForm(_bom_encoding(origin.head) or "utf-8", "replace")
    with form.open(origin, newline="\n") as stream:
        first = "\n"
        while first and not first.strip():
            first = stream.readline(limits.MAX_LINE_BYTES)
        more = stream.read(4096).strip()
    try:
        is_object = bool(more) and isinstance(json.loads(first.lstrip("\ufeff")), dict)
    except (ValueError, RecursionError):
        is_object = False
    return "jsonl" if is_object else "json"


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the bytes of a text file become characters.

    Attributes:
        encoding: A Python codec name.
        errors: `strict`, or `replace` when the user forced it.
    """

    encoding: str
    errors: str = "strict"

    def open(self, origin: Origin, newline: str) -> io.TextIOWrapper:
        """Open the characters of a file from its start (`newline` as for the built-in open)."""
        return io.TextIOWrapper(
            origin.open(),  # type: ignore[arg-type]
            encoding=self.encoding,
            errors=self.errors,
            newline=newline,
        )


def _bom_encoding(head: bytes) -> str | None:
    """Return the encoding that the first bytes make evident, or None.

    >>> _bom_encoding("é".encode("utf-8-sig")), _bom_encoding("id;titre".encode("utf-16-le"))
    ('utf-8-sig', 'utf-16-le')
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = len(head) // 2
    if pairs >= 4:  # French or English in UTF-16: nearly one byte in two is NUL
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > 0.7 * pairs and even < 0.05 * pairs:
            return "utf-16-le"
        if even > 0.7 * pairs and odd < 0.05 * pairs:
            return "utf-16-be"
    return None


@dataclass(frozen=True, slots=True)
class _Fault:
    """The first byte that cannot be decoded: its value, its line (from 1)."""

    byte: int
    line: int


def find_encoding(
    origin: Origin,
    forced: str | None,
    note: Note,
    *,
    has_lines: bool = True,
    tolerant: bool = False,
) -> TextForm:
    """Read the file once through and say how to decode it.

    UTF-8 (with or without BOM), UTF-16 (BOM or evident), else Windows-1252 when every byte of the
    file has a meaning in it, which `note` is told.

    Args:
        origin: The file.
        forced: The encoding the user asks for; `:replace` after it (as in `utf-8:replace`) puts
            U+FFFD in place of what cannot be decoded. None to find it.
        note: Told when the encoding is not sure.
        has_lines: Whether the format has line breaks, so that their absence is an error.
        tolerant: Whether bytes that are no UTF-8, in a file that is otherwise, are kept as
            `surrogateescape` makes them, for the reader to leave their rows out.

    Raises:
        InputError: It cannot be decoded, holds NUL characters or has no line breaks.
        UsageError: `forced` is no encoding.
    """
    if forced is not None:
        form = _forced_form(forced, origin.head)
        if fault := _first_fault(origin, form, has_lines=has_lines):
            raise InputError(
                f"{origin.name}, line {fault.line}: byte 0x{fault.byte:02X} is not {form.encoding}",
                hint=f"Try another --encoding, or --encoding {form.encoding}:replace to put U+FFFD "
                "in its place.",
            )
        return form
    form = TextForm(_bom_encoding(origin.head) or "utf-8")
    fault = _first_fault(origin, form, has_lines=has_lines)
    if fault is None:
        return form
    what = f"{origin.name}, line {fault.line}: byte 0x{fault.byte:02X} is not {form.encoding}"
    if form.encoding != "utf-8" or _is_mostly_utf8(origin):
        if tolerant and form.encoding.startswith("utf-8"):
            escaping = TextForm(form.encoding, "surrogateescape")
            _first_fault(origin, escaping, has_lines=has_lines)  # for NUL characters
            return escaping
        raise InputError(
            what + ", though the rest of the file is",
            hint=f"Repair it, or put U+FFFD there with --encoding {form.encoding}:replace",
        )
    windows = TextForm("cp1252")
    if _first_fault(origin, windows, has_lines=has_lines):
        raise InputError(what + ", nor is the file Windows-1252", hint="Name it with --encoding.")
    note(
        f"{origin.name}: not UTF-8 (line {fault.line}); read as Windows-1252. "
        "If its accents look wrong, name its encoding with --encoding"
    )
    return windows


def _forced_form(forced: str, head: bytes) -> TextForm:
    name, _, errors = forced.partition(":")
    try:
        "a".encode(name)
        canonical = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"'{name}' is not an encoding", expected="utf-8, utf-16, cp1252, latin-1, mac-roman …"
        ) from error
    if errors not in {"", "strict", "replace"}:
        raise UsageError(f"'{errors}' after the encoding", expected="replace, or nothing")
    if canonical == "utf-8" and head.startswith(codecs.BOM_UTF8):
        canonical = "utf-8-sig"
    return TextForm(canonical, errors or "strict")


def _first_fault(origin: Origin, form: TextForm, *, has_lines: bool) -> _Fault | None:
    """Decode the whole file; return where it fails, None when it does not."""
    decoder = codecs.getincrementaldecoder(form.encoding)(form.errors)
    wide = form.encoding.startswith(("utf-16", "utf-32"))
    lines, unbroken = 1, 0
    blocks = origin.blocks()
    block = next(blocks, b"")
    while True:
        following = next(blocks, None)
        try:
            text = decoder.decode(block, final=following is None)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].count(b"\n")
            return _Fault(error.object[error.start], lines + before)
        if "\0" in text if wide else b"\0" in block:
            line = lines + (text if wide else block.decode("latin-1")).split("\0")[0].count("\n")
            raise InputError(
                f"{origin.name}, line {line}: holds NUL characters, so it is not a text file",
                expected=_TABLE,
            )
        lines += block.count(b"\n")
        unbroken = _bytes_since_break(block, unbroken)
        if has_lines and unbroken > limits.MAX_LINE_BYTES:
            raise InputError(f"{origin.name}: no line break in {unbroken:,} bytes", expected=_TABLE)
        if following is None:
            return None
        block = following


def _bytes_since_break(block: bytes, before: int) -> int:
    last = max(block.rfind(b"\n"), block.rfind(b"\r"))
    return before + len(block) if last < 0 else len(block) - last


def _is_mostly_utf8(origin: Origin) -> bool:
    """Whether a file that is not UTF-8 was: more accents decode than fail.

    Windows-1252 text has nearly no valid UTF-8 sequence, so a damaged UTF-8 file is not taken for
    it (`é` would become `Ã©` in every line).
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    for number, block in enumerate(origin.blocks()):
        text = decoder.decode(block)
        wrong = text.count("\ufffd")
        bad += wrong
        good += len(re.findall(r"[^\x00-\x7f]", text)) - wrong
        if number == 64:
            break
    return good > bad


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of a CSV file become cells.

    Attributes:
        separator: One character.
        skip_lines: Lines before the header (1 for Excel's `sep=;`).
    """

    separator: str
    skip_lines: int = 0


def find_dialect(origin: Origin, form: TextForm, forced: str | None, note: Note) -> Dialect:
    """Say how a CSV file is cut into cells, from its header line and the rows after it.

    A separator qualifies when it cuts the header; among several, the one that cuts most of the
    next 50 records into as many cells as the header wins, then the one that gives most cells.
    Where none does, the file has one column (`ONE_COLUMN`).

    Raises:
        InputError: Two separators do equally well.
        UsageError: `forced` is not one character.
    """
    with form.open(origin, newline="") as stream:
        start = stream.read(2**18)
        whole = not stream.read(1)
    skip = 0
    if declared := re.match(r"sep=(.)\r?\n", start):  # Excel's own way to name it
        skip = 1
        start = start[declared.end() :]
        forced = forced or declared[1]
    if forced is not None:
        separator = {"tab": "\t", "\\t": "\t"}.get(forced, forced)
        if len(separator) != 1 or separator in '"\r\n':
            raise UsageError(f"separator {forced!r}", expected="one character, or tab")
        return Dialect(separator, skip)
    scores = {one: _score(start, one, whole=whole) for one in SEPARATORS}
    usable = {one: score for one, score in scores.items() if score[1] > 1}
    if origin.suffix in FORMATS["tsv"] and "\t" in usable:
        return Dialect("\t", skip)
    if not usable:
        return Dialect(ONE_COLUMN, skip)
    best = max(usable.values())
    winners = [one for one in SEPARATORS if usable.get(one) == best]
    if len(winners) > 1:
        raise InputError(
            f"{origin.name}: the separator may be the {SEPARATORS[winners[0]]} or the "
            f"{SEPARATORS[winners[1]]}",
            hint="Name it with --separator.",
        )
    if len(usable) > 1:
        others = ", ".join(SEPARATORS[one] for one in usable if one != winners[0])
        note(
            f"{origin.name}: read with the {SEPARATORS[winners[0]]} as separator (its header also "
            f"holds the {others}); --separator forces another"
        )
    return Dialect(winners[0], skip)


def _score(start: str, separator: str, *, whole: bool) -> tuple[float, int]:
    """Return (share of the next records as wide as the header, cells of the header)."""
    widths: list[int] = []
    limit = csv.field_size_limit(limits.MAX_FIELD_CHARS)
    try:
        for row in csv.reader(io.StringIO(start, newline=""), delimiter=separator, strict=True):
            if row:
                widths.append(len(row))
            if len(widths) > 51:
                break
        else:
            if not whole:
                widths = widths[:-1] or widths  # the last record is cut
    except csv.Error:
        pass
    finally:
        csv.field_size_limit(limit)
    if not widths:
        return 0.0, 0
    rows = widths[1:]
    return (sum(width == widths[0] for width in rows) / len(rows) if rows else 0.0), widths[0]
