"""What the two models look at: one pipeline for training, scoring and explaining.

The *mention* model sees each match with its surroundings; the *offer* model sees what the mention
model said of the matches, and the words of title and text. Words become features only when enough
employers use them (see `aiskills.model.train`), so that no model holds the name of a firm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.context import Reading
from aiskills.model.categories import NEAR_TOKENS, Categories
from aiskills.model.linear import FloatArray, Rows, logit, sparse_rows
from aiskills.model.matched import DEFINITIONS, STRENGTHS, ZONES, Matched
from aiskills.model.surroundings import ZONE_FEATURES, Surroundings
from aiskills.model.windows import Windows, windows
from aiskills.model.words import Words
from aiskills.phrases import Strength
from aiskills.schema import STATUS_ORDER, Definition, Status, Zone
from aiskills.tokens import word_keys

IntArray = NDArray[np.int64]

#: Tokens looked at on each side of a match.
WINDOW: Final = 20
#: Distance classes on each side: the next token, the one after, up to 5, up to 20 …
_NEAR: Final = np.array([0, 1, 2, 2, 2] + [3] * (WINDOW - 5))
#: … and one for tokens outside the match's sentence or line.
_OUTSIDE: Final = 4
_BUCKETS_A_SIDE: Final = 5
BUCKETS: Final = (
    *(f"{n} before" for n in ("1", "2", "3-5", f"6-{WINDOW}", "sentence")),
    *(f"{n} after" for n in ("1", "2", "3-5", f"6-{WINDOW}", "sentence")),
)
#: Who is spoken of: the nearest of these words before a match, within so many tokens.
CUES: Final = (
    *("vou", "votre", "vos", "nou", "notre", "nos", "client", "groupe", "societe", "entreprise"),
    *("equipe", "candidat", "profil", "mission", "il", "elle", "leur", "leurs", "on"),
    *("you", "your", "we", "our", "team", "company", "role"),
)
CUE_REACH: Final = 40
_CUE_BINS: Final = np.array([0] * 5 + [1] * 10 + [2] * (CUE_REACH - 15))

DEMAND: Final = STATUS_ORDER.index(Status.DEMAND)
MENTION: Final = STATUS_ORDER.index(Status.MENTION)


def window_hashes(around: Windows) -> NDArray[np.uint64]:
    """Hashes of the tokens around each match, matches x 2·WINDOW; 0 beyond the text."""
    return np.hstack([around.before[:, :WINDOW], around.after[:, :WINDOW]])


class MentionFeatures:
    """Features of matches in their context.

    Args:
        words: Vocabulary of the windows.
        categories: Names of the categorical features that the model knows, e.g. ``zone=firm``.
        surroundings: What is known of words and passages without labels.
    """

    DENSE: Final = (
        "log matches",
        "log near matches",
        "place in text",
        "same term elsewhere",
        "length of text",
        *ZONE_FEATURES,
    )

    def __init__(
        self, words: Sequence[str], categories: Sequence[str], surroundings: Surroundings
    ) -> None:
        self.words = Words(words)
        self.surroundings = surroundings
        self._categories = Categories(categories)
        self._cues = Words(CUES)
        self._first_cue = len(self.words) * len(BUCKETS)
        self._first_category = self._first_cue + len(CUES) * 3

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categorical features that the model knows."""
        return self._categories.names

    @property
    def n_columns(self) -> int:
        """Number of sparse columns."""
        return self.first_surrounding + self.surroundings.n_columns

    @property
    def first_surrounding(self) -> int:
        """Number of the first column of the surroundings; they are the last ones."""
        return self._first_category + len(self.categories)

    def rows(self, readings: Sequence[Reading]) -> Rows:
        """One row a match, in the order of the readings and of their matches."""
        matched = Matched.of(readings)
        around = windows(matched)
        cues = self._cue_slots(around.before[:, :CUE_REACH])[:, None]
        categories = self._categories.slots(matched)
        categories[categories >= 0] += self._first_category
        sure = np.hstack([self._window_slots(around), cues, categories])
        near, weights, zones = self.surroundings.slots(around)
        near = np.where(near >= 0, near + self.first_surrounding, -1)
        return sparse_rows(
            np.hstack([sure, near]),
            np.hstack([np.ones(sure.shape), weights]),
            np.hstack([_dense(matched), zones]),
        )

    def _window_slots(self, around: Windows) -> IntArray:
        if not len(self.words):
            return np.zeros((len(around), 0), dtype=np.int64)
        numbers = self.words.numbers(window_hashes(around))
        inside = np.hstack([around.inside_before[:, :WINDOW], around.inside_after[:, :WINDOW]])
        buckets = np.where(inside, np.tile(_NEAR, 2), _OUTSIDE)
        buckets[:, WINDOW:] += _BUCKETS_A_SIDE
        result: IntArray = np.where(numbers >= 0, numbers * len(BUCKETS) + buckets, -1)
        return result

    def families(self) -> tuple[list[str], list[str]]:
        """The family of each sparse and each dense column, a name of `MENTION_FAMILIES`."""
        sparse = [WINDOW_WORDS] * self._first_cue
        sparse += ["cues"] * (self._first_category - self._first_cue)
        sparse += [_category_family(name) for name in self.categories]
        sparse += ["surroundings"] * self.surroundings.n_columns
        dense = ["other matches", "other matches", "place and length", "other matches"]
        return sparse, [*dense, "place and length", *(["passages"] * len(ZONE_FEATURES))]

    def _cue_slots(self, before: NDArray[np.uint64]) -> IntArray:
        cues = self._cues.numbers(before)
        nearest = np.argmax(cues >= 0, axis=1)
        cue = cues[np.arange(len(cues)), nearest] if len(cues) else np.zeros(0, dtype=np.int64)
        result: IntArray = np.where(cue >= 0, self._first_cue + cue * 3 + _CUE_BINS[nearest], -1)
        return result

    def column_name(self, column: int) -> str:
        """What a sparse column stands for, for people."""
        if column < self._first_cue:
            word, bucket = divmod(column, len(BUCKETS))
            return f"word {self.words.words[word]!r} ({BUCKETS[bucket]})"
        if column < self._first_category:
            cue, reach = divmod(column - self._first_cue, 3)
            return f"last cue {CUES[cue]!r} ({('near', 'middling', 'far')[reach]})"
        if column < self.first_surrounding:
            return self.categories[column - self._first_category]
        return self.surroundings.column_name(column - self.first_surrounding)


#: The family of the words around a match, each by itself.
WINDOW_WORDS: Final = "window words"
#: Families of features of the mention model, for measuring what each is worth.
MENTION_FAMILIES: Final = (
    *("term", "theme, strength, definition", "headings", "title", "other matches"),
    *("place and length", WINDOW_WORDS, "cues", "surroundings", "passages"),
)
_FAMILY_OF_CATEGORY: Final = (
    ("term=", "term"),
    ("zone=", "headings"),
    ("title", "title"),
    ("strong terms=", "other matches"),
    ("near=", "other matches"),
    ("opens=", "other matches"),
    ("place=", "place and length"),
)


def _category_family(name: str) -> str:
    return next(
        (family for start, family in _FAMILY_OF_CATEGORY if name.startswith(start)),
        "theme, strength, definition",
    )


def _lengths(matched: Matched) -> FloatArray:
    """Log of each text's length: 0 at 2,000 characters, -2.3 at 200."""
    result: FloatArray = np.log(np.maximum(matched.characters, 100) / 2000)
    return result


def _dense(matched: Matched) -> FloatArray:
    """The dense features of each match but for those of its surroundings."""
    owner = matched.owner
    return np.column_stack(
        [
            np.log1p(matched.sizes)[owner] / 2,
            np.log1p(matched.near(NEAR_TOKENS)) / 2,
            matched.start / np.maximum(matched.characters, 1)[owner],
            np.log(matched.same_term()),
            _lengths(matched)[owner],
        ]
    )


_ZONE_GROUPS: Final[Mapping[Zone, int]] = {
    Zone.TITLE: 0,
    Zone.MISSIONS: 1,
    Zone.PROFILE: 2,
    Zone.FIRM: 3,
    Zone.BENEFITS: 4,
    Zone.PROCESS: 4,
    Zone.UNKNOWN: 5,
}
#: Log odds of the summaries, a quarter, where no match counts under a definition.
_NOTHING_FOUND: Final = -2.0
_ZONE_NAMES: Final = ("title", "missions", "profile", "firm", "benefits or process", "unknown")


#: What an offer's matches amount to under one definition; `_summaries` computes it.
_SUMMARY: Final = (
    "surest demand of a match",
    "second surest demand",
    "third surest demand",
    "at least one demand",
    "surest mention",
    "surest demand of an unambiguous term",
    "how many likely demands",
    "mean over the matches",
    *(f"surest demand in zone {zone}" for zone in _ZONE_NAMES),
    "how many matches",
    "no match",
)


#: Families of features of the offer model; without its matches there is no offer model.
OFFER_FAMILIES: Final = ("title words", "text words", "zones of the matches", "length")


class OfferFeatures:
    """Features of whole offers: what the mention model said, and the words of the text.

    Args:
        title_words: Vocabulary of titles.
        text_words: Vocabulary of whole texts.
    """

    DENSE: Final = (
        *(f"{definition}: {name}" for definition in Definition for name in _SUMMARY),
        "length of text",
    )

    def __init__(self, title_words: Sequence[str], text_words: Sequence[str]) -> None:
        self.title_words = Words(title_words, word_keys)
        self.text_words = Words(text_words, word_keys)

    @property
    def n_columns(self) -> int:
        """Number of sparse columns."""
        return len(self.title_words) + len(self.text_words)

    def families(self) -> tuple[list[str], list[str]]:
        """The family of each sparse and each dense column, a name of `OFFER_FAMILIES`."""
        sparse = ["title words"] * len(self.title_words) + ["text words"] * len(self.text_words)
        by_zone = ["zones of the matches" if "in zone" in name else "matches" for name in _SUMMARY]
        return sparse, [*by_zone * len(Definition), "length"]

    def rows(self, readings: Sequence[Reading], said: FloatArray) -> Rows:
        """One row an offer.

        Args:
            readings: Offers with at least one match.
            said: Probabilities of none, mention and demand of all their matches, matches x 3.
        """
        matched = Matched.of(readings)
        split = [title_and_text(reading) for reading in matched]
        places = [
            _once(self.title_words, [title for title, _ in split], 0, self.n_columns),
            _once(
                self.text_words, [text for _, text in split], len(self.title_words), self.n_columns
            ),
        ]
        on = np.sort(np.concatenate(places))
        owner, columns = np.divmod(on, max(self.n_columns, 1))
        indptr = np.searchsorted(owner, np.arange(len(matched) + 1))
        dense = np.column_stack(
            [*(_summaries(matched, said, one) for one in Definition), _lengths(matched)]
        )
        return Rows(indptr, columns, np.ones(len(columns)), dense.reshape(-1, len(self.DENSE)))

    def column_name(self, column: int) -> str:
        """What a sparse column stands for, for people."""
        if column < len(self.title_words):
            return f"title has {self.title_words.words[column]!r}"
        return f"text has {self.text_words.words[column - len(self.title_words)]!r}"


def _once(
    words: Words, texts: Sequence[NDArray[np.uint64]], first: int, n_columns: int
) -> IntArray:
    """Which words each text holds: row x columns + column, each once, in order."""
    if not len(words) or not texts:
        return np.zeros(0, dtype=np.int64)
    numbers = words.numbers(np.concatenate(texts))
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    known = numbers >= 0
    places = np.sort(owner[known] * n_columns + first + numbers[known])
    result: IntArray = places[np.diff(places, prepend=-1) > 0]
    return result


def title_and_text(reading: Reading) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys of the title's tokens, and of all tokens."""
    if reading.tokens is None:
        nothing = np.zeros(0, dtype=np.uint64)
        return nothing, nothing
    return reading.tokens.keys[: reading.title_tokens], reading.tokens.keys


def _summaries(matched: Matched, said: FloatArray, definition: Definition) -> FloatArray:
    """What the matches of each offer amount to; offers x `_SUMMARY`."""
    begins, owner = matched.begins, matched.owner
    counts = matched.definition == DEFINITIONS.index(Definition.STRICT)
    if definition is Definition.STUDY:
        counts = np.ones_like(counts)
    sure = matched.strength == STRENGTHS.index(Strength.STRONG)
    demand = np.where(counts, said[:, DEMAND], 0.0)
    mention = np.where(counts, said[:, MENTION], 0.0)

    best = np.zeros((len(matched), 3))
    order = np.lexsort((-demand, owner))
    rank = np.arange(len(order)) - begins[owner]
    top = rank < best.shape[1]
    best[owner[top], rank[top]] = demand[order][top]
    any_demand = 1 - np.exp(np.add.reduceat(np.log1p(-np.minimum(demand, 1 - 1e-9)), begins))
    zones = np.zeros((len(matched), len(_ZONE_NAMES)))
    groups = np.array([_ZONE_GROUPS[zone] for zone in ZONES])
    np.maximum.at(zones, (owner, groups[matched.zone]), demand)
    found = np.add.reduceat(counts.astype(float), begins)
    tops = [
        *best.T,
        any_demand,
        np.maximum.reduceat(mention, begins),
        np.maximum.reduceat(demand * sure, begins),
    ]
    none = found == 0
    odds = logit(np.column_stack(tops)) / 4
    odds[none] = _NOTHING_FOUND
    return np.column_stack(
        [
            odds,
            np.log1p(np.add.reduceat((demand > 0.5).astype(float), begins)),
            np.add.reduceat(demand, begins) / np.maximum(found, 1),
            zones,
            np.log1p(found) / 2,
            none.astype(float),
        ]
    )
