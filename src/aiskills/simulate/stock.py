"""The stock of texts: every fragment in every wording, in one array of strings."""

from __future__ import annotations

import csv
import io
import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aiskills.schema import THEMES
from aiskills.simulate.pools import Floats, Ints, Pools

#: Wordings kept of one fragment; alternatives beyond give no others.
_MOST_WORDINGS: Final = 24
_EVIDENCE: Final = re.compile(r"\*([^*]+)\*")
_SLOT: Final = re.compile(r"\{(firm|town)\}")
_CHOICE: Final = re.compile(r"\[([^\]]*)\]")

#: Parts of an offer in which a fragment on AI may stand.
ZONES: Final = ("title", "firm", "missions", "profile", "benefits", "process")
_ZONE_OF_MENTION: Final = {"team": "missions", "en": "process"}
ENGLISH: Final = "en"


@dataclass(slots=True)
class Stock:
    """All wordings of all fragments.

    A wording is a place in `strings`; 0 is the empty text. A fragment is a number: its wordings
    follow each other. Texts with a slot stand in two halves.

    Attributes:
        strings: Wordings, or their first halves.
        rest: Place of the second half of each wording; 0 if it has no slot.
        slot: Name of the slot of each wording; empty if it has none.
        evidence: Words of each wording that decide, joined by |.
        first: First wording of each fragment.
        wordings: Number of wordings of each fragment.
        zone: Position in `ZONES` of each fragment on AI; -1 otherwise.
        sources: Text of each fragment as the file has it.
    """

    strings: list[str] = field(default_factory=lambda: [""])
    rest: list[int] = field(default_factory=lambda: [0])
    slot: list[str] = field(default_factory=lambda: [""])
    evidence: list[str] = field(default_factory=lambda: [""])
    first: list[int] = field(default_factory=list)
    wordings: list[int] = field(default_factory=list)
    zone: list[int] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def add(self, text: str, zone: str = "") -> int:
        """Adds a fragment and gives its number."""
        self.first.append(len(self.strings))
        self.sources.append(text)
        self.zone.append(ZONES.index(zone) if zone else -1)
        halves = []
        for wording in expanded(text):
            before, slot, after = _split(_EVIDENCE.sub(r"\1", wording))
            self._string(before, slot, "|".join(_EVIDENCE.findall(wording)))
            halves.append((len(self.strings) - 1, after))
        self.wordings.append(len(halves))
        for place, after in halves:
            if after:
                self.rest[place] = self._string(after, "", "")
        return len(self.first) - 1

    def _string(self, text: str, slot: str, evidence: str) -> int:
        self.strings.append(text)
        self.rest.append(0)
        self.slot.append(slot)
        self.evidence.append(evidence)
        return len(self.strings) - 1

    def add_all(self, texts: Iterable[str], zone: str = "") -> list[int]:
        """Adds fragments and gives their numbers."""
        return [self.add(text, zone) for text in texts]


def expanded(text: str) -> list[str]:
    """Wordings of a text with alternatives.

    Examples:
        >>> expanded("[Un|Deux] ans")
        ['Un ans', 'Deux ans']
    """
    parts = [
        part.split("|") if number % 2 else [part] for number, part in enumerate(_CHOICE.split(text))
    ]
    return ["".join(one) for one in itertools.islice(itertools.product(*parts), _MOST_WORDINGS)]


def _split(text: str) -> tuple[str, str, str]:
    found = _SLOT.search(text)
    return (text[: found.start()], found[1], text[found.end() :]) if found else (text, "", "")


@dataclass(frozen=True, slots=True)
class Title:
    """A title of the stock: its fragment's number, topic, cadre status, ROME code, language."""

    fragment: int
    topic: str
    cadre: bool
    rome: str
    english: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """The stock as arrays, and the pools to draw from it.

    Attributes:
        strings: Wordings; the first is empty.
        evidence: Words of each wording that decide, joined by |.
        rest: Place of each wording's second half; 0 if it has none.
        slot: Position in `SLOTS` of each wording's slot; 0 if it has none.
        capital: Whether the slot of a wording opens a sentence.
        first: First wording by fragment.
        wordings: Number of wordings by fragment.
        zone: Position in `ZONES` by fragment; -1 where the fragment is on no AI.
        topics: Topics, of which the last is `ENGLISH`.
        titles: Titles that ask for no AI.
        sectors: What data/simulate/sectors.toml says of each sector, without its texts.
        pools: Pools by name, each keyed as `aiskills.simulate.wording` says.
        sources: Texts of the fragments as the files have them.
    """

    strings: pa.Array
    evidence: pa.Array
    rest: Ints
    slot: Ints
    capital: np.typing.NDArray[np.bool_]
    first: Ints
    wordings: Ints
    zone: Ints
    topics: tuple[str, ...]
    titles: tuple[Title, ...]
    sectors: tuple[dict[str, Any], ...]
    pools: Mapping[str, Pools]
    sources: tuple[str, ...]

    def word(self, fragments: Ints, u: Floats) -> Ints:
        """A wording of each fragment; 0 for the fragment -1."""
        chosen = (u * self.wordings[fragments]).astype(np.int64)
        return np.where(fragments < 0, 0, self.first[fragments] + chosen)


#: Names of slots; position 0 is none.
SLOTS: Final = ("", "firm", "town")


@cache
def texts() -> Texts:
    """The stock that ships with aiskills."""
    stock = Stock()
    titles = tuple(_titles(stock))
    topics = (*dict.fromkeys(title.topic for title in titles if not title.english), ENGLISH)
    sectors = tuple(read_toml("sectors")["sector"])
    pools = {"sector": Pools.of([stock.add_all(sector["texts"]) for sector in sectors])}
    pools |= _ai(stock, topics) | _work(stock, topics) | _around(stock)
    strings = stock.strings
    return Texts(
        pa.array(strings, pa.string()),
        pa.array(stock.evidence, pa.string()),
        np.array(stock.rest),
        np.array([SLOTS.index(slot) for slot in stock.slot]),
        np.array([not text or text.endswith((". ", "? ", ": ")) for text in strings]),
        np.array(stock.first),
        np.array(stock.wordings),
        np.array(stock.zone),
        topics,
        titles,
        tuple({k: v for k, v in sector.items() if k != "texts"} for sector in sectors),
        pools,
        tuple(stock.sources),
    )


def read_toml(name: str) -> dict[str, Any]:
    """A file of data/simulate."""
    return tomllib.loads((_folder() / f"{name}.toml").read_text("utf-8"))


def read_csv(name: str) -> list[dict[str, str]]:
    """Rows of a table of data/simulate."""
    lines = (_folder() / f"{name}.csv").read_text("utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith("#"))
    return list(csv.DictReader(io.StringIO(kept), delimiter=";"))


def _folder() -> Any:
    return resources.files("aiskills") / "data" / "simulate"


def _titles(stock: Stock) -> Iterable[Title]:
    for row in read_csv("titles"):
        yield Title(
            stock.add(row["title"]),
            row["topic"],
            row["cadre"] == "yes",
            row["rome"],
            row["lang"] == ENGLISH,
        )


def _ai(stock: Stock, topics: Sequence[str]) -> dict[str, Pools]:
    """Pools of demands (theme by topic), of titles that demand (the same) and mentions."""
    demands = read_toml("demands")
    mentions = read_toml("mentions")
    asked: dict[tuple[str, str], list[int]] = {}
    titled: dict[tuple[str, str], list[int]] = {}
    named: dict[tuple[str, str], list[int]] = {}
    for theme in THEMES:
        for topic, zones in demands[theme].items():
            for zone, lines in zones.items():
                kept = titled if zone == "title" else asked
                kept.setdefault((theme, topic), []).extend(stock.add_all(lines, zone))
        for zone, lines in mentions[theme].items():
            key = (theme, ENGLISH if zone == ENGLISH else "")
            added = stock.add_all(lines, _ZONE_OF_MENTION.get(zone, zone))
            named.setdefault(key, []).extend(added)
    pairs = list(itertools.product(THEMES, topics))
    return {
        "demand": Pools.of([_of_topic(asked, theme, topic) for theme, topic in pairs]),
        "demand_title": Pools.of([_of_topic(titled, theme, topic) for theme, topic in pairs]),
        "mention": Pools.of([named[theme, lang] for theme in THEMES for lang in ("", ENGLISH)]),
    }


def _of_topic(found: Mapping[tuple[str, str], list[int]], theme: str, topic: str) -> list[int]:
    """Fragments that fit a topic: its own, its family's, and those for all."""
    return [fragment for key in _keys(topic) for fragment in found.get((theme, key), [])]


def _work(stock: Stock, topics: Sequence[str]) -> dict[str, Pools]:
    missions, profiles, alike = (read_toml(name) for name in ("missions", "profiles", "lookalikes"))

    def by_topic(table: Mapping[str, list[str]]) -> Pools:
        own = {key: stock.add_all(lines) for key, lines in table.items()}
        return Pools.of([[f for key in _keys(topic) for f in own.get(key, [])] for topic in topics])

    return {
        "task": by_topic({k: [f"{text}." for text in v["task"]] for k, v in missions.items()}),
        "you": by_topic({key: value["you"] for key, value in missions.items()}),
        "profile": by_topic(profiles["topics"]),
        "profile_any": Pools.of([stock.add_all(profiles["any"]["texts"])]),
        "profile_status": Pools.of(
            [stock.add_all(profiles[k]["texts"]) for k in ("other", "cadre")]
        ),
        "homonym": by_topic(alike["homonyms"]),
        "negative": by_topic(alike["negatives"]),
    }


def _keys(topic: str) -> list[str]:
    """Keys of the files under which texts for a topic stand: its own, its family's, for all."""
    return [topic] if topic == ENGLISH else list(dict.fromkeys((topic, topic[:2], "any")))


def _around(stock: Stock) -> dict[str, Pools]:
    """Pools keyed by language: French, English."""
    around = read_toml("around")
    added = {k: stock.add_all(v) for k, v in around.items() if isinstance(v, list)}
    empty: list[int] = []
    pools = {
        "opening": [added["opening"], added["opening_en"]],
        "agency": [added["agency"], empty],
        "more": [added["more"], added["firm_en"]],
        "benefit": [added["benefit"], added["benefit_en"]],
        "process": [added["process"], added["process_en"]],
        "closing": [added["closing"], added["closing_en"]],
        "prefix": [added["prefix"], empty],
        # by language and status: other, cadre
        "status": [added["benefit_other"], added["benefit_cadre"], empty, added["cadre_en"]],
    }
    for zone in ZONES[1:]:
        pools[f"heading_{zone}"] = [
            stock.add_all(around[table][zone]) for table in ("headings", "headings_en")
        ]
    whole = [expanded(text)[0] for text in read_toml("profiles")["any"]["texts"]]
    cut = [text[: 10 + len(text) // 2] + "…" for text in whole]
    pools["tail"] = [stock.add_all(cut), empty]
    return {name: Pools.of(lists) for name, lists in pools.items()}
