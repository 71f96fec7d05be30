"""What surrounds a match: its tokens, its sentence and its zone of the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.phrases import Cue, Match, Scanner, ZoneMap
from aiskills.schema import Zone
from aiskills.text import FIELD_BREAK, FOLDED_BREAK, Folded, fold_batch
from aiskills.tokens import TokenCutter, Tokens

_LINE_BREAK: Final = re.compile(r"[\n\r]+")
_MARKED_BREAK: Final = re.compile(r"[\n\r]+|<(?:br|/?li|/?p|/h)", re.IGNORECASE)
#: Marks that end a sentence or open an item of a list: each is a token of its own.
_ENDS_SENTENCE: Final = np.zeros(256, dtype=bool)
_ENDS_SENTENCE[list((".!?;•*" + FOLDED_BREAK).encode("cp1252"))] = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One offer as the models see it.

    Attributes:
        given: Title, `FIELD_BREAK`, description, as given.
        title_chars: Length of the title, so that offsets can be told apart by field.
        folded: Folded form of `given`.
        matches: AI terms found, in order.
        zones: The zone of each match.
        tokens: Tokens of `folded`; None when there is no match and nothing more is spent.
        first: For each match the number of its first token.
        last: For each match the number of the token after it.
        sentence: For each token the number of its sentence or line.
        cues: What phrases tell of cadre status and intermediaries, in order; also where there is no
            match.
    """

    given: str
    title_chars: int
    folded: Folded
    matches: tuple[Match, ...]
    zones: tuple[Zone, ...]
    tokens: Tokens | None
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    sentence: NDArray[np.int64]
    cues: tuple[Cue, ...] = ()

    def field_span(self, match: Match) -> tuple[str, int, int]:
        """Where a match stands: field name, start and exclusive end in characters of that field."""
        start, end = self.folded.span(match.start, match.end)
        if start < self.title_chars:
            return "title", start, min(end, self.title_chars)
        shift = self.title_chars + 1
        return "description", start - shift, end - shift


_NOTHING: Final = np.zeros(0, dtype=np.int64)


class OfferReader:
    """Reads offers: folds, finds phrases, and looks closer where an AI term was found.

    Args:
        scanner: The tables of phrases.
    """

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self._cutter = TokenCutter()

    def read(self, titles: Sequence[str], descriptions: Sequence[str]) -> Iterator[Reading]:
        """Reads offers in one go.

        Args:
            titles: Titles as given; empty strings where there is none.
            descriptions: Descriptions, likewise.

        Yields:
            One `Reading` an offer, in order.
        """
        given = [t + FIELD_BREAK + d for t, d in zip(titles, descriptions, strict=True)]
        for text, title, folded in zip(given, titles, fold_batch(given), strict=True):
            yield self._look(text, len(title), folded)

    def _look(self, given: str, title_chars: int, folded: Folded) -> Reading:
        found = self.scanner.scan(folded, given)
        if not found.matches:
            return Reading(
                given, title_chars, folded, (), (), None, _NOTHING, _NOTHING, _NOTHING, found.cues
            )
        tokens = self._cutter.cut(folded)
        body = int(np.searchsorted(folded.source, title_chars))
        zones = ZoneMap(found.headings, body)
        starts = np.array([match.start for match in found.matches])
        ends = np.array([match.end for match in found.matches])
        return Reading(
            given,
            title_chars,
            folded,
            found.matches,
            tuple(zones.at(match.start) for match in found.matches),
            tokens,
            np.searchsorted(tokens.starts, starts),
            np.searchsorted(tokens.starts, ends),
            _sentences(given, folded, tokens),
            found.cues,
        )


def _sentences(given: str, folded: Folded, tokens: Tokens) -> NDArray[np.int64]:
    opens = np.zeros(len(tokens), dtype=np.int64)
    letters = np.frombuffer(folded.text, dtype=np.uint8)
    opens[1:] = _ENDS_SENTENCE[letters[tokens.starts[:-1] + 1]]
    breaks = _MARKED_BREAK if "<" in given else _LINE_BREAK
    lines = [found.end() for found in breaks.finditer(given)]
    if lines:
        at = np.searchsorted(folded.source[tokens.starts + 1], lines)
        opens[at[at < len(opens)]] = 1
    return np.cumsum(opens)
