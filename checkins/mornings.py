"""What is due at certain hours of every neighbourhood's day: the printable sheet before the round, again while the line
is down (it is the hand list then), and in the evening a word when tomorrow's calls don't fit on the lines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.pace import is_line_down
from checkins.planning import tomorrow_warning
from checkins.ports import Clock
from checkins.schedule import local_date
from checkins.sheet import write_sheets
from checkins.tables import Neighbourhood
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

EVERY_S = 60.0
SHEET_FROM_HOUR = 6  # two hours before the first calls: time to see that it is there
EVENING_FROM_HOUR = 18
ANEW_EVERY = timedelta(minutes=10)  # while the line is down: whoever prints sees who was reached meanwhile


class Mornings:
    """`say` tells the operator. Both duties may be done again at any time; a restart does what is still missing."""

    def __init__(self, db: Database, clock: Clock, folder: Path, lines: int, say: Callable[[str], None]) -> None:
        self._db, self._clock, self._folder, self._lines, self._say = db, clock, folder, lines, say
        self._sheets_of: set[tuple[int, date]] = set()
        self._written_at: datetime | None = None

    async def look(self) -> None:
        """One round: writes today's sheets if it is time and they are not there; warns in the evening."""
        now = self._clock.now()
        places = await self._db.view(lambda session: list(session.scalars(select(Neighbourhood))))
        due = {(place.id, local_date(place.timezone, now)) for place in places if _hour(place, now) >= SHEET_FROM_HOUR}
        if due - self._sheets_of or (due and await self._is_stale(now)):
            await write_sheets(self._db, self._folder, now)
            self._sheets_of, self._written_at = due, now
        if any(_hour(place, now) >= EVENING_FROM_HOUR for place in places):
            for warning in await self._db.view(lambda session: _warnings(session, now, self._lines)):
                self._say(warning)

    async def _is_stale(self, now: datetime) -> bool:
        fresh = self._written_at is not None and timedelta() <= now - self._written_at < ANEW_EVERY
        return not fresh and await self._db.view(lambda session: is_line_down(session, now))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Looks until `stop` is set. A round that fails is logged, and the next one follows."""
        await repeat(
            self.look, stop, every_s, log, "the morning sheet or the evening's look failed (%s); tried again soon"
        )


def _hour(place: Neighbourhood, now: datetime) -> int:
    return now.astimezone(ZoneInfo(place.timezone)).hour


def _warnings(session: Session, now: datetime, lines: int) -> list[str]:
    found = []
    for place in session.scalars(select(Neighbourhood)):
        if _hour(place, now) >= EVENING_FROM_HOUR:
            tomorrow = local_date(place.timezone, now) + timedelta(days=1)
            warning = tomorrow_warning(session, place, tomorrow, lines)
            found += [f"{tomorrow}, {place.name}: {warning}"] if warning else []
    return found
