"""Input made to hurt: bounded time and memory, one clear word, nothing run, nothing told on.

What is about one module stands beside its other tests: model folders in test_model_folder.py, pages
in test_report.py, files of the night job in test_batch_faults.py; fuzzing in test_fuzz.py.
"""

from __future__ import annotations

import ast
import csv
import gzip
import importlib
import io
import json
import pkgutil
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aiskills
from aiskills import Classifier
from aiskills.batch.disk import short_name
from aiskills.errors import AiskillsError, InputError, LexiconError
from aiskills.files import limits, open_offers, sheet_process
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.phrases.match import MAX_MATCHES
from aiskills.schema import MAX_TEXT_CHARS
from aiskills.text import fold
from batching import ML, dated, journal, offer, run, write_csv
from fuzz import seeds

#: Of processor time, and of memory at most: what no small file may cost.
SECONDS: Final = 5.0
MEGABYTES: Final = 1024
LONG: Final = b"mot " * 2_500_000  # ten megabytes

# --- files that cost too much ---------------------------------------------------------------------

_READ: Final = """
import json, resource, sys
from aiskills.errors import AiskillsError
from aiskills.files import open_offers
before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
try:
    with open_offers([sys.argv[1]], on_bad_row=(lambda row: None) if sys.argv[2] else None) as file:
        said = f"{sum(len(chunk.table) for chunk in file)} rows"
except AiskillsError as error:
    said = str(error)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps([said, sum(used[0][:2]) + sum(used[1][:2]) - before,
                  max(one.ru_maxrss for one in used) / 1024]))
"""


@dataclass(frozen=True)
class Tried:
    """What became of reading a file in a process of its own."""

    said: str
    seconds: float
    megabytes: float


def tried(path: Path, *, tolerant: bool = False) -> Tried:
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path), "1" if tolerant else ""],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return Tried(*json.loads(done.stdout))


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def sheet(data: bytes) -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return seeds.workbook({seeds.PARTS[0]: b"<?xml version='1.0'?>" + head + data})


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def same_text(rows: int) -> bytes:
    """A file of a kilobyte whose every row is the same long text."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [LONG[:1_900_000]])
    return parquet(pa.table({"description": text}))


def bomb_sheet() -> bytes:
    """A workbook that unpacks to 600 MB."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as member,
    ):
        for _ in range(600):
            member.write(bytes(2**20))
    return content.getvalue()


def lying_sheet() -> bytes:
    """A sheet of 30 MB that says it has a hundred bytes."""
    content = bytearray(sheet(b"<sheetData>" + b"<row></row>" * 2_700_000))
    for size in {one.file_size for one in zipfile.ZipFile(io.BytesIO(content)).infolist()}:
        if size > 10_000_000:
            content[:] = content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    return bytes(content)


_NESTED: Final = b"[" * 10_000 + b"]" * 10_000
_COLUMNS: Final = b",".join(b"c%d" % number for number in range(1_000_000))
_DEEP: Final = "JSON nested too deep"
_CLOSED: Final = "is not closed after 2,000,000 characters"

#: Name of the file, its content, and what is said of it.
COSTLY: Final[dict[str, tuple[str, Callable[[], bytes], str]]] = {
    "field of 10 MB, quoted": ("a.csv", lambda: b'titre,texte\na,"' + LONG + b'"\n', _CLOSED),
    "field of 10 MB": ("a.csv", lambda: b"titre,texte\na," + LONG + b"\n", "2,000,000 characters"),
    "field of 10 MB, JSONL": (
        "a.jsonl", lambda: b'{"texte": "' + LONG + b'"}\n', "has 10,000,000 characters"),
    "field of 10 MB, JSON": (
        "a.json", lambda: b'[{"texte": "' + LONG + b'"}]', "has 10,000,000 characters"),
    "field of 10 MB, Parquet": (
        "a.parquet", lambda: parquet(pa.table({"texte": [LONG.decode()]})),
        "10,000,000 characters"),
    "quote that never closes": ("a.csv", lambda: b'titre,texte\na,"' + LONG * 4, _CLOSED),
    "a million quotes": (
        "a.csv", lambda: b"titre,texte\n" + b'"",' * 500_000 + b'"x\n', "is never closed"),
    "line that never ends": (
        "a.csv", lambda: b"titre,texte\n" + LONG * 7, "no line break in"),
    "a million columns": (
        "a.csv", lambda: b"texte," + _COLUMNS + b"\nx\n", "has 1,000,001 columns; expected"),
    "a million columns of one name": (
        "a.csv", lambda: b"texte" + b",c" * 1_000_000 + b"\nx\n", "has 1,000,001 columns"),
    "a key of its own in each object": (
        "a.jsonl", lambda: b"".join(b'{"texte": "x", "k%d": 1}\n' % n for n in range(100_000)),
        "has 16,385 columns"),
    "Parquet of 17,000 columns": (
        "a.parquet", lambda: parquet(pa.table({f"c{n}": [1] for n in range(17_000)})),
        "has 17,000 columns"),
    "JSON 10,000 deep": ("a.json", lambda: _NESTED, _DEEP),
    "an offer 10,000 deep": ("a.json", lambda: b'[{"texte": "x", "a": ' + _NESTED + b"}]", _DEEP),
    "a line 10,000 deep": ("a.jsonl", lambda: b'{"texte": "x", "a": ' + _NESTED + b"}", _DEEP),
    "a cell 10,000 deep": (
        "a.csv", lambda: b'texte,entreprise\nx,"' + _NESTED + b'"\n', "1 rows"),
    "gzip bomb": (
        "a.csv.gz", lambda: gzip.compress(b"titre;texte\n" * 90_000) * 2_500,
        "expands to more than 200 times its size"),
    "gzip in gzip": (
        "a.csv.gz", lambda: gzip.compress(gzip.compress(bytes(10**8))), "is compressed twice"),
    "workbook bomb": ("a.xlsx", bomb_sheet, "expands to more than 200 times its size"),
    "workbook that hides its size": ("a.xlsx", lying_sheet, "is a damaged or protected workbook"),
    "zip in zip": (
        "a.zip", lambda: zipped(**{"a.zip": zipped(**{"a.csv": LONG})}), "is a zip archive"),
    "names that climb": (
        "a.zip", lambda: zipped(**{"../../../climbed.csv": b"x"}), "is a zip archive"),
    "mimetype of 300 MB": (
        "a.ods", lambda: zipped(mimetype=bytes(3 * 10**8)), "is a zip archive"),
    "cells at both ends of a sheet": (
        "a.xlsx", lambda: sheet(
            b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576">'
            b'<c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'),
        "takes more time or memory"),
    "a wide and long sheet": (
        "a.xlsx", lambda: sheet(
            b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="30000">'
            b'<c r="AAA30000"><v>1</v></c></row></sheetData></worksheet>'),
        "takes more time or memory"),
    "a sheet that says it is large": (
        "a.xlsx", lambda: sheet(
            b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="str">'
            b"<v>texte</v></c></row></sheetData></worksheet>"),
        "0 rows"),
    "Parquet of one text a million times": (
        "a.parquet", lambda: same_text(1_000_000), "expands to more than 200 times its size"),
    "NUL bytes": ("a.csv", lambda: b"titre,texte\n" + bytes(10**7), "holds NUL characters"),
    "nothing but blanks": ("a.csv", lambda: b" \n" * 5_000_000, "is empty"),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="memory is held to a bound on Linux alone")
@pytest.mark.parametrize("name", COSTLY)
def test_no_file_costs_much(name: str, tmp_path: Path) -> None:
    file, content, said = COSTLY[name]
    path = tmp_path / "in" / file
    path.parent.mkdir()
    path.write_bytes(content())
    found = tried(path)
    assert said in found.said
    assert "Traceback" not in found.said
    assert len(found.said) < 1000
    assert found.seconds < SECONDS
    assert found.megabytes < MEGABYTES
    assert [one.name for one in tmp_path.rglob("*")] == ["in", file], "something was unpacked"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is held to a bound on Linux alone")
def test_rows_that_cannot_be_read_cost_no_more_than_their_length(tmp_path: Path) -> None:
    lines = [b'a,"never closed\n', b"a,b,c,d\n", b'a,"b"c\n', b"a,\xff\n", b"a,b\n"] * 40_000
    (tmp_path / "a.csv").write_bytes(b"titre,texte\n" + b"".join(lines))
    found = tried(tmp_path / "a.csv", tolerant=True)
    assert re.fullmatch(r"\d+ rows", found.said)
    assert found.seconds < SECONDS
    assert found.megabytes < MEGABYTES


def test_every_byte_of_the_footer_of_a_parquet_file_may_lie(tmp_path: Path) -> None:
    """Rows, sizes, offsets, types: whatever the metadata say, it is read or refused."""
    sound = seeds.parquet_files()[3]
    size = int.from_bytes(sound[-8:-4], "little")
    path = tmp_path / "a.parquet"
    refused = 0
    before = time.process_time()
    for place in range(len(sound) - 8 - size, len(sound)):
        for new in (0x00, 0x7F, 0xFF):
            path.write_bytes(sound[:place] + bytes([new]) + sound[place + 1 :])
            try:
                with open_offers([path]) as file:
                    for chunk in file:
                        chunk.table.validate(full=True)
            except AiskillsError:
                refused += 1
    assert refused > size, "most of it matters"
    assert time.process_time() - before < 30


def test_a_workbook_names_files_and_gets_none(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("tres-secret", "utf-8")
    entities = (
        "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'dix'>"
        f"<!ENTITY e SYSTEM '{(tmp_path / 'secret.txt').as_uri()}'>"
        + "".join(f"<!ENTITY a{n} '{f'&a{n - 1 or str()};' * 10}'>" for n in range(1, 10))
        + ']><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="str"><v>texte</v></c></row><row r="2"><c r="A2" t="inlineStr"><is>'
        "<t>&e;&a9;</t></is></c></row></sheetData></worksheet>"
    )
    path = tmp_path / "a.xlsx"
    path.write_bytes(seeds.workbook({seeds.PARTS[0]: entities.encode()}))
    try:
        with open_offers([path]) as file:
            read = repr([chunk.table.to_pylist() for chunk in file])
    except AiskillsError as error:
        read = str(error)
    assert "tres-secret" not in read
    assert len(read) < 1000


def test_ctrl_c_does_not_reach_the_process_that_reads_a_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the night job, which finishes its chunk, would take the file at hand for damaged."""
    asked: dict[str, Any] = {}
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        asked.update(options)
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    (tmp_path / "a.xlsx").write_bytes(seeds.workbook({}))
    with open_offers([tmp_path / "a.xlsx"]) as file:
        assert sum(len(chunk.table) for chunk in file) == 2
    assert asked["start_new_session"]


def test_a_sheet_of_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds where the system bounds no memory."""
    monkeypatch.setattr(limits, "MAX_SHEET_CELLS", 8)
    (tmp_path / "a.xlsx").write_bytes(seeds.workbook({}))
    with (
        pytest.raises(InputError, match="its sheet 'offres' spans over 8 cells"),
        open_offers([tmp_path / "a.xlsx"]),
    ):
        pass


def test_a_reader_of_workbooks_that_cannot_be_started_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    (tmp_path / "a.xlsx").write_bytes(seeds.workbook({}))
    with (
        pytest.raises(InputError, match="no process can be started to read it"),
        open_offers([tmp_path / "a.xlsx"]),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_stricter_bound_of_the_users_own_stays() -> None:
    code = (
        "import resource as r; r.setrlimit(r.RLIMIT_CPU, (30, 30))\n"
        "from aiskills.files.sheet_process import bound\n"
        "bound(40, 2**40); print(r.getrlimit(r.RLIMIT_CPU), r.getrlimit(r.RLIMIT_AS)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == f"(30, 30) {2**40}", done.stderr


def test_a_reader_of_workbooks_that_dies_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_process, "__file__", str(tmp_path / "dies.py"))
    for code in ("import os; os.abort()", "print('[1]'); raise SystemExit(3)", ""):
        (tmp_path / "dies.py").write_text(code, "utf-8")
        (tmp_path / "a.xlsx").write_bytes(seeds.workbook({}))
        with (
            pytest.raises(InputError, match="a damaged or protected workbook"),
            open_offers([tmp_path / "a.xlsx"]),
        ):
            pass


# --- texts that hurt ------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["IA ", "IA, machine learning; ", "intelligence artificielle "])
def test_a_hundred_thousand_matches(unit: str, classifier: Classifier) -> None:
    scanner = Scanner(Lexicon.default(), Headings.default())
    before = time.process_time()
    text = unit * (300_000 // len(unit))
    found = scanner.scan(fold(text), text)
    assert len(found.matches) == MAX_MATCHES
    said = classifier.classify_text(text[: MAX_TEXT_CHARS - 1])
    assert said.strict is not None
    assert len(said.evidence) <= 20
    assert time.process_time() - before < 2 * SECONDS


HOSTILE_TEXTS: Final = {
    "NUL": "Vous\x00 faites du machine\x00 learning, de l'IA\x00",
    "lone surrogates": "\ud800 IA \udfff machine learning \ud83d",
    "bidirectional marks": "\u202eIA\u202c \u2066machine learning\u2069 \u200f",
    "controls": "\x1b[31mIA\x1b[0m \x07machine\x08 learning \x9b2J \x85 \u2028",
    "breaks of our own": "IA \x1e machine learning \x1f big data ¦",
    "combining": "I\u0301A\u0302" * 50 + " machine le\u0301arning" + "\u0301" * 5000,
    "far planes": "\U0001d40c\U0001d40b machine learning \U000e0041 \U0010ffff",
    "formula": "=HYPERLINK(machine learning)",
}


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_hostile_texts_are_judged_and_quoted(name: str, classifier: Classifier) -> None:
    text = HOSTILE_TEXTS[name]
    said = classifier.classify_text(text)
    assert said.strict is not None
    assert said.evidence
    for piece in said.evidence:
        assert piece.quote == text[piece.start : piece.end]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet", "xlsx"])
def test_hostile_texts_in_files(suffix: str, tmp_path: Path) -> None:
    """Read from JSON, which can say everything, and written in every format."""
    records = [{"id": name, "description": text} for name, text in HOSTILE_TEXTS.items()]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    target = tmp_path / f"out.{suffix}"
    raw = ["--raw-cells"] if suffix == "csv" else []
    done = run("classify", tmp_path / "in.jsonl", "-o", target, "--jobs", 1, *raw)
    assert done.code == 0, done.err
    assert not any(char in done.err for char in "\x00\x1b\u202e\u2066")
    if suffix == "csv":
        with target.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    else:
        with open_offers([target]) as reader:
            rows = [row for chunk in reader for row in chunk.table.to_pylist()]
    assert [row["id"] for row in rows] == list(HOSTILE_TEXTS)
    for row in rows:
        if suffix == "xlsx" and not row["description"].isprintable():
            continue  # XML has no way to write a control character
        for piece in json.loads(row["ai_evidence"]):
            assert row["description"][piece["start"] : piece["end"]] == piece["quote"]


def test_a_terminal_gets_no_control_characters(
    capsys: pytest.CaptureFixture[str], classifier: Classifier
) -> None:
    for text in HOSTILE_TEXTS.values():
        done = run("explain", "--text", text)
        assert done.code == 0, done.err
        left = set(done.out + done.err) - {"\n"}
        assert not [c for c in left if c in "\u202e\u2066\u202c\u2069\u200f" or ord(c) < 32]
        assert not [char for char in left if "\x7f" <= char <= "\x9f"]


# --- patterns -------------------------------------------------------------------------------------

SOURCES: Final = Path(aiskills.__file__).parent
#: Repeated, these are the worst that the patterns of the package may meet.
UNITS: Final = (
    *(" ", "a", "1", "-", ",", "(", "é", "\n", "\t", "'", "[", "{", "<", "&", "=", "_", "\\", '"'),
    *(
        " -",
        "1 ",
        "a ",
        "/ ",
        "A.",
        "<a",
        "<!--",
        "-\n",
        "(e",
        "·e",
        "0.",
        "a@",
        "Ã",
        "(75 ",
        "ou ",
    ),
    *(
        "idcc ",
        "idcc n",
        "il y a ",
        "2024-",
        "12 mars ",
        "St-",
        "dep. ",
        "paris ",
        "('",
        "*a",
        "n°",
    ),
    *("\u0301", "\u200b", "ｆ", "{a|", "ccn ", "naf ", "rev 2 ", "x'y", "!", "1,", "cedex "),
)
#: Seconds for 10,000 characters that tell a pattern whose time grows with the square.
SLOW: Final = 0.04
#: Patterns that take more than their text's length, and what keeps that text short.
KEPT_SHORT: Final = {
    "aiskills.report.examples._BLANKS": "sees excerpts of some hundred characters",
    "aiskills.attributes.place_codes._LAST": "sees one place of a cell that was cut at its breaks",
    "aiskills.simulate.stock._CHOICE": "sees the package's own tables",
}


def uses() -> dict[str, set[str]]:
    """The methods by which each named pattern is used: `module.NAME` -> match, search, …"""
    found: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.py"):
        parts = path.relative_to(SOURCES.parent).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault(f"{module}.{node.value.id}", set()).add(node.attr)
    return found


def patterns() -> Iterator[tuple[str, re.Pattern[Any], set[str]]]:
    """Every pattern that a module holds, alone or in a table."""
    used = uses()
    for module in pkgutil.walk_packages(aiskills.__path__, "aiskills."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            waiting = [value]
            while waiting:
                one = waiting.pop()
                if isinstance(one, re.Pattern):
                    yield f"{module.name}.{name}", one, used.get(f"{module.name}.{name}", set())
                elif isinstance(one, (list, tuple)):
                    waiting += one
                elif isinstance(one, dict):
                    waiting += one.values()


def seconds_of(pattern: re.Pattern[Any], text: Any, methods: set[str]) -> float:
    """The quicker of two runs; one, where that is quick."""
    first = _seconds_of(pattern, text, methods)
    return first if first < SLOW else min(first, _seconds_of(pattern, text, methods))


def _seconds_of(pattern: re.Pattern[Any], text: Any, methods: set[str]) -> float:
    before = time.process_time()
    anchored = methods & {"match", "fullmatch"}
    if anchored and not methods & {"search", "sub", "findall", "finditer", "split"}:
        for method in anchored:
            getattr(pattern, method)(text)
    else:
        for _ in pattern.finditer(text):
            pass
    return time.process_time() - before


def test_no_pattern_takes_more_than_its_texts_length() -> None:
    """A quadratic one takes half a second for 10,000 characters and 200 for 200,000."""
    slow: dict[str, str] = {}
    every = list(patterns())
    assert len(every) > 60
    assert set(KEPT_SHORT) <= {name for name, _, _ in every}
    for name, pattern, methods in every:
        for unit in UNITS:
            text: Any = (unit * 10_000)[:10_000] + "!"
            if isinstance(pattern.pattern, bytes):
                text = text.encode("cp1252", "replace")
            if (seconds := seconds_of(pattern, text, methods)) > SLOW:
                slow[name] = f"{unit!r}: {seconds:.2f} s for {pattern.pattern!r}"
                break
    assert {name: why for name, why in slow.items() if name not in KEPT_SHORT} == {}


def test_the_control_of_patterns() -> None:
    assert seconds_of(re.compile(r"\s*x"), " " * 10_000, {"search"}) > SLOW


def test_a_lexicon_holds_words_and_no_patterns(tmp_path: Path) -> None:
    """Signs that mean something elsewhere are signs here, and the bounds hold."""
    path = tmp_path / "own.csv"
    costly = ["(a+)+$", "(a|a)*b", ".*.*.*x", "a{1,9999}"]
    rows = "".join(f'"{one}","{one}|b{n}"\n' for n, one in enumerate(costly))
    path.write_text('# extends = "none"\nterm,variants\n' + rows, "utf-8")
    before = time.process_time()
    scanner = Scanner(Lexicon.read(path), Headings.default())
    text = "a" * 100_000 + " " + "a " * 50_000
    scanner.scan(fold(text), text)
    assert time.process_time() - before < SECONDS
    path.write_text("term,variants\nx," + "|".join(f"v{n}" for n in range(300)) + "\n", "utf-8")
    with pytest.raises(LexiconError, match="at most 200"):
        Lexicon.read(path)
    path.write_text("term\n" + "x" * 121 + "\n", "utf-8")
    with pytest.raises(LexiconError, match="at most 120"):
        Lexicon.read(path)
    path.write_text("term\n" + "".join(f"t{n}\n" for n in range(20_002)), "utf-8")
    with pytest.raises(LexiconError, match="more than 20,000 terms"):
        Lexicon.read(path)


# --- cells that a spreadsheet could run -----------------------------------------------------------

FORMULAS: Final = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "=cmd|' /C calc'!A0")


def formula_offers(path: Path) -> Path:
    rows = [
        {**offer(number), "intitule": cell, "entreprise": cell, "description": f"{cell} {ML}"}
        for number, cell in enumerate(FORMULAS * 3)
    ]
    return write_csv(path, rows)


def formulas_in(path: Path) -> int:
    """Cells of a workbook that hold a formula."""
    with zipfile.ZipFile(path) as archive:
        return sum(
            archive.read(name).count(b"<f>") + archive.read(name).count(b"<f ")
            for name in archive.namelist()
            if name.startswith("xl/worksheets/")
        )


def may_run(cell: str) -> bool:
    return cell[:1] in tuple("=+-@\t\r") and not re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Offers whose cells begin like formulas, judged."""
    folder = tmp_path_factory.mktemp("formulas")
    path = formula_offers(folder / "in.csv")
    done = run("classify", path, "-o", folder / "out.parquet", "--jobs", 1)
    assert done.code == 0, done.err
    return folder / "out.parquet"


@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        *((f"{name}{end}", "csv") for name in ("classify", "dedupe", "measure --by entreprise",
                                               "skills --by entreprise")
          for end in ("", " --excel-fr")),
        *((name, "xlsx") for name in ("classify", "dedupe", "measure --by entreprise",
                                      "skills --by entreprise", "report")),
    ],
)  # fmt: skip
def test_no_cell_runs(command: str, suffix: str, scored: Path, tmp_path: Path) -> None:
    target = tmp_path / f"out.{suffix}"
    name, *options = command.split()
    done = run(name, scored, "-o", target, *options)
    assert done.code == 0, done.err
    if suffix == "xlsx":
        assert formulas_in(target) == 0
        return
    separator = ";" if "--excel-fr" in options else ","
    with target.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file, delimiter=separator) for cell in row]
    assert len(cells) > 20
    assert [cell for cell in cells if may_run(cell)] == []


def test_the_control_of_formulas(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet().write(0, 0, "=1+1")
    assert formulas_in(tmp_path / "a.xlsx") == 1
    assert all(map(may_run, FORMULAS))


# --- the inbox ------------------------------------------------------------------------------------


def night(folder: Path, *options: object) -> Any:
    return run("batch", folder / "inbox", "--store", folder / "store", *options, "--jobs", 1)


def test_names_in_the_inbox_lead_nowhere_else(tmp_path: Path) -> None:
    """Whatever a file is called, what becomes of it stays in store and archive."""
    inbox = tmp_path / "inbox"
    names = [
        "..csv", "...csv", "-rf.csv", "a\nb.csv", "$(touch x).csv", "a;b.csv", "~.csv",
        "%2e%2e.csv", "..\\..\\x.csv", "é" * 120 + ".csv", "n" * 245 + ".jsonl",
    ]  # fmt: skip
    for number, name in enumerate(names):
        write_csv(inbox / name, [offer(number)])
    broken = inbox / ("c" * 246 + ".jsonl.gz")
    broken.write_bytes(gzip.compress(b"[")[:-9])
    dated(broken, 1)
    (tmp_path / "outside.csv").write_text("id,description\n1,dehors\n", "utf-8")
    (inbox / "link.csv").symlink_to(tmp_path / "outside.csv")
    (inbox / "folder.csv").symlink_to(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = night(tmp_path, "--archive", tmp_path / "archive")
    assert done.code == 0, done.err
    after = sorted(path.name for path in tmp_path.iterdir())
    assert after == sorted([*before, "archive", "store"])
    taken = {row[0] for row in journal(tmp_path / "store", "SELECT name FROM files")}
    assert len(taken) == len([n for n in names if not n.startswith(".")]) + 1
    (held,) = (p for p in (tmp_path / "store" / "quarantine").iterdir() if p.suffix == ".gz")
    assert len(held.name) < 255
    assert held.name.endswith("….jsonl.gz")
    assert (tmp_path / "outside.csv").read_text("utf-8") == "id,description\n1,dehors\n"
    assert "a\nb" not in done.err


@pytest.mark.parametrize(
    "name", ["n" * 300 + ".csv.gz", "é" * 200, "x.csv", "\udce9" * 300 + ".csv"]
)
def test_a_shortened_name_keeps_its_suffix(name: str) -> None:
    short = short_name(name)
    assert len(short.encode("utf-8", "surrogateescape")) <= 180
    assert Path(short).suffixes[-2:] == Path(name).suffixes[-2:]


def test_what_was_changed_in_quarantine_does_not_end_the_night(tmp_path: Path) -> None:
    write_csv(tmp_path / "inbox" / "a.csv", [{**offer(1), "intitule": "", "description": ""}])
    assert night(tmp_path).code == 0
    (held,) = (tmp_path / "store" / "quarantine").glob("*.rows.jsonl")
    for content in ('{"cells": "=1"}\n', '{"cells": {"a": ' + "[" * 5000, "nothing"):
        held.write_text(content, "utf-8")
        write_csv(tmp_path / "inbox" / f"b{len(content)}.csv", [offer(len(content))])
        done = night(tmp_path, "--retry-quarantine")
        assert done.code == 1, done.err
        assert done.report["new"] == 1
        assert "no longer what was put into quarantine" in done.err


def test_times_that_python_does_not_know_in_a_bad_row(tmp_path: Path) -> None:
    """A row that goes to quarantine takes no other with it."""
    times = pa.array([10**17, 0], pa.timestamp("ms"))
    table = pa.table({"titre": ["", "Poste"], "description": ["", ML], "date": times})
    (tmp_path / "inbox").mkdir()
    pq.write_table(table, tmp_path / "inbox" / "a.parquet")
    dated(tmp_path / "inbox" / "a.parquet", 0)
    done = night(tmp_path)
    assert (done.report["new"], done.report["quarantined_rows"]) == (1, 1), done.err


# --- no text of an offer where it does not belong -------------------------------------------------

MARK: Final = "Zibeline-Marqueur"


def marked_inbox(inbox: Path) -> None:
    """The mark in every place of every kind of file from which a message could quote it."""
    inbox.mkdir()
    text = f"{MARK} {ML} {MARK}"
    sound = [{**offer(number), "description": f"{text} {number}"} for number in range(40)]
    sound[3] |= {"intitule": "", "description": " "}
    sound[4]["description"] = f"{MARK} " * 20_000
    write_csv(inbox / "sound.csv", sound)
    head = "id,source,intitule,description,entreprise,date\n"
    line = f"1,apec,{MARK},{text},{MARK},2024-03-01\n"
    files: dict[str, str | bytes] = {
        "quote.csv": f'{head}{line}2,apec,"{text}\n{line}',
        "after.csv": f'{head}2,apec,"{MARK}"{MARK},{text},,\n{line}',
        "wide.csv": f"{head}{line.strip()},{MARK},{MARK}\n",
        "bytes.csv": (head + line * 3).encode() + b"3,apec,\xff" + MARK.encode() + b",x,,\n",
        "windows.csv": (head + line + "é\n").encode("cp1252"),
        "header.csv": f"{MARK},{MARK} b\n{text},{text}\n",
        "separator.csv": f"{MARK};{MARK},b\n",
        "one.csv": f"{MARK}\n{text}\n",
        "broken.json": f'[{{"description": "{text}", {MARK}',
        "single.json": f'"{text}"',
        "lists.json": json.dumps({MARK: [{"a": text}], f"{MARK}2": [{"b": text}]}),
        "nolist.json": json.dumps({MARK: text}),
        "broken.jsonl": f'{json.dumps(offer(90) | {"intitule": MARK})}\n{{"{MARK}": {MARK}\n[1]\n',
        "deep.jsonl": '{"' + MARK + '": ' + "[" * 5000 + "\n",
        "html.csv": f"<html><body>{text}",
        "cut.csv.gz": gzip.compress(f"{head}{line}".encode())[:-9],
        "cut.parquet": parquet(pa.table({"description": [text], MARK: [MARK]}))[:-20],
        "sheet.xlsx": seeds.workbook(
            {seeds.PARTS[0]: f"<worksheet><{MARK}>{MARK}</worksheet>".encode()}
        ),
        "names.xlsx": seeds.workbook(
            {seeds.PARTS[3]: f'<workbook><sheets><sheet name="{MARK}"/></sheets>'.encode()}
        ),
        "columns.parquet": parquet(pa.table({MARK: [text], f"{MARK}3": [1]})),
    }
    for number, (name, content) in enumerate(files.items()):
        data = content if isinstance(content, bytes) else content.encode()
        (inbox / name).write_bytes(data)
        dated(inbox / name, number % 20)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_tells_an_offer(form: str, tmp_path: Path) -> None:
    marked_inbox(tmp_path / "inbox")
    told: list[str] = []
    for options in ((), ("--retry-quarantine",), ("--dry-run",)):
        done = night(tmp_path, "--log-format", form, *options)
        told += [done.out, done.err]
        if form == "json":
            assert all(json.loads(line)["message"] for line in done.err.splitlines())
    report = json.loads(told[0])
    assert report["quarantined_files"]
    assert report["quarantined_rows"]
    for command in (("status",), ("store", "repair"), ("store", "purge", "--older-than", "1d")):
        done = run(*command[:2], tmp_path / "store", *command[2:])
        told += [done.out, done.err]
    assert "quarantine" in "".join(told)
    assert MARK.lower() not in "".join(told).lower()
    for path in (tmp_path / "store").rglob("*"):
        if path.name.startswith("journal") or path.name.endswith(".why.json"):
            assert MARK.encode() not in path.read_bytes(), path.name


def test_an_unforeseen_error_does_not_tell_the_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aiskills.batch.ingest as module

    def fails(*_arguments: Any) -> Any:
        raise RuntimeError(f"while reading {MARK}")

    write_csv(tmp_path / "inbox" / "a.csv", [offer(1) | {"intitule": MARK}])
    monkeypatch.setattr(module, "keys_of", fails)
    done = night(tmp_path, "--log-format", "json")
    assert "unforeseen RuntimeError" in done.out
    assert MARK not in done.out + done.err
