"""Somebody saw her, and the line rings her to hear it from herself: what she says then holds as in any call of hers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checkins.errands import CHECKIN
from checkins.intents import intend
from checkins.items import ItemKind, open_items
from checkins.ports import CallOutcome, CallRequest
from checkins.results import Reason, Status
from checkins.tables import IntentState, NumberState, State
from tests.unit.checkins.street import CHEN, Street
from tests.unit.checkins.world import DAY, World


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


async def confirms(street: Street, elder: str) -> CallRequest:
    """A buddy saw her and she is fine; the line's own call to her."""
    await street.unreached(elder)
    (buddy,) = await street.tick()
    await street.says(buddy, "accepted")
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    await street.tick()
    (call,) = await street.tick(minutes=30)
    assert call.flow == CHECKIN
    return call


async def test_no_more_calls_is_obeyed_from_the_next_call_on(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.says(await confirms(street, elder), "refused")
    assert world.person(elder).state == State.REFUSED
    assert (world.row(elder).status, world.row(elder).reason) == (Status.NEEDS_PERSON, Reason.REFUSED)
    rung = len(world.placer.requests)
    for moment in ("08:00", "08:01"):
        await world.to(moment, DAY + timedelta(days=1))
    hers = world.person(elder).number
    assert [call.flow for call in world.placer.requests[rung:] if call.number == hers] == []


async def test_a_wrong_number_is_suspended(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.says(await confirms(street, elder), "wrong_number")
    assert world.person(elder).number_state == NumberState.SUSPECT


async def test_a_wrong_number_takes_nobody_off_the_ladder_who_has_the_same(street: Street) -> None:
    """One key on an elder's telephone; the duty person, who lives there, is rung for everybody else."""
    world, father, other = street.world, street.elder(number=CHEN), street.elder("张桂兰", slot=481)
    await world.to("08:00")
    await world.ends(father, "wrong_number")
    assert world.person(father).number_state == NumberState.SUSPECT
    assert world.person(street.ids[CHEN]).number_state == NumberState.OK
    with world.db.read() as session:
        assert [(item.kind, item.person_id) for item in open_items(session)] == [
            (ItemKind.NUMBER_DOUBTED, street.ids[CHEN])
        ]
    await world.to("08:01")
    await world.cycle.settle(CallOutcome(world.last_call(other).id, world.clock.now(), final=False, alarm="distress"))
    assert CHEN in [call.number for call in await street.tick(minutes=2)]


async def test_when_two_hours_go_by_without_a_call_nobody_is_blamed(street: Street) -> None:
    """The line may not ring her: her number was called as often as the rules allow."""
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    await street.says(buddy, "accepted")
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    with world.db.write() as session:
        for _ in range(2):
            intent = intend(session, world.person(elder).number or "", "checkin", world.clock.now(), "earlier")
            intent.state = IntentState.SETTLED
            session.flush()
    for _ in range(5):
        await street.tick(minutes=25)
    assert world.row(elder).owner is None
    assert "no_finding" not in street.whats(elder)
