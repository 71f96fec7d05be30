"""Reading: what users have, and what they give by mistake."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import pickle
import sys
import threading
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import InputError, UsageError
from aiskills.files import FieldMap, OfferReader, find_fields, limits, open_offers, read_table
from aiskills.files import fields as fields_module
from aiskills.files.sheet_process import cell_text

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "id,titre,description,code_postal"
ROW = "7,Data scientist,Vous entraînez des modèles,01000"


def save(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return str(path)


def load(*inputs: str, **options: Any) -> tuple[list[dict[str, Any]], list[str], OfferReader]:
    """Read everything; return the rows, the notes and the reader."""
    notes: list[str] = []
    with open_offers(inputs, note=notes.append, **options) as reader:
        rows = [row for chunk in reader for row in chunk.table.to_pylist()]
    return rows, notes, reader


def field(path: str, name: str, **options: Any) -> list[str | None]:
    with open_offers([path], **options) as reader:
        values: list[str | None] = []
        for chunk in reader:
            values += chunk.fields.extract(chunk.table, name).to_pylist()
    return values


def refusal(*inputs: str, **options: Any) -> str:
    with pytest.raises(InputError) as caught, open_offers(inputs, **options) as reader:
        for _ in reader:
            pass
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- text formats ------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_separators_and_encodings(tmp_path: Path, separator: str, encoding: str) -> None:
    text = f"{HEADER}\n{ROW}\n".replace(",", separator)
    rows, notes, reader = load(save(tmp_path, "o.csv", text.encode(encoding)))
    assert rows == [
        {
            "id": "7",
            "titre": "Data scientist",
            "description": "Vous entraînez des modèles",
            "code_postal": "01000",
        }
    ]
    assert notes == []
    assert reader.fields[0].preset == "generic"
    assert reader.n_rows_hint is None
    assert reader.bytes_read == reader.bytes_total > 0


def test_windows_encoding_is_told(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", f"{HEADER}\n{ROW}\n".encode("cp1252"))
    rows, notes, _ = load(path)
    assert rows[0]["description"] == "Vous entraînez des modèles"
    assert len(notes) == 1
    assert "not UTF-8 (line 2); read as Windows-1252" in notes[0]
    assert load(path, encoding="cp1252")[1] == []


def test_damaged_utf8_is_not_taken_for_windows(tmp_path: Path) -> None:
    lines = [HEADER, ROW, ROW]
    content = "\n".join(lines).encode() + b"\n8,Titre,coup\xc3,01000\n"
    path = save(tmp_path, "o.csv", content)
    message = refusal(path)
    assert "line 4: byte 0xC3 is not utf-8, though the rest of the file is" in message
    rows, _, _ = load(path, encoding="utf-8:replace")
    assert rows[2]["description"] == "coup\ufffd"


def test_neither_utf8_nor_windows(tmp_path: Path) -> None:
    message = refusal(save(tmp_path, "o.csv", b"titre,description\na,\x81\x8d\xe9 \n"))
    assert "nor is the file Windows-1252" in message


def test_forced_encoding_that_does_not_fit(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", f"{HEADER}\n{ROW}\n".encode("cp1252"))
    assert "line 2: byte 0xEE is not utf-8" in refusal(path, encoding="utf-8")
    with pytest.raises(UsageError, match="'klingon' is not an encoding"):
        open_offers([path], encoding="klingon")
    with pytest.raises(UsageError, match="'rot13' is not an encoding"):
        open_offers([path], encoding="rot13")
    with pytest.raises(UsageError, match="'ignore' after the encoding"):
        open_offers([path], encoding="utf-8:ignore")


def test_separator_quoted_in_the_header(tmp_path: Path) -> None:
    text = '"titre, du poste";"description | texte"\n"a, b";c\n'
    rows, notes, _ = load(save(tmp_path, "o.csv", text), mapping={"title": "titre, du poste"})
    assert rows == [{"titre, du poste": "a, b", "description | texte": "c"}]
    assert notes == []


def test_separator_in_the_header_is_settled_by_the_rows(tmp_path: Path) -> None:
    text = "titre;lieu (ville, cp)\nA, B, C;Lyon\nD;Brest, 29\n"
    rows, notes, _ = load(save(tmp_path, "o.csv", text))
    assert rows[0] == {"titre": "A, B, C", "lieu (ville, cp)": "Lyon"}
    assert "read with the semicolon as separator" in notes[0]


def test_separator_that_cannot_be_told(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", "titre;description, texte\n")
    assert "may be the comma or the semicolon" in refusal(path)
    rows, _, reader = load(path, separator=";")
    assert rows == []
    assert reader.columns == ("titre", "description, texte")
    with pytest.raises(UsageError, match="one character, or tab"):
        open_offers([path], separator=";;")


def test_one_column(tmp_path: Path) -> None:
    text = 'description\nVite, bien ; et "fort"\n"a\nb"\n'
    path = save(tmp_path, "o.csv", text)
    rows, notes, _ = load(path)
    assert [row["description"] for row in rows] == ['Vite, bien ; et "fort"', "a\nb"]
    assert notes == []


def test_excel_separator_line(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", "sep=;\r\ntitre;texte\r\na;b\r\n")
    assert load(path)[0] == [{"titre": "a", "texte": "b"}]
    broken = save(tmp_path, "b.csv", 'sep=;\r\ntitre;texte\r\na;b\r\nc;"d\r\n')
    assert "the quote opened on line 4 is never closed" in refusal(broken)


def test_line_breaks_in_cells_blank_lines_and_old_mac(tmp_path: Path) -> None:
    text = 'titre,texte\r\n"a","1\r\n2\n3 ""cité"""\r\n\r\nb,\r\n'
    assert load(save(tmp_path, "o.csv", text))[0] == [
        {"titre": "a", "texte": '1\r\n2\n3 "cité"'},
        {"titre": "b", "texte": ""},
    ]
    assert load(save(tmp_path, "m.csv", "titre,texte\ra,b\r"))[0] == [{"titre": "a", "texte": "b"}]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('a,"b\nc\n', 2),
        ('a,b\n"c\nd",e\nf,"g\nh', 5),
        ('a,b\n"x ""y"" ","z\n', 3),
        ('a,"1"\n"""q""","2""\n', 3),
    ],
)
def test_quote_that_never_closes(tmp_path: Path, rows: str, line: int) -> None:
    message = refusal(save(tmp_path, "o.csv", "titre,texte\n" + rows))
    assert f"the quote opened on line {line} is never closed" in message
    assert "Check the separator" in message


def test_text_after_a_closing_quote(tmp_path: Path) -> None:
    text = "titre,texte\n" + "a,b\n" * 6000 + '"Chef" de projet,c\n'
    assert "line 6,002: text follows a closing quote." in refusal(save(tmp_path, "o.csv", text))
    text = 'titre,texte\na,"b\nc" d\n'
    assert "line 3: text follows a closing quote (opened on line 2)" in refusal(
        save(tmp_path, "p.csv", text)
    )


def test_rows_shorter_and_longer_than_the_header(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", "titre,texte,cp\na\nb,c\nd,e,f,,\n")
    rows, notes, _ = load(path)
    assert [list(row.values()) for row in rows] == [["a", "", ""], ["b", "c", ""], ["d", "e", "f"]]
    assert len(notes) == 1
    assert "2 rows had fewer cells than the header" in notes[0]
    text = 'titre,texte\n"a\nb",c\n' + "d,e\n" * 5500 + "f,g,h\n"
    message = refusal(save(tmp_path, "p.csv", text))
    assert "line 5,504: 3 cells where the header has 2" in message
    assert "--separator" in message


def test_repeated_column_names(tmp_path: Path) -> None:
    rows, notes, _ = load(save(tmp_path, "o.csv", "titre,texte,texte,texte_2\na,b,c,d\n"))
    assert rows == [{"titre": "a", "texte": "b", "texte_3": "c", "texte_2": "d"}]
    assert notes == [f"{tmp_path}/o.csv: two columns are named 'texte'; "
                     "the second is called 'texte_3'"]  # fmt: skip


def test_cell_beyond_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FIELD_CHARS", 200)
    path = save(tmp_path, "o.csv", "titre,texte\na,b\nc," + "x" * 201 + "\n")
    assert "line 3: a cell has over 200 characters" in refusal(path)
    path = save(tmp_path, "q.csv", 'titre,texte\na,"b\n' + "c,d\n" * 100)
    assert "the quote opened on line 2 is not closed after 200 characters" in refusal(path)
    path = save(tmp_path, "o.jsonl", json.dumps({"titre": "a", "texte": "x" * 201}))
    assert "row 1: the cell in 'texte' has 201 characters" in refusal(path)


def test_file_without_line_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 1000)
    assert "no line break in 2,000 bytes" in refusal(save(tmp_path, "o.csv", "x" * 2000))
    one_line = json.dumps([{"titre": "a" * 2000}])
    assert len(load(save(tmp_path, "o.json", one_line))[0]) == 1


def test_header_only_and_no_header(tmp_path: Path) -> None:
    with open_offers([save(tmp_path, "o.csv", HEADER)]) as reader:
        chunks = list(reader)
    assert [len(chunk.table) for chunk in chunks] == [0]
    assert chunks[0].table.column_names == HEADER.split(",")
    assert "has no header" in refusal(save(tmp_path, "n.csv", ",,\na,b,c\n"))
    message = refusal(save(tmp_path, "p.csv", "7;Bonjour;Lyon\n8;Salut;Brest\n"))
    assert "(cut at each semicolon): no column looks like the title or the text" in message
    assert "7, Bonjour, Lyon" in message


def test_chunks_keep_order_and_number_rows(tmp_path: Path) -> None:
    path = save(tmp_path, "o.csv", "titre\n" + "".join(f"{number}\n" for number in range(25)))
    with open_offers([path], chunk_rows=10) as reader:
        for _ in range(2):  # may be read again
            chunks = list(reader)
            assert [chunk.first_row for chunk in chunks] == [0, 10, 20]
            rows = [row["titre"] for chunk in chunks for row in chunk.table.to_pylist()]
            assert rows == [str(number) for number in range(25)]
    with pytest.raises(UsageError, match="chunks of 0 rows"):
        open_offers([path], chunk_rows=0)


def test_chunk_of_long_texts_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHUNK_BYTES", 300_000)
    text = "x" * 1000
    csv_path = save(tmp_path, "o.csv", "titre\n" + f"{text}\n" * 3000)
    jsonl_path = save(tmp_path, "o.jsonl", f'{{"titre":"{text}"}}\n' * 3000)
    for path in (csv_path, jsonl_path):
        with open_offers([path]) as reader:
            sizes = [len(chunk.table) for chunk in reader]
        assert len(sizes) > 2
        assert sum(sizes) == 3000


# --- JSON --------------------------------------------------------------------------------------

OFFERS = [
    {"id": 1, "titre": "A", "texte": "é", "lieu": {"libelle": "69 - LYON", "cp": "69003"}},
    {"id": 2, "titre": "B", "texte": None, "salaire": [1.5, True], "remote": False},
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.json", json.dumps(OFFERS)),
        ("o.json", json.dumps({"total": 2, "filtres": [{"a": 1}], "resultats": OFFERS}, indent=2)),
        ("o.json", json.dumps({"data": {"meta": [], "offers": OFFERS}})),
        ("o.json", json.dumps({"n": 2, "mes_annonces": OFFERS})),
        ("o.json", "\n".join(json.dumps(one) for one in OFFERS)),
        ("o.jsonl", "\n\n".join(json.dumps(one, ensure_ascii=False) for one in OFFERS) + "\n"),
        ("o.ndjson.gz", gzip.compress("\r\n".join(map(json.dumps, OFFERS)).encode())),
        ("o.json", json.dumps(OFFERS).encode("utf-16")),
        ("o.jsonl", b"\xef\xbb\xbf" + "\n".join(map(json.dumps, OFFERS)).encode()),
        ("sans_suffixe", json.dumps(OFFERS)),
    ],
)
def test_json_shapes(tmp_path: Path, name: str, content: str | bytes) -> None:
    path = save(tmp_path, name, content)
    rows, notes, reader = load(path)
    assert rows == [
        {"id": "1", "titre": "A", "texte": "é", "lieu": '{"libelle":"69 - LYON","cp":"69003"}',
         "salaire": None, "remote": None},
        {"id": "2", "titre": "B", "texte": None, "lieu": None, "salaire": "[1.5,true]",
         "remote": "false"},
    ]  # fmt: skip
    assert notes == []
    assert reader.n_rows_hint == 2
    assert reader.bytes_read == reader.bytes_total
    assert field(path, "location") == ["69 - LYON", None]
    assert field(path, "postcode", mapping={"postcode": "lieu.cp"}) == ["69003", None]


def test_one_offer_and_json_in_a_csv(tmp_path: Path) -> None:
    one = {"intitule": "A", "description": "B", "competences": [{"code": "1"}]}
    assert load(save(tmp_path, "o.json", json.dumps(one)))[0][0]["competences"] == '[{"code":"1"}]'
    rows, notes, _ = load(save(tmp_path, "o.csv", json.dumps(OFFERS)))
    assert len(rows) == 2
    assert "holds JSON whatever its suffix says" in notes[0]


def test_jsonl_keys_seen_late_are_columns(tmp_path: Path) -> None:
    lines = ['{"titre":"a"}'] * 3000 + ['{"titre":"b","tardif":1}']
    rows, _, reader = load(save(tmp_path, "o.jsonl", "\n".join(lines)), chunk_rows=1000)
    assert reader.columns == ("titre", "tardif")
    assert rows[0] == {"titre": "a", "tardif": None}
    assert rows[-1] == {"titre": "b", "tardif": "1"}


def test_json_oddities(tmp_path: Path) -> None:
    text = '[{"titre":"a\\ud800b","note":NaN,"gros":123456789012345678901234567890}]'
    assert load(save(tmp_path, "o.json", text))[0] == [
        {"titre": "a\ufffdb", "note": None, "gros": "123456789012345678901234567890"}
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("o.json", '[{"titre": "a"},\n {"titre": b}]', "line 2, column 12, which reads 'b}]'"),
        ("o.json", '[{"titre": "a"', "It ends too early: was it cut?"),
        ("o.json", '[{"titre": "a"}] [1]', "Several JSON documents in one file?"),
        ("o.json", "Error on page 3\n[{}]", "It begins with other text"),
        ("o.json", "Error on page 3\n[{}]".encode("utf-16"), "at line 1, column 1"),
        ("o.json", "[" * 100_000, "JSON nested too deep"),
        ("o.json", '[{"titre": ' + "9" * 5000 + "}]", "not JSON (Exceeds the limit"),
        ("o.json", "[]", "holds an empty list"),
        ("o.json", '{"resultats": []}', "holds an empty list ('resultats')"),
        ("o.json", '{"message": "quota"}', "holds no list of offers, only message"),
        ("o.json", '{"a": [{}], "b": [{}]}', "holds several lists: a, b"),
        ("o.json", '[{"titre": "a"}, 3]', "entry 2 of the list is no object"),
        ("o.json", "3", "holds a single JSON value"),
        ("o.jsonl", '{"titre": "a"}\n{"titre": }\n', "at line 2, column 11"),
        ("o.jsonl", '{"titre": "a"}\n[1]\n', "line 2: no JSON object"),
        ("o.jsonl", '{"titre": ' + "[" * 100_000 + "\n", "line 1: JSON nested too deep"),
        ("o.jsonl", "{}\n{}\n", "holds no offers"),
        ("o.json", '[{"nom": "a", "age": 3}]', "no column looks like the title or the text"),
    ],
)
def test_json_refusals(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    assert said in refusal(save(tmp_path, name, content))


def test_json_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_JSON_BYTES", 10)
    message = refusal(save(tmp_path, "o.json", '[{"titre": "a"}]'))
    assert "Write it as JSONL" in message


# --- Parquet and Excel -------------------------------------------------------------------------


def test_parquet_keeps_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "intitule": pa.array(["A", None]).dictionary_encode(),
            "description": pa.array(["x", " "], pa.large_string()),
            "date_publication": pa.array([dt.date(2024, 3, 1), None]),
            "lieu": pa.array([{"libelle": "Brest", "cp": 29200}, None]),
            "note": pa.array([0.5, None]),
        }
    )
    path = tmp_path / "o.parquet"
    pq.write_table(table, path)
    with open_offers([path]) as reader:
        (chunk,) = reader
        assert chunk.table.equals(table)
        assert reader.n_rows_hint == 2
        extract = chunk.fields.extract
        assert extract(chunk.table, "title").to_pylist() == ["A", None]
        assert extract(chunk.table, "title").type == pa.string()
        assert extract(chunk.table, "description").to_pylist() == ["x", None]
        assert extract(chunk.table, "date").to_pylist() == ["2024-03-01", None]
        assert extract(chunk.table, "location").to_pylist() == ["Brest", None]
    packed = save(tmp_path, "o.parquet.gz", gzip.compress(path.read_bytes()))
    assert read_table(packed).equals(table)


def test_broken_parquet(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    pq.write_table(pa.table({"titre": ["a" * 50, "b"]}), path)
    content = path.read_bytes()
    assert "is a damaged Parquet file" in refusal(save(tmp_path, "c.parquet", content[:-20]))
    assert "is damaged, or no parquet file" in refusal(save(tmp_path, "d.parquet", b"hello"))
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    pq.write_table(pa.table({"titre": bad}), path)
    assert "holds text that is not UTF-8" in refusal(str(path))
    inside = pa.StructArray.from_arrays([bad], names=["nom"])
    pq.write_table(pa.table({"titre": ["a"], "entreprise": inside}), path)
    assert "'entreprise' holds text that is not UTF-8" in refusal(str(path))


def test_excel_cells(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    path = tmp_path / "o.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"}) as book:
        first = book.add_worksheet("Offres")
        for row in (("Titre", "Code postal", "Date", "Note", "Vrai", "Vide"),):
            first.write_row(0, 0, row)
        first.write_row(1, 0, ("Chargé d'IA", "01000", dt.datetime(2024, 3, 1), 3.0, True))
        first.write_row(2, 0, ("B", 69003, dt.datetime(2024, 3, 1, 8, 30), 2.5))
        first.write_blank(9, 0, None, book.add_format({"bold": True}))
        book.add_worksheet("Vide")
        book.add_worksheet("Notes").write(0, 0, "x")
    rows, notes, reader = load(str(path))
    assert [list(row.values()) for row in rows] == [
        ["Chargé d'IA", "01000", "2024-03-01", "3", "true", ""],
        ["B", "69003", "2024-03-01 08:30:00", "2.5", "", ""],
    ]
    assert "its sheet 'Offres' is read, not Notes" in notes[0]
    assert reader.n_rows_hint == 2
    cut = save(tmp_path, "c.xlsx", path.read_bytes()[:3000])
    assert "is a damaged zip or Excel file" in refusal(cut)


def test_cell_text() -> None:
    values = [None, 1e300, -0.0, float("inf"), dt.time(8, 5), dt.timedelta(hours=1)]
    assert [cell_text(value) for value in values[2:]] == ["0", "inf", "08:05:00", "1:00:00"]
    assert cell_text(None) == ""


def test_excel_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    path = save(tmp_path, "o.xlsx", content.getvalue())
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    assert 'pip install "aiskills[excel]"' in refusal(path)


# --- what is no table --------------------------------------------------------------------------


def _zip(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("o.csv", b"", "is empty; expected a table of offers: CSV"),
        ("o.csv", b"\xef\xbb\xbf\n \n", "is empty"),
        ("o.csv.gz", gzip.compress(b""), "is empty"),
        ("o.pdf", b"%PDF-1.7\n", "is a PDF document"),
        ("o.csv", b"%PDF-1.7\n", "is a PDF document"),
        ("o.docx", _zip("word/document.xml"), "is a Word document"),
        ("o.zip", _zip("a.csv"), "is a zip archive"),
        ("o.png", b"\x89PNG\r\n\x1a\n", "is an image (PNG)"),
        ("o.jpg", b"\xff\xd8\xff\xe0", "is an image (JPEG)"),
        ("o.doc", b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Office document"),
        ("o.csv", b"<!DOCTYPE html><html>", "is an HTML or XML page"),
        ("o.csv", b"titre,texte\na,b\nc\0,d\n", "line 3: holds NUL characters"),
        ("o.csv.gz", gzip.compress(b"titre,texte\n" * 90)[:-9], "is a damaged .gz"),
        ("o.csv.gz", gzip.compress(gzip.compress(b"titre\n")), "is compressed twice"),
        ("o.xlsx", b"titre;texte\n", "is damaged, or no xlsx file at all"),
        ("o.xlsx", b"PK\x03\x04nothing", "is a damaged zip or Excel file"),
        ("o.feather", b"ARROW1\0\0", "is an Arrow (Feather) file"),
    ],
)
def test_foreign_files(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refusal(save(tmp_path, name, content))


def test_missing_files(tmp_path: Path) -> None:
    save(tmp_path, "offres.csv", HEADER)
    message = refusal(str(tmp_path / "ofres.csv"))
    assert "ofres.csv does not exist. Did you mean 'offres.csv'?" in message
    assert "no file matches" in refusal(str(tmp_path / "*.json"))
    with pytest.raises(UsageError, match="no input was given"):
        open_offers([])
    with pytest.raises(InputError, match="is a directory"):
        read_table(tmp_path)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "o.csv", HEADER)

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert "may not be read (permission denied)" in refusal(path)


def test_gz_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_GZ_BYTES", 2**20)
    path = save(tmp_path, "o.csv.gz", gzip.compress(b"titre\n" + b"a\n" * 3_000_000))
    assert "expands to more than 200 times its size" in refusal(path)
    monkeypatch.setattr(limits, "MAX_SHEET_BYTES", 0)
    assert "expands to" in refusal(save(tmp_path, "o.xlsx", _zip("xl/workbook.xml")))


# --- several inputs ----------------------------------------------------------------------------


def test_folder(tmp_path: Path) -> None:
    save(tmp_path, "b.csv", "titre\n2\n")
    save(tmp_path, "a.jsonl.gz", gzip.compress(b'{"titre":"1"}'))
    for name in (".cache.csv", "~$b.xlsx", "notes.md", "b.csv.meta.json"):
        save(tmp_path, name, "x")
    rows, notes, reader = load(str(tmp_path), str(tmp_path / "b.csv"))
    assert [row["titre"] for row in rows] == ["1", "2"]
    assert [name.rsplit("/", 1)[1] for name in reader.sources] == ["a.jsonl.gz", "b.csv"]
    assert "2 files of other kinds left out" in notes[0]
    assert "b.csv was given twice; it is read once" in notes[1]
    assert load(str(tmp_path / "?.csv"))[0] == [{"titre": "2"}]
    (tmp_path / "vide").mkdir()
    assert "is a folder without any file of offers" in refusal(str(tmp_path / "vide"))


def test_columns_of_several_inputs(tmp_path: Path) -> None:
    parquet = str(tmp_path / "c.parquet")
    pq.write_table(pa.table({"n": [1, 2], "titre": ["e", "f"], "score": [0.5, None]}), parquet)
    first = save(tmp_path, "a.csv", "titre,cp\na,01000\n")
    second = save(tmp_path, "b.json", '[{"intitule":"b","n":7,"cp":null,"lieu":{"x":1}}]')
    with open_offers([first, second, parquet]) as reader:
        chunks = list(reader)
        assert reader.columns == ("titre", "cp", "intitule", "n", "lieu", "score")
    assert all(chunk.table.schema.equals(reader.schema) for chunk in chunks)
    assert [row for chunk in chunks for row in chunk.table.to_pylist()] == [
        {"titre": "a", "cp": "01000", "intitule": None, "n": None, "lieu": None, "score": None},
        {"titre": None, "cp": None, "intitule": "b", "n": "7", "lieu": '{"x":1}', "score": None},
        {"titre": "e", "cp": None, "intitule": None, "n": "1", "lieu": None, "score": 0.5},
        {"titre": "f", "cp": None, "intitule": None, "n": "2", "lieu": None, "score": None},
    ]
    titles = [chunk.fields.extract(chunk.table, "title").to_pylist() for chunk in chunks]
    assert titles == [["a"], ["b"], ["e", "f"]]
    assert [chunk.source for chunk in chunks] == [first, second, parquet]
    assert reader.n_rows_hint is None
    assert reader.bytes_read == reader.bytes_total


def test_mapping_over_several_inputs(tmp_path: Path) -> None:
    first = save(tmp_path, "a.csv", "x,corps_du_texte\n1,a\n")
    second = save(tmp_path, "b.csv", "x,description\n1,b\n")
    mapping = {"description": "corps_du_texte"}
    _, notes, reader = load(first, second, mapping=mapping)
    assert [one.paths["description"] for one in reader.fields] == [
        ("corps_du_texte",),
        ("description",),
    ]
    assert "b.csv: has no column 'corps_du_texte'" in notes[0]
    with pytest.raises(UsageError, match="there is no column 'corps'"):
        open_offers([first, second], mapping={"description": "corps"})


def test_one_bad_input_fails_before_any_work(tmp_path: Path) -> None:
    good = save(tmp_path, "a.csv", "titre\na\n")
    with pytest.raises(InputError, match="is a PDF"):
        open_offers([good, save(tmp_path, "b.csv", b"%PDF")])


@pytest.mark.parametrize(
    "content",
    [
        b"titre;cp\nA;01000\n",
        gzip.compress(b"titre;cp\nA;01000\n"),
        b'[{"titre":"A","cp":"01000"}]',
        b'{"titre":"A","cp":"01000"}\n{"titre":"A","cp":"01000"}\n',
    ],
)
def test_stdin(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    with open_offers(["-"]) as reader:
        chunks = list(reader)
    assert chunks[0].source == "stdin"
    assert chunks[0].table.to_pylist()[0] == {"titre": "A", "cp": "01000"}


def test_named_pipe(tmp_path: Path) -> None:
    """What `<(command)` gives in a shell."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "titre;cp\nA;01000\n".encode("utf-16")
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    rows, _, _ = load(str(pipe))
    writer.join()
    assert rows == [{"titre": "A", "cp": "01000"}]


def test_stdin_parquet_and_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"titre": ["A"]}), content)
    content.seek(0)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content))
    assert read_table("-").to_pylist() == [{"titre": "A"}]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
    assert "stdin is empty" in refusal("-")
    monkeypatch.setattr(sys, "stdin", None)
    assert "there is no standard input" in refusal("-")
    with pytest.raises(UsageError, match="given twice"):
        open_offers(["-", "-"])


def test_read_table_needs_no_offers(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, "l.csv", "uid,start\nx,3\n"))
    assert table.to_pylist() == [{"uid": "x", "start": "3"}]
    assert read_table(save(tmp_path, "m.csv", "uid\n")).num_rows == 0


# --- fields ------------------------------------------------------------------------------------


def test_known_sources() -> None:
    france_travail = ["id", "intitule", "description", "dateCreation", "romeCode", "codeNAF"]
    flat = find_fields([*france_travail, "lieuTravail.codePostal", "entreprise.nom"])
    assert flat.preset == "france_travail"
    assert flat.paths["postcode"] == ("lieuTravail.codePostal",)
    nested = find_fields([*france_travail, "lieuTravail", "entreprise"])
    assert nested.paths["postcode"] == ("lieuTravail", "codePostal")
    assert nested.paths["company"] == ("entreprise", "nom")
    under = find_fields([*france_travail, "lieuTravail_codePostal"])
    assert under.paths["postcode"] == ("lieuTravail_codePostal",)
    apec = find_fields(["title", "numero_offre", "location", "publication_date"])
    assert (apec.preset, apec.paths["date"]) == ("apec", ("publication_date",))
    assert "id" not in find_fields(["titre"]).paths


@pytest.mark.parametrize(
    ("column", "canonical"),
    [
        ("Intitulé du poste", "title"),
        ("JOB_TITLE", "title"),
        ("libelle-poste", "title"),
        ("Texte de l'offre", "description"),
        ("Date de publication", "date"),
        ("posted_at", "date"),
        ("Société", "company"),
        ("Code postal", "postcode"),
        ("CP", "postcode"),
        ("zip", "postcode"),
        ("Ville", "location"),
        ("localisation", "location"),
        ("Dépt", "department"),
        ("Code NAF", "naf"),
        ("APE", "naf"),
        ("romeCode", "rome"),
        ("qualificationCode", "qualification"),
        ("Statut", "qualification"),
        ("IDCC", "idcc"),
        ("SIRET", "siret"),
        ("Région", "region"),
    ],
)
def test_generic_names(column: str, canonical: str) -> None:
    columns = [column, "titre" if canonical == "description" else "description"]
    assert find_fields(columns).paths[canonical] == (column,)


def test_presets_name_canonical_fields_only() -> None:
    presets = fields_module._presets()
    assert presets[-1]["name"] == "generic"
    assert set(presets[-1]["fields"]) == set(fields_module.CANONICAL)
    for preset in presets:
        assert set(preset["fields"]) <= set(fields_module.CANONICAL)
        for candidates in preset["fields"].values():
            folded = [fields_module.fold_name(one) for one in candidates]
            assert len(set(folded)) == len(folded), preset["name"]


def test_mapping() -> None:
    columns = ["titre", "texte", "Corps", "lieu"]
    found = find_fields(columns, mapping={"description": "Corps", "location": ""})
    assert found.preset == "given"
    assert found.paths == {"title": ("titre",), "description": ("Corps",)}
    with pytest.raises(UsageError, match=r"no column 'Corp'.*Did you mean 'Corps'\?"):
        find_fields(columns, mapping={"description": "Corp"})
    with pytest.raises(UsageError, match=r"'titel' is not a field.*Did you mean 'title'\?"):
        find_fields(columns, mapping={"titel": "titre"})


def test_nested_text_of_all_kinds() -> None:
    cells = [
        "{'libelle': '69 - LYON', 'codePostal': '69003', 'note': nan}",
        '{"libelle": "L\'Haÿ", "codePostal": "94240"}',
        "[{'libelle': 'Brest'}, {'libelle': 'Quimper'}]",
        "{'libelle': ['a', 'b', None]}",
        "{'libelle': {'x': 1}}",
        "{'libelle': None}",
        "{'libelle': 7}",
        "{broken",
        "plain",
        "",
        None,
        "[" * 5000,
        "{'libelle': '" + "x" * limits.MAX_NESTED_CHARS + "'}",
        r"{'libelle': '\d'}",
        "{'libelle': __import__('os').getcwd()}",
    ]
    table = pa.table({"titre": ["t"] * len(cells), "lieu": cells})
    fields = find_fields(table.column_names, table)
    assert fields.paths["location"] == ("lieu", "libelle")
    assert fields.extract(table, "location").to_pylist() == [
        "69 - LYON", "L'Haÿ", "Brest", "a, b", None, None, "7",
        None, "plain", *[None] * 4, r"\d", None,
    ]  # fmt: skip
    assert fields.extract(table, "postcode").to_pylist()[:3] == ["69003", "94240", None]


def test_nested_columns_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"titre": ["t"], "lieu": ["{'libelle': 'Lyon', 'code_postal': '69003'}"]})
    fields = find_fields(table.column_names, table)
    calls: list[str] = []
    parse = fields_module._parse

    def counted(text: str | None) -> Any:
        calls.append(text or "")
        return parse(text)

    monkeypatch.setattr(fields_module, "_parse", counted)
    for _ in range(2):
        assert fields.extract(table, "location").to_pylist() == ["Lyon"]
        assert fields.extract(table, "postcode").to_pylist() == ["69003"]
    assert len(calls) == 1
    other = table.set_column(1, "lieu", pa.array(["{'libelle': 'Brest'}"]))
    assert fields.extract(other, "location").to_pylist() == ["Brest"]


def test_extract() -> None:
    table = pa.table(
        {
            "titre": [" Data\xa0", "\xa0 ", "('a', 'b')"],
            "lat": ["('48.7',)", '("2",)', "3"],
            "n": 3 * [1],
        }
    )
    fields = find_fields(table.column_names, mapping={"id": "n"})
    assert fields.extract(table, "title").to_pylist() == [" Data\xa0", None, "('a', 'b')"]
    assert fields.extract(table, "latitude").to_pylist() == ["48.7", "2", "3"]
    assert fields.extract(table, "id").to_pylist() == ["1", "1", "1"]
    assert fields.extract(table, "naf").to_pylist() == [None] * 3
    assert fields.extract(table.select(["n"]), "title").to_pylist() == [None] * 3
    assert fields.extract(table.slice(0, 0), "title").to_pylist() == []
    chunked = pa.concat_tables([table, table])
    assert len(fields.extract(chunked, "title")) == 6
    with pytest.raises(UsageError, match="'titre' is not a field"):
        fields.extract(table, "titre")


def test_field_map_is_a_value() -> None:
    table = pa.table({"titre": ["t"], "lieu": ["{'libelle': 'Lyon'}"]})
    fields = find_fields(table.column_names, table)
    fields.extract(table, "location")
    copy = pickle.loads(pickle.dumps(fields))  # noqa: S301 (joblib does so)
    assert copy == fields
    assert hash(copy) == hash(fields)
    assert fields != FieldMap("given", {"title": ("titre",)})


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_nested_text_is_survived(one: str, other: str) -> None:
    table = pa.table(
        {"titre": ["t", "u"], "lieu": ["{'libelle': 'x'}", "{" + one.replace("\ud800", "")]}
    )
    fields = FieldMap("given", {"location": ("lieu", other or "libelle")})
    assert len(fields.extract(table, "location")) == 2


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No input makes another error than ours."""
    stdin = sys.stdin
    sys.stdin = SimpleNamespace(buffer=io.BytesIO(content))
    try:
        read_table("-")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
    finally:
        sys.stdin = stdin


def test_fields_of_a_slice_are_those_of_its_rows() -> None:
    texts = [f"é{n} un texte" * (n % 3 + 1) if n % 4 else "  " for n in range(20)]
    table = pa.table({"titre": texts, "description": texts[::-1]})
    fields = find_fields(table.column_names, table, None)
    for start in range(20):
        part = table.slice(start, 3)
        wanted = [text if text.strip() else None for text in texts[start : start + 3]]
        assert fields.extract(part, "title").to_pylist() == wanted


def test_a_column_of_plain_and_nested_names() -> None:
    """One source writes the firm as text, the next as JSON: both are its name."""
    table = pa.table({"titre": ["a", "b", "c"], "company": ['{"name": "Alpha"}', "Beta", "[x"]})
    fields = find_fields(table.column_names, table, None)
    assert fields.paths["company"] == ("company", "name")
    assert fields.extract(table, "company").to_pylist() == ["Alpha", "Beta", None]
