"""The language of an offer."""

from __future__ import annotations

import pytest

from aiskills.language import language_of
from aiskills.schema import Language
from aiskills.text import fold


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
    assert language_of(fold(text)) is Language(expected)


def test_the_start_tells() -> None:
    english = "You work with the team and the clients of the firm. " * 40
    french = "Vous travaillez avec les équipes de la direction et des clients. " * 40
    assert language_of(fold(english + french)) is Language.EN
    assert language_of(fold(french + english)) is Language.FR
    assert language_of(fold("The. " + french)) is Language.FR
