"""Test calls: ordered by staff, made by itself where nobody has talked for a month, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from checkins import items, register_log, register_words
from checkins.enrolment import trial_calls
from checkins.enrolment.trial_calls import TrialCalls, came_to
from checkins.items import ItemKind
from checkins.line_rules import Purpose
from checkins.ports import CallRequest, Disposition, PersonOutcome
from checkins.register_log import What
from checkins.results import Reason, Result, Status, Urgency
from checkins.tables import Checkin, Mode, NumberState, Person, State
from tests.unit.checkins.world import DAY, ZONE, Crash, World


@pytest.fixture
def street(world: World) -> World:
    world.limits["errands"] = [TrialCalls(30)]
    world.cycle = world.another_cycle("tries")
    return world


async def known(world: World, *, days: int = 40, name: str = "王秀英", at: str = "07:30") -> str:
    """An elder whom the line knows for so long; a person has talked to her each day, today, too."""
    elder = world.elder(name, slot=480)
    await world.to(at)
    now = world.clock.now()
    with world.db.write() as session:
        closed = {"status": Status.CLOSED, "due_at": None, "closed_by": "陈老师", "closed_at": now}
        session.execute(update(Checkin).where(Checkin.elder_id == elder).values(planned_at=now, **closed))
        old = {"date": DAY - timedelta(days=days), "planned_at": now - timedelta(days=days), "slot": now}
        session.add(Checkin(elder_id=elder, neighbourhood_id=world.place_id, **old, **closed))
    return elder


def want(world: World, elder: str) -> None:
    with world.db.write() as session:
        trial_calls.want(session, elder, "陈老师", world.clock.now())


def tried(world: World) -> list[CallRequest]:
    return [call for call in world.placer.requests if call.flow == trial_calls.FLOW]


def log(world: World, elder: str) -> list[str]:
    with world.db.read() as session:
        return [each.what for each in register_log.events(session, elder) if each.what.startswith("test_")]


def todo(world: World) -> list[str]:
    with world.db.read() as session:
        return [item.kind for item in items.open_items(session)]


# ── wanted by staff ───────────────────────────────────────────────────────────────────────────────


async def test_staff_want_one_while_her_own_call_is_ahead_and_that_is_made_all_the_same(street: World) -> None:
    elder = street.elder(slot=10 * 60)
    await street.to("09:00")
    want(street, elder)
    await street.cycle.tick()
    (call,) = tried(street)
    assert [callee.id for callee in call.callees] == [elder]
    assert street.row(elder).status == Status.PLANNED
    await street.ends(elder, "heard")
    assert log(street, elder) == ["test_wanted", "test_call", "test_heard"]
    assert (street.row(elder).status, todo(street)) == (Status.PLANNED, []), "no check-in"
    with street.db.read() as session:
        lines = register_words.lines(session, session.get_one(Person, elder), ZONE)
    assert "试打电话：听得清楚（2026年3月2日）" in lines
    await street.to("10:00")
    assert street.last_call(elder).flow == "daily_checkin"
    assert len(tried(street)) == 1


async def test_in_vain_somebody_goes_and_looks_until_it_is_heard(street: World) -> None:
    elder = street.elder(slot=11 * 60)
    await street.to("09:00")
    want(street, elder)
    await street.cycle.tick()
    await street.ends(elder, Disposition.NO_ANSWER)
    assert todo(street) == [ItemKind.PHONE_DEAD]
    assert street.row(elder).status == Status.PLANNED, "no ladder"
    await street.to("09:20")
    want(street, elder)
    await street.cycle.tick()
    await street.ends(elder, "heard")
    assert (log(street, elder)[-1], todo(street)) == ("test_heard", [])


async def test_her_own_tries_are_left_to_her_own_call(street: World) -> None:
    elder = street.elder(slot=11 * 60)
    for clock in ("09:00", "09:20"):
        await street.to(clock)
        want(street, elder)
        await street.cycle.tick()
        await street.ends(elder, Disposition.NO_ANSWER)
    await street.to("09:40")
    want(street, elder)
    await street.cycle.tick()
    await street.to("09:51")
    assert len(tried(street)) == 2
    assert log(street, elder)[-2:] == ["test_wanted", "test_nothing"], "too late, and that is written down"
    await street.to("11:00")
    assert street.last_call(elder).flow == "daily_checkin"


async def test_nobody_is_tried_who_has_not_agreed_nor_at_night(street: World) -> None:
    without, elder = street.elder(consents={}), street.elder("李桂芳")
    human = street.elder("赵福根", mode=Mode.HUMAN)
    await street.to("09:00")
    for barred in (without, human):
        with pytest.raises(ValueError, match="may not ring"):
            want(street, barred)
    with street.db.write() as session, pytest.raises(ValueError, match="name"):
        trial_calls.want(session, elder, " ", street.clock.now())
    street.clock.advance_to(street.at("21:30"))
    with pytest.raises(ValueError, match="from 08:00 on"):
        want(street, elder)


async def test_a_refusal_between_wish_and_call_counts(street: World) -> None:
    elder = street.elder(slot=11 * 60)
    await street.to("09:00")
    want(street, elder)
    with street.db.write() as session:
        session.get_one(Person, elder).state = State.REFUSED
    await street.cycle.tick()
    assert (tried(street), log(street, elder)) == ([], ["test_wanted", "test_nothing"])


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_line_that_nobody_has_talked_on_for_a_month_is_tried_twice(street: World) -> None:
    elder, new = await known(street), street.elder("李桂芳", slot=481, mode=Mode.HUMAN)
    await street.to("10:00")
    (call,) = tried(street)
    assert {callee.id for callee in call.callees} == {elder} - {new}
    await street.ends(elder, Disposition.NO_ANSWER)
    assert (await street.to("14:00"), len(tried(street)), todo(street))[1:] == (1, []), "not twice on one day"
    row = street.row(elder)
    assert (row.status, row.closed_by) == (Status.CLOSED, "陈老师")
    await street.to("08:05", DAY + timedelta(days=1))
    assert len(tried(street)) == 1, "her own call is ahead, or under way"
    await street.ends(elder, Disposition.NO_ANSWER)  # her own
    with street.db.write() as session:
        session.execute(update(Checkin).where(Checkin.elder_id == elder).values(status=Status.CLOSED, due_at=None))
    await street.to("12:00", DAY + timedelta(days=1))
    assert len(tried(street)) == 2
    await street.ends(elder, Disposition.NO_ANSWER)
    assert todo(street) == [ItemKind.PHONE_DEAD]
    await street.to("15:00", DAY + timedelta(days=1))
    assert len(tried(street)) == 2


@pytest.mark.parametrize("days", [20, 40])
async def test_only_whom_the_line_knows_for_so_long(street: World, days: int) -> None:
    await known(street, days=days)
    await street.to("10:00")
    assert len(tried(street)) == (days > 30)


async def test_who_has_talked_with_the_line_is_not_tried(street: World) -> None:
    elder = await known(street)
    with street.db.write() as session:
        session.execute(
            update(Checkin).where(Checkin.date == DAY).values(status=Status.PLANNED, due_at=street.at("08:00"))
        )
    await street.to("08:00")
    await street.ends(elder, Result.WELL)
    await street.to("10:00")
    assert tried(street) == []


async def test_with_0_days_only_staff_have_it_tried(street: World) -> None:
    street.limits["errands"] = [TrialCalls(0)]
    street.cycle = street.another_cycle("never")
    await known(street)
    await street.to("10:00")
    assert tried(street) == []


async def test_a_failed_line_says_nothing_and_it_is_tried_again_later(street: World) -> None:
    elder = await known(street)
    await street.to("10:00")
    await street.ends(elder, Disposition.LINE_ERROR)
    await street.to("11:00")
    assert (len(tried(street)), todo(street)) == (1, [])
    await street.to("13:30")
    assert len(tried(street)) == 2


# ── what it comes to ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("disposition", "result", "evidence", "certain", "what"),
    [
        ("answered", "heard", "key", False, What.TEST_HEARD),
        ("answered", "heard", "speech", True, What.TEST_HEARD),
        ("answered", "heard", "speech", False, What.TEST_VAIN),
        ("answered", "not_heard", "none", False, What.TEST_VAIN),
        ("answered", "not_clear", "key", False, What.TEST_VAIN),
        ("answered", "wrong_number", "key", False, What.TEST_VAIN),
        ("answered", "wants_person", "key", False, What.TEST_HEARD),
        ("interrupted", "heard", "key", False, What.TEST_HEARD),
        ("machine", "heard", "key", False, What.TEST_VAIN),
        ("no_answer", None, "", False, What.TEST_VAIN),
        ("busy", None, "", False, What.TEST_VAIN),
        ("bad_number", None, "", False, What.TEST_VAIN),
        ("unknown", None, "", False, What.TEST_VAIN),
        ("line_error", None, "", False, What.TEST_NOTHING),
        ("interrupted", None, "", False, What.TEST_NOTHING),
    ],
)
def test_what_a_call_says_of_the_telephone(
    disposition: str, result: str | None, evidence: str, certain: bool, what: What
) -> None:
    person = None if result is None else PersonOutcome("wang", result, evidence, {"certain": certain})
    assert came_to(Disposition(disposition), person) is what


@pytest.mark.parametrize(
    ("result", "reason", "urgency"),
    [
        (Result.EMERGENCY, Reason.EMERGENCY, Urgency.EMERGENCY),
        (Result.NOT_WELL, Reason.NOT_WELL, Urgency.SOON),
    ],
)
async def test_what_she_says_of_herself_is_heard_as_in_any_call(
    street: World, result: Result, reason: Reason, urgency: Urgency
) -> None:
    elder = await known(street)
    await street.to("10:00")
    await street.ends(elder, result)
    row = street.row(elder)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, reason, urgency)
    assert log(street, elder)[-1] == "test_heard"


async def test_a_refusal_and_a_wrong_number_hold_before_the_next_call(street: World) -> None:
    wang, li = await known(street), await known(street, name="李桂芳", at="07:45")
    await street.to("10:00")
    await street.ends(wang, Result.REFUSED)
    await street.ends(li, Result.WRONG_NUMBER)
    assert street.person(wang).state == State.REFUSED
    assert street.person(li).number_state == NumberState.SUSPECT
    await street.to("15:00", DAY + timedelta(days=1))
    assert len(tried(street)) == 2


async def test_hears_badly_is_told_to_staff_at_once_and_news_told_twice_changes_nothing(street: World) -> None:
    elder = await known(street)
    await street.to("10:00")
    for _ in range(2):
        await street.ends(elder, "not_clear")
    assert (log(street, elder), todo(street)) == (["test_call", "test_vain"], [ItemKind.PHONE_DEAD])


# ── crashes ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def dies_at(world: World, write: int) -> Iterator[list[int]]:
    """The process dies right before its `write`th row is written; the number of rows written."""
    done = [0]

    def before(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            done[0] += 1
            if done[0] == write:
                raise Crash

    event.listen(world.db.engine, "before_cursor_execute", before)
    try:
        yield done
    finally:
        event.remove(world.db.engine, "before_cursor_execute", before)


@pytest.mark.parametrize("act", ["order", "end"])
async def test_a_crash_at_any_write_loses_nothing_and_rings_nobody_twice(street: World, act: str) -> None:
    elder = street.elder(slot=11 * 60)
    await street.to("09:00")
    want(street, elder)
    if act == "end":
        await street.cycle.tick()
    for write in range(1, 30):
        with dies_at(street, write) as done:
            try:
                await (street.cycle.tick() if act == "order" else street.ends(elder, "not_clear", after=timedelta()))
            except Crash:
                street.cycle = street.another_cycle(f"after {write}")
        if done[0] < write:
            break
    else:
        pytest.fail("it never came through")
    assert write > 3
    await street.to("09:05")
    if act == "order":
        await street.ends(elder, "not_clear")
    assert log(street, elder) == ["test_wanted", "test_call", "test_vain"]
    assert todo(street) == [ItemKind.PHONE_DEAD]
    assert sum(intent.purpose == Purpose.TEST for intent in street.intents()) == 1
