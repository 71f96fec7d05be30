"""The words around matches as features: against a slow reference in plain Python, and by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from aiskills.context import REACH, OfferReader, Reading
from aiskills.model.surroundings import PASSAGE_ZONES, SIDES, PassageModel, Surroundings
from aiskills.model.windows import PLACES, Windows, windows
from aiskills.phrases import Headings, Lexicon, Scanner, Term
from aiskills.tokens import token_hashes

#: So many tokens on each side are surroundings, and how they weigh (see the module).
NEAR, HALF_AT, OUTSIDE, SHRINK = 20, 8, 0.5, 0.05

OFFERS = [
    ("Boulanger", "Nuit et week-end."),
    ("", ""),
    ("Data engineer", "python"),
    ("", "python"),
    ("python", ""),
    (
        "Ingénieur logiciel",
        "Notre équipe.\nVous développez en python des outils, python encore, pour des équipes.\n"
        "Profil : python, sql et python. " + "Vous travaillez avec nos équipes de vente. " * 12,
    ),
    (
        "Technicien",
        "<p>Missions</p><ul><li>Vous écrivez en python&nbsp;;</li><li>Vous testez.</li></ul>" * 4,
    ),
    ("Chef de projet", "Un mot. " * 60 + "Enfin un peu de python pour finir"),
    ("Python python PYTHON", "python python\npython. python"),
]
WORDS = ["vou", "python", "equipe", "de", "outil", "mot", "un", ".", "vente", "nuit", "¦"]


def reader() -> OfferReader:
    return OfferReader(Scanner(Lexicon((Term("python"),)), Headings.default()))


def read(offers: Sequence[tuple[str, str]] = OFFERS) -> list[Reading]:
    return list(reader().read([title for title, _ in offers], [text for _, text in offers]))


def surroundings(words: Sequence[str] = WORDS, *, seed: int = 3) -> Surroundings:
    random = np.random.default_rng(seed)
    zones = len(PASSAGE_ZONES)
    return Surroundings(
        words,
        random.uniform(0.05, 1, len(words)),
        PassageModel(
            random.normal(0, 1, (len(words), zones)),
            random.normal(0, 1, (PLACES, zones)),
            random.normal(0, 1, zones),
        ),
    )


# --- the slow reference -------------------------------------------------------------------------


def slow(
    reading: Reading, model: Surroundings
) -> list[tuple[list[tuple[int, float]], list[float]]]:
    """For each match its columns with their values, and its zones: loops over words."""
    tokens = reading.folded.text.decode("cp1252").split(" ")[1:-1]
    numbers = {word: number for number, word in enumerate(model.words.words)}
    result = []
    for match in reading.matches:
        first = reading.folded.text[: match.start].count(b" ")
        last = reading.folded.text[: match.end].count(b" ")
        sides = [list(range(first - 1, -1, -1)), list(range(last, len(tokens)))]
        columns = []
        for side, places in enumerate(sides):
            weighed = []
            for distance, place in enumerate(places[:NEAR]):
                if tokens[place] in numbers:
                    number = numbers[tokens[place]]
                    weight = model.weights[number] / (1 + distance / HALF_AT)
                    inside = reading.sentence[place] == reading.sentence[first]
                    weighed.append((number, weight if inside else weight * OUTSIDE))
            total = sum(weight for _, weight in weighed) + SHRINK
            columns += [(n + side * len(numbers), weight / total) for n, weight in weighed]
        seen = {tokens[place] for places in sides for place in places[:REACH]} & set(numbers)
        tenth = PLACES * first // len(tokens)
        odds = [
            model.passages.bias[zone]
            + model.passages.places[tenth, zone]
            + sum(model.passages.words[numbers[word], zone] for word in seen)
            for zone in range(len(PASSAGE_ZONES))
        ]
        total = math.log(sum(math.exp(odd) for odd in odds))
        result.append((columns, [max(odd - total, -6.0) / 2 for odd in odds]))
    return result


@pytest.mark.parametrize("seed", range(4))
def test_slots_are_what_the_slow_reference_says(seed: int) -> None:
    model, readings = surroundings(seed=seed), read()
    columns, values, zones = model.slots(windows(readings))
    expected = [one for reading in readings for one in slow(reading, model)]
    assert len(columns) == len(expected) > 15
    for row, (slots, telling) in enumerate(expected):
        there = columns[row] >= 0
        assert columns[row, there].tolist() == [column for column, _ in slots]
        assert values[row, there] == pytest.approx([value for _, value in slots])
        assert (values[row, ~there] == 0).all()
        assert zones[row] == pytest.approx(telling)


def test_the_reference_is_put_to_use() -> None:
    """Both sides, words in other sentences and ends of text do occur in these offers."""
    readings = read()
    around = windows(readings)
    assert sum(len(reading.matches) for reading in readings) == len(around)
    assert around.inside_before.any()
    assert (~around.inside_after & (around.after != 0)).any()
    assert (around.before == 0).any(axis=1).any()
    assert (around.before != 0).all(axis=1).any()
    assert {0, PLACES - 1} <= set(around.place.tolist())


# --- windows ------------------------------------------------------------------------------------


def test_windows_by_hand() -> None:
    around = windows(read([("", "un deux python trois. quatre")]))
    un, deux, trois, dot, quatre, broken = token_hashes(["un", "deu", "troi", ".", "quatre", "¦"])
    assert around.before[0, :4].tolist() == [deux, un, broken, 0]
    assert around.after[0, :4].tolist() == [trois, dot, quatre, 0]
    assert around.inside_before[0, :4].tolist() == [True, True, False, False]
    assert around.inside_after[0, :4].tolist() == [True, True, False, False]
    assert around.place.tolist() == [PLACES * 3 // 7]


def test_windows_end_at_the_offer() -> None:
    """What stands in the offer before, or in the next one, is not around a match."""
    together = windows(read(OFFERS))
    apart = [windows([reading]) for reading in read(OFFERS)]
    for name in ("before", "after", "inside_before", "inside_after", "place"):
        parts = np.concatenate([getattr(one, name) for one in apart])
        assert (getattr(together, name) == parts).all(), name


@pytest.mark.parametrize("offers", [[], [("Boulanger", "Nuit."), ("", "")]])
def test_no_match_gives_empty_arrays_of_the_same_form(offers: list[tuple[str, str]]) -> None:
    around = windows(read(offers))
    assert len(around) == 0
    full = windows(read())
    for name in ("before", "after", "inside_before", "inside_after", "place"):
        empty, other = getattr(around, name), getattr(full, name)
        assert empty.shape == (0, *other.shape[1:]), name
        assert empty.dtype == other.dtype, name
    columns, values, zones = surroundings().slots(around)
    assert columns.shape == values.shape == (0, 2 * NEAR)
    assert zones.shape == (0, len(PASSAGE_ZONES))


# --- surroundings -------------------------------------------------------------------------------


def around_of(before: Sequence[str], after: Sequence[str], *, inside: bool = True) -> Windows:
    """The window of one match, nearest words first, at the beginning of a text."""

    def side(words: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        hashes = np.zeros((1, REACH), dtype=np.uint64)
        hashes[0, : len(words)] = token_hashes(words)
        return hashes, (hashes != 0) & inside

    (left, left_inside), (right, right_inside) = side(before), side(after)
    return Windows(left, right, left_inside, right_inside, np.zeros(1, dtype=np.int64))


def test_shapes_and_ranges() -> None:
    model = surroundings()
    columns, values, zones = model.slots(windows(read()))
    assert columns.shape == values.shape == (len(zones), 2 * NEAR)
    assert zones.shape[1] == len(PASSAGE_ZONES)
    assert model.n_columns == 2 * len(WORDS)
    before, behind = columns[:, :NEAR], columns[:, NEAR:]
    assert set(before[before >= 0].tolist()) <= set(range(len(WORDS)))
    assert set(behind[behind >= 0].tolist()) <= set(range(len(WORDS), 2 * len(WORDS)))
    assert ((values > 0) == (columns >= 0)).all()
    for half in (values[:, :NEAR], values[:, NEAR:]):
        assert (half.sum(axis=1) < 1).all()
    assert (zones >= -3).all()
    assert (zones <= 0).all()


def test_a_lone_word_is_kept_short() -> None:
    """Hardly any telling word: the sum stays well below 1; many: close to it."""
    model = Surroundings(
        ["rare", "de"], np.array([1.0, 0.01]), surroundings(["rare", "de"]).passages
    )
    _, values, _ = model.slots(around_of(["de"], ["rare"]))
    assert values[0, 0] == pytest.approx(0.01 / (0.01 + SHRINK))
    assert values[0, NEAR] == pytest.approx(1 / (1 + SHRINK))


def test_nearer_words_of_the_same_sentence_weigh_more() -> None:
    model = surroundings()
    _, values, _ = model.slots(around_of(["vou", "vou", "vou"], []))
    assert values[0, 0] > values[0, 1] > values[0, 2] > 0
    assert values[0, 0] / values[0, 1] == pytest.approx(1 + 1 / HALF_AT)
    _, outside, _ = model.slots(around_of(["vou"], [], inside=False))
    weight = model.weights[0] * OUTSIDE
    assert outside[0, 0] == pytest.approx(weight / (weight + SHRINK))


def test_words_beyond_reach_are_left_out() -> None:
    model = surroundings()
    far = ["autre"] * NEAR + ["vou"] + ["autre"] * (REACH - NEAR - 1)
    columns, values, zones = model.slots(around_of(far, ["vou"]))
    assert (columns[0, :NEAR] == -1).all()
    assert (values[0, :NEAR] == 0).all()
    _, _, near = model.slots(around_of([], ["vou"]))
    assert zones[0] == pytest.approx(near[0])  # the passage did hold it already


def test_what_a_column_stands_for() -> None:
    model = surroundings()
    assert model.column_name(0) == f"words like 'vou' ({SIDES[0]})"
    assert model.column_name(len(WORDS) + 1) == f"words like 'python' ({SIDES[1]})"


# --- passages -----------------------------------------------------------------------------------


def test_a_word_twice_counts_once() -> None:
    passages = surroundings().passages
    place = np.zeros(3, dtype=np.int64)
    numbers = np.array([[2, 5, 2, -1, 5], [5, -1, -1, 2, -1], [-1, 2, 2, 2, 5]])
    said = passages.log_probabilities(numbers, place)
    assert said[0] == pytest.approx(said[1])
    assert said[0] == pytest.approx(said[2])
    model = surroundings()
    _, _, once = model.slots(around_of(["vou"], ["mot"]))
    _, _, often = model.slots(around_of(["vou", "mot", "vou"], ["mot", "vou"]))
    assert once == pytest.approx(often)


def test_log_probabilities_are_those_of_a_softmax() -> None:
    passages = surroundings().passages
    numbers = np.array([[0, 3, -1], [-1, -1, -1], [4, 4, 1]])
    place = np.array([0, 9, 4])
    said = passages.log_probabilities(numbers, place)
    assert said.shape == (3, len(PASSAGE_ZONES))
    for row, distinct in enumerate([[0, 3], [], [1, 4]]):
        odds = passages.bias + passages.places[place[row]] + passages.words[distinct].sum(axis=0)
        chance = np.exp(odds) / np.exp(odds).sum()
        assert said[row] == pytest.approx(np.maximum(np.log(chance), -6))
    assert np.exp(said[1]).sum() == pytest.approx(1)


def test_log_probabilities_end_at_minus_six_and_stay_finite() -> None:
    zones = len(PASSAGE_ZONES)
    words = np.zeros((2, zones))
    words[0, 0], words[1, 1] = 5000, -5000
    passages = PassageModel(words, np.zeros((PLACES, zones)), np.zeros(zones))
    said = passages.log_probabilities(np.array([[0, 1]]), np.zeros(1, dtype=np.int64))
    assert said[0] == pytest.approx([0] + [-6.0] * (zones - 1))
    unlikely = PassageModel(np.zeros((2, zones)), np.zeros((PLACES, zones)), np.full(zones, -5e3))
    said = unlikely.log_probabilities(np.array([[0, 1]]), np.zeros(1, dtype=np.int64))
    assert said[0] == pytest.approx([math.log(1 / zones)] * zones)


@pytest.mark.parametrize("shape", [(0, 80), (2, 0)])
def test_passages_without_rows_or_words(shape: tuple[int, int]) -> None:
    passages = surroundings().passages
    place = np.full(shape[0], 3, dtype=np.int64)
    said = passages.log_probabilities(np.zeros(shape, dtype=np.int64), place)
    assert said.shape == (shape[0], len(PASSAGE_ZONES))
    for row in said:
        assert np.exp(row).sum() == pytest.approx(1)


def test_passages_do_not_change_what_they_are_given() -> None:
    passages = surroundings().passages
    before = passages.places.copy()
    numbers = np.array([[3, 1], [2, 2]])
    passages.log_probabilities(numbers, np.array([0, 1]))
    assert numbers.tolist() == [[3, 1], [2, 2]]
    assert (passages.places == before).all()
