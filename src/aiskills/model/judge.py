"""Offers in, judgements out: the one place where matches, models and thresholds meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from aiskills.context import OfferReader, OfferTexts, Reading
from aiskills.language import languages_of
from aiskills.model.features import DEMAND, MENTION
from aiskills.model.folder import TrainedModel
from aiskills.model.linear import FloatArray, status_probabilities
from aiskills.model.matched import DEFINITIONS, IntArray, Matched
from aiskills.phrases import Headings, Lexicon, Scanner, kinds_text
from aiskills.repair import FIELD_BREAK
from aiskills.schema import (
    MAX_TEXT_CHARS,
    STATUS_ORDER,
    THEMES,
    Definition,
    Language,
    Status,
    Zone,
)
from aiskills.text import FoldedBatch

#: So many pieces of evidence at most are kept of one offer, the strongest.
MAX_EVIDENCE: Final = 20
NONE: Final = STATUS_ORDER.index(Status.NONE)
_DEFINITIONS: Final = (Definition.STRICT, Definition.STUDY)
_NO_TEXT: Final = "no text: title and description hold no word"
#: Offers folded and searched in one go at most, and their characters: the more, the longer the
#: automaton stays in the processor's cache.
BATCH: Final = 1_024
BATCH_CHARS: Final = 4_000_000
#: Offers with a match that are scored in one go, which fills the cache.
MATCHED: Final = 256


@dataclass(frozen=True, slots=True)
class Evidence:
    """One match that speaks for the judgement.

    Attributes:
        term: The lexicon's name of what was found.
        quote: The words of the offer, letter by letter.
        start: Offset of the quote in its field, in characters.
        end: Exclusive end.
        field: ``title`` or ``description``.
        zone: Part of the offer.
        theme: Theme of the term.
        definition: The narrowest definition under which the term counts.
        status: What the match means: demand or mention.
        score: Probability that it is a demand, 0 to 1.
    """

    term: str
    quote: str
    start: int
    end: int
    field: str
    zone: Zone
    theme: str
    definition: Definition
    status: Status
    score: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What aiskills says of one offer.

    Attributes:
        strict: Status under the strict definition; None if the offer could not be judged.
        study: Status under the study definition, never weaker; None likewise.
        strict_score: Calibrated probability of demand under strict, 0 to 1; None likewise.
        study_score: The same under study.
        themes: Themes asked for, in the order of `aiskills.schema.THEMES`.
        evidence: The matches behind it, in the order of the text; at most `MAX_EVIDENCE`.
        language: Language of the text; None if not judged.
        error: Why the offer could not be judged, else empty.
        cues: Kinds of other phrases that the text holds (`aiskills.phrases.CueKind`), joined by
            ``|``; they tell cadre status and intermediaries.
    """

    strict: Status | None
    study: Status | None
    strict_score: float | None
    study_score: float | None
    themes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    language: Language | None = None
    error: str = ""
    cues: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """Offers with at least one match, and what the models say of them.

    Attributes:
        readings: The offers.
        matches: Probabilities of none, mention, demand of all matches, matches x 3.
        offers: The same of the offers by definition, calibrated, offers x 3.
    """

    readings: Matched
    matches: FloatArray
    offers: Mapping[Definition, FloatArray]


@dataclass(slots=True)
class JudgedColumns:
    """Judgements of offers as columns: one list an attribute of `Judgement`, a value an offer."""

    strict: list[Status | None]
    study: list[Status | None]
    strict_score: list[float | None]
    study_score: list[float | None]
    themes: list[tuple[str, ...]]
    evidence: list[tuple[Evidence, ...]]
    language: list[Language | None]
    error: list[str]
    cues: list[str]

    @classmethod
    def of(cls, offers: int) -> JudgedColumns:
        """So many offers without a match."""
        return cls(
            strict=[Status.NONE] * offers,
            study=[Status.NONE] * offers,
            strict_score=[0.0] * offers,
            study_score=[0.0] * offers,
            themes=[()] * offers,
            evidence=[()] * offers,
            language=[Language.FR] * offers,
            error=[""] * offers,
            cues=[""] * offers,
        )

    def columns(self) -> tuple[list[Any], ...]:
        """The columns in the order of the attributes of `Judgement`."""
        return tuple(getattr(self, name) for name in JudgedColumns.__slots__)

    def set(self, offer: int, *values: object) -> None:
        """Replaces the first values of an offer, in the order of the attributes of `Judgement`."""
        for column, value in zip(self.columns(), values, strict=False):
            column[offer] = value

    def cannot(self, offer: int, why: str) -> None:
        """Says why an offer could not be judged."""
        self.set(offer, None, None, None, None, (), (), None, why, "")


#: Status under strict and study, scores likewise, themes and evidence.
_Found = tuple[Status, Status, float, float, tuple[str, ...], tuple[Evidence, ...]]
#: Whether a byte of folded text is a letter or digit.
_OF_WORD: Final = np.array(
    [bytes([code]).decode("cp1252", "replace").isalnum() for code in range(256)]
)


class Judge:
    """Judges offers with a trained model and a lexicon.

    Args:
        model: The trained model.
        lexicon: The terms; None for the default ones.
        thresholds: Score from which an offer is a demand, by definition; None for the model's own.
    """

    def __init__(
        self,
        model: TrainedModel,
        lexicon: Lexicon | None = None,
        thresholds: Mapping[Definition, float] | None = None,
    ) -> None:
        self.model = model
        self.lexicon = lexicon or Lexicon.default()
        self.thresholds = {**model.thresholds, **(thresholds or {})}

    @cached_property
    def _reader(self) -> OfferReader:
        """Made when the first offer is read: some only ask for versions."""
        return OfferReader(Scanner(self.lexicon, Headings.default()))

    def judge(self, titles: Sequence[str], descriptions: Sequence[str]) -> list[Judgement]:
        """Judges offers.

        Args:
            titles: Titles, empty strings where there is none.
            descriptions: Descriptions, likewise; as many.

        Returns:
            One judgement an offer, in order. An offer without text, or longer than
            `MAX_TEXT_CHARS`, has an `error` and no status.
        """
        columns = self.columns(OfferTexts.of(titles, descriptions)).columns()
        return [Judgement(*row) for row in zip(*columns, strict=True)]

    def columns(self, texts: OfferTexts) -> JudgedColumns:
        """The same as columns, for those who want them: objects cost their making.

        Args:
            texts: The texts of the offers.
        """
        sizes = np.array([len(text) - len(FIELD_BREAK) for text in texts.given], dtype=np.int64)
        result = JudgedColumns.of(len(texts))
        waiting: list[tuple[int, Reading]] = []
        for part in _parts(sizes):
            for number, reading in self._look(texts.part(part), sizes[part], part.start, result):
                waiting.append((number, reading))
                if len(waiting) == MATCHED:
                    self._score_into(result, waiting)
                    waiting = []
        self._score_into(result, waiting)
        return result

    def read(self, title: str, description: str) -> Reading:
        """One offer as the models see it."""
        return next(iter(self._reader.read([title], [description])))

    def score(self, readings: Sequence[Reading]) -> Scored:
        """Scores of offers; those without a match are left out."""
        matched = Matched([reading for reading in readings if reading.matches])
        if not matched:
            nothing = np.zeros((0, len(STATUS_ORDER)))
            return Scored(matched, nothing, dict.fromkeys(Definition, nothing))
        said = self.model.mention.probabilities(self.model.mention_features.rows(matched))
        rows = self.model.offer_features.rows(matched, said)
        offers = {}
        for definition in Definition:
            log_odds = self.model.offers[definition].log_odds(rows)
            calibration = self.model.calibration[definition]
            log_odds[:, 0] = calibration.slope * log_odds[:, 0] + calibration.shift
            offers[definition] = status_probabilities(log_odds)
        return Scored(matched, said, offers)

    def _look(
        self, texts: OfferTexts, sizes: IntArray, first: int, result: JudgedColumns
    ) -> Iterator[tuple[int, Reading]]:
        """Says what a first look tells of offers, of which the first has the number `first`.

        Yields:
            Numbers and readings of those with a match, of which more is to be said.
        """
        long = np.flatnonzero(sizes > MAX_TEXT_CHARS).tolist()
        if long:
            given = list(texts.given)
            for number in long:
                given[number] = ""
            texts = OfferTexts(given, texts.title_chars)
        looked = self._reader.look(texts)
        result.language[first : first + len(texts)] = languages_of(looked.batch)
        for number, found in looked.found.items():
            if found.cues:
                result.cues[first + number] = kinds_text(found.cues)
        for number in _without_word(looked.batch):
            result.cannot(first + number, _NO_TEXT)
        for number in long:
            why = f"text of {sizes[number]:,} characters, over {MAX_TEXT_CHARS:,}"
            result.cannot(first + number, why)
        matched = looked.matched()
        for begin in range(0, len(matched), MATCHED):
            numbers = matched[begin : begin + MATCHED]
            readings = self._reader.closely(looked, numbers)
            yield from zip((first + number for number in numbers), readings, strict=True)

    def _score_into(self, result: JudgedColumns, waiting: Sequence[tuple[int, Reading]]) -> None:
        """Says what the models tell of offers with a match."""
        judged = self._judgements(self.score([reading for _, reading in waiting]))
        for (number, _), its in zip(waiting, judged, strict=True):
            result.set(number, *its)

    def _judgements(self, scored: Scored) -> Iterator[_Found]:
        """What is found of each offer with a match."""
        matched, said = scored.readings, scored.matches
        if not matched:
            return
        status, score = self._statuses(scored)
        meant = _meant(matched, said, status)
        demand = said[:, DEMAND].tolist()
        asked = np.zeros((len(matched), len(THEMES)), dtype=bool)
        its = meant == DEMAND
        asked[matched.owner[its], matched.theme[its]] = True
        bounds = [*matched.begins.tolist(), len(said)]
        strict, study = (status[definition].tolist() for definition in _DEFINITIONS)
        strict_score, study_score = (score[definition].tolist() for definition in _DEFINITIONS)
        told = meant.tolist()
        for number, reading in enumerate(matched):
            part = slice(bounds[number], bounds[number + 1])
            yield (
                STATUS_ORDER[strict[number]],
                STATUS_ORDER[study[number]],
                strict_score[number],
                study_score[number],
                tuple(THEMES[place] for place in np.flatnonzero(asked[number]).tolist()),
                _evidence(reading, demand[part], told[part]),
            )

    def _statuses(
        self, scored: Scored
    ) -> tuple[dict[Definition, IntArray], dict[Definition, FloatArray]]:
        """Status, a place in `STATUS_ORDER`, and score of each offer under both definitions."""
        matched = scored.readings
        can_be_strict = matched.any_of(matched.definition == DEFINITIONS.index(Definition.STRICT))
        can_differ = matched.any_of(matched.can_differ)
        strict_score = np.where(can_be_strict, scored.offers[Definition.STRICT][:, DEMAND], 0.0)
        strict = self._status(Definition.STRICT, strict_score, scored)
        strict[~can_be_strict] = NONE
        # What is AI proper is AI in the wider sense too; and where nothing else was found, the two
        # definitions cannot differ.
        study_score = np.maximum(scored.offers[Definition.STUDY][:, DEMAND], strict_score)
        study = np.maximum(self._status(Definition.STUDY, study_score, scored), strict)
        study_score = np.where(can_differ, study_score, strict_score)
        study = np.where(can_differ, study, strict)
        return (
            {Definition.STRICT: strict, Definition.STUDY: study},
            {Definition.STRICT: strict_score, Definition.STUDY: study_score},
        )

    def _status(self, definition: Definition, score: FloatArray, scored: Scored) -> IntArray:
        none, mention, _ = scored.offers[definition].T
        weaker = np.where(mention > none, MENTION, NONE)
        result: IntArray = np.where(score >= self.thresholds[definition], DEMAND, weaker)
        return result


def _parts(sizes: IntArray) -> Iterator[slice]:
    """Offers to judge in one go, by their sizes."""
    read = np.cumsum(np.minimum(sizes, MAX_TEXT_CHARS))
    begin = done = 0
    while begin < len(sizes):
        end = int(np.searchsorted(read, done + BATCH_CHARS, side="right"))
        end = min(max(end, begin + 1), begin + BATCH)
        yield slice(begin, end)
        begin, done = end, int(read[end - 1])


def _without_word(batch: FoldedBatch) -> list[int]:
    """Numbers of the texts that hold no letter or digit."""
    letters = np.frombuffer(batch.text, dtype=np.uint8)
    # Nearly every text begins with a word.
    odd = np.flatnonzero(~_OF_WORD[letters[batch.starts + 1]])
    bounds = zip(odd.tolist(), batch.starts[odd].tolist(), batch.ends[odd].tolist(), strict=True)
    return [number for number, begin, end in bounds if not _OF_WORD[letters[begin:end]].any()]


def _meant(matched: Matched, said: FloatArray, status: Mapping[Definition, IntArray]) -> IntArray:
    """What each match means, in keeping with the offer: none above it, one that bears it out."""
    owner = matched.owner
    strict = matched.definition == DEFINITIONS.index(Definition.STRICT)
    most = np.where(
        matched.can_differ, status[Definition.STUDY][owner], status[Definition.STRICT][owner]
    )
    meant: IntArray = np.minimum(np.argmax(said, axis=1), most)
    for definition in Definition:
        wanted = status[definition]
        fit = (most >= wanted[owner]) & (strict | (definition is Definition.STUDY))
        borne_out = matched.any_of(fit & (meant == wanted[owner]))
        for offer in np.flatnonzero((wanted != NONE) & ~borne_out).tolist():
            first = int(matched.begins[offer])
            places = first + np.flatnonzero(fit[first : first + int(matched.sizes[offer])])
            meant[places[np.argmax(said[places, wanted[offer]])]] = wanted[offer]
    return meant


def _evidence(
    reading: Reading, demand: Sequence[float], meant: Sequence[int]
) -> tuple[Evidence, ...]:
    """The matches that speak for the judgement, the strongest of them in the order of the text."""
    told = [place for place, its in enumerate(meant) if its != NONE]
    if len(told) > MAX_EVIDENCE:
        told.sort(key=lambda place: (meant[place] != DEMAND, -demand[place]))
        told = sorted(told[:MAX_EVIDENCE])
    return tuple(
        _piece(reading, place, STATUS_ORDER[meant[place]], demand[place]) for place in told
    )


def _piece(reading: Reading, place: int, status: Status, demand: float) -> Evidence:
    match = reading.matches[place]
    begin, stop = reading.folded.span(match.start, match.end)
    field, start, end = reading.field_of(begin, stop)
    return Evidence(
        match.term.term,
        reading.given[begin:stop],
        start,
        end,
        field,
        reading.zones[place],
        match.term.theme,
        match.term.definition,
        status,
        round(demand, 4),
    )
