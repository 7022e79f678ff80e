"""One channel of Asterisk as a telephone on our carrier's line: rings by a trunk, then frames both ways.

Its time is the audio that comes from Asterisk: one frame in, one frame out, so that nothing waits in Asterisk's queue
and what is cut off by a key is silent at once.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ivr.asterisk.protocol import FLUSH, Audio, Begun, Digit, Event, Paused, Resumed, Wire
from ivr.virtual.phone import FRAME_BYTES, FRAME_S, SILENCE, Move

STALL_S = 0.1  # after so long without a frame the line's own clock goes on, 20 ms by 20 ms
BACKLOG = 3  # frames that are kept while nobody listens
MOST_FRAMES = 100  # 2 s; what is older is lost
MOST_OUT = 50  # frames for Asterisk that wait for the socket


class Leg:
    """Satisfies ivr.virtual.phone.Party and ivr.virtual.pace.Pace."""

    lockstep = False

    def __init__(self) -> None:
        self.begun = False  # the WebSocket stands
        self.gone = False  # the other side has hung up, or the connection is lost
        self.over = asyncio.Event()
        self.some = asyncio.Event()  # there is something to send
        self.lost = 0  # frames
        self._wire = Wire()
        self._in: deque[bytes] = deque(maxlen=MOST_FRAMES)
        self._out: deque[bytes | str] = deque()
        self._keys: deque[str] = deque(maxlen=30)
        self._rest = b""
        self._paused = self._stalled = self._spoke = False
        self._waiter: asyncio.Future[None] | None = None

    # ── Asterisk ──────────────────────────────────────────────────────────────────────────────────

    def read(self, message: str | bytes) -> Event | None:
        """One message. ProtocolError."""
        event = self._wire.read(message)
        match event:
            case Begun():
                self.begun = True
            case Audio(ulaw):
                self._take(ulaw)
            case Digit(digit):
                self._keys.append(digit)
            case Paused():
                self._paused = True
            case Resumed():
                self._paused = False
        return event

    def to_send(self) -> list[bytes | str]:
        """What waits, in order."""
        self.some.clear()
        waiting = list(self._out)
        self._out.clear()
        return waiting

    def end(self) -> None:
        self.gone = True
        self.over.set()
        self._wake()
        self.some.set()

    # ── the line's time ───────────────────────────────────────────────────────────────────────────

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def tick(self) -> None:
        """When the next frame is here; without one a stall is passed over."""
        if self._in or self.gone:
            self._stalled = False
            if self.gone:
                await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(FRAME_S if self._stalled else STALL_S, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
        self._stalled = not self._in

    def begin(self) -> None:
        """What came while nobody listened is old: else the line would lag behind by it."""
        while len(self._in) > BACKLOG:
            self._in.popleft()

    # ── the party ─────────────────────────────────────────────────────────────────────────────────

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        quiet = frame == SILENCE
        if quiet and self._spoke and not prompts and self._out:
            return  # the socket is slow: silence is what can be left out
        self._spoke = not quiet
        if self._paused and quiet:
            return
        if len(self._out) >= MOST_OUT:
            self._out.popleft()
            self.lost += 1
        self._out.append(self._wire.audio(frame))
        self.some.set()

    def move(self) -> Move:
        if self.gone:
            return Move(hang_up=True)
        frame = self._in.popleft() if self._in else SILENCE
        return Move(frame, self._keys.popleft() if self._keys else "")

    def cleared(self) -> None:
        """Barge-in: whatever Asterisk still holds is not to be heard."""
        self._out = deque(waiting for waiting in self._out if isinstance(waiting, str))
        self._out.append(FLUSH)
        self.some.set()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _take(self, ulaw: bytes) -> None:
        self._rest += ulaw
        while len(self._rest) >= FRAME_BYTES:
            if len(self._in) == MOST_FRAMES:
                self.lost += 1
            self._in.append(self._rest[:FRAME_BYTES])
            self._rest = self._rest[FRAME_BYTES:]
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
