"""Words of moments above a plot: none over another, none struck through, each at its own line."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws.flags import LEFT_ROOM, ROWS_MAX, Flag, arranged

WISHES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1.5)), max_size=12)


def touching(one: Flag, other: Flag) -> bool:
    return one.row == other.row and one.begins < other.ends and other.begins < one.ends


def struck(words: Flag, pole: Flag) -> bool:
    return words.row < pole.row and words.begins < pole.pole < words.ends


@pytest.mark.parametrize(
    "wanted",
    [
        [(0.54, 0.39), (0.75, 0.65)],
        [(0.1, 0.3), (0.2, 0.3)],
        [(0.1, 0.3), (0.15, 0.3), (0.2, 0.3)],
        [(0.8, 0.3), (0.85, 0.3), (0.9, 0.3)],
        [(0.45, 0.3), (0.55, 0.3)],
        [(0.38, 0.39), (0.66, 0.65)],
        [(0.5, 0.6), (0.52, 0.6), (0.54, 0.6)],
    ],
)
def test_no_words_are_covered_or_struck_through(wanted: list[tuple[float, float]]) -> None:
    flags = arranged(wanted)
    assert [flag.pole for flag in flags] == [pole for pole, _ in wanted]
    for one, other in permutations(flags, 2):
        assert not touching(one, other)
        assert not struck(one, other)


@given(WISHES)
def test_whatever_is_wished_every_moment_gets_its_words(wanted: list[tuple[float, float]]) -> None:
    flags = arranged(wanted)
    assert len(flags) == len(wanted)
    assert all(0 <= flag.row < ROWS_MAX for flag in flags)
    assert all(-LEFT_ROOM <= flag.begins <= 1 for flag in flags)
