"""Puts the chosen wordings together: titles, descriptions and the words that decide."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aiskills.simulate.pools import Ints
from aiskills.simulate.stock import SLOTS, ZONES
from aiskills.simulate.truth import Rows, World
from aiskills.simulate.wording import AI_LINES, BLOCKS, FIRST_HTML, ORDERS, STYLES

_SUFFIXES: Final = (
    *(" H/F", " (H/F)", " F/H", " (F/H)", "", " - H/F", " - CDI", " H/F - CDI"),
    *(" (m/f)", " M/F", "", " (all genders)", "", " - permanent", " (M/W)", ""),
)
#: Who stands for the firm where it is not named: at the beginning of a sentence and inside one.
_UNNAMED: Final = {
    "client": ("Notre client", "notre client", "Our client", "our client"),
    "firm": ("Notre entreprise", "notre entreprise", "Our company", "our company"),
}
_ENTITIES: Final = {"&": "&amp;", "é": "&eacute;", "è": "&egrave;", "à": "&agrave;", "'": "&#39;"}
_MISREAD: Final = "éèêëàâäçîïôöùûüœÉÈÀÇÎÔŒ’–—•…°²"


def title_texts(world: World, rows: Rows) -> pa.Array:
    """Titles."""
    base = world.stock.strings.take(pa.array(rows["title_word"]))
    suffix = pa.array(_SUFFIXES, pa.string()).take(
        pa.array(rows["title_suffix"] + 8 * rows["english"])
    )
    titles = pc.binary_join_element_wise(base, suffix, "")
    return _changed(titles, rows["upper_title"], pc.utf8_upper)


def descriptions(world: World, rows: Rows) -> pa.Array:
    """Descriptions."""
    count = len(rows["day"])
    names = _Names(world, rows)
    zones = _ai_by_zone(world, rows)
    blocks = [_block(world, rows, columns, zones[zone], names) for zone, columns in BLOCKS.items()]
    every = pa.concat_arrays(blocks)
    order = np.array(ORDERS)[rows["order"]]
    between = pa.array(["", *(style[3] for style in STYLES)], pa.string())
    pieces: list[pa.Array] = [world.stock.strings.take(pa.array(rows["prefix"]))]
    begun = rows["prefix"] > 0
    for place in range(order.shape[1]):
        block = every.take(pa.array(order[:, place] * count + np.arange(count)))
        present = _present(block)
        pieces.append(between.take(pa.array(np.where(present & begun, rows["style"] + 1, 0))))
        pieces.append(block)
        begun = begun | present
    pieces.append(between.take(pa.array(np.where(rows["tail"] > 0, rows["style"] + 1, 0))))
    pieces.append(world.stock.strings.take(pa.array(rows["tail"])))
    joined = pc.binary_join_element_wise(*pieces, "")
    paragraph = pa.array(["", "<p>"], pa.string()).take(
        pa.array((rows["style"] == FIRST_HTML).astype(np.int64))
    )
    end = pa.array(["", "</p>"], pa.string()).take(
        pa.array((rows["style"] == FIRST_HTML).astype(np.int64))
    )
    return _damaged(pc.binary_join_element_wise(paragraph, joined, end, ""), rows)


def evidence(world: World, rows: Rows) -> pa.Array:
    """Words that make the status, as title and description have them, joined by |."""
    known = world.stock.evidence
    in_text = [known.take(pa.array(rows["ai_words"][:, n])) for n in range(AI_LINES)]
    in_title = known.take(pa.array(np.where(rows["title_asks"], rows["title_word"], 0)))
    in_title = _changed(in_title, rows["upper_title"], pc.utf8_upper)
    # Not null_handling="skip": Arrow 26 drops the rows in which all parts are null.
    pieces: list[pa.Array] = []
    begun = np.zeros(len(in_title), dtype=bool)
    for part in [in_title, *(_damaged(part, rows) for part in in_text)]:
        present = _present(part)
        bar = pa.array(["", "|"]).take(pa.array((present & begun).astype(np.int64)))
        pieces += [bar, part]
        begun |= present
    return pc.binary_join_element_wise(*pieces, "")


class _Names:
    """What fills the slots of each row: firm and town."""

    def __init__(self, world: World, rows: Rows) -> None:
        employers = world.employers.names
        unnamed = [*_UNNAMED["client"], *_UNNAMED["firm"]]
        towns = [town["name"] for town in world.places.towns]
        self._texts = pa.concat_arrays(
            [pa.array(["", *unnamed], pa.string()), employers, pa.array(towns, pa.string())]
        )
        first_employer = 1 + len(unnamed)
        agency = rows["agency"] >= 0
        self._hidden = agency | rows["anonymous"]
        self._base = np.where(agency, 1, 5) + 2 * rows["english"]
        self._employer = first_employer + rows["employer"]
        self._town = first_employer + len(employers) + rows["town"]

    def fill(self, slot: Ints, capital: NDArray[np.bool_]) -> pa.Array:
        """What stands in a slot, by row; empty where there is none."""
        firm = np.where(self._hidden, self._base + ~capital, self._employer)
        chosen = np.select(
            [slot == SLOTS.index("firm"), slot == SLOTS.index("town")], [firm, self._town], 0
        )
        return self._texts.take(pa.array(chosen))


def _present(texts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.greater(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False))


def _ai_by_zone(world: World, rows: Rows) -> dict[str, tuple[pa.Array, NDArray[np.bool_]]]:
    """What is said of AI in each part of each offer, and where there is any."""
    zones = rows["ai_zones"]
    found = {}
    for zone in ZONES[1:]:
        here = zones == ZONES.index(zone)
        present = here.any(axis=1)
        some = np.flatnonzero(present)
        item = pa.array([style[2] for style in STYLES], pa.string())
        item = item.take(pa.array(rows["style"][some]))
        pieces: list[pa.Array] = []
        begun = np.zeros(len(some), dtype=bool)
        for n in range(AI_LINES):
            words = np.where(here[some, n], rows["ai_words"][some, n], 0)
            between = pa.array(begun & (words > 0))
            pieces += [pc.if_else(between, item, ""), world.stock.strings.take(pa.array(words))]
            begun |= words > 0
        texts = pa.concat_arrays(
            [pa.array([""], pa.string()), pc.binary_join_element_wise(*pieces, "")]
        )
        places = np.zeros(len(zones), dtype=np.int64)
        places[some] = np.arange(1, len(some) + 1)
        found[zone] = (texts.take(pa.array(places)), present)
    return found


def _block(
    world: World,
    rows: Rows,
    columns: tuple[str, ...],
    ai: tuple[pa.Array, NDArray[np.bool_]],
    names: _Names,
) -> pa.Array:
    """One part of each offer."""
    stock, style = world.stock, rows["style"]
    around = [pa.array(["", *(one[n] for one in STYLES)], pa.string()) for n in range(3)]
    early = rows["ai_early"] if "ai_early" in columns else np.zeros(len(style), dtype=bool)
    pieces: list[pa.Array] = []
    begun = np.zeros(len(style), dtype=bool)
    nothing = pa.scalar("", pa.string())

    def mark(kind: int, where: NDArray[np.bool_]) -> pa.Array:
        return around[kind].take(pa.array(np.where(where, style + 1, 0)))

    for column in columns:
        if column.startswith("ai"):
            present = ai[1] & (early if column == "ai_early" else ~early)
            pieces += [mark(2, present & begun), pc.if_else(pa.array(present), ai[0], nothing)]
            begun = begun | present
            continue
        words = rows[f"w_{column}"].astype(np.int64)
        present = words > 0
        heading = column.startswith("heading")
        pieces += [mark(0, present) if heading else mark(2, present & begun)]
        pieces += [stock.strings.take(pa.array(words))]
        if heading:
            pieces += [mark(1, present)]
        elif stock.slot[words].any():
            pieces += [names.fill(stock.slot[words], stock.capital[words])]
            pieces += [stock.strings.take(pa.array(stock.rest[words]))]
        begun = begun | present
    return pc.binary_join_element_wise(*pieces, "")


def _damaged(texts: pa.Array, rows: Rows) -> pa.Array:
    """Entities in some texts, letters read in the wrong encoding in others."""

    def to_entities(some: pa.Array) -> pa.Array:
        for letter, entity in _ENTITIES.items():
            some = pc.replace_substring(some, letter, entity)
        return some

    def misread(some: pa.Array) -> pa.Array:
        for letter in _MISREAD:
            wrong = letter.encode().decode("cp1252", "ignore")
            some = pc.replace_substring(some, letter, wrong)
        return some

    return _changed(_changed(texts, rows["entities"], to_entities), rows["mojibake"], misread)


def _changed(texts: pa.Array, where: NDArray[np.generic], change: object) -> pa.Array:
    """Texts with some of them changed."""
    some = np.flatnonzero(where)
    if not len(some):
        return texts
    new = change(texts.take(pa.array(some)))  # type: ignore[operator]
    places = np.arange(len(texts))
    places[some] = len(texts) + np.arange(len(some))
    return pa.concat_arrays([texts, new]).take(pa.array(places))
