"""A Media Streams caller that costs next to nothing, so that the line is measured and not the caller.

It writes ready-made WebSocket frames to the socket and looks at what comes back only as far as it must: the time, and
whether it is sound, silence, a clear or a mark.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import orjson

from bench.line import TOKEN
from ivr.virtual.signature import sign

FRAME_S = 0.02
SILENCE = b"\xff" * 160
_SILENT_PAYLOAD = base64.b64encode(SILENCE)


@dataclass
class Seen:
    """What came, with its moment (perf_counter)."""

    frames: list[float] = field(default_factory=list)
    sounds: list[float] = field(default_factory=list)  # frames that are no silence
    clears: list[float] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(default_factory=list)


class Stream(asyncio.Protocol):
    """One call's socket. `told(kind, name)` is called for every mark ("mark", name) and the end ("closed", "")."""

    def __init__(self, call_sid: str, request: bytes, token: str) -> None:
        self.seen = Seen()
        self.told: Callable[[str, str], None] = lambda kind, name: None
        self.closed = False
        self.ready = asyncio.get_running_loop().create_future()
        self._sid, self._request, self._token = call_sid, request, token
        self._in = bytearray()
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self._silence = self.media(SILENCE)

    # ── sending ───────────────────────────────────────────────────────────────────────────────────

    def media(self, frame: bytes) -> bytes:
        """A frame ready to be written."""
        payload = base64.b64encode(frame).decode()
        return framed({"event": "media", "streamSid": self._sid, "media": {"track": "inbound", "payload": payload}})

    def send(self, ready_made: bytes | None = None) -> None:
        if self._transport and not self.closed:
            self._transport.write(ready_made or self._silence)

    def press(self, digit: str) -> None:
        self.send(framed({"event": "dtmf", "streamSid": self._sid, "dtmf": {"digit": digit}}))

    def hang_up(self) -> None:
        if self._transport:
            self._transport.close()

    # ── receiving ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the stream was refused"))
        self.told("closed", "")

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._in += data
        if not self._upgraded:
            head, found, rest = bytes(self._in).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise ConnectionError(head.decode("latin-1"))
            self._upgraded, self._in = True, bytearray(rest)
            self._start()
        self._messages(now)

    def _start(self) -> None:
        media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"streamSid": self._sid, "callSid": self._sid, "mediaFormat": media}
        self.send(framed({"event": "start", "streamSid": self._sid, "start": start | {
            "customParameters": {"token": self._token}}}))  # fmt: skip
        self.ready.set_result(None)

    def _messages(self, now: float) -> None:
        while len(self._in) >= 2:
            length, at = self._in[1] & 127, 2
            if length == 126:
                length, at = struct.unpack_from("!H", self._in, 2)[0] if len(self._in) >= 4 else 1 << 30, 4
            if len(self._in) < at + length:
                return
            body = bytes(self._in[at : at + length])
            del self._in[: at + length]
            self._message(body, now)

    def _message(self, body: bytes, now: float) -> None:
        if b'"media"' in body[:20]:
            self.seen.frames.append(now)
            if _SILENT_PAYLOAD not in body:
                self.seen.sounds.append(now)
        elif b'"clear"' in body[:20]:
            self.seen.clears.append(now)
        elif b'"mark"' in body[:20]:
            name = orjson.loads(body)["mark"]["name"]
            self.seen.marks.append((name, now))
            self.send(framed({"event": "mark", "streamSid": self._sid, "mark": {"name": name}}))
            self.told("mark", name)


def framed(message: dict[str, object]) -> bytes:
    """One masked text frame."""
    body, mask = orjson.dumps(message), os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
    size = len(body)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81" + bytes([0x80 | 126]) + struct.pack("!H", size)
    return head + mask + masked


async def dial(base_url: str, call_id: str) -> Stream:
    """Asks the line what to say, as the carrier does when somebody picked up, and opens the stream it names."""
    sid = "CA" + call_id
    url = f"{base_url}/twilio/voice?call={call_id}"
    form = {"CallSid": sid, "CallStatus": "in-progress", "Direction": "outbound-api"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, data=form, headers={"X-Twilio-Signature": sign(TOKEN, url, form.items())})
    stream = ElementTree.fromstring(answer.text).find("./Connect/Stream")
    assert stream is not None, answer.text
    address, token = stream.get("url") or "", (stream.find("Parameter").get("value") or "")  # type: ignore[union-attr]
    parts = urlsplit(address)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"X-Twilio-Signature: {sign(TOKEN, address, ())}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(lambda: Stream(sid, request.encode(), token), parts.hostname, parts.port)
    await protocol.ready
    return protocol


async def beat(until: Callable[[], bool], work: Callable[[], None]) -> list[float]:
    """Calls `work` every 20 ms on an absolute schedule; how late each beat was, in ms."""
    loop, late = asyncio.get_running_loop(), []
    due = loop.time()
    while not until():
        late.append((loop.time() - due) * 1000)
        work()
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))
    return late
