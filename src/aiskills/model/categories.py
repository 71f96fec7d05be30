"""Categorical features of matches: their names, and the columns that a model has for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.context import Reading
from aiskills.model.matched import DEFINITIONS, STRENGTHS, ZONES, Matched
from aiskills.phrases import Strength
from aiskills.schema import THEMES, Zone

IntArray = NDArray[np.int64]

#: Matches within so many tokens of each other are near.
NEAR_TOKENS: Final = 12
_MOST_STRONG: Final = 4
_MOST_NEAR: Final = 3
_PLACES: Final = 10

#: What is known of a match besides its term, and the values it may have.
_ASPECTS: Final[dict[str, Sequence[object]]] = {
    "theme": THEMES,
    "strength": STRENGTHS,
    "definition": DEFINITIONS,
    "zone": ZONES,
    "title": ("title is silent", "title names AI"),
    "strong": range(_MOST_STRONG + 1),
    "near": range(_MOST_NEAR + 1),
    "opens": range(2),
    "place": range(_PLACES),
}
#: The features: each a name with aspects in it.
_FEATURES: Final = (
    ("theme={}", ("theme",)),
    ("strength={}", ("strength",)),
    ("theme={} strength={}", ("theme", "strength")),
    ("definition={}", ("definition",)),
    ("zone={}", ("zone",)),
    ("zone={} strength={}", ("zone", "strength")),
    ("zone={} definition={}", ("zone", "definition")),
    ("{}", ("title",)),
    ("{} zone={}", ("title", "zone")),
    ("strong terms={}", ("strong",)),
    ("strong terms={} strength={}", ("strong", "strength")),
    ("near={} zone={}", ("near", "zone")),
    ("opens={} zone={}", ("opens", "zone")),
    ("place={}", ("place",)),
)
#: Every name that a feature may have, its aspects in the order of their values.
_NAMES: Final = [
    [form.format(*values) for values in product(*(_ASPECTS[aspect] for aspect in aspects))]
    for form, aspects in _FEATURES
]


def _term_name(term: str) -> str:
    return f"term={term}"


class Categories:
    """Columns of categorical features.

    Args:
        names: The names that a model knows, e.g. ``zone=firm``; a column each, in this order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._columns = {name: column for column, name in enumerate(self.names)}
        self._tables = [
            np.array([self._columns.get(name, -1) for name in names], dtype=np.int64)
            for names in _NAMES
        ]

    def slots(self, matched: Matched) -> IntArray:
        """Columns of each match, matches x features; -1 for those that the model does not know."""
        terms = [self._columns.get(_term_name(term.term), -1) for term in matched.terms]
        codes = _codes(matched)
        return np.column_stack(
            [
                np.array(terms, dtype=np.int64)[matched.term],
                *(table[code] for table, code in zip(self._tables, codes, strict=True)),
            ]
        )


def match_categories(readings: Sequence[Reading]) -> list[list[str]]:
    """Names of the categorical features of each match, in the order of `Categories.slots`."""
    matched = Matched.of(readings)
    columns = [
        [_term_name(matched.terms[number].term) for number in matched.term.tolist()],
        *(
            [names[code] for code in codes.tolist()]
            for names, codes in zip(_NAMES, _codes(matched), strict=True)
        ),
    ]
    return [list(names) for names in zip(*columns, strict=True)]


def _codes(matched: Matched) -> list[IntArray]:
    """For each feature the place of each match's name in `_NAMES`."""
    aspects = _aspects(matched)
    result = []
    for _, needed in _FEATURES:
        code = np.zeros(len(matched.owner), dtype=np.int64)
        for aspect in needed:
            code = code * len(_ASPECTS[aspect]) + aspects[aspect]
        result.append(code)
    return result


def _aspects(matched: Matched) -> dict[str, IntArray]:
    strength, owner = matched.strength, matched.owner
    strong = strength == STRENGTHS.index(Strength.STRONG)
    titled = matched.any_of(strong & (matched.zone == ZONES.index(Zone.TITLE)))
    count = np.bincount(owner[strong], minlength=len(matched))
    place = _PLACES * matched.start // np.maximum(matched.characters, 1)[owner]
    return {
        "theme": matched.theme,
        "strength": strength,
        "definition": matched.definition,
        "zone": matched.zone,
        "title": titled[owner].astype(np.int64),
        "strong": np.minimum(count, _MOST_STRONG)[owner],
        "near": np.minimum(matched.near(NEAR_TOKENS), _MOST_NEAR),
        "opens": (np.arange(len(owner)) == matched.begins[owner]).astype(np.int64),
        "place": np.minimum(place, _PLACES - 1),
    }
