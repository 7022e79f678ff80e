"""How fast a virtual line's time runs: with the wall clock, or as fast as the other side consumes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from .phone import FRAME_S


class Pace(Protocol):
    """One call's time. `lockstep` True: after each frame sent, the frame that answers it is awaited."""

    lockstep: bool

    async def sleep(self, seconds: float) -> None:
        """Lets line time pass outside the audio (ringing)."""
        ...

    async def tick(self) -> None:
        """Returns when the next frame is due."""
        ...

    def begin(self) -> None:
        """Audio starts or goes on after a pause: the next frame is due 20 ms from now."""
        ...


class Ticker:
    """One 20 ms beat for all lines of a carrier, on an absolute schedule (no drift); idle when nobody waits."""

    def __init__(self) -> None:
        self.count = 0
        self._due = 0.0
        self._beat: asyncio.Future[None] | None = None

    async def reach(self, count: int) -> None:
        while self.count < count:
            await asyncio.shield(self._next())

    def _next(self) -> asyncio.Future[None]:
        if self._beat is None:
            loop = asyncio.get_running_loop()
            if loop.time() - self._due > 1.0:  # it slept: begin anew instead of hurrying after
                self._due = loop.time()
            self._due += FRAME_S
            self._beat = loop.create_future()
            loop.call_at(self._due, self._fire)
        return self._beat

    def _fire(self) -> None:
        beat, self._beat = self._beat, None
        self.count += 1
        if beat is not None and not beat.done():
            beat.set_result(None)


class WallPace:
    """Real time. `hurry` divides ringing time only (a demo need not ring for 45 s)."""

    lockstep = False

    def __init__(self, ticker: Ticker, hurry: float = 1.0) -> None:
        self._ticker = ticker
        self._hurry = hurry
        self._next = ticker.count

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._hurry)

    async def tick(self) -> None:
        self._next += 1
        await self._ticker.reach(self._next)

    def begin(self) -> None:
        self._next = self._ticker.count


class JoinedPace:
    """The time of a call that was dialled out of another one, in lockstep: a frame passes when the other call lets it
    (`let`). `waits` is set while it waits for that, and when it never will any more."""

    lockstep = True

    def __init__(self) -> None:
        self.waits = asyncio.Event()
        self._frame: asyncio.Future[None] | None = None

    async def sleep(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            await self.tick()

    async def tick(self) -> None:
        self._frame = asyncio.get_running_loop().create_future()
        self.waits.set()
        await self._frame

    def begin(self) -> None:
        """Nothing to do."""

    def let(self) -> None:
        """20 ms pass."""
        self.waits.clear()
        if self._frame is not None and not self._frame.done():
            self._frame.set_result(None)


class NoPace(JoinedPace):
    """Whoever steps the line has let the time pass."""

    async def tick(self) -> None:
        """At once."""


class FastPace:
    """As fast as the server consumes. Time that passes on the line is told to `elapsed(moment)`, so that a test's
    clock moves with it; it counts from `now()` when the call begins."""

    lockstep = True

    def __init__(self, now: Callable[[], datetime], elapsed: Callable[[datetime], None] | None = None) -> None:
        self._now = now
        self._elapsed = elapsed or (lambda moment: None)
        self._moment: datetime | None = None

    async def sleep(self, seconds: float) -> None:
        self._pass(seconds)
        await asyncio.sleep(0)

    async def tick(self) -> None:
        self._pass(FRAME_S)

    def begin(self) -> None:
        """Nothing to do: no time passes here but what is told."""

    def _pass(self, seconds: float) -> None:
        self._moment = (self._moment or self._now()) + timedelta(seconds=seconds)
        self._elapsed(self._moment)
