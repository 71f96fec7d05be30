"""The skills that flagged offers ask for: scored offers in, tidy tables out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypedDict, Unpack

import pyarrow as pa

from aiskills.errors import UsageError
from aiskills.estimate.breaks import find_breaks, version_of
from aiskills.estimate.options import PERIODS, Question, parse_growth
from aiskills.estimate.scored import Scored, open_scored
from aiskills.estimate.table import question_of
from aiskills.files.notes import Note, ignore
from aiskills.phrases import Lexicon
from aiskills.schema import SCHEMA_VERSION
from aiskills.skills.offers import Offers, read_flagged
from aiskills.skills.tables import (
    Asked,
    Row,
    asked,
    growth_rows,
    pair_rows,
    term_rows,
    theme_rows,
    typical_rows,
)
from aiskills.version import __version__

#: Names of the tables, in the order in which people read them.
TABLES: Final = ("terms", "themes", "typical", "growth", "pairs")
_SHARES: Final = tuple(
    f"share_of_{whole}{end}" for whole in ("flagged", "all") for end in ("", "_low", "_high")
)
_HEAD: Final = ("definition", "group", "value")
_TERM: Final = ("term", "theme", "source")
_COUNTS: Final = ("offers", "flagged_offers", "all_offers")
#: Columns of each table; it has them even where nothing is in it.
COLUMNS: Final = {
    "terms": (*_HEAD, *_TERM, *_COUNTS, "employers", *_SHARES, "note"),
    "themes": (*_HEAD, "theme", *_COUNTS, *_SHARES, "note"),
    "typical": (
        *_HEAD, *_TERM, "offers", "flagged_offers", "share_of_flagged", "offers_rest",
        "flagged_offers_rest", "share_of_flagged_rest", "log_odds", "z",
    ),
    "growth": (
        *_HEAD, *_TERM, "from", "to", "offers_from", "offers_to", "all_offers_from",
        "all_offers_to", "growth", "growth_low", "growth_high", "share_growth",
        "share_growth_low", "share_growth_high", "note",
    ),
    "pairs": (
        "definition", "term", "theme", "with_term", "with_theme", "offers_both", "offers_term",
        "offers_with_term", "flagged_offers", "share_of_term", "lift", "npmi",
    ),
}  # fmt: skip
_TEXTS: Final = frozenset(
    {*_HEAD, *_TERM, "with_term", "with_theme", "from", "to", "note"}
)  # fmt: skip
_WHOLE: Final = frozenset(
    {
        *_COUNTS, "employers", "offers_rest", "flagged_offers_rest", "offers_from", "offers_to",
        "all_offers_from", "all_offers_to", "offers_both", "offers_term", "offers_with_term",
    }
)  # fmt: skip
_ROWS: Final[dict[str, Callable[[Asked], Iterator[Row]]]] = {
    "terms": term_rows,
    "themes": theme_rows,
    "typical": typical_rows,
    "pairs": pair_rows,
}


class SkillOptions(TypedDict, total=False):
    """The options of `skills` that decide what is counted; see `estimate.Question`."""

    period: str | None
    definition: str
    population: str
    perimeter: str
    window: str | Sequence[str] | None
    growth: str | Sequence[str] | None
    dedupe: bool | None
    confidence: str | None
    level: float


@dataclass(frozen=True, slots=True)
class Skills:
    """Which AI skills are asked.

    Attributes:
        tables: By name in `TABLES`, a tidy table with the columns of `COLUMNS` (docs/skills.md says
            what each is); shares 0 to 1. `growth` has no row unless growth was asked for.
        question: What was asked.
        least: Least number of offers behind a figure.
        about: What was counted, line by line: label and text.
        remarks: What the reader must know besides.
    """

    tables: dict[str, pa.Table]
    question: Question
    least: int
    about: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    def metadata(self) -> dict[str, str]:
        """What was counted, for the metadata of a file that holds a table."""
        return {
            "aiskills_version": __version__,
            "aiskills_schema": str(SCHEMA_VERSION),
            **{f"skills_{label.replace(' ', '_')}": text for label, text in self.about},
            "skills_remarks": " | ".join(self.remarks),
        }


def skills(
    data: Any,
    by: str | Sequence[str] | None = None,
    *,
    least: int = 5,
    lexicon: Lexicon | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    note: Note = ignore,
    **options: Unpack[SkillOptions],
) -> Skills:
    """Says which AI skills offers ask for, by group, and what is typical of each.

    Args:
        data: Scored offers: paths, a pandas or polars DataFrame, or a pyarrow Table, with the
            columns that `aiskills classify` adds.
        by: Groups, each taken on its own (never crossed): branch, division, region, function,
            subfunction, cadre, language, source, company, year, half, quarter, month, period (the
            period of the option, else the year), or any column.
        least: Terms and pairs of fewer offers are marked (`terms`, `themes`) or left out
            (`typical`, `growth`, `pairs`).
        lexicon: The lexicon that scored the offers; None for the default one. It says where a term
            comes from and under which definition it counts.
        encoding: Encoding of text files; None to find it.
        separator: Separator of CSV files; None to find it.
        note: Takes one line for each thing the user should know while reading.
        **options: ``definition`` (study, the default; strict, both), ``growth`` (two periods to
            compare, ``"2019:2023"``), ``window``, ``population``, ``perimeter``, ``dedupe``,
            ``confidence``, ``level``, ``period``: as those of `aiskills.measure`.

    Returns:
        The tables. An offer counts for a term if it is flagged under the definition and asks for
        the term at least once; mentions do not count.

    Raises:
        InputError: A file cannot be read, a column is missing or holds something else.
        UsageError: Options that make no sense.
    """
    if least < 1:
        raise UsageError(f"a least number of {least} offers", expected="1 or more")
    question, growth = _question(by, options)
    words = lexicon or Lexicon.default()
    inputs = open_scored(data, encoding=encoding, separator=separator, note=note)
    try:
        remarks, again = find_breaks(inputs, question)
        offers = read_flagged(inputs, question, again)
    finally:
        for one in inputs:
            one.close()
    how = (question.by, least, question.level)
    sets = [asked(offers, definition, words, how) for definition in question.definitions]
    tables = {
        name: _table(name, (row for one in sets for row in make(one)))
        for name, make in _ROWS.items()
    }
    rows = () if growth is None else (row for one in sets for row in growth_rows(one, growth))
    tables["growth"] = _table("growth", rows)
    remarks += _remarks(offers, sets, words)
    ordered = {name: tables[name] for name in TABLES}
    return Skills(ordered, question, least, _about(inputs, offers, question), tuple(remarks))


def _question(
    by: str | Sequence[str] | None, options: SkillOptions
) -> tuple[Question, tuple[str, str] | None]:
    given: dict[str, Any] = {"definition": "study", **options}
    if unknown := sorted(set(options) - set(SkillOptions.__annotations__)):
        raise UsageError(
            f"the option '{unknown[0]}' of skills is unknown",
            expected="one of " + ", ".join(SkillOptions.__annotations__),
        )
    period = given.pop("period", None)
    names = question_of(by, period=period).by
    cut = period or next((name for name in names if name in PERIODS), "year")
    names = tuple(dict.fromkeys(cut if name == "period" else name for name in names))
    if "theme" in names:
        raise UsageError(
            "--by theme", expected="other groups", hint="Every table names the themes already."
        )
    growth = parse_growth(given.pop("growth", None))
    question = question_of(names, **given)
    # A question of growth has no periods among its groups; here each group stands on its own.
    return question if question.time else replace(question, growth=growth), growth


def _table(name: str, rows: Iterable[Row]) -> pa.Table:
    found = list(rows)
    columns = {}
    for column in COLUMNS[name]:
        kind = pa.string() if column in _TEXTS else pa.int64() if column in _WHOLE else pa.float64()
        columns[column] = pa.array([row[column] for row in found], kind)
    return pa.table(columns)


def _remarks(offers: Offers, sets: Sequence[Asked], lexicon: Lexicon) -> list[str]:
    lines = ["an offer may ask for several terms: their counts and shares overlap"]
    if offers.outside:
        lines.append(
            f"{offers.outside:,} offers whose cadre status or perimeter is unknown are left out"
        )
    if not offers.named:
        lines.append("employers are not counted: no column names them")
    if offers.dropped.no_period:
        lines.append(f"{offers.dropped.no_period:,} offers without a period lie in no window")
    strange = {name for name in offers.pieces.names if lexicon.get(name) is None}
    if strange:
        lines.append(
            f"{len(strange)} terms are not in the lexicon (version {lexicon.version}), so their "
            "source is not told and they count under both definitions; name it with --lexicon"
        )
    for one in sets:
        silent = int(one.flagged.sum()) - len(set(one.pieces.offer.tolist()))
        if silent:
            lines.append(f"{silent:,} offers flagged under {one.definition} name no term")
    return lines


def _about(
    inputs: Sequence[Scored], offers: Offers, question: Question
) -> tuple[tuple[str, str], ...]:
    dropped = offers.dropped
    window = "all" if question.window is None else " to ".join(question.window)
    flagged = ", ".join(
        f"{int((offers.flagged.sums[f'x_{d}'] > 0).sum()):,} ({d})" for d in question.definitions
    )
    first = question.definitions[0]
    return (
        ("definition", " and ".join(question.definitions)),
        ("offers", f"{int(offers.every.sums[f'n_{first}'].sum()):,}"),
        ("flagged", flagged),
        ("population", "cadre offers" if question.population == "cadre" else "all offers"),
        ("perimeter", question.perimeter),
        ("period", window),
        ("rows", f"{dropped.read:,} read, {dropped.not_judged:,} not judged, "
         f"{dropped.reposts:,} reposts left out"),
        ("scored by", "; ".join(sorted({version_of(one) or "not told by the file"
                                        for one in inputs}))),
        ("intervals", f"{100 * question.level:g} %, Wilson"),
    )  # fmt: skip
