"""Writing: whole or not at all, never over what must stay, read back as it was."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import gc
import gzip
import json
import os
import signal
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiskills.errors import OutputError, UsageError
from aiskills.files import JSON_TEXT, CsvStyle, open_offers, open_output, read_table, write
from aiskills.files.stops import stops_held

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = pa.table({"id": ["1", "2"], "texte": ["é;\n\"x\"", None], "ai_study": [True, None],
                  "ai_study_score": [0.25, float("nan")]})  # fmt: skip


def put(path: Path | str, *tables: pa.Table, **options: Any) -> list[str]:
    """Write tables; return the notes."""
    notes: list[str] = []
    with open_output(path, note=notes.append, **options) as output:
        for table in tables or (TABLE,):
            output.write(table)
    return notes


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# --- formats -----------------------------------------------------------------------------------


def test_csv(tmp_path: Path) -> None:
    put(tmp_path / "o.csv", TABLE, TABLE.slice(0, 1))
    assert (tmp_path / "o.csv").read_bytes().decode() == (
        'id,texte,ai_study,ai_study_score\n1,"é;\n""x""",true,0.25\n2,,,\n1,"é;\n""x""",true,0.25\n'
    )
    put(tmp_path / "o.tsv", pa.table({"a": ["x,y", "u\tv"]}))
    assert (tmp_path / "o.tsv").read_text() == 'a\nx,y\n"u\tv"\n'


CELLS = pa.table({"texte": ["=1+1", "- Vous gérez", "@x", "\rx", "'=a", "-1,5", "'90", ""]})
NOTE = "{} that a spreadsheet could run as a formula got an apostrophe in front"


def test_csv_holds_no_cell_that_runs(tmp_path: Path) -> None:
    assert put(tmp_path / "o.csv", CELLS) == [NOTE.format("5 cells")]
    assert (tmp_path / "o.csv").read_bytes() == (
        "texte\n'=1+1\n'- Vous gérez\n'@x\n\"'\rx\"\n''=a\n\"-1,5\"\n'90\n\"\"\n".encode()
    )
    assert read_table(tmp_path / "o.csv").equals(CELLS)


def test_csv_of_raw_cells(tmp_path: Path) -> None:
    assert put(tmp_path / "o.csv", CELLS, csv_style=CsvStyle.RAW) == []
    assert (tmp_path / "o.csv").read_bytes() == (
        'texte\n=1+1\n- Vous gérez\n@x\n"\rx"\n\'=a\n"-1,5"\n\'90\n""\n'.encode()
    )
    with pytest.raises(UsageError, match="--raw-cells with the format jsonl"):
        open_output(tmp_path / "o.jsonl", csv_style=CsvStyle.RAW)


def test_csv_for_excel_in_french(tmp_path: Path) -> None:
    table = pa.table(
        {
            "=titre": ["=HYPERLINK(1)", "- Vous gérez", "-1.5", "+33612345678", "\tx", "@a", "a;b"],
            "score": [0.5, -0.25, None, 1.0, 1e-9, 2.0, 3.0],
            "n": [-1, 2, 3, 4, 5, 6, 7],
        }
    )
    notes = put(tmp_path / "o.csv", table, csv_style=CsvStyle.EXCEL_FR)
    content = (tmp_path / "o.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf'=titre;score;n\r\n")
    assert content.decode("utf-8-sig").split("\r\n")[1:-1] == [
        "'=HYPERLINK(1);0,5;-1",
        "'- Vous gérez;-0,25;2",
        "-1.5;;3",
        "+33612345678;1;4",
        "'\tx;1e-9;5",
        "'@a;2;6",
        '"a;b";3;7',
    ]
    assert notes == [NOTE.format("5 cells")]
    again = read_table(tmp_path / "o.csv")
    assert again.column("n").to_pylist()[0] == "-1"
    assert again.column("=titre").equals(table.column("=titre"))


def test_jsonl_gives_nested_values_back(tmp_path: Path) -> None:
    lines = [
        '{"titre":"A","lieu":{"cp":"01000","x":[1,2.5,null]},"n":1,"ok":true,"rien":null}',
        '{"titre":"B","lieu":null,"n":2,"ok":false,"rien":null}',
    ]
    (tmp_path / "i.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("o.jsonl", "o.json", "o.parquet"):
        put(tmp_path / name, read_table(tmp_path / "i.jsonl"))
    assert (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines() == lines
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8")) == [
        json.loads(line) for line in lines
    ]
    put(tmp_path / "p.jsonl", read_table(tmp_path / "o.parquet"))
    assert (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines() == lines


def test_jsonl_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "d": [dt.date(2024, 3, 1)],
            "t": pa.array([dt.datetime(2024, 3, 1, 8, 0, 0, 500)]),
            "s": [{"a": [1.0, float("nan")]}],
            "b": [b"\xff"],
            "f": pa.array([0.1], pa.float32()),
            "e": pa.array(["[1]"]).dictionary_encode(),
            "n": pa.nulls(1),
        }
    )
    put(tmp_path / "o.jsonl", table)
    assert json.loads((tmp_path / "o.jsonl").read_text()) == {
        "d": "2024-03-01", "t": "2024-03-01 08:00:00.000500", "s": {"a": [1.0, None]},
        "b": "/w==", "f": 0.1, "e": "[1]", "n": None,
    }  # fmt: skip
    field = pa.field("ai_evidence", pa.string(), metadata=JSON_TEXT)
    put(tmp_path / "p.jsonl", pa.table([["[]"]], schema=pa.schema([field])))
    assert (tmp_path / "p.jsonl").read_text() == '{"ai_evidence":[]}\n'


def test_empty_tables(tmp_path: Path) -> None:
    empty = TABLE.slice(0, 0)
    for name in ("o.csv", "o.parquet", "o.xlsx", "o.json", "o.jsonl"):
        put(tmp_path / name, empty)
    assert (tmp_path / "o.csv").read_text() == "id,texte,ai_study,ai_study_score\n"
    assert (tmp_path / "o.json").read_text() == "[]\n"
    assert (tmp_path / "o.jsonl").read_text() == ""
    assert read_table(tmp_path / "o.parquet").column_names == TABLE.column_names
    assert read_table(tmp_path / "o.xlsx").column_names == TABLE.column_names


def test_gz_is_reproducible(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        put(tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    put(tmp_path / "c.csv")
    assert (
        gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == (tmp_path / "c.csv").read_bytes()
    )


def test_parquet_metadata_and_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    put(path, TABLE, TABLE, metadata={"aiskills_schema": "1"})
    read = pq.ParquetFile(path)
    assert read.schema_arrow.metadata[b"aiskills_schema"] == b"1"
    assert read.metadata.num_row_groups == 1
    assert read.schema_arrow.field("ai_study").type == pa.bool_()
    assert names(tmp_path) == ["o.parquet"]


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl.gz", "o.xlsx"])
def test_metadata_beside_the_file(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, metadata={"modèle": "2"})
    assert names(tmp_path) == [name, name + ".meta.json"]
    text = (tmp_path / (name + ".meta.json")).read_text(encoding="utf-8")
    assert json.loads(text) == {"modèle": "2"}
    (tmp_path / name).unlink()
    with pytest.raises(OutputError, match=r"meta\.json exists"):
        open_output(tmp_path / name, metadata={"modèle": "3"})


def test_excel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "o.xlsx"
    table = pa.table(
        {
            "texte": ["=1+1", "http://exemple.fr", "00123", "x" * 40_000, "😀" * 20_000],
            "n": [1, None, 10**17, -5, 0],
            "f": [0.5, float("inf"), float("nan"), 1e20, None],
            "b": [True, None, False, True, False],
        }
    )
    assert put(path, table) == [f"{path}: 2 cells cut at the 32,767 characters that Excel allows"]
    rows = read_table(path).to_pylist()
    assert [row["texte"] for row in rows[:3]] == ["=1+1", "http://exemple.fr", "00123"]
    assert [len(row["texte"]) for row in rows[3:]] == [32_767, 16_383]
    assert [row["n"] for row in rows] == ["1", "", str(10**17), "-5", "0"]
    assert [row["b"] for row in rows] == ["true", "", "false", "true", "false"]
    assert [row["f"] for row in rows] == ["0.5", "", "", str(10**20), ""]
    monkeypatch.setattr("aiskills.files.encode._SHEET_ROWS", 5)
    with pytest.raises(OutputError, match="more rows than the 4 of an Excel sheet"):
        put(tmp_path / "p.xlsx", table)
    monkeypatch.setattr("aiskills.files.encode._SHEET_COLUMNS", 3)
    with pytest.raises(OutputError, match="4 columns; expected at most 3"):
        put(tmp_path / "p.xlsx", table)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(OutputError, match=r'pip install "aiskills\[excel\]"'):
        put(tmp_path / "p.xlsx", table)
    assert names(tmp_path) == ["o.xlsx"]


def test_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    put("-", pa.table({"a": ["é"]}), metadata={"x": "y"})
    put("-", pa.table({"a": ["é"]}), format="jsonl")
    assert capfdbinary.readouterr().out == 'a\né\n{"a":"é"}\n'.encode()
    with pytest.raises(UsageError, match="parquet cannot go to standard output"):
        open_output("-", format="parquet")


# --- refusals ----------------------------------------------------------------------------------


def test_never_over_an_input(tmp_path: Path) -> None:
    path = tmp_path / "i.csv"
    path.write_text("titre\na\n")
    (tmp_path / "lien.csv").symlink_to(path)
    os.link(path, tmp_path / "dur.csv")
    for name in ("i.csv", "lien.csv", "dur.csv"):
        for given_input in (path, tmp_path):
            with pytest.raises(OutputError, match="is one of the inputs"):
                open_output(tmp_path / name, force=True, inputs=["-", given_input, "absent.csv"])
    with pytest.raises(OutputError, match="is one of the inputs"):
        open_output(
            tmp_path / "r", format="csv", force=True, metadata={"a": "b"},
            inputs=[_touch(tmp_path / "r.meta.json")],
        )  # fmt: skip
    assert path.read_text() == "titre\na\n"


def _touch(path: Path) -> Path:
    path.write_text("{}")
    return path


def test_never_over_a_file_without_force(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("avant")
    with pytest.raises(OutputError, match=r"o\.csv exists\. Use --force to replace it\."):
        open_output(path)
    assert path.read_text() == "avant"
    path.chmod(0o640)
    put(path, force=True)
    assert path.read_text().startswith("id,texte")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"

    def race() -> None:
        with open_output(path) as output:
            output.write(TABLE)
            path.write_text("autre")

    with pytest.raises(OutputError, match="exists"):
        race()
    assert path.read_text() == "autre"
    assert names(tmp_path) == ["o.csv"]


def test_symlink_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "vrai.csv").write_text("avant")
    (tmp_path / "lien.csv").symlink_to(tmp_path / "vrai.csv")
    put(tmp_path / "lien.csv", force=True)
    assert (tmp_path / "lien.csv").is_symlink()
    assert (tmp_path / "vrai.csv").read_text().startswith("id,texte")


def test_rights_of_a_new_file_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        put(tmp_path / "o.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "o.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "options", "kind", "said"),
    [
        ("absent/o.csv", {}, OutputError, "the folder .*absent does not exist"),
        ("dossier", {"format": "csv"}, OutputError, "is a folder"),
        ("o.doc", {}, UsageError, r"its suffix tells no format; expected \.csv, .*\.parquet"),
        ("o", {}, UsageError, "its suffix tells no format"),
        ("o.csv", {"format": "cvs"}, UsageError, "'cvs' is unknown.*Did you mean 'csv'"),
        ("o.parquet.gz", {}, UsageError, "parquet is compressed by itself"),
        ("o.jsonl", {"csv_style": CsvStyle.EXCEL_FR}, UsageError, "--excel-fr with the format"),
    ],
)
def test_refusals(
    tmp_path: Path, name: str, options: dict[str, Any], kind: type[Exception], said: str
) -> None:
    (tmp_path / "dossier").mkdir()
    with pytest.raises(kind, match=said):
        open_output(tmp_path / name, **options)
    assert names(tmp_path) == ["dossier"]


def test_special_files_and_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="is no ordinary file"):
        open_output("/dev/null", format="csv", force=True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="may not be written"):
        open_output(tmp_path / "o.csv")


def test_tables_of_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    put(path, pa.table({"a": ["1"], "b": ["2"]}), pa.table({"b": ["4"], "a": ["3"]}))
    assert path.read_text() == "a,b\n1,2\n3,4\n"
    with pytest.raises(OutputError, match=r"tables of different columns \(c\)"):
        put(tmp_path / "p.csv", pa.table({"a": ["1"]}), pa.table({"a": ["1"], "c": ["2"]}))
    with pytest.raises(OutputError, match="no table was written"), open_output(tmp_path / "q.csv"):
        pass
    with pytest.raises(ValueError, match="outside of its with block"):
        open_output(tmp_path / "r.csv").write(TABLE)
    assert names(tmp_path) == ["o.csv"]


# --- whole or not at all -----------------------------------------------------------------------

EVERY = ["o.csv", "o.csv.gz", "o.jsonl", "o.json", "o.parquet", "o.xlsx"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_nothing_is_left_after_an_exception(
    tmp_path: Path, name: str, failure: type[BaseException]
) -> None:
    path = tmp_path / name
    path.write_text("avant")

    def interrupted() -> None:
        with open_output(path, force=True, metadata={"a": "b"}) as output:
            output.write(TABLE)
            assert len(names(tmp_path)) == 2
            assert path.read_text() == "avant"
            raise failure

    with pytest.raises(failure):
        interrupted()
    assert path.read_text() == "avant"
    assert names(tmp_path) == [name]


class FullDisk:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: bytes) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Stopped(BaseException):
    """What the handler of SIGTERM raises."""


def stop(_number: int, _frame: object) -> None:
    raise Stopped


@pytest.fixture
def stopping() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("at", [".o.csv.", ".o.csv.meta.json."])
def test_a_signal_just_after_a_file_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The file is there, nobody has its name yet: nothing is left, no handle stays open."""
    made: list[Path] = []
    real = Path.open

    def opened(self: Path, *args: Any, **options: Any) -> Any:
        file = real(self, *args, **options)
        if self.name.startswith(at) and not self.name.startswith(f"{at}meta"):
            made.append(self)
            signal.raise_signal(signal.SIGTERM)
        return file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(Stopped):
        put(tmp_path / "o.csv", metadata={"model": "m"})
    gc.collect()  # an open file would warn, which is an error in these tests
    assert len(made) == 1
    # Once both files are whole, they stay together.
    assert names(tmp_path) == ([] if at == ".o.csv." else ["o.csv", "o.csv.meta.json"])
    assert signal.getsignal(signal.SIGTERM) is stop


def test_stops_are_not_held_in_a_thread() -> None:
    """Python runs handlers in the main thread: elsewhere there is nothing to hold."""
    before = signal.getsignal(signal.SIGTERM)

    def held() -> object:
        with stops_held():
            return signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(held).result() is before
    assert held() is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("name", [name for name in EVERY if name != "o.xlsx"])
@pytest.mark.parametrize("room", [0, 20])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, room: int) -> None:
    opened = write._open_temporary

    def full(path: Path) -> tuple[Path, Any]:
        temporary, file = opened(path)
        return temporary, FullDisk(file, room)

    monkeypatch.setattr(write, "_open_temporary", full)
    with pytest.raises(OutputError, match="the disk is full"):
        put(tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", EVERY)
def test_full_disk_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"the disk is full\. Nothing was left behind\."):
        put(tmp_path / name, metadata={"a": "b"})
    assert names(tmp_path) == []


def test_full_disk_for_excel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("xlsxwriter.workbook.Workbook._store_workbook", full)
    with pytest.raises(OutputError, match="the disk is full"):
        put(tmp_path / "o.xlsx")
    assert names(tmp_path) == []


def test_target_open_in_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "o.csv"
    path.write_text("avant")

    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="Is it open in another program"):
        put(path, force=True, metadata={"a": "b"})
    assert path.read_text() == "avant"
    assert names(tmp_path) == ["o.csv"]


def test_broken_pipe_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        class buffer:  # noqa: N801
            @staticmethod
            def write(_data: bytes) -> int:
                raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed)
    with pytest.raises(BrokenPipeError):
        put("-")


# --- round trips -------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NAMES = st.lists(
    st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8).map("t_".__add__),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[str | None]) -> pa.Table:
    columns = draw(NAMES)
    count = draw(st.integers(0, 5))
    rows = st.lists(cells, min_size=count, max_size=count)
    return pa.table({name: pa.array(draw(rows), pa.string()) for name in columns})


def again(table: pa.Table, folder: Path, name: str, **options: Any) -> pa.Table:
    put(folder / name, table, force=True, **options)
    return read_table(folder / name)


EACH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@EACH
@given(tables(TEXT))
@pytest.mark.parametrize("name", ["o.csv", "o.tsv", "o.csv.gz"])
def test_csv_comes_back(tmp_path: Path, name: str, table: pa.Table) -> None:
    assert again(table, tmp_path, name).equals(table)


@EACH
@given(tables(TEXT))
def test_excel_csv_comes_back(tmp_path: Path, table: pa.Table) -> None:
    assert again(table, tmp_path, "o.csv", csv_style=CsvStyle.EXCEL_FR).equals(table)


@EACH
@given(tables(st.none() | TEXT | st.just("\0")))
@pytest.mark.parametrize("name", ["o.jsonl", "o.json"])
def test_json_comes_back(tmp_path: Path, name: str, table: pa.Table) -> None:
    if len(table):
        assert again(table, tmp_path, name).equals(table)


@EACH
@given(tables(st.none() | TEXT | st.just("\0")))
def test_parquet_comes_back(tmp_path: Path, table: pa.Table) -> None:
    assert again(table, tmp_path, "o.parquet").equals(table)


@settings(EACH, max_examples=40)
@given(tables(TEXT))
def test_excel_comes_back(tmp_path: Path, table: pa.Table) -> None:
    rows = table.to_pylist()
    while rows and not any(rows[-1].values()):
        rows.pop()  # a sheet does not know rows of empty cells at its end
    assert again(table, tmp_path, "o.xlsx").to_pylist() == rows


def test_offers_to_output(tmp_path: Path) -> None:
    """What the pipeline does: read chunks of several files, add columns, write one file."""
    (tmp_path / "a.csv").write_text("titre,cp\nx,01000\n")
    (tmp_path / "b.jsonl").write_text('{"titre":"y","lieu":{"cp":"2"}}\n')
    inputs = [tmp_path / "a.csv", tmp_path / "b.jsonl"]
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(open_offers(inputs))
        output = stack.enter_context(open_output(tmp_path / "o.parquet", inputs=inputs))
        for chunk in reader:
            output.write(chunk.table.append_column("ai_study", pa.array([True] * len(chunk.table))))
        assert output.rows == 2
    assert read_table(tmp_path / "o.parquet").to_pylist() == [
        {"titre": "x", "cp": "01000", "lieu": None, "ai_study": True},
        {"titre": "y", "cp": None, "lieu": '{"cp":"2"}', "ai_study": True},
    ]
