"""The auditor's round: who is late is said, not too often, by id; and the sign of its own life."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from checkins.alarm_signs import House
from checkins.alarms import Kind, open_alarms
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
    assert len(rounds) > 1
    assert not any(rounds), "no sign of life before all of a round is done"
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


async def test_three_failed_rounds_in_a_row_cry_for_help_without_the_database(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cried: list[tuple[str, str]] = []
    stop, rounds = asyncio.Event(), 0

    async def cry(kind: str, text: str) -> None:
        cried.append((kind, text))
        stop.set()

    async def away(_work: object) -> object:
        nonlocal rounds
        rounds += 1
        raise OSError("no disk")

    monkeypatch.setattr(world.db, "run", away)
    watch = Watch(world.db, world.clock, tmp_path / "heartbeat", cry=cry)
    await asyncio.wait_for(watch.run(stop, every_s=0.001), 10)
    assert (rounds, [kind for kind, _ in cried]) == (3, [Kind.DATABASE])
    caplog.clear()


async def test_what_a_round_sees_becomes_an_alarm_and_the_sign_of_life_goes_off_the_machine(
    world: World, tmp_path: Path
) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1

    full = House(free=1)
    watch = Watch(world.db, world.clock, tmp_path / "heartbeat", house=lambda session, now: full, beat=beat)
    await watch.look()
    with world.db.read() as session:
        assert [alarm.kind for alarm in open_alarms(session)] == [Kind.DISK]
    assert beats == 1
