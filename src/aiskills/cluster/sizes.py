"""How large parts are; apart, so that the command line can tell without loading anything."""

from __future__ import annotations

from typing import Final

#: Rows of a part at most: some 15 s of classifying on one core, and what is done again at most
#: when a machine is lost.
PART_ROWS: Final = 50_000
