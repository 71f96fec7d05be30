"""Reads one writing of a place: which region it lies in, and what told so.

The order of trust inside a writing: a country abroad, a postcode, a département number, the names
of départements and regions, then names of communes. Names that settle more ("Normandie", "France")
choose among the homonyms of those that settle less ("Vernon"). Where the names of communes leave
several regions, one is taken if its largest place has `CLEAR_RATIO` times the inhabitants of the
largest in any other; near ties, and lists of places in different regions, are `inconnu`: a list
says that the job is in one of them, and the first is no likelier than the second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aiskills.attributes.place_codes import (
    NOTHING,
    STREET,
    Reading,
    Trust,
    of_postcode,
    read_number,
    read_postcode,
    without_districts,
)
from aiskills.attributes.places import (
    ABROAD,
    NATIONWIDE,
    REMOTE,
    UNKNOWN,
    Meaning,
    Places,
    place_key,
    plain,
)

#: Inhabitants of the largest homonym over those of the largest in another region that decide.
CLEAR_RATIO: Final = 5
#: A village does not stand against a town: it is a quarter or a street of the same name.
_VILLAGE: Final = 5_000
_TOWN: Final = 20_000
#: A town that is searched for inside longer text, and a city that contradicts an explicit name.
_FINDABLE: Final = 10_000
_CITY: Final = 100_000
#: Beyond this a writing is no place but a text.
_LONGEST: Final = 200
_MOST_WORDS: Final = 24
_LONGEST_NAME: Final = 6

_DIGIT: Final = re.compile(r"\d")
_CEDEX: Final = re.compile(r"\bcedex\b\.?\s*\d{0,2}\b")
_REMOTE_WORDS: Final = re.compile(
    r"\b(?:100 ?% ?)?(?:tele[ -]?travail\w*|travail a distance|a distance|distanciel|"
    r"full[ -]?remote|remote\w*|home[ -]?(?:office|based|working)|work(?:ing)? from home|wfh|"
    r"a domicile)"
)
#: One of these is in all that `_REMOTE_WORDS` finds; looking for them is a tenth of the price.
_REMOTE_SIGNS: Final = ("tele", "distan", "remote", "home", "work", "wfh", "domicile")
_FRONTIER: Final = re.compile(r"\bfrontali")
_STRONG_BREAK: Final = re.compile(r"[,;/|\n\r\t•·()\[\]>…]+|\s[-–—]+\s|^[-–—]+\s?|\s[-–—]+$")
_WEAK_BREAK: Final = re.compile(r"\b(?:et|ou|and|or)\b|[+&]")
_DISTRICTS_OF: Final = re.compile(r"^(paris|lyon|marseille)(?: sp)? \d{1,2}$")
_CODE_AT_AN_END: Final = re.compile(r"^\d{5} | \d{5}$|^\d{5}$")
_COMMUNE_CODE: Final = re.compile(r"\d{5}|2[abAB]\d{3}")
_REGION_CODE: Final = re.compile(r"^(\d{2})\s*[-–]?\s*(\D.*)$")
#: Words before or after a name that say nothing of the place.
_NOISE: Final = frozenset(
    re.findall(
        r"\S+",
        "a au aux en in de du d des ville commune mairie secteur proche pres autour environs "
        "alentours peripherie agglomeration agglo region departement dep zone partiel "
        "partielle partiellement total totale complet possible ponctuel regulier occasionnel "
        "hybride hybrid presentiel site sur on onsite full 100 et ou and near sa ses nord sud "
        "est ouest centre greater area intra muros siege jours jour semaine par bassin "
        "metropole base basee poste lieu localisation",
    )
)
#: Towns whose name is a common word or a firm's: never searched for inside longer text.
_WORDS_NOT_TOWNS: Final = frozenset(
    re.findall(
        r"\S+",
        "centre international europe monde afrique asie orange plaisir sens croix tours lure "
        "bois lens saint sainte grand grande petit petite mont port fort tour notre dame "
        "police hotel parc pole villa chateau campus gare",
    )
)


class LocationReader:
    """Reads writings of places with the help of the tables.

    Args:
        places: The tables.
    """

    def __init__(self, places: Places) -> None:
        self._places = places

    def read(self, text: str, *, hint: str = "") -> Reading:
        """Return what a writing of any form says.

        Args:
            text: As it stands in the file; of a longer one only the first 200 characters count.
            hint: A region known otherwise, which chooses among homonyms; empty if none.
        """
        text = plain(text[:_LONGEST])
        if "cedex" in text:
            text = _CEDEX.sub(" ", text)
        text = text.strip()
        if not text:
            return NOTHING
        postcode = None
        if _DIGIT.search(text):
            postcode = read_postcode(text, self._places)
            number = None if postcode else read_number(text, self._places)
            if number:
                return number
        without = text
        if any(sign in text for sign in _REMOTE_SIGNS):
            without = _REMOTE_WORDS.sub(" ", text)
        meanings = self._meanings(without)
        if _FRONTIER.search(text):
            return Reading(ABROAD, Trust.ABROAD)
        named = _choose(meanings, hint, in_france=postcode is not None)
        if postcode:
            if named.region == ABROAD != postcode.region:
                return Reading(ABROAD, Trust.ABROAD)  # 28001 Madrid
            return _of_two(postcode, named.region, hint)
        if without != text and not any(one.regions for one in meanings):
            return Reading(REMOTE, Trust.NO_PLACE)
        return named

    def commune(self, text: str) -> Reading:
        """Return what a commune field says: an INSEE code, else a name."""
        code = _number_cell(text)
        if code.isdecimal() and len(code) == 4:
            code = "0" + code
        if _COMMUNE_CODE.fullmatch(code):
            region = self._places.commune(code)
            return Reading(region, Trust.COMMUNE) if region else NOTHING
        return self.read(text)

    def postcode(self, text: str) -> Reading:
        """Return what a postcode field says; zeros that a spreadsheet ate are put back."""
        code = _number_cell(text).replace(" ", "")
        if code.isdecimal() and len(code) in {4, 5}:
            return of_postcode(code.zfill(5), self._places) or NOTHING
        return self.read(text)

    def department(self, text: str) -> Reading:
        """Return what a département field says: a number, a name, or both."""
        number = _number_cell(text)
        if number.isdecimal() and len(number) < 4:
            region = self._places.department(number.zfill(2))
            return Reading(region, Trust.DEPARTMENT) if region else NOTHING
        region = self._places.department_named(place_key(text))
        if region:
            return Reading(region, Trust.DEPARTMENT)
        return self.read(text)

    def region(self, text: str) -> Reading:
        """Return what a région field says: INSEE code, name of today or before 2016, or both."""
        number = _number_cell(text)
        if number.isdecimal():
            region = self._places.region_of_code.get(number.zfill(2), "")
            return Reading(region, Trust.REGION) if region else NOTHING
        both = _REGION_CODE.match(number)
        if both:  # "84 Auvergne-Rhône-Alpes": the number is no département's
            meaning = self._places.meaning(place_key(both.group(2)))
            region = self._places.region_of_code.get(both.group(1), "")
            if meaning and region in meaning.regions:
                return Reading(region, Trust.REGION)
        found = self.read(text)
        return found if found.trust > Trust.NAME else Reading(found.region, Trust.REGION)

    def _meanings(self, text: str) -> list[Meaning]:
        """Return what the parts of a writing may stand for; unknown parts are left out."""
        whole = self._places.meaning(place_key(text))
        if whole:
            return [whole]
        found: list[Meaning] = []
        unread: list[str] = []
        for part in _STRONG_BREAK.split(text):
            meaning = self._meaning(part)
            pieces = [part] if meaning else _WEAK_BREAK.split(part)
            for piece in pieces:
                meaning = meaning if len(pieces) == 1 else self._meaning(piece)
                if meaning:
                    found.append(meaning)
                else:
                    unread.append(piece)
        if not any(one.regions for one in found):
            for part in unread:
                if not STREET.search(part):
                    found += self._inside(place_key(part).split())
        return found

    def _meaning(self, text: str) -> Meaning | None:
        """Return what a whole part of a writing may stand for."""
        key = place_key(text)
        meaning = self._places.meaning(key)
        if meaning:
            return meaning
        bare = _DISTRICTS_OF.sub(r"\1", place_key(without_districts(text)))
        words = _CODE_AT_AN_END.sub("", bare).split()
        while words and words[0] in _NOISE:
            words = words[1:]
        while words and words[-1] in _NOISE:
            words = words[:-1]
        shorter = " ".join(words)
        return self._places.meaning(shorter) if shorter != key else None

    def _inside(self, words: list[str]) -> list[Meaning]:
        """Return the towns, regions and départements (not those of one word) named in a text."""
        if "ministere" in words:  # de la Défense, de l'Intérieur
            return []
        words = words[:_MOST_WORDS]
        found: list[Meaning] = []
        for size in range(min(len(words), _LONGEST_NAME), 0, -1):
            for start in range(len(words) - size + 1):
                name = words[start : start + size]
                if "" in name or (size == 1 and (name[0] in _WORDS_NOT_TOWNS or len(name[0]) < 4)):
                    continue
                meaning = self._places.meaning(" ".join(name))
                if meaning and _is_findable(meaning, size):
                    found.append(meaning)
                    words = [*words[:start], *[""] * size, *words[start + size :]]
        return found


def _number_cell(text: str) -> str:
    return text.strip().removesuffix(".0")  # a spreadsheet's way to write whole numbers


def _is_findable(meaning: Meaning, size: int) -> bool:
    if meaning.explicit:
        return size > 1 or not meaning.department  # Loire, Manche and Nord are words as well
    return max(meaning.regions.values(), default=0) >= _FINDABLE


def _of_two(postcode: Reading, named: str, hint: str) -> Reading:
    """Return a postcode's region; of two the one that the rest names, else the more populous."""
    if postcode.other and postcode.other in {named, hint}:
        return Reading(postcode.other, Trust.POSTCODE)
    return postcode


def _choose(meanings: Sequence[Meaning], hint: str, *, in_france: bool) -> Reading:
    explicit = [one for one in meanings if one.explicit]
    named = [one.regions for one in meanings if not one.explicit and one.regions]
    if explicit:
        return _explicit(explicit, named)
    whole = {one.whole for one in meanings} - {"", UNKNOWN}
    if named:
        region = _common(named, hint, in_france=in_france or NATIONWIDE in whole)
        return Reading(region, Trust.NAME) if region else NOTHING
    return Reading(whole.pop(), Trust.NO_PLACE) if len(whole) == 1 else NOTHING


def _explicit(explicit: Sequence[Meaning], named: Sequence[Mapping[str, int]]) -> Reading:
    regions = {region for one in explicit for region in one.regions}
    if len(regions) > 1:
        return NOTHING
    region = regions.pop()
    for one in named:
        if region not in one and max(one.values()) >= _CITY:
            return NOTHING  # "Lyon, Île-de-France": a list, or a contradiction
    if region == ABROAD:
        return Reading(ABROAD, Trust.ABROAD)
    if any(one.department for one in explicit):
        return Reading(region, Trust.DEPARTMENT)
    return Reading(region, Trust.NAME if named else Trust.REGION)


def _common(named: Sequence[Mapping[str, int]], hint: str, *, in_france: bool) -> str:
    """Return the region that all names allow, if one is clearly the likeliest; else ''."""
    if in_france:
        named = [{k: n for k, n in one.items() if k != ABROAD} or one for one in named]
    if max(max(one.values()) for one in named) >= _TOWN:
        named = [one for one in named if max(one.values()) >= _VILLAGE] or named
    shared = set(named[0]).intersection(*named[1:])
    if hint in shared:
        return hint
    sizes = {region: min(one[region] for one in named) for region in shared}
    ranked = sorted(sizes, key=lambda region: -sizes[region])
    if len(ranked) == 1 or (ranked and sizes[ranked[0]] >= CLEAR_RATIO * max(sizes[ranked[1]], 1)):
        return ranked[0]
    return ""
