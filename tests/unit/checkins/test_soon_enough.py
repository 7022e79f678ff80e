"""How soon an emergency rings somebody: nothing that goes on beside it makes it wait, neither the next tick nor a
carrier that doesn't answer. The cycle itself looks once in ten minutes here: whatever comes before was woken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from checkins import cycle as cycle_room
from checkins.ports import CallOutcome, CallRequest, Placed
from checkins.results import Result
from tests.unit.checkins.street import CHEN, DAUGHTER, Street
from tests.unit.checkins.world import World

NEVER_S = 600.0


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


@asynccontextmanager
async def going_on(world: World) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(world.cycle.run(stop, NEVER_S))
    try:
        yield
        stop.set()
        await asyncio.wait_for(running, 10)
    finally:
        running.cancel()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


class SlowCarrier:
    """Has not answered yet whoever rings one of these numbers; else as the world's own."""

    def __init__(self, world: World, *slow: str) -> None:
        self.world, self.slow, self.answers = world, slow, asyncio.Event()
        self.waiting: list[CallRequest] = []
        self.place, world.placer.place = world.placer.place, self.slowly  # type: ignore[method-assign]

    async def slowly(self, request: CallRequest) -> Placed:
        if request.number in self.slow:
            self.waiting.append(request)
            await self.answers.wait()
        return await self.place(request)

    def rung(self) -> set[str]:
        return {request.number for request in self.world.placer.requests}


async def test_a_cry_rings_people_without_waiting_for_the_next_tick(street: Street) -> None:
    world, elder = street.world, street.elder()
    carrier = SlowCarrier(world)
    world.clock.advance_to(world.at("08:00"))
    async with going_on(world):
        await until(lambda: bool(world.placer.requests))
        hers = world.last_call(elder)
        await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
        await until(lambda: {CHEN, DAUGHTER} <= carrier.rung())
    urgent = {request.number for request in world.placer.requests if request.urgent}
    assert urgent == {CHEN, DAUGHTER}


async def test_a_call_that_ends_as_an_emergency_does_so_too(street: Street) -> None:
    """Its alarm was lost on the way."""
    world, elder = street.world, street.elder()
    carrier = SlowCarrier(world)
    world.clock.advance_to(world.at("08:00"))
    async with going_on(world):
        await until(lambda: bool(world.placer.requests))
        await world.ends(elder, Result.EMERGENCY)
        await until(lambda: {CHEN, DAUGHTER} <= carrier.rung())


async def test_a_carrier_that_is_slow_with_an_ordinary_call_holds_up_no_emergency(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do as many orders as may be under way."""
    monkeypatch.setattr(cycle_room, "ORDERS_AT_ONCE", 1)
    world, one, other = street.world, street.elder(slot=480), street.elder("张福根", slot=481)
    world.limits["lines"] = 12
    world.cycle = world.another_cycle("cycle-2")
    late = street.elder("李桂芳", slot=490)
    carrier = SlowCarrier(world, world.person(other).number or "")
    world.clock.advance_to(world.at("08:00"))
    async with going_on(world):
        await until(lambda: bool(world.placer.requests))
        hers = world.last_call(one)
        world.clock.advance_to(world.at("08:02"))
        world.cycle.wake()
        await until(lambda: bool(carrier.waiting))
        world.clock.advance_to(world.at("08:10"))
        await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
        await until(lambda: {CHEN, DAUGHTER} <= carrier.rung())
        assert (world.calls(other), world.calls(late)) == (0, 0)
        carrier.answers.set()
        await until(lambda: world.calls(other) == 1)
        await until(lambda: world.cycle.wake() or world.calls(late) == 1)


async def test_what_cannot_be_written_of_an_answer_is_told_and_the_carrier_is_asked(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()

    async def no_answer(_request: CallRequest) -> Placed:
        raise LookupError

    world.cycle._place = no_answer  # type: ignore[method-assign]
    world.clock.advance_to(world.at("08:00"))
    async with going_on(world):
        await until(lambda: "could not be written" in caplog.text)
    caplog.clear()
    (intent,) = world.intents()
    world.clock.advance(seconds=61)
    await world.cycle.reconcile()
    assert world.placer.asked == [intent.id]
    assert world.calls(elder) == 0
