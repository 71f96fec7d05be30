"""The AI-skills lexicon: its terms, the file they are kept in, and users' changes to it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

from aiskills.errors import LexiconError
from aiskills.phrases.inflect import folded_patterns
from aiskills.schema import THEMES, Definition


class Strength(StrEnum):
    """How far a term proves AI by itself."""

    STRONG = "strong"
    """Enough alone: wherever it is found, the technology is named."""
    CONTEXT = "context"
    """Ambiguous: true only in the right surroundings."""
    WEAK = "weak"
    """Seldom AI by itself, but a paraphrase of AI may hide here: the classifier looks."""
    TRAP = "trap"
    """A homonym: never AI, and hides every shorter term inside it."""


class Case(StrEnum):
    """What the match must look like in the given text."""

    ANY = "any"
    UPPER = "upper"
    """Every letter a capital, but for a plural s."""
    EXACT = "exact"
    """One of the written forms, letter by letter, but for a plural s."""
    TITLE = "title"
    """The first letter a capital."""


#: In `needs`: a strong term somewhere in the same offer.
ANY_AI: Final = "@ai"

#: Bounds that keep a user's file from costing the night.
_MAX_BYTES: Final = 5_000_000
_MAX_TERMS: Final = 20_000
_MAX_FORM_CHARS: Final = 120
_MAX_FORMS: Final = 200

_Choice = TypeVar("_Choice", bound=StrEnum)

COLUMNS: Final = (
    "term",
    "variants",
    "theme",
    "definition",
    "strength",
    "case",
    "needs",
    "excludes",
    "note",
    "source",
)


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of the lexicon.

    Attributes:
        term: Canonical name, which evidence shows.
        variants: Other surface forms, as people write them.
        theme: One of `aiskills.schema.THEMES`.
        definition: The narrowest definition under which it counts.
        strength: How far it proves AI alone.
        case: What a match must look like in the given text.
        needs: Words of which one must stand near; empty: none needed.
        excludes: Words of which none may stand near.
        note: The ambiguity, in words.
        source: Where the term comes from.
    """

    term: str
    variants: tuple[str, ...] = ()
    theme: str = "ia"
    definition: Definition = Definition.STRICT
    strength: Strength = Strength.STRONG
    case: Case = Case.ANY
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    note: str = ""
    source: str = ""

    @property
    def forms(self) -> tuple[str, ...]:
        """The term and its variants."""
        return (self.term, *self.variants)


@dataclass(frozen=True)
class Lexicon:
    """An ordered set of terms.

    Attributes:
        terms: The terms, in the order of the file.
    """

    terms: tuple[Term, ...]
    _by_name: Mapping[str, Term] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {term.term: term for term in self.terms})

    def __len__(self) -> int:
        return len(self.terms)

    def patterns(self) -> Iterator[tuple[str, int]]:
        """Every folded form and the number of the term it stands for."""
        owners = [number for number, term in enumerate(self.terms) for _ in term.forms]
        forms = [form for term in self.terms for form in term.forms]
        for owner, patterns in zip(owners, folded_patterns(forms), strict=True):
            for pattern in patterns:
                yield pattern, owner

    def get(self, name: str) -> Term | None:
        """The term of that canonical name, or None."""
        return self._by_name.get(name)

    @property
    def sha256(self) -> str:
        """Hash of everything that decides what is found; notes and sources do not count."""
        digest = hashlib.sha256()
        for term in self.terms:
            row = (
                *term.forms,
                *(term.theme, term.definition, term.strength, term.case),
                *("needs", *term.needs, "excludes", *term.excludes),
            )
            digest.update("\x1f".join(row).encode() + b"\n")
        return digest.hexdigest()

    @classmethod
    def default(cls) -> Lexicon:
        """The lexicon that ships with the package."""
        text = (resources.files("aiskills") / "data" / "lexicon.csv").read_text("utf-8")
        return cls(tuple(_parse(text, "the packaged lexicon").added))

    @classmethod
    def read(cls, path: str | Path) -> Lexicon:
        """A user's lexicon file, laid over the default one unless it says otherwise.

        Args:
            path: A CSV file (UTF-8, ``;`` or ``,``) with the columns of the default lexicon, of
                which only `term` must be there, and an optional column `action`: ``add`` (default),
                ``replace`` or ``remove``. A first line ``# extends = "none"`` starts from nothing;
                ``# extends = "default"`` is what happens without it.

        Returns:
            The resulting lexicon.

        Raises:
            LexiconError: The file cannot be read or holds mistakes; every line is named.
        """
        change = _parse(_read_text(Path(path)), str(path))
        terms = {term.term: term for term in cls.default().terms} if change.extends else {}
        for name in change.removed:
            if name not in terms:
                change.mistakes.append(f"{name!r} is to be removed but is no term of the default")
            terms.pop(name, None)
        for term in change.replaced:
            if term.term not in terms:
                change.mistakes.append(f"{term.term!r} is to be replaced but is not there")
            terms[term.term] = term
        for term in change.added:
            if term.term in terms:
                change.mistakes.append(
                    f"{term.term!r} is there already; say action replace to change it"
                )
            terms[term.term] = term
        change.fail_on_mistakes(str(path))
        return cls(tuple(terms.values()))


@dataclass(slots=True)
class _Change:
    """What a lexicon file asks for."""

    extends: bool = True
    added: list[Term] = field(default_factory=list)
    replaced: list[Term] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def fail_on_mistakes(self, name: str) -> None:
        if self.mistakes:
            raise LexiconError(
                f"{name} has {len(self.mistakes)} mistake(s):\n  " + "\n  ".join(self.mistakes),
                hint="Run `aiskills lexicon list` to see the default terms and their columns.",
            )


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LexiconError(f"{path} is larger than {_MAX_BYTES:,} bytes", expected="a lexicon")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LexiconError(
            f"{path} is not UTF-8 (byte {error.start})", hint="Save it as CSV UTF-8."
        ) from None
    except OSError as error:
        raise LexiconError(f"{path} cannot be read: {error.strerror}") from None


def _parse(text: str, name: str) -> _Change:
    """Reads lexicon rows; mistakes raise at once, all of them named."""
    change = _Change()
    lines = text.splitlines()
    skipped = 0
    while skipped < len(lines) and (
        not lines[skipped].strip() or lines[skipped].lstrip().startswith("#")
    ):
        _directive(lines[skipped], skipped + 1, change)
        skipped += 1
    body = "\n".join(lines[skipped:])
    header = lines[skipped] if skipped < len(lines) else ""
    reader = csv.DictReader(
        io.StringIO(body), delimiter=";" if header.count(";") >= header.count(",") else ","
    )
    columns = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    unknown = [c for c in columns if c not in (*COLUMNS, "action")]
    if "term" not in columns or unknown:
        change.mistakes.append(
            f"line {skipped + 1}: columns {columns}"
            + (f", unknown {unknown}" if unknown else "")
            + f"; expected 'term' and any of {[*COLUMNS[1:], 'action']}"
        )
        change.fail_on_mistakes(name)
    seen: dict[str, int] = {}
    for row in reader:
        line = skipped + reader.line_num
        problems = _add_row(row, change)
        term = (row.get("term") or "").strip()
        if term in seen:
            problems.append(f"term {term!r} stands on line {seen[term]} already")
        seen[term] = line
        change.mistakes += [f"line {line}: {problem}" for problem in problems]
        if len(seen) > _MAX_TERMS:
            change.mistakes.append(f"line {line}: more than {_MAX_TERMS:,} terms")
            break
    change.fail_on_mistakes(name)
    return change


def _directive(line: str, number: int, change: _Change) -> None:
    key, _, value = line.lstrip("# ").partition("=")
    if key.strip() != "extends":
        return
    choice = value.strip().strip("\"'")
    if choice not in ("default", "none"):
        change.mistakes.append(f"line {number}: extends is {choice!r}; expected default or none")
    change.extends = choice != "none"


def _add_row(row: Mapping[str, str | None], change: _Change) -> list[str]:
    """Adds one row to the change; returns what is wrong with it."""
    problems: list[str] = []
    if None in row:
        return ["more cells than the header has columns"]

    def cell(column: str) -> str:
        return (row.get(column) or "").strip()

    def choice(column: str, kind: type[_Choice], default: _Choice) -> _Choice:
        value = cell(column)
        if not value:
            return default
        try:
            return kind(value)
        except ValueError:
            problems.append(f"{column} is {value!r}; expected {_any_of(list(kind))}")
            return default

    action = cell("action") or "add"
    if action not in ("add", "replace", "remove"):
        problems.append(f"action is {action!r}; expected add, replace or remove")
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
        note=cell("note"),
        source=cell("source"),
    )
    problems += _form_problems(term)
    if problems:
        return problems
    if action == "remove":
        change.removed.append(term.term)
    else:
        (change.replaced if action == "replace" else change.added).append(term)
    return problems


def _form_problems(term: Term) -> list[str]:
    problems = []
    if not term.term:
        return ["term is empty"]
    if len(term.forms) > _MAX_FORMS:
        problems.append(f"{len(term.forms)} forms; expected at most {_MAX_FORMS}")
    for form in term.forms:
        if len(form) > _MAX_FORM_CHARS:
            problems.append(f"{form[:30]!r}… has {len(form)} characters; at most {_MAX_FORM_CHARS}")
        elif not any(char.isalnum() for char in form):
            problems.append(f"{form!r} holds no letter or digit, so it could never be found")
    problems += [
        f"context word {word!r} holds no letter or digit"
        for word in (*term.needs, *term.excludes)
        if word != ANY_AI and not any(char.isalnum() for char in word)
    ]
    return problems


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _any_of(values: Iterable[str]) -> str:
    return ", ".join(values)


def changed_terms(before: Lexicon, after: Lexicon) -> Sequence[tuple[str, str]]:
    """How two lexicons differ.

    Returns:
        Pairs of ``added``, ``removed`` or ``changed`` and the term's name, by name.
    """
    names = sorted({t.term for t in before.terms} | {t.term for t in after.terms})
    changes = []
    for name in names:
        old, new = before.get(name), after.get(name)
        if old != new:
            changes.append(
                ("added" if old is None else "removed" if new is None else "changed", name)
            )
    return changes
