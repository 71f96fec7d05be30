"""Offers in, judgements out: the one place where matches, models and thresholds meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from aiskills.context import OfferReader, Reading
from aiskills.language import languages_of
from aiskills.model.features import DEMAND, MENTION
from aiskills.model.folder import TrainedModel
from aiskills.model.linear import FloatArray, status_probabilities
from aiskills.model.matched import DEFINITIONS, IntArray, Matched
from aiskills.phrases import Headings, Lexicon, Scanner, kinds_text
from aiskills.schema import (
    MAX_TEXT_CHARS,
    STATUS_ORDER,
    THEMES,
    Definition,
    Language,
    Status,
    Zone,
)

#: So many pieces of evidence at most are kept of one offer, the strongest.
MAX_EVIDENCE: Final = 20
NONE: Final = STATUS_ORDER.index(Status.NONE)
_DEFINITIONS: Final = (Definition.STRICT, Definition.STUDY)
_NO_TEXT: Final = "no text: title and description hold no word"
#: Offers read and scored in one go at most, and their characters; more costs memory and gains no
#: speed.
BATCH: Final = 512
BATCH_CHARS: Final = 2_000_000


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


#: Bytes of a text that are searched for a word before the whole of it is.
_LOOK_FIRST: Final = 50
#: Status under strict and study, scores likewise, themes and evidence.
_Found = tuple[Status, Status, float, float, tuple[str, ...], tuple[Evidence, ...]]
_NOTHING_FOUND: Final[_Found] = (Status.NONE, Status.NONE, 0.0, 0.0, (), ())
#: The attributes of a `Judgement`, in order.
Row = tuple[
    Status | None,
    Status | None,
    float | None,
    float | None,
    tuple[str, ...],
    tuple[Evidence, ...],
    Language | None,
    str,
    str,
]


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
        return [Judgement(*row) for row in self.rows(titles, descriptions)]

    def rows(self, titles: Sequence[str], descriptions: Sequence[str]) -> list[Row]:
        """The same as bare tuples, for those who want columns: objects cost their making.

        Args:
            titles: Titles, empty strings where there is none.
            descriptions: Descriptions, likewise; as many.

        Returns:
            For each offer what `Judgement` holds, in the order of its attributes.
        """
        if len(titles) != len(descriptions):
            raise ValueError(f"{len(titles)} titles and {len(descriptions)} descriptions")
        result: list[Row] = []
        begin = chars = 0
        for number, (title, text) in enumerate(zip(titles, descriptions, strict=True)):
            size = min(len(title) + len(text), MAX_TEXT_CHARS)
            if number - begin == BATCH or (number > begin and chars + size > BATCH_CHARS):
                result += self._batch(titles[begin:number], descriptions[begin:number])
                begin, chars = number, 0
            chars += size
        return result + self._batch(titles[begin:], descriptions[begin:])

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

    def _batch(self, titles: Sequence[str], descriptions: Sequence[str]) -> list[Row]:
        errors = [_unjudgeable(t, d) for t, d in zip(titles, descriptions, strict=True)]
        if any(errors):
            titles = ["" if error else one for one, error in zip(titles, errors, strict=True)]
            descriptions = [
                "" if error else one for one, error in zip(descriptions, errors, strict=True)
            ]
        looked = self._reader.look(titles, descriptions)
        languages = languages_of(looked.texts)
        judged = self._judgements(self.score(looked.matched))
        result: list[Row] = []
        for folded, found, error, language in zip(
            looked.texts, looked.found, errors, languages, strict=True
        ):
            if found.matches:
                its = next(judged)
            elif error or not _has_word(folded.text):
                result.append((None, None, None, None, (), (), None, error or _NO_TEXT, ""))
                continue
            else:
                its = _NOTHING_FOUND
            result.append((*its, language, "", kinds_text(found.cues) if found.cues else ""))
        return result

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


def _has_word(text: bytes) -> bool:
    """Whether a folded text holds a letter or digit; nearly always its beginning does."""
    return any(
        any(map(str.isalnum, piece.decode("cp1252"))) for piece in (text[:_LOOK_FIRST], text)
    )


def _unjudgeable(title: str, description: str) -> str:
    """Why an offer cannot be judged; empty if it can."""
    if not title.strip() and not description.strip():
        return _NO_TEXT
    if len(title) + len(description) > MAX_TEXT_CHARS:
        return f"text of {len(title) + len(description):,} characters, over {MAX_TEXT_CHARS:,}"
    return ""


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
