"""Calls to responders whose end nobody tells: whoever waits for that person doesn't wait for long."""

from __future__ import annotations

import pytest

from checkins.ports import CallRequest, Disposition, Trace
from checkins.results import Status
from checkins.tables import IntentState
from tests.unit.checkins.street import CHEN, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import World


@pytest.fixture
def street(any_world: World) -> Street:
    return Street.of(any_world)


async def to_duty(street: Street, *elders: str) -> CallRequest:
    """Both buddies can't; the call to the duty person that carries all these elders."""
    await street.unreached(*elders)
    for buddy in (LI, ZHOU):
        (call,) = await street.tick()
        assert call.number == buddy
        await street.says(call, "declined", after=1)
    (call,) = await street.tick()
    assert (call.number, len(call.callees)) == (CHEN, len(elders))
    return call


async def asked(street: Street, **later: float) -> int:
    """Time passes; how many calls nobody waits for any longer, now that the carrier was asked."""
    street.world.clock.advance(**later)
    return await street.world.cycle.reconcile()


async def test_two_elders_wait_for_the_duty_person_whose_call_is_over(street: Street) -> None:
    """The carrier says so when it is asked, a minute after the call began. A minute later it is believed, and their
    number is free for whom else it is needed: not after 15 minutes."""
    world, elders = street.world, [street.elder(), street.elder("李福根")]
    lost = await to_duty(street, *elders)
    world.placer.traces[lost.id] = Trace.OVER
    assert await asked(street, minutes=1) == 0  # its news may be on the way
    assert await asked(street, minutes=1) == 1
    assert {call.number for call in await street.tick(minutes=8)} == {CHEN}
    again = world.placer.requests[-1]
    assert {callee.id for callee in again.callees} == set(elders)


async def test_while_they_talk_their_number_is_theirs(street: Street) -> None:
    world, elder = street.world, street.elder()
    call = await to_duty(street, elder)
    world.placer.traces[call.id] = Trace.ALIVE
    for _ in range(9):
        assert await asked(street, minutes=1) == 0
        assert CHEN not in numbers(await street.tick())
    await street.says(call, "accepted")
    assert world.row(elder).owner == "陈老师"


async def test_once_over_and_then_asked_in_vain_is_not_over_twice(street: Street) -> None:
    world, elder = street.world, street.elder()
    call = await to_duty(street, elder)
    for trace in (Trace.OVER, Trace.UNREACHABLE, Trace.UNREACHABLE):
        world.placer.traces[call.id] = trace
        assert await asked(street, minutes=1) == 0
    await street.says(call, Disposition.NO_ANSWER)
    assert await asked(street, minutes=5) == 0  # its news has come


async def test_what_they_said_counts_however_late_it_is_told(street: Street) -> None:
    world, elder = street.world, street.elder()
    call = await to_duty(street, elder)
    world.placer.traces[call.id] = Trace.OVER
    assert [await asked(street, minutes=1) for _ in range(2)] == [0, 1]
    assert [intent.state for intent in street.intents()][-1] == IntentState.UNKNOWN
    assert await street.says(call, "accepted", after=60)
    assert (world.row(elder).status, world.row(elder).owner) == (Status.NEEDS_PERSON, "陈老师")
    assert not await street.says(call, "accepted")
