"""Small sound files of every kind, for a fuzzer to begin with. All that is in them is invented."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aiskills.model.arrays import pack_words
from aiskills.model.features import MentionFeatures, OfferFeatures
from aiskills.model.folder import PROTOCOL
from aiskills.model.surroundings import PASSAGE_ZONES, PassageModel, Surroundings
from aiskills.model.windows import PLACES
from fuzz.encoded import bytes_of

_CSV: Final = (
    "id,intitule,description,date,lieu\n"
    '1,Poste,"Vous développez de l\'IA,\net ""plus""",2024-03-01,Lyon\n'
    "2,Boulanger,Vous pétrissez,,\n"
)
_OFFER: Final = {"id": 1, "intitule": "Poste", "description": "De l'IA", "lieu": {"ville": "Lyon"}}


def csv_files() -> list[bytes]:
    """Of several separators and encodings; the first byte is a flag."""
    return [
        b"," + _CSV.encode(),
        b";" + ("sep=;\r\n" + _CSV.replace(",", ";")).encode("utf-8-sig"),
        b"\t" + _CSV.replace(",", "\t").encode("utf-16"),
        b"," + _CSV.replace("\n", "\r\n").encode("cp1252"),
        b"," + _CSV.encode() + b'3,\xe9,"a" b,c,d,e\n4,x\n',
        b',description\nun texte\n\n""\n',
    ]


def json_files() -> list[bytes]:
    """Documents that hold offers."""
    return [
        json.dumps(document, ensure_ascii=False).encode()
        for document in (
            [_OFFER, {**_OFFER, "x": [1, {"y": None}]}],
            {"resultats": [_OFFER], "n": 1.5},
            {"data": {"jobs": [_OFFER]}},
            _OFFER,
        )
    ] + [b'[{"description": "\\ud800", "titre": NaN, "n": 1e400}]']


def jsonl_files() -> list[bytes]:
    """Lines of offers."""
    line = json.dumps(_OFFER).encode()
    return [line + b"\n" + line, line + b"\n\n{\n[1]\n" + line, b"\xef\xbb\xbf" + line + b"\n{}"]


@cache
def parquet_files() -> tuple[bytes, ...]:
    """Of many types, plain and packed."""
    table = pa.table(
        {
            "intitule": ["Poste", None, "Boulanger"],
            "description": pa.array(["a", "b", "b"]).dictionary_encode(),
            "n": [1, 2, None],
            "x": [0.5, None, float("nan")],
            "lieu": [{"ville": "Lyon"}, None, {"ville": None}],
            "l": [["a"], [], None],
            "t": pa.array([0, 1, None], pa.timestamp("us", "Europe/Paris")),
            "b": [b"\xff", None, b"x"],
        }
    )
    files = []
    for options in ({"compression": "none"}, {"compression": "zstd"}, {"data_page_version": "2.0"}):
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=2, **options)
        files.append(sink.getvalue())
    sink = io.BytesIO()
    pq.write_table(table.select(["description"]), sink, store_schema=False)
    return (*files, sink.getvalue())


_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><dimension ref="A1:C3"/><sheetData>'
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>description</t></is></c>'
    '<c r="C1" t="str"><v>date</v></c></row>'
    '<row r="2"><c r="A2"><v>1.5</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" s="1"><v>45352</v>'
    '</c></row><row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3" t="e"><v>#REF!</v></c>'
    '<c r="C3"><f>1+1</f><v>2</v></c></row></sheetData>'
    '<mergeCells count="1"><mergeCell ref="A3:B3"/></mergeCells></worksheet>'
)
_SOUND: Final = {
    "xl/worksheets/sheet1.xml": _SHEET,
    "xl/sharedStrings.xml": f'{_XML}<sst xmlns="{_MAIN}" count="2" uniqueCount="2">'
    "<si><t>intitule</t></si><si><r><t>De l'</t></r><r><t>IA</t></r></si></sst>",
    "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><cellXfs count="2">'
    '<xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
    '<sheet name="offres" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_DOCUMENT}/sharedStrings" Target="sharedStrings.xml"/>'
    f'<Relationship Id="rId3" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
}
#: Parts of a workbook that a target replaces.
PARTS: Final = tuple(_SOUND)[:5]
_ODS: Final = (
    f"{_XML}<office:document-content"
    ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
    '<office:spreadsheet><table:table table:name="offres"><table:table-row>'
    '<table:table-cell office:value-type="string"><text:p>description</text:p></table:table-cell>'
    '</table:table-row><table:table-row table:number-rows-repeated="2">'
    '<table:table-cell table:number-columns-repeated="2" office:value-type="float"'
    ' office:value="1.5"/></table:table-row></table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)


def _zipped(parts: Mapping[str, str | bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()


def workbook(parts: Mapping[str, bytes]) -> bytes:
    """A sound small .xlsx, some of its parts replaced."""
    return _zipped({**_SOUND, **parts})


def opendocument(content: bytes) -> bytes:
    """An .ods with this content.xml."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f"{_XML}<manifest:manifest xmlns:manifest="
        '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    return _zipped({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def workbooks() -> list[bytes]:
    """Each part alone behind its number, and whole files."""
    parts = [bytes([n]) + _SOUND[name].encode() for n, name in enumerate(PARTS)]
    whole = bytes([len(PARTS) + 1])
    return [
        *parts,
        bytes([len(PARTS)]) + _ODS.encode(),
        whole + workbook({}),
        whole + b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    ]


def packed_files() -> list[bytes]:
    """A .gz and a zip of offers, and a flag for what is packed by the target."""
    return [
        b"-" + gzip.compress(_CSV.encode(), mtime=0),
        b"-" + _zipped({"offres.csv": _CSV}),
        b"g" + _CSV.encode(),
        b"g" + parquet_files()[0][:600],
        b"g" + workbook({})[:400],
    ]


def texts() -> list[bytes]:
    """Texts in the bytes of `fuzz.encoded`."""
    return [
        bytes_of(text)
        for text in (
            "Data scientist|Vous faites de l'IA (ingénieur d'affaires) et du machine learning.",
            "<p>Profil :<br>big data &eacute;<!-- IoT --> Ã©t\u200bé artifi-\ncielle</p>",
            "développeur·se|Notre client (IA) <script>IoT</script> l?équipe posteEn R&D C++",
            "IA IA IA; LLM, ChatGPT… e\u0301 \ud800 \x1e\x1f \x00 \u202e",
        )
    ]


def cells() -> list[bytes]:
    """Cells of the fields that attributes are told from."""
    return [
        bytes_of(text)
        for text in (
            "12 mars 2024", "il y a 3 jours", "Paris (75)", "01000 - Lyon cedex 3", "62.01Z",
            "75 - Paris 12e et Lyon / 69", "idcc 1486", "12345678901234", "cadre, 2024-03-01",
            "1.7e9", "Siemens SAS", "St-Denis s/ Seine (93)", "Data scientist h/f", "2A004",
        )
    ]  # fmt: skip


def lexicons() -> list[bytes]:
    """Lexicon files; the first byte is a flag."""
    header = "term,variants,theme,definition,strength,case,needs,excludes,elsewhere,note,source"
    own = (
        f'# extends = "none"\n# version = "1"\n{header}\n'
        "IA,I.A.|intelligence artificielle,ia,strict,context,upper,@ai|algorithmes,bois*,"
        "ingénieur d'affaires + les IA,,\nréseaux de neurones,,deep_learning,study,weak,,,,,,\n"
    )
    over = f"action;{header.replace(',', ';')}\nadd;C++;R&D;;;;;;;;;\nremove;IA;;;;;;;;;;\n"
    return [b"r" + own.encode(), b"r" + over.encode(), *(b"t" + bytes_of(t) for t in (own, over))]


def quarantines() -> list[bytes]:
    """Files of the quarantine."""
    return [
        b'{"file": "a.csv", "row": 1, "line": 2, "reason": "no text", "cells": {"a": "b"}}\n',
        b'{"cells": null}\n{"cells": {"x": [1, {"y": "\\ud800"}]}, "raw_base64": "gA=="}\n',
    ]


def label_files() -> list[bytes]:
    """Labels of our own and exports of each tool."""
    span = {"start": 0, "end": 2, "labels": ["strict:demand"]}
    about = {"uid": "1", "text": "De l'IA", "lang": "fr", "set": "s", "inclusion": "0.5"}
    chosen = {"type": "choices", "from_name": "strict", "value": {"choices": ["strict:demand"]}}
    marked = {"type": "labels", "from_name": "marks", "value": {**span, "text": "De"}}
    records: list[Any] = [
        {"uid": "1", "strict": "demand", "study": "demand", "themes": ["ia"], "evidence": [[0, 2]],
         "inclusion": 0.5, "readers": 2},
        {"uid": "1", "start": 0, "end": 2, "status": "mention", "definition": "study"},
        [{"data": about, "annotations": [{"completed_by": 1, "result": [chosen, marked]}]}],
        [{"annotation_id": 1, **about, "strict": "strict:demand", "marks": [span]}],
        {**about, "cats": ["strict:demand"], "entities": [[0, 2, "strict:demand"]]},
        {**about, "answer": "accept", "accept": ["strict:demand"], "spans": [span]},
    ]  # fmt: skip
    return [json.dumps(record).encode() for record in records]


def array_of(words: bytes) -> bytes:
    """An .npy of bytes."""
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.frombuffer(words, np.uint8), allow_pickle=False)
    return sink.getvalue()


def archive_of(arrays: Mapping[str, bytes]) -> bytes:
    """An .npz of .npy files."""
    return _zipped({f"{name}.npy": content for name, content in arrays.items()})


@cache
def small_model() -> tuple[dict[str, Any], dict[str, bytes]]:
    """Meta and arrays of a model of two words, which opens in a millisecond."""
    words, zones = ("a", "b"), len(PASSAGE_ZONES)
    passages = PassageModel(np.zeros((2, zones)), np.zeros((PLACES, zones)), np.zeros(zones))
    around = Surroundings(words, np.ones(2), passages)
    mention = MentionFeatures(words, ("zone=firm",), around)
    offer = OfferFeatures(words, words)
    arrays: dict[str, Any] = {
        "near_weights": around.weights,
        "passage_words": passages.words,
        "passage_places": passages.places,
        "passage_bias": passages.bias,
    }
    for name in ("mention_words", "near_words", "title_words", "text_words"):
        arrays[name] = pack_words(words)
    arrays["mention_categories"] = pack_words(mention.categories)
    for name, features in (("mention", mention), ("strict", offer), ("study", offer)):
        arrays[f"{name}_sparse"] = np.zeros((features.n_columns, 2), np.float32)
        arrays[f"{name}_dense"] = np.zeros((len(features.DENSE), 2), np.float32)
        arrays[f"{name}_bias"] = np.zeros(2, np.float32)
    meta = {
        "protocol": PROTOCOL,
        "name": "small",
        "thresholds": {"strict": 0.5, "study": 0.5},
        "calibration": {"strict": [1, 0], "study": [1, 0]},
    }
    packed = {}
    for name, array in arrays.items():
        sink = io.BytesIO()
        np.lib.format.write_array(sink, np.asarray(array), allow_pickle=False)
        packed[name] = sink.getvalue()
    return meta, packed


def models() -> list[bytes]:
    """What of a model folder may be replaced, each behind its number."""
    meta, arrays = small_model()
    return [
        b"\x00" + json.dumps({**meta, "sha256": "0" * 64}).encode(),
        b"\x01" + archive_of(arrays),
        b"\x02" + arrays["near_weights"],
        b"\x03a\nb",
    ]
