"""The socket between a browser phone and its handset: audio both ways as 16-bit PCM at the browser's own rate, what is
done with hook and keys, and what the line hears, turn by turn.

The first message shows the ticket. Whatever is wrong with a message ends this one telephone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from callflows.flow import Flow
from console.guard import PageError
from console.phone_desk import PhoneDesk, Wish
from console.phone_turns import NOTE, News, Turn, news
from ivr.calls import LogEntry
from ivr.virtual.handset import Handset
from ivr.virtual.observation import Observation
from speech.g711 import ulaw_decode, ulaw_encode
from speech.recogniser import SAMPLE_RATE
from speech.resample import Resampler
from storage.faults import where

log = logging.getLogger(__name__)

HELLO_S = 10.0
RATES = range(8_000, 192_001)  # of browsers
MOST_BYTES = 32_768  # of one message
MOST_WAITING = 250  # messages for a browser that doesn't read: 5 s of audio, then it is gone
REPORT_S = 45.0  # so long after the end the call's last word may take (ivr.calls.LAST_WORD)
LOOK_AGAIN_S = 0.3
AHEAD_S = 15.0  # so much may come at once, of what a net held up
MESSAGES_A_SECOND = 100  # twice what a page sends
CLOCKS_DIFFER = 1.1
_POLICY, _UNSUPPORTED, _NORMAL = 1008, 1003, 1000


class OddMessage(Exception):  # noqa: N818
    """No browser phone of ours sends that."""


@dataclass(frozen=True)
class Hello:
    ticket: str = field(repr=False)
    rate: int


async def serve(websocket: WebSocket, desk: PhoneDesk, account: int, flow_of: Callable[[str], Flow]) -> None:
    """One telephone, until the browser or the call is gone. Who may open the socket is the door's business."""
    await websocket.accept()
    try:
        async with asyncio.timeout(HELLO_S):
            hello = read_hello((await websocket.receive()).get("text"))
    except (OddMessage, TimeoutError, WebSocketDisconnect):
        await _close(websocket, _UNSUPPORTED)
        return
    wish = desk.take(hello.ticket, account)
    if wish is None:
        await _close(websocket, _POLICY)
        return
    await _Telephone(websocket, desk, wish, hello.rate, flow_of).run()


def read_hello(text: str | None) -> Hello:
    message = _object(text or "")
    ticket, rate = message.get("ticket"), message.get("rate")
    if not isinstance(ticket, str) or not isinstance(rate, int) or rate not in RATES:
        raise OddMessage
    return Hello(ticket, rate)


class Allowance:
    """What may come: `per_s` in the long run, what comes in AHEAD_S at once. Pure, but for what is left of it."""

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s, self._left, self._at = per_s, per_s * AHEAD_S, now

    def spend(self, many: float, now: float) -> None:
        """OddMessage for more than that."""
        self._left = min(self._left + (now - self._at) * self._per_s, self._per_s * AHEAD_S) - many
        self._at = now
        if self._left < 0:
            raise OddMessage


class _Telephone:
    """Joins one browser to its handset."""

    def __init__(
        self, websocket: WebSocket, desk: PhoneDesk, wish: Wish, rate: int, flow_of: Callable[[str], Flow]
    ) -> None:
        self._websocket, self._desk, self._wish, self._flow_of = websocket, desk, wish, flow_of
        self._handset = Handset(self._hears)
        self._mouth, self._ear = Resampler(rate, SAMPLE_RATE), Resampler(SAMPLE_RATE, rate)
        self._messages = Allowance(MESSAGES_A_SECOND, monotonic())
        self._samples = Allowance(rate * CLOCKS_DIFFER, monotonic())
        self._out: asyncio.Queue[str | bytes] = asyncio.Queue(MOST_WAITING)
        self._number = ""
        self._sid: str | None = None
        self._news, self._ended, self._gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        observers, logs = self._desk.line.carrier.observers, self._desk.line.calls.observers
        observers.append(self._observed)
        logs.append(self._logged)
        try:
            await self._call()
        except PageError as error:
            self._say({"type": "state", "state": "failed", "why": f"{error.zh} {error}"})
            await self._flush()
        finally:
            observers.remove(self._observed)
            logs.remove(self._logged)
            await _close(self._websocket, _NORMAL)

    async def _call(self) -> None:
        self._number = await self._desk.plug_in(self._wish, self._handset)
        work = [asyncio.create_task(one) for one in (self._listen(), self._talk(), self._tell())]
        try:
            self._say({"type": "state", "state": "trial" if not self._wish.counts else "real"})
            self._sid = await self._desk.begin(self._wish, self._number, self._handset) or self._sid
            self._news.set()
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            if not self._gone.is_set():
                await self._flush()
        finally:
            self._handset.hang_up()
            for task in work:
                task.cancel()
            for outcome in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, (OddMessage, WebSocketDisconnect)):
                    log.error("a browser phone broke: %s", where(outcome))
            self._desk.unplug(self._wish, self._number, self._handset)

    # ── the line ──────────────────────────────────────────────────────────────────────────────────

    def _hears(self, frame: bytes) -> None:
        self._put(self._ear.feed(ulaw_decode(frame)))

    def _observed(self, seen: Observation) -> None:
        """From the carrier: of our call alone."""
        if self._sid is None and seen.kind == "dialled" and seen.number == self._number and self._handset.used:
            self._sid = seen.call_sid
        if seen.call_sid != self._sid:
            return
        if seen.kind == "cleared":
            self._say({"type": "flush"})
        elif seen.kind in ("ringing", "answered", "bridged"):
            self._say({"type": "state", "state": seen.kind})
        elif seen.kind == "ended":
            self._ended.set()
            self._say({"type": "state", "state": "ended", "why": seen.detail})
        self._news.set()

    def _logged(self, _call_id: str, _entry: LogEntry) -> None:
        """Something of some call was written down."""
        self._news.set()

    # ── the browser ───────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        """Until the browser is gone."""
        try:
            while True:
                event = await self._websocket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                self._take(event.get("bytes"), event.get("text"))
        finally:
            self._gone.set()

    def _take(self, audio: bytes | None, text: str | None) -> None:
        now = monotonic()
        self._messages.spend(1, now)
        if audio is not None:
            if len(audio) > MOST_BYTES or len(audio) % 2:
                raise OddMessage
            self._samples.spend(len(audio) // 2, now)
            self._handset.say(ulaw_encode(self._mouth.feed(audio)))
            return
        message = _object(text or "")
        match message.get("type"):
            case "pick_up":
                self._handset.pick_up()
            case "hang_up":
                self._handset.hang_up()
            case "key":
                try:
                    self._handset.press(str(message.get("key", ""))[:1])
                except ValueError:
                    raise OddMessage from None
            case _:
                raise OddMessage

    async def _talk(self) -> None:
        while True:
            one = await self._out.get()
            try:
                await (self._websocket.send_bytes(one) if isinstance(one, bytes) else self._websocket.send_text(one))
            except RuntimeError:  # the server has closed it by itself: a message was too long
                raise WebSocketDisconnect from None
            self._out.task_done()

    def _say(self, message: dict[str, Any]) -> None:
        self._put(orjson.dumps(message).decode())

    def _put(self, message: str | bytes) -> None:
        """A browser that doesn't read loses audio, then its telephone."""
        if not self._out.full():
            self._out.put_nowait(message)
        elif isinstance(message, str):
            self._handset.hang_up()

    async def _flush(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._out.join(), 2)

    # ── what the line hears ───────────────────────────────────────────────────────────────────────

    async def _tell(self) -> None:
        """Turn by turn, until the call's last word is written."""
        last, until = 0, None
        while True:
            await self._wait()
            if self._sid is None:
                continue
            look = partial(news, carrier_sid=self._sid, after=last, flow_of=self._flow_of)
            found = await self._desk.db.view(look)
            last = found.last
            for turn in found.turns:
                self._say(turn.message())
            until = self._until(until)
            if self._ended.is_set() and (found.over or _passed(until)):
                self._result(found)
                return

    async def _wait(self) -> None:
        """For news; after the end, which writes its last word without telling, for a moment."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), LOOK_AGAIN_S if self._ended.is_set() else None)
        self._news.clear()

    def _until(self, known: float | None) -> float | None:
        if known is None and self._ended.is_set():
            return asyncio.get_running_loop().time() + REPORT_S
        return known

    def _result(self, found: News) -> None:
        self._say(Turn(NOTE, f"结果：{found.result or '不明'}", "" if self._wish.counts else "试打，不算数").message())
        self._say({"type": "over", "result": found.result, "case": found.case, "trial": not self._wish.counts})


def _passed(until: float | None) -> bool:
    return until is not None and asyncio.get_running_loop().time() > until


def _object(text: str) -> dict[str, Any]:
    try:
        message = orjson.loads(text[: 2 * MOST_BYTES])
    except orjson.JSONDecodeError:
        raise OddMessage from None
    if not isinstance(message, dict):
        raise OddMessage
    return message


async def _close(websocket: WebSocket, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):
        await websocket.close(code)
