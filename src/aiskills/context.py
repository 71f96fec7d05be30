"""What surrounds a match: its tokens, its sentence and its zone of the offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.phrases import NOTHING_FOUND, Cue, Found, Match, Scanner, ZoneMap
from aiskills.repair import FIELD_BREAK
from aiskills.schema import Zone
from aiskills.text import FOLDED_BREAK, Folded, FoldedBatch, fold_many
from aiskills.tokens import TokenCutter, Tokens

_MARKED_BREAK: Final = re.compile(r"[\n\r]+|<(?:br|/?li|/?p|/h)", re.IGNORECASE)
#: Tokens kept on each side of a match.
REACH: Final = 40
#: Marks that end a sentence or open an item of a list: each is a token of its own.
_ENDS_SENTENCE: Final = np.zeros(256, dtype=bool)
_ENDS_SENTENCE[list((".!?;•*" + FOLDED_BREAK).encode("cp1252"))] = True


@dataclass(slots=True)  # a frozen one costs twice as much to make, for every offer
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
        title_tokens: Number of tokens of the title; 0 where there is no match.
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
    title_tokens: int = 0

    def field_span(self, match: Match) -> tuple[str, int, int]:
        """Where a match stands: field name, start and exclusive end in characters of that field."""
        return self.field_of(*self.folded.span(match.start, match.end))

    def field_of(self, start: int, end: int) -> tuple[str, int, int]:
        """The same of offsets into `given`."""
        if start < self.title_chars:
            return "title", start, min(end, self.title_chars)
        shift = self.title_chars + 1
        return "description", start - shift, end - shift


@dataclass(frozen=True, slots=True)
class OfferTexts:
    """The texts of offers.

    Attributes:
        given: Title, `FIELD_BREAK`, description of each, as given.
        title_chars: Characters of each title.
    """

    given: Sequence[str]
    title_chars: Sequence[int] | NDArray[np.int64]

    @classmethod
    def of(cls, titles: Sequence[str], descriptions: Sequence[str]) -> OfferTexts:
        """Texts from strings, empty where there is none.

        Raises:
            ValueError: There are not as many of each.
        """
        if len(titles) != len(descriptions):
            raise ValueError(f"{len(titles)} titles and {len(descriptions)} descriptions")
        given = [t + FIELD_BREAK + d for t, d in zip(titles, descriptions, strict=True)]
        return cls(given, list(map(len, titles)))

    def __len__(self) -> int:
        return len(self.given)

    def part(self, its: slice) -> OfferTexts:
        """The texts of some offers, one behind another."""
        return OfferTexts(self.given[its], self.title_chars[its])


@dataclass(frozen=True, slots=True)
class Looked:
    """Some offers after a first look.

    Attributes:
        texts: Their texts.
        batch: Their folded forms.
        found: What the tables of phrases found, by number of the offer, where they found anything.
    """

    texts: OfferTexts
    batch: FoldedBatch
    found: Mapping[int, Found]

    def matched(self) -> list[int]:
        """Numbers of the offers with a match, in order."""
        return sorted(number for number, its in self.found.items() if its.matches)


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
        looked = self.look(OfferTexts.of(titles, descriptions))
        matched = iter(self.closely(looked, looked.matched()))
        for number, (title, given, folded) in enumerate(
            zip(titles, looked.texts.given, looked.batch.texts, strict=True)
        ):
            its = looked.found.get(number, NOTHING_FOUND)
            if its.matches:
                yield next(matched)
            else:
                yield Reading(
                    *(given, len(title), folded, (), (), None, _NOTHING, _NOTHING, _NOTHING),
                    its.cues,
                )

    def look(self, texts: OfferTexts) -> Looked:
        """Folds offers and finds phrases: all that those without a match need.

        Args:
            texts: The texts of the offers.
        """
        batch = fold_many(texts.given)
        return Looked(texts, batch, self.scanner.found_in(batch, texts.given))

    def closely(self, looked: Looked, numbers: Sequence[int]) -> list[Reading]:
        """Reads some of the offers that have a match.

        Args:
            looked: What `look` gave.
            numbers: Numbers of the offers.
        """
        if not numbers:
            return []
        texts = [looked.batch.texts[number] for number in numbers]
        found = [looked.found[number] for number in numbers]
        places = [
            (place, match.start, match.end)
            for place, its in enumerate(found)
            for match in its.matches
        ]
        tokens = self._cutter.cut_near(texts, places, REACH)
        return [
            _closely(looked.texts.given[n], int(looked.texts.title_chars[n]), folded, its, cut)
            for n, folded, its, cut in zip(numbers, texts, found, tokens, strict=True)
        ]


def _closely(given: str, title_chars: int, folded: Folded, found: Found, tokens: Tokens) -> Reading:
    body = int(np.searchsorted(folded.source, title_chars))
    zones = ZoneMap(found.headings, body)
    bounds = np.array([(match.start, match.end) for match in found.matches])
    places = np.searchsorted(tokens.starts, bounds)
    return Reading(
        given,
        title_chars,
        folded,
        found.matches,
        tuple(zones.at(match.start) for match in found.matches),
        tokens,
        places[:, 0],
        places[:, 1],
        _sentences(given, folded, tokens),
        found.cues,
        int(np.searchsorted(tokens.starts, body)),
    )


def _sentences(given: str, folded: Folded, tokens: Tokens) -> NDArray[np.int64]:
    opens = np.zeros(len(tokens), dtype=np.int64)
    letters = np.frombuffer(folded.text, dtype=np.uint8)
    opens[1:] = _ENDS_SENTENCE[letters[tokens.starts[:-1] + 1]]
    lines = _line_starts(given)
    if len(lines):
        at = np.searchsorted(folded.source[tokens.starts + 1], lines)
        opens[at[at < len(opens)]] = 1
    return np.cumsum(opens)


def _line_starts(given: str) -> NDArray[np.int64]:
    """Offsets behind line breaks, and behind the beginning of tags that break lines."""
    if "<" in given:
        return np.array([found.end() for found in _MARKED_BREAK.finditer(given)], dtype=np.int64)
    letters = np.frombuffer(given.encode("latin-1", "replace"), dtype=np.uint8)
    return np.flatnonzero((letters == ord("\n")) | (letters == ord("\r"))) + 1
