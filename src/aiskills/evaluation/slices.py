"""Kinds of offers for which figures are given apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.labels import OfferLabel
from aiskills.labels.texts import Row

#: Figures of fewer offers are marked as small: they hardly say anything.
SMALL: Final = 20
#: So many values of one column at most are slices of their own, the most frequent.
MOST_VALUES: Final = 15
UNKNOWN: Final = "(unknown)"
REST: Final = "(others)"

_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}")
_LENGTHS: Final = (0, 500, 1000, 2000, 3000, 5000)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the offers.

    Attributes:
        by: What was looked at: language, set, sure, year, length, or a column of the offers.
        value: Its value, `UNKNOWN` where it is empty, `REST` for the rare values together.
        chosen: Which offers.
    """

    by: str
    value: str
    chosen: NDArray[np.bool_]

    @property
    def small(self) -> bool:
        """Whether there are too few of them to say anything."""
        return int(self.chosen.sum()) < SMALL


def parts(labels: Sequence[OfferLabel], rows: Sequence[Row], by: Sequence[str]) -> Iterator[Part]:
    """The slices of some offers; none for what is unknown of all of them.

    Args:
        labels: Their labels.
        rows: What else is known of them, in the same order.
        by: Columns asked for.

    Yields:
        By language, set and sureness of the label, source, year, text length, trade (where the
        offers have an ``ai_function``) and the columns asked for; the values of each in order, of a
        column with many values the most frequent ones.
    """
    for name, values in _traits(labels, rows, by).items():
        if set(values) != {UNKNOWN}:
            yield from _of_one(name, values)


def _traits(
    labels: Sequence[OfferLabel], rows: Sequence[Row], by: Sequence[str]
) -> Mapping[str, list[str]]:
    traits = {
        "language": [label.lang for label in labels],
        "set": [label.set or UNKNOWN for label in labels],
        "sure": ["sure" if label.sure else "not sure" for label in labels],
        "source": _column(rows, "source"),
        "year": [_year(row.columns.get("date")) for row in rows],
        "length": [_length(row) for row in rows],
        "function": _column(rows, "ai_function"),
    }
    for name in by:
        traits.setdefault(name, _column(rows, name))
    return traits


def _column(rows: Sequence[Row], name: str) -> list[str]:
    return [(row.columns.get(name) or "").strip() or UNKNOWN for row in rows]


def _year(date: str | None) -> str:
    found = _YEAR.search(date or "")
    return found[0] if found else UNKNOWN


def _length(row: Row) -> str:
    size = len(row.title) + len(row.description)
    low = max(bound for bound in _LENGTHS if size >= bound)
    high = next((bound for bound in _LENGTHS if size < bound), None)
    return f"{low:,} characters and more" if high is None else f"{low:,} to {high - 1:,} characters"


def _of_one(name: str, values: Sequence[str]) -> Iterator[Part]:
    counts = Counter(values)
    frequent = sorted(counts, key=lambda value: (-counts[value], value))
    own = frequent if len(frequent) <= MOST_VALUES else frequent[: MOST_VALUES - 1]
    array = np.array(values, dtype=object)
    for value in sorted(own, key=lambda value: (value == UNKNOWN, _natural(value))):
        yield Part(name, value, array == value)
    if len(own) < len(frequent):
        yield Part(name, REST, ~np.isin(array, own))


def _natural(value: str) -> list[tuple[int, str]]:
    """Sorts numbers in texts by their size: `500 to 999` before `1,000 to 1,999`."""
    pieces = re.split(r"(\d+)", value.replace(",", ""))
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in pieces]
