"""One database, SQLite or PostgreSQL. Sync SQLAlchemy sessions run in worker threads, never on the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

T = TypeVar("T")

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All rooms' tables share one metadata, so that one migration history covers them."""

    metadata = MetaData(naming_convention=_NAMES)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as integer milliseconds since 1970 (so that SQL can do arithmetic with it in
    both databases). Refuses naive datetimes with ValueError."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_millis(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_millis(value)


def to_millis(value: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime; ValueError when it is naive."""
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: pass an aware one (UTC)")
    return round(value.timestamp() * 1000)


def from_millis(value: int) -> datetime:
    """The aware UTC datetime of integer milliseconds since 1970."""
    return datetime.fromtimestamp(value / 1000, UTC)


class Database:
    """Opens the database and hands out sessions.

    `write()` begins IMMEDIATE on SQLite (read-then-write never deadlocks); `read()` is a plain transaction.
    `await run(fn)` runs `fn(session)` inside `write()` on a worker thread. `await browse(fn)` is a `view` for pages, on
    threads of their own: however many pages are read, no webhook, no round and no act queues behind them.
    """

    def __init__(self, url: str, *, workers: int = 4, readers: int = 2) -> None:
        self.url = url
        self.engine = _engine(url)
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="db")
        self._pages = ThreadPoolExecutor(max_workers=readers, thread_name_prefix="pages")

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write: commits at the end, rolls back on an exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if self.sqlite:
                session.connection(execution_options={"wenan_begin": "IMMEDIATE"})
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only view; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    async def run(self, work: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._work, work)

    async def view(self, look: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._look, look)

    async def browse(self, look: Callable[[Session], T]) -> T:
        here = copy_context()  # who asks (console/visiting.py) is known to what is made there, too
        return await asyncio.get_running_loop().run_in_executor(self._pages, here.run, self._look, look)

    def close(self) -> None:
        for pool in (self._pages, self._pool):
            pool.shutdown(wait=True)
        self.engine.dispose()

    def _work(self, work: Callable[[Session], Any]) -> Any:
        with self.write() as session:
            return work(session)

    def _look(self, look: Callable[[Session], Any]) -> Any:
        with self.read() as session:
            return look(session)


def _engine(url: str) -> Engine:
    # Parameters are names, numbers and what was said: an error must not tell them to the log.
    sqlite = url.startswith("sqlite")
    engine = create_engine(url, pool_pre_ping=not sqlite, hide_parameters=True, json_deserializer=_read_json)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _read_json(document: str) -> Any:
    """Somebody's slip in a document that they wrote by hand must not keep all rows beside it from being read: whoever
    asks for an entry finds none, whoever checks the document finds one that doesn't belong."""
    try:
        return json.loads(document)
    except ValueError:
        return {"not JSON": True}


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=10000")
    _wal(cursor)
    # secure_delete: what is deleted is overwritten, so that it is not found in pages that are free.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@retry(
    retry=retry_if_exception(lambda error: "locked" in str(error)),
    stop=stop_after_delay(10),
    wait=wait_fixed(0.05),
    reraise=True,
)
def _wal(cursor: Any) -> None:
    """A new file is switched to WAL once; SQLite does not wait for another process that is doing the same."""
    cursor.execute("PRAGMA journal_mode=WAL")


def _sqlite_begin(connection: Any) -> None:
    mode = connection.get_execution_options().get("wenan_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
