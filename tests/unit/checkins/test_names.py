"""Only a name: the same rule wherever somebody says who they are, and what they found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from checkins import alarms, auditor, cases, devices, fast_clock, items, people, pins
from checkins.devices import DeviceKind
from checkins.names import is_name, named, says_something
from checkins.roster import edits
from checkins.tables import Checkin, State
from console.routes import wrong_finding
from tests.unit.checkins.world import World

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
NOBODY = ["", " ", "\u200b", "\u3164", "\u2800", "…", "👍", "line", " LINE ", "li\u200bne", "ｌｉｎｅ"]


def _elder(session: Session) -> str:
    return session.get_one(Checkin, 1).elder_id


_ACTS: dict[str, Callable[[Session, str], object]] = {
    "takes over": lambda session, by: cases.take_over(session, 1, by, NOW),
    "closes": lambda session, by: cases.close_case(session, 1, by, "人没事", NOW),
    "acknowledges": lambda session, by: alarms.acknowledge(session, 1, by, NOW),
    "has done an item": lambda session, by: items.done(session, 1, by, NOW),
    "sets a PIN": lambda session, by: pins.set_pin(session, "nobody", "480317", by, NOW),
    "unlocks a PIN": lambda session, by: pins.unlock(session, "nobody", by, NOW),
    "sets a state": lambda session, by: people.set_state(session, "nobody", State.DIED, by, NOW),
    "sets the clock right": lambda session, by: fast_clock.accept(session, by, NOW),
    "adds a device": lambda session, by: devices.add(session, _elder(session), DeviceKind.SMOKE, by, NOW),
    "changes the roster": lambda session, by: edits.set_street(session, 1, "街道", "021-12345678", by, NOW),
}


@pytest.mark.parametrize("by", NOBODY)
def test_what_nobody_can_read_is_no_name(by: str) -> None:
    assert not is_name(by)


@pytest.mark.parametrize("by", ["陈老师", " Chen ", "3号", "مريم", "line 2", "\u200b陈老师\u200b"])
def test_a_name_is_kept_as_it_is_read(by: str) -> None:
    assert named(by) == by.strip("\u200b ")


@pytest.mark.parametrize("what", _ACTS)
@pytest.mark.parametrize("by", ["", "\u200b", "li\u200bne"])
async def test_nothing_is_done_without_a_name(world: World, what: str, by: str) -> None:
    world.elder(slot=480)
    await world.to("08:00")
    with pytest.raises(ValueError, match="say who"), world.db.write() as session:
        _ACTS[what](session, by)


@pytest.mark.parametrize("finding", ["", "\u200b", "。", "——"])
async def test_no_case_is_closed_without_words(world: World, finding: str) -> None:
    world.elder(slot=480)
    await world.to("08:00")
    assert not says_something(finding)
    assert wrong_finding(finding)
    with pytest.raises(ValueError, match="say what was found"), world.db.write() as session:
        cases.close_case(session, 1, "陈老师", finding, NOW)


@pytest.mark.parametrize("by", ["\u200b", "…", "\u3164"])
async def test_a_case_closed_by_nobody_is_late(world: World, by: str) -> None:
    world.elder(slot=480)
    await world.to("08:00")
    with world.db.write() as session:
        row = session.get_one(Checkin, 1)
        row.status, row.closed_by, row.due_at = "closed", by, None
    with world.db.read() as session:
        assert [one.checkin_id for one in auditor.late(session, world.clock.now() + timedelta(minutes=1))] == [1]
