"""A daily check-in by key, from the register over a real carrier's protocol and back: each way that it can end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from checkins.results import Reason, Result, Status
from tests.e2e.line import ELDER, Story, story
from tests.fakes.carrier import FakeCarrier


@pytest_asyncio.fixture
async def line(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Story]:
    async with story(carrier, tmp_path) as line:
        yield line


async def test_well_by_key(line: Story) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("1")
    await call.hears("message.ask")
    call.presses("2")
    await call.hears("bye.say")
    assert await call.ended() == "completed"
    row = await line.row(elder)
    assert (row.status, row.result, row.evidence, row.closed_by) == (Status.CLOSED, Result.WELL, "key", "line")
    assert max(o.at_ms for o in call.log) < 30_000, "the well path must stay under 30 s"
    prompts = [detail["name"] for _, detail in await line.log("prompt")]
    assert prompts == ["greet.ask", "health.ask", "message.ask", "bye.say"]


async def test_barge_in_by_key_cuts_the_prompt(line: Story) -> None:
    await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    call.keeps_quiet(1.0)
    call.presses("1")
    await call.hears_cut()
    await call.hears("health.ask")
    call.hangs_up()
    await call.ended()


async def test_nobody_answers_three_times(line: Story) -> None:
    elder = await line.elder()
    for wait in (0, 15, 30):
        call = line.carrier.expect_call(ELDER, "no_answer")
        await line.later(minutes=wait)
        assert await call.ended() == "no-answer"
    row = await line.row(elder)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.UNREACHED)


async def test_silence_ends_with_a_person(line: Story) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.again2", within_s=120)
    await call.hears("silence.*", within_s=120)
    await call.ended()
    row = await line.row(elder)
    assert (row.status, row.reason, row.result) == (Status.NEEDS_PERSON, Reason.SILENT, Result.SILENT)


async def test_double_zero_is_an_emergency_while_the_call_goes_on(line: Story) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("00")
    await call.hears("emergency.ask")
    assert (await line.now(elder)).reason is Reason.EMERGENCY
    call.hangs_up()
    await call.ended()
    assert (await line.row(elder)).reason is Reason.EMERGENCY


async def test_one_zero_is_a_person(line: Story) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("0")
    await call.hears("person.none")
    await call.ended()
    assert (await line.row(elder)).reason is Reason.WANTS_PERSON


async def test_hanging_up_at_once_is_a_miss(line: Story) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.answered()
    call.keeps_quiet(0.5)
    call.hangs_up()
    await call.ended()
    row = await line.row(elder)
    assert (row.status, row.try_no, row.result) == (Status.WAITING, 1, Result.HUNG_UP)
