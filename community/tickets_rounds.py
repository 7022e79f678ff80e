"""What follows for tickets by the passing of time: what is overdue has its item, what the line could not tell them in
time is told by a person, and what they know closes when its time is over."""

from __future__ import annotations

import asyncio
import logging

from checkins.ports import Clock
from community import tickets_waiting as waiting
from community.tickets_policy import CLOCK, ReplyClock
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 20.0


class TicketRounds:
    """Everything it does may be done twice."""

    def __init__(self, db: Database, clock: Clock, within: ReplyClock = CLOCK) -> None:
        self._db, self._clock, self._within = db, clock, within

    async def look(self) -> None:
        now = self._clock.now()
        if await self._db.view(lambda session: waiting.anything(session, now)):
            await self._db.run(lambda session: waiting.keep(session, now, self._within))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the tickets failed (%s); the next one follows")
