"""The roster as a calendar: who is on duty, who is away, what nobody covers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from checkins.roster.tables import RosterDuty, RosterLeave, RosterOverride, RosterPair
from checkins.tables import Role
from console import roster_calendar, roster_view
from console.roster_calendar import AWAY, LACK, NOBODY, STANDS, Line
from tests.unit.checkins.world import DAY, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/w.db") as world:
        yield world


def _lines(world: World) -> dict[str, Line]:
    with world.db.read() as session:
        page = roster_view.look(session, None, "", world.clock.now())
    assert page is not None
    return {line.head: line for line in roster_calendar.calendar(page)}


def test_without_anybody_on_duty_each_day_says_so_in_words_and_colour(world: World) -> None:
    duty = _lines(world)["值班"]
    assert len(duty.cells) == roster_view.DAYS
    assert {(cell.text, cell.kind) for cell in duty.cells} == {(NOBODY, LACK)}


def test_leave_standing_in_and_what_they_leave_open(world: World) -> None:
    buddy, other = (world.elder(name, role=Role.BUDDY) for name in ("李梅", "周建平"))
    staff = world.elder("陈老师", role=Role.STAFF)
    elder = world.elder("王秀英", consents={"calls": True, "buddy": True})
    with world.db.write() as session:
        here = {"neighbourhood_id": world.place_id}
        session.add(RosterDuty(deputy_id=staff, **here))
        session.add(RosterPair(elder_id=elder, buddy_id=buddy, position=0, **here))
        away = {
            "begins": world.at("00:00", DAY + timedelta(days=2)),
            "ends": world.at("12:00", DAY + timedelta(days=4)),
        }
        session.add(RosterLeave(person_id=buddy, **away, **here))
        stands = {"begins": away["begins"], "ends": world.at("00:00", DAY + timedelta(days=3))}
        session.add(RosterOverride(person_id=other, instead_of=buddy, **stands, **here))
    lines = _lines(world)
    kinds = [cell.kind for cell in lines["李梅"].cells]
    assert kinds == ["", "", AWAY, AWAY, AWAY, *[""] * 9]
    stood = lines["周建平"].cells
    assert [cell.kind for cell in stood[:4]] == ["", "", STANDS, ""]
    assert stood[2].more == "替李梅"
    lacking = lines["老伙伴空缺"].cells
    assert [cell.kind for cell in lacking[:6]] == ["", "", "", LACK, LACK, ""]
    assert "王" in lacking[3].more
    assert {cell.text for cell in lines["值班"].cells} == {"陈老师"}  # the deputy, where there is no rotation
