"""The auditor's round: every minute it asks who is late, raises each of them, and leaves a sign of its own life."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

from checkins.auditor import Late, late
from checkins.ports import Clock
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

EVERY_S = 60.0
RAISE_EVERY = timedelta(minutes=10)  # each late elder; the console shows them all the time


class Watch:
    """Runs beside the cycle and shares nothing with it but the database.

    `heartbeat` is a file that gets the moment of the last good round: who watches this machine from outside looks at
    its age. It isn't touched when a round fails, so that silence means trouble.
    """

    def __init__(self, db: Database, clock: Clock, heartbeat: Path) -> None:
        self._db, self._clock, self._heartbeat = db, clock, heartbeat
        self._raised: dict[str, datetime] = {}
        self.late: tuple[Late, ...] = ()
        self.last_run: datetime | None = None

    async def look(self) -> tuple[Late, ...]:
        """One round: who is late now, longest first. Raises what the database raises."""
        now = self._clock.now()
        # In a writing transaction: a database that is locked or read-only must not look alive.
        self.late = tuple(await self._db.run(lambda session: late(session, now)))
        self._raise(now)
        self.last_run = now
        await asyncio.to_thread(self._beat, now)
        return self.late

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception as error:
                log.error("a round of the auditor failed (%s); the next one follows", where(error))
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                continue

    def _raise(self, now: datetime) -> None:
        """Says each late elder, by id, when they become late and every 10 minutes from then on."""
        known = {item.elder_id: self._raised[item.elder_id] for item in self.late if item.elder_id in self._raised}
        for item in self.late:
            if item.elder_id not in known or now - known[item.elder_id] >= RAISE_EVERY:
                known[item.elder_id] = now
                where = "no case today" if item.checkin_id is None else f"case {item.checkin_id}"
                since = item.since.isoformat(timespec="minutes")
                log.error("late: elder %s (%s) has had no next action since %s", item.elder_id, where, since)
        self._raised = known

    def _beat(self, now: datetime) -> None:
        """The one place where a sign of life is given; the address off this machine is to be called here, too."""
        try:
            self._heartbeat.parent.mkdir(parents=True, exist_ok=True)
            self._heartbeat.write_text(now.isoformat() + "\n", "utf-8")
        except OSError as error:
            log.error("the heartbeat file can't be written: %s", error.strerror)
