"""What /healthz finds out: a write that fails or hangs, a disk that is nearly full; and how soon it looks again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import checkins.tables  # noqa: F401 (the table that is written)
from console import health
from console.health import AGAIN_S, EVERY_S, ROOM, Writes
from storage.database import Base, Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/wenan.db")
    Base.metadata.create_all(database.engine, [Base.metadata.tables["neighbourhood"]])
    yield database
    database.close()


async def test_a_disk_that_is_nearly_full_is_wrong_though_a_small_write_succeeds(db: Database, tmp_path: Path) -> None:
    free, now = {tmp_path: ROOM, tmp_path / "data": ROOM - 1}, 0.0
    writes = Writes(db, [tmp_path / "data"], lambda: now, free.__getitem__)
    assert await writes.wrong() == "disk full: 63 MiB left"
    free[tmp_path / "data"] = ROOM
    assert await writes.wrong(), "not looked again yet"
    now += AGAIN_S
    assert await writes.wrong() == "", "sooner than after a good one"
    free[tmp_path] = 0
    now += AGAIN_S
    assert await writes.wrong() == ""
    now += EVERY_S
    assert await writes.wrong() == "disk full: 0 MiB left", "where the database lies, too"


async def test_a_write_that_fails_says_why(db: Database, tmp_path: Path) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA user_version")
    db.engine.dispose()
    (tmp_path / "wenan.db").write_bytes(b"no database " * 1000)
    assert (await Writes(db).wrong()).startswith("DatabaseError SQLITE_NOTADB at ")


async def test_a_write_that_hangs_takes_one_thread_however_often_one_asks(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WITHIN_S", 0.02)
    monkeypatch.setattr(health, "AGAIN_S", 0.0)
    begun, run = [], db.run

    async def counted(work: Callable[..., None]) -> None:
        begun.append(work)
        await run(work)

    monkeypatch.setattr(db, "run", counted)
    other, writes = sqlite3.connect(tmp_path / "wenan.db"), Writes(db)
    other.execute("BEGIN IMMEDIATE")
    try:
        told = [await writes.wrong() for _ in range(3)]
    finally:
        other.close()
    assert [each.split()[0] for each in told] == ["TimeoutError"] * 3
    assert len(begun) == 1
    monkeypatch.setattr(health, "WITHIN_S", 30.0)
    assert await asyncio.wait_for(writes.wrong(), 30) == ""
