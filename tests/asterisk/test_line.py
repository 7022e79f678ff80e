"""The line by a real Asterisk, with telephones that exist in it alone: what is cheap. The rest: `make line-test`."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from checkins.results import Result, Status
from ivr.ports import Callee, CallOrder, Disposition
from tests.asterisk.conftest import PATIENCE_S, Site, is_over


async def test_an_elder_who_is_well_says_so_by_key(site: Site) -> None:
    elder = await site.elder("王秀英", "+862161000001")
    await site.round()
    row = await site.row(elder, lambda row: row.status == Status.CLOSED)
    assert row.result == Result.WELL
    call = await site.call("+862161000001", is_over)
    assert call.answered_by == "unknown", "nobody has listened whether it is a machine"
    assert not site.asterisk.channels()


async def test_a_telephone_that_is_engaged_is_told_of_as_engaged(site: Site) -> None:
    order = CallOrder("one-call", "+862161000003", "daily_checkin", (Callee("somebody", "王阿婆"),), ring_s=4)
    await site.house.telephone.place(order)
    assert (await site.call("+862161000003", is_over)).disposition == Disposition.BUSY
    assert not site.asterisk.channels()


async def test_an_elder_rings_in_and_is_well(site: Site) -> None:
    elder = await site.elder("李建国", "+862162345678")
    site.asterisk.rings_in("02162345678", "well")
    row = await site.row(elder, lambda row: row.status == Status.CLOSED)
    assert row.result == Result.WELL


async def test_nobody_but_our_asterisk_opens_audio(site: Site, port: int) -> None:
    address, wrong = f"ws://127.0.0.1:{port}/asterisk/media?from=02162345678", "Basic YXN0ZXJpc2s6d3Jvbmc="
    for given in ({}, {"Authorization": wrong}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(
                address, subprotocols=[Subprotocol("media")], additional_headers=given, open_timeout=PATIENCE_S
            )
        assert refused.value.response.status_code == 403
