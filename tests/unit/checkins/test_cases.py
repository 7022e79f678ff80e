"""What people see and do, and the checker that shares no code with the cycle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from checkins import auditor, cases
from checkins.ports import CallOutcome, Disposition
from checkins.results import LINE, REASON_ZH, RESULT_ZH, STATUS_ZH, URGENCY_ZH, Reason, Result, Status, Urgency
from checkins.tables import Checkin, State
from storage.database import Base
from tests.unit.checkins.world import DAY, World


async def test_todays_table_puts_who_needs_a_person_first(world: World) -> None:
    names = ("王", "李", "张", "赵")
    well, silent, fallen, quiet = (world.elder(name, slot=8 * 60 + i) for i, name in enumerate(names))
    await world.to("07:59")  # planned before, each has a slot of their own
    await world.to("08:03")
    await world.ends(silent, "silent", evidence="none", after=timedelta())
    await world.ends(well, "well", after=timedelta())
    call = world.last_call(fallen)
    await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="distress"))
    with world.db.read() as session:
        rows = cases.today(session, world.place_id, DAY)
        waiting = cases.needs_person(session, world.place_id)
    assert [row.elder_id for row in rows] == [fallen, silent, well, quiet]
    assert [row.elder_id for row in waiting] == [fallen, silent]
    assert rows[0].reason_zh == "求救"
    assert rows[2].result_zh == "身体好"
    assert rows[2].intents == (world.last_call(well).id,)


@pytest.mark.parametrize(("by", "finding"), [("", "好"), ("  ", "好"), ("李老师", " "), (LINE, "好"), (" Line", "好")])
async def test_nobody_closes_a_case_without_name_and_finding(world: World, by: str, finding: str) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "not_well")
    before = world.row(elder)
    with pytest.raises(ValueError, match="say"), world.db.write() as session:
        cases.close_case(session, before.checkin_id, by, finding, world.clock.now())
    assert world.row(elder) == before


async def test_a_closed_case_is_closed(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "well")
    case = world.row(elder).checkin_id
    with world.db.write() as session:
        with pytest.raises(ValueError, match="is closed"):
            cases.close_case(session, case, "李老师", "好", world.clock.now())
        with pytest.raises(ValueError, match="is closed"):
            cases.take_over(session, case, "李老师", world.clock.now())
        with pytest.raises(LookupError):
            cases.close_case(session, 9999, "李老师", "好", world.clock.now())
        assert cases.one(session, 9999) is None


async def test_the_log_says_what_happened_when_and_who(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.NO_ANSWER)
    await world.to("08:16")
    await world.ends(elder, "not_well", detail={"text": "头晕", "recording": "r.ulaw#0-900"})
    case = world.row(elder).checkin_id
    with world.db.write() as session:
        cases.take_over(session, case, "李老师", world.clock.now())
        cases.close_case(session, case, "李老师", "已陪去医院", world.clock.now())
    with world.db.read() as session:
        events = cases.events(session, case)
    assert [(event.what, event.who) for event in events] == [
        ("call:1", "cycle-1"),
        ("no_answer", "line"),
        ("call:2", "cycle-1"),
        ("not_well", "line"),
        ("taken_over", "李老师"),
        ("closed", "李老师"),
    ]
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert world.row(elder).answer["text"] == "头晕"
    assert world.row(elder).intents == tuple(call.id for call in world.placer.requests)


async def test_the_auditor_finds_whom_the_plan_forgot(world: World) -> None:
    planned, forgotten = world.elder(), world.elder()
    world.elder(state=State.DIED)
    world.elder(state=State.PAUSED, state_until=DAY)
    ended = world.elder(state=State.PAUSED, state_until=DAY - timedelta(days=1))
    await world.cycle.plan()
    with world.db.write() as session:
        session.execute(delete(Checkin).where(Checkin.elder_id.in_((forgotten, ended))))
        assert auditor.late(session, world.at("07:59")) == []
        late = auditor.late(session, world.at("08:02"))
    assert {item.elder_id for item in late if item.checkin_id is None} == {forgotten, ended}
    assert planned not in {item.elder_id for item in late if item.checkin_id is None}


async def test_the_auditor_finds_a_next_action_that_has_passed(world: World) -> None:
    elder = world.elder(slot=9 * 60)
    await world.cycle.plan()
    with world.db.read() as session:
        assert auditor.late(session, world.at("09:02")) == []
        (late,) = auditor.late(session, world.at("09:03"))
        assert (late.elder_id, late.since) == (elder, world.at("09:00"))
        (still,) = auditor.late(session, world.at("07:00", DAY + timedelta(days=1)))
    assert still.checkin_id == world.row(elder).checkin_id


async def test_the_auditor_finds_a_case_that_sleeps_or_bears_no_name(world: World) -> None:
    asleep, taken, nameless = world.elder(), world.elder(), world.elder()
    for moment in ("08:00", "08:16", "08:50"):
        world.clock.advance_to(world.at(moment))
        await world.cycle.tick()
        for elder in (asleep, taken, nameless):
            if world.row(elder).status is Status.CALLING:
                await world.ends(elder, "well" if elder == nameless else Disposition.NO_ANSWER, after=timedelta())
    now = world.clock.now()
    with world.db.write() as session:
        cases.take_over(session, world.row(taken).checkin_id, "李老师", now)
        assert auditor.late(session, now) == []
        session.get_one(Checkin, world.row(asleep).checkin_id).due_at = now + timedelta(minutes=13)
        session.get_one(Checkin, world.row(taken).checkin_id).due_at = now + timedelta(minutes=33)
        session.get_one(Checkin, world.row(nameless).checkin_id).closed_by = None
    with world.db.read() as session:
        assert {item.elder_id for item in auditor.late(session, now)} == {asleep, taken, nameless}


async def test_while_the_cycle_works_nobody_is_late(world: World) -> None:
    elders = [world.elder() for _ in range(6)]
    ends = ["well", Disposition.NO_ANSWER, Disposition.BUSY, "not_well", Disposition.LINE_ERROR, "emergency"]
    while world.clock.now() < world.at("10:00"):
        world.clock.advance(minutes=1)
        await world.cycle.tick()
        await world.cycle.reconcile()
        for elder, end in zip(elders, ends, strict=True):
            if any(row.elder_id == elder and row.status == Status.CALLING for row in world.checkins()):
                await world.ends(elder, end, after=timedelta())
        with world.db.read() as session:
            assert auditor.late(session, world.clock.now()) == []


def test_every_word_has_a_chinese_name() -> None:
    assert set(STATUS_ZH) == set(Status)
    assert set(URGENCY_ZH) == set(Urgency)
    assert set(REASON_ZH) == set(Reason)
    assert set(RESULT_ZH) == set(Result)


def test_personal_columns_are_marked() -> None:
    marked = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info.get("personal")
    }
    assert {
        "person.name",
        "person.spoken_name",
        "person.number",
        "call_intent.number",
        "checkin.result",
        "checkin.reason",
        "checkin.answer",
        "checkin.finding",
        "checkin_event.detail",
    } <= marked
