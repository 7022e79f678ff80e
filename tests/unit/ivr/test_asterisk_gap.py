"""After a gap in Asterisk's events: what is gone is over, what is nobody's is hung up, what is being ordered stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ivr.asterisk.ari import Ari
from ivr.asterisk.config import AsteriskConfig, read_trunks
from ivr.asterisk.switch import Switch
from ivr.virtual.resource import Orders

CONFIG = AsteriskConfig(
    "http://127.0.0.1:1", "wenan", "", "", "+862155550000", read_trunks("PJSIP/{number}@a, PJSIP/{number}@b", 2)
)


class FakeAri(Ari):
    """Asterisk whose connection of events stands as soon as a call is being ordered."""

    def __init__(self, *, before_the_order: bool) -> None:
        super().__init__(CONFIG)
        self.stands, self.before = asyncio.Event(), before_the_order
        self.there: list[str] = []
        self.ordered: list[str] = []
        self.hung_up: list[str] = []

    async def originate(
        self, channel: str, endpoint: str, caller: str, variables: Mapping[str, str], ring_s: float
    ) -> None:
        self.ordered.append(endpoint)
        if self.before:
            self.stands.set()
            await asyncio.sleep(0.05)  # meanwhile channels are listed, without this one

    async def hang_up(self, channel: str) -> None:
        self.hung_up.append(channel)

    async def channels(self) -> list[str]:
        return self.there

    async def endpoints(self) -> dict[str, str]:
        return {}

    async def events(self) -> AsyncIterator[Mapping[str, Any]]:
        await self.stands.wait()
        yield {"type": "Connected"}
        await asyncio.Event().wait()


async def _rung(ari: FakeAri, *, then: float) -> object:
    """What is known of a call `then` seconds after it was ordered; None: it rings on."""
    switch, stop = Switch(CONFIG, ari), asyncio.Event()
    running = asyncio.create_task(switch.run(stop))
    dialler = switch("+862162345678").dialler
    assert dialler is not None
    ringing = asyncio.create_task(dialler.ring(Orders(to="+862162345678", from_="", url=""), _nothing))
    await asyncio.sleep(then)
    if not ari.before:
        ari.stands.set()
        await asyncio.sleep(then)
    known = ringing.result() if ringing.done() else None
    ringing.cancel()
    stop.set()
    await running
    await switch.close()
    return known


async def _nothing() -> None:
    pass


async def test_a_call_that_is_just_being_ordered_is_not_given_up() -> None:
    ari = FakeAri(before_the_order=True)
    assert await _rung(ari, then=0.2) is None
    assert ari.ordered == ["PJSIP/02162345678@a"], "no second trunk rings the same telephone"


async def test_a_call_that_asterisk_no_longer_knows_is_over() -> None:
    ari = FakeAri(before_the_order=False)
    await _rung(ari, then=0.2)
    assert ari.ordered[:2] == ["PJSIP/02162345678@a", "PJSIP/02162345678@b"]


async def test_what_is_nobodys_is_hung_up_and_what_is_not_ours_is_left() -> None:
    ari = FakeAri(before_the_order=True)
    ari.there = ["wenan-of-before", "wenan-of-before;2", "1764561234.5"]
    await _rung(ari, then=0.2)
    assert ari.hung_up == ["wenan-of-before"]
