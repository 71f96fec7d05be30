"""Chooses the wordings of each offer: which fragments, in which order, in which style."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.simulate.pools import Floats, Ints
from aiskills.simulate.stock import ZONES
from aiskills.simulate.targets import MOST_THEMES
from aiskills.simulate.truth import DEMAND, MENTION, NONE, Rows, World

#: Blocks of an offer, each with the columns of its wordings in their order. "ai" is what is said of
#: AI there; `tasks` before and after it.
BLOCKS: Final = {
    "firm": ("heading_firm", "opening", "sector", "more0", "more1", "ai"),
    "missions": (
        *("heading_missions", "you", "task0", "task1", "ai_early", "task2", "task3", "negative"),
        *("ai", "task4", "task5", "homonym"),
    ),
    "profile": ("heading_profile", "status", "profile0", "profile1", "any0", "ai", "any1"),
    "benefits": ("heading_benefits", "pay", "benefit0", "benefit1", "benefit2", "ai"),
    "process": ("heading_process", "process0", "ai", "process1", "closing"),
}
#: Orders of the blocks, and how often each occurs.
ORDERS: Final = ((0, 1, 2, 3, 4), (1, 2, 0, 3, 4), (0, 2, 1, 3, 4), (1, 2, 3, 0, 4))
_ORDER_PARTS: Final = (0.6, 0.2, 0.1, 0.1)
#: Styles of layout: what stands before a heading, after it, before an item, between blocks.
STYLES: Final = (
    ("", "", "\n- ", "\n\n"),
    ("", "", "\n• ", "\n\n"),
    ("", "", "\n", "\n\n"),
    ("", "", " ", "\n"),
    ("", "", " ", " "),
    ("<strong>", "</strong>", "<br>- ", "</p>\n<p>"),
    ("<b>", "", "<li>", "<br/><p>"),
)
_WITHOUT_HEADINGS: Final = (3, 4)
_STYLE_PARTS: Final = (0.3, 0.15, 0.2, 0.25, 0.1)
FIRST_HTML: Final = 5

_TASKS: Final = 6
_SECOND_DEMAND_LINE: Final = 0.45
#: Lines on AI in one offer: two for each theme, and one mention besides.
AI_LINES: Final = 2 * MOST_THEMES + 1
#: Wordings that a near-copy has anew.
_EDITED: Final = ("opening", "benefit0", "process0")


def draw_words(world: World, rows: Rows, rng: np.random.Generator) -> Rows:
    """Draws the wordings of offers.

    Args:
        world: What the draws depend on.
        rows: What is true of them.
        rng: Source of the draws.

    Returns:
        Arrays by row: `w_…`, a place in the stock's strings for each column of `BLOCKS` (0: none),
        `ai_words` (rows by `AI_LINES`), `ai_zones`, `title_word`, `title_asks`, `style`, `order`,
        `tail`, `prefix`, and uniform draws `fields` that decide the other columns of the file.
    """
    count = len(rows["day"])
    p = world.parameters.number
    u = rng.random((count, 64))
    english = rows["english"].astype(np.int64)
    found: Rows = {"fields": rng.random((count, 16))}
    found |= _plain_words(world, rows, u, rng)
    found |= _ai_words(world, rows, u[:, 40:])
    html = u[:, 0] < p("text.html")
    style = np.searchsorted(np.cumsum(_STYLE_PARTS), u[:, 1], side="right").clip(0, 4)
    found["style"] = np.where(html, FIRST_HTML + (u[:, 1] < 0.4), style)
    found["entities"] = html & (u[:, 2] < p("text.entities"))
    found["mojibake"] = u[:, 3] < p("text.mojibake")
    found["upper_title"] = u[:, 4] < p("text.upper_title")
    order = np.searchsorted(np.cumsum(_ORDER_PARTS), u[:, 5], side="right").clip(0, 3)
    truncated = (u[:, 6] < p("text.truncated")) & (english == 0)
    found["order"] = np.where(truncated, 0, order)
    found["tail"] = np.where(truncated, _word(world, "tail", english, u[:, 7]), 0)
    found["prefix"] = np.zeros(count, dtype=np.int64)
    short = u[:, 8] < p("text.short")
    for block in ("benefits", "process"):
        _drop(found, [f"w_{c}" for c in BLOCKS[block] if not c.startswith("ai")], truncated)
    _drop(found, ["w_more0", "w_more1", "w_you", "w_profile1", "w_any0", "w_any1"], short)
    _drop(found, [f"w_task{n}" for n in range(2, _TASKS)], short)
    _drop(found, [f"w_benefit{n}" for n in range(3)] + ["w_process1"], short)
    bare = short | np.isin(found["style"], _WITHOUT_HEADINGS)
    _drop(found, [name for name in found if name.startswith("w_heading")], bare)
    return found


def edit(world: World, rows: Rows, chosen: Ints, rng: np.random.Generator) -> None:
    """Changes a few wordings of some rows in place, as near-copies have them.

    Args:
        world: What the draws depend on.
        rows: Rows with their wordings.
        chosen: Which rows.
        rng: Source of the draws.
    """
    u = rng.random((len(chosen), 8))
    english = rows["english"][chosen].astype(np.int64)
    agency = rows["agency"][chosen] >= 0
    for place, column in enumerate(_EDITED):
        name = "agency" if column == "opening" else column.rstrip("0")
        new = _word(world, name, english, u[:, place])
        if column == "opening":
            new = np.where(
                agency & (english == 0), new, _word(world, "opening", english, u[:, place])
            )
        old = rows[f"w_{column}"][chosen]
        rows[f"w_{column}"][chosen] = np.where(old > 0, new, 0)
    first = np.where(u[:, 3] < 0.5, _word(world, "prefix", english, u[:, 4]), 0)
    rows["prefix"][chosen] = first
    # Another site: other forms of place and date.
    moved = u[:, 5] < 0.5
    rows["fields"][chosen[moved]] = rng.random((int(moved.sum()), rows["fields"].shape[1]))


def _drop(found: Rows, columns: list[str], where: NDArray[np.bool_]) -> None:
    for column in columns:
        found[column] = np.where(where, 0, found[column])


def _word(world: World, pool: str, keys: Ints, u: Floats) -> Ints:
    fragments, rest = world.stock.pools[pool].draw(keys, u)
    return world.stock.word(fragments, rest)


def _several(
    world: World, pool: str, keys: Ints, wanted: int, rng: np.random.Generator
) -> list[Ints]:
    """Columns of wordings, all of different fragments; 0 where a pool has no more."""
    pools = world.stock.pools[pool]
    u = rng.random((len(keys), int(pools.counts.max())))
    found = pools.draw_several(keys, u, wanted)
    again = rng.random(found.shape)
    columns = [world.stock.word(found[:, n], again[:, n]) for n in range(found.shape[1])]
    return columns + [np.zeros(len(keys), dtype=np.int64)] * (wanted - len(columns))


def _plain_words(world: World, rows: Rows, u: Floats, rng: np.random.Generator) -> Rows:
    p = world.parameters.number
    english = rows["english"].astype(np.int64)
    topic = rows["topic"].astype(np.int64)
    cadre = rows["cadre"].astype(np.int64)
    french = english == 0
    agency = (rows["agency"] >= 0) & french
    found: Rows = {
        "w_opening": np.where(
            agency,
            _word(world, "agency", english, u[:, 10]),
            _word(world, "opening", english, u[:, 10]),
        ),
        "w_sector": np.where(
            french, _word(world, "sector", rows["sector"].astype(int), u[:, 11]), 0
        ),
        "w_you": np.where(u[:, 12] < 0.7, _word(world, "you", topic, u[:, 13]), 0),
        "w_status": np.where(french, _word(world, "profile_status", cadre, u[:, 14]), 0),
        "w_pay": np.where(u[:, 15] < 0.5, _word(world, "status", english * 2 + cadre, u[:, 16]), 0),
        "w_closing": np.where(u[:, 17] < 0.5, _word(world, "closing", english, u[:, 18]), 0),
        "w_homonym": np.where(
            u[:, 19] < p("text.homonym"), _word(world, "homonym", topic, u[:, 20]), 0
        ),
        "w_negative": np.where(
            u[:, 21] < p("text.negative"), _word(world, "negative", topic, u[:, 22]), 0
        ),
    }
    for place, zone in enumerate(ZONES[1:]):
        with_heading = u[:, 23 + place] < 0.8
        word = _word(world, f"heading_{zone}", english, u[:, 28 + place])
        found[f"w_heading_{zone}"] = np.where(with_heading, word, 0)
    lists = {
        "more": (english, 2, 0.8),
        "task": (topic, _TASKS, 0.9),
        "profile": (topic, 2, 1.0),
        "profile_any": (np.zeros_like(english), 2, 0.8),
        "benefit": (english, 3, 0.7),
        "process": (english, 2, 0.8),
    }
    for pool, (keys, wanted, often) in lists.items():
        shown = rng.random((len(topic), wanted)) < often
        column = {"profile_any": "any"}.get(pool, pool)
        for n, words in enumerate(_several(world, pool, keys, wanted, rng)):
            kept = shown[:, n] & (french if pool == "profile_any" else True)
            found[f"w_{column}{n}"] = np.where(kept, words, 0)
    suffixes = rng.random(len(topic))
    found["title_suffix"] = (suffixes * 8).astype(np.int64)
    return found


def _ai_words(world: World, rows: Rows, u: Floats) -> Rows:
    """What the offers say of AI: a demand or a mention for each theme, and a title."""
    p = world.parameters.number
    stock = world.stock
    count = len(u)
    status = rows["status"].astype(np.int64)
    english, topic = rows["english"].astype(np.int64), rows["topic"].astype(np.int64)
    fragments = np.full((count, AI_LINES), -1, dtype=np.int64)
    rest = np.zeros((count, AI_LINES))
    # Themes of each row, the named ones first, in their order.
    themes = np.argsort(status == NONE, axis=1, kind="stable")[:, :MOST_THEMES]
    title = np.full(count, -1, dtype=np.int64)
    for n in range(MOST_THEMES):
        theme = themes[:, n]
        said = status[np.arange(count), theme]
        key = theme * len(stock.topics) + topic
        asked, left = stock.pools["demand"].draw(key, u[:, 4 * n])
        named, left_named = stock.pools["mention"].draw(theme * 2 + english, u[:, 4 * n])
        fragments[:, 2 * n] = np.select([said == DEMAND, said == MENTION], [asked, named], -1)
        rest[:, 2 * n] = np.where(said == DEMAND, left, left_named)
        again, left = stock.pools["demand"].draw(key, u[:, 4 * n + 1])
        more = (said == DEMAND) & (u[:, 4 * n + 2] < _SECOND_DEMAND_LINE) & (again != asked)
        fragments[:, 2 * n + 1] = np.where(more, again, -1)
        rest[:, 2 * n + 1] = left
        titled, _ = stock.pools["demand_title"].draw(key, u[:, 4 * n + 3])
        wanted = (said == DEMAND) & (title < 0) & (u[:, 14] < p("text.ai_title"))
        title = np.where(wanted, titled, title)
    any_asked = (status == DEMAND).any(axis=1)
    first = themes[:, 0]
    besides, left = stock.pools["mention"].draw(first * 2 + english, u[:, 12])
    named_besides = any_asked & (u[:, 13] < p("status.also_mentioned"))
    fragments[:, -1] = np.where(named_besides, besides, -1)
    rest[:, -1] = left
    words = np.column_stack([stock.word(fragments[:, k], rest[:, k]) for k in range(AI_LINES)])
    plain = np.array([one.fragment for one in world.stock.titles])[rows["title"].astype(int)]
    return {
        "ai_words": words,
        "ai_zones": np.where(fragments < 0, -1, stock.zone[fragments]),
        "ai_early": u[:, 15] < 0.5,
        "title_word": stock.word(np.where(title >= 0, title, plain), u[:, 16]),
        "title_asks": title >= 0,
    }
