"""What follows from contacts by the passing of time: a worry that waited for the elder's own call, and, once a day, who
has had no contact for more than a week."""

from __future__ import annotations

import asyncio
import logging
from datetime import date

from checkins import buddy_logs, contacts
from checkins.ports import Clock
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 60.0


class ContactRounds:
    """Everything it does may be done twice."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._missed_on: date | None = None  # UTC; a restart looks again

    async def look(self) -> None:
        now = self._clock.now()
        await self._db.run(lambda session: buddy_logs.flag_after_calls(session, now))
        if self._missed_on != now.date():
            await self._db.run(lambda session: contacts.raise_missed(session, now))
            self._missed_on = now.date()

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the contacts failed (%s); the next one follows")
