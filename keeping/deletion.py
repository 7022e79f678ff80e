"""The deletion of all that is due: an intent first, then by the batch, resumable; two at once do no harm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keeping import due_files, due_rows
from keeping.periods import FILES, ROWS, Period
from keeping.tables import KeepRun
from storage.database import Database
from storage.rounds import repeat

log = logging.getLogger(__name__)

LINE = "line"
LEASE = timedelta(minutes=10)
EVERY = timedelta(hours=20)
GAP = timedelta(
    days=8
)  # since the last one: a clock that is fast, or a machine that was off, deletes nothing by itself
EVERY_S = 600.0
WAITS = (
    "deletion on time waits for a name: nothing was deleted yet, or not for over a week, and data is due. Is the clock "
    "right? Look at `keep due`, then: keep run --by NAME"
)


@dataclass(frozen=True)
class Due:
    """How much of one kind is to be deleted now."""

    kind: str
    days: int
    what: str
    count: int


def due(session: Session, data: Path, now: datetime) -> list[Due]:
    """All kinds, also those of which nothing is due."""
    stays = due_files.held(session, now)
    files = [Due(one.kind, one.days, one.folder, sum(1 for _ in due_files.due(data, one, now, stays))) for one in FILES]
    return files + [
        Due(one.kind, one.days, _what(one.table, one.blank), due_rows.count(session, one, now)) for one in ROWS
    ]


def _what(table: str, columns: tuple[str, ...]) -> str:
    return f"{table}: {', '.join(columns)}" if columns else table


def last(session: Session) -> KeepRun | None:
    return session.scalar(select(KeepRun).order_by(KeepRun.id.desc()).limit(1))


def claim(session: Session, by: str, now: datetime) -> KeepRun | None:
    """The run to work on: one that broke off, or a new one. None: somebody else is at it."""
    found = last(session)
    if found is not None and found.ended_at is None:
        if found.lease_until > now:
            return None
        taken = update(KeepRun).where(KeepRun.id == found.id, KeepRun.lease_until == found.lease_until)
        mine = session.execute(taken.values(lease_until=now + LEASE)).rowcount  # type: ignore[attr-defined]
        return found if mine else None
    run = KeepRun(began_at=now, by=by[:100], lease_until=now + LEASE, rows=0, files=0)
    session.add(run)
    session.flush()
    return run


class Deletion:
    """`data`: DATA_DIR. `say` tells the operator."""

    def __init__(self, db: Database, now: Callable[[], datetime], data: Path, say: Callable[[str], None]) -> None:
        self._db, self._now, self._data, self._say = db, now, data, say

    async def look(self) -> None:
        """Once a day. The first time, and after a gap, only if nothing is due: else a person looks first."""
        now = self._now()
        before = await self._db.view(last)
        if before is not None and before.ended_at is not None and timedelta() <= now - before.began_at < EVERY:
            return
        steady = before is not None and timedelta() <= now - before.began_at < GAP
        if not steady and await self._db.view(lambda session: any(one.count for one in due(session, self._data, now))):
            self._say(WAITS)
            return
        await self.run(LINE)

    async def run(self, by: str) -> KeepRun | None:
        """All that is due. None: somebody else is at it. What can't be deleted raises, and the next round goes on."""
        run = await self._db.run(lambda session: claim(session, by, self._now()))
        if run is None:
            return None
        await self._files(run)
        for period in ROWS:
            await self._rows(run, period)
        await self._db.run(lambda session: self._note(session, run, ended_at=self._now()))
        await asyncio.to_thread(self._out_of_the_log)
        log.info("deletion on time: run %d is done", run.id)
        return await self.run(by) if self._now() - run.began_at >= EVERY else run  # it had broken off days ago

    async def _rows(self, run: KeepRun, period: Period) -> None:
        gone = 1
        while gone:  # a batch is a transaction: calls go on between two
            gone = await self._db.run(lambda session: self._some(session, run, period))

    def _some(self, session: Session, run: KeepRun, period: Period) -> int:
        gone = due_rows.delete_some(session, period, run.began_at)
        if gone:
            self._note(session, run, rows=KeepRun.rows + gone)
        return gone

    async def _files(self, run: KeepRun) -> None:
        stays = await self._db.view(lambda session: due_files.held(session, run.began_at))
        gone = await asyncio.to_thread(self._unlink, run.began_at, stays)
        await self._db.run(lambda session: self._note(session, run, files=KeepRun.files + gone))

    def _unlink(self, now: datetime, stays: due_files.Held) -> int:
        gone = 0
        for kind in FILES:
            for file in due_files.due(self._data, kind, now, stays):
                file.unlink(missing_ok=True)
                gone += 1
        return gone

    def _note(self, session: Session, run: KeepRun, **values: object) -> None:
        values = {"lease_until": self._now() + LEASE, **values}
        session.execute(update(KeepRun).where(KeepRun.id == run.id).values(**values))

    def _out_of_the_log(self) -> None:
        """SQLite's write-ahead log still holds what was written once."""
        if self._db.sqlite:
            with self._db.engine.connect() as connection:
                driver = connection.connection.dbapi_connection
                assert driver is not None
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def rounds(self, stop: asyncio.Event) -> None:
        await repeat(self.look, stop, EVERY_S, log, "deletion on time failed (%s); it goes on in ten minutes")
