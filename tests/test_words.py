"""The vocabulary's hash table against a plain dict: whatever the hashes, the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aiskills.model.words import Words
from aiskills.tokens import token_hashes

TOP = 2**64 - 1
#: Hashes that a table of up to 2,048 places takes for one another: only high bits differ.
COLLIDING = [number << 40 for number in range(60)]
#: Words whose home is at the table's end, so that a second look begins again at its start.
AT_THE_END = [(number << 40) | 0xFFFF for number in range(60)]


def vocabulary(hashes: Sequence[int]) -> Words:
    """A vocabulary of words with these hashes, which no real words need to have."""
    array = np.array(hashes, dtype=np.uint64)
    return Words([f"word {number}" for number in range(len(hashes))], lambda _: array)


def agrees(hashes: Sequence[int], asked: Sequence[int]) -> bool:
    """Whether the table says of every hash asked what a dict says, in rows and columns too."""
    table, plain = vocabulary(hashes), {one: number for number, one in enumerate(hashes)}
    expected = [plain.get(one, -1) for one in asked]
    array = np.array(asked, dtype=np.uint64)
    assert table.numbers(array).tolist() == expected
    wide = table.numbers(np.stack([array, array[::-1]]))
    assert wide.tolist() == [expected, expected[::-1]]
    return sum(number >= 0 for number in expected) > 0


@given(
    st.lists(
        st.one_of(
            st.integers(0, TOP),
            st.sampled_from([0, 1, 2, 3, TOP, TOP - 1]),
            st.sampled_from(COLLIDING),
            st.sampled_from(AT_THE_END),
        ),
        unique=True,
        max_size=80,
    ),
    st.data(),
)
def test_the_table_is_a_dict(hashes: list[int], data: st.DataObject) -> None:
    known = st.sampled_from(hashes) if hashes else st.nothing()
    others = st.one_of(
        known, st.integers(0, TOP), st.sampled_from(COLLIDING), st.sampled_from(AT_THE_END)
    )
    agrees(hashes, data.draw(st.lists(others, max_size=60)))


@pytest.mark.parametrize("size", [1, 2, 3, 30, 60])
@pytest.mark.parametrize("hashes", [COLLIDING, AT_THE_END])
def test_hashes_that_share_a_place(hashes: list[int], size: int) -> None:
    """All known ones are found one place after the other, and the unknown ones behind them not."""
    assert agrees(hashes[:size], hashes)


def test_hashes_that_share_two_places() -> None:
    """Two runs of collisions that grow into each other."""
    mixed = [
        one for pair in zip(COLLIDING, [h + 1 for h in COLLIDING], strict=True) for one in pair
    ]
    assert agrees(mixed[:100], mixed)


def test_the_hash_zero_stands_for_no_word_unless_it_is_one() -> None:
    """0 is what lies beyond a text's ends, and what an empty place of the table holds."""
    beyond = np.zeros((2, 3), dtype=np.uint64)
    assert vocabulary([5, 8]).numbers(beyond).tolist() == [[-1] * 3] * 2
    assert vocabulary([]).numbers(beyond).tolist() == [[-1] * 3] * 2
    assert vocabulary([COLLIDING[1], 0, 7]).numbers(beyond).tolist() == [[1] * 3] * 2


@pytest.mark.parametrize("shape", [(0,), (0, 40), (3, 0), (4,), (2, 5), (2, 3, 4)])
def test_the_shape_of_what_is_asked(shape: tuple[int, ...]) -> None:
    hashes: NDArray[np.uint64] = np.arange(np.prod(shape), dtype=np.uint64).reshape(shape)
    said = vocabulary([1, 3, 17]).numbers(hashes)
    assert said.shape == shape
    assert (
        said.tolist() == np.select([hashes == 1, hashes == 3, hashes == 17], [0, 1, 2], -1).tolist()
    )


def test_an_empty_vocabulary_knows_nothing() -> None:
    assert len(Words([])) == 0
    assert Words([]).words == ()
    assert Words([]).numbers(token_hashes(["ia", "", "cuisinier"])).tolist() == [-1, -1, -1]


def test_real_words() -> None:
    known = [f"mot{number}" for number in range(5000)]
    table = Words(known)
    asked = known[::-7] + [f"autre{number}" for number in range(5000)]
    numbers = table.numbers(token_hashes(asked))
    assert len(table) == 5000
    assert [table.words[n] for n in numbers[:715].tolist()] == known[::-7]
    assert (numbers[715:] == -1).all()


def test_what_is_asked_is_not_changed() -> None:
    hashes = np.array([COLLIDING[:3], COLLIDING[3:6]], dtype=np.uint64)
    before = hashes.copy()
    table = vocabulary(COLLIDING[:4])
    assert (
        table.numbers(hashes).tolist() == table.numbers(hashes).tolist() == [[0, 1, 2], [3, -1, -1]]
    )
    assert (hashes == before).all()
