"""How soon an emergency rings somebody: nothing that goes on beside it makes it wait, neither the next tick nor a
carrier that doesn't answer. The cycle itself looks once in ten minutes here: whatever comes before was woken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from checkins import cycle as cycle_room
from checkins.intents import intend
from checkins.ports import CallOutcome, CallRequest, Disposition, Placed
from checkins.results import Result
from checkins.tables import CallIntent, IntentState
from tests.unit.checkins.street import CHEN, DAUGHTER, Street, numbers
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
        await until(lambda: world.calls(other) == world.calls(late) == 1)


def rung(world: World, number: str, responder: str, state: IntentState) -> None:
    """The line's own alarm has rung them, just now."""
    with world.db.write() as session:
        intent = intend(session, number, "line_alarm", world.clock.now(), "bell", responder=responder, state=state)
        if state is IntentState.SETTLED:
            intent.disposition, intent.settled_at = Disposition.ANSWERED, world.clock.now()


async def cries(world: World, elder: str) -> None:
    await world.to("08:00")
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))


async def test_who_was_rung_for_something_else_a_moment_ago_is_rung_with_the_others(street: Street) -> None:
    world, elder = street.world, street.elder()
    world.clock.advance_to(world.at("07:59"))
    rung(world, CHEN, street.ids[CHEN], IntentState.SETTLED)
    await cries(world, elder)
    assert numbers(await street.tick()) == [CHEN, DAUGHTER]
    assert numbers(await street.tick(seconds=30)) == []
    for call in world.placer.requests[-2:]:
        await street.says(call, Disposition.NO_ANSWER, after=10)
    assert numbers(await street.tick(seconds=1)) == [], "two minutes lie between two calls of one search"
    assert numbers(await street.tick(seconds=75)) == [CHEN, DAUGHTER]


async def test_who_is_on_another_call_is_rung_ten_seconds_after_it_at_the_latest(street: Street) -> None:
    world, elder = street.world, street.elder()
    rung(world, CHEN, street.ids[CHEN], IntentState.PLACED)
    await cries(world, elder)
    assert numbers(await street.tick()) == [DAUGHTER]
    with world.db.write() as session:
        session.scalars(select(CallIntent).where(CallIntent.number == CHEN)).one().state = IntentState.SETTLED
    assert numbers(await street.tick(seconds=10)) == [CHEN]


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
