"""A morning on four lines, calls out and calls in together: routine calls leave two lines free at any moment, so who
rings in is heard and never finds the line busy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from checkins.results import Status
from tests.e2e.line import Story, story
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

LINES, RESERVED = 4, 2
DUE = tuple(f"+8621555000{at:02}" for at in range(1, 5))  # elders whose call is due now
EARLY = ("+862155500005", "+862155500006")  # who ring in before they are rung at half past nine


@dataclass
class Trunk:
    """The carrier's four lines, and the far ends of the calls on them."""

    line: Story
    out: dict[str, FakeCall] = field(default_factory=dict)  # elders who are yet to be rung, or are on the line
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        return self.line.carrier.live_calls()

    def ringing_out(self) -> list[FakeCall]:
        """Calls out that are on a line."""
        return [call for call in self.out.values() if call.sid and call.status is None]

    async def looks(self) -> list[FakeCall]:
        """The line does what is due now; it never takes a fifth line."""
        await self.line.tick()
        assert self.taken <= LINES
        return self.ringing_out()

    async def rings_in(self, number: str) -> FakeCall:
        """Returns when they have heard who we are."""
        assert self.taken < LINES, f"{number} hears busy"
        base = self.line.house.base_url
        status = f"{base}/twilio/status"
        call = self.line.carrier.rings_in(number, f"{base}/twilio/voice", status_callback=status)
        await call.hears("menu.ask")
        return call

    async def presses(self, call: FakeCall, *keys: tuple[str, str]) -> None:
        """Each key after the prompt that asks for it, then hangs up."""
        for prompt, key in keys:
            await call.hears(prompt)
            self.line.carrier.clock.advance(2)  # a call that stood still meanwhile is behind: no two keys at one moment
            call.presses(key)
        await call.waits(1)
        call.hangs_up()
        await call.ended()


@pytest_asyncio.fixture
async def trunk(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Trunk]:
    async with story(carrier, tmp_path, media="verbs", lines=LINES, lines_reserved=RESERVED) as line:
        trunk = Trunk(line)
        for number, name in zip((*DUE, *EARLY), "王李张陈刘杨", strict=True):
            slot = 8 * 60 if number in DUE else 9 * 60 + 30
            trunk.ids[number] = await line.elder(f"{name}秀英", number, slot=slot)
        yield trunk


SAYS_WELL = (("greet.ask", "1"), ("health.ask", "1"))


async def test_nobody_who_rings_in_hears_busy_while_routine_calls_hold_the_lines(trunk: Trunk) -> None:
    trunk.out = {number: trunk.line.carrier.expect_call(number) for number in DUE}
    first = await trunk.looks()
    assert len(first) == LINES - RESERVED
    callers = [await trunk.rings_in(number) for number in EARLY]  # while both routine calls go on
    assert trunk.taken == LINES
    assert await trunk.looks() == first  # all others wait
    for call in first:
        await trunk.presses(call, *SAYS_WELL)
    assert await trunk.looks() == []  # the two free lines are for who rings in now …
    late = await trunk.rings_in(DUE[0])
    assert trunk.taken == LINES - 1
    late.hangs_up()
    await late.ended()
    for call in callers:
        call.presses("2")
        await trunk.presses(call, ("health.ask", "1"))
    second = await trunk.looks()  # … and now the rest is rung
    assert len(second) == LINES - RESERVED
    last = await trunk.rings_in(DUE[1])
    assert await trunk.looks() == second
    last.hangs_up()
    await last.ended()
    for call in second:
        await trunk.presses(call, *SAYS_WELL)
    trunk.line.carrier.clock.advance(hours=1)
    assert await trunk.looks() == []  # who rang in first is not rung
    rows = [await trunk.line.row(elder) for elder in trunk.ids.values()]
    assert [(row.status, row.result) for row in rows] == [(Status.CLOSED, "well")] * 6
