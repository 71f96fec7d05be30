"""Cues: phrases of status and intermediaries, found by the one automaton, matches untouched."""

from __future__ import annotations

import csv
import json
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.attributes.titles import read_rows
from aiskills.context import OfferReader
from aiskills.phrases import Cue, CueKind, Cues, Headings, Lexicon, Scanner, kinds_text
from aiskills.phrases.cues import MAKER_REACH, OUTSIDE, PARTS, expanded
from aiskills.repair import FIELD_BREAK
from aiskills.text import fold

CASES: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "cases" / "cues.json").read_text("utf-8")
)
BARE = Scanner(Lexicon(()), Headings([]))


def cues_of(text: str, scanner: Scanner = BARE) -> tuple[Cue, ...]:
    return scanner.scan(fold(text), text).cues


@pytest.mark.parametrize(
    ("kinds", "text"), [(kinds, text) for kinds, texts in CASES.items() for text in texts]
)
def test_the_table_of_cases(kinds: str, text: str) -> None:
    assert kinds_text(cues_of(text)) == kinds.removeprefix("nothing")


def test_a_trap_hides_what_is_inside_it() -> None:
    table = Cues([("statut cadre", CueKind.CADRE), ("accès au {statut|poste} cadre", CueKind.TRAP)])
    scanner = Scanner(Lexicon(()), Headings([]), table)
    assert cues_of("un statut cadre", scanner) == (Cue(CueKind.CADRE, 3, 16),)
    assert cues_of("un accès au statut cadre", scanner) == ()
    assert len(cues_of("un accès au statut cadre, un statut cadre", scanner)) == 1


def test_cues_are_told_without_any_ai_term() -> None:
    reader = OfferReader(Scanner(Lexicon.default(), Headings.default()))
    (reading,) = reader.read(["Soudeur"], ["Statut ouvrier, pour le compte de notre client."])
    assert reading.matches == ()
    assert reading.tokens is None
    assert kinds_text(reading.cues) == "intermediary|non_cadre"


def test_cues_do_not_change_matches(scanner: Scanner) -> None:
    without = Scanner(scanner.lexicon, Headings.default(), Cues([]))
    text = (
        "Data scientist H/F - statut cadre\nMissions : machine learning pour le compte de notre "
        "client. Profil : maîtrise du deep learning, forfait jours, IA générative."
    )
    folded = fold(text)
    found, bare = scanner.scan(folded, text), without.scan(folded, text)
    assert found.matches
    assert found.matches == bare.matches
    assert found.headings == bare.headings
    assert (bool(found.cues), bare.cues) == (True, ())
    assert scanner.hits(folded) == without.hits(folded)


def test_a_maker_and_what_it_makes() -> None:
    table = Cues(
        [("conçoit et fabrique", "maker"), ("des pompes", "product:metallurgie"),
         ("des fromages", "product:hors"), ("leader mondial", "leader"),
         ("de la chimie", "sector:chimie")]
    )  # fmt: skip
    scanner = Scanner(Lexicon(()), Headings([]), table)

    def told(text: str) -> str:
        return kinds_text(cues_of(text, scanner))

    assert told("conçoit et fabrique des pompes") == "branch:metallurgie"
    assert told("conçoit et fabrique des pompes et des fromages") == "branch:metallurgie"
    assert told("des pompes conçoit et fabrique") == told("des pompes") == ""
    assert told("leader mondial des pompes") == "branch:metallurgie"
    assert told("leader mondial de la chimie") == "branch:chimie"
    # a sector must follow at once, and a maker says nothing of a sector
    assert told("leader mondial reconnu de la chimie") == ""
    assert told("conçoit et fabrique de la chimie") == ""
    near, far = "a" * (MAKER_REACH - 1), "a" * MAKER_REACH
    assert told(f"conçoit et fabrique {near} des pompes") == "branch:metallurgie"
    assert told(f"conçoit et fabrique {far} des pompes") == ""
    (cue,) = cues_of("conçoit et fabrique des pompes", scanner)
    assert cue == Cue(CueKind.BRANCH, 20, 30, "metallurgie")


WORDS = """
    statut cadre non assimilé agent de maîtrise forfait jours notre client cabinet recrutement IA
    machine learning : , . / conçoit et fabrique des pompes leader mondial de la chimie
""".split()  # noqa: SIM905 (a list of words)
GLUE = (" ", "\n", FIELD_BREAK)


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.sampled_from(GLUE))
def test_cues_are_in_order_and_apart(words: list[str], glue: str) -> None:
    end = 0
    for cue in cues_of(glue.join(words)):
        assert cue.kind is not CueKind.TRAP
        assert cue.kind not in PARTS
        assert (cue.kind is CueKind.BRANCH) is bool(cue.branch)
        assert end <= cue.start < cue.end
        end = cue.end


def test_expanded() -> None:
    assert expanded("cadre") == ["cadre"]
    assert expanded("statut {|: }cadre {A|B}") == [
        "statut cadre A", "statut cadre B", "statut : cadre A", "statut : cadre B",
    ]  # fmt: skip
    assert expanded("notre client {est|,}") == ["notre client est", "notre client ,"]


def test_the_table_is_sound() -> None:
    text = (resources.files("aiskills") / "data" / "cues.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    assert {row["kind"].partition(":")[0] for row in rows} == set(CueKind)
    ids = {row["id"] for row in read_rows("branches.csv")} | {OUTSIDE}
    needs_one = {CueKind.BRANCH, CueKind.PRODUCT, CueKind.SECTOR}
    kinds: dict[str, str] = {}
    for row in rows:
        kind, _, branch = row["kind"].partition(":")
        assert branch in ids if kind in needs_one else not branch, row["phrase"]
        assert row["phrase"].count("{") == row["phrase"].count("}")
        assert None not in row.values()
        for form in expanded(row["phrase"]):
            folded = fold(form).text.decode("cp1252")
            assert len(folded.split()) > 1 or kind == CueKind.LEADER, (
                f"{form}: one word tells nothing by itself"
            )
            assert kinds.setdefault(folded, row["kind"]) == row["kind"], form


def test_the_default_table_is_shared() -> None:
    assert Cues.default() is Cues.default()
    counts = Counter(kind for _, kind, _ in Cues.default()._entries)
    assert len(Cues.default()) == sum(counts.values()) > 5_000
