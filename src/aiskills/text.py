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
rare and dear to undo (character references, mojibake, …) is repaired first where a text holds it
(`aiskills.repair`). A tag is overwritten by blanks where it stands.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from aiskills.repair import (
    FIELD_BREAK,
    Repaired,
    Suspects,
    hides_text,
    holds_odd,
    holds_reference,
    repair,
)

#: Characters folded in one go: what is made of so many stays in a processor's cache.
_PIECE_CHARS: Final = 200_000
#: What stands for the break of fields in folded text, where the break would count as a blank.
FOLDED_BREAK: Final = "¦"
#: Parts the texts of a batch, for the same reason.
_TEXT_BREAK: Final = "\x1f"
#: The byte between two texts that were folded together; no folded text holds it.
PARTING_BYTE: Final = ord(_TEXT_BREAK)
_PLANE: Final = 0x10000

# Classes of characters, as bits, so that two neighbours are looked at in one operation.
_BLANK: Final = 1
_MARK: Final = 2
_WORD: Final = 4
_LOWER: Final = 8 | _WORD
_UPPER: Final = 16 | _WORD
#: What an inclusive ending begins with, besides what it is.
_SIGN: Final = 64


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
    table[ord(FIELD_BREAK)] = table[PARTING_BYTE] = _MARK
    for sign in "(·./-":
        table[sign.encode("cp1252")[0]] |= _SIGN
    return bytes(table)


_FOLD: Final = _fold_table()
_FOLDED: Final = np.frombuffer(_FOLD, dtype=np.uint8)
_CLASS: Final = _class_table()
#: The folded byte of each byte as it is kept: that of any blank is a blank.
_LETTER: Final = bytes(
    ord(" ") if kind & _BLANK else letter for letter, kind in zip(_FOLD, _CLASS, strict=True)
)


def _windows_table() -> NDArray[np.uint8]:
    """The byte of Windows-1252 for each character of the first plane, ``?`` where there is none."""
    table = np.full(_PLANE, ord("?"), dtype=np.uint8)
    for code in range(256):
        char = bytes([code]).decode("cp1252", "replace")
        if char != "\ufffd":
            table[ord(char)] = code
    return table


_WINDOWS: Final = _windows_table()
#: The unbreakable hyphen and the soft one.
_OTHER_HYPHENS: Final = ("\u2010", "\u00ad")
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
#: Letters before an ending that it looks at, and more than it and what it looks at behind it take.
_BEFORE_ENDING: Final = 3
_WITH_ENDING: Final = 16
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
        repaired: The repaired text, if it was one that was folded; it is not where blanks stand for
            its tags is all there was to repair.
    """

    __slots__ = ("_pairs", "_read", "_repaired", "_source", "text")

    def __init__(self, text: bytes, pairs: memoryview, repaired: Repaired | None = None) -> None:
        self.text = text
        self._pairs = pairs
        self._repaired = repaired
        self._read: NDArray[np.int32] | None = None
        self._source: NDArray[np.int32] | None = None

    @property
    def source(self) -> NDArray[np.int32]:
        """One offset into the given text, in characters, for each byte of `text`.

        An inserted blank points at the character it stands before, the last one at the end of the
        text. Worked out when it is first asked for: most texts hold no phrase and never are.
        """
        if self._source is None:
            read = self._offsets()
            self._source = read if self._repaired is None else self._repaired.source[read]
        return self._source

    def _offsets(self) -> NDArray[np.int32]:
        """The same into the text that was folded: the repaired one, where there is one."""
        if self._read is None:
            kept = np.flatnonzero(np.frombuffer(self._pairs, dtype=np.uint8) != 0)
            self._read = (kept >> 1).astype(np.int32)
        return self._read

    def quote(self, given: str, start: int, end: int) -> str:
        """The tokens between two blanks as a reader of the text sees them.

        Args:
            given: The text that was given. What is damaged in it, or written as a character
                reference, comes back as what is meant.
            start: Position of the blank before the first token.
            end: Position of the blank after the last token.
        """
        text = given if self._repaired is None else self._repaired.text
        offsets = self._offsets()
        quote = text[offsets[start + 1] : offsets[end]]
        return repair(quote).text if "<" in quote else quote

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


class FoldedTexts(Sequence[Folded]):
    """Folded texts one by one, each made when it is first asked for: most never are.

    Args:
        pieces: What the texts were folded in.
    """

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self._pieces = pieces
        self._behind = list(accumulate(map(len, pieces)))
        self._made: dict[int, Folded] = {}

    def __len__(self) -> int:
        return self._behind[-1] if self._behind else 0

    @overload
    def __getitem__(self, number: int) -> Folded: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Folded]: ...

    def __getitem__(self, number: int | slice) -> Folded | Sequence[Folded]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        at = range(len(self))[number]
        if at not in self._made:
            place = bisect_right(self._behind, at)
            piece = self._pieces[place]
            self._made[at] = piece.text(at - self._behind[place] + len(piece))
        return self._made[at]


@dataclass(frozen=True, slots=True)
class FoldedBatch:
    """Many texts folded as one.

    Attributes:
        text: Folded bytes of all texts, one behind another, parted by tokens of their own.
        starts: Position in `text` of each text's first byte.
        ends: Position behind each text's last byte.
        texts: The texts, each by itself.
        hyphened: Numbers of the texts of which a line may end on a hyphen, in ascending order.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    texts: Sequence[Folded]
    hyphened: Sequence[int]

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def of(cls, texts: Sequence[Folded], hyphened: Sequence[int] | None = None) -> FoldedBatch:
        """Texts that were folded already, together; any may be `hyphened` unless it is given."""
        ends = np.cumsum([len(one.text) + 1 for one in texts], dtype=np.int64) - 1
        return cls(
            bytes([PARTING_BYTE]).join([*(one.text for one in texts), b""]),
            np.append(0, ends + 1)[:-1],
            ends,
            texts,
            range(len(texts)) if hyphened is None else hyphened,
        )

    def part(self, numbers: Sequence[int]) -> FoldedBatch:
        """Some of the texts, in the order of their numbers."""
        hyphened = set(self.hyphened)
        return FoldedBatch.of(
            [self.texts[number] for number in numbers],
            [place for place, number in enumerate(numbers) if number in hyphened],
        )


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
    pieces = list(_pieces(texts))
    text, ends = _joined(pieces)
    firsts = accumulate(map(len, pieces), initial=0)
    hyphened = [
        first + number
        for piece, first in zip(pieces, firsts, strict=False)
        for number in piece.hyphened
    ]
    return FoldedBatch(text, np.append(0, ends + 1)[:-1], ends, FoldedTexts(pieces), hyphened)


def fold_joined(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Folds many texts at once for those who need no offsets.

    Args:
        texts: The texts as given.

    Returns:
        The folded bytes of all texts, each with a blank at both ends and `PARTING_BYTE` behind it,
        and the position of each such byte.
    """
    return _joined(list(_pieces(texts)))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some texts folded as one.

    Attributes:
        folded: Folded bytes, each text with its break behind it.
        ends: Position of each text's break in `folded`.
        pairs: What `_pairs` gives of all that was folded.
        breaks: Position of each text's break in what was folded.
        repaired: The repaired texts, by number.
        hyphened: Numbers of the texts of which a line may end on a hyphen, in ascending order.
    """

    folded: bytes
    ends: NDArray[np.int64]
    pairs: bytes
    breaks: Sequence[int]
    repaired: dict[int, Repaired]
    hyphened: Sequence[int]

    def __len__(self) -> int:
        return len(self.breaks)

    def text(self, number: int) -> Folded:
        """One text by itself."""
        # The break is a token: a blank, itself, a blank. Its first blank ends this text, its second
        # one begins the next.
        before = number - 1
        begin, first = (self.ends[before] + 1, self.breaks[before] + 1) if number else (0, 0)
        pairs = memoryview(self.pairs)[2 * first : 2 * self.breaks[number] + 1]
        return Folded(self.folded[begin : self.ends[number]], pairs, self.repaired.get(number))


def _joined(pieces: Sequence[_Piece]) -> tuple[bytes, NDArray[np.int64]]:
    """The folded bytes of all pieces, and the position of each text's break."""
    begins = accumulate((len(piece.folded) for piece in pieces), initial=0)
    ends = [piece.ends + begin for piece, begin in zip(pieces, begins, strict=False)]
    return (
        b"".join([piece.folded for piece in pieces]),
        np.concatenate([np.zeros(0, dtype=np.int64), *ends]),
    )


def _pieces(texts: Sequence[str]) -> Iterator[_Piece]:
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    behind = np.cumsum(sizes)
    begin, done = 0, 0
    while begin < len(texts):
        # To the text that fills the piece.
        end = int(np.searchsorted(behind, done + _PIECE_CHARS)) + 1
        yield _fold_piece(texts[begin:end], sizes[begin:end])
        begin, done = end, int(behind[min(end, len(texts)) - 1])


def _fold_piece(texts: Sequence[str], sizes: NDArray[np.int64]) -> _Piece:
    raw, lost = _encoded(texts)
    breaks = np.cumsum(sizes + 1) - 1
    suspects = Suspects.of(raw)
    repaired = _repaired(texts, suspects, lost, breaks)
    hyphened = set(np.searchsorted(breaks, _hyphens_at_ends(raw)).tolist())
    # A text with a hyphen other than the plain one is repaired.
    hyphened |= {n for n in repaired if any(sign in texts[n] for sign in _OTHER_HYPHENS)}
    raw = _blanked(raw, suspects.tags)
    if repaired:
        raw, breaks = _with_repaired(raw, breaks.tolist(), repaired)
    pairs = _pairs(raw)
    folded = pairs.translate(None, b"\0")
    ends = np.flatnonzero(np.frombuffer(folded, dtype=np.uint8) == PARTING_BYTE)
    return _Piece(folded, ends, pairs, breaks.tolist(), repaired, sorted(hyphened))


def _hyphens_at_ends(raw: bytes) -> NDArray[np.int64]:
    """Where a line ends on a hyphen."""
    letters = np.frombuffer(raw, dtype=np.uint8)
    ends = (letters[1:] == ord("\n")) | (letters[1:] == ord("\r"))
    return np.flatnonzero(ends & (letters[:-1] == ord("-")))


def _encoded(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Texts in Windows-1252, each with its break behind it, and where characters were lost.

    What Windows-1252 lacks is a question mark. The codec of that name looks at one character after
    another and takes three times as long.
    """
    joined = _TEXT_BREAK.join([*texts, ""])
    units = joined.encode("utf-16-le", "surrogatepass")
    if len(units) == 2 * len(joined):
        codes = np.frombuffer(units, dtype="<u2")
    else:
        wide = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        codes = np.minimum(wide, _PLANE - 1).astype("<u2")
    raw = codes.astype(np.uint8)
    # Elsewhere both are the same.
    other = np.flatnonzero((codes > 0xFF) | (codes - np.uint16(0x80) < 0x20))
    written = _WINDOWS[codes[other]]
    raw[other] = written
    if np.count_nonzero(raw == PARTING_BYTE) > len(texts):
        # A text that holds the break itself would be read as two.
        return _encoded([text.replace(_TEXT_BREAK, " ") for text in texts])
    return raw.tobytes(), other[written == ord("?")]


def _repaired(
    texts: Sequence[str], suspects: Suspects, lost: NDArray[np.int64], breaks: NDArray[np.int64]
) -> dict[int, Repaired]:
    """The texts that need more than blanks for tags, repaired, by number in ascending order."""
    hiding, referring, odd = (
        set(np.searchsorted(breaks, np.concatenate(places)).tolist())
        for places in ((suspects.hiding,), (suspects.references,), (suspects.odd, lost))
    )
    damaged = {number for number in hiding if hides_text(texts[number])}
    damaged |= {number for number in referring - damaged if holds_reference(texts[number])}
    damaged |= {number for number in odd - damaged if holds_odd(texts[number])}
    return {number: repair(texts[number], odd=number in odd) for number in sorted(damaged)}


def _blanked(raw: bytes, stretches: NDArray[np.int64]) -> bytes:
    """Texts with blanks where tags stand, so that offsets stay what they are.

    Args:
        raw: The texts.
        stretches: Where each tag begins and where its last character is, two rows.
    """
    if not stretches.size:
        return raw
    begins, ends = stretches
    sizes = ends - begins + 1
    places = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    letters = np.frombuffer(bytearray(raw), dtype=np.uint8)
    letters[places] = ord(" ")
    return letters.tobytes()


def _with_repaired(
    raw: bytes, breaks: Sequence[int], repaired: Mapping[int, Repaired]
) -> tuple[bytes, NDArray[np.int64]]:
    """Texts in Windows-1252 with the repaired ones in their places, and where their breaks are."""
    mended, _ = _encoded([one.text for one in repaired.values()])
    sizes = np.diff(breaks, prepend=-1)
    parts: list[bytes] = []
    done = begin = 0
    for number, one in repaired.items():
        behind = begin + len(one.text)
        parts += (raw[done : breaks[number] + 1 - int(sizes[number])], mended[begin:behind])
        sizes[number] = len(one.text) + 1
        done, begin = breaks[number], behind + 1
    return b"".join([*parts, raw[done:]]), np.cumsum(sizes) - 1


def _pairs(raw: bytes) -> bytes:
    """For each byte two: a blank or nothing (NUL), and its folded byte, or nothing.

    No folded byte is NUL: controls are blanks.
    """
    kind, letters = _classes(raw)
    # A text begins with a blank: what stands before it counts as a mark.
    behind = np.empty_like(kind)
    behind[1:] = kind[:-1]
    behind[0] = _MARK
    # A blank is put between a mark and its neighbour, where there is none …
    part = ((kind | behind) & (_MARK | _BLANK)) == _MARK
    part[0] = not kind[0] & _BLANK
    # … and between two small letters and a capital.
    small = (kind & _LOWER) == _LOWER
    part[2:] |= small[:-2] & small[1:-1] & ((kind[2:] & _UPPER) == _UPPER)
    # Of a run of blanks the first is kept. What was dropped follows a word and is no blank, so a
    # run of blanks is one here too.
    letters *= (kind & behind & _BLANK) == 0
    pairs = letters.astype("<u2")
    pairs <<= 8
    blanks = part.astype("<u2")
    blanks *= ord(" ")
    pairs |= blanks
    return pairs.tobytes()


def _classes(raw: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The class of each byte, after what depends on its neighbours, and its folded byte.

    What is dropped has no folded byte (NUL). It stands at the end of a word and leaves it to its
    neighbours as small letters.
    """
    letters = np.frombuffer(raw.translate(_LETTER), dtype=np.uint8).copy()
    kind = np.frombuffer(raw.translate(_CLASS), dtype=np.uint8).copy()
    word = (kind & _WORD) > 0
    # A question mark inside a word is an apostrophe that an encoding lost (l?équipe).
    inside = np.flatnonzero(letters[1:-1] == ord("?")) + 1
    inside = inside[word[inside - 1] & word[inside + 1]]
    kind[inside] = _BLANK
    letters[inside] = ord(" ")
    # Plural: s, or x after u, at the end of a word of four letters or more.
    plural = letters == ord("s")
    plural[1:] |= (letters[1:] == ord("x")) & (letters[:-1] == ord("u"))
    three = word[2:] & word[1:-1] & word[:-2]  # of a word, from each place on
    plural[:3] = False
    plural[3:] &= three[:-1]
    plural[:-1] &= ~word[1:]
    ended = [
        (start, start - _BEFORE_ENDING + match.end())
        for start in _signs_in_words(kind, word, three, raw)
        if (match := _ending_at(raw, start))
    ]
    kind &= ~(plural * np.uint8(_UPPER - _WORD))
    letters *= ~plural
    for start, end in ended:
        kind[start:end] = _LOWER
        letters[start:end] = 0
    return kind, letters


def _ending_at(raw: bytes, start: int) -> re.Match[bytes] | None:
    """The inclusive ending that begins with a sign, with what stands before it."""
    piece = raw[start - _BEFORE_ENDING : start + _WITH_ENDING].translate(_FOLD)
    return _INCLUSIVE.match(piece, _BEFORE_ENDING)


def _signs_in_words(
    kind: NDArray[np.uint8], word: NDArray[np.bool_], three: NDArray[np.bool_], raw: bytes
) -> list[int]:
    """Where a sign stands between three letters and one that an inclusive ending begins with."""
    found = np.flatnonzero(three[:-2] & word[4:] & ((kind[3:-1] & _SIGN) > 0))
    given = np.frombuffer(raw, dtype=np.uint8)
    before, behind = given[found + 3], _FOLDED[given[found + 4]]
    wanted = _OPENS_ENDING[behind] & (_OPENS_COMMON[behind] | ~_COMMON_SIGN[before])
    result: list[int] = (found[wanted] + 3).tolist()
    return result
