r"""Cleaning and folding of offer texts, with a map back to the text that was given.

Everything downstream (phrases, tokens, features) sees the *folded* form and every offset that
leaves the package is translated back, so evidence is always quoted from what the user gave.

The folded form of a text is a byte string of tokens parted by single blanks, beginning and ending
with a blank. A token is a run of letters and digits, or one mark of punctuation:

* lower case, accents removed, one byte a character (Windows-1252, the alphabet of French offers);
* hyphens, apostrophes, underscores and every kind of blank are blanks;
* inclusive endings are dropped (``développeur·se`` and ``développeur(se)`` are ``developpeur``);
* glued words are parted (``posteEn`` is ``poste en``), as offers copied from web pages need;
* a final ``s`` (or ``x`` after ``u``) of a word is dropped, so that singular and plural are one.

    >>> fold("Développeur·se  d’IA générative – réseaux").text
    b' developpeur d ia generative \\x96 reseau '

Cheap steps run on many texts at once; :func:`repair` undoes what is rare and dear to undo (HTML,
mojibake, decomposed accents, invisible characters) and runs only where :func:`needs_repair` says
so.
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
#: What stands for it in folded text, where the break itself would count as a blank.
FOLDED_BREAK: Final = "¦"
#: Parts the texts of a batch, for the same reason.
_TEXT_BREAK: Final = "\x1f"

# Classes of characters; from _WORD on they are parts of words.
_BLANK, _MARK, _DROP, _WORD, _LOWER, _UPPER = range(6)


def _fold_table() -> bytes:
    """One folded byte for each byte of Windows-1252."""
    table = bytearray(range(256))
    for code in range(256):
        char = bytes([code]).decode("cp1252", "replace")
        base = unicodedata.normalize("NFD", char)[0].lower()
        try:
            table[code] = base.encode("cp1252")[0]
        except UnicodeEncodeError:
            table[code] = ord("?")
    table[ord(FIELD_BREAK)] = FOLDED_BREAK.encode("cp1252")[0]
    return bytes(table)


def _class_table() -> bytes:
    """The class of each byte of Windows-1252, before folding."""
    table = bytearray([_MARK]) * 256
    for code in range(256):
        char = bytes([code]).decode("cp1252", "replace")
        if char.isalnum():
            table[code] = _UPPER if char.isupper() else _LOWER if char.islower() else _WORD
    # ¹ ² ³ count as alphanumeric for Python, but "m²" and notes are no words of a term.
    for char in "\xb9\xb2\xb3\xaa\xba":
        table[char.encode("cp1252")[0]] = _MARK
    for code in range(0x20):
        table[code] = _BLANK
    for char in " \xa0-'`´’‘_·":
        table[char.encode("cp1252")[0]] = _BLANK
    table[ord(FIELD_BREAK)] = table[ord(_TEXT_BREAK)] = _MARK
    return bytes(table)


_FOLD: Final = _fold_table()
_CLASS: Final = _class_table()

#: Inclusive endings on folded bytes, where ``·`` is still 0xb7. A full stop is accepted only before
#: the endings that no French word is, since "poste.le" is a lost blank and no inclusive form.
_INCLUSIVE: Final = re.compile(
    # The sign first: what begins with a small set of characters is found quickly.
    rb"[(\xb7./-](?<=[a-z]{3}[(\xb7./-])(?:"
    rb"(?<=\()(?:e|ne|nne|se|euse|trice|rice|ere|le|lle|te|tte|ve|fe|es|s|x)s?\)(?:s(?![a-z0-9]))?"
    rb"|(?<=\xb7)(?:e|ne|nne|se|euse|trice|rice|ere|le|lle|te|tte|ve|fe|s|x)(?:\xb7?s)?(?![a-z0-9])"
    rb"|(?<=\.)(?:e|euse|trice|rice)(?:\.?s)?(?![a-z0-9])"
    rb"|(?<=/)(?:e|euse|trice|rice|se|ne)s?(?![a-z0-9])"
    rb"|(?<=-)(?:euse|trice|rice|se)s?(?![a-z0-9])"
    rb")"
)


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded form of one text.

    Attributes:
        text: The folded bytes; ``b" "`` for an empty text.
        source: One offset into the given text, in characters, for each byte of `text`. An inserted
            blank points at the character it stands before, the last one at the end of the text.
    """

    text: bytes
    source: NDArray[np.int32]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the given text of the tokens between two blanks.

        Args:
            start: Position of the blank before the first token.
            end: Position of the blank after the last token.

        Returns:
            Start and exclusive end, in characters of the given text; an inflection or inclusive
            ending that folding dropped lies inside.
        """
        return int(self.source[start + 1]), int(self.source[end])


def fold(text: str) -> Folded:
    """Folds one text; see the module's text for the rules."""
    return next(iter(fold_batch([text])))


def fold_batch(texts: Sequence[str]) -> Iterator[Folded]:
    """Folds many texts at once, which costs a fraction of folding them one by one.

    Args:
        texts: The texts as given; they are repaired first where they need it.

    Yields:
        One `Folded` a text, in order.
    """
    if not texts:
        return
    repaired = [repair(text) if needs_repair(text) else None for text in texts]
    # A text that holds the break itself would be read as two.
    cleans = [
        (text if fixed is None else fixed.text).replace(_TEXT_BREAK, " ")
        for text, fixed in zip(texts, repaired, strict=True)
    ]
    folded, position = _fold_joined(_TEXT_BREAK.join(cleans) + _TEXT_BREAK)
    breaks = np.flatnonzero(np.frombuffer(folded, dtype=np.uint8) == ord(_TEXT_BREAK))
    begin, offset = 0, 0
    for clean, fixed, stop in zip(cleans, repaired, breaks.tolist(), strict=True):
        # The break is a token: a blank, itself, a blank. Its first blank ends this text, its second
        # one begins the next.
        text = folded[begin:stop]
        source = position[begin:stop] - offset
        if fixed is not None:
            source = fixed.source[source]
        yield Folded(text, source)
        begin, offset = stop + 1, offset + len(clean) + 1


def _fold_joined(joined: str) -> tuple[bytes, NDArray[np.int32]]:
    """Folded bytes of a joined text and, for each, the offset of its character."""
    raw = joined.encode("cp1252", "replace")
    lower = raw.translate(_FOLD)
    kind = _classes(raw, lower)

    # A dropped character always follows a word, so a run of blanks is a run in `kind` too.
    blank = kind == _BLANK
    keep = kind != _DROP
    keep[1:] &= ~(blank[1:] & blank[:-1])
    position = np.flatnonzero(keep).astype(np.int32)
    kind = kind[keep]
    blank = blank[keep]
    letters = np.frombuffer(lower, dtype=np.uint8)[keep]
    letters[blank] = ord(" ")

    mark = kind == _MARK
    part = np.zeros(len(kind), dtype=bool)
    part[1:] = (mark[1:] | mark[:-1]) & ~(blank[1:] | blank[:-1])
    small = kind == _LOWER
    part[2:] |= (kind[2:] == _UPPER) & small[1:-1] & small[:-2]
    part[0] = not blank[0]

    place = np.cumsum(part, dtype=np.int32)
    place += np.arange(len(kind), dtype=np.int32)
    out = np.full(int(place[-1]) + 2, ord(" "), dtype=np.uint8)
    out[place] = letters
    source = np.empty(len(out), dtype=np.int32)
    source[place] = position
    source[place[part] - 1] = position[part]
    source[-1] = len(joined)
    return out.tobytes(), source


def _classes(raw: bytes, lower: bytes) -> NDArray[np.uint8]:
    """The class of each byte, after what depends on its neighbours."""
    letters = np.frombuffer(lower, dtype=np.uint8)
    kind = np.frombuffer(raw.translate(_CLASS), dtype=np.uint8).copy()
    word = kind >= _WORD
    # A question mark inside a word is an apostrophe that an encoding lost (l?équipe).
    inside = np.flatnonzero(letters[1:-1] == ord("?")) + 1
    kind[inside[word[inside - 1] & word[inside + 1]]] = _BLANK
    for match in _INCLUSIVE.finditer(lower):
        kind[match.start() : match.end()] = _DROP
    # Plural: s, or x after u, at the end of a word of four letters or more.
    last = np.flatnonzero(word[:-1] & ~word[1:])
    last = last[last >= 3]
    ending = letters[last]
    plural = (ending == ord("s")) | ((ending == ord("x")) & (letters[last - 1] == ord("u")))
    last = last[plural]
    last = last[word[last - 1] & word[last - 2] & word[last - 3]]
    kind[last] = _DROP
    return kind


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


def needs_repair(text: str) -> bool:
    """Whether a text holds anything that `repair` would change; costs a few microseconds."""
    if text.isascii() and "<" not in text and "&" not in text:
        return False
    return (
        ("<" in text and _TAG.search(text) is not None)
        or ("&" in text and _ENTITY.search(text) is not None)
        or (
            not text.isascii()
            and (
                _INVISIBLE.search(text) is not None
                or _WIDE.search(text) is not None
                or _MOJIBAKE.search(text) is not None
            )
        )
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
