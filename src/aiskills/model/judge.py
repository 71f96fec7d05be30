"""Offers in, judgements out: the one place where matches, models and thresholds meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aiskills.context import OfferReader, Reading
from aiskills.language import language_of
from aiskills.model.features import DEMAND, MENTION
from aiskills.model.folder import TrainedModel
from aiskills.model.linear import FloatArray, status_probabilities
from aiskills.phrases import Headings, Lexicon, Scanner
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
#: Offers read and scored in one go; more costs memory and gains no speed.
BATCH: Final = 128


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
    """

    strict: Status | None
    study: Status | None
    strict_score: float | None
    study_score: float | None
    themes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    language: Language | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """Offers with at least one match, and what the models say of them.

    Attributes:
        readings: The offers.
        matches: Probabilities of none, mention, demand of all matches, matches x 3.
        offers: The same of the offers by definition, calibrated, offers x 3.
    """

    readings: list[Reading]
    matches: FloatArray
    offers: Mapping[Definition, FloatArray]


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
        self._reader = OfferReader(Scanner(self.lexicon, Headings.default()))

    def judge(self, titles: Sequence[str], descriptions: Sequence[str]) -> list[Judgement]:
        """Judges offers.

        Args:
            titles: Titles, empty strings where there is none.
            descriptions: Descriptions, likewise; as many.

        Returns:
            One judgement an offer, in order. An offer without text, or longer than
            `MAX_TEXT_CHARS`, has an `error` and no status.
        """
        result: list[Judgement] = []
        for begin in range(0, len(titles), BATCH):
            result += self._batch(
                titles[begin : begin + BATCH], descriptions[begin : begin + BATCH]
            )
        return result

    def read(self, title: str, description: str) -> Reading:
        """One offer as the models see it."""
        return next(iter(self._reader.read([title], [description])))

    def score(self, readings: Sequence[Reading]) -> Scored:
        """Scores of offers; those without a match are left out."""
        matched = [reading for reading in readings if reading.matches]
        if not matched:
            nothing = np.zeros((0, len(STATUS_ORDER)))
            return Scored([], nothing, dict.fromkeys(Definition, nothing))
        said = self.model.mention.probabilities(self.model.mention_features.rows(matched))
        rows = self.model.offer_features.rows(matched, said)
        offers = {}
        for definition in Definition:
            log_odds = self.model.offers[definition].log_odds(rows)
            calibration = self.model.calibration[definition]
            log_odds[:, 0] = calibration.slope * log_odds[:, 0] + calibration.shift
            offers[definition] = status_probabilities(log_odds)
        return Scored(matched, said, offers)

    def _batch(self, titles: Sequence[str], descriptions: Sequence[str]) -> list[Judgement]:
        errors = [_unjudgeable(t, d) for t, d in zip(titles, descriptions, strict=True)]
        readings = list(
            self._reader.read(
                ["" if error else title for title, error in zip(titles, errors, strict=True)],
                ["" if error else text for text, error in zip(descriptions, errors, strict=True)],
            )
        )
        scored = self.score(readings)
        judged = iter(self._judgements(scored))
        result = []
        for reading, error in zip(readings, errors, strict=True):
            if error:
                result.append(Judgement(None, None, None, None, error=error))
            elif reading.matches:
                result.append(next(judged))
            else:
                result.append(
                    Judgement(
                        Status.NONE, Status.NONE, 0.0, 0.0, language=language_of(reading.folded)
                    )
                )
        return result

    def _judgements(self, scored: Scored) -> list[Judgement]:
        at = 0
        result = []
        for number, reading in enumerate(scored.readings):
            said = scored.matches[at : at + len(reading.matches)]
            at += len(reading.matches)
            chances = {d: scored.offers[d][number] for d in Definition}
            result.append(self._judgement(reading, said, chances))
        return result

    def _judgement(
        self, reading: Reading, said: FloatArray, chances: Mapping[Definition, FloatArray]
    ) -> Judgement:
        can_be_strict = any(m.term.definition is Definition.STRICT for m in reading.matches)
        strict_score = float(chances[Definition.STRICT][DEMAND]) if can_be_strict else 0.0
        # What is AI proper is AI in the wider sense too.
        study_score = max(float(chances[Definition.STUDY][DEMAND]), strict_score)
        strict = (
            self._status(Definition.STRICT, strict_score, chances) if can_be_strict else Status.NONE
        )
        study = self._status(Definition.STUDY, study_score, chances)
        study = max(study, strict, key=STATUS_ORDER.index)
        evidence = _evidence(reading, said, {Definition.STRICT: strict, Definition.STUDY: study})
        asked = {piece.theme for piece in evidence if piece.status is Status.DEMAND}
        return Judgement(
            strict,
            study,
            strict_score,
            study_score,
            tuple(theme for theme in THEMES if theme in asked),
            evidence,
            language_of(reading.folded),
        )

    def _status(
        self, definition: Definition, score: float, chances: Mapping[Definition, FloatArray]
    ) -> Status:
        if score >= self.thresholds[definition]:
            return Status.DEMAND
        none, mention, _ = chances[definition]
        return Status.MENTION if mention > none else Status.NONE


def _unjudgeable(title: str, description: str) -> str:
    """Why an offer cannot be judged; empty if it can."""
    if not title.strip() and not description.strip():
        return "no text: title and description are empty"
    if len(title) + len(description) > MAX_TEXT_CHARS:
        return f"text of {len(title) + len(description):,} characters, over {MAX_TEXT_CHARS:,}"
    return ""


def _evidence(
    reading: Reading, said: FloatArray, status: Mapping[Definition, Status]
) -> tuple[Evidence, ...]:
    """The matches that bear out an offer's statuses: none above them, and at least one at each."""
    most = {
        place: status[match.term.definition]
        if match.term.definition is Definition.STRICT
        else status[Definition.STUDY]
        for place, match in enumerate(reading.matches)
    }
    own = {
        place: min(STATUS_ORDER[int(np.argmax(said[place]))], cap, key=STATUS_ORDER.index)
        for place, cap in most.items()
    }
    for definition in Definition:
        _bear_out(reading, said, own, definition, status[definition])
    told = [place for place, its in own.items() if its is not Status.NONE]
    told.sort(key=lambda place: (own[place] is not Status.DEMAND, -said[place, DEMAND]))
    return tuple(_piece(reading, place, own[place], said) for place in sorted(told[:MAX_EVIDENCE]))


def _bear_out(
    reading: Reading,
    said: FloatArray,
    own: dict[int, Status],
    definition: Definition,
    status: Status,
) -> None:
    """Where the offer as a whole is judged higher than each match, its best match carries it."""
    places = [
        place
        for place, match in enumerate(reading.matches)
        if definition is Definition.STUDY or match.term.definition is Definition.STRICT
    ]
    if status is Status.NONE or any(
        STATUS_ORDER.index(own[place]) >= STATUS_ORDER.index(status) for place in places
    ):
        return
    column = DEMAND if status is Status.DEMAND else MENTION
    own[max(places, key=lambda place: said[place, column])] = status


def _piece(reading: Reading, place: int, status: Status, said: FloatArray) -> Evidence:
    match = reading.matches[place]
    begin, stop = reading.folded.span(match.start, match.end)
    field, start, end = reading.field_span(match)
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
        round(float(said[place, DEMAND]), 4),
    )
