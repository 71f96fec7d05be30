"""Tasks to annotation tools, and what annotators said back from them."""

from __future__ import annotations

import csv
import doctest
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.errors import LabelError
from aiskills.files import CsvStyle, open_output
from aiskills.labels import (
    MentionLabel,
    OfferLabel,
    doccano,
    label_studio,
    prodigy,
    read_labels,
    spreadsheet,
    tasks,
)
from aiskills.labels.agreement import compare
from aiskills.labels.annotation import (
    Annotation,
    mention_record,
    offer_record,
    settle,
)
from aiskills.labels.check import check_labels
from aiskills.labels.exports import Tool, read_export
from aiskills.labels.tasks import CHOICES, MARKS, Mark, Task, from_utf16, one_unit, parse_inclusion
from aiskills.schema import THEMES, Definition, Status

ROCKET, ROBOT, BOLD_IA = "\U0001f680", "\U0001f916", "\U0001d5dc\U0001d5d4"
FAMILY = "\U0001f469\u200d\U0001f52c"
TITLE = f"{ROCKET} Data scientist"
TEXT = f"{FAMILY} Vous utilisez l'{BOLD_IA} {ROBOT}\r\net l'IoT.\r\n\x00Café : e\u0301tude\u2028fin"
WHOLE = f"{TITLE}\n{TEXT}"


def place(words: str) -> tuple[int, int]:
    start = WHOLE.index(words)
    return start, start + len(words)


IA, IOT = place(BOLD_IA), place("IoT")
TASK = Task("apec:7", TITLE, TEXT, "fr", "stratified", "s03", 2, 37)
PLAIN = Task("0012", "", "Vous cuisez le pain.", "other", "stratified", "s01", 3, 4711)
SUGGESTED = Task(
    "u", TITLE, TEXT, suggestions=(Mark(*IA, Status.DEMAND, Definition.STRICT),
                                   Mark(*IOT, Status.MENTION, Definition.STUDY)),
)  # fmt: skip

#: What the simulated annotator says of TASK, in each tool, and what must come of it.
LABEL = OfferLabel(
    "apec:7", Status.DEMAND, Status.DEMAND, ("ia", "iot"), (IA, IOT), "fr", False, "stratified",
    "s03", 2 / 37,
)  # fmt: skip
MENTIONS = [
    MentionLabel("apec:7", *IA, Status.DEMAND, Definition.STRICT, False),
    MentionLabel("apec:7", *IOT, Status.DEMAND, Definition.STUDY, False),
]
PLAIN_LABEL = OfferLabel(
    "0012", Status.NONE, Status.NONE, lang="other", set="stratified", stratum="s01",
    inclusion=3 / 4711,
)  # fmt: skip
SAID = [("demand strict", IA), ("demand study", IOT)]


def units(text: str, offset: int) -> int:
    """An offset as JavaScript counts it."""
    return len(text[:offset].encode("utf-16-le")) // 2


def test_the_examples_in_the_documentation() -> None:
    assert doctest.testmod(tasks).failed == 0


# --- the text that is shown --------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_tool_counts_the_shown_text_alike(text: str) -> None:
    shown = one_unit(text)
    assert len(shown) == len(text) == len(shown.encode("utf-16-le")) // 2
    assert "\r" not in shown
    assert "\x00" not in shown
    assert one_unit(shown) == shown
    same = [a == b for a, b in zip(shown, text, strict=True)]
    assert all(same[n] for n, c in enumerate(text) if c.isalnum() and c <= "\uffff")


def test_letters_beyond_the_first_plane_stay_readable() -> None:
    shown = TASK.text
    assert shown[slice(*IA)] == "IA"
    assert shown[slice(*IOT)] == "IoT"
    assert shown.startswith("□ Data scientist\n□\u200d□ Vous")
    assert one_unit("\ud83d") == "□"  # half a pair


@given(st.text(max_size=30), st.data())
def test_offsets_of_javascript(text: str, data: st.DataObject) -> None:
    text = text.encode("utf-16-le", "replace").decode("utf-16-le")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert from_utf16(text, units(text, start), units(text, end)) == (start, end)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2 of 37", 2 / 37), (0.5, 0.5), ("0.5", 0.5), ("0,5", 0.5), ("1,2E-05", 1.2e-5), (1, 1.0),
     (None, None), ("", None), (float("nan"), None)],
)  # fmt: skip
def test_probabilities_come_back(value: object, expected: float | None) -> None:
    assert parse_inclusion(value) == expected


@pytest.mark.parametrize("value", ["0 of 4", "5 of 4", "1 of 0", "x", 0, -1, 1.5, "nan", True * 2])
def test_what_is_no_probability(value: object) -> None:
    with pytest.raises(ValueError, match="expected a probability, as in 12 of 4711"):
        parse_inclusion(value)


# --- round trips -------------------------------------------------------------------------------


def imported(annotations: list[Annotation]) -> tuple[list[OfferLabel], list[MentionLabel]]:
    labels = settle(annotations)
    assert not labels.disagreed
    assert not labels.incomplete
    return labels.offers, labels.mentions


def annotate_label_studio(written: str) -> list[dict[str, Any]]:
    """What Label Studio's JSON export holds after two tasks were labelled."""
    result = json.loads(written)
    answers = [
        {"strict": ["demand"], "study": ["demand"], "themes": ["iot", "ia"], "doubt": ["unsure"]},
        {"strict": ["none"], "study": ["none"]},
    ]
    for number, (task, said) in enumerate(zip(result, answers, strict=True), 1):
        regions: list[dict[str, Any]] = [
            {"id": f"c{name}", "from_name": name, "to_name": "text", "type": "choices",
             "origin": "manual", "value": {"choices": chosen}}
            for name, chosen in said.items()
        ]  # fmt: skip
        if number == 1:
            text = task["data"]["text"]
            regions += [
                {"id": f"m{start}", "from_name": "mentions", "to_name": "text", "type": "labels",
                 "origin": "manual", "value": {"start": start, "end": end,
                 "text": text[start:end], "labels": [name]}}
                for name, (start, end) in SAID
            ]  # fmt: skip
        regions.append({"from_name": "comment", "to_name": "text", "type": "textarea",
                        "value": {"text": ["à relire"]}})  # fmt: skip
        task |= {
            "id": number,
            "annotations": [
                {"id": number, "completed_by": 1, "was_cancelled": False, "result": regions}
            ],
            "predictions": [],
        }
    return list(result)


def test_label_studio_and_back() -> None:
    exported = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    offers, mentions = imported(label_studio.read(exported, "x.json"))
    assert offers == [LABEL, PLAIN_LABEL]
    assert mentions == MENTIONS


def test_label_studio_json_min() -> None:
    first, second = (json.loads(label_studio.export([t]))[0]["data"] for t in (TASK, PLAIN))
    records = [
        {**first, "id": 1, "strict": "demand", "study": "demand", "doubt": "unsure",
         "themes": {"choices": ["ia", "iot"]}, "annotator": 1, "annotation_id": 1,
         "mentions": [{"start": a, "end": b, "text": first["text"][a:b], "labels": [name]}
                      for name, (a, b) in SAID]},
        {**second, "id": 2, "strict": "none", "study": "none", "annotator": 1, "annotation_id": 2},
    ]  # fmt: skip
    assert imported(label_studio.read(records, "x.json")) == ([LABEL, PLAIN_LABEL], MENTIONS)


def test_label_studio_suggestions_fit_its_configuration() -> None:
    (task,) = json.loads(label_studio.export([SUGGESTED], "fr-1"))
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "fr-1"
    config = ElementTree.fromstring(label_studio.config())  # noqa: S314 (our own)
    names = {tag.get("name"): tag for tag in config.iter() if tag.get("name")}
    for region, (start, end) in zip(prediction["result"], (IA, IOT), strict=True):
        control = names[region["from_name"]]
        assert control.tag.lower() == region["type"]
        assert control.get("toName") == region["to_name"] == names["text"].get("name")
        assert region["value"]["labels"][0] in [label.get("value") for label in control]
        assert (region["value"]["start"], region["value"]["end"]) == (start, end)
        assert task["data"]["text"][start:end] == region["value"]["text"]
    assert [label.get("value") for label in names["mentions"]] == list(MARKS)
    assert [choice.get("value") for choice in names["themes"]] == list(THEMES)
    assert "predictions" not in json.loads(label_studio.export([TASK]))[0]


def test_doccano_and_back() -> None:
    lines = []
    written = doccano.export([TASK, PLAIN]).splitlines()
    answers = [
        (["strict:demand", "study:demand", "theme:ia", "theme:iot", "unsure"],
         [[*where, name] for name, where in SAID]),
        (["study:none", "strict:none"], []),
    ]  # fmt: skip
    for number, (line, (cats, entities)) in enumerate(zip(written, answers, strict=True)):
        record = json.loads(line)
        assert record["entities"] == record["cats"] == []
        lines.append({"id": number, **record, "cats": cats, "entities": entities, "Comments": []})
    assert imported(doccano.read(lines, "x")) == ([LABEL, PLAIN_LABEL], MENTIONS)
    # The shape of a project with relations.
    lines[0]["entities"] = [
        {"id": 1, "label": name, "start_offset": start, "end_offset": end}
        for name, (start, end) in SAID
    ]
    assert imported(doccano.read(lines, "x"))[1] == MENTIONS


def test_doccano_counts_utf16_in_a_text_that_is_not_ours() -> None:
    start, end = (units(WHOLE, offset) for offset in IOT)
    assert (start, end) != IOT
    record = {"text": WHOLE, **TASK.about, "cats": ["strict:none", "study:demand"],
              "entities": [[start, end, "demand study"]]}  # fmt: skip
    (_, (mention,)) = imported(doccano.read([record], "x"))
    assert (mention.start, mention.end) == IOT


def test_doccano_label_types() -> None:
    for written, names in ((doccano.span_types(), MARKS), (doccano.category_types(), CHOICES)):
        types = json.loads(written)
        assert [one["text"] for one in types] == list(names)
        keys = [one["suffixKey"] for one in types if one["suffixKey"]]
        assert len(keys) == len(set(keys)) > 0  # doccano refuses a key twice
        assert set(types[0]) == {"text", "prefixKey", "suffixKey", "backgroundColor", "textColor"}
    (line,) = doccano.export([SUGGESTED]).splitlines()
    assert json.loads(line)["entities"] == [[*IA, "demand strict"], [*IOT, "mention study"]]


def test_prodigy_and_back() -> None:
    first, second = (json.loads(line) for line in prodigy.export([TASK, PLAIN]).splitlines())
    assert [option["id"] for option in first["options"]] == list(CHOICES)
    assert "meta" not in first  # would be shown
    common = {"_input_hash": 1, "_task_hash": 2, "_view_id": "blocks", "answer": "accept",
              "_annotator_id": "x-lea", "_session_id": "x-lea"}  # fmt: skip
    first |= common | {
        "accept": ["strict:demand", "study:demand", "theme:iot", "theme:ia", "unsure"],
        "spans": [{"start": a, "end": b, "label": name, "token_start": a, "token_end": b}
                  for name, (a, b) in SAID],
    }  # fmt: skip
    second |= common | {"accept": ["strict:none", "study:none"]}
    annotations = prodigy.read([first, None, second], "x")
    assert imported(annotations) == ([LABEL, PLAIN_LABEL], MENTIONS)
    assert {one.annotator for one in annotations} == {"x-lea"}
    (line,) = prodigy.export([SUGGESTED]).splitlines()
    spans = json.loads(line)["spans"]
    assert spans[0] == {"start": IA[0], "end": IA[1], "label": "demand strict"}


def test_the_prodigy_recipe_is_python() -> None:
    source = prodigy.recipe("t.jsonl", "t.recipe.py")
    compile(source, "recipe", "exec")
    assert "prodigy aiskills.label DATASET t.jsonl -F t.recipe.py" in source
    assert all(f'"{name}"' in source for name in MARKS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_a_spreadsheet_and_back(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    risky = Task("-1", '=HYPERLINK("http://x")', "@SUM(A1)", set="stratified", stratum="s01",
                 drawn=3, of=4711)  # fmt: skip
    with open_output(path, csv_style=CsvStyle.EXCEL_FR) as writer:
        writer.write(spreadsheet.table([TASK, PLAIN, risky]))
    text = path.read_text("utf-8-sig")
    assert text.startswith("uid;title;description;strict;study;themes;sure;comment;")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert [row["uid"] for row in rows] == ["apec:7", "'0012", "'-1"]
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell)
    rows[0] |= {"strict": "Demande", "study": "demand", "themes": "iot, IA", "sure": "non"}
    rows[1] |= {"strict": "aucun", "study": "none ", "sure": "oui", "comment": "=1+1"}
    buffer = io.StringIO(newline="")
    writer_of_excel = csv.DictWriter(buffer, rows[0].keys(), delimiter=";")
    writer_of_excel.writeheader()
    writer_of_excel.writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding, "replace"))
    labels = settle(read_export(path))
    bare = OfferLabel(**{**{n: getattr(LABEL, n) for n in OfferLabel.__slots__}, "evidence": ()})
    assert labels.offers == [bare, PLAIN_LABEL]
    assert labels.skipped == 1
    assert labels.mentions == []


def test_a_workbook_and_back(tmp_path: Path) -> None:
    filled = spreadsheet.table([PLAIN]).to_pylist()
    filled[0] |= {"strict": "none", "study": "none"}
    with open_output(tmp_path / "t.xlsx") as writer:
        writer.write(pa.Table.from_pylist(filled))
    assert settle(read_export(tmp_path / "t.xlsx")).offers == [PLAIN_LABEL]


def test_a_cell_holds_no_more_than_excel_takes() -> None:
    (row,) = spreadsheet.table([Task("u", "T", "x" * 60_000)]).to_pylist()
    assert len(row["description"]) < 32_767
    assert row["description"].endswith("[…]")


@pytest.mark.parametrize(
    "uid", ["0012", "12", "1e5", "3/12", "01-02-2024", "=A1", "+33", "'x", "12.50", "-"]
)
def test_identifiers_survive_a_spreadsheet(uid: str) -> None:
    (row,) = spreadsheet.table([Task(uid, "T", "D")]).to_pylist()
    assert row["uid"] == f"'{uid}"
    filled = pa.Table.from_pylist([{**row, "strict": "none", "study": "none"}])
    assert settle(spreadsheet.read(filled, "t")).offers[0].uid == uid


def test_an_ordinary_identifier_is_left_alone() -> None:
    rows = spreadsheet.table([Task(uid, "T", "D") for uid in ("apec:7", "12ab", "text:0f")])
    assert rows.column("uid").to_pylist() == ["apec:7", "12ab", "text:0f"]


def test_labels_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    none = MentionLabel("apec:7", 0, 3, Status.NONE)
    records = [offer_record(LABEL), offer_record(PLAIN_LABEL), *map(mention_record, MENTIONS),
               mention_record(none)]  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    assert read_labels([path]) == ([LABEL, PLAIN_LABEL], [*MENTIONS, none])
    assert "inclusion" not in offer_record(OfferLabel("u", Status.NONE, Status.NONE))


# --- exports that are told apart ---------------------------------------------------------------


def test_exports_are_told_apart(tmp_path: Path) -> None:
    labelled = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    about = {**TASK.about, "text": TASK.text}
    choices = ["strict:demand", "study:demand"]
    contents = {
        "studio.json": json.dumps(labelled),
        "min.json": json.dumps([{**about, "strict": "demand", "study": "demand",
                                 "annotation_id": 3}]),
        "doccano.jsonl": "\ufeff" + json.dumps({**about, "cats": choices}) + "\n\n",
        "prodigy.jsonl": "\n" + json.dumps({"text": TASK.text, "accept": choices,
                                            "answer": "accept", "aiskills": TASK.about}),
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_text(content, "utf-8")
        offers = settle(read_export(tmp_path / name)).offers
        assert offers[0].uid == "apec:7", name
        assert (offers[0].stratum, offers[0].inclusion) == ("s03", 2 / 37), name
    assert settle(read_export(tmp_path / "doccano.jsonl", Tool.DOCCANO)).offers


GOOD = {"text": TASK.text, "accept": ["strict:none", "study:none"], "answer": "accept",
        "aiskills": TASK.about}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1 is no JSON"),
        ("\n{}\n[", "line 3 is no JSON"),
        ("[1,", "is no JSON"),
        ("", "is no export that is known; expected JSON or JSON-MIN of Label Studio"),
        ('{"a": 1}', "Say which with --from"),
        ("3", "is no export that is known"),
        (b"PK\x03\x04", "is an archive. Unpack it"),
        (b'{"text": "\xe9"}', "is not UTF-8"),
        ("uid;strict\n1;none\n", "no JSON"),
    ],
)
def test_a_file_that_is_no_export(tmp_path: Path, content: str | bytes, words: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LabelError) as caught:
        read_export(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    with pytest.raises(LabelError, match="cannot be read"):
        read_export(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": None}, "line 2: its answer is None; expected accept, reject or ignore"),
        ({"aiskills": None}, "line 2: it has no uid; expected a task that `aiskills sample` wrote"),
        ({"accept": ["strict:perhaps"]}, "'strict:perhaps' is no choice"),
        ({"accept": ["strict:none", "strict:demand"]}, "strict:none and strict:demand are both"),
        ({"accept": ["strict:demand", "study:none"]}, "study (none) is weaker than strict"),
        ({"aiskills": {"uid": "u", "inclusion": "7 of 3"}}, "inclusion '7 of 3'"),
        ({"spans": [{"start": 0, "end": 3, "label": "AI"}]}, "'AI' is no mark"),
        ({"spans": [{"start": 0, "end": 999, "label": "not AI"}]}, "a mark from 0 to 999"),
        ({"spans": [{"start": 3, "end": 3, "label": "not AI"}]}, "a mark from 3 to 3"),
        ({"spans": [{"start": -1, "end": 3, "label": "not AI"}]}, "a mark from -1 to 3"),
        ({"spans": [{"start": "x", "end": 3, "label": "not AI"}]}, "expected whole numbers"),
        ({"spans": [{"start": 0, "label": "not AI"}]}, "it has no 'end'"),
        ({"spans": [{"start": 0, "end": 6, "label": "not AI", "text": "autres"}]}, "not those"),
        ({"spans": 3}, "line 2: "),
    ],
)
def test_a_mistake_names_its_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(LabelError) as caught:
        prodigy.read([GOOD, {**GOOD, **change}], "x.jsonl")
    assert str(caught.value).startswith("x.jsonl, line 2: ")
    assert words in str(caught.value)


def test_many_mistakes_are_told_together() -> None:
    with pytest.raises(LabelError) as caught:
        prodigy.read([{**GOOD, "answer": "?"}] * 9 + ["text"], "x.jsonl")
    assert str(caught.value).count("line ") == 5
    assert "and 5 more" in str(caught.value)


def spoil_studio(change: Callable[[dict[str, Any]], None]) -> str:
    exported = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    change(exported[0])
    with pytest.raises(LabelError) as caught:
        label_studio.read(exported, "x.json")
    return str(caught.value)


def test_mistakes_in_label_studio_exports() -> None:
    def two_labels(task: dict[str, Any]) -> None:
        task["annotations"][0]["result"][4]["value"]["labels"] = ["demand strict", "not AI"]

    def shifted(task: dict[str, Any]) -> None:
        value = task["annotations"][0]["result"][4]["value"]
        value["start"], value["end"] = value["start"] + 1, value["end"] + 1

    assert "x.json, task 1: a place marked demand strict and not AI" in spoil_studio(two_labels)
    assert "are not those that the tool quotes" in spoil_studio(shifted)
    assert "task 1: it has no uid" in spoil_studio(lambda task: task["data"].pop("uid"))
    assert "task 1: it has no 'text'" in spoil_studio(lambda task: task["data"].pop("text"))


def test_label_studio_writes_line_ends_in_its_own_way() -> None:
    exported = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    start = TASK.text.index("et l'IoT") - 2
    region = exported[0]["annotations"][0]["result"][-2]["value"]
    region |= {"start": str(start), "end": str(IOT[1]), "text": "\\net l'IoT"}
    assert settle(label_studio.read(exported, "x")).mentions[-1].start == start


@pytest.mark.parametrize(
    ("change", "words"),
    [({"strict": "perhaps"}, "row 1: strict is 'perhaps'; expected demand, mention or none"),
     ({"themes": "magie"}, "row 1: 'magie' is no theme"), ({"sure": "?"}, "row 1: sure is '?'"),
     ({"uid": ""}, "row 1: it has no uid"), ({"inclusion": "2.5"}, "row 1: inclusion '2.5'"),
     ({"strict": "demand"}, "study (none) is weaker")],
)  # fmt: skip
def test_mistakes_in_a_table(change: dict[str, str], words: str) -> None:
    row = {"uid": "u", "strict": "none", "study": "none", "themes": "", "sure": "", **change}
    with pytest.raises(LabelError) as caught:
        spreadsheet.read(pa.Table.from_pylist([row]), "t.csv")
    assert words in str(caught.value)
    with pytest.raises(LabelError, match=r"t\.csv lacks the column\(s\) uid, study"):
        spreadsheet.read(pa.Table.from_pylist([{"strict": "none"}]), "t.csv")


def test_doccano_lists_must_be_lists() -> None:
    with pytest.raises(LabelError, match="line 1: cats is 'x'; expected a list"):
        doccano.read([{"text": "a", "uid": "u", "cats": "x"}], "x")


# --- what is left out --------------------------------------------------------------------------


def said(uid: str, strict: str | None, study: str | None, **more: Any) -> Annotation:
    return Annotation(
        uid,
        strict=Status(strict) if strict else None,
        study=Status(study) if study else None,
        **more,
    )


def test_what_is_left_out_is_counted() -> None:
    labels = settle(
        [
            said("a", "none", "none"),
            said("b", "none", "none", skipped=True),
            said("c", None, None),
            said("d", "none", None),
            said("e", "none", "demand", annotator="x"),
            said("e", "none", "mention", annotator="y"),
            said("f", "none", "demand", annotator="x", themes=("iot",)),
            said("f", "none", "demand", annotator="y", sure=False),
            said("g", "none", "none", skipped=True, annotator="x"),
            said("g", "demand", "demand", annotator="y"),
        ]
    )
    assert [offer.uid for offer in labels.offers] == ["a", "f", "g"]
    assert (labels.skipped, labels.incomplete, labels.disagreed) == (2, ["d"], ["e"])
    assert labels.offers[1].themes == ("iot",)
    assert not labels.offers[1].sure


def test_one_annotator_at_a_time() -> None:
    everything = [said("e", "none", "demand", annotator="x"), said("e", "none", "mention")]
    assert settle(everything, "x").offers[0].study is Status.DEMAND
    with pytest.raises(LabelError, match="no annotation is by 'z'; expected one of x"):
        settle(everything, "z")
    with pytest.raises(LabelError, match="an export that names annotators"):
        settle(everything[1:], "z")


def test_tools_say_what_was_passed_over() -> None:
    studio = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    studio[0]["annotations"][0]["was_cancelled"] = True
    studio[1]["annotations"] = []
    assert settle(label_studio.read(studio, "x")).skipped == 2
    for answer in ("reject", "ignore"):
        record = {**GOOD, "answer": answer, "accept": ["strict:demand", "study:none"]}
        assert settle(prodigy.read([record], "x")).skipped == 1
    untouched = [json.loads(line) for line in doccano.export([SUGGESTED]).splitlines()]
    assert settle(doccano.read(untouched, "x")).skipped == 1
    assert settle(spreadsheet.read(spreadsheet.table([TASK]), "x")).skipped == 1


def test_annotators_of_label_studio() -> None:
    exported = annotate_label_studio(label_studio.export([TASK, PLAIN]))
    exported[0]["annotations"][0]["completed_by"] = {"id": 4, "email": "lea@example.org"}
    names = [one.annotator for one in label_studio.read(exported, "x")]
    assert names == ["lea@example.org", "1"]


# --- labels checked ----------------------------------------------------------------------------


def kinds(offers: list[OfferLabel], mentions: list[MentionLabel], **more: Any) -> list[str]:
    return [finding.kind for finding in check_labels(offers, mentions, **more)]


def test_sound_labels() -> None:
    lengths = {"apec:7": len(WHOLE), "0012": 21}
    assert kinds([LABEL, PLAIN_LABEL], MENTIONS, lengths=lengths) == []
    assert kinds([LABEL, LABEL], [*MENTIONS, *MENTIONS]) == []
    assert kinds([], []) == []


def test_labels_that_cannot_be_true() -> None:
    none = OfferLabel("apec:7", Status.NONE, Status.MENTION, set="stratified", inclusion=0.5)
    assert kinds([LABEL, none], []) == ["offer labelled in two ways"]
    twice = [MENTIONS[0], MentionLabel("apec:7", *IA, Status.NONE)]
    assert kinds([], twice) == ["mention labelled in two ways"]
    assert kinds([none], MENTIONS) == ["mention says more than its offer"] * 2
    bare = OfferLabel("z", Status.NONE, Status.NONE, set="stratified")
    assert kinds([LABEL, bare], []) == ["no probability in a draw that has them"]
    assert kinds([bare], []) == []


def test_labels_of_other_texts() -> None:
    found = check_labels([LABEL, PLAIN_LABEL], MENTIONS, {"apec:7": IOT[1] - 1})
    assert [(one.kind, one.uid) for one in found] == [
        ("not among the offers", "0012"),
        ("beyond the text", "apec:7"),
    ]
    assert found[1].what == f"{IOT[0]} to {IOT[1]}, of {IOT[1] - 1} characters"


# --- two readers -------------------------------------------------------------------------------


def reader(codes: str) -> list[OfferLabel]:
    status = {"d": Status.DEMAND, "m": Status.MENTION, "n": Status.NONE}
    return [OfferLabel(str(n), status[c], status[c]) for n, c in enumerate(codes)]


def test_agreement_by_hand() -> None:
    # 20 x both demand, 5 x demand / none, 10 x none / demand, 15 x both none: kappa is 0.4.
    compared = compare(
        reader("d" * 25 + "n" * 25), reader("d" * 20 + "n" * 5 + "d" * 10 + "n" * 15)
    )
    found = compared.definitions[Definition.STRICT]
    assert (found.offers, found.same, found.share) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.confusion == ((15, 0, 10), (0, 0, 0), (5, 0, 20))
    assert len(compared.unsettled) == 15
    assert compared.unsettled[0] == ("20", ("demand", "demand"), ("none", "none"))
    low, high = found.share_interval
    # The normal interval is 0.573 to 0.827.
    assert (low, high) == pytest.approx((0.573, 0.827), abs=0.03)
    assert found.kappa_interval is not None
    assert found.kappa_interval[0] < 0.4 < found.kappa_interval[1]
    assert compare(reader("dn"), reader("dn")).definitions[Definition.STUDY].kappa == 1


def test_agreement_where_there_is_nothing_to_tell() -> None:
    compared = compare(reader("nnn"), reader("nnnd"))
    found = compared.definitions[Definition.STUDY]
    assert (found.share, found.kappa, found.kappa_interval) == (1.0, None, None)
    assert (compared.only_first, compared.only_second, compared.unsettled) == (0, 1, ())
    with pytest.raises(LabelError, match="no offer in common"):
        compare(reader("n"), [OfferLabel("x", Status.NONE, Status.NONE)])
