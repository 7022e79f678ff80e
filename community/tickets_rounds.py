"""What follows for tickets by the passing of time: what is overdue has its item, what the line could not tell them in
time is told by a person, what they know closes when its time is over, and what a slower engine made of a recording
takes the place of what was understood during the call."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.ports import Clock
from community import readable
from community import tickets_intake as intake
from community import tickets_waiting as waiting
from community.intake import Spoken
from community.rounds import Texts
from community.tickets_policy import CLOCK, ReplyClock
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 20.0


class TicketRounds:
    """Everything it does may be done twice. `texts`: the second transcripts, where there are some."""

    def __init__(
        self, db: Database, clock: Clock, within: ReplyClock = CLOCK, texts: Texts = lambda _session, _calls: {}
    ) -> None:
        self._db, self._clock, self._within, self._texts = db, clock, within, texts

    async def look(self) -> None:
        now = self._clock.now()
        if await self._db.view(readable.tickets):
            await self._db.run(lambda session: readable.tell(session, readable.tickets, now))
        if await self._db.view(lambda session: waiting.anything(session, now)):
            await self._db.run(lambda session: waiting.keep(session, now, self._within))
        if await self._db.view(lambda session: self._fresh(session, now)):
            await self._db.run(lambda session: intake.better(session, self._fresh(session, now)))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the tickets failed (%s); the next one follows")

    def _fresh(self, session: Session, now: datetime) -> dict[str, Spoken]:
        """Texts that are newer than what stands here, by recording."""
        known = intake.young(session, now)
        found = self._texts(session, sorted({each.call_id for each in known})) if known else {}
        mine = {each.recording: each for each in known}
        return {path: text for path, text in found.items() if path in mine and intake.differs(mine[path], text)}
