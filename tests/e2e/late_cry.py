"""A morning in which an elder says that all is well and cries for help in a message that nobody understood live; and
the second pass as a process of its own that is killed at a write of its choice.

`python -m tests.e2e.late_cry FOLDER NOW TEXT CONFIDENCE WRITE`: works the message off, killed within its WRITE-th
transaction; 0 lets it live and prints how many there were.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from checkins.cycle import Cycle
from ivr.calls import Calls, LogEntry
from ivr.ports import Callee, CallOrder, Disposition, PersonResult
from ivr.recordings import Recordings
from ivr.second_pass import Ears, Pen, SecondPass
from joints import Listener
from speech.interpret import Interpretation, interpret
from speech.recogniser import Hypothesis, Request
from storage.database import Database
from tests.fakes.clock import WarpClock
from tests.unit.checkins.world import FakePlacer, World

LIVE = {"text": "楼上漏水", "engine": "vosk", "confidence": 0.61, "seconds": 5.0, "by": "silence"}


class Morning:
    """One elder's line: the care room's and the telephone room's rows in one SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, World(url(folder))
        self.elder = self.world.elder(consents={"calls": True, "recording": True, "transcription": True})
        self.calls = joined(self.world.db, self.world.clock, self.world.cycle)
        self.recordings = Recordings(folder / "recordings")

    async def leaves_a_message(self, ulaw: bytes, result: str = "well") -> str:
        """The call: the result by key, then the message; its recording's path."""
        await self.world.to("08:30")
        wanted, now = self.world.last_call(self.elder), self.world.clock.now()
        callees = tuple(Callee(one.id, one.spoken_name) for one in wanted.callees)
        await self.calls.order(CallOrder(wanted.id, wanted.number, wanted.flow, callees))
        kept = await self.recordings.add(wanted.id, "message", now, ulaw)
        said = LogEntry("dictation", 20_000, {**LIVE, "recording": kept.path, "begin_ms": 12_000, "end_ms": 17_000})
        await self.calls.log(wanted.id, [said])
        detail = {"message_recording": kept.path, "message_text": LIVE["text"]}
        found = PersonResult(self.elder, result, "key", detail)
        await self.calls.talked(wanted.id, [found], Disposition.ANSWERED, {})
        return kept.path

    def second_pass(self, ears: Ears) -> SecondPass:
        return SecondPass(self.world.db, self.world.clock, ears, self.recordings, lambda: True, self.calls.outbox.tell)

    async def restarted(self, ears: Ears) -> None:
        """What a new process does: it tells what waits, and works off what a lease no longer holds."""
        await self.calls.retell()
        second = self.second_pass(ears)
        await second.plan()
        await second.once()


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/wenan.db"


def joined(db: Database, clock: WarpClock, cycle: Cycle) -> Calls:
    async def unwritten() -> None:
        raise AssertionError("every alarm is taken in here")

    return Calls(db, clock.now, listener=Listener(cycle.settle, unwritten))


class ToldBefore:
    """Ears that have heard it: the result of a real recogniser, as often as it is asked for."""

    def __init__(self, text: str, confidence: float) -> None:
        self.idle, self._heard = True, Hypothesis(text, "whisper", confidence)

    def can(self, request: Request) -> bool:
        return request.mode == "dictation"

    def open(self, request: Request) -> Pen:
        return _Again(self._heard, request)


class _Again:
    engine = "whisper"

    def __init__(self, heard: Hypothesis, request: Request) -> None:
        self._heard, self._request = heard, request

    def feed(self, pcm: bytes) -> None:
        """It is known already."""

    async def finish(self) -> Interpretation:
        return interpret(self._heard, self._request)

    def close(self) -> None:
        """Nothing is held."""


class Mortal(Database):
    """Kills the process within its `last`-th transaction, when all is written but the end."""

    writes, last = 0, 0

    def _work(self, work: Callable[[Any], Any]) -> Any:
        with self.write() as session:
            done = work(session)
            self.writes += 1
            if self.writes == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            return done


async def _work_off(folder: Path, now: datetime, ears: ToldBefore, last: int) -> None:
    db, clock = Mortal(url(folder), workers=1), WarpClock(now)
    db.last = last
    calls = joined(db, clock, Cycle(db, FakePlacer(), clock))
    second = SecondPass(db, clock, ears, Recordings(folder / "recordings"), lambda: True, calls.outbox.tell)
    await second.plan()
    await second.once()
    print(db.writes)


if __name__ == "__main__":
    folder, now, text, confidence, write = sys.argv[1:]
    asyncio.run(_work_off(Path(folder), datetime.fromisoformat(now), ToldBefore(text, float(confidence)), int(write)))
