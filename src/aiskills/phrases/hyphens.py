"""Words that a hyphen parts at the end of a line, as texts copied from PDF files have them.

Folding makes a blank of such a hyphen, which is right for "micro-services" and wrong for
"artifi-cielle". Nothing but a dictionary tells them apart, so both readings are searched.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from aiskills.phrases.automaton import Automaton, Hit
from aiskills.text import Folded, fold

#: A hyphen (plain, unbreakable or soft) between small letters, at the end of a line.
_BROKEN: Final = re.compile(
    "[-\u2010\u00ad](?<=[a-zà-öø-ÿœ].)\r?\n[ \t]*(?=[a-zà-öø-ÿœ])",
)


def hits_across_lines(automaton: Automaton, folded: Folded, given: str) -> list[Hit]:
    """Hits that only show once words are put together again over the end of a line.

    Args:
        automaton: What to look for.
        folded: The folded text.
        given: The text it was folded from.

    Returns:
        Hits with positions in `folded`, each over at least one such hyphen.
    """
    breaks = [found.span() for found in _BROKEN.finditer(given)]
    if not breaks:
        return []
    kept = np.ones(len(given) + 1, dtype=bool)
    for start, end in breaks:
        kept[start:end] = False
    place = np.flatnonzero(kept)  # of each character of the mended text in the given one
    mended = fold(_BROKEN.sub("", given))
    result = []
    for hit in automaton.find(mended):
        first, last = (int(place[mended.source[at]]) for at in (hit.start + 1, hit.end - 1))
        if any(first < start and end <= last for start, end in breaks):
            result.append(Hit(hit.entry, *_tokens(folded, first, last)))
    return result


def _tokens(folded: Folded, first: int, last: int) -> tuple[int, int]:
    """The blanks around the tokens that hold two characters of the given text."""
    begin, end = np.searchsorted(folded.source, [first, last], side="right").tolist()
    return folded.text.rfind(b" ", 0, begin - 1), folded.text.find(b" ", end - 1)
