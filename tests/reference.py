"""A slow matcher to hold the scanner's automaton against: spaCy's PhraseMatcher over tokens.

It shares nothing with the package but the folded text and the list of patterns: tokens are found
by splitting at blanks, phrases by spaCy, positions by adding up lengths.
"""

from __future__ import annotations

from collections.abc import Iterable

from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

#: Number of the entry, position of the blank before its first token, of the one after its last.
FoundAt = tuple[int, int, int]


class Reference:
    """Finds every occurrence of every pattern, overlapping ones too.

    Args:
        patterns: Pairs of a folded pattern, with a blank at both ends, and the number of its entry.
    """

    def __init__(self, patterns: Iterable[tuple[str, int]]) -> None:
        self._vocab = Vocab()
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        docs: dict[int, list[Doc]] = {}
        for pattern, entry in patterns:
            docs.setdefault(entry, []).append(Doc(self._vocab, words=pattern.split()))
        for entry, forms in docs.items():
            self._matcher.add(str(entry), forms)

    def find(self, folded: bytes) -> set[FoundAt]:
        """Every occurrence in a folded text."""
        words = folded.decode("cp1252").split(" ")[1:-1]
        if not words:
            return set()
        before = [0]  # before[n] is the position of the blank before the n-th token
        for word in words:
            before.append(before[-1] + 1 + len(word))
        doc = Doc(self._vocab, words=words)
        return {
            (int(self._vocab.strings[key]), before[start], before[end])
            for key, start, end in self._matcher(doc)
        }
