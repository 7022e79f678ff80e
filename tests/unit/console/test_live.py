"""What pages are told of a change: topics and ids, soon, by one watcher for all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from checkins import alarms, items
from checkins.alarms import Kind
from checkins.items import ItemKind
from console import live as live_module
from console.live import ALL, Live, Seen, end_of_logs, look
from ivr.records import Call, CallEvent
from tests.unit.checkins.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/wenan.db") as world:
        yield world


def new(world: World, seen: Seen) -> tuple[Seen, set[str]]:
    with world.db.read() as session:
        return look(session, seen)


async def test_what_is_there_at_the_first_look_is_not_new_and_what_comes_is_told_once(world: World) -> None:
    elder = world.elder("王秀英")
    await world.to("08:00")
    seen, topics = new(world, Seen())
    assert topics == set()
    await world.ends(elder, "silent", "none")
    seen, topics = new(world, seen)
    assert {"cases", f"case-{world.row(elder).checkin_id}", "lines"} <= topics
    assert "王秀英" not in str(topics)
    assert new(world, seen)[1] == set()


def test_what_kind_of_line_a_call_s_log_got_is_told(world: World) -> None:
    with world.db.write() as session:
        session.add(Call(id="one", number="+862110000001", order={}, ordered_at=world.clock.now()))
    seen, _ = new(world, Seen())
    with world.db.write() as session:
        session.add(CallEvent(call_id="one", at=world.clock.now(), kind="stored", detail={"recording": "x.ulaw"}))
    assert new(world, seen)[1] == {"calls", "calls:stored", "call-one"}


def test_what_is_changed_in_place_is_told(world: World) -> None:
    now = world.clock.now()
    elder = world.elder("王秀英")
    seen, _ = new(world, Seen())
    with world.db.write() as session:
        item = items.open_item(session, ItemKind.RANG_IN, now, neighbourhood_id=1, person_id=elder)
    seen, topics = new(world, seen)
    assert topics == {"items"}
    with world.db.write() as session:
        items.done(session, item.id, "李老师", now)
        alarms.raise_alarm(session, Kind.TEST, "演习", now)
    assert new(world, seen)[1] == {"items", "alarms"}


async def test_a_row_that_becomes_visible_after_a_later_one_is_told_too(world: World) -> None:
    """PostgreSQL gives numbers when rows are written, and shows them when they are committed."""
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "silent", "none")
    seen, _ = new(world, Seen())
    newest = max(seen.logs["cases"])
    missed = Seen({**seen.logs, "cases": seen.logs["cases"] - {newest - 1}}, seen.states)
    assert "cases" in new(world, missed)[1]


async def test_pages_hear_of_it_by_one_watcher_and_a_house_that_closes_ends_their_streams(world: World) -> None:
    live = Live(world.db, every_s=0.005, calm_s=0)
    elder = world.elder()
    await world.to("08:00")
    async with asyncio.timeout(20), aclosing(live.events()) as first, aclosing(live.events()) as second:
        assert await anext(first) == await anext(second) == "retry: 2000\n\n"
        heard = asyncio.gather(topic(first, "cases"), topic(second, "cases"))
        await until_watching(live)
        await world.ends(elder, "silent", "none")
        await heard
        live.say("open-7")
        assert await topic(first, "open-7")
        live.close()
        assert [line async for line in first if "data" not in line] == []
    assert not live._listeners


async def topic(stream: AsyncIterator[str], wanted: str) -> bool:
    async for line in stream:
        if line.startswith("data: ") and wanted in json.loads(line.removeprefix("data: ")):
            return True
    return False


async def until_watching(live: Live) -> None:
    while not live._seen.logs:
        await asyncio.sleep(0.005)


async def test_who_may_not_see_any_more_is_told_nothing_more(world: World) -> None:
    live = Live(world.db)

    async def gone() -> bool:
        return False

    async with asyncio.timeout(20):
        assert [line async for line in live.events(gone)] == ["retry: 2000\n\n"]
    live.close()


async def test_a_stream_in_which_nothing_happens_ends_within_seconds_for_who_may_not_see_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LOOK_S", 0.01)
    live, asked = Live(world.db), 0

    async def for_a_while() -> bool:
        nonlocal asked
        asked += 1
        return asked < 5

    async with asyncio.timeout(10):
        assert [line async for line in live.events(for_a_while)] == ["retry: 2000\n\n"]
    assert live_module.LOOK_S < live_module.PING_S
    live.close()


async def test_a_stream_in_which_nothing_happens_says_that_it_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LOOK_S", 0.01)
    monkeypatch.setattr(live_module, "PING_S", 0.03)
    live = Live(world.db)
    async with asyncio.timeout(10), aclosing(live.events()) as stream:
        assert await anext(stream) == "retry: 2000\n\n"
        assert await anext(stream) == await anext(stream) == ": still here\n\n"
    live.close()


async def test_a_page_is_told_first_what_came_between_it_and_its_stream_and_nothing_when_nothing_did(
    world: World,
) -> None:
    live = Live(world.db, every_s=0.005, calm_s=0)
    with world.db.read() as session:
        seen = end_of_logs(session)
    async with asyncio.timeout(20), aclosing(live.events(seen=seen)) as stream:
        await anext(stream)
        heard = asyncio.ensure_future(anext(stream))
        await until_watching(live)
        live.say("first")
        told = await heard
    assert "first" in told
    assert ALL not in told
    live.close()
    with world.db.write() as session:
        items.open_item(session, ItemKind.RANG_IN, world.clock.now(), neighbourhood_id=1)
    later = Live(world.db, every_s=0.005, calm_s=0)
    async with asyncio.timeout(20), aclosing(later.events(seen=seen)) as stream:
        assert await topic(stream, ALL)
    later.close()
