"""The cycle: claims, limits, crashes, calls that go quiet. On SQLite and PostgreSQL where the database matters."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import update

from checkins.cases import take_over
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition, Placed, Trace
from checkins.results import Reason, Result, Status, Urgency
from checkins.tables import Checkin, IntentState, Mode, NumberState, Person, State
from storage.database import Database
from tests.unit.checkins.world import DAY, World, outcome


async def test_a_round_of_calls_news_and_retries(any_world: World) -> None:
    world = any_world
    elders = [world.elder() for _ in range(10)]
    assert (await world.to("08:00")).placed == 4  # six lines, two stay free for people ringing in
    while (due := await world.cycle.next_due()) and due < world.at("11:00"):
        for elder in elders:
            if world.row(elder).status is Status.CALLING:
                await world.ends(elder, "well", after=timedelta())
        world.clock.advance_to(due)
        await world.cycle.tick()
    assert {world.row(elder).status for elder in elders} == {Status.CLOSED}
    assert len(world.placer.requests) == 10


async def test_two_cycles_on_one_database_never_take_a_case_twice(any_world: World) -> None:
    world = any_world
    elders = [world.elder() for _ in range(24)]
    world.limits |= {"lines": 102, "reserved": 2}
    await world.another_cycle("planner").plan()
    world.clock.advance_to(world.at("10:30"))
    other = Database(world.url)
    try:
        cycles = [world.another_cycle("one"), world.another_cycle("two", other)]
        for _ in range(3):
            await asyncio.gather(*(cycle.tick() for cycle in cycles))
    finally:
        other.close()
    assert sorted(callee.id for call in world.placer.requests for callee in call.callees) == sorted(elders)
    assert all(world.calls(elder) == 1 for elder in elders)


async def test_two_cycles_together_keep_to_the_lines(any_world: World) -> None:
    world = any_world
    for _ in range(12):
        world.elder()
    await world.cycle.plan()
    world.clock.advance_to(world.at("10:30"))
    other = Database(world.url)
    try:
        cycles = [world.cycle, world.another_cycle("two", other)]
        reports = await asyncio.gather(*(cycle.tick() for cycle in cycles))
    finally:
        other.close()
    assert sum(report.placed for report in reports) == 4
    assert any(report.limited for report in reports)


async def test_news_twice_changes_nothing(any_world: World) -> None:
    world = any_world
    elder = world.elder()
    await world.to("08:00")
    news = outcome(world.last_call(elder).id, world.clock.now(), {elder: Disposition.NO_ANSWER})
    assert await world.cycle.settle(news)
    before = world.row(elder)
    assert not await world.cycle.settle(news)
    assert not await world.cycle.settle(outcome(news.intent_id, world.clock.now(), {elder: "well"}))
    assert world.row(elder) == before


async def test_starts_per_second_are_bounded(world: World) -> None:
    for _ in range(4):
        world.elder()
    world.limits["starts_per_s"] = 2.0
    cycle = world.another_cycle("slow")
    world.clock.advance_to(world.at("08:00"))
    assert (await cycle.tick()).placed == 2
    assert (await cycle.tick()).limited
    assert await cycle.next_due() == world.at("08:00") + timedelta(seconds=1)
    world.clock.advance(1)
    assert (await cycle.tick()).placed == 2


async def test_less_than_one_call_a_second(world: World) -> None:
    for _ in range(2):
        world.elder()
    world.limits["starts_per_s"] = 0.5
    cycle = world.another_cycle("slow")
    world.clock.advance_to(world.at("08:00"))
    assert (await cycle.tick()).placed == 1
    world.clock.advance(1)
    assert (await cycle.tick()).placed == 0
    world.clock.advance(1)
    assert (await cycle.tick()).placed == 1


async def test_a_crash_before_the_carrier_was_asked_ends_with_a_person_and_no_second_call(any_world: World) -> None:
    world = any_world
    elder = world.elder()
    await world.cycle.plan()
    world.clock.advance_to(world.at("08:00"))

    after = await world.dies_before_the_dial()
    assert await after.reconcile() == 0  # not yet: it may be ringing
    assert (await after.tick()).placed == 0
    assert await after.next_due() == world.at("08:01")
    world.clock.advance(minutes=1)
    assert await after.reconcile() == 1
    row = world.row(elder)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, Reason.UNKNOWN, Urgency.UNREACHED)
    world.clock.advance(hours=1)
    assert (await after.tick()).placed == 0
    assert world.placer.requests == []


async def test_a_call_that_lives_is_asked_after_every_minute_and_not_given_up(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    call = world.last_call(elder)
    world.placer.traces[call.id] = Trace.ALIVE
    for _ in range(10):
        world.clock.advance(minutes=1)
        assert await world.cycle.reconcile() == 0
    assert len(world.placer.asked) == 10
    await world.ends(elder, "well")
    assert world.row(elder).status is Status.CLOSED


@pytest.mark.parametrize(("trace", "minutes"), [(Trace.ALIVE, 15), (Trace.OVER, 15), (Trace.UNREACHABLE, 10)])
async def test_quiet_for_too_long_is_unknown(world: World, trace: Trace, minutes: int) -> None:
    elder = world.elder()
    await world.to("08:00")
    world.placer.traces[world.last_call(elder).id] = trace
    for minute in range(1, 30):
        world.clock.advance(minutes=1)
        if await world.cycle.reconcile():
            assert minute == minutes
            break
    assert world.row(elder).reason is Reason.UNKNOWN


async def test_late_news_of_a_call_that_was_given_up_is_welcome(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    world.clock.advance(minutes=1)
    assert await world.cycle.reconcile() == 1
    assert world.intents()[0].state == IntentState.UNKNOWN
    await world.ends(elder, "well")
    assert (world.row(elder).status, world.row(elder).result) == (Status.CLOSED, Result.WELL)
    assert world.intents()[0].state == IntentState.SETTLED


async def test_the_carrier_does_not_answer(world: World, caplog: pytest.LogCaptureFixture) -> None:
    first, second = world.elder(number="+862110000081"), world.elder(number="+862110000082")
    world.placer.answers["+862110000081"].append(Placed.UNKNOWN)
    world.placer.answers["+862110000082"].append(ConnectionError("cut +862110000082"))
    assert (await world.to("08:00")).unknown == 2
    assert "placing call" in caplog.text
    caplog.clear()
    await world.ends(first, "well")  # it did ring
    world.clock.advance(minutes=1)
    assert await world.cycle.reconcile() == 1
    assert world.row(first).status is Status.CLOSED
    assert world.row(second).reason is Reason.UNKNOWN


async def test_news_before_the_carrier_said_yes(world: World) -> None:
    elder = world.elder()
    placing = world.placer.place

    async def hasty(request: CallRequest) -> Placed:
        await world.cycle.settle(outcome(request.id, world.clock.now(), {elder: "well"}))
        return await placing(request)

    world.placer.place = hasty  # type: ignore[method-assign]
    await world.to("08:00")
    assert world.row(elder).status is Status.CLOSED
    assert world.intents()[0].state == IntentState.SETTLED


async def test_a_clock_that_is_behind_starts_no_calls(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.elder()
    await world.cycle.plan()
    await world.to("08:00")
    world.clock._now = world.at("07:59")
    for _ in range(2):
        world.elder()
    report = await world.cycle.tick()
    assert report.clock_behind
    assert (report.placed, report.planned) == (0, 0)
    assert "clock is behind" in caplog.text
    caplog.clear()
    world.clock.advance_to(world.at("08:00"))
    assert not (await world.cycle.tick()).clock_behind


async def test_one_broken_row_stops_nobody(any_world: World, caplog: pytest.LogCaptureFixture) -> None:
    world = any_world
    broken, odd, sound = world.elder(slot=480), world.elder(slot=481), world.elder(slot=482)
    await world.cycle.plan()
    with world.db.write() as session:
        session.execute(update(Checkin).where(Checkin.elder_id == broken).values(result="from the future"))
        session.execute(update(Checkin).where(Checkin.elder_id == odd).values(policy={"rign_s": 30}))
    assert (await world.to("08:03")).placed == 2
    assert {callee.id for call in world.placer.requests for callee in call.callees} == {odd, sound}
    assert "cannot be handled: ValueError" in caplog.text
    assert "broken policy" in caplog.text
    caplog.clear()


async def test_a_carrier_that_answers_no_question_holds_up_no_call(world: World) -> None:
    for slot in (480, 481):
        world.elder(slot=slot)
    await world.to("08:00")
    asked, stop = asyncio.Event(), asyncio.Event()

    async def never(*_call: object) -> Trace:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    world.placer.trace = never  # type: ignore[method-assign,assignment]
    world.clock.advance_to(world.at("08:02"))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.cycle.run(stop, every_s=0.001))
        await asyncio.wait_for(asked.wait(), 5)
        while len(world.placer.requests) < 2:
            await asyncio.sleep(0.001)
        running.cancel()
    assert world.calls(world.checkins()[1].elder_id) == 1


@pytest.mark.parametrize("state", [State.DIED, State.MOVED])
async def test_whoever_died_or_moved_is_not_called_from_that_moment(world: World, state: State) -> None:
    elder = world.elder()
    await world.cycle.plan()
    with world.db.write() as session:
        set_state(session, elder, state, "李老师", world.clock.now())
    assert (await world.to("08:00")).placed == 0
    row = world.row(elder)
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, "李老师", f"state: {state}")
    assert (await world.to("08:00", DAY + timedelta(days=1))).planned == 0


async def test_the_register_is_read_again_before_each_call(world: World) -> None:
    elders = [world.elder() for _ in range(5)]
    await world.cycle.plan()
    changes = [
        {"state": State.PAUSED, "state_until": DAY, "state_source": "女儿"},
        {"state": State.REFUSED},
        {"mode": Mode.HUMAN},
        {"number_state": NumberState.BAD},
        {"consents": {}},
    ]
    with world.db.write() as session:
        for elder, change in zip(elders, changes, strict=True):
            for name, value in change.items():
                setattr(session.get_one(Person, elder), name, value)
    assert (await world.to("10:30")).placed == 0
    paused, *others = [world.row(elder) for elder in elders]
    assert (paused.status, paused.closed_by) == (Status.CLOSED, "女儿")
    assert [row.reason for row in others] == [
        Reason.REFUSED,
        Reason.HUMAN_CONTACT,
        Reason.BAD_NUMBER,
        Reason.NO_CONSENT,
    ]


async def test_a_dead_line_raises_one_alarm_not_three_hundred_visits(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    elders = [world.elder() for _ in range(30)]
    world.limits |= {"lines": 5, "reserved": 2}
    cycle = world.another_cycle("main")
    for elder in elders:
        world.placer.answers[world.person(elder).number or ""].extend([Placed.REFUSED] * 20)
    world.clock.advance_to(world.at("08:00"))
    await cycle.tick()
    while world.clock.now() < world.at("08:30"):
        world.clock.advance(seconds=20)
        report = await cycle.tick()
        assert report.placed == 0
    assert report.line_down
    assert caplog.text.count("line alarm") == 1
    caplog.clear()
    assert len(world.placer.requests) < 3 + 16  # a probe every two minutes, not a storm
    for answers in world.placer.answers.values():
        answers.clear()  # the line is back
    while (due := await cycle.next_due()) and due < world.at("10:50"):
        world.clock.advance_to(due)
        await cycle.tick()
        for elder in elders:
            if world.row(elder).status is Status.CALLING:
                await world.ends(elder, "well", after=timedelta())
    assert sum(world.row(elder).status is Status.CLOSED for elder in elders) >= 27


async def test_who_is_unserved_at_eleven_becomes_a_human_contact(world: World) -> None:
    elder = world.elder()
    await world.cycle.plan()
    report = await world.to("11:00")  # the machine was off all morning
    assert (report.placed, report.to_person) == (0, 1)
    assert (world.row(elder).reason, world.row(elder).urgency) == (Reason.UNSERVED, Urgency.TODAY)


async def test_a_retry_never_jumps_over_the_window(world: World) -> None:
    elder = world.elder(slot=20 * 60 + 50)
    assert (await world.to("20:50")).placed == 1
    await world.ends(elder, Disposition.NO_ANSWER)
    assert (world.row(elder).reason, world.row(elder).urgency) == (Reason.WINDOW, Urgency.UNREACHED)


async def test_line_rules_over_a_day(world: World) -> None:
    """Four calls yesterday evening leave one for this morning; then a person."""
    elder = world.elder(slot=20 * 60)
    await world.to("20:00")
    for minutes in (5, 15, 30):
        await world.ends(elder, Disposition.BUSY)
        world.clock.advance(minutes=minutes)
        await world.cycle.tick()
    await world.ends(elder, Disposition.BUSY)
    assert world.calls(elder) == 4
    with world.db.write() as session:
        session.get_one(Person, elder).slot = 8 * 60
    tomorrow = DAY + timedelta(days=1)
    assert (await world.to("08:00", tomorrow)).placed == 1
    await world.ends(elder, Disposition.NO_ANSWER)
    assert (await world.to("08:16", tomorrow)).placed == 0
    row = world.row(elder, tomorrow)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, Reason.LINE_RULES, Urgency.UNREACHED)


async def test_a_number_is_never_called_twice_at_once(world: World) -> None:
    number = "+862110000077"
    anna = world.elder(number=number, slot=8 * 60)
    await world.to("08:00")
    bert = world.elder("李建国", number=number, slot=8 * 60 + 1)
    assert (await world.to("08:02")).placed == 0
    await world.ends(anna, "well")
    assert (await world.to("08:04")).placed == 1
    await world.ends(bert, "well")
    assert world.row(bert).status is Status.CLOSED


async def test_staff_take_over_and_the_ladder_stops(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.NO_ANSWER)
    with world.db.write() as session:
        take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    assert (await world.to("08:30")).placed == 0
    assert (world.row(elder).owner, world.row(elder).status) == ("李老师", Status.NEEDS_PERSON)


async def test_taken_over_in_mid_call_bad_news_still_counts(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    with world.db.write() as session:
        take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    await world.ends(elder, "not_well")
    row = world.row(elder)
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.NOT_WELL, "李老师")


async def test_run_goes_on_after_an_error_and_stops_when_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.elder()
    world.clock.advance_to(world.at("08:00"))
    stop = asyncio.Event()
    rounds = 0
    whole = world.cycle.reconcile

    async def fails_once() -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise OSError("the disk is gone for a moment")
        stop.set()
        return await whole()

    world.cycle.reconcile = fails_once  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(world.cycle.run(stop, every_s=0.001), 10)
    assert rounds == 2
    assert "a round of the cycle failed" in caplog.text
    caplog.clear()
    assert len(world.placer.requests) == 1


def test_lines_kept_free_must_leave_some(world: World) -> None:
    world.limits |= {"lines": 2, "reserved": 2}
    with pytest.raises(ValueError, match="fewer"):
        world.another_cycle("none")


async def test_nothing_personal_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        elder = world.elder("张桂兰")
        await world.to("08:00")
        await world.cycle.settle(CallOutcome("stranger", world.clock.now(), final=True))
        world.clock.advance(minutes=1)
        await world.cycle.reconcile()
    number = world.person(elder).number or ""
    assert number not in caplog.text
    assert "张" not in caplog.text
