"""The server is told to stop while somebody is on the line: what cannot wait for the next start doesn't."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.ports import Callee, CallOrder
from ivr.twilio.rest import TwilioRest
from tests.e2e.line import ELDER, story
from tests.e2e.test_ladder import CHEN, DAUGHTER, Street, _people
from tests.fakes.carrier import FakeCarrier


async def test_an_emergency_while_the_server_stops_rings_people_at_once(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        hers = street.rings(ELDER)
        await line.tick()
        await hers.hears("greet.ask")
        stopping = asyncio.create_task(line.house.drain(60, rounds=True))
        duty, daughter = street.rings(CHEN), street.rings(DAUGHTER, "no_answer")
        hers.presses("00")
        await line.understood(hers, elder, line.house.clock.now() + timedelta(seconds=3))
        await duty.rings()
        await daughter.rings()
        assert not stopping.done(), "she is on the line"
        for prompt in ("greet.ask", "urgent.ask"):
            await duty.hears(prompt)
            duty.presses("1")
        await duty.hears("bye.say")
        await duty.ended()
        assert (await line.now(elder)).owner == "陈老师"
        hers.hangs_up()
        await hers.ended()
        await asyncio.wait_for(stopping, 60)
        await daughter.ended()
        await street.over()


async def test_an_order_that_the_carrier_has_not_answered_holds_up_no_stop(
    carrier: FakeCarrier, tmp_path: Path
) -> None:
    async with story(carrier, tmp_path) as line:
        line.house.calls.live.add("00000000-0000-0000-0000-000000000000")
        assert line.house.active_calls() == 1
        await asyncio.wait_for(line.house.drain(60), 20)


async def test_a_start_waits_for_no_carrier(
    carrier: FakeCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty calls were cut, and the carrier doesn't answer the question after them."""
    async with story(carrier, tmp_path) as line:
        for number in range(20):
            order = CallOrder(f"i{number}", f"+8621555100{number:02d}", "daily_checkin", (Callee("e1", "王阿婆"),))
            await line.house.calls.order(order)
    answers, asked = threading.Event(), threading.Event()

    def hangs(*_: object) -> list[object]:
        asked.set()
        answers.wait(60)
        return []

    monkeypatch.setattr(TwilioRest, "find", hangs)
    async with story(carrier, tmp_path) as line:
        assert len(line.house.calls.live) == 20, "up, and the carrier has said nothing yet"
        assert await asyncio.to_thread(asked.wait, 20), "it is asked all the same"
        answers.set()
