"""The line by a real Asterisk, with telephones that exist in it alone: what each does is what the care room hears."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from checkins.results import Result, Status
from ivr.ports import Callee, CallOrder, Disposition
from ivr.records import Call, CallState
from tests.asterisk.conftest import PHONES, Site, open_site
from tests.fakes.asterisk import Asterisk


def _is_over(call: Call) -> bool:
    """And its final report is written, which may be a moment later."""
    return call.state == CallState.OVER and call.disposition is not None


async def test_an_elder_who_is_well_says_so_by_key(site: Site) -> None:
    elder = await site.elder("王秀英", "+862161000001")
    await site.round()
    row = await site.row(elder, lambda row: row.status == Status.CLOSED)
    assert row.result == Result.WELL
    call = await site.call("+862161000001", _is_over)
    assert call.answered_by == "unknown", "nobody has listened whether it is a machine"
    assert not site.asterisk.channels()


@pytest.mark.parametrize(
    ("number", "disposition"),
    [
        ("+862161000002", Disposition.NO_ANSWER),
        ("+862161000003", Disposition.BUSY),
        ("+862161000004", Disposition.BAD_NUMBER),
        ("+862161000005", Disposition.LINE_ERROR),
    ],
)
async def test_each_telephone_is_told_of_as_it_is(site: Site, number: str, disposition: Disposition) -> None:
    order = CallOrder("one-call", number, "daily_checkin", (Callee("somebody", "王阿婆"),), ring_s=4)
    await site.house.telephone.place(order)
    assert (await site.call(number, _is_over)).disposition == disposition
    assert not site.asterisk.channels()


async def test_a_trunk_that_is_full_leaves_the_call_to_the_next(tmp_path: Path, port: int, carrier: Asterisk) -> None:
    trunks = f"Local/{{number}}@wenan-test-full:8=e164, {PHONES}"
    async with open_site(tmp_path, port, carrier, trunks) as site:
        order = CallOrder("one-call", "+862161000006", "daily_checkin", (Callee("somebody", "王阿婆"),))
        await site.house.telephone.place(order)
        await site.call("+862161000006", lambda call: call.state == CallState.TALKING)
        assert "wenan-test,6" in site.asterisk.channels()


async def test_an_elder_rings_in_and_is_well(site: Site) -> None:
    elder = await site.elder("李建国", "+862162345678")
    site.asterisk.rings_in("02162345678", "well")
    row = await site.row(elder, lambda row: row.status == Status.CLOSED)
    assert row.result == Result.WELL


async def test_nobody_but_our_asterisk_opens_audio(site: Site, port: int) -> None:
    address, wrong = f"ws://127.0.0.1:{port}/asterisk/media?from=02162345678", "Basic YXN0ZXJpc2s6d3Jvbmc="
    for given in ({}, {"Authorization": wrong}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, subprotocols=[Subprotocol("media")], additional_headers=given)
        assert refused.value.response.status_code == 403


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
    call = await site.call("+862161000006", _is_over)
    assert call.disposition == Disposition.ANSWERED
    site.asterisk.again()
    await asyncio.sleep(6)
    order = CallOrder("another", "+862161000003", "daily_checkin", (Callee("somebody", "王阿婆"),), ring_s=4)
    await site.house.telephone.place(order)
    assert (await site.call("+862161000003", _is_over)).disposition == Disposition.BUSY
