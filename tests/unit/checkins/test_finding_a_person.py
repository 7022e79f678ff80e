"""The search for a person, through the cycle: who is rung, what they answer, who has the case, who closed it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callflows import loader
from checkins import alarms, cases, items
from checkins.alarms import Kind
from checkins.errands import DISPATCH, FINDING, REASONS
from checkins.items import ItemKind
from checkins.people import set_mode
from checkins.ports import CallOutcome, Disposition, Placed
from checkins.results import Reason, Result, Status, Urgency
from checkins.roster import edits
from checkins.tables import Checkin, IntentState, Mode, Neighbourhood
from house import _own_texts
from tests.unit.checkins.street import CHEN, DAUGHTER, LI, ZHOU, Street, numbers
from tests.unit.checkins.world import World


@pytest.fixture
def street(any_world: World) -> Street:
    return Street.of(any_world)


async def test_from_the_third_try_to_a_name_that_closes(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (first,) = await street.tick()
    assert (first.number, first.flow) == (LI, DISPATCH)
    assert first.variables == {"committee": "曹杨居委会", "responder": "李阿姨"}
    assert [(c.id, c.spoken_name, dict(c.variables)) for c in first.callees] == [
        (elder, "王阿婆", {"why": "三次没接电话"})
    ]
    assert await street.says(first, "declined")
    (second,) = await street.tick()
    assert second.number == ZHOU
    assert await street.says(second, "accepted")
    row = world.row(elder)
    assert (row.status, row.owner) == (Status.NEEDS_PERSON, "周阿姨")
    assert await street.tick() == []
    assert world.row(elder).due_at == world.clock.now() + timedelta(minutes=25)

    (asks,) = await street.tick(minutes=25)
    assert (asks.number, asks.flow) == (ZHOU, FINDING)
    assert await street.says(asks, "needs_help")
    (duty,) = await street.tick()
    assert (duty.number, duty.callees[0].variables["why"]) == (CHEN, "需要帮助,已经有人联系过")
    there = {"there": "周阿姨", "there_number": "零二幺,五五五幺,零零零二"}
    assert there.items() <= duty.callees[0].variables.items(), "who is there, and by which number"
    assert await street.says(duty, "accepted")
    assert world.row(elder).owner == "陈老师"
    assert await street.tick(minutes=2) == [], "who is with her is not told to go"
    with world.db.write() as session:
        cases.close_case(session, world.row(elder).checkin_id, "陈老师", "已陪去医院", world.clock.now())
    assert (world.row(elder).closed_by, world.row(elder).finding) == ("陈老师", "已陪去医院")
    assert await street.tick(minutes=60) == []
    told = [(event.what, event.who) for event in street.events(elder)[6:]]
    assert told == [
        ("ring:buddy", "cycle-1"),
        ("reply:declined", "李阿姨"),
        ("ring:buddy", "cycle-1"),
        ("reply:accepted", "周阿姨"),
        ("ask:buddy", "cycle-1"),
        ("found:needs_help", "周阿姨"),
        ("ring:duty", "cycle-1"),
        ("reply:accepted", "陈老师"),
        ("closed", "陈老师"),
    ]


async def test_seen_and_fine_the_line_rings_the_elder_and_the_case_bears_the_name_of_who_saw_her(
    street: Street,
) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    await street.says(buddy, "accepted")
    await street.tick()
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    assert (world.row(elder).status, world.row(elder).owner) == (Status.NEEDS_PERSON, "李阿姨")
    await street.tick()
    (confirms,) = await street.tick(minutes=30)
    assert (confirms.flow, confirms.number) == ("daily_checkin", world.person(elder).number)
    await street.says(confirms, "well")
    row = world.row(elder)
    assert (row.status, row.closed_by, row.finding, row.result) == (
        Status.CLOSED, "李阿姨", "已见到本人，平安", Result.WELL,
    )  # fmt: skip


async def test_seen_and_fine_but_she_does_not_answer_everything_begins_again(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    await street.says(buddy, "accepted")
    await street.tick()
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    await street.tick()
    (confirms,) = await street.tick(minutes=30)
    await street.says(confirms, Disposition.BUSY)
    assert await street.tick(minutes=4) == []
    (again,) = await street.tick(minutes=2)
    assert again.number == confirms.number
    await street.says(again, Disposition.NO_ANSWER)
    assert world.row(elder).owner is None
    (first,) = await street.tick()
    assert (first.number, first.flow) == (LI, DISPATCH)


async def test_who_refuses_machine_calls_is_closed_by_who_saw_them(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (buddy,) = await street.tick()
    await street.says(buddy, "accepted")
    with world.db.write() as session:
        set_mode(session, elder, Mode.VISIT)
    await street.tick()
    (asks,) = await street.tick(minutes=25)
    await street.says(asks, "fine_seen")
    assert await street.tick() == []
    assert (world.row(elder).status, world.row(elder).closed_by) == (Status.CLOSED, "李阿姨")


@pytest.mark.parametrize(
    ("end", "evidence"),
    [
        ("accepted", "speech"),
        ("accepted", "none"),
        ("no_reply", "key"),
        ("not_reached", "none"),
        ("wrong_person", "key"),
        ("what?", "key"),
        ("emergency", "key"),
        (Disposition.MACHINE, ""),
        (Disposition.BUSY, ""),
        (Disposition.NO_ANSWER, ""),
        (Disposition.UNKNOWN, ""),
    ],
)
async def test_nothing_but_a_key_takes_a_case(street: Street, end: str | Disposition, evidence: str) -> None:
    elder = street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    await street.says(call, end, evidence)
    row = street.world.row(elder)
    assert (row.owner, row.urgency) == (None, Urgency.UNREACHED)
    (again,) = await street.tick(minutes=5)
    assert again.number == LI
    await street.says(again, end, evidence)
    (substitute,) = await street.tick()
    assert substitute.number == ZHOU


async def test_an_emergency_rings_duty_and_family_at_once_and_the_first_has_it(street: Street) -> None:
    world, elder = street.world, street.elder()
    await world.to("08:00")
    call = world.last_call(elder)
    await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="double_zero"))
    calls = await street.tick()
    assert numbers(calls) == [CHEN, DAUGHTER]
    told = {"why": "在电话里呼救了", "urgent": "1", "shared": "1"}
    assert all(c.variables == told for call in calls for c in call.callees)
    daughter, duty = sorted(calls, key=lambda call: call.number, reverse=True)
    await street.says(daughter, "accepted")
    assert world.row(elder).owner == "王小妹"
    await street.says(duty, "accepted")
    assert world.row(elder).owner == "王小妹"
    assert ("tell:taken", "陈老师") in [(event.what, event.who) for event in street.events(elder)]


async def test_an_emergency_uses_the_lines_kept_free(street: Street) -> None:
    world, elder = street.world, street.elder()
    others = [street.elder(name) for name in ("李", "张", "赵")]
    world.limits |= {"lines": 6, "reserved": 2}
    await world.to("08:00")
    assert len(world.placer.requests) == 4
    await world.cycle.settle(CallOutcome(world.last_call(elder).id, world.clock.now(), final=False, alarm="distress"))
    assert numbers(await street.tick()) == [CHEN, DAUGHTER]
    assert all(world.row(other).status is Status.CALLING for other in others)


async def test_one_call_carries_all_cases_and_each_is_accepted_by_itself(street: Street) -> None:
    world = street.world
    first, second = street.elder(), street.elder("张桂兰")
    await street.unreached(first, second)
    (call,) = await street.tick()
    assert {callee.id for callee in call.callees} == {first, second}
    await street.says(call, "accepted", only=first)
    assert (world.row(first).owner, world.row(second).owner) == ("李阿姨", None)


@pytest.mark.parametrize("over", [True, False])
async def test_a_responder_on_a_call_is_not_rung_nor_within_two_minutes(street: Street, over: bool) -> None:
    first, second = street.elder(), street.elder("张桂兰", slot=481)
    world = street.world
    for moment in ("08:00", "08:01", "08:16", "08:17", "08:50"):
        await world.to(moment)
        elder = second if moment in ("08:01", "08:17") else first
        await world.ends(elder, Disposition.NO_ANSWER, after=timedelta())
    (call,) = await street.tick()
    if over:
        await street.says(call, "accepted", after=20)
    await world.to("08:51")
    await world.ends(second, Disposition.NO_ANSWER, after=timedelta())
    assert LI not in numbers(await street.tick())
    rung = numbers(await street.tick(minutes=1))
    assert (LI in rung) is over


async def test_news_twice_and_news_after_the_end_change_nothing(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    assert await street.says(call, "accepted")
    before = world.row(elder), len(street.events(elder))
    assert not await street.says(call, "declined")
    assert (world.row(elder), len(street.events(elder))) == before
    with world.db.write() as session:
        cases.close_case(session, before[0].checkin_id, "李老师", "在女儿家", world.clock.now())
    assert ("tell:taken", "李阿姨") in [(event.what, event.who) for event in street.events(elder)]


async def test_staff_take_over_while_a_buddy_is_rung(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    with world.db.write() as session:
        cases.take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    await street.says(call, "accepted")
    assert world.row(elder).owner == "李老师"
    assert ("tell:taken", "李阿姨") in [(event.what, event.who) for event in street.events(elder)]
    (duty,) = await street.tick(minutes=30)
    assert (duty.number, world.row(elder).owner) == (CHEN, None)


async def test_a_buddy_who_cries_for_help_is_no_emergency_of_the_elder(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    cry = CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=elder)
    assert await world.cycle.settle(cry)
    assert not await world.cycle.settle(cry)
    assert (world.row(elder).reason, world.row(elder).urgency) == (Reason.UNREACHED, Urgency.UNREACHED)
    assert street.whats(elder).count("responder_alarm") == 1
    assert "a responder cried for help" in caplog.text
    with world.db.read() as session:  # somebody is rung about it, and sees who it was
        assert [alarm.kind for alarm in alarms.open_alarms(session)] == [Kind.CRIED]
        assert [(item.kind, item.by_id) for item in items.open_items(session)] == [(ItemKind.CRIED, street.ids[LI])]
    caplog.clear()


async def test_who_stands_before_her_and_cries_that_she_fell_has_duty_rung_in_mid_call(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    await street.says(call, "accepted")
    await street.tick()
    (asks,) = await street.tick(minutes=25)
    await world.cycle.settle(CallOutcome(asks.id, world.clock.now(), final=False, alarm="distress", alarm_person=elder))
    (duty,) = await street.tick()
    assert duty.number == CHEN
    await street.says(asks, "emergency")
    assert street.whats(elder).count("found:needs_help") == 2


async def test_a_crash_between_intent_and_dial_costs_a_minute_and_rings_nobody_twice(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)

    world.cycle = await world.dies_before_the_dial()
    assert await street.tick() == []
    world.clock.advance(minutes=1)
    assert await world.cycle.reconcile() == 1
    (intent,) = street.intents()
    assert (intent.state, intent.purpose) == (IntentState.UNKNOWN, "buddy")
    (call,) = await street.tick(minutes=4)
    assert call.number == LI
    assert await street.says(call, "accepted")
    assert world.row(elder).owner == "李阿姨"


@pytest.mark.parametrize(("answers", "rung"), [(1, [LI, LI]), (3, [LI, LI, LI, ZHOU])])
async def test_the_carrier_knows_no_such_responders_number(street: Street, answers: int, rung: list[str]) -> None:
    """Once may be a switch's mistake; after three the next one is rung."""
    world, elder = street.world, street.elder()
    world.placer.answers[LI].extend([Placed.BAD_NUMBER] * answers)
    await street.unreached(elder)
    calls = [*await street.tick()]
    for _ in rung[1:]:
        calls += await street.tick(minutes=2)
    assert numbers(calls) == rung


async def test_on_leave_since_a_minute_ago(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    now = world.clock.now()
    with world.db.write() as session:
        edits.put_on_leave(session, street.ids[LI], now, now + timedelta(days=3), "书记", now)
    assert numbers(await street.tick()) == [ZHOU]


async def test_nobody_in_the_roster_reminds_as_ever(world: World, caplog: pytest.LogCaptureFixture) -> None:
    street, elder = Street(world), world.elder()
    await street.unreached(elder)
    assert world.row(elder).due_at == world.clock.now() + timedelta(minutes=10)
    assert (await world.to("09:01")).reminded == 1
    assert "nobody to ring" in caplog.text
    assert street.whats(elder)[-1] == "reminded"


async def test_a_broken_search_and_a_broken_policy_stop_nobody(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    with world.db.write() as session:
        session.get_one(Checkin, street.checkin(elder).id).search = {"urgency": "soonish"}
        place = session.get_one(Neighbourhood, world.place_id)
        place.__dict__["escalation"] = None
        session.execute(Neighbourhood.__table__.update().values(escalation={"unreached": {"loop": 7}}))
    (call,) = await street.tick()
    assert call.number == LI
    assert "can't be read" in caplog.text
    assert "counts for nothing" in caplog.text
    caplog.clear()


async def test_a_policy_of_ones_own_is_frozen_when_the_search_begins(street: Street) -> None:
    world = street.world
    with world.db.write() as session:
        steps = [{"who": ["duty"], "every": 5}]
        session.get_one(Neighbourhood, world.place_id).escalation = {"unreached": {"steps": steps, "loop": 0}}
    elder = street.elder()
    await street.unreached(elder)
    with world.db.write() as session:
        session.get_one(Neighbourhood, world.place_id).escalation = None
    assert numbers(await street.tick()) == [CHEN]
    with pytest.raises(ValueError, match=r"escalation"), world.db.write() as session:
        session.get_one(Neighbourhood, world.place_id).escalation = {"nobody": {}}


async def test_her_own_late_well_ends_the_search(street: Street) -> None:
    world, elder = street.world, street.elder()
    await street.unreached(elder)
    (call,) = await street.tick()
    late = world.placer.requests[2]
    assert elder in {callee.id for callee in late.callees}
    with world.db.write() as session:  # news of the third try, that was lost, and came at last
        intent = session.get_one(type(world.intents()[0]), late.id)
        intent.applied, intent.state = {}, IntentState.UNKNOWN
    await street.says(late, "well")
    assert (world.row(elder).status, world.row(elder).closed_by) == (Status.CLOSED, "line")
    await street.says(call, "accepted")
    assert world.row(elder).status is Status.CLOSED
    assert [told.flow for told in await street.tick(minutes=10)] == ["taken"], "who accepted hears that it is over"


async def test_who_goes_is_told_where_and_at_a_shut_door_what_is_known_of_the_elder(street: Street) -> None:
    home = {"address": "三号楼五零二室", "key_holder": "隔壁陈阿姨", "notes": "常去普陀区中心医院"}
    elder = street.elder(**home)
    await street.unreached(elder)
    (goes,) = await street.tick()
    where = {"where": "三号楼五零二室", "key_holder": "隔壁陈阿姨"}
    assert goes.callees[0].variables == {"why": "三次没接电话", **where}, "health is nobody's matter yet"
    await street.says(goes, "accepted")
    (asks,) = await street.tick(minutes=25)
    assert dict(asks.callees[0].variables).items() >= {**where, "notes": "常去普陀区中心医院"}.items()
    await street.says(asks, "nobody_opens")
    (duty,) = await street.tick()
    assert duty.callees[0].variables["notes"] == "常去普陀区中心医院"
    with street.world.db.read() as session:
        texts = _own_texts(session)
    said = {*home.values(), duty.variables["responder"], duty.callees[0].variables["why"], goes.callees[0].spoken_name}
    assert said <= set(texts), "all that only this place says is rendered before a call needs it"


async def test_cases_that_look_for_the_same_busy_person_go_with_one_call(street: Street) -> None:
    """Each looks for her once a minute, at seconds of its own: the first to find her free must not take her alone, else
    the others could find her on a call for ever. What is to wait for her waits."""
    world = street.world
    elders = [street.elder(name) for name in ("王秀英", "张桂兰", "陆阿妹")]
    await street.unreached(*elders)
    with world.db.write() as session:
        for elder, seconds in zip(elders, (0, 45, 200), strict=True):
            row = session.get_one(Checkin, street.checkin(elder).id)
            row.due_at = world.clock.now() + timedelta(seconds=seconds)
    (call,) = await street.tick()
    assert (call.number, {callee.id for callee in call.callees}) == (LI, set(elders[:2]))


def test_every_reason_that_a_responder_may_hear_is_in_the_pack() -> None:
    """The flow names them, so that they are rendered in the line's own voice and not by whatever is at hand."""
    assert set(REASONS) <= set(loader.shipped(DISPATCH).variables["why"].usual)
