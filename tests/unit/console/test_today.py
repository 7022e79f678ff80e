"""Today's page and the search: what stands where, and how long it takes with 4,000 elders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from checkins import cases, searches
from checkins.case_rows import select_cases
from checkins.planning import plan_day
from checkins.ports import Disposition
from checkins.results import LINE, Reason, Result, Status, Urgency
from checkins.roster.tables import RosterPair
from checkins.tables import Checkin, Neighbourhood, Person, Role
from console import find_view, today_view
from console.kept import Kept
from console.today_view import Today
from tests.unit.checkins.world import DAY, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/w.db") as world:
        yield world


def _today(world: World, kept: Kept | None = None) -> Today:
    with world.db.read() as session:
        return today_view.today(session, world.clock.now(), [], kept or Kept())


async def test_who_needs_a_person_stands_first_with_what_comes_next(world: World) -> None:
    buddy = world.elder("李梅", role=Role.BUDDY, number="+8613800000001")
    missed = world.elder("张桂兰", slot=8 * 60, consents={"calls": True, "buddy": True})
    silent, well, later = world.elder("王秀英", slot=8 * 60), world.elder("李建国", slot=8 * 60), world.elder("赵阿英")
    with world.db.write() as session:
        session.add(RosterPair(neighbourhood_id=world.place_id, elder_id=missed, buddy_id=buddy, position=0))
    await world.to("08:00")
    await world.ends(silent, "silent", "none")
    await world.ends(well, "well")
    await world.ends(missed, Disposition.NO_ANSWER)
    for clock in ("08:20", "09:05"):
        await world.to(clock)
        await world.ends(missed, Disposition.NO_ANSWER)
    page = _today(world)
    assert [row.name for row in page.waiting] == ["张桂兰", "王秀英"]
    coming = page.next[world.row(missed).checkin_id]
    assert coming.said is not None
    assert coming.said.zh == "打电话给李梅（老伙伴）"
    assert [line.name for line in page.done.lines] == ["李建国"]
    assert [line.name for line in page.running.lines] == [world.row(later).name]
    await world.cycle.tick()  # the buddy is rung
    coming = _today(world).next[world.row(missed).checkin_id]
    assert coming.said is not None
    assert coming.said.zh == "正在打给李梅"


async def test_who_is_taken_over_stands_apart(world: World) -> None:
    elder = world.elder(slot=8 * 60)
    await world.to("08:00")
    await world.ends(elder, "silent", "none")
    with world.db.write() as session:
        cases.take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    page = _today(world)
    assert (page.waiting, [row.owner for row in page.taken]) == ((), ["李老师"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("桂兰", True),
        ("张阿婆", True),
        ("021-1000 0001", True),
        ("10000001", True),
        ("3号楼", True),
        ("三号楼502", True),
        ("曹杨一村", True),
        ("13号楼", False),
        ("13", False),
        ("3", True),
        ("李", False),
        ("%", False),
        ("1000", True),
    ],
)
def test_a_name_a_number_or_a_building_finds_them(asked: str, found: bool) -> None:
    row = SimpleNamespace(name="张桂兰", spoken_name="张阿婆", number="+862110000001", address="曹杨一村三号楼502室")
    assert find_view.matches(asked, row) == found


async def test_nobody_is_found_for_nothing_and_buddies_are_no_elders(world: World) -> None:
    world.elder("李梅", role=Role.BUDDY)
    world.elder("李建国", slot=8 * 60)
    await world.to("08:00")
    with world.db.read() as session:
        now = world.clock.now()
        assert find_view.find(session, "  ", now).found == ()
        found = find_view.find(session, "李", now).found
    assert [(one.name, one.elder, one.line is not None) for one in found] == [
        ("李建国", True, True),
        ("李梅", False, False),
    ]


def _town(world: World, elders: int) -> None:
    """A morning half over: 60 need a person, about half are done, the others are ahead."""
    now = world.clock.now()
    with world.db.write() as session:
        place = session.get_one(Neighbourhood, world.place_id)
        shared = {"neighbourhood_id": place.id, "spoken_name": "王阿婆", "consents": {"calls": True, "buddy": True}}
        people = [{**shared, "id": f"{at:036}", "name": f"王{at}", "number": f"+8621{at:08d}"} for at in range(elders)]
        buddies = [{**one, "id": f"b{at:035}", "role": Role.BUDDY} for at, one in enumerate(people[: elders // 5])]
        session.execute(insert(Person), people[:3])
        plan_day(session, place, DAY, now, 6)
        session.execute(insert(Person), people[3:])
        session.execute(insert(Person), buddies)
        pairs = [
            {"neighbourhood_id": place.id, "elder_id": one["id"], "buddy_id": buddies[at // 5]["id"], "position": 0}
            for at, one in enumerate(people)
        ]
        session.execute(insert(RosterPair), pairs)
        missed, unwell, ahead = session.scalars(select_cases().order_by(Checkin.id))
        searches.need(session, missed, Reason.UNREACHED, Urgency.UNREACHED, now)
        searches.need(session, unwell, Reason.NOT_WELL, Urgency.SOON, now)
        session.flush()
        well = {"status": Status.CLOSED, "result": Result.WELL, "evidence": "key", "due_at": None, "closed_by": LINE}
        kinds = [_columns(missed), _columns(unwell), _columns(ahead), _columns(ahead) | well]
        session.execute(
            insert(Checkin),
            [
                kinds[at % 2 if at < 60 else 2 + at % 2] | {"elder_id": people[at]["id"], "closed_at": now}
                for at in range(3, elders)
            ],
        )


def _columns(row: Checkin) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in Checkin.__table__.columns if column.key != "id"}


def test_4000_elders_are_looked_through_in_no_time(world: World) -> None:
    """The page takes 80 ms on one core, and is promised within 200; the bound here is for a machine that others use."""
    world.clock.advance_to(world.at("09:30"))
    _town(world, 4000)
    kept = Kept()
    _today(world, kept)  # the rosters are loaded, once
    took = []
    for _ in range(3):
        begun = time.process_time()
        page = _today(world, kept)
        took.append(time.process_time() - begun)
    assert min(took) < 0.4
    assert (len(page.waiting), page.more_waiting, page.running.more, page.done.more) == (40, True, True, True)
    assert len(page.next) == 40
    assert page.waiting[0].urgency is Urgency.UNREACHED
    with world.db.read() as session:
        places = session.scalars(select(Neighbourhood)).all()
        begun = time.process_time()
        second = today_view.done(session, places, world.clock.now(), 100, 100)
        assert time.process_time() - begun < 0.4
    assert (len(second.lines), second.more) == (100, True)
