"""The auditor's round: every minute it asks who is late and what is wrong with the line, raises all of it, and gives a
sign of its own life: in a file, and to an address off this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from checkins import alarm_signs
from checkins.alarm_signs import House
from checkins.alarms import Kind
from checkins.auditor import Late, late
from checkins.ports import Clock
from checkins.tables import Neighbourhood
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 60.0
RAISE_EVERY = timedelta(minutes=10)  # each late elder; the console shows them all the time
AHEAD_EVERY = timedelta(minutes=15)
CRY_AFTER = 3  # rounds in a row that failed
NO_DATABASE = "数据库写不进、读不出：电话停打，应答记不下来。请看机器的日志和磁盘，不要重启。"


async def _no_beat() -> None:
    """No address off this machine was named."""


async def _no_cry(_kind: Kind, _text: str) -> None:
    """Nobody tells alarms."""


def touch(session: Session) -> None:
    """Writes what is written already; raises what the database raises. It costs a page of the log."""
    first = select(func.min(Neighbourhood.id)).scalar_subquery()
    session.execute(update(Neighbourhood).where(Neighbourhood.id == first).values(name=Neighbourhood.name))


class Watch:
    """Runs beside the cycle, as a task of its own. Who is late is asked with code that shares nothing with it
    (`auditor`; an import contract holds that); what is wrong with the line is asked by the cycle's own rules
    (`alarm_signs`).

    `heartbeat` is a file that gets the moment of the last good round, `beat` tells the same to an address elsewhere:
    who watches this machine from outside looks at its age. Neither is done when a round fails, so that silence means
    trouble. `house` says what the care room can't see itself; `cry` raises an alarm without the database.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        heartbeat: Path,
        *,
        house: Callable[[Session, datetime], House] = lambda session, now: House(),
        beat: Callable[[], Awaitable[None]] = _no_beat,
        cry: Callable[[Kind, str], Awaitable[None]] = _no_cry,
    ) -> None:
        self._db, self._clock, self._heartbeat = db, clock, heartbeat
        self._house, self._off_site, self._cry = house, beat, cry
        self._raised: dict[str, datetime] = {}
        self._failed = 0
        self._ahead_at: datetime | None = None
        self.late: tuple[Late, ...] = ()
        self.last_run: datetime | None = None

    async def look(self) -> tuple[Late, ...]:
        """One round: who is late now, longest first. Raises what the database raises."""
        now = self._clock.now()
        # With a real write: a database that is locked, read-only or on a full disk must not look alive.
        await self._db.run(touch)
        self.late = tuple(await self._db.run(lambda session: late(session, now)))
        self._raise(now)
        await self._db.run(lambda session: alarm_signs.note(session, self.late, self._house(session, now), now))
        await self._look_ahead(now)
        self.last_run = now
        await asyncio.to_thread(self._beat, now)
        await self._off_site()
        return self.late

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self._round, stop, every_s, log, "a round of the auditor failed (%s); the next one follows")

    async def _round(self) -> None:
        try:
            await self.look()
            self._failed = 0
        except Exception:
            await self._complain()
            raise

    async def _look_ahead(self, now: datetime) -> None:
        """What the roster lacks. That costs more than the rest, and is asked now and then only."""
        if self._ahead_at is None or not timedelta() <= now - self._ahead_at < AHEAD_EVERY:
            self._ahead_at = now
            await self._db.run(lambda session: alarm_signs.evening(session, now))

    async def _complain(self) -> None:
        """Several failed rounds in a row: the database, or what is in it, can't be used."""
        self._failed += 1
        if self._failed >= CRY_AFTER:
            await self._cry(Kind.DATABASE, NO_DATABASE)

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
        """The sign of life for whoever watches from this machine."""
        try:
            self._heartbeat.parent.mkdir(parents=True, exist_ok=True)
            self._heartbeat.write_text(now.isoformat() + "\n", "utf-8")
        except OSError as error:
            log.error("the heartbeat file can't be written: %s", error.strerror)
