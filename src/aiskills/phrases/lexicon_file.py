"""The file a lexicon is kept in: reading it, and naming the line of every mistake."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from aiskills.errors import LexiconError
from aiskills.phrases.rules import told_together
from aiskills.phrases.terms import ANY_AI, Case, Strength, Term
from aiskills.schema import THEMES, Definition

COLUMNS: Final = (
    *("term", "variants", "theme", "definition", "strength"),
    *("case", "needs", "excludes", "elsewhere", "note", "source"),
)
_ACTIONS: Final = ("add", "replace", "remove")

#: Bounds that keep a user's file from costing the night.
_MAX_BYTES: Final = 5_000_000
_MAX_TERMS: Final = 20_000
_MAX_FORM_CHARS: Final = 120
_MAX_FORMS: Final = 200
#: Mistakes named in one message; the rest are counted.
_MAX_NAMED: Final = 20

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a lexicon file: what to do with which term."""

    line: int
    action: str
    term: Term


@dataclass(slots=True)
class Rows:
    """What a lexicon file asks for.

    Attributes:
        extends: Whether it is laid over the default lexicon.
        version: What the file calls its version; empty if it does not.
        rows: Its rows, in order.
    """

    extends: bool = True
    version: str = ""
    rows: list[Row] = field(default_factory=list)


def read_rows(path: Path) -> Rows:
    """Reads and checks a lexicon file.

    Raises:
        LexiconError: It cannot be read, or holds mistakes; every line is named.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LexiconError(f"{path} is larger than {_MAX_BYTES:,} bytes", expected="a lexicon")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LexiconError(
            f"{path} is not UTF-8 (byte {error.start})", hint="Save it as CSV UTF-8."
        ) from None
    except OSError as error:
        raise LexiconError(f"{path} cannot be read: {error.strerror}") from None
    return parse_rows(text, str(path))


def parse_rows(text: str, name: str) -> Rows:
    """Checks the text of a lexicon file; all mistakes are named at once.

    Args:
        text: The file's text.
        name: What messages call it.

    Raises:
        LexiconError: It holds mistakes.
    """
    result = Rows()
    mistakes: list[str] = []
    lines = text.splitlines()
    skipped = 0
    while skipped < len(lines) and lines[skipped].lstrip()[:1] in ("", "#"):
        mistakes += _directive(lines[skipped], skipped + 1, result)
        skipped += 1
    header = lines[skipped] if skipped < len(lines) else ""
    separator = ";" if header.count(";") >= header.count(",") else ","
    reader = csv.DictReader(
        io.StringIO("\n".join(lines[skipped:])), delimiter=separator, strict=True
    )
    columns = [column.strip() for column in next(csv.reader([header], delimiter=separator), [])]
    unknown = [column for column in columns if column not in (*COLUMNS, "action")]
    if "term" not in columns or unknown:
        what = f"unknown columns {unknown}" if unknown else f"columns {columns}"
        mistakes.append(
            f"line {skipped + 1}: {what}; expected 'term' and any of {_any_of(COLUMNS[1:])}, action"
        )
        _fail(mistakes, name)
    reader.fieldnames = columns
    next(reader.reader, None)
    seen: dict[str, int] = {}
    try:
        for cells in reader:
            line = skipped + reader.line_num
            row, problems = _row(cells, line)
            if row is not None:
                if row.term.term in seen:
                    problems.append(
                        f"term {row.term.term!r} stands on line {seen[row.term.term]} already"
                    )
                seen.setdefault(row.term.term, line)
                result.rows.append(row)
            mistakes += [f"line {line}: {problem}" for problem in problems]
            if len(result.rows) > _MAX_TERMS:
                mistakes.append(f"line {line}: more than {_MAX_TERMS:,} terms")
                break
    except csv.Error as error:
        mistakes.append(f"line {skipped + reader.line_num}: {error} (a quote that never closes?)")
    _fail(mistakes, name)
    return result


def apply_rows(rows: Rows, base: Iterable[Term], name: str) -> tuple[Term, ...]:
    """The terms of a base after a file's rows.

    Args:
        rows: What to do.
        base: Terms to begin with.
        name: What messages call the file.

    Returns:
        The terms: those of the base in their order, then the new ones.

    Raises:
        LexiconError: A term to add is there, or one to replace or remove is not.
    """
    terms = {term.term: term for term in base}
    mistakes = []
    for row in rows.rows:
        known = row.term.term in terms
        if row.action == "add" and known:
            mistakes.append(
                f"line {row.line}: {row.term.term!r} is there already; say action replace"
            )
        elif row.action != "add" and not known:
            mistakes.append(f"line {row.line}: {row.term.term!r} is not there to {row.action}")
        elif row.action == "remove":
            del terms[row.term.term]
        else:
            terms[row.term.term] = row.term
    _fail(mistakes, name)
    return tuple(terms.values())


def _fail(mistakes: list[str], name: str) -> None:
    """Raises if there are mistakes."""
    if not mistakes:
        return
    named = mistakes[:_MAX_NAMED]
    if len(mistakes) > _MAX_NAMED:
        named.append(f"and {len(mistakes) - _MAX_NAMED} more")
    raise LexiconError(
        f"{name} has {len(mistakes)} mistake(s):\n  " + "\n  ".join(named),
        hint="Run `aiskills lexicon list --csv` to see the default terms and their columns.",
    )


def _directive(line: str, number: int, result: Rows) -> list[str]:
    """Takes in a comment line: what the file extends, its version; returns what is wrong."""
    key, _, value = line.lstrip("# ").partition("=")
    choice = value.strip().strip("\"'")
    if key.strip() == "version":
        result.version = choice
    if key.strip() != "extends":
        return []
    result.extends = choice != "none"
    if choice in ("default", "none"):
        return []
    return [f"line {number}: extends is {choice!r}; expected default or none"]


def _row(cells: Mapping[str, str | None], line: int) -> tuple[Row | None, list[str]]:
    """One row, None if it is wrong, and what is wrong with it."""
    problems: list[str] = []
    if None in cells:
        return None, ["more cells than the header has columns"]

    def cell(column: str) -> str:
        return (cells.get(column) or "").strip()

    def choice(column: str, kind: type[_Choice], default: _Choice) -> _Choice:
        value = cell(column)
        if not value:
            return default
        try:
            return kind(value)
        except ValueError:
            problems.append(f"{column} is {value!r}; expected {_any_of(kind)}")
            return default

    action = cell("action") or "add"
    if action not in _ACTIONS:
        problems.append(f"action is {action!r}; expected {_any_of(_ACTIONS)}")
    theme = cell("theme") or "ia"
    if theme not in THEMES:
        problems.append(f"theme is {theme!r}; expected {_any_of(THEMES)}")
    term = Term(
        term=cell("term"),
        variants=_split(cell("variants")),
        theme=theme,
        definition=choice("definition", Definition, Definition.STRICT),
        strength=choice("strength", Strength, Strength.STRONG),
        case=choice("case", Case, Case.ANY),
        needs=_split(cell("needs")),
        excludes=_split(cell("excludes")),
        elsewhere=_split(cell("elsewhere")),
        note=cell("note"),
        source=cell("source"),
    )
    problems += _form_problems(term)
    return (None if problems else Row(line, action, term)), problems


def _form_problems(term: Term) -> list[str]:
    if not term.term:
        return ["term is empty"]
    problems = []
    if len(term.forms) > _MAX_FORMS:
        problems.append(f"{len(term.forms)} forms; expected at most {_MAX_FORMS}")
    problems += [
        f"{form[:30]!r}… has {len(form)} characters; at most {_MAX_FORM_CHARS}"
        for form in term.forms
        if len(form) > _MAX_FORM_CHARS
    ]
    told = [part for alternative in term.elsewhere for part in told_together(alternative)]
    for word in (*term.forms, *term.needs, *term.excludes, *told):
        if word == ANY_AI:
            continue
        if not any(char.isalnum() for char in word):
            problems.append(f"{word!r} holds no letter or digit, so it could never be found")
        elif any(char.isalpha() and not _is_latin(char) for char in word):
            problems.append(f"{word!r} holds letters that are not searched; expected Latin ones")
    return problems


def _is_latin(char: str) -> bool:
    return bool(char.encode("cp1252", "ignore"))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _any_of(values: Iterable[str]) -> str:
    return ", ".join(values)
