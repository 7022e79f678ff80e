"""The bound on calls started per second: routine calls as ever, emergencies ahead of them, and the rate made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from checkins.pace import Rate

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_emergencies_start_at_once_and_routine_calls_wait_until_the_rate_holds_again() -> None:
    rate = Rate(1.0, burst=4)
    assert rate.room([], NOON) == (1, 5, NOON)
    burst = [NOON] * 5
    assert rate.room(burst, NOON)[:2] == (0, 0)
    assert rate.room(burst, NOON + s(1))[:2] == (0, 1)
    routine, urgent, next_start = rate.room(burst, NOON + s(4))
    assert (routine, urgent, round((next_start - NOON).total_seconds(), 3)) == (0, 4, 5)
    assert rate.room(burst, NOON + s(5)) == (1, 5, NOON + s(5))


def test_without_a_burst_an_emergency_waits_like_any_call() -> None:
    rate = Rate(0.5, burst=0)
    assert rate.room([NOON], NOON + s(1)) == (0, 0, NOON + s(2))
    assert rate.room([NOON], NOON + s(2)) == (1, 1, NOON + s(2))


CALLS = st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60)


@settings(max_examples=60, deadline=None)
@given(CALLS, st.sampled_from([0.3, 0.5, 1.0, 2.0, 7.0]), st.integers(0, 6))
def test_whoever_calls_the_carriers_bound_holds(calls: list[tuple[float, bool]], per_s: float, burst: int) -> None:
    """In no time are there more starts than the rate gives, and one burst; routine calls alone never meet the burst."""
    rate, now = Rate(per_s, burst), NOON
    made: list[tuple[datetime, bool]] = []
    for wait, urgent in calls:
        now += s(wait)
        starts = [at for at, _ in made if at > now - rate.memory]
        routine, emergencies, next_start = rate.room(starts, now)
        assert routine <= emergencies
        assert (next_start == now) is (routine > 0)
        made += [(now, urgent)] if (emergencies if urgent else routine) else []
    for first, (begin, _) in enumerate(made):
        for last in range(first, len(made)):
            gone = (made[last][0] - begin).total_seconds()
            assert last - first + 1 <= rate.most + burst + per_s * gone + 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 2), max_size=60), st.sampled_from([0.3, 1.0, 3.0]))
def test_routine_calls_alone_are_bound_by_their_window_only(waits: list[float], per_s: float) -> None:
    rate, now = Rate(per_s), NOON
    starts: list[datetime] = []
    for wait in waits:
        now += s(wait)
        recent = [at for at in starts if at > now - rate.window]
        routine, _, _ = rate.room([at for at in starts if at > now - rate.memory], now)
        assert routine == max(0, rate.most - len(recent))
        starts += [now] * bool(routine)
