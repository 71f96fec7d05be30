"""The language of an offer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.language import languages_of
from aiskills.schema import Language
from aiskills.text import fold, fold_many


def language_of(text: str) -> Language:
    (language,) = languages_of(fold_many([text]))
    return language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vous rejoignez l'équipe de la direction et vous développez des outils en Python.", "fr"),
        (
            "You will join the team and work with the head of data to build tools for our users.",
            "en",
        ),
        ("Sie arbeiten mit dem Team und der Leitung an der Entwicklung und dem Betrieb.", "other"),
        ("Trabajará con los equipos para desarrollar modelos con los clientes.", "other"),
        ("Je werkt met het team en het management aan het platform.", "other"),
        ("RECHERCHE DES INGÉNIEURS DE LA DONNÉE ET EN INFORMATIQUE", "fr"),
        ("<p>You&nbsp;work <b>with</b> the team and for the clients</p>", "en"),
        # too short to tell: the offers are French
        ("", "fr"),
        ("Data scientist", "fr"),
        ("!!!", "fr"),
        # English words in a French text
        (
            "Un poste de data scientist et de machine learning engineer en CDI, le top of the top",
            "fr",
        ),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert language_of(text) is Language(expected)


def test_the_start_tells() -> None:
    english = "You work with the team and the clients of the firm. " * 40
    french = "Vous travaillez avec les équipes de la direction et des clients. " * 40
    assert language_of(english + french) is Language.EN
    assert language_of(french + english) is Language.FR
    assert language_of("The. " + french) is Language.FR


_SMALL = {
    Language.FR: "de et la le des en",
    Language.EN: "the and of to with for",
    Language.OTHER: "und der mit los para con het di",
}
_WORDS = " ".join(_SMALL.values()).split()


@given(st.lists(st.sampled_from([*_WORDS, "d", "dent", "ende", "paras", ".", "ingenieur", "\n"])))
def test_small_words_are_counted_one_by_one(words: list[str]) -> None:
    """Whole words of the beginning, and no part of a longer one."""
    text = " ".join(words)
    beginning = fold(text).text[:1_200].decode("cp1252")
    whole = beginning[: beginning.rfind(" ") + 1].split()
    counts = {of: sum(word in its.split() for word in whole) for of, its in _SMALL.items()}
    other = counts[Language.OTHER] > max(counts[Language.FR], counts[Language.EN])
    english = Language.EN if counts[Language.EN] > counts[Language.FR] else Language.FR
    assert language_of(text) is (Language.OTHER if other else english)


def test_texts_do_not_lend_each_other_words() -> None:
    """Long ones are cut, also within a word, and hundreds are read together."""
    texts = ["the " * 500, "un the", "", "xde " * 400, "la de", "und der"] * 60
    assert languages_of(fold_many(texts)) == [language_of(text) for text in texts]
