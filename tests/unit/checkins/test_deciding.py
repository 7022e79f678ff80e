"""Decisions of somebody who has listened to a call: what becomes of the case, by whose name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkins import cases, deciding, register_log
from checkins.case_rows import log_event
from checkins.cases import Row
from checkins.deciding import Decision, Refused
from checkins.ports import Disposition
from checkins.register_log import What
from checkins.results import Reason, Status, Urgency
from checkins.tables import NumberState
from tests.unit.checkins.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path}/w.db") as world:
        yield world


async def _heard(world: World, word: str = "not_well") -> str:
    elder = world.elder()
    await world.to("08:30")
    await world.ends(elder, word, "speech")
    return elder


async def _unreached(world: World) -> str:
    elder = world.elder(slot=8 * 60)
    for clock in ("08:00", "08:16", "09:02"):
        await world.to(clock)
        await world.ends(elder, Disposition.NO_ANSWER)
    assert world.row(elder).reason is Reason.UNREACHED
    return elder


def _decide(world: World, elder: str, decision: Decision, note: str = "", by: str = "李老师", **more: Any) -> Row:
    """Of a case with a recording, unless `more` says otherwise."""
    with world.db.write() as session:
        case, now = world.row(elder).checkin_id, world.clock.now()
        deciding.decide(session, case, decision, by, note, now, **{"recorded_at": now, **more})
    return world.row(elder)


def _listens(world: World, elder: str, by: str = "李老师", *, whole: bool = True) -> None:
    with world.db.write() as session:
        row = cases.locked(session, world.row(elder).checkin_id)
        log_event(session, row, deciding.LISTENED, by, world.clock.now(), detail={"path": "a.ulaw", "whole": whole})


def _log(world: World, elder: str) -> list[tuple[str, str]]:
    with world.db.read() as session:
        return [(event.what, event.who) for event in cases.events(session, world.row(elder).checkin_id)]


async def test_fine_closes_by_name_with_a_finding(world: World) -> None:
    elder = await _heard(world)
    _listens(world, elder)
    row = _decide(world, elder, Decision.FINE)
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, "李老师", deciding.HEARD_FINE)
    assert _log(world, elder)[-2:] == [("decided:fine", "李老师"), ("closed", "李老师")]


async def test_who_has_not_heard_the_last_recording_says_how_they_know(world: World) -> None:
    elder = await _heard(world)
    _listens(world, elder, "陈老师")
    _listens(world, elder, whole=False)
    with pytest.raises(Refused, match="listen first"):
        _decide(world, elder, Decision.FINE)
    _listens(world, elder)
    world.clock.advance(minutes=1)
    with pytest.raises(Refused, match="listen first"):
        _decide(world, elder, Decision.FINE, "1")
    assert _decide(world, elder, Decision.FINE, "打了电话，本人说没事").finding == "打了电话，本人说没事"


@pytest.mark.parametrize("decision", [Decision.FINE, Decision.WRONG_NUMBER])
async def test_nothing_is_called_off_where_nothing_can_be_heard_or_the_line_still_rings(
    world: World, decision: Decision
) -> None:
    ringing, unrecorded = world.elder(), world.elder("李建国")
    await world.to("08:30")
    await world.ends(unrecorded, "not_well", "key")
    missing: dict[str, Any] = {"recorded_at": None}
    for elder, more in ((ringing, {}), (unrecorded, missing)):
        before = world.row(elder)
        with pytest.raises(Refused):
            _decide(world, elder, decision, "打了电话，本人说没事", **more)
        assert world.row(elder) == before
        assert world.person(elder).number_state == NumberState.OK


@pytest.mark.parametrize(
    "word", ["silent", "present_unconfirmed", "emergency", "absent", "other_says_unwell", "wrong_number", "refused"]
)
async def test_a_recording_alone_does_not_make_anybody_well(world: World, word: str) -> None:
    elder = await _heard(world, word)
    _listens(world, elder)
    before = world.row(elder)
    for note in (" - ", "1", "好", "1111"):
        with pytest.raises(Refused):
            _decide(world, elder, Decision.FINE, note)
    assert world.row(elder) == before
    assert "decided:fine" not in dict(_log(world, elder))
    assert _decide(world, elder, Decision.FINE, "打了电话，本人说没事").finding == "打了电话，本人说没事"


async def test_fine_of_an_unreached_elder_takes_a_note(world: World) -> None:
    elder = await _unreached(world)
    with pytest.raises(Refused):
        _decide(world, elder, Decision.FINE)
    assert world.row(elder).status is Status.NEEDS_PERSON


async def test_contact_takes_the_case(world: World) -> None:
    elder = await _heard(world)
    row = _decide(world, elder, Decision.CONTACT)
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, "李老师")


async def test_dispatch_sends_somebody_now_also_what_i_had_taken(world: World) -> None:
    elder = await _heard(world)
    _decide(world, elder, Decision.CONTACT)
    row = _decide(world, elder, Decision.DISPATCH, "声音很弱")
    assert (row.urgency, row.reason, row.owner) == (Urgency.UNREACHED, Reason.NOT_WELL, None)
    assert row.due_at is not None
    assert (row.due_at - world.clock.now()).total_seconds() <= 600


async def test_dispatch_of_somebody_elses_case_is_refused(world: World) -> None:
    elder = await _heard(world)
    _decide(world, elder, Decision.CONTACT, by="陈老师")
    with pytest.raises(Refused, match="陈老师"):
        _decide(world, elder, Decision.DISPATCH)
    assert world.row(elder).owner == "陈老师"


@pytest.mark.parametrize("decision", [Decision.CONTACT, Decision.FINE, Decision.WRONG_NUMBER])
async def test_of_two_who_decide_the_second_hears_who_was_first(world: World, decision: Decision) -> None:
    taken, doubted = await _heard(world), world.elder("李建国")
    await world.to("09:00")
    await world.ends(doubted, "not_well", "speech")
    with world.db.read() as session:
        seen = deciding.last_event(session, world.row(doubted).checkin_id)
    _decide(world, taken, Decision.CONTACT, by="陈老师")
    _decide(world, doubted, Decision.WRONG_NUMBER, by="陈老师", seen=seen)
    for elder in (taken, doubted):
        before = world.row(elder)
        with pytest.raises(Refused, match="陈老师"):
            _decide(world, elder, decision, "打了电话，本人说没事", seen=seen)
        assert world.row(elder) == before


async def test_dispatch_leaves_an_emergency_as_urgent_as_it_is(world: World) -> None:
    elder = await _heard(world, "emergency")
    before = world.row(elder)
    row = _decide(world, elder, Decision.DISPATCH)
    assert (row.urgency, row.reason, row.due_at) == (Urgency.EMERGENCY, before.reason, before.due_at)
    _decide(world, elder, Decision.CONTACT)
    row = _decide(world, elder, Decision.DISPATCH)
    assert (row.urgency, row.owner) == (Urgency.EMERGENCY, None)


async def test_a_wrong_number_is_suspended_and_the_case_stays_open(world: World) -> None:
    elder = await _heard(world)
    row = _decide(world, elder, Decision.WRONG_NUMBER)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, Reason.WRONG_NUMBER, Urgency.SOON)
    assert world.person(elder).number_state == NumberState.SUSPECT
    with world.db.read() as session:
        told = register_log.last(session, elder, What.NUMBER_DOUBTED)
    assert told is not None
    assert told.by == "李老师"


@pytest.mark.parametrize("cried", [True, False])
async def test_the_number_of_who_is_searched_for_is_needed(world: World, cried: bool) -> None:
    elder = await (_heard(world, "emergency") if cried else _unreached(world))
    before = world.row(elder)
    with pytest.raises(Refused):
        _decide(world, elder, Decision.WRONG_NUMBER, "打过去是别人家")
    assert world.row(elder) == before
    assert world.person(elder).number_state == NumberState.OK


@pytest.mark.parametrize("decision", list(Decision))
async def test_what_is_closed_stays_so_and_names_are_asked_for(world: World, decision: Decision) -> None:
    elder = await _heard(world)
    for by in ("", "line"):
        with pytest.raises(ValueError, match="name"):
            _decide(world, elder, decision, "好", by)
    _decide(world, elder, Decision.FINE, "打了电话，本人说没事")
    closed = world.row(elder)
    with pytest.raises(ValueError, match="closed"):
        _decide(world, elder, decision, "好")
    assert world.row(elder) == closed
