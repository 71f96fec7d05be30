"""What general words in an employer's name tell: a town hall, a bank, a recruiter, a foundry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa

from aiskills.attributes.titles import FoldedTexts, PhraseFinder, read_rows

#: Begins a record that a source writes in place of a name: ``{'name': …, 'sector': …}``.
_RECORD: Final = "{"
_GLUED: Final = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])")
_ENDS: Final = re.compile(rb"(?:(?<=[a-z0-9]{3})s|(?<=[a-z0-9]{2}u)x)(?= )")
_BLANKS: Final = re.compile(rb" {2,}")
#: Letters, digits and the break between names stay, all else parts words.
_MARKS: Final = bytes(code if chr(code).isalnum() or code == 10 else 32 for code in range(128))


def told_by_names(names: pa.Array) -> pa.Array:
    """What each employer's name tells, each distinct name read once.

    ``data/company_words.csv`` holds words of the language, no firm's name: what only somebody who
    knows the firm could tell is not told.

    Args:
        names: Names of employers, null where absent.

    Returns:
        As many strings: an id of ``data/branches.csv``, ``hors``, ``intermediaire``, or ``inconnu``
        (words that look like one of these and settle nothing); null where no word tells anything.
    """
    coded = names.cast(pa.string()).dictionary_encode()
    told = _words().first(_folded(coded.dictionary.to_pylist()))
    return told.take(coded.indices)


def _folded(names: Iterable[str]) -> FoldedTexts:
    """Names folded as `fold_texts` folds them but for what names do not hold.

    All in one piece, which is ten times faster: files have as many names as employers.
    """
    lines = ["" if name.startswith(_RECORD) else name.replace("\n", " ") for name in names]
    joined = _GLUED.sub(" ", " \n ".join(["", *lines, ""])).lower().replace("’", " ")
    # Few different letters have accents, and each is found at once.
    for letter in {char for char in set(joined) if not char.isascii()}:
        joined = joined.replace(letter, _ascii(letter))
    plain = joined.encode("ascii")
    plain = _BLANKS.sub(b" ", _ENDS.sub(b"", plain.translate(_MARKS.ljust(256, b" "))))
    # Between two breaks stands one name; the first piece and the last are empty.
    breaks = np.flatnonzero(np.frombuffer(plain, np.uint8) == ord("\n"))
    return FoldedTexts(plain[breaks[0] + 1 : breaks[-1] + 1], breaks + 1 - (breaks[0] + 1))


def _ascii(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()


@cache
def _words() -> PhraseFinder:
    return PhraseFinder((row["phrase"], row["branch"]) for row in read_rows("company_words.csv"))
