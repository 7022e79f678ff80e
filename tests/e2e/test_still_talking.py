"""What an elder has dictated is to be heard while the goodbye is still being said; nothing is decided before it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from checkins import deciding
from checkins.deciding import Decision, Refused
from checkins.results import Reason, Status
from console import flagged_view
from console.flagged_view import Queue
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_checkin_by_voice import some_words
from tests.fakes.accounts import session_cookie
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

STORED_WITHIN_S = 10  # of a busy machine; the log is written every 0.2 s


@pytest_asyncio.fixture
async def ear() -> ScriptedRecogniser:
    return ScriptedRecogniser()


@pytest_asyncio.fixture
async def line(carrier: FakeCarrier, tmp_path: Path, ear: ScriptedRecogniser) -> AsyncIterator[Story]:
    async with story(carrier, tmp_path, [ear]) as line:
        yield line


async def _queue(line: Story) -> Queue:
    return await line.house.db.view(flagged_view.queue)


async def _stored(line: Story) -> None:
    async with asyncio.timeout(STORED_WITHIN_S):
        while not await line.log("stored"):
            await asyncio.sleep(0.02)


def _decide(session: Session, case: int, decision: Decision, line: Story) -> None:
    at, now = flagged_view.recorded_at(session, case), line.house.clock.now()
    deciding.decide(session, case, decision, "李老师", "听着还好", now, recorded_at=at)


async def test_she_presses_2_and_dictates_and_stands_in_the_queue_before_the_call_is_over(
    line: Story, ear: ScriptedRecogniser
) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    for prompt, key in (("greet.ask", "1"), ("health.ask", "2")):
        await call.hears(prompt)
        call.presses(key)
    await call.hears("unwell.ask")
    assert (await _queue(line)).rows == ()
    ear.will_hear("膝盖疼了两天了")
    call.says(some_words(line) + some_words(line))
    await call.hears("unwell.bye", within_s=60)
    await _stored(line)
    (flagged,) = (await _queue(line)).rows
    case = flagged.row.checkin_id
    assert (flagged.row.status, flagged.so_far_zh, flagged.row.elder_id) == (Status.CALLING, "身体不好", elder)
    cookie = session_cookie(line.house.db, now=datetime.now(UTC))
    async with httpx.AsyncClient(base_url=line.house.base_url, cookies={"wenan_session": cookie}) as browser:
        assert "还在通话" in (await browser.get("/flagged")).text
        page = (await browser.get(f"/flagged/{case}")).text
        assert "还在通话：已经说的可以听" in page
        assert 'name="decision"' not in page
        ((_, stored),) = await line.log("stored")
        heard = await browser.get(f"/recording/{case}/{stored['recording']}")
        assert (heard.status_code, len(heard.content) > len(some_words(line))) == (200, True)
        for decision in (Decision.FINE, Decision.WRONG_NUMBER):
            with pytest.raises(Refused):
                await line.house.db.run(lambda session, of=decision: _decide(session, case, of, line))
        await call.ended()
        row = await line.row(elder)
        assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.NOT_WELL)
        assert [one.so_far for one in (await _queue(line)).rows] == [None]
        page = (await browser.get(f"/flagged/{case}")).text
        assert 'name="decision"' in page
        assert "还在通话" not in page


async def test_who_is_well_and_leaves_a_message_stands_in_no_queue(line: Story, ear: ScriptedRecogniser) -> None:
    await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    for prompt in ("greet.ask", "health.ask", "message.ask"):
        await call.hears(prompt)
        call.presses("1")
    await call.hears("message.record")
    ear.will_hear("楼道灯坏了")
    call.says(some_words(line) + some_words(line))
    await call.hears("message.bye", within_s=60)
    await _stored(line)
    assert (await _queue(line)).rows == ()
    await call.ended()
