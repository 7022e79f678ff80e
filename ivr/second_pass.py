"""After a call each dictation is transcribed again: the whole audio at once, by the best engine for the language.

Work that can wait: rows with a lease (ivr.transcripts), worked off one at a time beside the calls while the machine
has nothing better to do. A crash costs nothing but the time: the lease runs out and the row is taken again. Both texts
are kept; the recording is the record.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from ivr import transcripts
from ivr.recordings import RecordingBrokenError
from ivr.transcripts import Job, Result
from speech import g711
from speech.ears import EarFailed
from speech.interpret import Interpretation
from speech.readable import readable
from speech.recogniser import Request
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

EVERY_S = 5.0
PATIENCE_S = 240.0  # so long one dictation may take; its lease is longer
PIECE = 16_000  # bytes handed to the ear at once, one second


class Clock(Protocol):
    def now(self) -> datetime: ...


class Pen(Protocol):
    """An utterance being recognised (speech.ears.Ear)."""

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Interpretation: ...

    def close(self) -> None: ...


class Ears(Protocol):
    """What the second pass needs of speech.ears.Ears."""

    def can(self, request: Request) -> bool: ...

    def open(self, request: Request) -> Pen: ...


class Shelf(Protocol):
    """What it needs of ivr.recordings.Recordings: checked μ-law; RecordingBrokenError when there is none."""

    def read(self, path: str) -> bytes: ...


class SecondPass:
    """`run` until told to stop. `idle`: whether the machine has time now (no call, or few; nobody being recognised).

    Which engine is best for a dictation in a language is the ears' own order (speech.engines.choice). Where it is the
    one that listened during the call, the whole audio at once, and time, are the gain.
    """

    def __init__(self, db: Database, clock: Clock, ears: Ears, recordings: Shelf, idle: Callable[[], bool]) -> None:
        self._db, self._clock, self._ears, self._recordings, self._idle = db, clock, ears, recordings, idle
        self._planned_at: datetime | None = None
        self._owner = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Works off what waits; an error is logged and the next round comes."""
        while not stop.is_set():
            try:
                await self._round(stop)
            except Exception as error:
                log.error("the second pass of dictations failed (%s); it is tried again", where(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def _round(self, stop: asyncio.Event) -> None:
        await self.plan()
        while not stop.is_set() and await self.once(stop):
            pass

    async def plan(self) -> int:
        """Writes down what the calls that ended left to do; how many dictations are new."""
        now = self._clock.now()
        since = now - transcripts.LOOK_BACK if self._planned_at is None else self._planned_at - transcripts.OVERLAP
        fresh = await self._db.run(lambda session: transcripts.plan(session, since, now))
        self._planned_at = now
        return fresh

    async def once(self, stop: asyncio.Event | None = None) -> bool:
        """Transcribes one dictation, if one waits and the machine is idle. False: nothing was done."""
        if not self._idle():
            return False
        now = self._clock.now()
        job = await self._db.run(lambda session: transcripts.claim(session, self._owner, now))
        if job is None:
            return False
        await self._work(job, stop or asyncio.Event())
        return True

    async def _work(self, job: Job, stop: asyncio.Event) -> None:
        work = asyncio.create_task(self._transcribe(job))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
        await self._write_down(job, work)

    async def _write_down(self, job: Job, work: asyncio.Task[Result]) -> None:
        now = self._clock.now()
        if work.cancelled():
            await self._db.run(lambda session: transcripts.release(session, job, now))
        elif (error := work.exception()) is not None:
            why = _why(error)
            log.warning("a dictation could not be transcribed again (try %d): %s", job.tries, why)
            await self._db.run(lambda session: transcripts.fail(session, job, why, now))
        else:
            await self._db.run(lambda session: transcripts.finish(session, job, work.result(), now))

    async def _transcribe(self, job: Job) -> Result:
        """Raises EarFailed, RecordingBrokenError, TimeoutError."""
        pcm = g711.ulaw_decode(await asyncio.to_thread(self._recordings.read, job.recording))
        request = Request("dictation", language=job.language)
        if not self._ears.can(request):
            raise EarFailed("no engine takes dictations in this language")
        ear = self._ears.open(request)
        try:
            for at in range(0, len(pcm), PIECE):
                ear.feed(pcm[at : at + PIECE])
            told = await asyncio.wait_for(ear.finish(), PATIENCE_S)
        finally:
            ear.close()
        return Result(readable(told.text), told.engine, told.confidence)


def _why(error: BaseException) -> str:
    """For row and log: nothing that was said. Our own errors are one sentence each."""
    if isinstance(error, EarFailed | RecordingBrokenError):
        return str(error)
    return "took too long" if isinstance(error, TimeoutError) else where(error)
