"""Short texts folded character by character, fast for Western letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

#: ASCII, Latin-1, Latin Extended-A and -B, and the dashes and quotes of General Punctuation.
_WESTERN: Final = (*range(0x250), *range(0x2010, 0x2030))
_BEYOND: Final = re.compile("[^\\x00-\u024f\u2010-\u202f]")


def by_character(fold: Callable[[str], str]) -> Callable[[str], str]:
    """The same fold by a table, which takes a tenth of the time.

    Args:
        fold: What it makes of a text is what it makes of its characters, one after another. It is
            called once for each Western character, and for texts that hold any other.
    """
    table = {code: made for code in _WESTERN if (made := fold(chr(code))) != chr(code)}

    def folded(text: str) -> str:
        return fold(text) if _BEYOND.search(text) else text.translate(table)

    return folded
