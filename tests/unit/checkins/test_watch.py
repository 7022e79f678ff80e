"""The auditor's round: who is late is said, not too often, by id; and the sign of its own life."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from checkins.watch import Watch
from tests.unit.checkins.world import World


async def test_a_late_elder_is_raised_once_in_ten_minutes_by_id(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elder = world.elder(slot=8 * 60)
    await world.cycle.plan()
    watch = Watch(world.db, world.clock, tmp_path / "data" / "heartbeat")
    world.clock.advance_to(world.at("08:02"))
    assert await watch.look() == ()
    for _ in range(21):  # the cycle is dead: minute after minute nothing happens
        world.clock.advance(minutes=1)
        await watch.look()
    assert [item.elder_id for item in watch.late] == [elder]
    assert caplog.text.count(f"late: elder {elder}") == 3
    assert "王" not in caplog.text
    caplog.clear()
    await world.cycle.tick()
    assert await watch.look() == ()
    assert (tmp_path / "data" / "heartbeat").read_text() == f"{world.clock.now().isoformat()}\n"
    assert watch.last_run == world.clock.now()


async def test_a_round_that_fails_gives_no_sign_of_life_and_the_next_one_follows(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, stop = Watch(world.db, world.clock, tmp_path / "heartbeat"), asyncio.Event()
    view, rounds = world.db.run, []

    async def fails_once(look: object) -> object:
        rounds.append(os.path.exists(tmp_path / "heartbeat"))
        if len(rounds) == 1:
            raise OSError("no disk")
        stop.set()
        return await view(look)  # type: ignore[arg-type]

    monkeypatch.setattr(world.db, "run", fails_once)
    await asyncio.wait_for(watch.run(stop, every_s=0.001), 10)
    assert rounds == [False, False]
    assert (tmp_path / "heartbeat").exists()
    assert "a round of the auditor failed" in caplog.text
    caplog.clear()


async def test_a_heartbeat_that_cannot_be_written_stops_no_round(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(world.db, world.clock, tmp_path)  # a folder: writing fails
    assert await watch.look() == ()
    assert "heartbeat file can't be written: Is a directory" in caplog.text
    caplog.clear()
