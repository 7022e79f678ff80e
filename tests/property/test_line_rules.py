"""Line rules: however calls are asked for, the carriers' limits hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from checkins.line_rules import Purpose, allowed_at, leaves_room

START = datetime(2026, 3, 2, tzinfo=UTC)
gaps = st.lists(st.integers(0, 7 * 3600 * 1000), max_size=40).map(
    lambda millis: [timedelta(milliseconds=gap) for gap in millis]
)
short_gaps = st.lists(st.integers(0, 200_000), max_size=40).map(
    lambda millis: [timedelta(milliseconds=gap) for gap in millis]
)


def dial(gaps: list[timedelta]) -> list[datetime]:
    """Asks for a call after each gap and places it as soon as it is allowed."""
    dialled: list[datetime] = []
    now = START
    for gap in gaps:
        now = allowed_at(Purpose.CHECKIN, dialled, now + gap)
        dialled.append(now)
    return dialled


def most_within(dialled: list[datetime], period: timedelta) -> int:
    """The most calls in any window [t, t + period)."""
    return max((sum(first <= call < first + period for call in dialled) for first in dialled), default=0)


@given(gaps | short_gaps)
def test_never_more_than_5_in_24_hours_or_3_in_5_minutes(gaps: list[timedelta]) -> None:
    dialled = dial(gaps)
    assert most_within(dialled, timedelta(hours=24)) <= 5
    assert most_within(dialled, timedelta(minutes=5)) <= 3


@given(gaps | short_gaps, st.integers(0, 48 * 3600))
def test_it_is_the_first_moment_that_is_allowed(gaps: list[timedelta], later_s: int) -> None:
    dialled = dial(gaps)
    now = (dialled[-1] if dialled else START) + timedelta(seconds=later_s)
    allowed = allowed_at(Purpose.CHECKIN, dialled, now)
    assert allowed >= now
    if allowed > now:  # a moment sooner, a limit would break
        sooner = [*dialled, allowed - timedelta(milliseconds=1)]
        assert most_within(sooner, timedelta(hours=24)) > 5 or most_within(sooner, timedelta(minutes=5)) > 3


@given(gaps | short_gaps)
def test_the_order_in_which_calls_are_remembered_does_not_matter(gaps: list[timedelta]) -> None:
    dialled = dial(gaps)
    now = dialled[-1] if dialled else START
    assert allowed_at(Purpose.CHECKIN, dialled, now) == allowed_at(Purpose.CHECKIN, dialled[::-1], now)


@given(short_gaps)
def test_an_emergency_may_always_ring(gaps: list[timedelta]) -> None:
    dialled = dial(gaps)
    now = dialled[-1] if dialled else START
    assert allowed_at(Purpose.EMERGENCY, dialled, now) == now


@given(gaps, st.lists(st.integers(1, 30 * 3600), min_size=1, max_size=4, unique=True))
def test_a_call_that_leaves_room_puts_off_none_of_those_ahead(gaps: list[timedelta], ahead_s: list[int]) -> None:
    dialled = dial(gaps)
    now = dialled[-1] if dialled else START
    ahead = sorted(now + timedelta(hours=1, seconds=after * 3) for after in ahead_s)
    if not leaves_room(dialled, now, ahead):
        return
    before = [*dialled, now]
    for moment in ahead:
        before.append(moment)
        assert sum(moment - timedelta(hours=24) < call <= moment for call in before) <= 5
