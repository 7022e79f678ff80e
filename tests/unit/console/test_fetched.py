"""How far a player has fetched a recording, and for whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.fetched import Fetched

Spans = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)).filter(lambda span: span[0] < span[1]), max_size=8)


@given(Spans)
def test_it_was_all_of_it_only_when_every_byte_was_given(spans: list[tuple[int, int]]) -> None:
    fetched, given_ = Fetched(), set[int]()
    for begin, end in spans:
        given_ |= set(range(begin, end))
        if fetched.whole(1, "a", begin, end, 10):
            assert given_ == set(range(10))
            given_.clear()


def test_each_person_and_each_recording_begins_anew_and_the_oldest_are_forgotten() -> None:
    fetched = Fetched(most=2)
    assert not fetched.whole(1, "a", 0, 5, 10)
    assert not fetched.whole(2, "a", 5, 10, 10)
    assert not fetched.whole(1, "b", 5, 10, 10)  # and now what 1 had of "a" is forgotten
    assert not fetched.whole(1, "a", 5, 10, 10)
    assert fetched.whole(1, "a", 0, 10, 10)
    assert not fetched.whole(1, "a", 9, 10, 10)
