"""A cry for help in an emergency that somebody has seen to by then: nobody knew of this one."""

from __future__ import annotations

import pytest

from checkins.errands import CHECKIN, DISPATCH, FINDING
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome
from checkins.results import Status, Urgency
from tests.unit.checkins.street import CHEN, DAUGHTER, Street, numbers
from tests.unit.checkins.world import World


@pytest.fixture
def street(any_world: World) -> Street:
    return Street.of(any_world)


async def cries(street: Street, call: CallRequest, elder: str, **detail: str) -> bool:
    """In mid-call, or (with a recording) heard in it afterwards."""
    now, said = street.world.clock.now(), (PersonOutcome(elder, "emergency", "speech", detail),)
    news = CallOutcome(call.id, now, final=False, alarm="distress", alarm_person=elder, people=said)
    return await street.world.cycle.settle(news)


async def duty_goes(street: Street, elder: str) -> None:
    """She cries in her daily call, which ends; duty takes it, and nobody else answers."""
    world = street.world
    await world.to("08:00")
    hers = world.last_call(elder)
    await cries(street, hers, elder)
    duty, daughter = sorted(await street.tick(), key=lambda call: call.number)
    assert (duty.number, daughter.number) == (CHEN, DAUGHTER)
    await street.says(duty, "accepted", after=5)
    await street.says(daughter, Disposition.NO_ANSWER, after=1)
    await street.says(hers, "emergency", "speech", after=1)


async def seen_and_rung_by_the_line(street: Street, elder: str) -> CallRequest:
    """Duty says that she is fine; the line's own call to her, which goes on."""
    await duty_goes(street, elder)
    (asks,) = await street.tick(minutes=25)
    assert asks.flow == FINDING
    await street.says(asks, "fine_seen")
    await street.tick()
    (confirms,) = await street.tick(minutes=30)
    assert (confirms.flow, street.world.row(elder).owner) == (CHECKIN, "陈老师")
    return confirms


async def test_in_the_call_that_was_to_confirm_that_she_is_fine_rings_everybody_at_once(street: Street) -> None:
    elder = street.elder()
    confirms = await seen_and_rung_by_the_line(street, elder)
    assert await cries(street, confirms, elder)
    row = street.world.row(elder)
    assert (row.owner, row.due_at) == (None, street.world.clock.now())
    calls = await street.tick()
    assert (numbers(calls), {call.flow for call in calls}) == ([CHEN, DAUGHTER], {DISPATCH})
    assert not await cries(street, confirms, elder)
    await street.says(confirms, "well")
    row = street.world.row(elder)
    assert (row.status, row.urgency, row.owner) == (Status.NEEDS_PERSON, Urgency.EMERGENCY, None)


async def test_found_in_the_recording_of_that_call_rings_them_too(street: Street) -> None:
    elder = street.elder()
    confirms = await seen_and_rung_by_the_line(street, elder)
    await street.says(confirms, Disposition.BUSY)
    assert await cries(street, confirms, elder, recording="rec-1")
    her = street.world.person(elder).number or ""
    assert numbers(await street.tick()) == [her, CHEN, DAUGHTER], "she has hung up by now"


async def test_while_somebody_is_on_the_way_sends_nobody_else(street: Street) -> None:
    """Nobody has said that she is fine: whoever goes finds out."""
    elder = street.elder()
    await duty_goes(street, elder)
    daily = street.world.placer.requests[0]
    assert await cries(street, daily, elder, recording="rec-1")
    assert street.world.row(elder).owner == "陈老师"
    assert await street.tick(minutes=3) == []
