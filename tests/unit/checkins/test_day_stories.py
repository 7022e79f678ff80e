"""A morning in the life of one elder, for each way that a call can end."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from checkins import cases
from checkins.ports import CallOutcome, Disposition, PersonOutcome, Placed
from checkins.results import Reason, Result, Status, Urgency
from checkins.tables import State
from tests.unit.checkins.world import DAY, World, outcome

MISSED = [Disposition.NO_ANSWER, Disposition.MACHINE]


async def test_well_by_key_closes_the_day(world: World) -> None:
    elder = world.elder()
    report = await world.to("08:00")
    assert (report.planned, report.placed) == (1, 1)
    request = world.last_call(elder)
    assert request.flow == "daily_checkin"
    assert request.variables == {"committee": "曹杨居委会", "promise": "今天上午九点前"}
    assert request.callees[0].spoken_name == "王阿婆"
    assert request.callees[0].records
    assert world.row(elder).status is Status.CALLING

    assert await world.ends(elder, "well", detail={"text": "1"})
    row = world.row(elder)
    assert (row.status, row.result, row.closed_by, row.evidence) == (Status.CLOSED, Result.WELL, "line", "key")
    assert row.answer == {"text": "1"}
    assert await world.cycle.next_due() is None


@pytest.mark.parametrize("missed", MISSED)
async def test_three_tries_then_a_person(world: World, missed: Disposition) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, missed, after=timedelta(seconds=45))
    missed_at = world.clock.now()
    assert world.row(elder).due_at == missed_at + timedelta(minutes=15)
    assert (await world.to("08:15")).placed == 0
    assert (await world.to("08:16")).placed == 1
    await world.ends(elder, missed)
    assert world.row(elder).due_at == missed_at + timedelta(minutes=45)
    assert (await world.to("08:46")).placed == 1
    await world.ends(elder, missed)
    row = world.row(elder)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, Reason.UNREACHED, Urgency.UNREACHED)
    assert row.due_at == world.clock.now() + timedelta(minutes=10)
    assert world.calls(elder) == 3


async def test_an_unreached_case_reminds_until_a_name_closes_it(world: World) -> None:
    elder = world.elder()
    for moment in ("08:00", "08:16", "08:50"):
        await world.to(moment)
        await world.ends(elder, Disposition.NO_ANSWER)
    assert (await world.to("09:01")).reminded == 1
    assert world.row(elder).due_at == world.at("09:11")
    assert (await world.to("23:55")).reminded == 1  # quiet hours protect elders and volunteers, not the duty person
    with world.db.write() as session:
        cases.take_over(session, world.row(elder).checkin_id, "李老师", world.clock.now())
    assert world.row(elder).due_at == world.clock.now() + timedelta(minutes=30)
    with world.db.write() as session:
        cases.close_case(session, world.row(elder).checkin_id, "李老师", "在女儿家", world.clock.now())
    row = world.row(elder)
    assert (row.status, row.closed_by, row.finding, row.due_at) == (Status.CLOSED, "李老师", "在女儿家", None)


async def test_busy_once_is_no_try_and_always_busy_is_off_the_hook(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.BUSY)
    assert world.row(elder).due_at == world.clock.now() + timedelta(minutes=5)
    assert world.row(elder).try_no == 0
    for moment in ("08:06", "08:25", "09:00"):
        assert (await world.to(moment)).placed == 1
        await world.ends(elder, Disposition.BUSY)
    assert (world.row(elder).reason, world.row(elder).try_no) == (Reason.OFF_HOOK, 3)
    assert world.calls(elder) == 4


@pytest.mark.parametrize("broken", [Disposition.LINE_ERROR, Disposition.INTERRUPTED, Disposition.CANCELLED])
async def test_a_line_error_is_no_try(world: World, broken: Disposition) -> None:
    elder = world.elder()
    await world.to("08:00")
    for delay in (2, 5, 10):
        await world.ends(elder, broken)
        assert world.row(elder).due_at == world.clock.now() + timedelta(minutes=delay)
        assert world.row(elder).try_no == 0
        world.clock.advance(minutes=delay)
        assert (await world.cycle.tick()).placed == 1
    await world.ends(elder, broken)
    assert (world.row(elder).reason, world.row(elder).urgency) == (Reason.LINE, Urgency.TODAY)


NEEDS = {
    "not_well": (Reason.NOT_WELL, Urgency.SOON),
    "wants_person": (Reason.WANTS_PERSON, Urgency.SOON),
    "other_says_unwell": (Reason.OTHER_SAYS_UNWELL, Urgency.SOON),
    "present_unconfirmed": (Reason.PRESENT_UNCONFIRMED, Urgency.TODAY),
    "silent": (Reason.SILENT, Urgency.SOON),
    "absent": (Reason.ABSENT, Urgency.TODAY),
    "wrong_number": (Reason.WRONG_NUMBER, Urgency.TODAY),
    "refused": (Reason.REFUSED, Urgency.TODAY),
    "emergency": (Reason.EMERGENCY, Urgency.EMERGENCY),
    "bad_number": (Reason.BAD_NUMBER, Urgency.TODAY),
}


@pytest.mark.parametrize("result", NEEDS)
async def test_an_answer_that_needs_a_person(world: World, result: str) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, Disposition.BAD_NUMBER if result == "bad_number" else result)
    row = world.row(elder)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, *NEEDS[result])
    assert row.due_at is not None
    assert world.clock.now() <= row.due_at <= world.at("21:00"), "in an emergency she is rung back at once"
    assert row.reason_zh
    assert row.urgency_zh
    assert row.status_zh == "需人工处理"


async def test_hung_up_is_a_try(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "hung_up", evidence="none")
    assert (world.row(elder).status, world.row(elder).try_no) == (Status.WAITING, 1)


async def test_a_call_that_we_broke_off_before_a_word_is_no_hang_up_and_no_try(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    people = (PersonOutcome(elder, "hung_up", "none"),)
    news = CallOutcome(
        world.last_call(elder).id, world.clock.now(), final=True, disposition=Disposition.INTERRUPTED, people=people
    )
    await world.cycle.settle(news)
    row = world.row(elder)
    assert (row.status, row.try_no, row.result) == (Status.WAITING, 0, Result.INTERRUPTED)


async def test_a_spoken_well_counts_when_the_ear_says_that_it_is_certain(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "well", "speech", {"certain": True})
    assert (world.row(elder).status, world.row(elder).evidence) == (Status.CLOSED, "speech")


@pytest.mark.parametrize(
    ("evidence", "detail"),
    [("none", {}), ("speech", {"certain": False}), ("speech", {}), ("", {}), ("noise", {"certain": True})],
)
async def test_well_without_clear_evidence_is_never_well(world: World, evidence: str, detail: dict[str, bool]) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "well", evidence, detail)
    assert world.row(elder).reason is Reason.PRESENT_UNCONFIRMED
    assert world.row(elder).result is Result.PRESENT_UNCONFIRMED


async def test_good_news_from_a_call_that_nobody_answered_is_not_believed_but_bad_news_is(world: World) -> None:
    first, second = world.elder(), world.elder("李建国")
    await world.to("08:00")
    for elder, result in ((first, "well"), (second, "not_well")):
        people = (PersonOutcome(elder, result, "key"),)
        call = world.last_call(elder)
        await world.cycle.settle(
            CallOutcome(call.id, world.clock.now(), final=True, disposition=Disposition.MACHINE, people=people)
        )
    assert (world.row(first).status, world.row(first).result) == (Status.WAITING, Result.MACHINE)
    assert world.row(second).reason is Reason.NOT_WELL


async def test_a_word_that_nobody_knows_goes_to_a_person(world: World, caplog: pytest.LogCaptureFixture) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "splendid")
    assert world.row(elder).reason is Reason.PRESENT_UNCONFIRMED
    assert "doesn't know" in caplog.text
    caplog.clear()


async def test_reported_by_another_twice_running_a_person_hears_the_elder(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "other_says_well")
    assert (world.row(elder).status, world.row(elder).result) == (Status.CLOSED, Result.OTHER_SAYS_WELL)
    next_day = DAY + timedelta(days=1)
    await world.to("08:00", next_day)
    await world.ends(elder, "other_says_well")
    row = world.row(elder, next_day)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.OTHER_TWICE)
    with world.db.write() as session:
        cases.close_case(session, row.checkin_id, "李老师", "电话里听到本人，都好", world.clock.now())
    third_day = DAY + timedelta(days=2)
    await world.to("08:00", third_day)
    await world.ends(elder, "other_says_well")  # a person heard the elder in between: the count starts again
    assert world.row(elder, third_day).status is Status.CLOSED


async def test_wrong_number_is_suspended_and_a_person_contacts_from_now_on(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "wrong_number")
    assert world.person(elder).number_state == "suspect"
    next_day = DAY + timedelta(days=1)
    assert (await world.to("08:00", next_day)).placed == 0
    assert world.row(elder, next_day).reason is Reason.WRONG_NUMBER


async def test_refused_holds_before_the_next_call_and_a_person_comes_instead(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "refused")
    assert world.person(elder).state == State.REFUSED
    next_day = DAY + timedelta(days=1)
    assert (await world.to("09:00", next_day)).placed == 0
    row = world.row(elder, next_day)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.REFUSED)


async def test_an_alarm_in_mid_call_dominates_and_only_a_name_ends_it(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    call = world.last_call(elder)
    alarm = CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=elder)
    assert await world.cycle.settle(alarm)
    assert not await world.cycle.settle(alarm)
    row = world.row(elder)
    assert (row.reason, row.urgency) == (Reason.EMERGENCY, Urgency.EMERGENCY)
    assert row.due_at is not None
    assert row.due_at - world.clock.now() <= timedelta(minutes=10)
    await world.ends(elder, "well")  # a "no, all is well" never cancels
    assert world.row(elder).urgency is Urgency.EMERGENCY
    with world.db.write() as session:
        cases.close_case(session, row.checkin_id, "李老师", "摔倒,已送医", world.clock.now())
    assert world.row(elder).status is Status.CLOSED
    assert not await world.cycle.settle(alarm)
    assert world.row(elder).status is Status.CLOSED  # the same alarm told again does not reopen it


async def test_an_alarm_after_the_goodbye_reopens(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "well")
    call = world.last_call(elder)
    assert await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="double_zero"))
    assert world.row(elder).reason is Reason.EMERGENCY


async def test_the_alarm_of_a_couple_names_one_of_them(world: World) -> None:
    number = "+862110000099"
    anna, bert = world.elder(number=number), world.elder("李建国", number=number)
    await world.to("08:00")
    call = world.last_call(anna)
    assert {callee.id for callee in call.callees} == {anna, bert}
    assert len(world.placer.requests) == 1
    await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=bert))
    await world.cycle.settle(outcome(call.id, world.clock.now(), {anna: "well", bert: "emergency"}))
    assert world.row(anna).result is Result.WELL
    assert world.row(bert).reason is Reason.EMERGENCY


async def test_whoever_of_a_couple_was_not_reached_is_called_again_alone(world: World) -> None:
    number = "+862110000099"
    anna, bert = world.elder(number=number), world.elder("李建国", number=number)
    await world.to("08:00")
    call = world.last_call(anna)
    await world.cycle.settle(outcome(call.id, world.clock.now(), {anna: "well"}))
    assert world.row(bert).status is Status.WAITING
    await world.to("08:16")
    assert [callee.id for callee in world.last_call(bert).callees] == [bert]


async def test_the_carrier_knows_no_such_number(world: World) -> None:
    elder = world.elder(number="+862110000098")
    world.placer.answers["+862110000098"].append(Placed.BAD_NUMBER)
    other = world.elder("李建国")
    report = await world.to("08:00")
    assert (report.placed, report.refused) == (1, 1)
    assert (world.row(elder).reason, world.person(elder).number_state) == (Reason.BAD_NUMBER, "bad")
    await world.ends(other, "well")
    assert world.row(other).status is Status.CLOSED


async def test_the_carrier_refuses_then_takes_it(world: World) -> None:
    elder = world.elder(number="+862110000098")
    world.placer.answers["+862110000098"].append(Placed.REFUSED)
    await world.to("08:00")
    assert (world.row(elder).status, world.row(elder).try_no) == (Status.WAITING, 0)
    assert (await world.to("08:02")).placed == 1
    assert [intent.dialled for intent in world.intents()] == [False, True]


async def test_news_of_a_call_that_is_not_ours(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not await world.cycle.settle(CallOutcome("nobody", world.clock.now(), final=True))
    assert "never intended" in caplog.text


@pytest.mark.parametrize("result", ["not_well", "wants_person", "other_says_unwell", "refused"])
@pytest.mark.parametrize("taken", [True, False])
async def test_bad_news_of_a_call_that_outlives_the_case_reopens_it(world: World, result: str, taken: bool) -> None:
    elder = world.elder()
    await world.to("08:00")
    row = world.row(elder)
    with world.db.write() as session:
        if taken:
            cases.take_over(session, row.checkin_id, "李老师", world.clock.now())
        cases.close_case(session, row.checkin_id, "李老师", "在楼下碰到，挺好", world.clock.now())
    await world.ends(elder, result)
    row = world.row(elder)
    assert (row.status, row.reason, row.result) == (Status.NEEDS_PERSON, result, result)
    assert (row.owner, row.closed_by, row.closed_at, row.finding) == (None, None, None, None)
    assert row.person_since == world.clock.now()
    with world.db.read() as session:
        log = cases.events(session, row.checkin_id)
    assert [(event.what, event.who) for event in log[-2:]] == [("closed", "李老师"), (result, "line")]


@pytest.mark.parametrize("result", ["well", "silent", "present_unconfirmed", "absent", "hung_up"])
async def test_other_news_leaves_a_closed_case_closed(world: World, result: str) -> None:
    elder = world.elder()
    await world.to("08:00")
    with world.db.write() as session:
        cases.close_case(session, world.row(elder).checkin_id, "李老师", "去看过", world.clock.now())
    await world.ends(elder, result)
    assert (world.row(elder).status, world.row(elder).finding) == (Status.CLOSED, "去看过")
