"""Offers in, judgements out: the one place where matches, models and thresholds meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aiskills.context import OfferReader, Reading
from aiskills.language import language_of
from aiskills.model.features import DEMAND
from aiskills.model.folder import TrainedModel
from aiskills.model.linear import FloatArray, status_probabilities
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
_NO_TEXT: Final = "no text: title and description hold no word"
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
        if len(titles) != len(descriptions):
            raise ValueError(f"{len(titles)} titles and {len(descriptions)} descriptions")
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
            elif not any(map(str.isalnum, reading.folded.text.decode("cp1252"))):
                result.append(Judgement(None, None, None, None, error=_NO_TEXT))
            else:
                result.append(
                    Judgement(
                        Status.NONE,
                        Status.NONE,
                        0.0,
                        0.0,
                        language=language_of(reading.folded),
                        cues=kinds_text(reading.cues),
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
        can_differ = any(match.term.can_differ for match in reading.matches)
        strict_score = float(chances[Definition.STRICT][DEMAND])
        study_score = float(chances[Definition.STUDY][DEMAND])
        status = {Definition.STRICT: Status.NONE}
        if can_be_strict:
            status[Definition.STRICT] = self._status(Definition.STRICT, strict_score, chances)
            # What is AI proper is AI in the wider sense too; and where nothing else was found, the
            # two definitions cannot differ.
            study_score = max(study_score, strict_score)
        else:
            strict_score = 0.0
        if can_differ:
            own = self._status(Definition.STUDY, study_score, chances)
            status[Definition.STUDY] = max(own, status[Definition.STRICT], key=STATUS_ORDER.index)
        else:
            study_score = strict_score
            status[Definition.STUDY] = status[Definition.STRICT]
        meant = _match_statuses(reading, said, status)
        asked = {
            match.term.theme
            for match, its in zip(reading.matches, meant, strict=True)
            if its is Status.DEMAND
        }
        return Judgement(
            status[Definition.STRICT],
            status[Definition.STUDY],
            strict_score,
            study_score,
            tuple(theme for theme in THEMES if theme in asked),
            _evidence(reading, said, meant),
            language_of(reading.folded),
            cues=kinds_text(reading.cues),
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
        return _NO_TEXT
    if len(title) + len(description) > MAX_TEXT_CHARS:
        return f"text of {len(title) + len(description):,} characters, over {MAX_TEXT_CHARS:,}"
    return ""


def _match_statuses(
    reading: Reading, said: FloatArray, status: Mapping[Definition, Status]
) -> list[Status]:
    """What each match means, in keeping with the offer: none above it, one that bears it out."""
    terms = [match.term for match in reading.matches]
    most = [status[Definition.STUDY if term.can_differ else Definition.STRICT] for term in terms]
    meant = [
        min(STATUS_ORDER[int(best)], cap, key=STATUS_ORDER.index)
        for best, cap in zip(np.argmax(said, axis=1), most, strict=True)
    ]
    for definition in Definition:
        wanted = status[definition]
        places = [
            place
            for place, (term, cap) in enumerate(zip(terms, most, strict=True))
            if STATUS_ORDER.index(cap) >= STATUS_ORDER.index(wanted)
            and (definition is Definition.STUDY or term.definition is Definition.STRICT)
        ]
        if wanted is Status.NONE or any(meant[place] is wanted for place in places):
            continue
        column = STATUS_ORDER.index(wanted)
        meant[max(places, key=lambda place: said[place, column])] = wanted
    return meant


def _evidence(reading: Reading, said: FloatArray, meant: Sequence[Status]) -> tuple[Evidence, ...]:
    """The matches that speak for the judgement, the strongest of them in the order of the text."""
    told = [place for place, its in enumerate(meant) if its is not Status.NONE]
    told.sort(key=lambda place: (meant[place] is not Status.DEMAND, -said[place, DEMAND]))
    return tuple(
        _piece(reading, place, meant[place], said) for place in sorted(told[:MAX_EVIDENCE])
    )


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
