"""What follows for complaints by the passing of time: what is overdue has its item, so has what can't be read, and what
a slower engine made of a recording takes the place of what was understood during the call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.ports import Clock
from community import intake, meeting_calls, readable, waiting
from community.intake import Spoken
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 60.0

Texts = Callable[[Session, Sequence[str]], Mapping[str, Spoken]]  # of these calls' recordings, by recording


class ComplaintRounds:
    """Everything it does may be done twice. `texts`: the second transcripts, where there are some."""

    def __init__(self, db: Database, clock: Clock, texts: Texts) -> None:
        self._db, self._clock, self._texts = db, clock, texts

    async def look(self) -> None:
        now = self._clock.now()
        if await self._db.view(readable.complaints):
            await self._db.run(lambda session: readable.tell(session, readable.complaints, now))
        if await self._db.view(lambda session: meeting_calls.late(session, now)):
            await self._db.run(lambda session: meeting_calls.keep(session, now))
        if await self._db.view(lambda session: waiting.late(session, now)):
            await self._db.run(lambda session: waiting.keep(session, now))
        if await self._db.view(lambda session: self._fresh(session, now)):
            await self._db.run(lambda session: intake.better(session, self._fresh(session, now)))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(self.look, stop, every_s, log, "a round of the complaints failed (%s); the next one follows")

    def _fresh(self, session: Session, now: datetime) -> dict[str, Spoken]:
        """Texts that are newer than what stands here."""
        known = intake.young(session, now)
        found = self._texts(session, sorted({each.call_id for each in known}))
        mine = {each.recording: (each.transcript, each.engine) for each in known}
        return {path: text for path, text in found.items() if path in mine and mine[path] != (text.text, text.engine)}
