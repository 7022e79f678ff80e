"""0 in an elder's call, as the care room sees it: whom to ring, who has the case then, and what was promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callflows import loader
from checkins import cases, handing_over
from checkins.handing_over import Switchboard
from checkins.intents import intend
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Trace
from checkins.promises import promised, spoken
from checkins.results import Reason, Status
from checkins.roster import edits
from checkins.roster.holidays import Calendar
from checkins.tables import IntentState, Role
from tests.unit.checkins.street import CHEN, LI, Street
from tests.unit.checkins.world import World, outcome

XU = "+862155510005"
CALENDAR = Calendar()

# ── by when ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ("2026-03-02 08:00", "今天上午九点前"),
        ("2026-03-02 08:30", "今天上午九点前"),
        ("2026-03-02 08:31", "今天上午十点前"),
        ("2026-03-02 11:10", "今天中午十二点前"),
        ("2026-03-02 12:40", "今天下午两点前"),
        ("2026-03-02 16:20", "今天下午五点前"),
        ("2026-03-02 16:50", "明天上午九点前"),
        ("2026-03-02 20:00", "明天上午九点前"),
        ("2026-03-06 20:00", "星期一上午九点前"),  # a Friday
        ("2026-03-07 09:00", "后天上午九点前"),
        ("2026-02-14 20:00", "2月24号上午九点前"),  # before the Spring Festival
    ],
)
def test_a_promise_is_a_full_hour_after_half_an_hour_of_work(now: str, text: str) -> None:
    moment = datetime.fromisoformat(now + "+08:00").astimezone(UTC)
    by = promised(CALENDAR, moment)
    assert spoken(CALENDAR, moment, by) == text
    assert by >= moment + timedelta(minutes=29)


def test_what_is_promised_on_ordinary_days_is_rendered_ahead() -> None:
    usual = loader.shipped("daily_checkin").variables["promise"].usual
    begin = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    moments = [begin + timedelta(minutes=30 * step) for step in range(2 * 24 * 7)]
    said = {spoken(CALENDAR, moment, promised(CALENDAR, moment)) for moment in moments}
    assert said <= set(usual)
    assert len(said) >= 10


# ── whom ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def street(any_world: World) -> Street:
    street = Street.of(any_world)
    street.add("徐老师", XU, Role.STAFF)
    with any_world.db.write() as session:
        edits.set_deputy(session, any_world.place_id, street.ids[XU], "书记", any_world.clock.now())
    return street


def switchboard(world: World, lines: int = 6) -> Switchboard:
    return Switchboard(world.db, world.clock, lines=lines, owner="cycle-1")


async def in_a_call(street: Street, clock_time: str = "09:00") -> tuple[str, CallRequest]:
    elder = street.elder(slot=540 if clock_time == "09:00" else 480)
    await street.world.to(clock_time)
    return elder, street.world.last_call(elder)


def ends(leg: CallRequest, at: datetime, result: str | Disposition) -> CallOutcome:
    if isinstance(result, Disposition):
        return CallOutcome(leg.id, at, final=True, disposition=result)
    people = (PersonOutcome(leg.callees[0].id, result, "key"),)
    return CallOutcome(leg.id, at, final=True, disposition=Disposition.ANSWERED, people=people)


async def test_duty_then_the_deputy_then_nobody_and_the_same_question_rings_nobody_else(street: Street) -> None:
    world = street.world
    elder, call = await in_a_call(street)
    assert call.variables["duty"] == "1"
    assert call.variables["promise"] == "今天上午十点前"
    board = switchboard(world)
    duty = await board.whom(call.id, elder, 1)
    assert duty is not None
    assert (duty.number, duty.flow, duty.for_call) == (CHEN, "hand_over", call.id)
    assert [(c.spoken_name, c.records) for c in duty.callees] == [("王阿婆", False)]
    assert await board.whom(call.id, elder, 1) == duty
    unwell = await board.whom(call.id, elder, 1, "not_well")
    assert unwell is not None
    assert [dict(callee.variables) for callee in unwell.callees] == [{"why": "说身体不舒服"}]
    await world.cycle.settle(ends(duty, world.clock.now(), Disposition.BUSY))
    deputy = await board.whom(call.id, elder, 2)
    assert deputy is not None
    assert deputy.number == XU
    await world.cycle.settle(ends(deputy, world.clock.now(), "declined"))
    assert await board.whom(call.id, elder, 3) is None
    assert await board.whom(call.id, elder, 1) is None  # that call is over
    assert world.row(elder).status is Status.CALLING
    await world.ends(elder, "wants_person", detail={"key": "0", "hand_over": "nobody"})
    row = world.row(elder)
    assert (row.reason, row.owner) == (Reason.WANTS_PERSON, None)
    assert "promised" in street.whats(elder)
    assert row.due_at is not None
    assert row.due_at <= world.at("10:00")


async def test_who_is_on_another_call_is_not_rung(street: Street) -> None:
    elder, call = await in_a_call(street)
    other = street.elder("张秀英", slot=540, spoken_name="张阿婆")
    await street.tick(minutes=1)
    board = switchboard(street.world)
    assert await board.whom(street.world.last_call(other).id, other, 1) is not None
    deputy = await board.whom(call.id, elder, 1)
    assert deputy is not None
    assert deputy.number == XU


@pytest.mark.parametrize("hour", ["08:00", "no line", "no roster", "another's call"])
async def test_nobody_is_rung(street: Street, hour: str) -> None:
    world = street.world
    if hour == "no roster":
        with world.db.write() as session:
            edits.set_rotation(session, world.place_id, None, "书记", world.clock.now())
            edits.set_deputy(session, world.place_id, None, "书记", world.clock.now())
    elder, call = await in_a_call(street, "08:00" if hour == "08:00" else "09:00")
    if hour in ("08:00", "no roster"):
        assert "duty" not in call.variables
    whose = street.elder("张秀英") if hour == "another's call" else elder
    assert await switchboard(world, lines=1 if hour == "no line" else 6).whom(call.id, whose, 1) is None
    assert [intent.number for intent in world.intents() if intent.for_call] == []


async def test_an_alarm_by_the_second_trunk_takes_no_line_from_an_elder_who_waits(street: Street) -> None:
    elder, call = await in_a_call(street)
    with street.world.db.write() as session:
        intend(session, "+862155519999", "line_alarm", street.world.clock.now(), "bell", responder="x", trunk="alarm")
    assert await switchboard(street.world, lines=2).whom(call.id, elder, 1) is not None


# ── who has it then ───────────────────────────────────────────────────────────────────────────────


async def taken(street: Street) -> tuple[str, CallRequest]:
    elder, call = await in_a_call(street)
    leg = await switchboard(street.world).whom(call.id, elder, 1)
    assert leg is not None
    with street.world.db.write() as session:
        assert handing_over.taken(session, leg.id, elder, street.world.clock.now())
    return elder, leg


async def test_who_takes_it_has_the_case_before_a_word_is_said_and_closes_it_by_name(street: Street) -> None:
    world = street.world
    elder, leg = await taken(street)
    assert (world.row(elder).status, world.row(elder).owner) == (Status.NEEDS_PERSON, "陈老师")
    with world.db.write() as session:
        cases.close_case(session, world.row(elder).checkin_id, "陈老师", "电话里谈过", world.clock.now())
    world.clock.advance(minutes=2)
    assert await world.cycle.settle(ends(leg, world.clock.now(), "accepted"))
    assert not await world.cycle.settle(ends(leg, world.clock.now(), "accepted"))
    await world.ends(elder, "wants_person", detail={"key": "0", "hand_over": "accepted"})
    assert (world.row(elder).status, world.row(elder).closed_by) == (Status.CLOSED, "陈老师")
    assert street.whats(elder).count("handed_over") == 1
    assert "promised" not in street.whats(elder)
    assert {intent.state for intent in world.intents()} == {IntentState.SETTLED}


@pytest.mark.parametrize("first", ["the elder's", "the other"])
async def test_news_of_both_calls_in_any_order_come_to_the_same(street: Street, first: str) -> None:
    """And when nobody could be asked in mid-call, the news of its end says who took it."""
    world = street.world
    elder, call = await in_a_call(street)
    leg = await switchboard(world).whom(call.id, elder, 1)
    assert leg is not None
    news = [ends(leg, world.clock.now(), "accepted")]
    news.append(outcome(call.id, world.clock.now(), {elder: "wants_person"}, "key", {"key": "0"}))
    for each in news if first == "the other" else reversed(news):
        await world.cycle.settle(each)
    assert (world.row(elder).status, world.row(elder).owner) == (Status.NEEDS_PERSON, "陈老师")
    assert await street.tick(minutes=2) == []


async def test_bad_news_and_an_alarm_still_count(street: Street) -> None:
    world = street.world
    elder, leg = await taken(street)
    call = world.last_call(elder)
    alarm = CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=elder)
    await world.cycle.settle(alarm)
    await world.cycle.settle(ends(leg, world.clock.now(), "accepted"))
    row = world.row(elder)
    assert (row.reason, row.owner) == (Reason.EMERGENCY, None)


async def test_two_who_talk_are_left_alone_for_forty_minutes_and_no_longer(street: Street) -> None:
    world = street.world
    elder, leg = await taken(street)
    call = world.last_call(elder)
    world.placer.traces |= {call.id: Trace.ALIVE, leg.id: Trace.ALIVE}
    for _ in range(43):
        world.clock.advance(minutes=1)
        assert await world.cycle.reconcile() == 0
    world.clock.advance(minutes=3)
    assert await world.cycle.reconcile() == 2
    assert world.row(elder).owner == "陈老师"
    assert LI not in [intent.number for intent in world.intents()]
