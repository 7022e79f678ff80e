"""Recordings that the carrier made (TwiML fallback): fetched, stored with a checksum, then deleted at the carrier.

The row is the promise: what could not be fetched is tried again with every sweep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.calls import Calls, LogEntry
from ivr.recordings import RecordingBrokenError, Recordings
from ivr.records import CarrierRecording
from ivr.twilio import wav
from ivr.twilio.rest import TwilioRest, UnreachableError

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=30)
KEPT_THERE = timedelta(days=7)  # what can't be fetched for so long is left at the carrier, with an error in the log


class CarrierRecordings:
    """`note` names our file at once, before it is there; `fetch_open` brings what is missing."""

    def __init__(self, calls: Calls, rest: TwilioRest, recordings: Recordings) -> None:
        self._calls, self._rest = calls, rest
        self.kept = recordings  # what is here
        self._tried: dict[str, datetime] = {}
        self._tasks: dict[str, asyncio.Task[bool]] = {}

    async def note(self, call_id: str, sid: str, label: str) -> str:
        """A recording exists at the carrier. The path that names it everywhere from now on."""
        now = self._calls.now()
        path = await self._calls.db.run(lambda session: self._row(session, call_id, sid, label, now))
        if sid not in self._tasks:
            task = self._tasks[sid] = asyncio.create_task(self.fetch(sid))
            task.add_done_callback(lambda _: self._tasks.pop(sid, None))
        return path

    async def fetch_open(self) -> int:
        """Fetches what waits; how many are done now."""
        now = self._calls.now()
        waiting = await self._calls.db.view(lambda session: _open(session, now - KEPT_THERE))
        due = [sid for sid in waiting if sid not in self._tasks and now - self._tried.get(sid, _LONG_AGO) >= AGAIN]
        return sum([await self.fetch(sid) for sid in due])

    async def fetch(self, sid: str) -> bool:
        """Whether the recording is ours and gone there. Every failure is logged and tried again later."""
        self._tried[sid] = self._calls.now()
        try:
            done = await self._fetch(sid)
        except UnreachableError as error:
            log.warning("a recording can't be fetched from the carrier yet (%s); it is tried again", error)
            return False
        except Exception as error:
            log.error("a recording of the carrier could not be stored (%s); it is tried again", type(error).__name__)
            return False
        if done:
            self._tried.pop(sid, None)
        return done

    async def wait(self) -> None:
        """Until no fetch is under way (for tests, and before the end)."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _fetch(self, sid: str) -> bool:
        row = await self._calls.db.view(lambda session: session.get(CarrierRecording, sid))
        if row is None or row.deleted_at is not None:
            return row is not None
        if row.stored_at is None and not await self._store(row):
            return False
        await asyncio.to_thread(self._rest.delete_recording, sid)
        await self._mark(sid, lambda found, now: setattr(found, "deleted_at", now))
        return True

    async def _store(self, row: CarrierRecording) -> bool:
        """Deleted there only when it is on our disk, with the right checksum."""
        file = await asyncio.to_thread(self._rest.download_recording, row.sid)
        if file is None:
            return False
        kept = await self.kept.add(row.call_id, row.label, row.seen_at, wav.to_ulaw(file))
        try:
            await asyncio.to_thread(self.kept.read, kept.path)
        except RecordingBrokenError:
            return False  # the disk is full: it stays at the carrier as well
        await self._mark(row.sid, lambda found, now: _stored(found, kept.sha256, now))
        entry = LogEntry("recording", 0, {"path": kept.path, "seconds": kept.seconds, "sha256": kept.sha256})
        await self._calls.log(row.call_id, [entry])
        return True

    async def _mark(self, sid: str, change: Callable[[CarrierRecording, datetime], None]) -> None:
        now = self._calls.now()

        def mark(session: Session) -> None:
            row = session.get(CarrierRecording, sid)
            if row is not None:
                change(row, now)

        await self._calls.db.run(mark)

    def _row(self, session: Session, call_id: str, sid: str, label: str, now: datetime) -> str:
        row = session.get(CarrierRecording, sid)
        if row is None:
            path = self.kept.take(call_id, label, now).path
            row = CarrierRecording(sid=sid, call_id=call_id, label=label, seen_at=now, path=path)
            session.add(row)
        return row.path


def _stored(row: CarrierRecording, sha256: str, now: datetime) -> None:
    row.stored_at, row.sha256 = now, sha256


def _open(session: Session, since: datetime) -> list[str]:
    query = select(CarrierRecording.sid).where(CarrierRecording.deleted_at.is_(None), CarrierRecording.seen_at >= since)
    return list(session.scalars(query.order_by(CarrierRecording.seen_at)))


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
