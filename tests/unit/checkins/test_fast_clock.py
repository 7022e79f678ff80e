"""A clock that was fast and is right again: nothing is called until a person says so, then nobody is forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checkins import auditor, fast_clock
from checkins.alarm_bell import Bell
from checkins.alarm_calls import FLOW
from checkins.cycle import is_clock_behind
from checkins.ports import CallOutcome, Disposition
from checkins.results import Reason, Status
from checkins.watch import Watch
from tests.unit.checkins.street import CHEN, DAUGHTER, Street
from tests.unit.checkins.world import DAY, World


@pytest.fixture
def street(world: World) -> Street:
    return Street.of(world)


TOMORROW = DAY + timedelta(days=1)


async def test_what_a_fast_clock_wrote_counts_as_written_now(world: World, caplog: pytest.LogCaptureFixture) -> None:
    missed, tried = world.elder("王秀英", slot=480), world.elder("李福根", slot=485)
    await world.to("08:00")
    await world.ends(missed, Disposition.NO_ANSWER)
    await world.to("08:05", TOMORROW)  # a day too early
    await world.ends(tried, "well")
    assert world.row(tried, TOMORROW).status is Status.CLOSED

    world.clock._now = world.at("08:40")
    assert (await world.cycle.tick()).clock_behind
    with world.db.write() as session:
        with pytest.raises(ValueError, match="named person"):
            fast_clock.accept(session, " ", world.clock.now())
        done = fast_clock.accept(session, "陈老师", world.clock.now())
        assert (done.moments > 0, done.ahead > 0) == (True, True)
        assert fast_clock.accept(session, "陈老师", world.clock.now()) == fast_clock.Accepted(0, 0, 0)
        assert not is_clock_behind(session, world.clock.now())
    report = await world.cycle.tick()
    assert not report.clock_behind
    with world.db.read() as session:
        assert auditor.late(session, world.clock.now()) == []
    again = world.row(tried, TOMORROW)
    assert (again.status, again.reason) == (Status.NEEDS_PERSON, Reason.HUMAN_CONTACT)
    assert again.due_at == again.slot, "on that day"
    caplog.clear()


async def test_after_a_step_back_nobody_sleeps(street: Street) -> None:
    """Nothing shows that the clock went back where nothing was written for a while: an elder who was seen well in the
    evening is rung in the morning, and until then her case is only looked at."""
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    world.clock.advance_to(world.at("20:30"))
    (call,) = await street.tick()
    await street.says(call, "accepted")
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    for _ in range(2):
        assert await street.tick(minutes=31) == []
    world.clock._now -= timedelta(minutes=25)
    with world.db.read() as session:
        assert auditor.late(session, world.clock.now()) != []
    assert not (await world.cycle.tick()).clock_behind
    street.awake()
    world.clock.advance(minutes=29)
    street.awake()


@pytest.mark.parametrize("fast", [timedelta(minutes=4), timedelta(hours=3)])
async def test_in_an_emergency_duty_is_rung_at_once_and_she_is_not_rung_back_to_back(
    street: Street, fast: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    """The emergency, and the calls for it, bear moments that lie ahead once the clock is right."""
    world, elder = street.world, street.elder()
    right = world.at("08:00")
    world.clock.advance_to(right + fast)
    await world.cycle.tick()
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    await street.says(hers, "emergency", after=5)
    for call in await street.tick():
        await street.says(call, Disposition.NO_ANSWER, after=1)

    world.clock._now = right
    world.cycle = world.another_cycle("restarted")
    assert (await world.cycle.tick()).clock_behind
    with world.db.write() as session:
        fast_clock.accept(session, "陈老师", world.clock.now())
    first = await street.tick(seconds=1)
    assert CHEN in {call.number for call in first}
    rung = [*first]
    while world.clock.now() < right + timedelta(minutes=5):
        for call in rung[-len(first) :] if first else []:
            await street.says(call, Disposition.NO_ANSWER, after=1)
        rung += (first := await street.tick(seconds=5))
    assert [call.number for call in rung].count(hers.number) in (1, 2)
    assert {CHEN, DAUGHTER} <= {call.number for call in rung}
    caplog.clear()


async def test_the_alarm_rings_duty_though_their_last_call_lies_ahead(
    street: Street, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that ended, or one whose end a crash has cut off."""
    world, elder = street.world, street.elder()
    right = world.at("08:00")
    world.clock.advance_to(right + timedelta(hours=3))
    await world.cycle.tick()
    hers = world.last_call(elder)
    await world.cycle.settle(CallOutcome(hers.id, world.clock.now(), final=False, alarm="distress"))
    assert CHEN in {call.number for call in await street.tick()}

    world.clock._now = right
    world.cycle = world.another_cycle("restarted")
    assert (await world.cycle.tick()).clock_behind
    await world.cycle.reconcile()  # the carrier knows of none of them
    bell = Bell(world.db, world.clock, (), world.placer)
    await Watch(world.db, world.clock, tmp_path / "heartbeat", cry=bell.cry).look()
    await bell.look()
    assert [call.number for call in world.placer.requests if call.flow == FLOW] == [CHEN]
    caplog.clear()
