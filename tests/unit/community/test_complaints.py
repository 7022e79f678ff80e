"""A complaint's way: sent, heard, answered, not solved, answered again, solved. And who may end it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checkins import alarms, intents, items, people
from checkins.alarm_signs import House, note
from checkins.alarms import Kind
from checkins.items import ItemKind
from checkins.people import set_state
from checkins.tables import Mode, State
from community import complaints, rows, staff, waiting
from community.policy import Deadlines
from community.rounds import ComplaintRounds
from community.tables import Reply, Status, Wish
from tests.unit.checkins.world import DAY, World
from tests.unit.community.hall import CHEN, NOT_SOLVED, SOLVED, TALK, ZHANG, Hall

TUESDAY = DAY + timedelta(days=1)


async def test_sent_heard_answered_not_solved_answered_again_solved(any_world: World) -> None:
    hall = Hall(any_world)
    elder = hall.world.elder()
    number = await hall.complains(elder)
    row = hall.complaint(number)
    assert (number, row.status, row.category, row.place) == (1001, Status.SENT, "漏水", "1234弄5号301室楼上")
    assert (row.heard_due, row.answer_due) == (hall.world.at("11:00"), hall.world.at("17:00", DAY + timedelta(days=7)))
    assert hall.todo() == [ItemKind.COMPLAINT_NEW]
    hall.hears(number)
    assert (hall.complaint(number).status, hall.complaint(number).owner) == (Status.HEARD, CHEN)
    assert hall.todo() == [ItemKind.COMPLAINT_ANSWER]
    hall.answers(number)
    assert hall.complaint(number).status == Status.ANSWERED
    assert hall.todo() == []  # the line rings her
    hall.later(hours=3)
    assert await hall.says("call-2", "not_solved", elder) == "noted"
    row = hall.complaint(number)
    assert (row.status, row.rounds, row.level_above) == (Status.REOPENED, 1, False)
    assert hall.todo() == [ItemKind.COMPLAINT_ANSWER]
    hall.at("10:00", TUESDAY)
    hall.answers(number, "已经换了水管。")
    assert await hall.says("call-3", "solved", elder) == "noted"
    row = hall.complaint(number)
    assert (row.status, row.closed_by, row.close_reason) == (Status.CLOSED, "王秀英", "solved")
    assert hall.todo() == []
    what = [what for what, _ in hall.events(number) if what != "told"]
    assert what == ["filed", "heard", "replied", "not_solved", "replied", "solved"]
    assert {who for _, who in hall.events(number)} == {"王秀英", CHEN}


async def test_after_two_answers_that_solve_nothing_the_level_above_should_know(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    for n in range(2):
        hall.answers(number, f"答复{n}")
        await hall.says(f"reply-{n}", "not_solved", elder)
    assert (hall.complaint(number).rounds, hall.complaint(number).level_above) == (2, True)
    assert ("level_above", "line") in hall.events(number)


async def test_the_same_answer_twice_unsolved_is_one_round_and_puts_nothing_off(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.says("call-2", "not_solved", elder)
    due = hall.complaint(number).answer_due
    hall.at("10:00", TUESDAY)
    for call in ("call-2", "call-4"):
        with hall.world.db.write() as session:
            row = rows.by_number(session, number)
            assert complaints.say(session, row, NOT_SOLVED, hall.world.clock.now(), call_id=call)
    assert (hall.complaint(number).rounds, hall.complaint(number).answer_due) == (1, due)


async def test_who_wants_to_talk_is_rung_by_a_person_and_the_answer_is_still_due(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    assert await hall.says("call-2", "talk", elder) == "noted"
    assert sorted(hall.todo()) == sorted([ItemKind.COMPLAINT_TALK, ItemKind.COMPLAINT_ANSWER])
    talk = next(item for item in hall.items() if item.kind == ItemKind.COMPLAINT_TALK)
    assert (talk.due_at, talk.person_id) == (hall.world.at("10:00"), elder)
    assert (hall.complaint(number).status, hall.complaint(number).rounds) == (Status.REOPENED, 0)


async def test_nobody_answers_what_nobody_has_heard_nor_acts_without_a_name(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    with pytest.raises(ValueError, match="nobody has listened"):
        hall.answers(number)
    for name in ("", "line", " Line "):
        with pytest.raises(ValueError, match="say who"):
            hall.hears(number, name)
    hall.hears(number)
    with pytest.raises(ValueError, match="say what the answer is"):
        hall.answers(number, " 。")
    with pytest.raises(LookupError, match="no complaint 9"):
        hall.hears(9)


async def test_an_answer_is_replaced_until_somebody_has_said_something_to_it(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    hall.answers(number, "一")
    hall.answers(number, "一")
    hall.answers(number, "二")
    found = hall.look(lambda session: rows.replies(session, rows.by_number(session, number)))
    assert [(each.round, each.text, each.outcome, each.due_at is None) for each in found] == [
        (1, "一", "replaced", True),
        (2, "二", None, False),
    ]


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


async def test_only_three_calls_in_vain_and_a_visit_close_what_nobody_called_solved(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    with pytest.raises(ValueError, match="no answer yet"):
        hall.act(staff.close, number, CHEN, found="去过了")
    hall.hears(number)
    hall.answers(number)
    hall.unreached(number, 2)
    with pytest.raises(ValueError, match="3 calls that reach nobody and a visit; so far 2"):
        hall.act(staff.close, number, CHEN, found="去过了")
    hall.unreached(number, 1)
    assert hall.todo() == [ItemKind.COMPLAINT_VISIT]
    with pytest.raises(ValueError, match="nobody has been there yet"):
        hall.act(staff.close, number, CHEN)
    hall.act(staff.close, number, CHEN, found="人在医院,女儿说已经修好")
    row = hall.complaint(number)
    assert (row.status, row.close_reason, row.closed_by) == (Status.CLOSED, "unreached", CHEN)
    assert [what for what, _ in hall.events(number)][-2:] == ["visited", "closed"]
    assert hall.todo() == []


async def test_that_no_call_can_be_made_any_more_sends_somebody_there_but_closes_nothing(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    hall.answers(number)
    with hall.world.db.write() as session:
        answer = rows.last_reply(session, rows.by_number(session, number))
        assert answer is not None
        staff.by_person(session, answer, hall.world.clock.now(), reached=False)
    assert hall.todo() == [ItemKind.COMPLAINT_VISIT]
    with pytest.raises(ValueError, match="so far 0"):
        hall.act(staff.close, number, CHEN, found="去过了")
    hall.act(staff.said, number, SOLVED, "说已经好了", CHEN)
    assert hall.complaint(number).status == Status.CLOSED


async def test_a_visit_before_the_answer_is_none_about_it(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    hall.act(staff.visited, number, "看过了", CHEN)
    hall.later(minutes=5)
    hall.answers(number)
    hall.unreached(number)
    with pytest.raises(ValueError, match="nobody has been there yet"):
        hall.act(staff.close, number, CHEN)
    hall.act(staff.visited, number, "没人在", ZHANG)
    hall.act(staff.close, number, CHEN)
    assert hall.complaint(number).status == Status.CLOSED


async def test_who_can_not_be_rung_is_told_by_a_person_who_writes_down_what_they_say(hall: Hall) -> None:
    elder = hall.world.elder(mode=Mode.VISIT)
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    assert hall.todo() == [ItemKind.COMPLAINT_TELL]
    with pytest.raises(ValueError, match="write down what they said"):
        hall.act(staff.said, number, SOLVED, "", CHEN)
    hall.act(staff.said, number, SOLVED, "好的好的,修好了", CHEN)
    assert (hall.complaint(number).status, hall.complaint(number).closed_by) == (Status.CLOSED, CHEN)
    assert hall.todo() == []


async def test_whom_the_line_rings_says_so_to_the_line(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    hall.answers(number)
    with pytest.raises(ValueError, match="the line itself asks them"):
        hall.act(staff.said, number, SOLVED, "她说好了", CHEN)
    assert hall.complaint(number).status == Status.ANSWERED
    hall.act(staff.said, number, SOLVED, "当面说好了", CHEN, in_person=True)
    row = hall.complaint(number)
    assert (row.status, row.closed_by) == (Status.CLOSED, CHEN)
    assert hall.look(lambda session: rows.events(session, row))[-1].detail == {
        "words": "当面说好了",
        "told_to": CHEN,
        "how": "in person",
        "round": 1,
    }


async def test_what_somebody_who_died_complained_of_may_be_closed(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.act(set_state, elder, State.DIED, CHEN)
    hall.act(staff.close, number, CHEN)
    assert (hall.complaint(number).status, hall.complaint(number).close_reason) == (Status.CLOSED, "gone")


async def test_a_solved_one_is_opened_again_by_telephone_within_thirty_days(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.says("call-2", "solved", elder)
    with pytest.raises(ValueError, match="is closed"):
        hall.answers(number)
    hall.later(days=29)
    assert await hall.says("call-3", "not_solved", elder) == "noted"
    row = hall.complaint(number)
    assert (row.status, row.closed_at, row.rounds) == (Status.REOPENED, None, 1)
    hall.answers(number, "又去修了")
    await hall.says("call-4", "solved", elder)
    hall.later(days=31)
    assert (await hall.ask("call-5", "status.next", elder)).word == "none"


# ── what is overdue ───────────────────────────────────────────────────────────────────────────────


async def test_whoever_ticks_it_off_without_listening_has_it_back_and_it_becomes_an_alarm_at_work(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    with hall.world.db.write() as session:
        (item,) = items.open_items(session)
        assert items.done(session, item.id, CHEN, hall.world.clock.now())
    hall.act(waiting.keep)
    assert hall.todo() == []  # not due yet
    hall.at("11:00")
    for _ in range(2):
        hall.act(waiting.keep)
    assert hall.todo() == [ItemKind.COMPLAINT_NEW]
    assert alarm(hall) == []
    hall.at("12:01")
    (told,) = alarm(hall)
    assert "有新的诉求" in told
    hall.hears(number)
    assert alarm(hall) == []


async def test_the_rounds_bring_back_what_is_overdue_and_write_nothing_when_nothing_is(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    rounds = ComplaintRounds(hall.world.db, hall.world.clock, lambda _session, _calls: {})
    hall.at("12:00")
    await rounds.look()
    assert hall.look(lambda session: waiting.late(session, hall.world.clock.now())) == []
    with hall.world.db.write() as session:
        for item in items.open_items(session):
            items.done(session, item.id, CHEN, hall.world.clock.now())
    ((row, wait),) = hall.look(lambda session: waiting.late(session, hall.world.clock.now()))
    assert (row.number, wait.kind) == (number, ItemKind.COMPLAINT_NEW)
    await rounds.look()
    assert hall.todo() == [ItemKind.COMPLAINT_NEW]


async def test_nothing_is_overdue_in_the_evening(hall: Hall) -> None:
    hall.at("18:30")
    number = await hall.complains(hall.world.elder())
    assert hall.complaint(number).heard_due == hall.world.at("10:30", TUESDAY)
    hall.at("08:40", TUESDAY)
    hall.act(waiting.keep)
    assert alarm(hall) == []


def alarm(hall: Hall) -> list[str]:
    with hall.world.db.write() as session:
        note(session, (), House(), hall.world.clock.now())
        found = [each for each in alarms.open_alarms(session) if each.over_at is None]
        return [each.text for each in found if each.kind == Kind.ITEM_OVERDUE]


def test_deadlines_skip_holidays_and_are_working_time_to_the_minute(hall: Hall) -> None:
    number = 0
    with hall.world.db.write() as session:
        now = hall.world.at("16:20", DAY.replace(month=4, day=3))  # Friday; Qingming until Monday
        row = complaints.file(session, "call-1", None, now, Deadlines(timedelta(hours=2), 3))
        number = row.number
    row = hall.complaint(number)
    assert row.heard_due == hall.world.at("09:50", DAY.replace(month=4, day=7))
    assert row.answer_due == hall.world.at("17:00", DAY.replace(month=4, day=9))


# ── the rest of what the committee does ───────────────────────────────────────────────────────────


async def test_the_leak_is_discussed_met_about_and_its_outcome_written(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    hall.act(staff.assign, number, ZHANG, CHEN)
    hall.act(staff.assign, number, ZHANG, CHEN)
    hall.act(staff.discuss, number, "物业王经理", "管子在公共部位,物业来修", CHEN)
    when = hall.world.at("14:00", TUESDAY)
    for _ in range(2):
        hall.act(staff.meet, number, when, "居委会", "楼上邻居、物业", CHEN)
    with pytest.raises(ValueError, match="that moment is over"):
        hall.act(staff.meet, number, hall.world.at("08:00"), "居委会", "物业", CHEN)
    hall.at("15:00", TUESDAY)
    hall.act(waiting.keep)
    assert ItemKind.COMPLAINT_MEETING in hall.todo()
    hall.act(staff.met, number, "楼上答应换管子", CHEN)
    assert ItemKind.COMPLAINT_MEETING not in hall.todo()
    with pytest.raises(LookupError, match="no meeting is open"):
        hall.act(staff.met, number, "楼上答应换管子", CHEN)
    assert hall.complaint(number).owner == ZHANG
    done = [what for what, _ in hall.events(number)]
    assert done == ["filed", "heard", "assigned", "discussed", "meeting", "met"]


async def test_only_a_text_without_who_it_is_and_only_with_their_wish_goes_to_the_neighbours(hall: Hall) -> None:
    elder = hall.world.elder(address="5号301室")
    number = await hall.complains(elder)
    with pytest.raises(ValueError, match="haven't agreed"):
        hall.act(staff.publish, number, "楼道漏水", CHEN)
    await hall.ask("call-1", "complaint.public", elder)
    for text in ("王秀英家漏水", "王阿婆说漏水", "5号301室漏水", "请打021 1000 0001"):
        with pytest.raises(ValueError, match="says who it is"):
            hall.act(staff.publish, number, text, CHEN)
    hall.act(staff.publish, number, "有居民反映楼道漏水", CHEN)
    row = hall.complaint(number)
    assert (row.wish, row.text, row.text_by) == (Wish.PUBLIC, "有居民反映楼道漏水", CHEN)


async def test_staff_correct_what_was_suggested_and_it_stays(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    with pytest.raises(ValueError, match="one of 漏水、"):
        hall.act(staff.sort, number, "天气", "", CHEN)
    hall.act(staff.sort, number, "物业", "5号楼道", CHEN)
    await hall.ends("call-1", elder, complaint=("漏水", "电梯坏了"))
    assert (hall.complaint(number).category, hall.complaint(number).place) == ("物业", "5号楼道")


async def test_by_hand_when_the_register_says_so_meanwhile(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    hall.act(people.set_state, elder, State.REFUSED, CHEN)
    with hall.world.db.write() as session:
        answer = rows.last_reply(session, rows.by_number(session, number))
        assert isinstance(answer, Reply)
        staff.by_hand(session, answer, hall.world.clock.now())
    assert ItemKind.COMPLAINT_TELL in hall.todo()
    hall.act(staff.said, number, TALK, "想当面谈", CHEN)
    assert ItemKind.COMPLAINT_TALK in hall.todo()


async def test_an_answer_that_the_line_could_not_speak_is_refused(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    with pytest.raises(ValueError, match="at most 300 characters, these are 301"):
        hall.answers(number, "修" * 301)
    hall.answers(number, "修" * 300)


# ── who is told, and who waits ────────────────────────────────────────────────────────────────────


async def test_a_strangers_without_a_number_is_closed_by_a_visit_or_a_notice_and_by_nothing_less(hall: Hall) -> None:
    number = await hall.complains()
    hall.hears(number)
    with pytest.raises(ValueError, match="no answer yet"):
        hall.act(staff.close, number, CHEN, found="贴在5号楼门口")
    hall.answers(number)
    with pytest.raises(ValueError, match="put up a notice"):
        hall.act(staff.close, number, CHEN)
    hall.act(staff.close, number, CHEN, found="贴在5号楼门口")
    row = hall.complaint(number)
    assert (row.status, row.closed_by, row.close_reason, hall.todo()) == (Status.CLOSED, CHEN, "untellable", [])
    assert hall.events(number)[-2:] == [("visited", CHEN), ("closed", CHEN)]
    with pytest.raises(ValueError, match="another one"):
        hall.answers(number)


async def test_what_is_added_to_an_answered_one_needs_an_answer_too(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    hall.later(minutes=30)
    await hall.ask("call-2", "complaint.add", elder)
    await hall.ask("call-2", "complaint.send", elder)
    assert hall.todo() == [ItemKind.COMPLAINT_NEW]
    hall.hears(number)
    row = hall.complaint(number)
    assert (row.status, row.answer_due) == (Status.ANSWERED, hall.world.at("17:00", DAY + timedelta(days=7)))
    assert hall.todo() == [ItemKind.COMPLAINT_ANSWER]
    hall.unreached(number)
    with pytest.raises(ValueError, match="no answer yet"):
        hall.act(staff.close, number, CHEN, found="人在女儿家")
    hall.answers(number, "两件都修。")
    assert (hall.complaint(number).answer_due, hall.todo()) == (None, [])


async def test_the_answer_that_is_there_may_be_the_answer_to_what_was_added(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.ask("call-2", "complaint.add", elder)
    await hall.ask("call-2", "complaint.send", elder)
    hall.hears(number)
    hall.answers(number)
    assert (hall.complaint(number).answer_due, hall.todo()) == (None, [])
    assert hall.look(lambda session: len(rows.replies(session, rows.by_number(session, number)))) == 1


async def test_an_open_one_that_waits_for_nobody_is_an_item(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    with hall.world.db.write() as session:
        row = rows.by_number(session, number)
        row.answer_due = None
        waiting.done(session, row, waiting.ALL, CHEN, hall.world.clock.now())
    hall.later(hours=2)
    hall.act(waiting.keep)
    assert hall.todo() == [ItemKind.COMPLAINT_ANSWER]


async def test_solved_by_a_call_that_came_in_is_looked_at_by_somebody(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    with hall.world.db.write() as session:
        intents.intend(session, "+862110000001", intents.INBOUND, hall.world.clock.now(), "x", intent_id="call-2")
    assert await hall.says("call-2", "solved", elder) == "noted"
    assert (hall.complaint(number).status, hall.todo()) == (Status.CLOSED, [ItemKind.COMPLAINT_CLOSED])
    assert await hall.ask("call-2", "reply.solved", elder)
    assert len(hall.items()) == 1
    assert await hall.says("call-3", "not_solved", elder) == "noted"
    assert hall.todo() == [ItemKind.COMPLAINT_ANSWER]


async def test_what_was_closed_because_they_are_gone_stays_closed(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    with hall.world.db.write() as session:
        set_state(session, elder, State.MOVED, CHEN, now=hall.world.clock.now())
    hall.act(staff.close, number, CHEN)
    await hall.says("call-2", "not_solved", elder)
    assert (hall.complaint(number).status, hall.todo()) == (Status.CLOSED, [])


async def test_a_meeting_has_no_outcome_before_it_and_they_hear_when_it_is_and_when_not(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    hall.hears(number)
    at = hall.world.at("14:00", TUESDAY)
    hall.act(staff.meet, number, at, "居委会", "楼上邻居", CHEN)
    assert ItemKind.COMPLAINT_APPOINTED in hall.todo()
    with pytest.raises(ValueError, match="ahead"):
        hall.act(staff.met, number, "谈好了", CHEN)
    with hall.world.db.write() as session:
        waiting.done(session, rows.by_number(session, number), waiting.APPOINTED, CHEN, hall.world.clock.now())
    hall.act(staff.call_off, number, "楼上没空", CHEN)
    assert sorted(hall.todo()) == sorted((ItemKind.COMPLAINT_ANSWER, ItemKind.COMPLAINT_APPOINTED))
    with pytest.raises(LookupError, match="no meeting"):
        hall.act(staff.call_off, number, "楼上没空", CHEN)


async def test_sorted_as_nothing_is_refused(hall: Hall) -> None:
    number = await hall.complains(hall.world.elder())
    with pytest.raises(ValueError, match="--category"):
        hall.act(staff.sort, number, "", " ", CHEN)
