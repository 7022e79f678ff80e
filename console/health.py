"""Whether the line can still write: a database that only reads looks well until somebody cries for help."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from checkins.watch import touch
from storage.database import Database
from storage.faults import where

EVERY_S = 10.0  # whoever asks more often hears the same again
WITHIN_S = 3.0


class Writes:
    """Writes something now and then, when asked. Safe to ask at once from many sides."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db, self._clock = db, clock
        self._lock = asyncio.Lock()
        self._tried: float | None = None
        self._wrong = ""

    async def wrong(self) -> str:
        """What was wrong at the last try, which is at most 10 s ago; "" when it succeeded."""
        async with self._lock:
            if self._tried is None or not 0 <= self._clock() - self._tried < EVERY_S:
                self._wrong = await self._try()
                self._tried = self._clock()
        return self._wrong

    async def _try(self) -> str:
        try:
            await asyncio.wait_for(self._db.run(touch), WITHIN_S)
        except Exception as error:
            return where(error)
        return ""
