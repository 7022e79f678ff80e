"""The media server: one WebSocket per call, from its first message to the report of what the call came to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from tenacity import AsyncRetrying, RetryCallState, wait_exponential

from callflows.flow import Flow
from callflows.session import Session
from ivr import playback
from ivr.calls import CallStart
from ivr.media_messages import (
    FRAME_BYTES,
    Dtmf,
    Mark,
    Media,
    Message,
    ProtocolError,
    Start,
    Stop,
    StreamReader,
    StreamWriter,
)
from ivr.ports import Disposition, PersonResult
from ivr.pump import Line, Pump, Tools
from storage.faults import where

log = logging.getLogger(__name__)

START_WITHIN_S = 10.0
WRITTEN_WITHIN_S = 5.0  # the line is held so long for the end to be durable; the writing goes on after that
STALL_S = 1.0  # without a frame for so long our own clock goes on: prompts must not stop
FRAME_S = 0.02
_SILENCE = b"\xff" * FRAME_BYTES
_POLICY, _UNSUPPORTED, _NORMAL, _UNAVAILABLE = 1008, 1003, 1000, 1011


class CallBook(Protocol):
    """What the media server needs of the book of calls."""

    async def accept_stream(self, token: str, call_sid: str) -> CallStart | None: ...

    async def talked(
        self, call_id: str, findings: Sequence[PersonResult], disposition: Disposition, session: dict[str, Any]
    ) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime: ...


class MediaServer:
    """Serves all streams of a process.

    `lockstep` (tests in virtual time): a frame is answered only when all work beside the call is done, and no clock of
    our own runs.
    """

    def __init__(
        self,
        book: CallBook,
        flow: Callable[[str], Flow],
        tools: Tools,
        clock: Clock,
        *,
        lockstep: bool = False,
    ) -> None:
        self._book, self._flow, self._tools, self._clock = book, flow, tools, clock
        self._lockstep = lockstep
        self._calls: dict[str, _Call] = {}
        self._watch: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[None]] = set()  # ends of calls that are not durable yet

    def live(self) -> int:
        return len(self._calls)

    async def close(self, within_s: float = 10.0) -> None:
        """Waits for the ends of calls that are being written down."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=within_s)

    def machine_answered(self, call_id: str, answered_by: str) -> None:
        """The carrier's answering-machine detection, for a call that may be live here: a hint."""
        call = self._calls.get(call_id)
        if call is not None:
            call.pump.machine(answered_by)

    async def serve(self, websocket: WebSocket) -> None:
        """One accepted WebSocket, until one side ends it. Raises nothing; whatever goes wrong ends this call only."""
        reader = StreamReader()
        try:
            async with asyncio.timeout(START_WITHIN_S):
                start = await _first(websocket, reader)
            begun = await self._book.accept_stream(start.parameters.get("token", ""), start.call_sid)
        except (ProtocolError, TimeoutError, WebSocketDisconnect) as error:
            log.warning("a media stream was refused: %s", error or type(error).__name__)
            await _close(websocket, _UNSUPPORTED)
            return
        except Exception as error:  # the database is away: the carrier's next document goes on by plain verbs
            log.error("a media stream could not be begun (%s)", type(error).__name__)
            await _close(websocket, _UNAVAILABLE)
            return
        if begun is None:
            log.warning("a media stream was refused: its token is wrong, used, or another call's")
            await _close(websocket, _POLICY)
            return
        await self._talk(websocket, reader, start, begun)

    async def _talk(self, websocket: WebSocket, reader: StreamReader, start: Start, begun: CallStart) -> None:
        session = await self._session(begun)
        call = self._make(websocket, StreamWriter(start.stream_sid), begun, session)
        self._calls[begun.call_id] = call
        if not self._lockstep and (self._watch is None or self._watch.done()):
            self._watch = asyncio.create_task(self._keep_going())
        ending = _Ending(code=_NORMAL)
        try:
            call.pump.begin()
            ending = await self._pass(websocket, reader, call)
        except Exception as error:
            log.error("call %s broke off: %s", begun.call_id, where(error))
            call.pump.note("error", what="call", why="broke off")
        finally:
            call.ending = True
            await self._end(call, ending)
            if self._calls.get(begun.call_id) is call:
                del self._calls[begun.call_id]
            await _close(websocket, ending.code)

    async def _session(self, begun: CallStart) -> Session:
        """The conversation as it was saved, or a new one."""
        flow = self._flow(begun.order.flow)
        if begun.session:
            return Session.from_json(flow, begun.session)
        return await playback.begin(self._tools.recordings, flow, begun.order)

    def _make(self, websocket: WebSocket, writer: StreamWriter, begun: CallStart, session: Session) -> _Call:
        order, flow = begun.order, self._flow(begun.order.flow)
        line = Line(
            begun.call_id,
            self._clock.now(),
            flow.distress,
            records=all(callee.records for callee in order.callees),
            transcribes=all(callee.transcribes for callee in order.callees),
            language=order.callees[0].language if order.callees else "zh",
            part=begun.part,
            at_ms=begun.at_ms,
        )
        return _Call(Pump(line, session, self._tools), websocket, writer)

    async def _pass(self, websocket: WebSocket, reader: StreamReader, call: _Call) -> _Ending:
        """Messages in, frames out, until the call is over."""
        try:
            while not (call.pump.over or call.pump.leaving):
                if not await self._take(call, await _next(websocket, reader)):
                    return _Ending(code=_NORMAL, hung_up=True)
        except WebSocketDisconnect:
            call.pump.note("error", what="stream", why="dropped")
            return _Ending(code=_NORMAL)
        except ProtocolError as error:
            log.warning("call %s: the stream is ended after %s", call.pump.call_id, error)
            call.pump.note("error", what="stream", why=str(error))
            return _Ending(code=_UNSUPPORTED)
        return _Ending(code=_NORMAL, finished=call.pump.over)

    async def _take(self, call: _Call, message: Message | None) -> bool:
        """Whether the stream goes on."""
        match message:
            case Media(audio):
                await self._frames(call, audio)
            case Dtmf(digit):
                call.pump.key(digit)
            case Mark(name):
                call.pump.mark(name)
            case Stop():
                return False
        return True

    async def _frames(self, call: _Call, audio: bytes) -> None:
        if call.late(asyncio.get_running_loop().time()):
            return
        call.rest += audio
        while len(call.rest) >= FRAME_BYTES:
            frame, call.rest = call.rest[:FRAME_BYTES], call.rest[FRAME_BYTES:]
            if self._lockstep:
                await _settled(call.pump)
            await call.tick(frame)

    async def _keep_going(self) -> None:
        """The clock that steps in for calls whose inbound audio has stopped."""
        loop = asyncio.get_running_loop()
        while self._calls:
            await asyncio.sleep(STALL_S / 5)
            for call in list(self._calls.values()):
                missing = loop.time() - call.last_frame
                if missing >= STALL_S and not call.ending:
                    call.last_frame = loop.time()
                    with suppress(WebSocketDisconnect):  # the reader sees it, too, and ends the call
                        await call.silence(round(missing / FRAME_S))

    async def _end(self, call: _Call, ending: _Ending) -> None:
        """What the call came to is durable before the line is cut. A stream that dropped is not the end of a call: the
        carrier's next document goes on with the saved session."""
        try:
            await call.pump.close(hung_up=ending.hung_up)
        except Exception as error:
            log.error("call %s: its end went wrong, what it came to is kept: %s", call.pump.call_id, where(error))
        if ending.finished or ending.hung_up:
            writing = asyncio.create_task(self._write_down(call.pump))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
            await asyncio.wait([writing], timeout=WRITTEN_WITHIN_S)

    async def _write_down(self, pump: Pump) -> None:
        """Until it is durable; after a crash the saved session says nearly as much."""
        call_id, session = pump.call_id, pump.session

        def not_yet(attempt: RetryCallState) -> None:
            error = attempt.outcome.exception() if attempt.outcome else None
            log.error("call %s: its end can't be written down yet (%s)", call_id, type(error).__name__)

        findings = [PersonResult(f.person, f.result, f.evidence, f.detail) for f in session.findings]
        again = AsyncRetrying(wait=wait_exponential(0.5, max=10), before_sleep=not_yet)
        disposition = _disposition(findings, by_machine=pump.by_machine)
        await again(self._book.talked, call_id, findings, disposition, session.to_json())


@dataclass(frozen=True)
class _Ending:
    """`finished`: we said goodbye. `hung_up`: the other side did. Neither: the stream broke, or the call is handed
    over; the carrier's next document goes on."""

    code: int
    finished: bool = False
    hung_up: bool = False


class _Call:
    """One live call's pump and its socket."""

    def __init__(self, pump: Pump, websocket: WebSocket, writer: StreamWriter) -> None:
        self.pump = pump
        self.last_frame = asyncio.get_running_loop().time()
        self.rest = b""
        self._ahead = 0  # frames that our own clock has counted already
        self._resuming = False  # the next frame is the first one after a stall
        self.ending = False
        self._websocket, self._writer = websocket, writer

    async def tick(self, frame: bytes) -> None:
        sent, marks = self.pump.tick(frame)
        if self.pump.cleared:
            self.pump.cleared = False
            await self._send(self._writer.clear)
        await self._send(self._writer.silence if sent is None else self._writer.media(sent))
        for mark in marks:
            await self._send(self._writer.mark(mark))

    def late(self, now: float) -> bool:
        """Whether a frame is one that our own clock has stood in for: after a stall such frames come in a burst, and
        time on the line must not count them twice. A frame at its usual pace is new again."""
        in_burst = self._resuming or now - self.last_frame < FRAME_S / 2
        self.last_frame, self._resuming = now, False
        if not self._ahead:
            return False
        self._ahead = self._ahead - 1 if in_burst else 0
        return in_burst

    async def silence(self, frames: int) -> None:
        self._ahead += frames
        self._resuming = True
        for _ in range(frames):
            if not self.pump.over:
                await self.tick(_SILENCE)

    async def _send(self, text: str) -> None:
        """WebSocketDisconnect when the other side is gone."""
        try:
            await self._websocket.send({"type": "websocket.send", "text": text})
        except RuntimeError:  # that is how the server says that the socket was closed meanwhile
            raise WebSocketDisconnect(1006) from None


def _disposition(findings: Sequence[PersonResult], *, by_machine: bool) -> Disposition:
    """A hint counts where nobody has said who they are."""
    words = {finding.result for finding in findings}
    only_machine = words == {"machine"} or (by_machine and words == {"not_reached"})
    return Disposition.MACHINE if only_machine else Disposition.ANSWERED


async def _settled(pump: Pump) -> None:
    while pump.pending:
        await asyncio.wait(pump.pending)
        await asyncio.sleep(0)


async def _first(websocket: WebSocket, reader: StreamReader) -> Start:
    while True:
        message = await _next(websocket, reader)
        if isinstance(message, Start):
            return message


async def _next(websocket: WebSocket, reader: StreamReader) -> Message | None:
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code") or 1006)
    text = event.get("text")
    if text is None:
        raise ProtocolError("a binary message")
    return reader.read(text)


async def _close(websocket: WebSocket, code: int) -> None:
    if websocket.application_state is WebSocketState.CONNECTED and websocket.client_state is WebSocketState.CONNECTED:
        try:
            await websocket.close(code)
        except (RuntimeError, WebSocketDisconnect):
            log.debug("the stream was closed by the other side first")
