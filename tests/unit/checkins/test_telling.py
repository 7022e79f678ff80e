"""Who believes that a case is theirs hears that somebody else has it, by telephone, whatever has become of the case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from checkins import cases, searches
from checkins.device_tables import Telling
from checkins.escalation import search as core
from checkins.escalation.values import Reply
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition
from checkins.results import Status
from checkins.tables import Checkin, Person, State
from checkins.telling import TAKEN
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import World


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


async def two_accept(street: Street, elder: str) -> CallRequest:
    """An emergency: the daughter is first, then duty presses 1, too. Duty's call."""
    world = street.world
    await world.to("08:00")
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    duty, daughter = sorted(await street.tick(), key=lambda call: call.number)
    assert (duty.number, daughter.number) == (CHEN, DAUGHTER)
    await street.says(daughter, "accepted", after=5)
    return duty


def tellings(street: Street) -> list[tuple[int, str | None]]:
    with street.world.db.read() as session:
        return [(each.tries, each.outcome) for each in session.scalars(select(Telling).order_by(Telling.id))]


def told(calls: list[CallRequest]) -> list[str]:
    return numbers([call for call in calls if call.flow == TAKEN])


async def test_who_comes_second_is_rung_two_minutes_later_and_hears_it(any_world: World) -> None:
    street = Street.of(any_world)
    elder = street.elder()
    duty = await two_accept(street, elder)
    await street.says(duty, "accepted")
    assert told(await street.tick(seconds=60)) == []
    (tells,) = await street.tick(seconds=30)
    assert (tells.number, tells.flow, tells.variables["responder"]) == (CHEN, TAKEN, "陈老师")
    assert [(c.id, c.spoken_name, dict(c.variables)) for c in tells.callees] == [(elder, "王阿婆", {})]
    await street.says(tells, "told")
    assert tellings(street) == [(1, "heard")]
    assert street.whats(elder)[-2:] == ["ring:taken", "told:heard"]
    assert told(await street.tick(minutes=6)) == []
    assert street.world.row(elder).owner == "王小妹"


async def test_who_heard_it_in_their_own_call_is_not_rung(street: Street) -> None:
    elder = street.elder()
    duty = await two_accept(street, elder)
    with street.world.db.write() as session:  # they have pressed 1, and are told in the same call
        from checkins import answers
        from checkins.tables import CallIntent, Checkin

        row = session.get_one(Checkin, street.world.row(elder).checkin_id)
        session.refresh(row, ["elder"])
        session.refresh(row.elder, ["neighbourhood"])
        answers.first(session, session.get_one(CallIntent, duty.id), row, street.world.clock.now())
    assert tellings(street) == [(0, None)]
    await street.says(duty, "taken")
    assert tellings(street) == [(0, "heard")]
    assert told(await street.tick(minutes=3)) == []


@pytest.mark.parametrize("end", [Disposition.MACHINE, "no_reply"])
async def test_two_calls_five_minutes_apart_and_no_more(street: Street, end: Disposition | str) -> None:
    elder = street.elder()
    duty = await two_accept(street, elder)
    await street.says(duty, "accepted")
    (tells,) = await street.tick(minutes=2)
    await street.says(tells, end)
    assert told(await street.tick(minutes=4)) == []
    (again,) = await street.tick(minutes=1)
    assert told([again]) == [CHEN]
    await street.says(again, end)
    assert tellings(street) == [(2, "unheard")]
    assert street.whats(elder)[-1] == "told:unheard"
    assert told(await street.tick(minutes=10)) == []


async def test_a_failure_of_the_line_is_no_call(street: Street) -> None:
    elder = street.elder()
    await street.says(await two_accept(street, elder), "accepted")
    (tells,) = await street.tick(minutes=2)
    await street.says(tells, Disposition.LINE_ERROR)
    assert tellings(street) == [(0, None)]
    assert told(await street.tick(minutes=5)) == [CHEN]


async def test_also_when_the_case_is_closed_by_then_and_one_call_carries_all(street: Street) -> None:
    world = street.world
    first, second = street.elder(), street.elder("张桂兰")
    await street.unreached(first, second)
    (call,) = await street.tick()
    await street.says(call, "accepted")
    for elder in (first, second):
        with world.db.write() as session:
            cases.close_case(session, world.row(elder).checkin_id, "李老师", "在女儿家", world.clock.now())
    assert world.row(first).status is Status.CLOSED
    (tells,) = await street.tick(minutes=2)
    assert (tells.number, {c.id for c in tells.callees}) == (LI, {first, second})
    await street.says(tells, "told", only=first)
    assert tellings(street) == [(1, "heard"), (1, None)]
    (again,) = await street.tick(minutes=5)
    assert [c.id for c in again.callees] == [second]


async def test_while_nobody_has_it_they_hear_nothing_and_later_they_do(street: Street) -> None:
    """Else nobody goes at all."""
    elder = street.elder()
    await street.says(await two_accept(street, elder), "accepted")
    (daughter,) = [intent for intent in street.intents() if intent.number == DAUGHTER]
    with street.world.db.write() as session:
        from checkins import searches
        from checkins.escalation import search as core
        from checkins.escalation.values import Reply
        from checkins.tables import Checkin

        row = session.get_one(Checkin, street.world.row(elder).checkin_id)
        session.refresh(row, ["elder"])
        session.refresh(row.elder, ["neighbourhood"])
        search = searches.search_of(row)
        assert search is not None
        now = street.world.clock.now()
        searches.keep(session, row, core.replied(search, daughter.responder or "", Reply.DECLINED, now), now)
    assert street.world.row(elder).owner is None
    calls = await street.tick(minutes=2)
    assert told(calls) == []
    (duty,) = [call for call in calls if call.number == CHEN]
    await street.says(duty, "accepted")
    assert street.world.row(elder).owner == "陈老师"
    await street.tick(minutes=2)
    assert tellings(street)[0] == (0, "needless"), "it is theirs after all"


async def test_a_buddy_who_believes_that_she_must_go_is_told_at_night_too(street: Street) -> None:
    world = street.world
    elder = street.elder(slot=19 * 60 + 50)
    for moment in ("19:50", "20:05", "20:36"):
        await world.to(moment)
        await world.ends(elder, Disposition.NO_ANSWER, after=timedelta())
    (call,) = await street.tick()
    await street.says(call, "accepted")
    world.clock.advance_to(world.at("21:05"))
    (duty,) = [call for call in await street.tick() if call.number == CHEN] or [None]
    with world.db.write() as session:
        cases.take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    assert duty is None or duty.flow
    assert told(await street.tick(minutes=2)) == [LI]


async def test_after_half_an_hour_it_is_no_news(street: Street) -> None:
    elder = street.elder()
    await street.says(await two_accept(street, elder), "accepted")
    assert told(await street.tick(minutes=31)) == []
    assert tellings(street) == [(0, "unheard")]


async def test_not_while_they_are_on_another_call(street: Street) -> None:
    elder, other = street.elder(), street.elder("张桂兰", slot=481)
    await street.says(await two_accept(street, elder), "accepted")
    world = street.world
    await world.to("08:01")
    await world.cycle.settle(CallOutcome(world.last_call(other).id, world.clock.now(), final=False, alarm="distress"))
    (busy,) = [call for call in await street.tick(minutes=1, seconds=1) if call.number == CHEN]
    assert busy.flow == "dispatch"
    assert told(await street.tick(minutes=1)) == []
    await street.says(busy, "declined")
    assert told(await street.tick(seconds=10)) == []
    assert told(await street.tick(minutes=1)) == [CHEN]
    assert ZHOU not in numbers(world.placer.requests)


@pytest.mark.parametrize("state", [State.MOVED, State.DIED])
async def test_who_is_on_the_way_to_somebody_who_has_moved_or_died_is_told(street: Street, state: State) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    await street.says(call, "accepted")
    with world.db.write() as session:
        set_state(session, elder, state, "书记", world.clock.now())
    assert told(await street.tick(minutes=2)) == [LI]
    assert world.row(elder).closed_by == "书记"


async def test_a_daughter_who_is_a_buddy_too_is_not_told_that_she_has_it_herself(street: Street) -> None:
    """Two entries, one telephone: she accepts as a buddy, says nothing for half an hour, and accepts as family."""
    world, elder = street.world, street.elder()
    with world.db.write() as session:
        session.get_one(Person, street.ids[LI]).number = DAUGHTER
    await street.unreached(elder)
    (call,) = await street.tick()
    assert call.number == DAUGHTER
    await street.says(call, "accepted")
    with world.db.write() as session:
        search = street.checkin(elder).search or {}
        search = {**search, "phase": "searching", "accepted_by": None, "went": [street.ids[LI]]}
        row = session.get_one(Checkin, street.checkin(elder).id)
        row.search, row.owner = search, None
        session.refresh(row, ["elder"])
        session.refresh(row.elder, ["neighbourhood"])
        held = searches.search_of(row)
        assert held is not None
        now = world.clock.now()
        searches.keep(session, row, core.replied(held, street.ids[DAUGHTER], Reply.ACCEPTED, now), now)
    assert world.row(elder).owner == "王小妹"
    assert told(await street.tick(minutes=3)) == []
    assert "tell:taken" not in street.whats(elder)
