"""A carrier that answers orders with an error, or not at all: nobody knows whether it rings, and it can't be asked.
An emergency goes on all the same, and the line counts as down within a minute or two."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from checkins.alarm_bell import Bell
from checkins.alarm_calls import FLOW, SECOND, Caller
from checkins.pace import is_line_down
from checkins.ports import CallOutcome, CallRequest, Placed, Trace
from checkins.results import Status
from checkins.tables import IntentState
from checkins.watch import Watch
from tests.unit.checkins.street import CHEN, DAUGHTER, Street, numbers
from tests.unit.checkins.world import FakePlacer, World


class SilentLine(FakePlacer):
    """While it is silent no order is answered and no question; the second trunk works."""

    silent = False

    async def place(self, request: CallRequest) -> Placed:
        answer = await super().place(request)
        return Placed.UNKNOWN if self.silent and request.trunk != SECOND else answer

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        self.asked.append(intent_id)
        return self.traces.get(intent_id, Trace.UNREACHABLE if self.silent else Trace.ALIVE)


@pytest.fixture
def line(any_world: World) -> SilentLine:
    line = SilentLine()
    any_world.placer = line
    any_world.cycle = any_world.another_cycle("cycle-1")
    return line


@pytest.fixture
def street(any_world: World, line: SilentLine) -> Street:
    return Street.of(any_world)


def down(world: World) -> bool:
    with world.db.read() as session:
        return is_line_down(session, world.clock.now())


async def cries(street: Street, elder: str) -> str:
    """In her daily call, which ends there; her number."""
    world = street.world
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    await street.says(hers, "emergency", after=1)
    return hers.number


async def minute(street: Street) -> list[CallRequest]:
    """The cycle ticks and asks every 15 s; the calls that it ordered."""
    world, before = street.world, len(street.world.placer.requests)
    for _ in range(4):
        world.clock.advance(15)
        await world.cycle.tick()
        await world.cycle.reconcile()
    return world.placer.requests[before:]


async def test_the_line_counts_as_down_when_three_orders_can_not_even_be_asked_after(
    street: Street, line: SilentLine
) -> None:
    world = street.world
    elders = [street.elder(f"王{number}", slot=480) for number in range(3)]
    line.silent = True
    await world.to("08:00")
    assert not down(world), "they may ring"
    world.clock.advance(60)
    assert await world.cycle.reconcile() == 0
    assert down(world)
    assert {world.row(elder).status for elder in elders} == {Status.CALLING}, "they may have rung: no redial"
    line.silent = False
    world.clock.advance(60)
    await world.cycle.reconcile()
    assert not down(world), "the carrier knows them, and they go on"
    assert {intent.state for intent in world.intents()} == {IntentState.PLACED}


async def test_orders_that_nobody_answers_hold_no_line_against_an_emergency(street: Street, line: SilentLine) -> None:
    world, elder = street.world, street.elder(slot=480)
    others = [street.elder(f"王{number}", slot=485) for number in range(6)]
    await world.to("08:00")
    line.silent = True
    await world.to("08:05")
    assert sum(world.row(other).status is Status.CALLING for other in others) == 3
    hers = await cries(street, elder)
    rung = [*await street.tick(seconds=5), *await street.tick(seconds=1)]
    assert {CHEN, DAUGHTER, hers} <= {call.number for call in rung}
    assert {CHEN, hers} <= {call.number for call in [*await minute(street), *await minute(street)]}, "two minutes later"
    assert {CHEN} <= {call.number for call in [*await minute(street), *await minute(street)]}, "and again"


async def test_on_a_line_that_answers_orders_under_way_hold_their_lines(street: Street, line: SilentLine) -> None:
    world, elder = street.world, street.elder(slot=480)
    for number in range(6):
        street.elder(f"王{number}", slot=485)
    await world.to("08:00")
    await world.to("08:05")
    await cries(street, elder)
    assert len(await street.tick(seconds=5)) == 3, "six lines, of which the round has three"


@pytest.mark.parametrize("how", ["the carrier took it", "she talks to us"])
async def test_who_may_be_talking_is_not_rung_again(street: Street, line: SilentLine, how: str) -> None:
    world, elder = street.world, street.elder(slot=480)
    await world.to("08:00")
    line.silent = how == "she talks to us"
    await cries(street, elder)
    duty = next(call for call in await street.tick() if call.number == CHEN)
    line.silent = True
    line.traces[duty.id] = Trace.ALIVE if how == "she talks to us" else Trace.UNREACHABLE
    for _ in range(4):
        assert CHEN not in numbers(await minute(street))
        line.traces[duty.id] = Trace.UNREACHABLE


async def test_the_alarm_by_the_second_trunk_reaches_whom_the_first_one_could_not(
    street: Street, line: SilentLine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder(slot=480)
    for number in range(3):
        street.elder(f"王{number}", slot=485)
    bell = Bell(world.db, world.clock, (), line, Caller("bell", second=True))
    watch = Watch(world.db, world.clock, tmp_path / "heartbeat", cry=bell.cry)
    await world.to("08:00")
    line.silent = True
    await world.to("08:05")
    await minute(street)
    await cries(street, elder)
    assert CHEN in numbers(await street.tick(seconds=6))
    world.clock.advance(6)
    await watch.look()
    await bell.look()
    [alarm] = [call for call in line.requests if call.flow == FLOW]
    assert (alarm.number, alarm.trunk) == (CHEN, SECOND)
    caplog.clear()
