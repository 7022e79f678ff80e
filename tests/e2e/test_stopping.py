"""The server is told to stop while somebody is on the line: what cannot wait for the next start doesn't."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
        duty, daughter = street.rings(CHEN, "no_answer"), street.rings(DAUGHTER, "no_answer")
        hers.presses("0")
        hers.presses("0")
        await duty.rings()
        await daughter.rings()
        assert not stopping.done(), "she is on the line"
        for call in (duty, daughter):
            await call.ended()
        hers.hangs_up()
        await hers.ended()
        await asyncio.wait_for(stopping, 60)
        await street.over()


async def test_an_order_that_the_carrier_has_not_answered_holds_up_no_stop(
    carrier: FakeCarrier, tmp_path: Path
) -> None:
    async with story(carrier, tmp_path) as line:
        line.house.calls.live.add("00000000-0000-0000-0000-000000000000")
        assert line.house.active_calls() == 1
        await asyncio.wait_for(line.house.drain(60), 20)
