"""Tables of phrases (AI terms, headings of zones, cues) and one automaton that finds them all."""

from aiskills.phrases.cues import Cue, CueKind, Cues, kinds_text
from aiskills.phrases.headings import Heading, Headings, ZoneMap
from aiskills.phrases.lexicon import Lexicon, changed_terms
from aiskills.phrases.match import NOTHING_FOUND, Found, Match, Scanner
from aiskills.phrases.terms import Case, Strength, Term

__all__ = [
    "NOTHING_FOUND",
    "Case",
    "Cue",
    "CueKind",
    "Cues",
    "Found",
    "Heading",
    "Headings",
    "Lexicon",
    "Match",
    "Scanner",
    "Strength",
    "Term",
    "ZoneMap",
    "changed_terms",
    "kinds_text",
]
