"""Ordinary calls at once: everybody listens to the prompts and answers by voice; who is done is followed by the next.

The answers mean nothing to the menu: the whole silence is waited for, all phrases are scored, and the line asks again.
Telephones are dialled one after another, so that elders are at different places of their calls. Between the answers
the line carries what a real one does: the noise of its coder, in every fourth home a fan.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.caller import FRAME_S, Seen, Stream, dial
from bench.figures import out, percentile, verdict
from bench.measured import ENDPOINT_S, Line, lateness, line
from bench.words import FRAME_BYTES, SAID, words
from speech import g711

GROUPS = 20  # calls send at one of 20 moments within the 20 ms, as unrelated telephones do
CALLS_EACH = 6  # calls that one telephone can have, one after the other
RAMP_S = 12.0  # all telephones are dialled, and all elders join in, within this time
RINGING_S = 2.0  # the longest pause between two calls of a telephone
QUIET_S = 0.3  # without a sound of the line for so long, it is the elder's turn
ROOMS = (26, 26, 26, 90)  # root mean square of the noise (16 bit): −62 dBov is an idle line, −51 dBov a fan
ROOM_FRAMES = 50


@dataclass
class Elder:
    """One telephone. `joins_at`: from the first prompt after this moment on (perf_counter) its owner answers.
    `said_s`: how long the owner has spoken; `replies`: ms from there to the line's next sound, less the endpoint's
    silence (of `unanswered` ones to the call's end); `late`: of the calls that are over; `refused`: calls that the line
    was too busy for."""

    noise: int = ROOMS[0]
    stream: Stream | None = None
    joins_at: float | None = None
    said_s: float = 0.0
    replies: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    _room: list[bytes] = field(default_factory=list)
    _pause: int = 0  # frames until the owner speaks
    _left: list[bytes] = field(default_factory=list)
    _spoken: tuple[float, int] | None = None  # when the owner fell silent, and the line's sounds until then
    _sent: list[float] = field(default_factory=list)
    _marks: int = 0
    _skip: int = 0
    _begun: float = field(default_factory=time.perf_counter)

    def step(self, stream: Stream) -> None:
        """Sends one frame."""
        self._hear(stream.seen)
        frame = self._speak(stream.seen)
        stream.send(stream.media(frame) if frame else self._room[len(self._sent) % ROOM_FRAMES])
        self._sent.append(time.perf_counter())
        if frame and not self._left:
            self._spoken = (time.perf_counter(), len(stream.seen.sounds))

    def _hear(self, seen: Seen) -> None:
        if self._spoken and len(seen.sounds) > self._spoken[1]:
            silent_at, heard = self._spoken
            self.replies.append((seen.sounds[heard] - silent_at - ENDPOINT_S) * 1000)
            self._spoken = None
        if len(seen.marks) > self._marks:
            self._marks = len(seen.marks)
            if self.joins_at is not None and time.perf_counter() >= self.joins_at:
                self._answer()

    def _answer(self) -> None:
        self._pause = random.randint(20, 100)
        spoken = words(random.choice(SAID))
        self._left = [spoken[at : at + FRAME_BYTES] for at in range(0, len(spoken), FRAME_BYTES)]

    def _speak(self, seen: Seen) -> bytes | None:
        if not self._left:
            return None
        if self._pause > 0 and seen.sounds and time.perf_counter() - seen.sounds[-1] < QUIET_S:
            return None
        if self._pause > 0:
            self._pause -= 1
            return None
        self.said_s += FRAME_S
        return self._left.pop(0)

    def follow(self, stream: Stream) -> None:
        """The next call of this telephone."""
        self.wait_in_vain()
        self.late, self._skip = self.all_late(), 0
        self.stream, self._begun = stream, time.perf_counter()
        self._left, self._sent, self._spoken, self._marks, self._pause = [], [], None, 0, 0
        self._room = [stream.media(frame) for frame in room(self.noise)]

    def wait_in_vain(self) -> None:
        """An answer to which nothing was said: how long its owner has waited counts, if that is longer than the
        endpoint's silence. (Who speaks into the line's goodbye is cut off sooner.)"""
        if self._spoken and self._sent and (waited := self._sent[-1] - self._spoken[0] - ENDPOINT_S) > 0:
            self.replies.append(waited * 1000)
            self.unanswered += 1
        self._spoken = None

    def from_now(self) -> None:
        """The measurement begins."""
        self.late, self._skip, self.said_s, self.replies, self.unanswered = [], len(self._sent), 0.0, [], 0

    def all_late(self) -> list[float]:
        """How late each frame of all calls so far came, in ms."""
        now = lateness(self.stream, self._sent, self._begun)[self._skip :] if self.stream else []
        return [*self.late, *now]


def room(rms: int) -> list[bytes]:
    """A second of a line in which nobody speaks."""
    noise = np.random.default_rng().normal(0, rms, (ROOM_FRAMES, FRAME_BYTES))
    return [g711.ulaw_encode(frame.astype("<i2").tobytes()) for frame in noise]


@dataclass(frozen=True)
class Spent:
    """Shares of one core: all of the line, of that its event loop and its recognisers. `heard`: utterances."""

    line: float
    loop: float
    ears: float
    heard: int


async def talking(count: int, seconds: float, engine: str) -> None:
    """First nobody speaks for half of `seconds`, then everybody answers for `seconds`."""
    streams = await asyncio.to_thread(_bare, engine)
    async with line(count * CALLS_EACH, engine) as measured:
        elders = [Elder(ROOMS[number % len(ROOMS)]) for number in range(count)]
        unused = iter(measured.calls)
        await _spent(measured, elders, unused, RAMP_S)
        silent = await _spent(measured, elders, unused, seconds / 2)
        for elder in elders:
            elder.joins_at = time.perf_counter() + random.uniform(0, RAMP_S)
        await _spent(measured, elders, unused, RAMP_S)
        spoken = await _spent(measured, elders, unused, seconds)
    for elder in elders:
        elder.wait_in_vain()
    _report(count, seconds, engine, elders, silent, spoken)
    out.print(
        f"  the bare recogniser: {streams:.0f} streams of continuous speech, {100 / streams:.2f} % of the core each"
    )


def _report(count: int, seconds: float, engine: str, elders: list[Elder], silent: Spent, spoken: Spent) -> None:
    said = sum(elder.said_s for elder in elders)
    late = [ms for elder in elders for ms in elder.all_late()]
    replies = [ms for elder in elders for ms in elder.replies]
    out.print(f"\n[b]{count} ordinary calls at once on one core[/b] ({engine}; {seconds:.0f} s, {len(late)} frames)")
    out.print(
        f"  the elders speak {said / seconds / count:.0%} of the time; {len(replies)} answers, "
        f"{sum(elder.unanswered for elder in elders)} of them got no reply"
    )
    verdict("calls that the line was too busy for", sum(elder.refused for elder in elders), 1, "calls")
    verdict("frame lateness, 99th percentile", percentile(late, 99), 20, "ms")
    if replies:
        verdict("end of speech → reply beyond the endpoint's silence, median", percentile(replies, 50), 300, "ms")
        verdict("the same, 95th percentile", percentile(replies, 95), 300, "ms")
        out.print(f"  worst {max(replies):.0f} ms")
    verdict("recognition while nobody speaks, of one core a call", silent.ears / count * 100, 0.05, "%")
    if said:
        verdict("recognition of somebody who speaks, of one core", spoken.ears * seconds / said * 100, 1.5, "%")
        out.print(f"  all that an answer costs more than silence: {(spoken.line - silent.line) * seconds / said:.1%}")
    for what, share in (("nobody speaks", silent), ("everybody answers", spoken)):
        out.print(
            f"  while {what}: {share.line:.0%} of the core (frames and calls {share.loop:.0%}, recognition "
            f"{share.ears:.1%}, database and files {share.line - share.loop - share.ears:.0%}); {share.heard} heard"
        )


def _bare(engine: str) -> float:
    """Seconds of speech that the recogniser alone understands in one second, on the core that the line has."""
    command = [sys.executable, "-m", "bench.bare", engine, "5"]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


async def _spent(measured: Line, elders: list[Elder], unused: Iterator[str], seconds: float) -> Spent:
    """All telephones for so long; what the line needed for that. Measurements of the elders begin anew."""
    for elder in elders:
        elder.from_now()
    before, begun = measured.ask(), time.perf_counter()
    await _hold(measured, elders, unused, seconds)
    after, lasted = measured.ask(), time.perf_counter() - begun
    line, loop, ears = ((after[what] - before[what]) / lasted for what in ("cpu_s", "loop_s", "ears_s"))
    return Spent(line, loop, ears, after["heard"] - before["heard"])


async def _hold(measured: Line, elders: list[Elder], unused: Iterator[str], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    groups = [elders[at::GROUPS] for at in range(GROUPS)]
    redialling: dict[int, asyncio.Task[None]] = {}
    begun = loop.time()
    for number in range(int(seconds * 1000)):
        await asyncio.sleep(max(0.0, begun + number / 1000 - loop.time()))
        for elder in groups[number % GROUPS]:
            if elder.stream is not None and not elder.stream.closed:
                elder.step(elder.stream)
            elif id(elder) not in redialling or redialling[id(elder)].done():
                redialling[id(elder)] = asyncio.create_task(_next_call(measured, elder, unused))
    await asyncio.gather(*redialling.values())


async def _next_call(measured: Line, elder: Elder, unused: Iterator[str]) -> None:
    call = next(unused, None)
    await asyncio.sleep(random.uniform(0, RAMP_S * 0.8 if elder.stream is None else RINGING_S))
    if call is None:
        return
    try:
        elder.follow(await dial(measured.base_url, call))
    except AssertionError:  # the line said that it is too busy to stream
        elder.refused += 1
