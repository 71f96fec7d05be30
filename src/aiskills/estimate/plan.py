"""Which columns a question needs, and the keys and sums of a batch of offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiskills.errors import InputError
from aiskills.estimate.options import COLUMN_OF, FIELDS, PERIODS, Question
from aiskills.estimate.scored import Scored
from aiskills.files.cells import as_text
from aiskills.files.notes import did_you_mean, listing
from aiskills.labels.uid import UID_COLUMN, offer_uids
from aiskills.schema import Definition, Status

#: Where a row stands: counted, or outside since its cadre status or its perimeter is unknown.
INSIDE: Final = 0
POPULATION_UNKNOWN: Final = 1
PERIMETER_UNKNOWN: Final = 2

# Names of keys that no group and no column of the user's can bear.
MONTH: Final = " month"
EMPLOYER: Final = " employer"
THEMES: Final = " themes"
UID: Final = " uid"
CONFIDENCE: Final = " confidence"
BRANCH: Final = " branch"

_HOW: Final = {
    "ai_duplicate_of": "Mark reposts with `aiskills dedupe` first, or leave --dedupe out.",
}
_CLASSIFY: Final = "Score the offers with `aiskills classify` (this version) first."
_TRUE: Final = pa.array(["true", "1", "1.0", "vrai", "oui", "yes"])
_FALSE: Final = pa.array(["false", "0", "0.0", "faux", "non", "no"])
_MONTH_FORM: Final = r"^\d{4}-(0[1-9]|1[0-2])$"


@dataclass(frozen=True, slots=True)
class Plan:
    """A question applied to one file.

    Attributes:
        scored: The file.
        question: What is asked.
        keys: Key of the counts -> column that holds it; None where the file has no such column
            and may do without.
        fields: Those of the keys that are fields of an offer, taken with `FieldMap.extract`.
        read: All columns to read.
        dedupe: Whether reposts are left out.
        uid: Whether the identifier of every offer is kept, row by row.
    """

    scored: Scored
    question: Question
    keys: Mapping[str, str | None]
    fields: frozenset[str]
    read: tuple[str, ...]
    dedupe: bool
    uid: bool = False


@dataclass(slots=True)
class Dropped:
    """Rows that are counted in no cell.

    Attributes:
        read: All rows.
        not_judged: Rows without a status.
        reposts: Rows that repeat another.
        outside_window: Rows of other months.
        no_period: Rows without a month, where a window was asked for.
    """

    read: int = 0
    not_judged: int = 0
    reposts: int = 0
    outside_window: int = 0
    no_period: int = 0

    def add(self, other: Dropped) -> None:
        """Adds the rows that another batch dropped."""
        self.read += other.read
        self.not_judged += other.not_judged
        self.reposts += other.reposts
        self.outside_window += other.outside_window
        self.no_period += other.no_period


def make_plan(scored: Scored, question: Question, *, uid: bool = False, ids: bool = False) -> Plan:
    """Finds the columns that a question needs in one file.

    Args:
        scored: The file.
        question: What is asked.
        uid: Whether labels must find their offers (`labels.uid`).
        ids: Whether the offers' own identifiers are needed.

    Raises:
        InputError: A column that the question cannot do without is missing.
    """
    keys, found_fields = _keys(scored, question)
    read = [column for column in keys.values() if column]
    read += [_need(scored, f"ai_{one}_status") for one in question.definitions]
    if question.population != "all":
        read.append(_need(scored, "ai_cadre"))
    if question.perimeter != "all":
        read.append(_need(scored, f"ai_industry_{question.perimeter}"))
    dedupe = question.dedupe
    if dedupe is None:
        dedupe = "ai_duplicate_of" in scored.columns
    if dedupe:
        read.append(_need(scored, "ai_duplicate_of"))
    if question.weights:
        read.append(_need(scored, question.weights))
    if uid:
        read += _uid_columns(scored)
    if ids and (own := id_column(scored)):
        read.append(own)
    columns = tuple(dict.fromkeys(read))
    return Plan(scored, question, keys, found_fields, columns, dedupe, uid)


def _uid_columns(scored: Scored) -> list[str]:
    """The columns that `labels.uid` makes an offer's identifier from."""
    own = [UID_COLUMN] if UID_COLUMN in scored.columns else []
    fields = ("id", "source") if own or scored.root("id") else ("title", "description")
    roots = [*own, *filter(None, (scored.root(name) for name in fields))]
    if not roots:
        raise InputError(
            f"{scored.name} has no column to find labelled offers by",
            expected="'uid', an identifier, or title and text, as when the sample was drawn",
        )
    return roots


def _keys(scored: Scored, question: Question) -> tuple[dict[str, str | None], frozenset[str]]:
    """Column of each key, and which of the keys are fields of an offer."""
    keys: dict[str, str | None] = {}
    fields: set[str] = set()
    groups = [name for name in question.by if name not in PERIODS and name != "theme"]
    for name in (*groups, question.panel, question.cluster):
        if not name:
            continue
        if name in FIELDS and name not in scored.columns:
            keys[name] = _need_field(scored, name)
            fields.add(name)
        else:
            keys[name] = _need(scored, COLUMN_OF.get(name, name))
    for key, column, wanted in (
        (MONTH, "ai_period", question.time or question.growth or question.window),
        (THEMES, COLUMN_OF["theme"], question.themes),
        (CONFIDENCE, "ai_branch_confidence", "branch" in question.by and question.confidence),
        (BRANCH, "ai_branch", "division" in question.by),
    ):
        if wanted:
            keys[key] = _need(scored, column)
    if "company" in scored.columns:
        keys[EMPLOYER] = "company"
    else:
        keys[EMPLOYER] = scored.root("company")
        fields.add(EMPLOYER)
    return keys, frozenset(fields)


def id_column(scored: Scored) -> str | None:
    """The column that tells offers apart: `uid`, else what is called so in known files."""
    return "uid" if "uid" in scored.columns else scored.root("id")


def _need(scored: Scored, column: str) -> str:
    if column in scored.columns:
        return column
    ours = column.startswith("ai_")
    known = [*COLUMN_OF, *FIELDS, *PERIODS, *scored.columns]
    raise InputError(
        f"{scored.name} has no column '{column}'",
        expected="" if ours else f"one of {listing(scored.columns)}",
        hint=_HOW.get(column, _CLASSIFY) if ours else did_you_mean(column, known),
    )


def _need_field(scored: Scored, field_name: str) -> str:
    column = scored.root(field_name)
    if column is None:
        raise InputError(
            f"{scored.name} has no column '{field_name}'",
            expected=f"one of {listing(scored.columns)}",
            hint=f"Name the column that holds the {field_name} instead.",
        )
    return column


def sums_of(definition: Definition, *, weighted: bool) -> tuple[str, ...]:
    """Names of the sums kept for a definition: offers, flagged, Σw, Σw², Σw and Σw² of flagged."""
    names = ("n", "x", "w", "w2", "wx", "w2x") if weighted else ("n", "x")
    return tuple(f"{name}_{definition}" for name in names)


def keyed(plan: Plan, batch: pa.Table, dropped: Dropped) -> pa.Table:
    """Keys and summands of the rows of a batch that count, in its order.

    Args:
        plan: For the file the batch comes from.
        batch: Rows with the columns of the plan.
        dropped: Told about the rows that are left out.

    Returns:
        A column for each key (text, null if unknown), `inside`, for each definition the columns of
        `sums_of`, and `uid` if the plan has one.

    Raises:
        InputError: A status, a truth value, a period or a weight that is none.
    """
    dropped.read += len(batch)
    question, name = plan.question, plan.scored.name
    if plan.dedupe:
        own = _is_blank(batch.column("ai_duplicate_of"))
        dropped.reposts += len(batch) - pc.sum(own).as_py() if len(batch) else 0
        batch = batch.filter(own)
    columns: dict[str, pa.ChunkedArray] = {}
    inside = _inside(plan, batch)
    for key, column in plan.keys.items():
        if column is None:
            columns[key] = pa.chunked_array([pa.nulls(len(batch), pa.string())])
        elif key in plan.fields:
            wanted = "company" if key == EMPLOYER else key
            columns[key] = pa.chunked_array([plan.scored.fields.extract(batch, wanted)])
        else:
            columns[key] = as_text(batch.column(column))
    columns["inside"] = inside
    if plan.uid:
        uids = offer_uids(batch, plan.scored.fields)
        columns[UID] = pa.chunked_array([pa.array(uids, pa.string())])
    weight = _weights(batch.column(question.weights), name) if question.weights else None
    judged = None
    for definition in question.definitions:
        status = _statuses(batch.column(f"ai_{definition}_status"), definition, name)
        known = pc.invert(_is_blank(status))
        judged = known if judged is None else pc.or_(judged, known)
        flags = pc.equal(status, Status.DEMAND.value)
        if question.status == "any":
            flags = pc.or_(flags, pc.equal(status, Status.MENTION.value))
        columns |= _summands(definition, known, pc.fill_null(flags, False), weight)
    table = pa.table(columns)
    dropped.not_judged += len(table) - (pc.sum(judged).as_py() or 0)
    keep = pc.and_(judged, pc.is_valid(inside))
    if MONTH in columns:
        _check_months(columns[MONTH], name)
        if question.window:
            keep = _in_window(question.window, columns[MONTH], keep, dropped)
    return table.filter(keep)


def _in_window(
    window: tuple[str, str], months: pa.ChunkedArray, keep: pa.ChunkedArray, dropped: Dropped
) -> pa.ChunkedArray:
    blank = _is_blank(months)
    within = pc.and_(pc.greater_equal(months, window[0]), pc.less_equal(months, window[1]))
    within = pc.fill_null(within, False)
    dropped.no_period += pc.sum(pc.and_(keep, blank)).as_py() or 0
    out = pc.and_(keep, pc.invert(pc.or_(within, blank)))
    dropped.outside_window += pc.sum(out).as_py() or 0
    return pc.and_(keep, within)


def _summands(
    definition: Definition,
    known: pa.ChunkedArray,
    flags: pa.ChunkedArray,
    weight: pa.ChunkedArray | None,
) -> dict[str, pa.ChunkedArray]:
    ones, hits = known.cast(pa.int64()), flags.cast(pa.int64())
    result = {f"n_{definition}": ones, f"x_{definition}": hits}
    if weight is not None:
        squares = pc.multiply(weight, weight)
        for name, value in (("w", weight), ("w2", squares)):
            result[f"{name}_{definition}"] = pc.multiply(value, ones.cast(pa.float64()))
            result[f"{name}x_{definition}"] = pc.multiply(value, hits.cast(pa.float64()))
    return result


def _inside(plan: Plan, batch: pa.Table) -> pa.ChunkedArray:
    """`INSIDE`, why a row is outside, or null where it does not belong to what is asked."""
    question = plan.question
    place = pa.chunked_array([pa.array(np.full(len(batch), INSIDE, dtype=np.int8))])
    nothing = pa.scalar(None, pa.int8())
    if question.perimeter != "all":
        column = f"ai_industry_{question.perimeter}"
        truth = _truths(batch.column(column), column, plan.scored.name)
        unknown = pa.scalar(PERIMETER_UNKNOWN, pa.int8())
        place = pc.if_else(pc.is_null(truth), unknown, pc.if_else(truth, place, nothing))
    if question.population == "cadre":
        status = as_text(batch.column("ai_cadre"))
        unknown_status = pc.or_(_is_blank(status), pc.fill_null(pc.equal(status, "inconnu"), True))
        other = pc.if_else(pc.fill_null(pc.equal(status, "cadre"), False), place, nothing)
        # Only where it would count otherwise: outside the perimeter nothing is unknown.
        unknown = pc.if_else(pc.is_null(place), nothing, pa.scalar(POPULATION_UNKNOWN, pa.int8()))
        place = pc.if_else(unknown_status, unknown, other)
    return place


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether a cell is null or, in a text column, empty."""
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.array([True] * len(column), pa.bool_())])
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.fill_null(pc.equal(pc.binary_length(column), 0), True)
    return pc.is_null(column, nan_is_null=True)


def _statuses(column: pa.ChunkedArray, definition: Definition, name: str) -> pa.ChunkedArray:
    text = as_text(column)
    known = {None, "", *(status.value for status in Status)}
    for value in pc.unique(text).to_pylist():
        if value not in known:
            raise InputError(
                f"{name}: ai_{definition}_status holds '{value[:40]}'",
                expected="demand, mention, none or nothing",
            )
    return text


def _truths(column: pa.ChunkedArray, label: str, name: str) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return column
    text = pc.utf8_lower(as_text(column))
    yes, no = pc.is_in(text, value_set=_TRUE), pc.is_in(text, value_set=_FALSE)
    blank = _is_blank(text)
    odd = pc.invert(pc.or_(pc.or_(yes, no), blank))
    if pc.any(odd).as_py():
        value = text.filter(odd)[0].as_py()
        raise InputError(f"{name}: {label} holds '{value[:40]}'", expected="true, false or nothing")
    return pc.if_else(blank, pa.scalar(None, pa.bool_()), yes)


def _check_months(column: pa.ChunkedArray, name: str) -> None:
    months = pc.unique(column)
    odd = months.filter(pc.invert(pc.match_substring_regex(months, _MONTH_FORM)))
    for value in odd.drop_null().to_pylist():
        if value:
            raise InputError(
                f"{name}: ai_period holds '{value[:40]}'", expected="months such as 2023-04"
            )


def _weights(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            column = pc.replace_substring(as_text(column), ",", ".")
        weight = column.cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{name}: a weight is no number ({str(error).splitlines()[0][:80]})",
            expected="numbers of 0 or more",
        ) from None
    wrong = pc.or_(pc.invert(pc.is_finite(weight)), pc.less(weight, 0))
    count = len(weight) - (pc.sum(pc.invert(pc.fill_null(wrong, True))).as_py() or 0)
    if count:
        raise InputError(
            f"{name}: {count:,} offers have no weight, or one below 0",
            expected="a number of 0 or more for each offer",
            hint="Give them a weight, 0 to leave them out, or measure without --weights.",
        )
    return weight
