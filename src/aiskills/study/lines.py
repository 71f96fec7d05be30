"""The lines of the comparison: our figure, the verdict, what is missing, why they may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiskills.schema import Definition
from aiskills.study.answers import Answers, strict_counts
from aiskills.study.cover import Cover, Wanted, months_between
from aiskills.study.published import Figure, OtherFigure, Published
from aiskills.study.record import Context, Leader, Line, Ours
from aiskills.study.verdicts import judged, judged_leaders
from aiskills.study.words import Words

#: Unknown offers are worth a line from this share on.
_WORTH_SAYING: Final = 0.01


class Teller:
    """Makes the lines of the comparison.

    Args:
        answers: Gives our figures.
        cover: Says which offers there are.
        facts: The published figures.
        words: Texts in one language.
        main: The definition that is compared.
    """

    def __init__(
        self, answers: Answers, cover: Cover, facts: Published, words: Words, main: Definition
    ) -> None:
        self.answers, self.cover, self.facts, self.words = answers, cover, facts, words
        self.nothing = Ours(main.value, "any")
        self.cadre = answers.base.population == "cadre"

    def line(self, figure: Figure) -> Line:
        """A published figure and ours."""
        missing = self._missing(figure)
        if figure.kind == "leaders":
            return self._leaders(figure, missing)
        sides = [(Definition(self.nothing.definition), "any")]
        sides += [(definition, "demand") for definition in (Definition.STUDY, Definition.STRICT)]
        if missing:
            found = [Ours(definition.value, status, note=missing) for definition, status in sides]
        else:
            found = [self._told(figure, self.answers.figure(figure, *side)) for side in sides]
        ours = found[0]
        verdict = judged(figure, ours)
        reasons = self._reasons(figure, ours, verdict)
        return _line(
            figure, self.words,
            {"ours": ours, "beside": tuple(found[1:]), "verdict": verdict,
             "missing": ours.note, "reasons": tuple(reasons)},
        )  # fmt: skip

    def context(self, other: OtherFigure) -> Context:
        """A figure of another measure and our nearest line."""
        ours = None
        if other.definition:
            nothing = Ours(other.definition, other.status)
            ours = self.answers.share(other.window, nothing)
            if ours.value is None:
                ours = replace(ours, note=self._no_offers(other.window))
        return Context(
            other.source, other.texts[self.words.lang], other.periods[self.words.lang],
            other.value, other.count, ours,
        )  # fmt: skip

    def _leaders(self, figure: Figure, missing: str) -> Line:
        every: list[Leader] = []
        if not missing:
            every = self.answers.leaders(figure, self.nothing)
            missing = "" if every else self.words("no_leaders")
        verdict = "missing" if missing else judged_leaders(figure, every)
        ours = replace(
            self.nothing,
            note=missing,
            count=sum(one.count for one in every if one.label in figure.labels) or None,
            of=sum(one.count for one in every) or None,
        )
        return _line(
            figure, self.words,
            {"ours": ours, "beside": (), "verdict": verdict, "missing": missing,
             "leaders": self.answers.shown_leaders(figure, every),
             "reasons": tuple(self._reasons(figure, ours, verdict))},
        )  # fmt: skip

    def _periods(self, figure: Figure) -> tuple[str, ...]:
        """The periods of which offers are needed: one, or the two that growth compares."""
        if figure.kind == "growth":
            return tuple(figure.window.split(":"))
        return (figure.window,)

    def _wanted(self, figure: Figure, window: str) -> Wanted:
        return Wanted(months_between(window), self.cadre, figure.perimeter)

    def _missing(self, figure: Figure) -> str:
        """What the data lack for a figure, in words; empty if nothing."""
        where = self.words("in_industry" if figure.perimeter == "industry" else "in_others")
        for window in self._periods(figure):
            wanted = self._wanted(figure, window)
            if self.cover.offers(wanted):
                continue
            every = self.cover.offers(Wanted(wanted.months, cadre=False, perimeter="all"))
            told = {"window": self.words.window(window), "offers": self.words.count(every),
                    "perimeter": where}  # fmt: skip
            if not every:
                return self._no_offers(window)
            if not self.cover.offers(replace(wanted, perimeter="all")):
                return self.words("no_cadre", **told)
            if not self.cover.offers(replace(wanted, cadre=False)):
                return self.words("no_industry", **told)
            return self.words("no_both", **told)
        return ""

    def _no_offers(self, window: str) -> str:
        span = self.cover.span()
        seen = self.words("seen_none")
        if span is not None:
            seen = self.words("seen", first=span[0], last=span[1])
        return self.words("no_offers", window=self.words.window(window), seen=seen)

    def _told(self, figure: Figure, ours: Ours) -> Ours:
        """Our figure; with the reason, if there is none."""
        if ours.value is not None:
            return ours
        if not strict_counts(figure, ours.definition):
            return replace(ours, note=self.words("not_counted"))
        if figure.kind == "growth":
            first = figure.window.partition(":")[0]
            return replace(ours, note=self.words("no_growth", first=first))
        offers = self.cover.offers(self._wanted(figure, figure.window))
        told = {"offers": self.words.count(offers), "label": figure.label}
        parts = figure.kind == "part"
        flagged = parts and self.answers.leaders(figure, ours)
        return replace(ours, note=self.words("no_label" if flagged else "no_flagged", **told))

    def _reasons(self, figure: Figure, ours: Ours, verdict: str) -> list[str]:
        words, found = self.words, []
        if verdict == "inconclusive":
            found.append(words("overlap" if figure.kind == "leaders" else "wide"))
        missing, months = 0, 0
        for window in self._periods(figure):
            gap = self.cover.months_without(self._wanted(figure, window))
            missing, months = missing + gap[0], months + gap[1]
        if missing and verdict != "missing":
            found.append(words("months_missing", missing=str(missing), months=str(months)))
        unknown = self.cover.unknown(self._wanted(figure, figure.window))
        if self.cadre and unknown[0] >= _WORTH_SAYING:
            found.append(words("cadre_unknown", share=words.percent(unknown[0])))
        if figure.perimeter != "all" and unknown[1] >= _WORTH_SAYING:
            found.append(words("perimeter_unknown", share=words.percent(unknown[1])))
        if figure.kind == "part" and ours.least is not None and ours.most is not None:
            hidden = self.answers.unknown_part(figure, self.nothing)
            if hidden >= _WORTH_SAYING:
                found.append(words("label_unknown", share=words.percent(hidden),
                                   least=words.percent(ours.least),
                                   most=words.percent(ours.most)))  # fmt: skip
        if verdict == "missing":
            return found
        if not figure.window_told:
            found.append(words("window_assumed"))
        return found + [text for key in figure.reasons if (text := self._reason(key))]

    def _reason(self, key: str) -> str:
        if key != "iot_weight":
            return self.words(key)
        nothing = replace(self.nothing, definition=Definition.STUDY.value)
        iot, words = self.answers.iot(self.facts.figures, nothing), self.words
        if iot.value is None or iot.count is None or iot.of is None:
            return ""
        return words(key, share=words.percent(iot.value), count=words.count(iot.count),
                     of=words.count(iot.of))  # fmt: skip


def _line(figure: Figure, words: Words, parts: Mapping[str, Any]) -> Line:
    return Line(
        id=figure.id,
        label=figure.texts[words.lang],
        kind=figure.kind,
        window=figure.window,
        published=figure.value,
        published_low=figure.low,
        published_high=figure.high,
        published_labels=figure.labels,
        **{"leaders": (), **parts},
    )
