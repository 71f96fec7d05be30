"""Cases: invented offers with what a careful reader says of them, in four piles.

``positive`` must be flagged, ``negative`` must not, ``mention`` names AI about something else, and
``wild`` is damaged as real files are. Cases the classifier is known to get wrong are listed with a
reason in ``known_failures.json``; the day it gets one right, its test fails until it is taken off.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiskills import Classifier
from aiskills.model import Evidence
from aiskills.schema import STATUS_ORDER, THEMES, Status

FOLDER = Path(__file__).parent / "cases"
PILES = ("positive", "negative", "mention", "wild")


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


CASES: dict[str, list[dict[str, Any]]] = {pile: load(pile) for pile in PILES}
KNOWN: dict[str, str] = {entry["id"]: entry["reason"] for entry in load("known_failures")}


def _parameters() -> list[Any]:
    return [
        pytest.param(
            pile,
            case,
            id=case["id"],
            marks=(
                [pytest.mark.xfail(strict=True, reason=KNOWN[case["id"]])]
                if case["id"] in KNOWN
                else []
            ),
        )
        for pile, cases in CASES.items()
        for case in cases
    ]


def covers(case: dict[str, Any], piece: Evidence) -> bool:
    """Whether a piece of evidence overlaps an occurrence of what must be quoted."""
    field = case["title"] if piece.field == "title" else case["text"]
    at = field.find(case["must_quote"])
    while at >= 0:
        if piece.start < at + len(case["must_quote"]) and at < piece.end:
            return True
        at = field.find(case["must_quote"], at + 1)
    return False


@pytest.mark.parametrize(("pile", "case"), _parameters())
def test_case(classifier: Classifier, pile: str, case: dict[str, Any]) -> None:
    judgement = classifier.classify_text(case["text"], case["title"])
    told = f"{case['why']}; {judgement}"
    assert not judgement.error, told
    for definition in ("strict", "study"):
        flagged = getattr(judgement, definition) is Status.DEMAND
        assert flagged == (case[definition] == "demand"), f"{definition}: {told}"
    if pile == "mention":
        assert Status.DEMAND not in (judgement.strict, judgement.study), told
    if "demand" in (case["strict"], case["study"]) and case.get("themes"):
        assert set(judgement.themes) & set(case["themes"]), told
    if case["study"] in ("demand", "mention") and case.get("must_quote"):
        assert any(covers(case, piece) for piece in judgement.evidence), told


# --- the piles themselves ----------------------------------------------------------------------


def test_every_case_has_an_id_of_its_own() -> None:
    ids = [case["id"] for cases in CASES.values() for case in cases]
    assert len(ids) == len(set(ids)) >= 400


@pytest.mark.parametrize("pile", PILES)
def test_cases_make_sense(pile: str) -> None:
    for case in CASES[pile]:
        assert {"id", "title", "text", "strict", "study", "why"} <= set(case), case["id"]
        order = [STATUS_ORDER.index(Status(case[name])) for name in ("strict", "study")]
        assert order == sorted(order), case["id"]
        assert set(case.get("themes", ())) <= set(THEMES), case["id"]
        assert (case["title"] + case["text"]).strip(), case["id"]
        quote = case.get("must_quote")
        if quote is not None:
            assert quote in case["title"] or quote in case["text"], case["id"]
        if case["study"] != "none":
            assert quote, case["id"]


def test_the_piles_are_what_they_are_called() -> None:
    assert {case["study"] for case in CASES["positive"]} == {"demand"}
    assert {case["study"] for case in CASES["negative"]} == {"none"}
    assert {case["study"] for case in CASES["mention"]} == {"mention"}
    assert {case["study"] for case in CASES["wild"]} == {"demand", "mention", "none"}


def test_known_failures_are_cases_with_reasons() -> None:
    ids = {case["id"] for cases in CASES.values() for case in cases}
    assert set(KNOWN) <= ids
    assert len(KNOWN) == len(load("known_failures"))
    assert all(reason.strip() for reason in KNOWN.values())
