"""Errors a user can act on: what was wrong, what was expected, what to do next."""

from __future__ import annotations

from typing import Any


class AiskillsError(Exception):
    """Base of every error that aiskills raises on purpose.

    Args:
        what: What was wrong, naming the value.
        expected: What was expected instead, as a noun phrase; empty when `what` says it all.
        hint: The next step, as a sentence; empty when there is none.

    Attributes:
        exit_code: What the command line exits with (1 data, 2 usage, 4 locked).
    """

    exit_code = 1

    def __init__(self, what: str, *, expected: str = "", hint: str = "") -> None:
        self.what = what
        self.expected = expected
        self.hint = hint
        super().__init__(what, expected, hint)

    def __reduce__(self) -> tuple[Any, ...]:
        # From a worker to who asked: an exception is made again from its arguments, by position.
        return _rebuilt, (type(self), self.what, self.expected, self.hint)

    def __str__(self) -> str:
        text = self.what
        if self.expected:
            text += f"; expected {self.expected}"
        if not text.endswith("."):
            text += "."
        if self.hint:
            text += f" {self.hint}"
        return text


def _rebuilt(kind: type[AiskillsError], what: str, expected: str, hint: str) -> AiskillsError:
    return kind(what, expected=expected, hint=hint)


class InputError(AiskillsError):
    """A file or table of offers that cannot be read as offers."""


class OutputError(AiskillsError):
    """A result that cannot be written where it was asked for."""


class LexiconError(AiskillsError):
    """A lexicon file with mistakes; the message names every line."""


class ModelError(AiskillsError):
    """A model folder that is missing, damaged, foreign or of another protocol."""


class LabelError(AiskillsError):
    """Labelled data that does not have the documented form."""


class UsageError(AiskillsError):
    """Options that make no sense, alone or together."""

    exit_code = 2
