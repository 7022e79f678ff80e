"""A database that refuses what it is given: the log tells that, and nobody's name, number or words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, text

from checkins.mornings import Mornings
from checkins.watch import Watch
from tests.unit.checkins.world import World

SECRETS = ("王秀英", "王阿婆", "2110000", "曹杨", "\\u")


def full(world: World) -> None:
    """As on a full disk: no page can be added (SQLite)."""

    @event.listens_for(world.db.engine, "connect")
    def _limit(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={pages}")

    world.db.engine.dispose()


def refused(world: World) -> None:
    """An intent breaks a rule of the database. PostgreSQL tells the whole row that did."""
    rule = "ALTER TABLE call_intent ADD CONSTRAINT none CHECK (number = '')"
    if world.db.sqlite:
        rule = "CREATE TRIGGER none BEFORE INSERT ON call_intent BEGIN SELECT RAISE(ABORT, 'refused'); END"
    with world.db.write() as session:
        session.execute(text(rule))


async def rounds(world: World) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(world.cycle.run(stop, every_s=0.01))
    await asyncio.sleep(0.2)
    stop.set()
    await running


def nothing_told(log: pytest.LogCaptureFixture) -> None:
    assert not [secret for secret in SECRETS if secret in log.text]
    log.clear()


async def test_an_intent_that_breaks_a_rule(any_world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    any_world.elder()
    await any_world.cycle.plan()
    refused(any_world)
    any_world.clock.advance_to(any_world.at("09:00"))
    await rounds(any_world)
    assert "a round of the cycle failed (IntegrityError " in caplog.text
    assert any_world.placer.requests == []
    nothing_told(caplog)


async def test_a_disk_without_room_for_the_intents(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for _ in range(80):
        world.elder(spoken_name="王阿婆" * 20)
    world.limits |= {"lines": 90}
    cycle = world.cycle = world.another_cycle("cycle-2")
    await cycle.plan()
    full(world)
    world.clock.advance_to(world.at("12:00"))
    await rounds(world)
    assert "a round of the cycle failed (OperationalError SQLITE_ERROR at " in caplog.text
    nothing_told(caplog)


async def test_what_others_say_of_an_error_is_not_repeated(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    elder, stop = world.elder(), asyncio.Event()
    await world.cycle.plan()
    world.placer.answers[world.person(elder).number or ""].append(RuntimeError("王阿婆 at +862110000001"))
    await world.to("09:00")

    async def fails(_look: Callable[..., object]) -> None:
        asyncio.get_running_loop().call_later(0.05, stop.set)
        raise OSError(f"DETAIL: Failing row contains ({elder}, 王秀英, +862110000001)")

    monkeypatch.setattr(world.db, "view", fails)
    monkeypatch.setattr(world.db, "run", fails)
    watch = Watch(world.db, world.clock, tmp_path / "heartbeat")
    mornings = Mornings(world.db, world.clock, tmp_path, 6, lambda note: None)
    await asyncio.gather(watch.run(stop, 0.01), mornings.run(stop, 0.01))
    for said in ("failed (RuntimeError at world.py", "auditor failed (OSError", "evening's look failed (OSError"):
        assert said in caplog.text
    nothing_told(caplog)
