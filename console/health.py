"""Whether the line can still write: a database that only reads looks well until somebody cries for help, and one small
write succeeds on a disk that has no room for the next call."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import make_url

from checkins.watch import touch
from storage.database import Database
from storage.faults import where

EVERY_S = 10.0  # whoever asks more often hears the same again
AGAIN_S = 2.0  # while something is wrong
WITHIN_S = 3.0
ROOM = 64 * 2**20  # bytes: a dozen calls of ten minutes, or a morning's rows


class Writes:
    """Writes something now and then, when asked, and looks for room in `folders` and the database's. Safe to ask at
    once from many sides."""

    def __init__(
        self,
        db: Database,
        folders: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._db, self._clock, self._free = db, clock, free
        self._folders = tuple(dict.fromkeys([*_own(db), *folders]))
        self._lock = asyncio.Lock()
        self._writing: asyncio.Future[None] | None = None
        self._tried: float | None = None
        self._wrong = ""

    async def wrong(self) -> str:
        """What was wrong at the last try, which is at most 10 s ago (2 s, when it failed); "" when it succeeded."""
        async with self._lock:
            every_s = AGAIN_S if self._wrong else EVERY_S
            if self._tried is None or not 0 <= self._clock() - self._tried < every_s:
                self._wrong = await self._try()
                self._tried = self._clock()
        return self._wrong

    async def _try(self) -> str:
        """A write that hangs is waited for again: a second one would only take another of the few threads."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._db.run(touch))
            self._writing.add_done_callback(_asked)
        try:
            await asyncio.wait_for(asyncio.shield(self._writing), WITHIN_S)
            return await asyncio.wait_for(asyncio.to_thread(self._full), WITHIN_S)
        except Exception as error:
            return where(error)

    def _full(self) -> str:
        for folder in self._folders:
            if (free := self._free(folder)) < ROOM:
                return f"disk full: {free // 2**20} MiB left"
        return ""


def _own(db: Database) -> list[Path]:
    file = make_url(db.url).database if db.sqlite else None
    return [Path(file).parent] if file and file != ":memory:" else []


def _asked(done: asyncio.Future[None]) -> None:
    """Its error is told by whoever asks next, or by nobody."""
    if not done.cancelled():
        done.exception()
