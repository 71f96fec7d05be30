"""Undoes what damages texts: HTML, mojibake, decomposed accents, invisible characters.

All of it is rare and dear to undo, so `needs_repair` tells in a microsecond the texts that hold
none.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Parts the fields of one offer (title, description): a token, so that no phrase crosses it.
FIELD_BREAK: Final = "\x1e"


#: An edit: start, end (exclusive) and what stands there instead.
_Edit = tuple[int, int, str]


class Repaired:
    """A text with its damage undone.

    Args:
        text: The repaired text.
        fields: For each field the length it was given with, and the edits made to it, round after
            round; those of a round are in order and do not overlap.
    """

    __slots__ = ("_fields", "_source", "text")

    def __init__(self, text: str, fields: Sequence[tuple[int, Sequence[Sequence[_Edit]]]]) -> None:
        self.text = text
        self._fields = fields
        self._source: NDArray[np.int32] | None = None

    @property
    def source(self) -> NDArray[np.int32]:
        """For each character of `text`, and one past its end, the offset into the given text.

        Worked out when it is first asked for: most texts hold no phrase and never are.
        """
        if self._source is None:
            begin, maps = 0, []
            for size, rounds in self._fields:
                places = np.arange(begin, begin + size + 1, dtype=np.int32)
                for edits in rounds:
                    places = _moved(places, edits)
                maps.append(places)
                begin += size + 1
            self._source = np.concatenate(maps)
        return self._source


def _moved(places: NDArray[np.int32], edits: Sequence[_Edit]) -> NDArray[np.int32]:
    """Offsets of the characters of a text, after edits."""
    parts: list[NDArray[np.int32]] = []
    done = 0
    for start, end, new in edits:
        parts.append(places[done:start])
        # The new characters share the edited stretch, the first of them its beginning.
        parts.append(places[start + (np.arange(len(new)) * (end - start)) // max(len(new), 1)])
        done = end
    return np.concatenate([*parts, places[done:]])


_TAG: Final = re.compile(r"<[a-zA-Z/!]")
#: A tag on its own; what stands between two signs that open is none.
_WHOLE_TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]*>")
_HIDDEN: Final = re.compile(r"<(script|style)\b", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
#: Soft hyphen, combining accents, zero-width and direction marks, byte-order mark.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_WIDE: Final = re.compile(
    "[\u2000-\u200a\u202f\u205f\u3000\u2010\u2011\ufb00-\ufb06\uff01-\uff5e\U0001d400-\U0001d7ff]"
)


def _mojibake_table() -> dict[str, str]:
    """What a character of Windows-1252 looks like when its UTF-8 was read as that or as Latin-1.

    A closed table instead of a guess: "É…" happens to be valid UTF-8 as well, of a letter that no
    French text holds.
    """
    table = {}
    for code in range(0x80, 0x100):
        char = bytes([code]).decode("cp1252", "replace")
        if char == "\ufffd":
            continue
        raw = char.encode("utf-8")
        table[raw.decode("latin-1")] = char
        # The five bytes that Windows-1252 leaves open are read as controls.
        table["".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in raw)] = char
    return table


_MOJIBAKE_TABLE: Final = _mojibake_table()
#: "Ã " (à) ends in a no-break space that copying often turned into a plain one.
_MOJIBAKE: Final = re.compile(
    "|".join(sorted(map(re.escape, _MOJIBAKE_TABLE), key=len, reverse=True)) + "|Ã(?= )"
)


#: What all of it begins with in Windows-1252: Ã, Â, Å, Æ, Ë …
_MOJIBAKE_LETTERS: Final = tuple(letter.encode("cp1252") for letter in ("Ã", "Â", "Å", "Æ", "Ë"))
#: … and â before one of these signs. What begins with â and a control character shows as a question
#: mark too many.
_MOJIBAKE_SIGNS: Final = tuple(sign.encode("cp1252") for sign in ("€", "‚", "„"))
_MOJIBAKE_A: Final = "â".encode("cp1252")


#: Bytes of Windows-1252 without which a text needs no repair; ``?`` stands for what it lacks.
SUSPECT_BYTES: Final = frozenset(
    b"<&?\xad" + b"".join(_MOJIBAKE_LETTERS) + b"".join(_MOJIBAKE_SIGNS)
)


def needs_repair(text: str, raw: bytes | None = None) -> bool:
    """Whether a text holds anything that `repair` would change; costs about a microsecond.

    Args:
        text: A text as given.
        raw: The same in Windows-1252, ``?`` for what that lacks, if it is at hand.
    """
    if raw is None:
        raw = text.encode("cp1252", "replace")
    return (
        (b"<" in raw and _TAG.search(text) is not None)
        or (b"&" in raw and _ENTITY.search(text) is not None)
        or (
            _may_be_odd(text, raw)
            and any(pattern.search(text) for pattern in (_INVISIBLE, _WIDE, _MOJIBAKE))
        )
    )


def _may_be_odd(text: str, raw: bytes) -> bool:
    """Whether a text may hold mojibake, an invisible or a wide character.

    All but the soft hyphen and most mojibake are characters that Windows-1252 lacks, so that there
    are more question marks in it than were given.
    """
    return b"\xad" in raw or _may_be_mojibake(raw) or raw.count(b"?") != text.count("?")


def _may_be_mojibake(raw: bytes) -> bool:
    # Single bytes are found many times quicker than pairs, and those than a pattern.
    return any(map(raw.__contains__, _MOJIBAKE_LETTERS)) or any(
        sign in raw and _MOJIBAKE_A + sign in raw for sign in _MOJIBAKE_SIGNS
    )


def repair(text: str) -> Repaired:
    """Undoes HTML, character references, mojibake, decomposed accents and invisible characters.

    Args:
        text: A text as given.

    Returns:
        The repaired text and its map to the given one. Tags become a blank, references their
        character; text that is not damaged comes back as it is.
    """
    # Damage ends with its field: a tag left open in a title hides nothing of the description.
    fields = text.split(FIELD_BREAK)
    done = [_edited(field) for field in fields]
    return Repaired(
        FIELD_BREAK.join(mended for mended, _ in done),
        [(len(field), rounds) for field, (_, rounds) in zip(fields, done, strict=True)],
    )


def _edited(text: str) -> tuple[str, list[list[_Edit]]]:
    """A field after all rounds of edits, and the edits of the rounds that changed it."""
    rounds: list[list[_Edit]] = []

    def mend(*steps: Callable[[str], Iterator[_Edit]]) -> None:
        nonlocal text
        for step in steps:
            edits = list(step(text))
            if edits:
                rounds.append(edits)
                text = _after(text, edits)

    mend(_strip_tags, _resolve_references)
    if _may_be_odd(text, text.encode("cp1252", "replace")):
        mend(_fix_mojibake, _drop_invisible, _narrow)
    return text, rounds


def _after(text: str, edits: Sequence[_Edit]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, new in edits:
        parts += (text[done:start], new)
        done = end
    return "".join([*parts, text[done:]])


def _strip_tags(text: str) -> Iterator[_Edit]:
    """Tags and comments to a blank; the content of script and style goes too.

    Not when ``<`` is no tag: "salaire < 30 k€" and "<- ici" stay, and so does what follows a tag or
    comment that is never closed. Linear in the text.
    """
    if "<" not in text:
        return
    if "<!--" not in text and _HIDDEN.search(text) is None:
        for match in _WHOLE_TAG.finditer(text):
            yield match.start(), match.end(), " "
        return
    last_comment = text.rfind("-->")
    last_closing = text.rfind("</")
    position = 0
    while (found := _TAG.search(text, position)) is not None:
        start = found.start()
        position = start + 1
        if text.startswith("<!--", start) and start + 4 <= last_comment:
            end = text.find("-->", start + 4) + 3
        elif (tag := _WHOLE_TAG.match(text, start)) is not None:
            end = tag.end()
            if end <= last_closing and (hidden := _HIDDEN.match(text, start)):
                closing = text.find("</" + hidden[1], end)
                end = closing if closing >= 0 else end
        else:
            continue
        yield start, end, " "
        position = end


def _resolve_references(text: str) -> Iterator[_Edit]:
    """``&eacute;`` to ``é``, ``&nbsp;`` to a blank."""
    for match in _ENTITY.finditer(text) if "&" in text else ():
        char = html.unescape(match.group())
        if char != match.group():
            yield match.start(), match.end(), char


def _fix_mojibake(text: str) -> Iterator[_Edit]:
    """``Ã©`` to ``é``, character by character, so that the map stays exact."""
    for match in _MOJIBAKE.finditer(text):
        yield match.start(), match.end(), _MOJIBAKE_TABLE.get(match.group(), "à")


def _drop_invisible(text: str) -> Iterator[_Edit]:
    """Combining accents (folding drops accents anyway), zero-width and direction marks."""
    for match in _INVISIBLE.finditer(text):
        yield match.start(), match.end(), ""


def _narrow(text: str) -> Iterator[_Edit]:
    """Wide blanks, hyphens and full-width or ligature letters to the plain ones."""
    for match in _WIDE.finditer(text):
        char = match.group()
        plain = "-" if char in "\u2010\u2011" else unicodedata.normalize("NFKC", char)
        yield match.start(), match.end(), plain
