"""Label files: what they hold, and mistakes named with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiskills.errors import LabelError
from aiskills.labels import MentionLabel, OfferLabel, read_labels
from aiskills.labels.texts import LabelledTexts, Row
from aiskills.model.dataset import join_labels, read_written
from aiskills.schema import Definition, Status

OFFER = {"uid": "u1", "strict": "mention", "study": "demand"}
MENTION = {"uid": "u1", "start": 3, "end": 5, "status": "demand", "definition": "strict"}
WRITTEN = {
    "id": "w1",
    "title": "IA",
    "description": "De l'IA et de l'IA.",
    "strict": "demand",
    "study": "demand",
    "themes": ["ia"],
    "lang": "fr",
    "mentions": [{"quote": "IA", "nth": 1, "status": "demand", "definition": "strict"}],
}


def write(path: Path, *lines: Any) -> Path:
    path.write_text(
        "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), "utf-8"
    )
    return path


def mistake(path: Path) -> str:
    with pytest.raises(LabelError) as caught:
        read_labels([path])
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_both_kinds_in_one_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "l.jsonl",
        OFFER,
        "",
        MENTION,
        {**OFFER, "uid": 7, "themes": ["iot"], "evidence": [[0, 3]], "lang": "en", "sure": False,
         "set": "hard", "stratum": "s1", "more": "is ignored"},
        {**MENTION, "status": "none", "definition": None, "sure": False},
    )  # fmt: skip
    offers, mentions = read_labels([path, path])
    assert offers[:2] == [
        OfferLabel("u1", Status.MENTION, Status.DEMAND),
        OfferLabel(
            "7", Status.MENTION, Status.DEMAND, ("iot",), ((0, 3),), "en", False, "hard", "s1"
        ),
    ]
    assert mentions[:2] == [
        MentionLabel("u1", 3, 5, Status.DEMAND, Definition.STRICT),
        MentionLabel("u1", 3, 5, Status.NONE, None, False),
    ]
    assert (len(offers), len(mentions)) == (4, 4)
    assert read_labels([]) == ([], [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "JSONDecodeError"),
        ("nonsense", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("3", "TypeError"),
        ("null", "TypeError"),
        ({"strict": "none", "study": "none"}, "uid"),
        ({"uid": "u", "strict": "none"}, "study"),
        ({**OFFER, "strict": "maybe"}, "maybe"),
        (
            {**OFFER, "strict": "demand", "study": "mention"},
            "study (mention) is weaker than strict",
        ),
        ({**OFFER, "themes": ["magie"]}, "magie"),
        ({**OFFER, "evidence": [[1]]}, "ValueError"),
        ({**OFFER, "evidence": [["a", "b"]]}, "ValueError"),
        ({**MENTION, "start": "x"}, "ValueError"),
        ({**MENTION, "status": "yes"}, "yes"),
        ({**MENTION, "definition": "wide"}, "wide"),
        ({"uid": "u", "start": 1, "status": "none"}, "end"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, line: Any, words: str) -> None:
    path = write(tmp_path / "l.jsonl", OFFER, "", line, MENTION)
    message = mistake(path)
    assert f"{path}, line 3: " in message
    assert words in message
    assert (
        "expected a JSON object with uid, strict and study, or uid, start, end, status" in message
    )


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_odd_line_ends_inside_a_string(tmp_path: Path, separator: str) -> None:
    record = json.dumps({**OFFER, "stratum": f"a{separator}b"}, ensure_ascii=False)
    path = write(tmp_path / "l.jsonl", record, MENTION)
    offers, mentions = read_labels([path])
    assert (len(offers), len(mentions)) == (1, 1)
    path = write(tmp_path / "bad.jsonl", record, "{")
    assert ", line 2: " in mistake(path)


def test_a_form_feed_is_no_white_space_of_json(tmp_path: Path) -> None:
    path = write(tmp_path / "l.jsonl", json.dumps(OFFER), json.dumps(OFFER) + "\x0c")
    assert ", line 2: " in mistake(path)


@pytest.mark.parametrize(("start", "end"), [(5, 3), (-1, 3), (3, 3)])
def test_offsets_must_make_sense(tmp_path: Path, start: int, end: int) -> None:
    mistake(write(tmp_path / "l.jsonl", {**MENTION, "start": start, "end": end}))


@pytest.mark.parametrize("value", [0, -0.1, 1.5, float("nan"), "x", [0.5]])
def test_a_chance_of_being_drawn_is_a_probability(tmp_path: Path, value: object) -> None:
    mistake(write(tmp_path / "bad.jsonl", {**OFFER, "inclusion": value}))
    offers, _ = read_labels([write(tmp_path / "l.jsonl", {**OFFER, "inclusion": 0.25}, OFFER)])
    assert [offer.inclusion for offer in offers] == [0.25, None]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in mistake(tmp_path / "none.jsonl")
    (tmp_path / "l.jsonl").write_bytes(b'{"uid": "\xe9"}\n')
    assert "cannot be read" in mistake(tmp_path / "l.jsonl")


# --- joining -----------------------------------------------------------------------------------


def test_labels_are_joined_to_texts() -> None:
    offer = OfferLabel("b", Status.NONE, Status.NONE)
    mentions = (MentionLabel("a", 0, 1, Status.NONE), MentionLabel("b", 1, 2, Status.DEMAND))
    rows = {
        "a": Row("", "D", None, {"date": "14/03/2023"}),
        "b": Row("T", "D", "X", {"date": "2023-03-14T10:00:00"}),
    }
    joined = join_labels(LabelledTexts((offer,), mentions, rows))
    assert [one.uid for one in joined] == ["b", "a"]
    assert joined[0].offer is offer
    assert (joined[0].company, joined[0].month) == ("X", "2023-03")
    assert joined[0].mentions == (mentions[1],)
    assert (joined[1].title, joined[1].offer, joined[1].written) == ("", None, False)
    assert joined[1].month is None


# --- written offers ----------------------------------------------------------------------------


def test_written_offers(tmp_path: Path) -> None:
    (offer,) = read_written([write(tmp_path / "w.jsonl", WRITTEN)])
    assert offer.written
    assert offer.offer is not None
    assert offer.offer.strict is Status.DEMAND
    (mention,) = offer.mentions
    text = f"{offer.title}\n{offer.description}"
    assert (mention.start, text[mention.start : mention.end]) == (8, "IA")


@pytest.mark.parametrize(
    "change",
    [{"mentions": [{"quote": "IA", "nth": 3, "status": "none"}]}, {"strict": "x"}, {"id": None},
     {"mentions": [{"quote": "absent", "nth": 0, "status": "none"}]}, {"mentions": None}],
)  # fmt: skip
def test_a_mistake_in_a_written_offer(tmp_path: Path, change: dict[str, Any]) -> None:
    if change == {"id": None}:
        record = {key: value for key, value in WRITTEN.items() if key != "id"}
    else:
        record = {**WRITTEN, **change}
    path = write(tmp_path / "w.jsonl", WRITTEN, record)
    with pytest.raises(LabelError, match="line 2: ") as caught:
        read_written([path])
    assert str(path) in str(caught.value)


def test_a_file_of_written_offers_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises((LabelError, FileNotFoundError)):
        read_written([tmp_path / "none.jsonl"])


TRAINING = sorted((Path(__file__).resolve().parents[1] / "data" / "training").glob("*.jsonl"))


@pytest.mark.skipif(not TRAINING, reason="data/training IS MISSING: not read")
def test_the_offers_written_for_training_are_sound() -> None:
    offers = read_written(TRAINING)
    assert len(offers) >= 300
    assert len({offer.uid for offer in offers}) == len(offers)
    for offer in offers:
        assert offer.offer is not None
        assert list(Status).index(offer.offer.study) <= list(Status).index(offer.offer.strict)


LABELS = sorted((Path(__file__).resolve().parents[1] / "data" / "labels").glob("*.jsonl"))


@pytest.mark.skipif(not LABELS, reason="data/labels IS MISSING: not read")
def test_the_labels_hold_no_text() -> None:
    offers, mentions = read_labels(LABELS)
    assert len(offers) >= 300
    assert len(mentions) >= 300
    assert all(0 <= mention.start < mention.end for mention in mentions)
    assert len({offer.uid for offer in offers}) == len(offers)
    allowed = {"uid", "strict", "study", "themes", "evidence", "lang", "sure", "set", "stratum",
               "inclusion", "readers", "start", "end", "status", "definition"}  # fmt: skip
    for path in LABELS:
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            assert set(record) <= allowed
            assert all(len(value) < 40 for value in record.values() if isinstance(value, str))
            assert all(
                len(theme) < 40 for theme in record.get("themes") or () if isinstance(theme, str)
            )
