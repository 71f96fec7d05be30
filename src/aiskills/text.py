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

Many texts are folded as one, in some thirty passes over bytes and no loop over characters; what is
rare and dear to undo (HTML, mojibake, …) is repaired first where a text holds it
(`aiskills.repair`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiskills.repair import FIELD_BREAK, SUSPECT_BYTES, Repaired, needs_repair, repair

#: Characters folded in one go: what is made of so many stays in a processor's cache.
_PIECE_CHARS: Final = 100_000
#: What stands for the break of fields in folded text, where the break would count as a blank.
FOLDED_BREAK: Final = "¦"
#: Parts the texts of a batch, for the same reason.
_TEXT_BREAK: Final = b"\x1f"
#: The byte between two texts that were folded together; no folded text holds it.
PARTING_BYTE: Final = _TEXT_BREAK[0]

# Classes of characters, as bits, so that two neighbours are looked at in one operation.
_BLANK: Final = 1
_MARK: Final = 2
_WORD: Final = 4
_LOWER: Final = 8 | _WORD
_UPPER: Final = 16 | _WORD
#: What an inclusive ending begins with, besides what it is.
_SIGN: Final = 64
#: What is dropped stands at the end of a word and leaves it to its neighbours as small letters.
_DROPPED: Final = 32
_DROP: Final = _DROPPED | _LOWER


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
    table[ord(FIELD_BREAK)] = table[_TEXT_BREAK[0]] = _MARK
    for sign in "(·./-":
        table[sign.encode("cp1252")[0]] |= _SIGN
    return bytes(table)


_FOLD: Final = _fold_table()
_CLASS: Final = _class_table()
#: The folded byte of each byte as it is kept: that of any blank is a blank.
_LETTER: Final = bytes(
    ord(" ") if kind & _BLANK else letter for letter, kind in zip(_FOLD, _CLASS, strict=True)
)

#: What a byte may mean: a character that Windows-1252 lacks (or just a question mark), other damage
#: or the break.
_QUESTION: Final = 1
_DAMAGE: Final = 2
_SUSPECT: Final = bytes(
    _QUESTION if code == ord("?") else _DAMAGE * (code in SUSPECT_BYTES or code == _TEXT_BREAK[0])
    for code in range(256)
)
#: Inclusive endings on folded bytes, where ``·`` is still 0xb7. A full stop is accepted only before
#: the endings that no French word is, since "poste.le" is a lost blank and no inclusive form.
_INCLUSIVE: Final = re.compile(
    rb"(?<=[a-z]{3})(?:"
    rb"\((?:e|ne|nne|se|euse|trice|rice|ere|le|lle|te|tte|ve|fe|es|s|x)s?\)(?:s(?![a-z0-9]))?"
    rb"|\xb7(?:e|ne|nne|se|euse|trice|rice|ere|le|lle|te|tte|ve|fe|s|x)(?:\xb7?s)?(?![a-z0-9])"
    rb"|\.(?:e|euse|trice|rice)(?:\.?s)?(?![a-z0-9])"
    rb"|/(?:e|euse|trice|rice|se|ne)s?(?![a-z0-9])"
    rb"|-(?:euse|trice|rice|se)s?(?![a-z0-9])"
    rb")"
)
#: Letters that an ending begins with, of all signs and of the three commonest.
_OPENS_ENDING: Final = np.zeros(256, dtype=bool)
_OPENS_ENDING[list(b"entsrlvfx")] = True
_COMMON_SIGN: Final = np.zeros(256, dtype=bool)
_COMMON_SIGN[list(b"./-")] = True
_OPENS_COMMON: Final = np.zeros(256, dtype=bool)
_OPENS_COMMON[list(b"etrsn")] = True


class Folded:
    """The folded form of one text.

    Args:
        text: The folded bytes; ``b" "`` for an empty text.
        pairs: For each byte of the text that was folded what folding made of it: the blank put
            before it, if any, and its folded byte, if it is kept.
        repaired: The repaired text, if it was one that was folded.
    """

    __slots__ = ("_pairs", "_repaired", "_source", "text")

    def __init__(self, text: bytes, pairs: memoryview, repaired: Repaired | None = None) -> None:
        self.text = text
        self._pairs = pairs
        self._repaired = repaired
        self._source: NDArray[np.int32] | None = None

    @property
    def source(self) -> NDArray[np.int32]:
        """One offset into the given text, in characters, for each byte of `text`.

        An inserted blank points at the character it stands before, the last one at the end of the
        text. Worked out when it is first asked for: most texts hold no phrase and never are.
        """
        if self._source is None:
            kept = np.flatnonzero(np.frombuffer(self._pairs, dtype=np.uint8))
            source = (kept >> 1).astype(np.int32)
            self._source = source if self._repaired is None else self._repaired.source[source]
        return self._source

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


@dataclass(frozen=True, slots=True)
class FoldedBatch:
    """Many texts folded as one.

    Attributes:
        text: Folded bytes of all texts, one behind another, parted by tokens of their own.
        starts: Position in `text` of each text's first byte.
        ends: Position behind each text's last byte.
        texts: The texts, each by itself.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    texts: Sequence[Folded]

    def __len__(self) -> int:
        return len(self.texts)


def fold(text: str) -> Folded:
    """Folds one text; see the module's text for the rules."""
    return fold_many([text]).texts[0]


def fold_batch(texts: Sequence[str]) -> Iterator[Folded]:
    """Folds many texts at once, which costs a fraction of folding them one by one.

    Args:
        texts: The texts as given; they are repaired first where they need it.

    Yields:
        One `Folded` a text, in order.
    """
    yield from fold_many(texts).texts


def fold_many(texts: Sequence[str]) -> FoldedBatch:
    """Folds many texts at once, as `fold_batch` does, and keeps them together.

    Args:
        texts: The texts as given.
    """
    parts: list[bytes] = []
    found: list[Folded] = []
    for piece in _pieces(texts):
        parts.append(piece.folded)
        found += piece.texts()
    ends = np.cumsum([len(one.text) + 1 for one in found], dtype=np.int64) - 1
    sizes = np.array([len(one.text) for one in found], dtype=np.int64)
    return FoldedBatch(b"".join(parts), ends - sizes, ends, found)


def fold_joined(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Folds many texts at once for those who need no offsets, at half the price for short texts.

    Args:
        texts: The texts as given.

    Returns:
        The folded bytes of all texts, each with a blank at both ends and `PARTING_BYTE` behind it,
        and the position of each such byte.
    """
    parts: list[bytes] = []
    ends: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    size = 0
    for piece in _pieces(texts):
        parts.append(piece.folded)
        ends.append(piece.ends + size)
        size += len(piece.folded)
    return b"".join(parts), np.concatenate(ends)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some texts folded as one.

    Attributes:
        folded: Folded bytes, each text with its break behind it.
        ends: Position of each text's break in `folded`.
        pairs: What `_pairs` gives of all that was folded.
        sizes: Bytes of each text before folding.
        repaired: The repaired texts, by number.
    """

    folded: bytes
    ends: NDArray[np.int64]
    pairs: bytes
    sizes: list[int]
    repaired: dict[int, Repaired]

    def texts(self) -> list[Folded]:
        """Each text by itself."""
        view = memoryview(self.pairs)
        found, begin, offset = [], 0, 0
        for number, (size, end) in enumerate(zip(self.sizes, self.ends.tolist(), strict=True)):
            behind = offset + size
            its = view[2 * offset : 2 * behind + 1]
            found.append(Folded(self.folded[begin:end], its, self.repaired.get(number)))
            # The break is a token: a blank, itself, a blank. Its first blank ends this text, its
            # second one begins the next.
            begin, offset = end + 1, behind + 1
        return found


def _pieces(texts: Sequence[str]) -> Iterator[_Piece]:
    begin = chars = 0
    for number, text in enumerate(texts, 1):
        chars += len(text)
        if chars >= _PIECE_CHARS or number == len(texts):
            yield _fold_piece(texts[begin:number])
            begin, chars = number, 0


def _fold_piece(texts: Sequence[str]) -> _Piece:
    raws = [text.encode("cp1252", "replace") for text in texts]
    repaired: dict[int, Repaired] = {}
    joined = _TEXT_BREAK.join([*raws, b""])
    for number, damage in _suspects(joined, raws):
        text, raw = texts[number], raws[number]
        if not damage and raw.count(b"?") == text.count("?"):
            continue
        if needs_repair(text, raw):
            repaired[number] = repair(text)
            raw = repaired[number].text.encode("cp1252", "replace")
        # A text that holds the break itself would be read as two.
        raws[number] = raw.replace(_TEXT_BREAK, b" ")
    if repaired or joined.count(_TEXT_BREAK) > len(texts):
        joined = _TEXT_BREAK.join([*raws, b""])
    pairs = _pairs(joined)
    folded = pairs.translate(None, b"\0")
    ends = np.flatnonzero(np.frombuffer(folded, dtype=np.uint8) == PARTING_BYTE)
    return _Piece(folded, ends, pairs, [len(raw) for raw in raws], repaired)


def _suspects(joined: bytes, raws: Sequence[bytes]) -> list[tuple[int, bool]]:
    """Numbers of the texts that hold a byte which may need repair, and whether it is no ``?``."""
    kinds = np.frombuffer(joined.translate(_SUSPECT), dtype=np.uint8)
    found = np.flatnonzero(kinds)
    ends = np.cumsum([len(raw) + 1 for raw in raws])
    # A text's own break is the byte before its end.
    found = found[found != ends[np.searchsorted(ends, found, side="right")] - 1]
    texts, first = np.unique(np.searchsorted(ends, found, side="right"), return_index=True)
    if not len(texts):
        return []
    worst = np.maximum.reduceat(kinds[found], first)
    return list(zip(texts.tolist(), (worst == _DAMAGE).tolist(), strict=True))


def _pairs(raw: bytes) -> bytes:
    """For each byte two: a blank or nothing (NUL), and its folded byte, or nothing.

    No folded byte is NUL: controls are blanks.
    """
    kind, letters = _classes(raw)
    either = np.empty_like(kind)
    either[1:] = kind[1:] | kind[:-1]
    # A text begins with a blank: what stands before it counts as a mark.
    either[0] = kind[0] | _MARK
    # A blank is put between a mark and its neighbour, where there is none …
    part = (either & (_MARK | _BLANK)) == _MARK
    # … and between two small letters and a capital.
    part[2:] |= ((kind[1:-1] & kind[:-2] & (_LOWER - _WORD)) << 1) & kind[2:] > 0
    part[0] |= not kind[0] & _BLANK
    kept = (kind & _DROPPED) == 0
    # Of a run of blanks the first is kept. A dropped character always follows a word, so a run of
    # blanks is one here too.
    kept[1:] &= (kind[1:] & kind[:-1] & _BLANK) == 0
    letters *= kept
    pairs = letters.astype("<u2")
    pairs <<= 8
    blanks = part.astype("<u2")
    blanks *= ord(" ")
    pairs |= blanks
    return pairs.tobytes()


def _classes(raw: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The class of each byte, after what depends on its neighbours, and its folded byte."""
    lower = raw.translate(_FOLD)
    letters = np.frombuffer(raw.translate(_LETTER), dtype=np.uint8).copy()
    kind = np.frombuffer(raw.translate(_CLASS), dtype=np.uint8).copy()
    word = (kind & _WORD) > 0
    # A question mark inside a word is an apostrophe that an encoding lost (l?équipe).
    inside = np.flatnonzero(letters[1:-1] == ord("?")) + 1
    inside = inside[word[inside - 1] & word[inside + 1]]
    kind[inside] = _BLANK
    letters[inside] = ord(" ")
    for start in _signs_in_words(kind, np.frombuffer(lower, dtype=np.uint8)):
        if match := _INCLUSIVE.match(lower, start):
            kind[start : match.end()] = _DROP
    # Plural: s, or x after u, at the end of a word of four letters or more.
    behind = ~word[1:]
    last = np.flatnonzero((letters[:-1] == ord("s")) & behind)
    other = np.flatnonzero((letters[:-1] == ord("x")) & behind)
    last = np.concatenate([last, other[letters[other - 1] == ord("u")]])
    last = last[last >= 3]
    last = last[word[last] & word[last - 1] & word[last - 2] & word[last - 3]]
    kind[last] = _DROP
    return kind, letters


def _signs_in_words(kind: NDArray[np.uint8], letters: NDArray[np.uint8]) -> list[int]:
    """Where a sign stands between three letters and one that an inclusive ending begins with."""
    inside = kind[2:-2] & kind[1:-3] & kind[:-4] & kind[4:] & _WORD
    found = np.flatnonzero(inside & ((kind[3:-1] & _SIGN) >> 4)) + 3
    before, behind = letters[found], letters[found + 1]
    wanted = _OPENS_ENDING[behind] & (_OPENS_COMMON[behind] | ~_COMMON_SIGN[before])
    result: list[int] = found[wanted].tolist()
    return result
