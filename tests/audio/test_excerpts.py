"""Parts of a sound, kept while it streams by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplemind_tasks.audio.excerpts import Excerpts, Interval

intervals = st.lists(
    st.tuples(st.integers(-50, 300), st.integers(0, 100)).map(lambda row: Interval(row[0], row[0] + row[1])), max_size=6
)


@given(wanted=intervals, blocks=st.lists(st.integers(0, 60), max_size=8))
def test_what_was_asked_for_comes_back_however_the_blocks_fell(wanted: list[Interval], blocks: list[int]) -> None:
    signal = np.arange(1, sum(blocks) + 1, dtype=np.float32)
    excerpts = Excerpts(wanted)
    for block in np.split(signal, np.cumsum(blocks)[:-1]) if blocks else []:
        excerpts.take(block)
    assert excerpts.covers(wanted)
    padded = np.pad(signal, (100, 600))
    for part in wanted:
        np.testing.assert_array_equal(excerpts.cut(part), padded[part.start + 100 : part.end + 100])


def test_what_was_not_asked_for_is_not_covered() -> None:
    excerpts = Excerpts([Interval(0, 10), Interval(20, 30)])
    excerpts.take(np.ones(25, np.float32))
    assert excerpts.covers([Interval(2, 8), Interval(20, 99)])  # nothing is behind the end
    assert not excerpts.covers([Interval(5, 21)])
    with pytest.raises(AssertionError):
        excerpts.cut(Interval(11, 13))


def test_only_what_is_wanted_takes_memory() -> None:
    excerpts = Excerpts([Interval(1_000_000_000, 1_000_000_010)])
    excerpts.take(np.zeros(1000, np.float32))
    assert not excerpts.cut(Interval(-5, 0)).any()
