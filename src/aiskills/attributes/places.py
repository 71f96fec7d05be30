"""French places: communes, départements, regions, and the other names offers call them by.

Tables in `data/`: `places*.csv`, built by `scripts/make_places.py` from the npm package
`@etalab/decoupage-administratif` 6.0.0 (Code officiel géographique of 1 January 2026; former names
from its 0.7.0 of 2019), Licence Ouverte / Etalab; `place_aliases.csv`, kept by hand;
`place_countries.csv`, country names of the Unicode CLDR 48 (Unicode licence) and large cities
abroad. They are read at the first use (about 50 ms) and hold no more than what tells a region.
"""

from __future__ import annotations

import csv
import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

from aiskills.attributes.western import by_character

ABROAD: Final = "étranger"
REMOTE: Final = "télétravail"
NATIONWIDE: Final = "France entière"
OVERSEAS: Final = "outre-mer hors région"
UNKNOWN: Final = "inconnu"

#: Inhabitants taken for a former commune whose population the package does not give.
ASSUMED_POPULATION: Final = 1000
#: Inhabitants that make an alias or a city abroad weigh more than any French homonym.
_ALIAS_WEIGHT: Final = 10_000_000
#: A département whose name a town of this size elsewhere bears is not told by its name alone.
_TOWN: Final = 10_000
#: A longer name ("Saint-Ouen-sur-Seine") counts for its beginning ("Saint-Ouen") when it has this
#: many times the inhabitants of the largest place of exactly that name.
_SHORT_NAME_RATIO: Final = 5
#: The same where no such word as "sur" follows: few call Le Blanc-Mesnil "Le Blanc".
_SHORT_COMPOUND_RATIO: Final = 20
_LINKS: Final = frozenset({"sur", "sous", "en", "les", "aux", "au", "d", "de", "des", "du", "l"})
_MOST_LONGER_NAMES: Final = 300

_ARTICLES: Final = ("le ", "la ", "les ", "l ")
_ROTATED: Final = frozenset({"bas", "deux", "haut", "haute", "hautes", "hauts"})
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae", "Œ": "oe", "Æ": "ae", "ß": "ss", "’": "'"})
#: Short forms: what must be in a text for its pattern to be tried (trying costs ten times as much
#: as looking), the pattern, the word.
_WORDS: Final = (
    ("st", re.compile(r"\bst(?=[ .\-])"), "saint"),
    ("ste", re.compile(r"\bste(?=[ .\-])"), "sainte"),
    (
        "/",
        re.compile(r"\bs/\s?|/\s?(?=(?:mer|seine|loire|saone|marne|rhone|oise)\b)"),
        " sur ",
    ),
    ("lez", re.compile(r"\blez\b"), "les"),
    ("&", re.compile(r"&"), " et "),
)
_NOT_ALNUM: Final = re.compile(r"[^0-9a-z]+")


def plain(text: str) -> str:
    """Return a text in lower case without accents, punctuation kept.

    >>> plain("L’Haÿ-les-Roses (94)"), plain("Marcq-en-Barœul")
    ("l'hay-les-roses (94)", 'marcq-en-baroeul')
    """
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text.lower()
    if "Ã" in text:  # UTF-8 read as Windows-1252
        text = text.encode("cp1252", "ignore").decode("utf-8", "ignore")
    return _without_accents(text).lower()


@by_character
def _without_accents(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return "".join(one for one in text if not unicodedata.combining(one))


def place_key(text: str) -> str:
    """Return the form in which names of places are compared.

    >>> place_key("ST-GERMAIN-EN-LAYE"), place_key("Chalon s/ Saône"), place_key("L'Isle-d'Abeau")
    ('saint germain en laye', 'chalon sur saone', 'l isle d abeau')
    """
    text = plain(text)
    for sign, pattern, word in _WORDS:
        if sign in text:
            text = pattern.sub(word, text)
    return _NOT_ALNUM.sub(" ", text).strip()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name may stand for.

    Attributes:
        regions: Region (or `étranger`, `outre-mer hors région`) -> inhabitants of the largest
            place of that name in it.
        explicit: Whether the name is that of a région, a département or a country, which settle
            what the other names of a label mean.
        department: Whether it is the name of a département.
        whole: What the name stands for when it is no place: `France entière`, `télétravail`,
            `inconnu`; else empty.
    """

    regions: Mapping[str, int] = field(default_factory=dict)
    explicit: bool = False
    department: bool = False
    whole: str = ""


class Places:
    """The tables, ready to be asked.

    Args:
        names: Keys of communes and groupings, sorted.
        departments: Département of each name.
        populations: Inhabitants of each name.
        tables: The smaller tables, by file name without ending.
    """

    def __init__(
        self,
        names: list[str],
        departments: list[str],
        populations: list[int],
        tables: Mapping[str, list[dict[str, str]]],
    ) -> None:
        self._names = names
        self._departments = departments
        self._populations = populations
        self.region_of_department: dict[str, str] = {}
        self.region_of_code: dict[str, str] = {}
        self._department_names: dict[str, str] = {}
        self._fixed: dict[str, Meaning] = {}
        self._aliases: dict[str, dict[str, int]] = {}
        self._postcodes: dict[str, dict[str, int]] = {}
        self._add_departments(tables["places_departments"])
        self._add_postcodes(tables["places_postcodes"])
        self._add_countries(tables["place_countries"])
        self._add_aliases(tables["place_aliases"])

    @classmethod
    def default(cls) -> Places:
        """The tables that ship with the package; read once."""
        return _default()

    @property
    def regions(self) -> tuple[str, ...]:
        """The 18 regions as `84 Auvergne-Rhône-Alpes`, by INSEE code."""
        return tuple(sorted(self.region_of_code.values()))

    def department(self, number: str) -> str:
        """Return the region of a département number (`69`, `2a`, `971`, `20`), empty if none."""
        number = number.upper()
        if number == "20":
            number = "2A"
        return self.region_of_department.get(number, "")

    def department_named(self, key: str) -> str:
        """Return the region of a département's name, also where a town bears it; empty if none."""
        return self._department_names.get(key, "")

    def commune(self, code: str) -> str:
        """Return the region of an INSEE commune code, empty if it is none.

        The first characters tell it, for codes of any vintage; 99 is abroad.
        """
        code = code.upper()
        if code.startswith("99"):
            return ABROAD
        return self.department(code[:3] if code.startswith(("97", "98")) else code[:2])

    def postcode(self, code: str) -> dict[str, int]:
        """Return the regions a postcode lies in, with inhabitants; none for an impossible one.

        By the first digits, but for the codes of `places_postcodes.csv`.
        """
        if code in self._postcodes:
            return self._postcodes[code]
        if code.startswith("980"):
            return {ABROAD: 1}  # Monaco
        region = self.commune(code) if not code.startswith("99") else ""
        return {region: 1} if region else {}

    def meaning(self, key: str) -> Meaning | None:
        """Return what a name (as `place_key` writes it) stands for, None if it is not known."""
        if not key:
            return None
        fixed = self._fixed.get(key)
        if fixed is not None:
            return fixed
        regions = self._communes(key)
        if key in self._aliases:
            regions = regions | self._aliases[key]
        return Meaning(regions) if regions else None

    def _communes(self, key: str) -> dict[str, int]:
        found: dict[str, int] = {}
        self._exact(key, found)
        if not key.startswith(_ARTICLES):  # France Travail drops it: "72 - Mans"
            for article in _ARTICLES:
                self._exact(article + key, found)
        elif not found:
            self._exact(key.partition(" ")[2], found)
        if len(key) > 2:
            self._longer(key + " ", found)
        return found

    def _exact(self, key: str, found: dict[str, int]) -> None:
        place = bisect_left(self._names, key)
        while place < len(self._names) and self._names[place] == key:
            self._count(place, found)
            place += 1

    def _longer(self, beginning: str, found: dict[str, int]) -> None:
        """Add the places that go by the beginning of their name."""
        start = bisect_left(self._names, beginning)
        end = bisect_left(self._names, beginning[:-1] + "!")  # the sign after the blank
        if end - start > _MOST_LONGER_NAMES:
            return
        most = max(found.values(), default=0)
        for place in range(start, end):
            following = self._names[place][len(beginning) :].partition(" ")[0]
            ratio = _SHORT_NAME_RATIO if following in _LINKS else _SHORT_COMPOUND_RATIO
            if self._populations[place] > ratio * most:
                self._count(place, found)

    def _count(self, place: int, found: dict[str, int]) -> None:
        region = self.region_of_department[self._departments[place]]
        found[region] = max(found.get(region, 0), self._populations[place])

    def _add_departments(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            name = f"{row['region']} {row['region_name']}" if row["region"] else OVERSEAS
            self.region_of_department[row["department"]] = name
            if row["region"]:
                self.region_of_code[row["region"]] = name
        for row in rows:
            region = self.region_of_department[row["department"]]
            for key in _writings(place_key(row["name"])):
                self._department_names[key] = region
                towns: dict[str, int] = {}
                self._exact(key, towns)
                if set(towns) - {region} and max(towns.values()) >= _TOWN:
                    # Vienne is also a town of Isère
                    self._aliases[key] = {region: max(towns.values())}
                elif key != "paris":  # which stands in lists of towns
                    self._fixed[key] = Meaning({region: 0}, explicit=True, department=True)
        for name in self.region_of_code.values():
            key = place_key(name[3:])
            self._fixed.setdefault(key, Meaning({name: 0}, explicit=True))

    def _add_postcodes(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            regions = self._postcodes.setdefault(row["postcode"], {})
            region = self.region_of_department[row["department"]]
            regions[region] = regions.get(region, 0) + int(row["population"])

    def _add_countries(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            key = place_key(row["name"])
            homonyms: dict[str, int] = {}
            self._exact(key, homonyms)  # Suisse (57), Soudan (44)
            if row["kind"] == "country" and not homonyms:
                self._fixed[key] = Meaning({ABROAD: 0}, explicit=True)
            else:
                self._aliases[key] = {ABROAD: _ALIAS_WEIGHT}

    def _add_aliases(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            kind, _, value = row["means"].partition(" ")
            key = place_key(row["alias"])
            if kind == "region":
                self._fixed[key] = Meaning({self.region_of_code[value]: 0}, explicit=True)
            elif kind == "department":
                region = self.region_of_department[value]
                self._fixed[key] = Meaning({region: 0}, explicit=True, department=True)
            elif kind == "place":
                region = self.region_of_department[value]
                self._aliases[key] = {region: _ALIAS_WEIGHT}
            elif row["means"] == ABROAD:
                self._fixed[key] = Meaning({ABROAD: 0}, explicit=True)
            else:
                self._fixed[key] = Meaning(whole=row["means"])


def _writings(key: str) -> Iterator[str]:
    """Ways to write the name of a département: `hauts de seine`, `seine hauts de`."""
    yield key
    first, _, rest = key.partition(" ")
    if first in _ROTATED:
        yield f"{rest} {first}"
        yield f"{rest.removeprefix('de ')} {first} de" if rest.startswith("de ") else key
    if first in {"la", "le"}:
        yield rest


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files("aiskills") / "data" / f"{name}.csv").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return list(csv.DictReader(lines, delimiter=";"))


@cache
def _default() -> Places:
    text = (resources.files("aiskills") / "data" / "places.csv").read_text("utf-8")
    cells = [line.split(";") for line in text.splitlines()[2:]]  # no name needs quotes
    return Places(
        [one[0] for one in cells],
        [one[1] for one in cells],
        [int(one[2]) for one in cells],
        {
            name: _rows(name)
            for name in (
                "places_departments",
                "places_postcodes",
                "place_countries",
                "place_aliases",
            )
        },
    )
