"""The language of an offer, told from its commonest small words."""

from __future__ import annotations

from typing import Final

from aiskills.schema import Language
from aiskills.text import Folded

#: Small words in folded form that hardly occur in the other languages.
_FRENCH: Final = (b" de ", b" et ", b" le ", b" la ", b" les ", b" des ", b" du ", b" en ", b" pour ")
_ENGLISH: Final = (b" the ", b" and ", b" of ", b" to ", b" with ", b" for ", b" you ", b" in ")
_OTHERS: Final = (
    *(b" und ", b" der ", b" die ", b" mit ", b" el ", b" los ", b" para ", b" con ", b" di "),
    *(b" een ", b" het ", b" voor ", b" com ", b" och ", b" del ", b" per "),
)
#: The start of a text tells its language as well as the whole does.
_LOOK_AT: Final = 2_000


def language_of(folded: Folded) -> Language:
    """Language of a folded text.

    Returns:
        `fr`, `en`, or `other` for any other language; `fr` where a text is too short to tell, since
        the offers are French.
    """
    text = folded.text[:_LOOK_AT]
    french = sum(map(text.count, _FRENCH))
    english = sum(map(text.count, _ENGLISH))
    others = sum(map(text.count, _OTHERS))
    if others > max(french, english):
        return Language.OTHER
    return Language.EN if english > french else Language.FR
