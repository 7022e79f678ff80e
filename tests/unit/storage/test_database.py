"""One database for all: how it is opened, what it refuses, who waits for whom."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from storage.database import Database, UtcTime, from_millis, to_millis
from tests.conftest import shipped_engine

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
rows = Table("row", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcTime))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/wenan.db")
    rows.create(database.engine)
    yield database
    database.close()


def test_sqlite_is_opened_so_that_nothing_said_is_lost(tmp_path: Path) -> None:
    with shipped_engine(f"sqlite:///{tmp_path}/wenan.db").connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    assert Database(f"sqlite:///{tmp_path}/wenan.db").sqlite


def test_a_writer_holds_the_lock_from_its_first_moment(db: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "wenan.db", timeout=0, isolation_level=None)
    try:
        with db.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with db.read() as session:
            session.execute(select(rows)).all()
            other.execute("BEGIN IMMEDIATE")  # a reader holds up no writer
            other.execute("ROLLBACK")
    finally:
        other.close()


def test_two_writers_that_read_first_never_lose_a_count(db: Database) -> None:
    """Read, then write, from two threads at once: BEGIN IMMEDIATE makes one wait instead of failing or overwriting."""
    with db.write() as session:
        session.execute(insert(rows).values(id=1, at=NOON))
    together, failures = threading.Barrier(2), []

    def count() -> None:
        together.wait()
        try:
            for _ in range(20):
                with db.write() as session:
                    seen = session.execute(select(rows.c.at)).scalar_one()
                    session.execute(update(rows).values(at=seen + timedelta(seconds=1)))
        except OperationalError as error:
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with db.read() as session:
        assert session.execute(select(rows.c.at)).scalar_one() == NOON + timedelta(seconds=40)


async def test_an_exception_undoes_the_whole_transaction(db: Database) -> None:
    def twice(session: Session) -> None:
        session.execute(insert(rows).values(id=1, at=NOON))
        session.execute(insert(rows).values(id=1, at=NOON))

    with pytest.raises(IntegrityError):
        await db.run(twice)
    with db.read() as session:
        assert session.execute(select(rows)).all() == []


def test_a_naive_time_is_refused_and_nothing_is_written(db: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"), db.write() as session:
        session.execute(insert(rows).values(id=1, at=datetime(2026, 3, 2, 4, 0)))  # noqa: DTZ001
    with db.read() as session:
        assert session.execute(select(rows)).all() == []


def test_a_time_of_any_zone_comes_back_as_the_same_moment_in_utc(db: Database) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    with db.write() as session:
        session.execute(insert(rows).values(id=1, at=shanghai))
        session.execute(insert(rows).values(id=2, at=None))
    with db.read() as session:
        first, second = session.execute(select(rows.c.at).order_by(rows.c.id)).scalars()
        raw = session.execute(text("SELECT at FROM row WHERE id = 1")).scalar()
    assert (first, first.tzinfo, second) == (NOON, UTC, None)
    assert raw == 1772424000000


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_milliseconds_keep_every_moment_to_the_millisecond(moment: datetime) -> None:
    assert abs(from_millis(to_millis(moment)) - moment.astimezone(UTC)) <= timedelta(milliseconds=0.5001)
    assert to_millis(from_millis(to_millis(moment))) == to_millis(moment)


async def test_work_runs_off_the_event_loop(db: Database) -> None:
    here = threading.current_thread().name
    assert await db.run(lambda session: threading.current_thread().name) != here
    assert (await db.view(lambda session: threading.current_thread().name)).startswith("db")


async def test_twenty_slow_pages_leave_every_act_and_webhook_prompt(db: Database) -> None:
    ready = threading.Event()
    pages = [asyncio.ensure_future(db.browse(lambda session: ready.wait(30))) for _ in range(20)]
    try:
        async with asyncio.timeout(10):
            for _ in range(8):
                await db.run(lambda session: session.execute(insert(rows).values(at=NOON)))
            assert len(await db.view(lambda session: session.execute(select(rows)).all())) == 8
        assert not any(page.done() for page in pages)
    finally:
        ready.set()
        assert all(await asyncio.gather(*pages))
