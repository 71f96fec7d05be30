"""Rows that cannot be read are told one by one, and the rows around them are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiskills.errors import InputError
from aiskills.files import open_offers
from aiskills.files.tolerant import BadRow

HEADER = "id,titre,description\n"


def read(path: Path) -> tuple[list[str], list[BadRow]]:
    told: list[BadRow] = []
    with open_offers([path], on_bad_row=told.append, chunk_rows=2) as offers:
        ids = [one for chunk in offers for one in chunk.table.column("id").to_pylist()]
    with pytest.raises(InputError):
        list(open_offers([path]))
    return ids, told


@pytest.mark.parametrize(
    ("body", "ids", "lines"),
    [
        ('1,a,b\n2,a,"b\n3,a,b\n', ["1", "3"], [3]),  # a quote never closed
        ('1,a,b\n2,a,"b" c\n3,a,b\n', ["1", "3"], [3]),  # text behind a quote
        ("1,a,b\n2,a,b,c,d\n3,a,b\n", ["1", "3"], [3]),  # too many cells
        ('1,a,b\n2,a,"b\nreste\nfin" x,y\n\n3,a,"b\nc"\n', ["1", "3"], [3, 4, 5]),  # its rest
        ('1,a,"\nb\nc"\n2,a,"b" c\n', ["1"], [5]),  # lines are counted through long cells
    ],
)
def test_csv(body: str, ids: list[str], lines: list[int], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + body, "utf-8")
    found, told = read(path)
    assert found == ids
    assert [row.line for row in told] == lines
    rows = (HEADER + body).splitlines(keepends=True)
    assert [row.raw.decode() for row in told] == [rows[line - 1] for line in lines]


def test_undecodable_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "".join(f"{n},é,à\n" for n in range(5))
    path.write_bytes((HEADER + good).encode() + b"9,\xe9,b\n" + b"10,a,b\n")
    ids, told = read(path)
    assert ids == ["0", "1", "2", "3", "4", "10"]
    assert told == [BadRow(7, "not UTF-8", b"9,\xe9,b\n")]


def test_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        '{"id": "1", "titre": "é é é é é"}'.encode(),
        b'{"id": "2", "titre": ',
        b"[1]",
        b'{"id": "3", "titre": "\xe9"}',
        b"[" * 100_000,
        b'{"id": "4", "titre": "a"}',
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")
    ids, told = read(path)
    assert ids == ["1", "4"]
    assert [row.line for row in told] == [2, 3, 4, 5]
    assert [row.raw for row in told] == [line + b"\n" for line in lines[1:5]]


def test_a_broken_header_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('"id,titre\n1,2\n', "utf-8")
    with pytest.raises(InputError):
        list(open_offers([path], on_bad_row=lambda _: None))
