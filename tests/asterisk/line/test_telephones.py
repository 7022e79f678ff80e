"""What each telephone does by a real Asterisk is what the care room hears; and what one side hears when the other is
gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ivr.ports import Callee, CallOrder, Disposition
from ivr.records import CallState
from tests.asterisk.conftest import PHONES, Site, is_over, open_site
from tests.fakes.asterisk import Asterisk


@pytest.mark.parametrize(
    ("number", "disposition"),
    [
        ("+862161000002", Disposition.NO_ANSWER),
        ("+862161000004", Disposition.BAD_NUMBER),
        ("+862161000005", Disposition.LINE_ERROR),
    ],
)
async def test_each_telephone_is_told_of_as_it_is(site: Site, number: str, disposition: Disposition) -> None:
    order = CallOrder("one-call", number, "daily_checkin", (Callee("somebody", "王阿婆"),), ring_s=4)
    await site.house.telephone.place(order)
    assert (await site.call(number, is_over)).disposition == disposition
    assert not site.asterisk.channels()


async def test_a_trunk_that_is_full_leaves_the_call_to_the_next(tmp_path: Path, port: int, carrier: Asterisk) -> None:
    trunks = f"Local/{{number}}@wenan-test-full:8=e164, {PHONES}"
    async with open_site(tmp_path, port, carrier, trunks) as site:
        order = CallOrder("one-call", "+862161000006", "daily_checkin", (Callee("somebody", "王阿婆"),))
        await site.house.telephone.place(order)
        await site.call("+862161000006", lambda call: call.state == CallState.TALKING)
        assert "wenan-test,6" in site.asterisk.channels()


async def test_with_our_server_down_whoever_rings_in_is_put_through_to_the_duty_telephone(carrier: Asterisk) -> None:
    carrier.cli("dialplan set global WENAN_DUTY Local/+66@wenan-test")
    carrier.rings_in("02162345678", "waits")
    try:
        async with asyncio.timeout(20):
            while "wenan-test,6" not in carrier.channels():
                await asyncio.sleep(0.2)
    finally:
        carrier.cli("channel request hangup all")


async def test_asterisk_is_killed_in_a_call_and_comes_back(site: Site, port: int) -> None:
    order = CallOrder("one-call", "+862161000006", "daily_checkin", (Callee("somebody", "王阿婆"),))
    await site.house.telephone.place(order)
    await site.call("+862161000006", lambda call: call.state == CallState.TALKING)
    site.asterisk.kill()
    call = await site.call("+862161000006", is_over)
    assert call.disposition == Disposition.ANSWERED
    site.asterisk.again()
    await asyncio.sleep(6)
    order = CallOrder("another", "+862161000003", "daily_checkin", (Callee("somebody", "王阿婆"),), ring_s=4)
    await site.house.telephone.place(order)
    assert (await site.call("+862161000003", is_over)).disposition == Disposition.BUSY
