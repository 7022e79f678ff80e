"""One call as a story: `await call.hears("ask_health")`, `call.presses("1")`, `await call.ended()`.

Line time passes only while the story waits for something, so that a test never races with the application.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase

from ivr.virtual.acoustics import frames
from ivr.virtual.behaviour import KEY_GAP_FRAMES
from ivr.virtual.observation import Kind, Observation
from ivr.virtual.pace import FastPace
from ivr.virtual.phone import FRAME_S, QUIET, Move

REAL_LIMIT_S = 60.0  # a story that waits longer in real time hangs


class StoryParty:
    """Does what the story says, one 20 ms move at a time; keeps what it hears."""

    def __init__(self) -> None:
        self.moves: deque[Move] = deque()
        self.heard = bytearray()

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        self.heard += frame

    def move(self) -> Move:
        return self.moves.popleft() if self.moves else QUIET


class CrankPace(FastPace):
    """Lets frames pass only while the gate is open, and never more than granted."""

    def __init__(self, now: Callable[[], datetime], elapsed: Callable[[datetime], None]) -> None:
        super().__init__(now, elapsed)
        self._gate = asyncio.Event()
        self._granted = 0
        self.used_up: Callable[[], None] = lambda: None
        self.ringing = asyncio.Event()  # ringing takes as little real time as it can, unless it is held
        self.ringing.set()

    async def sleep(self, seconds: float) -> None:
        await self.ringing.wait()
        await super().sleep(seconds)

    def grant(self, seconds: float) -> None:
        self._granted = round(seconds / FRAME_S)
        self._gate.set()

    @property
    def granted_s(self) -> float:
        return self._granted * FRAME_S

    def hold(self) -> None:
        self._gate.clear()

    async def tick(self) -> None:
        if self._granted == 0 and self._gate.is_set():
            self._gate.clear()
            self.used_up()
        await self._gate.wait()
        self._granted -= 1
        await super().tick()


class FakeCall:
    """The far end of one expected call. Seconds are line time."""

    def __init__(self, number: str, pace: FastPace, party: StoryParty | None) -> None:
        self.number = number
        self.sid = ""
        self.log: list[Observation] = []
        self.errors_allowed = False
        self._pace = pace
        self._party = party
        self._read = 0  # observations already told in the story
        self._waiting: tuple[Callable[[Observation], bool], asyncio.Future[Observation]] | None = None

    def joins(self, other: FakeCall) -> None:
        """It was dialled out of that call, whose time is its time. The story may wait for it already."""
        own, self._pace = self._pace, other._pace
        if self._waiting is not None and isinstance(own, CrankPace) and isinstance(self._pace, CrankPace):
            self._grant(own.granted_s)

    def _grant(self, seconds: float) -> None:
        if isinstance(self._pace, CrankPace):
            self._pace.used_up = self._time_is_up
            self._pace.grant(seconds)

    # ── waiting ───────────────────────────────────────────────────────────────────────────────────

    async def rings(self) -> None:
        await self._until("ringing")

    async def answered(self) -> None:
        await self._until("answered")

    async def bridged(self) -> None:
        """Returns when the party of another call is on the line."""
        await self._until("bridged")

    async def hears(self, prompt: str, within_s: float = 60) -> None:
        """Returns when the prompt with this mark (or pattern) has been played to its end."""
        await self._until("prompt", prompt, within_s)

    async def hears_cut(self, prompt: str = "*", within_s: float = 60) -> None:
        """Returns when the prompt was cut off (barge-in)."""
        await self._until("cleared", prompt, within_s)

    async def waits(self, seconds: float) -> None:
        """Says nothing for so long (or until the call is over)."""
        if self.status is None:
            await self._until("ended", "*", seconds, or_time=True)

    async def ended(self, status: str = "*", within_s: float = 660) -> str:
        """The final status; its callback has been delivered (unless the carrier was told to keep it)."""
        return (await self._until("ended", status, within_s)).detail

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def stands_still(self) -> None:
        """From its first ring on no time passes in it until `goes_on`."""
        assert isinstance(self._pace, CrankPace), "a scripted call has its own time"
        self._pace.ringing.clear()

    def goes_on(self) -> None:
        assert isinstance(self._pace, CrankPace)
        self._pace.ringing.set()

    def presses(self, keys: str) -> None:
        """Keys, 200 ms apart, after whatever is still being said."""
        for key in keys:
            self._moves.append(Move(keys=key))
            self._moves.extend([QUIET] * KEY_GAP_FRAMES)

    def says(self, clip: bytes, label: str = "clip") -> None:
        """Speaks μ-law audio, from the next frame on."""
        for frame in frames(clip):
            self._moves.append(Move(audio=frame, label=label))
            label = ""

    def keeps_quiet(self, seconds: float) -> None:
        """A pause between two things said or pressed."""
        self._moves.extend([QUIET] * round(seconds / FRAME_S))

    def hangs_up(self) -> None:
        self._moves.append(Move(hang_up=True))

    # ── looking ───────────────────────────────────────────────────────────────────────────────────

    @property
    def status(self) -> str | None:
        """The final status, None while the call goes on."""
        return next((o.detail for o in self.log if o.kind == "ended"), None)

    @property
    def heard(self) -> bytes:
        """All audio that came to the callee's ear, μ-law."""
        assert self._party is not None, "a scripted call keeps no audio"
        return bytes(self._party.heard)

    def seen(self, kind: Kind) -> list[str]:
        """The details of all observations of one kind."""
        return [o.detail for o in self.log if o.kind == kind]

    def story(self) -> str:
        """What happened so far, one line each (invented numbers only)."""
        return "\n".join(f"  {o.at_ms / 1000:7.2f} s  {o.kind} {o.detail}" for o in self.log) or "  (nothing)"

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def observe(self, observation: Observation) -> None:
        self.log.append(observation)
        if self._waiting is None or self._waiting[1].done():
            return
        fits, future = self._waiting
        if fits(observation):
            self._stop_line()
            future.set_result(observation)
        elif observation.kind == "ended":
            future.set_exception(AssertionError(f"the call ended first; so far:\n{self.story()}"))

    async def _until(
        self, kind: Kind, detail: str = "*", within_s: float = 60, *, or_time: bool = False
    ) -> Observation:
        def fits(seen: Observation) -> bool:
            return seen.kind == kind and fnmatchcase(seen.detail, detail)

        past = next((i for i in range(self._read, len(self.log)) if fits(self.log[i])), None)
        if past is not None:
            self._read = past + 1
            return self.log[past]
        assert self.status is None, f"waiting for {kind} {detail}, but the call is over; so far:\n{self.story()}"
        future: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()
        self._waiting = (fits, future)
        self._grant(within_s)
        seen = await self._wait(future, f"{kind} {detail}", or_time)
        self._read = self.log.index(seen) + 1 if seen in self.log else len(self.log)
        return seen

    async def _wait(self, future: asyncio.Future[Observation], what: str, or_time: bool) -> Observation:
        try:
            async with asyncio.timeout(REAL_LIMIT_S):
                return await future
        except TimeoutError:
            raise AssertionError(f"no {what} within {REAL_LIMIT_S:g} real seconds; so far:\n{self.story()}") from None
        except _TimeIsUpError:
            if or_time:
                return Observation(self.sid, self.number, "ended", "still up")
            raise AssertionError(f"no {what} in the line time given; so far:\n{self.story()}") from None
        finally:
            self._waiting = None

    def _time_is_up(self) -> None:
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(_TimeIsUpError())

    def _stop_line(self) -> None:
        if isinstance(self._pace, CrankPace):
            self._pace.hold()

    @property
    def _moves(self) -> deque[Move]:
        assert self._party is not None, "a scripted call acts by itself"
        return self._party.moves


class _TimeIsUpError(Exception):
    pass
