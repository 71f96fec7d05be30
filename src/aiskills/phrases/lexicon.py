"""The AI-skills lexicon: an ordered set of terms, the default one and users' changes to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from aiskills.phrases.inflect import folded_patterns
from aiskills.phrases.lexicon_file import apply_rows, parse_rows, read_rows
from aiskills.phrases.terms import Term


@dataclass(frozen=True)
class Lexicon:
    """An ordered set of terms.

    Attributes:
        terms: The terms, in the order of the file.
        version: Its version, as the file says it; a lexicon laid over the default one begins with
            the default's.
    """

    terms: tuple[Term, ...]
    version: str = ""
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
                *("elsewhere", *term.elsewhere),
            )
            digest.update("\x1f".join(row).encode() + b"\n")
        return digest.hexdigest()

    @classmethod
    def default(cls) -> Lexicon:
        """The lexicon that ships with the package."""
        text = (resources.files("aiskills") / "data" / "lexicon.csv").read_text("utf-8")
        rows = parse_rows(text, "the packaged lexicon")
        return cls(apply_rows(rows, (), "the packaged lexicon"), rows.version)

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
        rows = read_rows(Path(path))
        own = rows.version or "custom"
        if not rows.extends:
            return cls(apply_rows(rows, (), str(path)), own)
        base = cls.default()
        return cls(apply_rows(rows, base.terms, str(path)), f"{base.version}+{own}")


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
