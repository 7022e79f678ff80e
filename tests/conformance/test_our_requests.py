"""What our telephone sends to the carrier, watched by Prism: every request fits Twilio's OpenAPI document.

Skips visibly without node, npm or the document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from ivr.ports import Disposition, Placing, Trace
from ivr.telephone import TwilioTelephone
from ivr.twilio.rest import TwilioRest
from tests.conformance.prism import prism
from tests.e2e.control import ELDER, Control, control, order
from tests.fakes.carrier import FakeCarrier


@pytest_asyncio.fixture
async def room(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Control]:
    async with control(carrier, tmp_path) as room:
        yield room


def watched(room: Control, base: str) -> tuple[TwilioRest, TwilioTelephone]:
    config = replace(room.config, api_base=base, rest_timeout_s=5.0)
    rest = TwilioRest(config)
    return rest, TwilioTelephone(room.calls, config, rest)


async def test_a_call_placed_and_traced_through_the_referee(carrier: FakeCarrier, room: Control) -> None:
    """`--errors` turns any violation, of the request or of the answer, into a refusal."""
    carrier.lose("completed")
    async with prism("proxy", carrier.base_url, "--errors") as base:
        call = carrier.expect_call(ELDER, "busy")
        rest, telephone = watched(room, base)
        assert await telephone.place(order()) is Placing.PLACED
        await call.ended()
        assert await telephone.trace("i1", ELDER, carrier.clock.now()) is Trace.OVER
        shown = await asyncio.to_thread(rest.fetch, call.sid)
        await telephone.close()
    assert [report.disposition for report in room.listener.finals] == [Disposition.BUSY]
    assert shown is not None
    assert (shown.sid, shown.status) == (call.sid, "busy")


async def test_the_call_list_is_asked_as_documented(carrier: FakeCarrier, room: Control) -> None:
    """Only what we ask is judged: the document's own example of a list breaks the document (page addresses)."""
    async with prism("mock") as base:
        rest, telephone = watched(room, base)
        assert await asyncio.to_thread(rest.find, ELDER, carrier.clock.now())
        await telephone.close()


async def test_a_recording_is_deleted_as_documented(room: Control) -> None:
    async with prism("mock", "--errors") as base:
        rest, telephone = watched(room, base)
        await asyncio.to_thread(rest.delete_recording, "RE" + "1" * 32)
        await telephone.close()


async def test_the_referee_sees_what_we_send(room: Control) -> None:
    """All fields of an order, array fields as repeated keys."""
    async with prism("mock", "--errors") as base:
        rest, telephone = watched(room, base)
        fields = rest.fields(order())
        assert fields["status_callback_event"] == ["initiated", "ringing", "answered", "completed"]
        created = await asyncio.to_thread(rest.create, order())
        assert created.placing is Placing.PLACED, created.reason
        await telephone.close()


async def test_a_refusal_by_the_referee_is_a_line_error(room: Control) -> None:
    async with prism("mock", "--errors") as base:
        _, telephone = watched(room, base)
        assert await telephone.place(order(ring_s="soon")) is Placing.REFUSED
        await telephone.close()


@pytest.mark.parametrize("sid", ["CA" + "1" * 32])
async def test_a_call_that_the_carrier_shows(room: Control, sid: str) -> None:
    async with prism("mock", "--errors") as base:
        rest, telephone = watched(room, base)
        assert await asyncio.to_thread(rest.fetch, sid) is not None
        await telephone.close()
