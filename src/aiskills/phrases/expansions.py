"""Acronyms that an offer itself spells out, in brackets or before its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Words that lend no letter to an acronym.
_SMALL_WORDS: Final = frozenset(b"a au aux d de des du en et l la le les of pour the to".split())
_LONGEST_EXPANSION: Final = 80


def spelled_out(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where an acronym is spelled out in brackets behind it, or before its own brackets.

    Args:
        text: A folded text.
        start: Position of the blank before the acronym.
        end: Position of the blank after it.

    Returns:
        Start and end of the words, None if they are not there.

    Examples:
        >>> spelled_out(b" un ia ( ingenieur d affaire ) ", 3, 6)
        (8, 28)
        >>> spelled_out(b" ingenieur d affaire ( ia ) ", 22, 25)
        (0, 20)
    """
    letters = text[start:end].strip().removesuffix(b"s")
    if not letters.isalpha():
        return None
    if text.startswith(b" ( ", end):
        close = text.find(b" ) ", end, end + _LONGEST_EXPANSION)
        if close > 0 and _initials(text[end + 3 : close].split()) == letters:
            return end + 3 - 1, close
    if text.startswith(b" ) ", end) and text.endswith(b" (", 0, start):
        begin = text.rfind(b" ", 0, max(start - _LONGEST_EXPANSION, 1))
        words = text[max(begin, 0) : start - 2].split()
        for place in range(len(words) - 1, -1, -1):
            initials = _initials(words[place:])
            if initials == letters:
                size = len(b" ".join(words[place:]))
                return start - 2 - size - 1, start - 2
            if not letters.endswith(initials):
                break
    return None


def _initials(words: Sequence[bytes]) -> bytes:
    return b"".join(word[:1] for word in words if word not in _SMALL_WORDS)
