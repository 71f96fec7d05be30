"""The language of an offer, told from its commonest small words."""

from __future__ import annotations

from typing import Final

from aiskills.schema import Language
from aiskills.text import Folded

#: Small words in folded form that hardly occur in the other languages.
_FRENCH: Final = (b" de ", b" et ", b" la ", b" le ", b" des ", b" en ")
_ENGLISH: Final = (b" the ", b" and ", b" of ", b" to ", b" with ", b" for ")
_OTHERS: Final = (b" und ", b" der ", b" mit ", b" los ", b" para ", b" con ", b" het ", b" di ")
#: The start of a text tells its language as well as the whole does.
_LOOK_AT: Final = 1_200


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
