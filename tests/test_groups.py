"""Groups: one employer's offers and near-copies stay together, strangers apart."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.model.groups import employer_key, group_offers

WORDS = """
    vous concevez développez pilotez analysez animez les outils projets équipes données chantiers
    clients fournisseurs avec pour dans sur rigueur autonomie qualité sécurité délais budget paris
    lyon usine atelier bureau production vente achat paie stock transport énergie santé eau
""".split()  # noqa: SIM905 (a list of words)


def offer(seed: int, words: int = 120) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))  # noqa: S311


def grouped(texts: Sequence[str], companies: Sequence[str | None]) -> list[list[int]]:
    numbers = group_offers(texts, companies).tolist()
    assert len(numbers) == len(texts)
    return [[n for n, g in enumerate(numbers) if g == group] for group in dict.fromkeys(numbers)]


@pytest.mark.parametrize(
    "name",
    ["Quuxel Énergie", "QUUXEL ENERGIE", "quuxel-énergie", "Quuxel Energie SAS",
     "Groupe Quuxel Énergie", "Quuxel  Énergie (France)",
     "SARL QUUXEL ÉNERGIE", "Quuxel Énergie, SA"],
)  # fmt: skip
def test_an_employer_in_many_writings(name: str) -> None:
    assert employer_key(name) == "quuxel energie"


@pytest.mark.parametrize("name", ["Quuxel S.A.S.", "Quuxel S.A.", "Quuxel S.A.R.L"])
def test_a_dotted_legal_form(name: str) -> None:
    assert employer_key(name) == "quuxel"


@pytest.mark.parametrize("name", [None, "", " ", "SAS", "Groupe", "--", "…"])
def test_no_employer(name: str | None) -> None:
    assert employer_key(name) == ""


def test_an_employer_in_other_letters() -> None:
    assert employer_key("Δέλτα") != ""


def test_one_employer_is_one_group() -> None:
    texts = [offer(n) for n in range(4)]
    names = ["Quuxel SAS", "Autre", "QUUXEL", "groupe quuxel"]
    assert grouped(texts, names) == [[0, 2, 3], [1]]


def test_unknown_employers_are_no_employer() -> None:
    assert grouped([offer(n) for n in range(5)], [None, "", None, "SA", " "]) == [
        [n] for n in range(5)
    ]


def test_near_copies_are_one_group() -> None:
    text = offer(1)
    copies = [
        text,
        text.upper(),
        f"<p>{text}</p>",
        text.replace("é", "e"),
        text + " poste basé à Nantes avec télétravail",
        "réf 12 " + text.replace("paris", "lille", 1),
    ]
    texts = [*copies, offer(2), offer(3)]
    assert grouped(texts, [None] * 8) == [[0, 1, 2, 3, 4, 5], [6], [7]]
    assert grouped(texts, [f"Firme {n}" for n in range(8)])[0] == [0, 1, 2, 3, 4, 5]


def test_strangers_are_apart() -> None:
    texts = [offer(n) for n in range(150)]
    assert len(grouped(texts, [f"Firme {chr(97 + n % 26)}{n}" for n in range(150)])) == 150


def test_groups_chain() -> None:
    """A copy of one employer's offer joins that employer's group, and with it its other offers."""
    texts = [offer(1), offer(2), offer(2), offer(3)]
    assert grouped(texts, ["Quuxel", "Quuxel", "Zygo", "Zygo"]) == [[0, 1, 2, 3]]
    assert grouped(texts, ["A", "B", "C", "D"]) == [[0], [1, 2], [3]]


def test_texts_too_short_to_compare() -> None:
    assert grouped(["", "", "IA", "IA", "un deux trois"], [None] * 5) == [[n] for n in range(5)]
    assert grouped(["", ""], ["Quuxel", "quuxel"]) == [[0, 1]]


def test_nothing_to_group() -> None:
    assert group_offers([], []).shape == (0,)


def test_grouping_is_deterministic() -> None:
    texts = [offer(n % 7) for n in range(40)]
    names = [None if n % 3 else f"Firme {n % 5}" for n in range(40)]
    first = group_offers(texts, names)
    for _ in range(3):
        np.testing.assert_array_equal(group_offers(texts, names), first)


@given(st.permutations(range(12)))
def test_the_order_of_offers_does_not_matter(order: list[int]) -> None:
    texts = [offer(n % 8, 40) for n in range(12)]
    names = [f"Firme {n % 5}" if n % 2 else None for n in range(12)]
    here = {frozenset(group) for group in grouped(texts, names)}
    there = grouped([texts[n] for n in order], [names[n] for n in order])
    assert {frozenset(order[n] for n in group) for group in there} == here
