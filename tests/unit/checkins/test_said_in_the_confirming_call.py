"""Somebody saw her, and the line rings her to hear it from herself: what she says then holds as in any call of hers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checkins.errands import CHECKIN
from checkins.ports import CallRequest
from checkins.results import Reason, Status
from checkins.tables import NumberState, State
from tests.unit.checkins.street import Street
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
