"""After a call each dictation is transcribed again: the whole audio at once, by the best engines for the languages.

Work that can wait: rows with a lease (ivr.transcripts), worked off one at a time beside the calls while the machine
has nothing better to do. A crash costs nothing but the time: the lease runs out and the row is taken again. Both texts
are kept; the recording is the record. A call for help that only this pass finds becomes an alarm (ivr.late_cries).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

import lexicon
from ivr import transcripts
from ivr.late_cries import Cry, raise_alarm
from ivr.recordings import RecordingBrokenError
from ivr.transcripts import Job, Result
from speech import g711
from speech.ears import EarFailed
from speech.engines.choice import Text, stands
from speech.interpret import Interpretation
from speech.phrases import DISTRESS
from speech.recogniser import SAMPLE_RATE, Request
from storage.database import Database
from storage.faults import where
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 5.0
# So long one engine may take for one dictation, and the search for a call for help; the lease is longer than all.
PATIENCE_S = 240.0
SPOT_S = 60.0
PIECE = 16_000  # bytes handed to the ear at once, one second
LANGUAGES = ("zh", "wuu")

Tell = Callable[[int], Awaitable[object]]


class Clock(Protocol):
    def now(self) -> datetime: ...


class Pen(Protocol):
    """An utterance being recognised (speech.ears.Ear)."""

    @property
    def engine(self) -> str: ...

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Interpretation: ...

    def close(self) -> None: ...


class Ears(Protocol):
    """What the second pass needs of speech.ears.Ears."""

    @property
    def idle(self) -> bool: ...

    def can(self, request: Request) -> bool: ...

    def open(self, request: Request) -> Pen: ...


class Shelf(Protocol):
    """What it needs of ivr.recordings.Recordings: checked μ-law; RecordingBrokenError when there is none."""

    def read(self, path: str) -> bytes: ...


@dataclass(frozen=True)
class Heard:
    """What came of one recording. Personal."""

    result: Result
    cry: Cry | None


class SecondPass:
    """`run` until told to stop. `quiet`: whether few enough calls are on a line; nothing is begun while anybody is
    being recognised. `tell`: the outbox's, of news that is written already.

    Two engines write it down where there are two: the best one for the elder's language and the best one for the
    other (the ears' own order), and the surer text stands (speech.engines.choice). A call for help in any of them
    rings. A recording that nobody heard during the call (plain verbs) is also listened to for nothing but that.
    """

    def __init__(
        self, db: Database, clock: Clock, ears: Ears, recordings: Shelf, quiet: Callable[[], bool], tell: Tell
    ) -> None:
        self._db, self._clock, self._ears, self._recordings = db, clock, ears, recordings
        self._quiet, self._tell = quiet, tell
        self._planned_at: datetime | None = None
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._distress = {DISTRESS: lexicon.load().phrases(DISTRESS)}

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Works off what waits; an error is logged and the next round comes."""
        await repeat(
            lambda: self._round(stop),
            stop,
            every_s,
            log,
            "the second pass of dictations failed (%s); it is tried again",
        )

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
        if not (self._ears.idle and self._quiet()):
            return False
        now = self._clock.now()
        job = await self._db.run(lambda session: transcripts.claim(session, self._owner, now))
        if job is None:
            return False
        await self._work(job, stop or asyncio.Event())
        return True

    async def _work(self, job: Job, stop: asyncio.Event) -> None:
        work = asyncio.create_task(self._listen(job))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
        await self._write_down(job, work)

    async def _write_down(self, job: Job, work: asyncio.Task[Heard]) -> None:
        now = self._clock.now()
        if work.cancelled():
            await self._db.run(lambda session: transcripts.release(session, job, now))
        elif (error := work.exception()) is not None:
            why = _why(error)
            log.warning("a dictation could not be transcribed again (try %d): %s", job.tries, why)
            await self._db.run(lambda session: transcripts.fail(session, job, why, now))
        else:
            await self._news(lambda session: _finish(session, job, work.result(), now))

    async def _news(self, write: Callable[[Session], int | None]) -> None:
        """What the transaction wrote is told at once; should we die here, the outbox tells it later."""
        news = await self._db.run(write)
        if news is not None:
            log.warning("a call for help was found in a recording after its call")
            await self._tell(news)

    # ── listening ─────────────────────────────────────────────────────────────────────────────────

    async def _listen(self, job: Job) -> Heard:
        """Raises EarFailed, RecordingBrokenError, TimeoutError."""
        pcm = g711.ulaw_decode(await asyncio.to_thread(self._recordings.read, job.recording))
        if not job.heard_live:
            await self._spot(job, pcm)
        found = await self._texts(job.language, pcm)
        cry = next((told for told in found if told.meaning == DISTRESS), None)
        return Heard(_standing(found, len(pcm) / (2 * SAMPLE_RATE)), _cry(cry) if cry else None)

    async def _spot(self, job: Job, pcm: bytes) -> None:
        """Nobody has heard this yet: a call for help rings before anything is written down."""
        request = Request("spot", self._distress, job.language)
        if not self._ears.can(request):
            return
        with suppress(EarFailed, TimeoutError):
            told = await _hear(self._ears.open(request), pcm, SPOT_S)
            if told.meaning == DISTRESS:
                now = self._clock.now()
                await self._news(lambda session: raise_alarm(session, job.id, _cry(told), now))

    async def _texts(self, language: str, pcm: bytes) -> list[Interpretation]:
        """By the best engine for the elder's language; then, if it works, by the best one for the other language."""
        ear = self._open(language)
        if ear is None:
            raise EarFailed("no engine takes dictations in this language")
        found = [await _hear(ear, pcm, PATIENCE_S)]
        for other in LANGUAGES:
            second = self._open(other) if other != language else None
            if second is not None and second.engine == found[0].engine:
                second.close()
            elif second is not None:
                with suppress(EarFailed, TimeoutError):
                    found.append(await _hear(second, pcm, PATIENCE_S))
        return found

    def _open(self, language: str) -> Pen | None:
        request = Request("dictation", self._distress, language)
        return self._ears.open(request) if self._ears.can(request) else None


async def _hear(ear: Pen, pcm: bytes, within_s: float) -> Interpretation:
    try:
        for at in range(0, len(pcm), PIECE):
            ear.feed(pcm[at : at + PIECE])
        return await asyncio.wait_for(ear.finish(), within_s)
    finally:
        ear.close()


def _standing(found: Sequence[Interpretation], seconds: float) -> Result:
    texts = [Text(told.engine, told.text, told.confidence or None, seconds) for told in found]
    best = found[texts.index(stands(texts))]
    begin_s, end_s = best.begin_s or 0.0, seconds if best.end_s is None else best.end_s
    return Result(best.text, best.engine, best.confidence, best.margin, round(1000 * begin_s), round(1000 * end_s))


def _cry(told: Interpretation) -> Cry:
    return Cry(told.text, told.phrase or told.text, told.engine, told.confidence, told.begin_s)


def _finish(session: Session, job: Job, heard: Heard, now: datetime) -> int | None:
    """One transaction: the text, and the alarm that follows from it, whoever has the lease meanwhile."""
    transcripts.finish(session, job, heard.result, now)
    return raise_alarm(session, job.id, heard.cry, now) if heard.cry else None


def _why(error: BaseException) -> str:
    """For row and log: nothing that was said. Our own errors are one sentence each."""
    if isinstance(error, EarFailed | RecordingBrokenError):
        return str(error)
    return "took too long" if isinstance(error, TimeoutError) else where(error)
