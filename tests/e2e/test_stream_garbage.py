"""What a broken or hostile peer sends over the WebSocket ends at worst its own call; another call doesn't notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import orjson
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from checkins.results import Status
from ivr.ports import Callee, CallOrder
from ivr.virtual.signature import sign
from ivr.virtual.stream import HandshakeError, open_socket
from tests.e2e.line import COMMITTEE, ELDER, Story, story
from tests.fakes.carrier import AUTH_TOKEN, FakeCarrier

FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


@pytest_asyncio.fixture
async def line(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Story]:
    async with story(carrier, tmp_path) as line:
        yield line


class Peer:
    """A call that was ordered, and whoever claims to carry it."""

    def __init__(self, line: Story, call_id: str = "attack") -> None:
        self.line, self.call_id, self.sid = line, call_id, "CA" + call_id

    async def token(self) -> tuple[str, str]:
        """The stream's address and token, as the carrier gets them."""
        order = CallOrder(
            self.call_id, "+862155500099", "daily_checkin", (Callee("e", "王阿婆"),), {"committee": COMMITTEE}
        )
        await self.line.house.calls.order(order)
        url = f"{self.line.house.base_url}/twilio/voice?call={self.call_id}"
        form = {"CallSid": self.sid, "CallStatus": "in-progress"}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                url, data=form, headers={"X-Twilio-Signature": sign(AUTH_TOKEN, url, form.items())}
            )
        stream = ElementTree.fromstring(answer.text).find("./Connect/Stream")
        parameter = stream.find("Parameter") if stream is not None else None
        assert stream is not None
        assert parameter is not None
        return stream.get("url") or "", parameter.get("value") or ""

    def start(self, token: str, sid: str | None = None) -> str:
        sid = sid or self.sid
        start = {"streamSid": "MZ1", "callSid": sid, "mediaFormat": FORMAT, "customParameters": {"token": token}}
        return orjson.dumps({"event": "start", "streamSid": "MZ1", "sequenceNumber": "1", "start": start}).decode()


async def closes(socket: ClientConnection) -> int:
    """The close code, once the line has ended the stream."""
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.parametrize("signature", ["", "bm9uc2Vuc2U="])
async def test_an_unsigned_handshake_is_refused(line: Story, signature: str) -> None:
    address, _ = await Peer(line).token()
    with pytest.raises(HandshakeError, match="403"):
        await open_socket(address, signature)


async def test_a_token_counts_once_and_for_its_own_call_only(line: Story) -> None:
    peer = Peer(line)
    address, token = await peer.token()
    for start in (peer.start(token, "CAother"), peer.start("guessed")):
        socket = await open_socket(address, sign(AUTH_TOKEN, address))
        await socket.send(start)
        assert await closes(socket) == 1008
    first = await open_socket(address, sign(AUTH_TOKEN, address))
    await first.send(peer.start(token))
    async with asyncio.timeout(10):
        while not line.house.media.live():
            await asyncio.sleep(0.01)
    second = await open_socket(address, sign(AUTH_TOKEN, address))
    await second.send(peer.start(token))
    assert await closes(second) == 1008
    await first.close()


GARBAGE = [
    "{",
    "[]",
    b"\x00\x01",
    "x" * 70_000,
    '{"event":"media","streamSid":"MZ1","media":{"payload":"%"}}',
    '{"event":"media","streamSid":"MZother","media":{"payload":""}}',
    '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"１"}}',
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_ends_this_call_and_no_other(line: Story, garbage: str | bytes) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    peer = Peer(line)
    address, token = await peer.token()
    socket = await open_socket(address, sign(AUTH_TOKEN, address))
    await socket.send(peer.start(token))
    await socket.send(garbage)
    assert await closes(socket) in (1003, 1009)
    for prompt, key in (("", "1"), ("health.ask", "1"), ("message.ask", "2")):
        if prompt:
            await call.hears(prompt)
        call.presses(key)
    await call.ended()
    assert (await line.row(elder)).status is Status.CLOSED


async def test_silence_instead_of_a_start_is_not_waited_for_for_ever(
    line: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.media.START_WITHIN_S", 0.1)
    address, _ = await Peer(line).token()
    socket = await open_socket(address, sign(AUTH_TOKEN, address))
    assert await closes(socket) == 1003
