"""One elder rung ahead of the round: what `call` may do, what it refuses, and that it leaves everybody else alone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console
from sqlalchemy import event

from checkins.claims import NotNowError
from checkins.ports import Disposition, Placed
from checkins.results import Reason, Status
from checkins.tables import Mode, Person
from cli import calling as commands
from house import House
from storage.database import Database
from tests.unit.checkins.world import World


async def planned(world: World, elder: str) -> int:
    await world.cycle.plan()
    return world.row(elder).checkin_id


async def test_a_first_call_may_come_before_its_time(any_world: World) -> None:
    elder = any_world.elder(slot=10 * 60)
    case = await planned(any_world, elder)
    any_world.clock.advance_to(any_world.at("08:10"))
    assert (await any_world.cycle.call_now(case)).placed == 1
    await any_world.ends(elder, "well")
    assert any_world.row(elder).status is Status.CLOSED


async def test_two_who_ask_at_once_for_the_last_line(any_world: World) -> None:
    world = any_world
    first, second = world.elder(), world.elder()
    cases = [await planned(world, elder) for elder in (first, second)]
    world.clock.advance_to(world.at("08:00"))
    world.limits |= {"lines": 1, "reserved": 0}
    other = Database(world.url)
    try:
        cycles = [world.another_cycle("one"), world.another_cycle("two", other)]
        asked = [cycle.call_now(case) for cycle, case in zip(cycles, cases, strict=True)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        other.close()
    assert len(world.placer.requests) == 1
    assert [answer.why for answer in answers if isinstance(answer, NotNowError)] == ["no line is free"]
    waiting = next(world.row(elder) for elder in (first, second) if not world.calls(elder))
    assert (waiting.status, waiting.due_at) == (Status.PLANNED, waiting.slot)


async def test_a_try_keeps_its_distance_from_the_one_before(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.NO_ANSWER)
    before = world.row(elder)
    with pytest.raises(NotNowError, match="keeps its distance") as caught:
        await world.cycle.call_now(before.checkin_id)
    assert caught.value.until == before.due_at
    assert world.row(elder) == before
    assert before.due_at
    world.clock.advance_to(before.due_at)
    assert (await world.cycle.call_now(before.checkin_id)).placed == 1


async def test_a_line_error_was_no_try(world: World) -> None:
    elder = world.elder()
    world.placer.answers[world.person(elder).number or ""].append(Placed.REFUSED)
    await world.to("08:00")
    assert world.row(elder).status is Status.WAITING
    assert (await world.cycle.call_now(world.row(elder).checkin_id)).placed == 1


async def test_the_line_rules_hold_and_change_nothing(world: World) -> None:
    """Three short calls with the neighbours behind the same number: the fourth in five minutes must wait."""
    number = "+862110000077"
    for _ in range(3):
        other = world.elder(number=number)
        case = await planned(world, other)
        world.clock.advance_to(max(world.clock.now(), world.at("08:00")))
        assert (await world.cycle.call_now(case)).placed == 1
        await world.ends(other, "well")
    elder = world.elder(number=number, slot=10 * 60)
    case = await planned(world, elder)
    before = world.row(elder)
    with pytest.raises(NotNowError, match="line rules") as caught:
        await world.cycle.call_now(case)
    assert caught.value.until == world.at("08:05")
    assert world.row(elder) == before


async def test_nobody_is_rung_before_eight_or_with_a_clock_that_is_behind(world: World) -> None:
    elder = world.elder()
    case = await planned(world, elder)
    with pytest.raises(NotNowError, match="at this hour") as caught:
        await world.cycle.call_now(case)
    assert caught.value.until == world.at("08:00")
    await world.to("08:00")
    late = world.elder()
    case = await planned(world, late)
    world.clock._now = world.at("07:59")
    with pytest.raises(NotNowError, match="clock is behind"):
        await world.cycle.call_now(case)
    assert world.calls(late) == 0


async def test_with_all_lines_taken_a_look_at_the_queue_costs_next_to_nothing(world: World) -> None:
    """And whoever must not be called any more goes to a person from the end of the queue, too."""
    elders = [world.elder(slot=8 * 60) for _ in range(40)]
    assert (await world.to("08:00")).placed == 4
    last = next(elder for elder in reversed(elders) if world.row(elder).status is not Status.CALLING)
    with world.db.write() as session:
        session.get_one(Person, last).mode = Mode.HUMAN
    statements: list[str] = []
    event.listen(world.db.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    report = await world.to("08:01")
    assert (report.placed, report.to_person, report.limited) == (0, 1, True)
    assert sum("SAVEPOINT" in said for said in statements) <= 2, "one for the person, none for those who wait"
    assert world.row(last).reason is Reason.HUMAN_CONTACT


# ── the command ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LOOK_EVERY_S", 0.001)


async def call(world: World, elder: str, answer: Callable[[], Awaitable[Any]] | None = None) -> tuple[int, str]:
    """Runs the command; `answer` is what happens on the telephone once it rings. Status and output."""

    async def runs(stop: asyncio.Event) -> None:
        await stop.wait()

    async def nothing() -> None:
        return None

    house = SimpleNamespace(
        db=world.db,
        clock=world.clock,
        cycle=world.cycle,
        telephone=SimpleNamespace(run=runs),
        prepare_names=nothing,
        drain=nothing,
        active_calls=lambda: 0,
    )
    out, rung = Console(file=io.StringIO(), width=200), len(world.placer.requests)
    running = asyncio.create_task(commands.call_one(cast("House", house), elder, asyncio.Event(), out))
    while answer and not running.done():
        await asyncio.sleep(0.001)
        if len(world.placer.requests) > rung:
            await answer()
            break
    code = await asyncio.wait_for(running, 10)
    return code, cast("io.StringIO", out.file).getvalue()


async def test_call_says_that_it_rings_and_plans_nobody_else(world: World) -> None:
    elder, _other = world.elder("王秀英"), world.elder("李建国")
    world.clock.advance_to(world.at("08:20"))
    code, said = await call(world, "王秀英", lambda: world.ends(elder, "well"))
    assert code == 0
    assert said.startswith("ringing 王秀英 …\n")
    assert [row.elder_id for row in world.checkins()] == [elder]
    assert len(world.placer.requests) == 1


async def test_call_says_when_the_next_try_is_due_and_who_makes_it(world: World) -> None:
    elder = world.elder("王秀英")
    world.clock.advance_to(world.at("08:20"))
    code, said = await call(world, elder, lambda: world.ends(elder, Disposition.NO_ANSWER))
    assert code == 3
    assert "The next try is due at 08:35." in said
    assert "only a running `serve` does" in said
    code, said = await call(world, elder)
    assert code == 1
    assert "the next one is due at 08:35" in said
    assert world.calls(elder) == 1


async def test_call_says_in_both_languages_why_a_person_must_act(world: World) -> None:
    world.elder("王秀英", consents={})
    world.clock.advance_to(world.at("08:20"))
    code, said = await call(world, "王秀英")
    assert code == 1
    assert "a person must act: no consent (没有同意自动电话)" in said
    assert "ringing" not in said


async def test_call_needs_one_elder_and_one_that_is_due(world: World) -> None:
    for _ in range(2):
        world.elder("王秀英")
    assert "2 elders have this name; use the id" in (await call(world, "王秀英"))[1]
    assert "no elder with this id or name" in (await call(world, "赵阿英"))[1]
    world.elder("钱伯", state="died")
    assert "not due today" in (await call(world, "钱伯"))[1]


async def test_a_carrier_that_refuses_is_said_so(world: World) -> None:
    elder = world.elder("王秀英")
    world.placer.answers[world.person(elder).number or ""].append(Placed.REFUSED)
    world.clock.advance_to(world.at("08:20"))
    code, said = await call(world, elder)
    assert code == 1
    assert "the carrier did not take the call; the next try is due at 08:22, by `serve`" in said
