"""The two automata behind one name find the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiskills.phrases import automaton
from aiskills.phrases.automaton import Automaton, Hit

words = st.text("ab ", min_size=1, max_size=6)


def without_double_array(patterns: list[tuple[str, int]]) -> Automaton:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(automaton, "find_spec", lambda _: None)
        return Automaton(patterns)


@given(st.lists(st.tuples(words, st.integers(0, 5)), max_size=8), st.text("ab ", max_size=60))
def test_every_hit_whatever_finds_it(patterns: list[tuple[str, int]], text: str) -> None:
    found = Automaton(patterns).find_all(text.encode()).as_list()
    assert without_double_array(patterns).find_all(text.encode()).as_list() == found
    wanted = {
        Hit(entry, start, start + len(pattern) - 1)
        for pattern, entry in patterns
        for start in range(len(text))
        if text.startswith(pattern, start)
    }
    assert sorted(found) == sorted(wanted)
    assert [hit.end for hit in found] == sorted(hit.end for hit in found)


def test_bytes_of_no_letter() -> None:
    patterns = [(" \x96 ", 1), ("é", 2), (" c++ ", 3)]
    patterns = [(pattern.encode("latin-1").decode("cp1252"), entry) for pattern, entry in patterns]
    text = b" a \x96 c++ \xe9 "
    for finder in (Automaton(patterns), without_double_array(patterns)):
        assert finder.find_all(text).as_list() == [Hit(1, 2, 4), Hit(3, 4, 8), Hit(2, 9, 9)]
