"""Undoes what damages texts: HTML, mojibake, decomposed accents, invisible characters.

All of it is rare and dear to undo, so `needs_repair` tells in a microsecond the texts that hold
none.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html.entities import html5
from string import ascii_letters
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Parts the fields of one offer (title, description): a token, so that no phrase crosses it.
FIELD_BREAK: Final = "\x1e"


#: An edit: start, end (exclusive) and what stands there instead.
_Edit = tuple[int, int, str]
#: What stands for what a pattern found: a text, or what a function makes of it.
_New = str | Callable[[re.Match[str]], str]


class Repaired:
    """A text with its damage undone.

    Args:
        text: The repaired text.
        given: The text as it was given.
    """

    __slots__ = ("_given", "_source", "text")

    def __init__(self, text: str, given: str) -> None:
        self.text = text
        self._given = given
        self._source: NDArray[np.int32] | None = None

    @property
    def source(self) -> NDArray[np.int32]:
        """For each character of `text`, and one past its end, the offset into the given text.

        Worked out when it is first asked for: most texts hold no phrase and never are.
        """
        if self._source is None:
            begin, maps = 0, []
            for field in self._given.split(FIELD_BREAK):
                places = np.arange(begin, begin + len(field) + 1, dtype=np.int32)
                rounds: list[list[_Edit]] = []
                _mended(field, rounds)
                for edits in rounds:
                    places = _moved(places, edits)
                maps.append(places)
                begin += len(field) + 1
            self._source = np.concatenate(maps)
        return self._source


def _moved(places: NDArray[np.int32], edits: Sequence[_Edit]) -> NDArray[np.int32]:
    """Offsets of the characters of a text, after edits."""
    if not edits:
        return places
    starts, ends, sizes = np.array([(start, end, len(new)) for start, end, new in edits]).T
    lost = ends - starts - sizes
    begins = starts - np.cumsum(lost) + lost  # of what is new, in the edited text
    index = np.arange(len(places) - lost.sum())
    index += np.cumsum(np.bincount(begins + sizes, lost, len(index))[: len(index)].astype(np.int64))
    # The new characters share the edited stretch, the first of them its beginning.
    edit = np.repeat(np.arange(len(edits)), sizes)
    within = np.arange(len(edit)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    index[begins[edit] + within] = starts[edit] + within * (ends - starts)[edit] // sizes[edit]
    return places[index]


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


def _suspect_table() -> bytes:
    """For each byte of Windows-1252 what it may be part of."""
    table = bytearray(256)
    kinds = {
        _TAGS: "<",
        _REFERENCES: "&",
        # What mojibake begins with; what it begins with that no French text holds, and soft hyphen.
        _ODD: "ÃÂÅÆË\xad",
        # The same of signs: â and one of these. Where a control character follows on â, one that
        # Windows-1252 lacks, this is not needed.
        _PAIR[0]: "â",
        _PAIR[1]: "€‚„",
        _CLOSES: ">",
        _ENDS: FIELD_BREAK + "\x1f",
    }
    for kind, letters in kinds.items():
        for code in letters.encode("cp1252"):
            table[code] = kind
    return bytes(table)


_TAGS: Final = 1
_REFERENCES: Final = 2
_ODD: Final = 3
#: Odd only side by side.
_PAIR: Final = (4, 8)
_CLOSES: Final = 16
_ENDS: Final = 32
_SUSPECT: Final = _suspect_table()
#: What stands behind ``<`` in a tag.
_BEGINS_TAG: Final = np.zeros(256, dtype=bool)
_BEGINS_TAG[list(f"{ascii_letters}/!".encode())] = True


#: Sets the bit by which a small letter differs from its capital.
_SMALL: Final = 0x20


def _may_hide(letters: NDArray[np.uint8], opened: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a comment, a script or a style may open at some places."""
    first, second, third = (
        letters[np.minimum(opened + more, len(letters) - 1)] | _SMALL for more in (1, 2, 3)
    )
    script, style = ((second == ord(a)) & (third == ord(b)) for a, b in ("cr", "ty"))
    result: NDArray[np.bool_] = (first == ord("!")) | ((first == ord("s")) & (script | style))
    return result


@dataclass(frozen=True, slots=True)
class Suspects:
    """Where texts in Windows-1252 may be damaged, as positions in them.

    Attributes:
        tags: Where tags open and where they close, two rows.
        hiding: Of what may hide what follows: a comment, a script, a style.
        references: Of what may open a character reference.
        odd: Of mojibake and soft hyphens. Characters that Windows-1252 lacks are odd too, and
            cannot be seen in it.
    """

    tags: NDArray[np.int64]
    hiding: NDArray[np.int64]
    references: NDArray[np.int64]
    odd: NDArray[np.int64]

    @classmethod
    def of(cls, raw: bytes) -> Suspects:
        """Those of some texts, each of which ends in the control character 31."""
        kinds = np.frombuffer(raw.translate(_SUSPECT), dtype=np.uint8)
        places = np.flatnonzero(kinds != 0)
        kinds = kinds[places]
        letters = np.frombuffer(raw, dtype=np.uint8)
        opens = kinds == _TAGS
        # A tag is closed by the next sign that may close it.
        bounds = np.flatnonzero(opens | (kinds == _CLOSES) | (kinds == _ENDS))
        first, last = bounds[:-1], bounds[1:]
        whole = opens[first] & (kinds[last] == _CLOSES) & _BEGINS_TAG[letters[places[first] + 1]]
        odd = kinds == _ODD
        odd[:-1] |= (kinds[:-1] + kinds[1:] == sum(_PAIR)) & (np.diff(places) == 1)
        opened = places[opens]
        hiding, references = opened[_may_hide(letters, opened)], places[kinds == _REFERENCES]
        tags = np.stack([first[whole], last[whole]])
        return cls(places[tags], hiding, references, places[odd])


def is_odd(text: str) -> bool:
    """Whether a text may hold mojibake, an invisible or a wide character.

    All but the soft hyphen and most mojibake are characters that Windows-1252 lacks.
    """
    try:
        raw = text.encode("cp1252")
    except UnicodeEncodeError:
        return True
    left = raw.translate(None, _NEVER_ODD)
    return len(left) > 0 and len(Suspects.of(raw).odd) > 0


#: What makes no text odd, though it may be a part of what does …
_NEVER_ODD: Final = bytes(code for code in range(256) if _SUSPECT[code] not in {_ODD, _PAIR[1]})
#: … and what is no part of it either.
_NEVER_IN_ODD: Final = bytes(code for code in _NEVER_ODD if _SUSPECT[code] != _PAIR[0])


def needs_repair(text: str) -> bool:
    """Whether a text holds anything that `repair` would change."""
    return (
        ("<" in text and _TAG.search(text) is not None)
        or holds_reference(text)
        or (is_odd(text) and holds_odd(text))
    )


def holds_reference(text: str) -> bool:
    """Whether a text holds a character reference."""
    return "&" in text and _ENTITY.search(text) is not None


def holds_odd(text: str) -> bool:
    """Whether a text that `is_odd` holds mojibake, an invisible or a wide character indeed."""
    return any(pattern.search(text) is not None for pattern in (_INVISIBLE, _WIDE, _MOJIBAKE))


def hides_text(text: str) -> bool:
    """Whether a text holds a comment, a script or a style, of which the content is no text."""
    # Looked for by its letters first: a pattern that takes either case is slow.
    return "<!--" in text or (("<s" in text or "<S" in text) and _HIDDEN.search(text) is not None)


def repair(text: str, *, odd: bool | None = None) -> Repaired:
    """Undoes HTML, character references, mojibake, decomposed accents and invisible characters.

    Args:
        text: A text as given.
        odd: Whether it `is_odd`, if that is known.

    Returns:
        The repaired text and its map to the given one. Tags become a blank, references their
        character; text that is not damaged comes back as it is.
    """
    # Damage ends with its field: a tag left open in a title hides nothing of the description.
    fields = text.split(FIELD_BREAK)
    return Repaired(FIELD_BREAK.join([_mended(field, odd=odd) for field in fields]), text)


def _mended(text: str, rounds: list[list[_Edit]] | None = None, *, odd: bool | None = None) -> str:
    """A field without its damage.

    Args:
        text: The field.
        rounds: Where the edits go, round after round, for those who want to know; those of a round
            are in order and do not overlap.
        odd: Whether it `is_odd`, if that is known.
    """
    if hides_text(text):
        edits = list(_tags_and_hidden(text))
        if rounds is not None:
            rounds.append(edits)
        text = _after(text, edits)
    elif "<" in text:
        text = _replaced(_WHOLE_TAG, " ", text, rounds)
    if "&" in text:
        given, text = text, _replaced(_ENTITY, _character, text, rounds)
        # Without anything odd before, nothing but what references stood for is.
        odd = odd if text == given or (odd is False and not _odd_meant(given)) else None
    if is_odd(text) if odd is None else odd:
        text = _replaced(_MOJIBAKE, _as_written, text, rounds)
        # Combining accents too: folding drops accents anyway.
        text = _replaced(_INVISIBLE, "", text, rounds)
        text = _replaced(_WIDE, _narrow, text, rounds)
    return text


def _replaced(
    pattern: re.Pattern[str], new: _New, text: str, rounds: list[list[_Edit]] | None
) -> str:
    if rounds is not None:
        found = pattern.finditer(text)
        rounds.append(
            [(at.start(), at.end(), new if isinstance(new, str) else new(at)) for at in found]
        )
    return pattern.sub(new, text)


def _after(text: str, edits: Sequence[_Edit]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, new in edits:
        parts += (text[done:start], new)
        done = end
    return "".join([*parts, text[done:]])


def _tags_and_hidden(text: str) -> Iterator[_Edit]:
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


def _character(reference: re.Match[str]) -> str:
    """``&eacute;`` to ``é``, ``&nbsp;`` to a blank; what names nothing stays."""
    # The table first: unescaping itself searches the few letters for references once more.
    return html5.get(reference[0][1:]) or html.unescape(reference[0])


def _odd_meant(text: str) -> bool:
    """Whether a reference of a text stands for what may be odd, alone or beside another."""
    meant = "".join({html5.get(one[1:]) or html.unescape(one) for one in _ENTITY.findall(text)})
    raw = meant.encode("cp1252", "replace")
    return raw.count(b"?") > meant.count("?") or len(raw.translate(None, _NEVER_IN_ODD)) > 0


def _as_written(damage: re.Match[str]) -> str:
    """``Ã©`` to ``é``, character by character, so that the map stays exact."""
    return _MOJIBAKE_TABLE.get(damage[0], "à")


def _narrow(wide: re.Match[str]) -> str:
    """Wide blanks, hyphens and full-width or ligature letters to the plain ones."""
    char = wide[0]
    return "-" if char in "\u2010\u2011" else unicodedata.normalize("NFKC", char)
