"""Many offers at once say what each says alone: folding, phrases, tokens, features, judgements."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiskills.context import REACH, OfferReader
from aiskills.language import languages_of
from aiskills.model import Judge, load_model
from aiskills.model import judge as judge_module
from aiskills.model.categories import Categories, match_categories
from aiskills.model.matched import DEFINITIONS, STRENGTHS, ZONES, Matched
from aiskills.phrases import Headings, Lexicon, Scanner
from aiskills.repair import FIELD_BREAK
from aiskills.schema import THEMES
from aiskills.text import fold, fold_many
from aiskills.tokens import TokenCutter, token_hashes, word_keys

FIRM = "Notre groupe investit dans l'intelligence artificielle et l'industrie du futur."
TASKS = "Missions :\nVous développez des modèles de machine learning en Python (PyTorch)."
BREAD = "Vous pétrissez la pâte, vous cuisez le pain et vous tenez la boutique."
CADRE = "CDI, statut cadre, forfait jours. Profil : vous aimez la data science."
BROKEN = "Vous utilisez l'intelligence artifi-\ncielle et le deep learning&nbsp;! <b>IoT</b>"
TEXTS = (FIRM, TASKS, BREAD, CADRE, BROKEN, "", " ", "?", "x\x1fy", "Ã©tÃ© à la plage")
OFFERS = [
    ("Data scientist", FIRM + "\n" + TASKS),
    ("Boulanger (H/F)", BREAD),
    ("Ingénieur IA", CADRE + " " + BROKEN),
    ("", TASKS),
    ("Vendeur", FIRM),
    ("Opérateur", "IA " * 80 + BREAD),
]

texts = st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)), max_size=12)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(Lexicon.default(), Headings.default())


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_model())


@given(texts)
def test_folding(many: list[str]) -> None:
    batch = fold_many(many)
    assert len(batch) == len(many)
    for text, folded, start, end in zip(many, batch.texts, batch.starts, batch.ends, strict=True):
        alone = fold(text)
        assert folded.text == alone.text == batch.text[start:end]
        assert folded.source.tolist() == alone.source.tolist()


def test_folding_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [*TEXTS, *TEXTS]
    whole = fold_many(many)
    monkeypatch.setattr("aiskills.text._PIECE_CHARS", 50)
    pieces = fold_many(many)
    assert pieces.text == whole.text
    assert pieces.starts.tolist() == whole.starts.tolist()
    assert [one.source.tolist() for one in pieces.texts] == [
        one.source.tolist() for one in whole.texts
    ]


@settings(deadline=None)
@given(texts)
def test_phrases(scanner: Scanner, many: list[str]) -> None:
    found = scanner.scan_many(fold_many(many), many)
    assert found == [scanner.scan(fold(text), text) for text in many]


def test_phrases_over_the_end_of_a_line(scanner: Scanner) -> None:
    many = [BREAD, BROKEN, BREAD, TASKS]
    found = scanner.scan_many(fold_many(many), many)
    terms = [[match.term.term for match in its.matches] for its in found]
    assert terms[1][:2] == ["intelligence artificielle", "apprentissage profond"]
    assert not terms[0]
    assert not terms[2]
    assert terms[3]


@given(texts)
def test_languages(many: list[str]) -> None:
    assert languages_of(fold_many(many)) == [
        language for text in many for language in languages_of(fold_many([text]))
    ]


def test_tokens_near_places_are_those_of_the_whole_text() -> None:
    cutter = TokenCutter()
    many = [fold(text) for text in (FIRM, TASKS + " " + BREAD * 3, BREAD)]
    places = [(0, 0, len(many[0].text) - 1)]
    second = many[1].text
    start = second.index(b" python ")
    places.append((1, start, start + len(b" python")))
    near = cutter.cut_near(many, places, 3)
    whole = [cutter.cut(one) for one in many]
    for some, all_, folded in zip(near, whole, many, strict=True):
        words = folded.text.decode("cp1252").split()
        assert some.starts.tolist() == all_.starts.tolist()
        assert all_.hashes.tolist() == token_hashes(words).tolist()
        assert some.keys.tolist() == all_.keys.tolist() == word_keys(words).tolist()
        known = some.hashes != 0
        assert some.hashes[known].tolist() == all_.hashes[known].tolist()
    assert (near[0].hashes != 0).all()
    assert not near[2].hashes.any()
    place = second.split().index(b"python")
    assert np.flatnonzero(near[1].hashes).tolist() == list(range(place - 3, place + 4))


def test_every_token_that_a_window_needs_is_cut(scanner: Scanner) -> None:
    reader = OfferReader(scanner)
    for reading in reader.read(*zip(*OFFERS, strict=True)):
        if reading.tokens is None:
            continue
        whole = TokenCutter().cut(reading.folded)
        near = np.zeros(len(whole), dtype=bool)
        for first, last in zip(reading.first.tolist(), reading.last.tolist(), strict=True):
            near[max(first - REACH, 0) : last + REACH] = True
        assert (reading.tokens.hashes == np.where(near, whole.hashes, 0)).all()
        assert (reading.tokens.keys == whole.keys).all()
        title = reading.folded.text.decode("cp1252").split("¦")[0].split()
        assert reading.title_tokens == len(title)


def test_arrays_of_matches(judge: Judge) -> None:
    readings = [judge.read(title, text) for title, text in OFFERS]
    held = [reading for reading in readings if reading.matches]
    matched = Matched.of(held)
    assert Matched.of(matched) is matched
    assert all(one is other for one, other in zip(matched, held, strict=True))
    assert len(matched) == len(held)
    at = 0
    for number, reading in enumerate(held):
        names = [match.term.term for match in reading.matches]
        for place, (match, zone) in enumerate(zip(reading.matches, reading.zones, strict=True)):
            assert matched.owner[at] == number
            assert matched.terms[matched.term[at]] is match.term
            assert ZONES[matched.zone[at]] is zone
            assert THEMES[matched.theme[at]] == match.term.theme
            assert STRENGTHS[matched.strength[at]] is match.term.strength
            assert DEFINITIONS[matched.definition[at]] is match.term.definition
            assert matched.can_differ[at] == match.term.can_differ
            assert matched.same_term()[at] == names.count(match.term.term)
            near = [abs(int(first) - int(reading.first[place])) <= 12 for first in reading.first]
            assert matched.near(12)[at] == sum(near) - 1
            at += 1
    assert at == len(matched.owner)
    assert [b - a for a, b in pairwise([*matched.begins.tolist(), at])] == matched.sizes.tolist()


def test_columns_of_categories_are_those_of_their_names(judge: Judge) -> None:
    held = [judge.read(title, text) for title, text in OFFERS]
    held = [reading for reading in held if reading.matches]
    names = match_categories(held)
    known = sorted({name for its in names for name in its})[::2]
    slots = Categories(known).slots(Matched(held))
    expected = [[known.index(n) if n in known else -1 for n in its] for its in names]
    assert slots.tolist() == expected


def test_judgements(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    titles, descriptions = (list(column) for column in zip(*OFFERS, strict=True))
    alone = [judge.judge([title], [text])[0] for title, text in OFFERS]
    assert judge.judge(titles, descriptions) == alone
    assert {one.study for one in alone} == {"demand", "mention", "none"}
    monkeypatch.setattr(judge_module, "BATCH", 2)
    assert judge.judge(titles, descriptions) == alone
    monkeypatch.setattr(judge_module, "BATCH", 512)
    monkeypatch.setattr(judge_module, "BATCH_CHARS", 200)
    assert judge.judge(titles, descriptions) == alone
    assert judge.judge([], []) == []


def test_an_offer_without_a_word_is_an_error(judge: Judge) -> None:
    found = judge.judge(["", "?", " – ", "a"], ["", "!", "", "b" + " " * 80])
    assert [bool(one.error) for one in found] == [True, True, True, False]
    late = judge.judge([""], ["." * 200 + " soudeur"])[0]
    assert not late.error


def test_fields_stay_apart(scanner: Scanner) -> None:
    many = [f"machine{FIELD_BREAK}learning", "machine learning"]
    found = scanner.scan_many(fold_many(many), many)
    assert [len(its.matches) for its in found] == [0, 1]
