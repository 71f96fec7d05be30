"""Undoes what damages texts: HTML, mojibake, decomposed accents, invisible characters.

All of it is rare and dear to undo, so `needs_repair` tells in a microsecond the texts that hold
none.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Parts the fields of one offer (title, description): a token, so that no phrase crosses it.
FIELD_BREAK: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A text with its damage undone.

    Attributes:
        text: The repaired text.
        source: For each character of `text`, and one past its end, the offset into the given text.
    """

    text: str
    source: NDArray[np.int32]


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
        or (b"\xad" in raw)
        or (_may_be_mojibake(raw) and _MOJIBAKE.search(text) is not None)
        # More question marks than were given: characters that Windows-1252 lacks.
        or (
            raw.count(b"?") != text.count("?")
            and (_INVISIBLE.search(text) or _WIDE.search(text) or _MOJIBAKE.search(text))
            is not None
        )
    )


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
    fields = text.split(FIELD_BREAK)
    if len(fields) > 1:
        # Damage ends with its field: a tag left open in a title hides nothing of the description.
        return _joined([repair(field) for field in fields], [len(field) for field in fields])
    result = Repaired(text, np.arange(len(text) + 1, dtype=np.int32))
    for step in (_strip_tags, _resolve_references, _fix_mojibake, _drop_invisible, _narrow):
        result = _apply(result, step(result.text))
    return result


def _joined(fields: Sequence[Repaired], sizes: Sequence[int]) -> Repaired:
    """Repaired fields as one text again; `sizes` are their given lengths."""
    begins = np.cumsum([0, *(size + 1 for size in sizes[:-1])])
    return Repaired(
        FIELD_BREAK.join(field.text for field in fields),
        np.concatenate(
            [field.source + begin for field, begin in zip(fields, begins, strict=True)]
        ).astype(np.int32),
    )


#: An edit: start, end (exclusive) and what stands there instead.
_Edit = tuple[int, int, str]


def _apply(before: Repaired, edits: Iterator[_Edit]) -> Repaired:
    """The text after edits that are in order and do not overlap."""
    parts: list[str] = []
    maps: list[NDArray[np.int32]] = []
    done = 0
    for start, end, new in edits:
        parts += (before.text[done:start], new)
        maps.append(before.source[done:start])
        # The new characters share the edited stretch, the first of them its beginning.
        share = start + (np.arange(len(new)) * (end - start)) // max(len(new), 1)
        maps.append(before.source[share])
        done = end
    if not parts:
        return before
    parts.append(before.text[done:])
    maps.append(before.source[done:])
    return Repaired("".join(parts), np.concatenate(maps))


def _strip_tags(text: str) -> Iterator[_Edit]:
    """Tags and comments to a blank; the content of script and style goes too.

    Not when ``<`` is no tag: "salaire < 30 k€" and "<- ici" stay, and so does what follows a tag or
    comment that is never closed. Linear in the text.
    """
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
    for match in _ENTITY.finditer(text):
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
