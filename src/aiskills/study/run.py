"""The published figures beside those of the user's own offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypedDict, Unpack

from aiskills.errors import UsageError
from aiskills.estimate.classification import ErrorRates
from aiskills.estimate.corrections import audit_rates
from aiskills.estimate.options import Question
from aiskills.estimate.scored import open_scored
from aiskills.files.notes import Note, ignore
from aiskills.schema import Definition
from aiskills.study.answers import Answers
from aiskills.study.cover import Cover
from aiskills.study.lines import Teller
from aiskills.study.published import LANGUAGES, published
from aiskills.study.record import Study
from aiskills.study.slim import Slim, read_slim
from aiskills.study.words import Words

#: Readings of the comparator growth.
COMPARATORS: Final = ("both", "others", "all")


class StudyOptions(TypedDict, total=False):
    """Options that decide what is counted."""

    definition: str
    population: str
    perimeter: str
    comparator: str
    dedupe: bool | None
    cluster: str | None
    level: float


def study(
    data: Any,
    *,
    lang: str = "fr",
    encoding: str | None = None,
    separator: str | None = None,
    note: Note = ignore,
    **options: Unpack[StudyOptions],
) -> Study:
    """Puts the figures of the Apec / OPCO 2i study beside those of other offers.

    Args:
        data: Scored offers: paths, a pandas or polars DataFrame, or a pyarrow Table, with the
            columns that `aiskills classify` adds.
        lang: Language of the texts: fr or en.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
        note: Takes one line for each thing the user should know while reading.
        **options: ``definition`` (study, as published; strict), ``population`` (cadre, as
            published; all), ``perimeter`` of industry (opco2i, as published; insee),
            ``comparator`` (reading of the comparator growth: both; others, all), ``dedupe`` (None:
            where reposts are marked), ``cluster`` (column of clusters for the intervals),
            ``level`` (0.95).

    Returns:
        A line a published figure; those that the data cannot give say what is missing.

    Raises:
        InputError: A file cannot be read, a column is missing or holds something else.
        UsageError: Options that make no sense.
    """
    if lang not in LANGUAGES:
        raise UsageError(f"--lang {lang}", expected=" or ".join(LANGUAGES))
    base, main, comparator = _asked(options)
    facts = published()
    figures = tuple(
        one
        for one in facts.figures
        if not one.id.startswith("growth_") or one.perimeter in (comparator, "industry")
        or comparator == "both"
    )  # fmt: skip
    inputs = open_scored(data, encoding=encoding, separator=separator, note=note)
    try:
        needed = replace(base, by=("branch", "function", "region", "month"))
        slim = read_slim(inputs, needed, [one for one in figures if one.kind == "theme"])
        rates = {
            status: audit_rates(inputs, replace(base, status=status), None)[0]
            for status in ("any", "demand")
        }
    finally:
        for one in inputs:
            one.close()
    words = Words(facts.words[lang], lang)
    teller = Teller(Answers(slim, base, rates), Cover(slim.offers, f"ai_industry_{base.perimeter}"),
                     facts, words, main)  # fmt: skip
    return Study(
        lang,
        dict(facts.about),
        tuple(teller.line(figure) for figure in figures),
        tuple(teller.context(other) for other in facts.others),
        _counted(slim, base, main, words),
        (*_remarks(slim, base, main, options, words), *_told_rates(rates, words)),
    )


def _asked(options: StudyOptions) -> tuple[Question, Definition, str]:
    """What is asked of each figure, the definition compared, and the reading of the comparator."""
    given: dict[str, Any] = dict(options)
    if unknown := sorted(set(given) - set(StudyOptions.__annotations__)):
        raise UsageError(
            f"the option '{unknown[0]}' of study is unknown",
            expected="one of " + ", ".join(StudyOptions.__annotations__),
        )
    definition = given.pop("definition", "study")
    comparator = given.pop("comparator", "both")
    perimeter = given.pop("perimeter", "opco2i")
    for name, value, known in (
        ("definition", definition, tuple(Definition)),
        ("comparator", comparator, COMPARATORS),
        ("perimeter", perimeter, ("opco2i", "insee")),
    ):
        if value not in known:
            raise UsageError(f"--{name} {value}", expected=" or ".join(known))
    question = Question(perimeter=perimeter, population=given.pop("population", "cadre"), **given)
    return question, Definition(definition), comparator


def _counted(
    slim: Slim, base: Question, main: Definition, words: Words
) -> tuple[tuple[str, str], ...]:
    population = "yes_cadre" if base.population == "cadre" else "all_population"
    told = words(
        "read", read=words.count(slim.read), judged=words.count(len(slim.offers)),
        reposts=words.count(slim.reposts),
    )  # fmt: skip
    return (
        ("definition", main.value),
        ("population", words(population)),
        ("perimeter", base.perimeter),
        ("rows", told),
        ("scored_by", "; ".join(slim.versions) or "?"),
        ("cluster", base.cluster or "–"),
    )


def _remarks(
    slim: Slim, base: Question, main: Definition, options: StudyOptions, words: Words
) -> tuple[str, ...]:
    lines = [words("remark_method"), words("remark_sites")]
    lines.append(words("remark_interval", level=words.percent(base.level)))
    if not slim.dedupe:
        asked = options.get("dedupe") is False
        lines.append(words("remark_reposts_kept" if asked else "remark_reposts"))
    if base.population != "cadre":
        lines.append(words("remark_population", population=words("all_population")))
    if base.perimeter != "opco2i":
        lines.append(words("remark_perimeter"))
    if main is Definition.STRICT:
        lines.append(words("remark_definition"))
    return (*lines, *slim.breaks)


def _told_rates(
    rates: Mapping[str, Mapping[Definition, ErrorRates]], words: Words
) -> tuple[str, ...]:
    """On what the correction rests; why there is none, if there is none."""
    if not any(rates.values()):
        return (words("remark_uncorrected"),)
    told = [
        words(
            "rates", definition=definition.value, status=words(f"status_{status}"),
            found=words.count(one.tp), true=words.count(one.tp + one.fn),
            left=words.count(one.tn), others=words.count(one.tn + one.fp),
        )
        for status, by_definition in rates.items()
        for definition, one in by_definition.items()
    ]  # fmt: skip
    return (words("remark_corrected", rates=" ; ".join(told)), words("remark_rates"))
