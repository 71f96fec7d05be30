"""Postcodes and département numbers inside a writing of a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from aiskills.attributes.places import UNKNOWN, Places, place_key


class Trust(IntEnum):
    """What told the region, the most trusted first."""

    COMMUNE = 0
    ABROAD = 1
    POSTCODE = 2
    DEPARTMENT = 3
    NAME = 4
    REGION = 5
    NO_PLACE = 6
    UNKNOWN = 7


@dataclass(frozen=True, slots=True)
class Reading:
    """What one writing says.

    Attributes:
        region: A region, or one of the other answers of `aiskills.attributes.places`.
        trust: What told it.
        other: For a postcode that lies in two regions, the one with fewer inhabitants.
    """

    region: str
    trust: Trust
    other: str = ""


NOTHING: Final = Reading(UNKNOWN, Trust.UNKNOWN)

_NUMBER: Final = r"(\d{2}|97\d|98[4-9]|2[ab])"
_POSTCODE: Final = re.compile(
    r"(?=\d)(?<![\d#])(?<!bp )(?<!cs )(?<!tsa )(\d{2} ?\d{3}|2[ab]\d{3})(?![\d%€])"
)
_ONLY_NUMBERS: Final = re.compile(rf"^\W*{_NUMBER}(?:\W+(?:et |ou )?{_NUMBER})*\W*$")
_FIRST: Final = re.compile(rf"^\W*{_NUMBER}[dm]?(?=\s*[-–—:/,)(|]|\s+[a-z]|\s*$)")
_IN_PARENTHESES: Final = re.compile(rf"\(\s*(?:dep\w*\.?\s*|dpt\.?\s*)?{_NUMBER}\s*[),\-–]")
_SAID: Final = re.compile(rf"\bd(?:epartements?|epts?|pts?|ep)\b\W{{0,4}}{_NUMBER}\b")
_LAST: Final = re.compile(rf"\s*[-–—/,|:]\s*{_NUMBER}(?=\W*$|\s*\(?(?:france|fr)\b)")
_BARE_LAST: Final = re.compile(rf"\s{_NUMBER}$")
_DIGIT: Final = re.compile(r"\d")
#: Words of `DISTRICT` that need no number.
_DISTRICT_WORDS: Final = ("arrondissement", "dept", "canton")
_DIGITS: Final = re.compile(r"\d{2,3}|2[ab]")
_TOWN_OF_DISTRICTS: Final = re.compile(r"\b(?:paris|lyon|marseille)\W*(?:sp\W*)?$")

#: A word of an address: what follows a number, or makes a name no place of its own.
STREET: Final = re.compile(
    r"\b(rue|avenue|av|ave|bd|bld|boulevard|place|pl|quai|allees?|chemin|ch|route|rte|impasse|cours|"
    r"square|esplanade|parvis|zi|za|zac|bis|lieu dit|batiment|bat|terrasse|terr|faubourg|street)\b"
)
#: Districts and cantons, which are parts of a commune, and "+3" more places.
DISTRICT: Final = re.compile(
    r"\b\d{1,2}\s?(?:er|ere|e|eme|ieme|nd|rd|th|st)\b\.?(?:\s*\(?arr\w*\.?\)?|\s*canton)?"
    r"|\barrondissement\b|\bdept\.?|\bcanton\b|…?\s?\+\s?\d+$"
)


def without_districts(text: str) -> str:
    """Return a plain text without the districts and cantons it names."""
    if _DIGIT.search(text) or any(word in text for word in _DISTRICT_WORDS):
        return DISTRICT.sub(" ", text)
    return text


def read_postcode(text: str, places: Places) -> Reading | None:
    """Return what the postcodes in a plain text say; None if none, or of several regions."""
    found = []
    for one in _POSTCODE.finditer(text):
        code = one.group().replace(" ", "")
        if code[:2] in {"2a", "2b"}:  # an INSEE code
            found.append(Reading(places.commune(code), Trust.POSTCODE))
        elif reading := of_postcode(code, places):
            found.append(reading)
    if len({one.region for one in found}) != 1:
        return None
    return found[0]


def of_postcode(code: str, places: Places) -> Reading | None:
    """Return what a postcode of five digits says; None if there can be no such code."""
    regions = places.postcode(code)
    if not regions:
        return None
    ranked = sorted(regions, key=lambda one: -regions[one])
    return Reading(ranked[0], Trust.POSTCODE, ranked[1] if len(ranked) > 1 else "")


def read_number(text: str, places: Places) -> Reading | None:
    """Return the region of the département number in a plain text.

    Returns:
        None if there is no number; `NOTHING` if there are several, of different regions.
    """
    for numbers, before in _numbers(text, places):
        if _TOWN_OF_DISTRICTS.search(before) and all(
            one.isdecimal() and 0 < int(one) <= 20 for one in numbers
        ):
            continue  # "Paris 15", "Lyon (03)"
        regions = {places.department(one) for one in numbers} - {""}
        if regions:
            return Reading(regions.pop(), Trust.DEPARTMENT) if len(regions) == 1 else NOTHING
    return None


def _numbers(text: str, places: Places) -> Iterator[tuple[list[str], str]]:
    """Yield what may be département numbers, the surest first, with the text before them."""
    if _ONLY_NUMBERS.match(text):
        yield _DIGITS.findall(text), ""
        return
    first = _FIRST.match(text)
    if first and not STREET.match(text, first.end() + 1) and not DISTRICT.match(text):
        yield [first.group(1)], ""
    inside = list(_IN_PARENTHESES.finditer(text))
    if inside:
        yield [one.group(1) for one in inside], text[: inside[0].start()]
    if said := _SAID.search(text):
        yield [said.group(1)], ""
    if last := _LAST.search(text):
        yield [last.group(1)], text[: last.start()]
    elif last := _BARE_LAST.search(text):
        # "LYON 05 69": only where a place of that name lies in that région
        before = text[: last.start()]
        name = re.sub(r" \d{1,2}$", "", place_key(without_districts(before)))
        meaning = places.meaning(name)
        if meaning and places.department(last.group(1)) in meaning.regions:
            yield [last.group(1)], before
