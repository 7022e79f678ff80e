"""Planning any register: everybody who counts gets one case, slots are fair, and planning again changes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from checkins import planning
from checkins.outgoing_tables import Endpoint
from checkins.people import stops_calls
from checkins.results import Status
from checkins.schedule import at_minute
from checkins.tables import Checkin, Mode, Neighbourhood, NumberState, Person, Role, State
from storage.database import Base

ZONE, DAY = "Asia/Shanghai", date(2026, 3, 2)
OPENS, ENDS = at_minute(ZONE, DAY, 8 * 60), at_minute(ZONE, DAY, 10 * 60 + 30)
SECOND = timedelta(seconds=1)

numbers = st.integers(1, 12).map(lambda i: f"+8621100000{i:02d}")
callable_ = st.fixed_dictionaries({"number": numbers, "slot": st.none() | st.integers(8 * 60, 20 * 60)}).map(
    lambda values: {"consents": {"calls": True}, "state": (State.ACTIVE, None)} | values
)
anybody = st.fixed_dictionaries(
    {
        "number": st.none() | numbers,
        "slot": st.none() | st.integers(8 * 60, 20 * 60),
        "mode": st.sampled_from(Mode),
        "number_state": st.sampled_from(NumberState),
        "role": st.sampled_from([Role.ELDER, Role.ELDER, Role.BUDDY]),
        "consents": st.sampled_from([{"calls": True}, {}, {"calls": False}]),
        "state": st.sampled_from(
            [
                (State.ACTIVE, None),
                (State.REFUSED, None),
                (State.DIED, None),
                (State.MOVED, None),
                (State.PAUSED, DAY),
                (State.PAUSED, DAY - timedelta(days=1)),
            ]
        ),
    }
)
people = st.lists(callable_, max_size=25).flatmap(
    lambda some: st.lists(anybody, max_size=12).map(lambda others: others + some)
)


def counts(person: Person) -> bool:
    """PRODUCT.md, "States of an elder": active, refused (a human contact), or a pause that has ended."""
    ended = person.state == State.PAUSED and person.state_until is not None and person.state_until < DAY
    return person.role == Role.ELDER and (person.state in (State.ACTIVE, State.REFUSED) or ended)


@given(people, st.integers(1, 5), st.integers(-120, 900))
@settings(max_examples=60, deadline=None)
def test_any_register(register: list[dict[str, Any]], lines: int, minutes: int) -> None:
    now = OPENS + timedelta(minutes=minutes)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, tables=[table.__table__ for table in (Neighbourhood, Person, Checkin, Endpoint)])
    try:
        with Session(engine) as session:
            place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone=ZONE)
            session.add(place)
            session.flush()
            session.add_all(person(place.id, values) for values in register)
            session.flush()
            report = planning.plan_day(session, place, DAY, now, lines)
            again = planning.plan_day(session, place, DAY, now + timedelta(minutes=7), lines)
            everybody = {person.id: person for person in session.scalars(select(Person))}
            cases = list(session.scalars(select(Checkin)))
    finally:
        engine.dispose()
    assert again.added == 0
    assert report.added == len(cases)
    assert Counter(case.elder_id for case in cases) == Counter(who for who, it in everybody.items() if counts(it))
    check_slots(cases, everybody, lines, now)


def person(place_id: int, values: dict[str, Any]) -> Person:
    state, until = values["state"]
    return Person(
        neighbourhood_id=place_id,
        name="王秀英",
        spoken_name="王阿婆",
        **(values | {"state": state, "state_until": until}),
    )


def check_slots(cases: list[Checkin], everybody: dict[str, Person], lines: int, now: datetime) -> None:
    slots: dict[str, datetime] = {}
    own: dict[str, list[int]] = {}
    for case in cases:
        elder = everybody[case.elder_id]
        assert case.due_at == case.slot
        if stops_calls(elder):
            assert (case.status, case.slot) == (Status.NEEDS_PERSON, max(now, at_minute(ZONE, DAY, 11 * 60)))
            assert case.reason
            continue
        assert case.status == Status.PLANNED
        assert elder.number is not None
        assert slots.setdefault(elder.number, case.slot) == case.slot, "one number, one slot, one call"
        own.setdefault(elder.number, []).extend([elder.slot] if elder.slot is not None else [])
    for number, minutes in own.items():
        if minutes:
            assert slots[number] == max(now, at_minute(ZONE, DAY, min(minutes)))
    check_waves(sorted(slots[number] for number, minutes in own.items() if not minutes), lines, now)


def check_waves(waves: list[datetime], lines: int, now: datetime) -> None:
    """Those without a wish: at most `lines` at once, from the window's begin, evenly, within it when it isn't late."""
    if not waves:
        return
    assert max(Counter(waves).values()) <= lines
    assert waves[0] == max(OPENS, now)
    times = sorted(set(waves))
    gaps = {later - earlier for earlier, later in pairwise(times)}
    assert len(gaps) <= 1
    if now <= OPENS:
        assert waves[-1] < ENDS
    assert not gaps or min(gaps) > SECOND
