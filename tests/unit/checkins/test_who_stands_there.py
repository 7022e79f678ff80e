"""Somebody went there and says that help is needed, or that nobody opens: from then on nobody is called off but by who
has the case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checkins import cases, ringing_in
from checkins.errands import DISPATCH
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome
from checkins.results import Reason, Status, Urgency
from checkins.tables import CallIntent
from checkins.telling import TAKEN
from tests.unit.checkins.street import CHEN, LI, ZHOU, Street
from tests.unit.checkins.world import World, outcome

BAD = ["needs_help", "nobody_opens"]


@pytest.fixture
def street(any_world: World) -> Street:
    return Street.of(any_world)


async def finds(street: Street, call: CallRequest, finding: str) -> CallRequest:
    """Who is rung takes it and says what they found; the call to duty."""
    await street.says(call, "accepted")
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, finding)
    (duty,) = await street.tick()
    assert (duty.number, duty.flow) == (CHEN, DISPATCH)
    return duty


async def logs(street: Street, number: str, elder: str, word: str) -> None:
    """A buddy rings in, with their PIN, and logs this."""
    now = street.world.clock.now()
    with street.world.db.write() as session:
        ringing_in.rang_in(session, f"in-{word}", number, now)
        call = session.get_one(CallIntent, f"in-{word}")
        call.applied = {**call.applied, "pin": True}
    said = (PersonOutcome(elder, word, "key"),)
    news = CallOutcome(f"in-{word}", now, final=True, disposition=Disposition.ANSWERED, people=said)
    await street.world.cycle.settle(news)


async def lost_third_try(street: Street, elder: str) -> tuple[CallRequest, CallRequest]:
    """Nobody knows what became of the third try, so that the buddy is rung. Both calls."""
    world = street.world
    for moment in ("08:00", "08:16"):
        await world.to(moment)
        await world.ends(elder, Disposition.NO_ANSWER, after=timedelta())
    await world.to("08:50")
    lost = world.last_call(elder)
    world.clock.advance(minutes=1)
    await world.cycle.reconcile()
    (buddy,) = await street.tick()
    assert (buddy.number, world.row(elder).reason) == (LI, Reason.UNKNOWN)
    return lost, buddy


@pytest.mark.parametrize("finding", BAD)
@pytest.mark.parametrize("late", ["well", "other_says_well", "present_unconfirmed", "absent", "not_well"])
async def test_late_news_of_her_own_call_is_noted_and_changes_nothing(street: Street, finding: str, late: str) -> None:
    world, elder = street.world, street.elder()
    lost, buddy = await lost_third_try(street, elder)
    await finds(street, buddy, finding)
    before = world.row(elder)
    assert await world.cycle.settle(outcome(lost.id, world.clock.now(), {elder: late}, "key"))
    assert world.row(elder) == before
    assert street.whats(elder)[-1] == late


async def test_but_a_late_cry_for_help_counts(street: Street) -> None:
    world, elder = street.world, street.elder()
    lost, buddy = await lost_third_try(street, elder)
    await finds(street, buddy, "nobody_opens")
    await world.cycle.settle(outcome(lost.id, world.clock.now(), {elder: "emergency"}, "speech"))
    assert world.row(elder).urgency is Urgency.EMERGENCY


@pytest.mark.parametrize("finding", BAD)
async def test_another_buddys_visit_in_the_log_calls_nobody_off(street: Street, finding: str) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    duty = await finds(street, buddy, finding)
    await street.says(duty, "accepted")
    await logs(street, ZHOU, elder, "visited_fine")
    row = street.world.row(elder)
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, "陈老师")
    assert "contact:visited_fine" in street.whats(elder), "staff see it"
    assert "tell:taken" not in street.whats(elder)


@pytest.mark.parametrize("finding", BAD)
async def test_who_stands_there_is_not_sent_away_when_duty_comes(street: Street, finding: str) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    duty = await finds(street, buddy, finding)
    await street.says(duty, "accepted")
    assert [call.number for call in await street.tick(minutes=3)] == []
    with street.world.db.write() as session:
        cases.close_case(session, street.world.row(elder).checkin_id, "陈老师", "已送医院", street.world.clock.now())
    told = [call.number for call in await street.tick(minutes=3) if call.flow == TAKEN]
    assert told == ([LI] if finding == "nobody_opens" else []), "who waits before a door need not wait any longer"


async def test_an_old_yes_takes_nothing_from_who_has_said_meanwhile_that_they_cant(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (lost,) = await street.tick()
    world.clock.advance(minutes=1)
    await world.cycle.reconcile()
    (again,) = await street.tick(minutes=4)
    assert (lost.number, again.number) == (LI, LI)
    await street.says(again, "declined")
    await street.says(lost, "accepted")
    assert world.row(elder).owner is None
    (substitute,) = await street.tick()
    assert substitute.number == ZHOU
