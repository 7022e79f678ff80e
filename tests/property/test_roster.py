"""Rosters of every shape: who may be rung is never wrong, and gaps are found to the minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkins.roster.festivals import statutory
from checkins.roster.gaps import GapKind, gaps
from checkins.roster.holidays import (
    Calendar,
    add_working_hours,
    is_surely_worked,
    is_working_day,
    is_working_time,
    next_working_time,
)
from checkins.roster.resolve import buddies_for, family_of, in_volunteers_hours, on_duty
from checkins.roster.sentences import sentence
from checkins.roster.turns import handovers, in_turn
from checkins.roster.values import Elder, Kind, Leave, Override, Pair, Responder, Roster, Rotation, Shift

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/Sao_Paulo")
# Ordinary days, ends of years, and days on which some of these zones change their clocks.
STARTS = (
    datetime(2026, 3, 2, tzinfo=UTC),
    datetime(2025, 12, 31, tzinfo=UTC),
    datetime(2026, 12, 31, 12, tzinfo=UTC),
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2025, 10, 25, 20, tzinfo=UTC),
    datetime(2025, 9, 6, 20, tzinfo=UTC),
    datetime(2025, 10, 4, 12, tzinfo=UTC),
    datetime(2018, 11, 3, 20, tzinfo=UTC),
)
PEOPLE = ("a", "b", "c", "d", "e")
ELDERS = ("x", "y")
MINUTE = timedelta(minutes=1)
# Rosters are large values: on a busy machine drawing one may take its time.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

persons = st.sampled_from(PEOPLE)
several = st.lists(persons, max_size=3, unique=True).map(tuple)
weekdays = st.integers(0, 6)


def spans(start: datetime) -> st.SearchStrategy[tuple[datetime, datetime]]:
    """From half a day before the start to two days after it."""
    begins = st.integers(-12 * 60, 48 * 60)
    return st.tuples(begins, st.integers(1, 30 * 60)).map(
        lambda pair: (start + pair[0] * MINUTE, start + (pair[0] + pair[1]) * MINUTE)
    )


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    begins = draw(st.integers(0, 24 * 60 - 1))
    return Shift(draw(weekdays), begins, draw(st.integers(begins + 1, 24 * 60)))


@st.composite
def overrides(draw: st.DrawFn, start: datetime) -> Override:
    begins, ends = draw(spans(start))
    person = draw(persons)
    instead = draw(st.none() | persons.filter(lambda each: each != person))
    elders = st.sampled_from(ELDERS)
    return Override(person, begins, ends, instead, draw(elders if instead is None else st.none() | elders))


@st.composite
def rotations(draw: st.DrawFn, start: datetime) -> Rotation:
    day = start.date()
    return Rotation(
        people=draw(st.lists(persons, min_size=1, max_size=4).map(tuple)),
        anchor=day + timedelta(days=draw(st.integers(-40, 40))),
        weekday=draw(weekdays),
        minute=draw(st.integers(0, 24 * 60 - 1)),
        days=draw(st.integers(1, 15)),
        until=draw(st.none() | st.integers(-2, 3).map(lambda later: day + timedelta(days=later))),
    )


@st.composite
def rosters(draw: st.DrawFn, start: datetime) -> Roster:
    numbers = draw(st.lists(st.booleans(), min_size=len(PEOPLE), max_size=len(PEOPLE)))
    shares = st.sets(st.sampled_from((Kind.BUDDY, Kind.FAMILY))).map(frozenset)
    own = st.lists(st.tuples(persons, several), max_size=2, unique_by=lambda pair: pair[0])
    zone = draw(st.sampled_from(ZONES))
    return Roster(
        zone=zone,
        calendar=Calendar(zone),
        people={
            each: Responder(each, each, each, "+862110000001" if numbered else None)
            for each, numbered in zip(PEOPLE, numbers, strict=True)
        },
        elders={each: Elder(each, each, draw(shares)) for each in ELDERS},
        pairs={elder: tuple(Pair(elder, *pair) for pair in draw(own)) for elder in ELDERS},
        substitutes=draw(several),
        shifts=draw(st.dictionaries(persons, st.lists(shifts(), max_size=4).map(tuple), max_size=3)),
        leave={
            person: tuple(Leave(*span) for span in found)
            for person, found in draw(
                st.dictionaries(persons, st.lists(spans(start), max_size=2), max_size=len(PEOPLE))
            ).items()
        },
        overrides=tuple(draw(st.lists(overrides(start), max_size=4))),
        rotation=draw(st.none() | rotations(start)),
        deputy_id=draw(st.none() | persons),
        family=draw(st.dictionaries(st.sampled_from(ELDERS), several)),
        street=None,
    )


@st.composite
def moments_of_rosters(draw: st.DrawFn) -> tuple[Roster, datetime]:
    start = draw(st.sampled_from(STARTS))
    return draw(rosters(start)), start + draw(st.integers(-12 * 60, 80 * 60)) * MINUTE


@st.composite
def periods_of_rosters(draw: st.DrawFn) -> tuple[Roster, datetime, datetime]:
    start = draw(st.sampled_from(STARTS))
    begin = start + draw(st.integers(0, 24 * 60)) * MINUTE
    return draw(rosters(start)), begin, begin + draw(st.integers(0, 30 * 60)) * MINUTE


def away(roster: Roster, person_id: str, at: datetime) -> bool:
    leave = roster.leave.get(person_id, ())
    return roster.people[person_id].number is None or any(each.begins <= at < each.ends for each in leave)


def all_rung(roster: Roster, at: datetime) -> Iterator[tuple[Responder, ...]]:
    duty = on_duty(roster, at)
    yield tuple(each for each in (duty.first, duty.deputy) if each is not None)
    for elder in ELDERS:
        for emergency in (False, True):
            yield buddies_for(roster, elder, at, emergency=emergency)
            yield family_of(roster, elder, at, emergency=emergency)


def wall(roster: Roster, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(roster.zone))


@UNHURRIED
@given(moments_of_rosters())
def test_nobody_on_leave_or_without_a_number_and_each_once(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    for rung in all_rung(roster, at):
        ids = [each.id for each in rung]
        assert len(ids) == len(set(ids))
        assert not [each for each in ids if away(roster, each, at)]


@UNHURRIED
@given(moments_of_rosters())
def test_volunteers_are_left_alone_outside_their_hours_and_shifts(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    clock = wall(roster, at)
    for elder in ELDERS:
        rung = buddies_for(roster, elder, at)
        assert not rung or 8 <= clock.hour < 21
        for person in rung:
            shifts = roster.shifts.get(person.id, ())
            called = any(each.person_id == person.id and each.begins <= at < each.ends for each in roster.overrides)
            minute = clock.hour * 60 + clock.minute
            on_shift = any(each.weekday == clock.weekday() and each.begins <= minute < each.ends for each in shifts)
            assert not shifts or called or on_shift


@UNHURRIED
@given(moments_of_rosters())
def test_duty_is_never_empty_while_somebody_of_the_rotation_can_be_rung(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    duty = on_duty(roster, at)
    turn = () if roster.rotation is None else in_turn(roster.rotation, roster.zone, at)
    present = [each for each in (*turn, *(each for each in (roster.deputy_id,) if each)) if not away(roster, each, at)]
    assert not present or duty.first is not None
    assert duty.first is not None or duty.deputy is None
    if len(set(present)) >= 2:
        assert duty.deputy is not None


@UNHURRIED
@given(moments_of_rosters())
def test_override_goes_before_leave_leave_before_rotation(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    if roster.rotation is None or not (turn := in_turn(roster.rotation, roster.zone, at)):
        return
    plain = replace(roster, overrides=())
    free = [each for each in turn if not away(roster, each, at)]
    if free:  # without overrides: whose turn it is, or the next one who is not on leave
        duty = on_duty(plain, at)
        assert duty.first is not None
        assert duty.first.id == free[0]
    for person in (each for each in PEOPLE if each != turn[0] and not away(roster, each, at)):
        override = Override(person, at, at + MINUTE, instead_of=turn[0])
        duty = on_duty(replace(plain, overrides=(override,)), at)
        assert duty.first is not None
        assert duty.first.id == person


@UNHURRIED
@given(moments_of_rosters())
def test_whoever_is_named_for_an_elder_comes_first_and_the_usual_ones_follow(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    plain = replace(roster, overrides=())
    if not in_volunteers_hours(roster.zone, at) or Kind.BUDDY not in roster.elders["x"].shares:
        return
    usual = [each.id for each in buddies_for(plain, "x", at)]
    for person in (each for each in PEOPLE if not away(roster, each, at)):
        named = replace(plain, overrides=(Override(person, at, at + MINUTE, elder_id="x"),))
        assert [each.id for each in buddies_for(named, "x", at)] == [
            person,
            *(each for each in usual if each != person),
        ]
        assert buddies_for(named, "y", at) == buddies_for(plain, "y", at)


@UNHURRIED
@given(moments_of_rosters())
def test_buddies_come_before_substitutes_in_the_order_of_the_pairs(case: tuple[Roster, datetime]) -> None:
    roster, at = case
    plain = replace(roster, overrides=(), shifts={})
    for elder in ELDERS:
        pairs = plain.pairs[elder]
        own = [substitute for pair in pairs for substitute in pair.substitutes]
        expected = dict.fromkeys([*(pair.buddy_id for pair in pairs), *own, *plain.substitutes])
        rung = [each.id for each in buddies_for(plain, elder, at, emergency=True)]
        assert rung == [each for each in expected if not away(plain, each, at)]


@st.composite
def days_of_buddies(draw: st.DrawFn) -> tuple[Roster, datetime, datetime]:
    """A day in a street with so few buddies that each one's coming and going is felt."""
    start = draw(st.sampled_from(STARTS))
    buddies = ("a", "b", "c")
    some = st.sampled_from(buddies)
    zone = draw(st.sampled_from(ZONES))
    stays = st.dictionaries(some, spans(start).map(lambda span: (Leave(*span),)), max_size=3)
    times = st.dictionaries(some, st.lists(shifts(), min_size=1, max_size=5).map(tuple), max_size=3)
    stand_in = overrides(start).filter(lambda each: {each.person_id, each.instead_of} <= {*buddies, None})
    return (
        Roster(
            zone=zone,
            calendar=Calendar(zone),
            people={each: Responder(each, each, each, "+862110000001") for each in buddies},
            elders={each: Elder(each, each) for each in ELDERS},
            pairs={each: (Pair(each, draw(some)),) for each in ELDERS},
            shifts=draw(times),
            leave=draw(stays),
            overrides=tuple(draw(st.lists(stand_in, max_size=2))),
            rotation=draw(rotations(start)),
        ),
        start,
        start + timedelta(hours=30),
    )


@settings(UNHURRIED, max_examples=60)
@given(days_of_buddies() | periods_of_rosters())
def test_gaps_are_exactly_the_minutes_at_which_nobody_is_to_be_had(case: tuple[Roster, datetime, datetime]) -> None:
    roster, begin, until = case
    found = gaps(roster, begin, until)
    at = begin
    while at < until:
        covering = [gap for gap in found if gap.begins <= at < gap.ends]
        assert (on_duty(roster, at).first is None) == any(gap.kind is GapKind.NO_DUTY for gap in covering)
        if in_volunteers_hours(roster.zone, at):
            lacking = [who for gap in covering if gap.kind is GapKind.NO_BUDDY for who in gap.who]
            sharing = [each for each in ELDERS if Kind.BUDDY in roster.elders[each].shares]
            assert sorted(lacking) == [each for each in sharing if not buddies_for(roster, each, at)]
        at += MINUTE


@UNHURRIED
@given(days_of_buddies() | periods_of_rosters())
def test_a_gap_begins_and_ends_at_the_very_moment_and_can_be_said(case: tuple[Roster, datetime, datetime]) -> None:
    roster, begin, until = case
    second = timedelta(seconds=1)
    for gap in gaps(roster, begin, until):
        assert begin <= gap.begins < gap.ends <= until
        words = sentence(roster, gap, begin, until)
        assert words.zh
        assert words.en
        if gap.kind is GapKind.NO_DUTY:
            assert gap.begins == begin or on_duty(roster, gap.begins - second).first is not None
            assert gap.ends == until or on_duty(roster, gap.ends).first is not None
        if gap.kind is GapKind.NO_BUDDY:
            for elder in gap.who:
                assert not buddies_for(roster, elder, gap.begins)
                before, after = gap.begins - second, gap.ends
                assert (
                    before < begin or not in_volunteers_hours(roster.zone, before) or buddies_for(roster, elder, before)
                )
                assert (
                    after >= until or not in_volunteers_hours(roster.zone, after) or buddies_for(roster, elder, after)
                )


@st.composite
def turning(draw: st.DrawFn) -> tuple[Rotation, str, datetime]:
    start = draw(st.sampled_from(STARTS))
    rotation = replace(draw(rotations(start)), until=None)
    return rotation, draw(st.sampled_from(ZONES)), start + draw(st.integers(-400 * 1440, 400 * 1440)) * MINUTE


@UNHURRIED
@given(turning())
def test_a_turn_lasts_from_one_hand_over_to_the_next(case: tuple[Rotation, str, datetime]) -> None:
    rotation, zone, begin = case
    until = begin + timedelta(days=3 * rotation.days + 2)
    moments = list(handovers(rotation, zone, begin, until))
    assert len(moments) >= 3
    for moment, following in pairwise(moments):
        before, now = in_turn(rotation, zone, moment - MINUTE), in_turn(rotation, zone, moment)
        assert now == in_turn(rotation, zone, following - MINUTE)
        assert set(before) == set(now) == set(rotation.people)
        local = moment.astimezone(ZoneInfo(zone))
        if rotation.days % 7 == 0:
            assert local.weekday() == rotation.weekday
        shown = local.hour * 60 + local.minute
        assert shown == rotation.minute or abs(shown - rotation.minute) <= 60  # clocks skip that time on this day


hours = st.lists(st.integers(0, 24 * 60), min_size=2, max_size=6, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    start = draw(st.sampled_from(STARTS))
    near = st.integers(-2, 12).map(lambda later: start.date() + timedelta(days=later))
    calendar = Calendar(
        draw(st.sampled_from(ZONES)), draw(hours), draw(st.dictionaries(near, st.booleans(), max_size=6))
    )
    return calendar, start + draw(st.integers(0, 5 * 1440)) * MINUTE


@UNHURRIED
@given(calendars())
def test_the_next_working_time_is_the_first_one(case: tuple[Calendar, datetime]) -> None:
    calendar, at = case
    found = next_working_time(calendar, at)
    assert found >= at
    assert is_working_time(calendar, found)
    step = max((found - at) / 200, MINUTE)
    probe = at
    while probe < found:
        assert not is_working_time(calendar, probe)
        probe += step


@settings(UNHURRIED, max_examples=50)
@given(calendars(), st.integers(1, 20 * 60))
def test_working_hours_are_counted_minute_by_minute(case: tuple[Calendar, datetime], minutes: int) -> None:
    calendar, at = case
    end = add_working_hours(calendar, at, minutes * MINUTE)
    worked, probe = 0, at
    while probe < end:
        worked += is_working_time(calendar, probe)
        probe += MINUTE
    assert worked == minutes
    assert is_working_time(calendar, end - MINUTE)


@given(st.dates(date(2004, 1, 1), date(2026, 12, 31)), st.booleans())
def test_the_table_wins_over_the_state_councils_notice(day: date, works: bool) -> None:
    assert is_working_day(Calendar(days={day: works}), day) is works


@given(st.dates(date(2030, 1, 1), date(2060, 12, 31)))
def test_a_year_without_notice_has_its_weekdays_but_the_days_of_the_law(day: date) -> None:
    assert is_working_day(Calendar(), day) is (day.weekday() < 5 and day not in statutory(day.year))


@given(st.integers(0, 10 * 365 * 24 * 60), st.integers(0, 20 * 60))
def test_a_promise_is_kept_on_a_day_that_is_surely_worked(later: int, minutes: int) -> None:
    at, work = datetime(2030, 1, 1, tzinfo=UTC) + later * MINUTE, minutes * MINUTE
    end = add_working_hours(Calendar(), at, work, surely=True)
    assert end >= add_working_hours(Calendar(), at, work)
    assert is_surely_worked(Calendar(), (end - bool(minutes) * MINUTE).astimezone(ZoneInfo("Asia/Shanghai")).date())
