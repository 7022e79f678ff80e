"""What a call asks about complaints, and that asking twice changes nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from checkins.items import ItemKind
from checkins.ports import Told
from community import rows, staff
from community.counter import QUERIES, Counter
from community.tables import Outcome, Status, Wish
from tests.unit.checkins.world import World
from tests.unit.community.hall import CHEN, Hall


async def test_sent_twice_is_filed_once_and_its_number_and_the_promise_are_spoken(any_world: World) -> None:
    hall = Hall(any_world)
    elder = hall.world.elder()
    assert await hall.ask("call-1", "complaint.open", elder) == Told("none")
    filed = Told("filed", {"number": "一零零一", "heard_by": "今天上午十一点前"})
    for _ in range(2):
        assert await hall.ask("call-1", "complaint.send", elder) == filed
    for word in ("public", "private", "public"):
        assert await hall.ask("call-1", f"complaint.{word}", elder) == Told("noted")
    (row,) = hall.complaints()
    assert (row.status, row.wish, row.person_id) == (Status.SENT, Wish.PUBLIC, elder)
    assert await hall.ask("call-2", "complaint.public", elder) == Told("")


async def test_many_who_send_at_once_have_numbers_of_their_own(any_world: World) -> None:
    hall = Hall(any_world)
    elders = [hall.world.elder() for _ in range(6)]
    told = await asyncio.gather(*(hall.ask(f"call-{n}", "complaint.send", each) for n, each in enumerate(elders)))
    assert {each.word for each in told} == {"filed"}
    assert sorted(each.number for each in hall.complaints()) == list(range(1001, 1007))
    assert len({each.values["number"] for each in told}) == 6


async def test_what_is_said_about_the_open_one_is_added_to_it_and_heard_anew(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.later(hours=1)
    assert await hall.ask("call-2", "complaint.open", elder) == Told("open", {"number": "一零零一"})
    for _ in range(2):
        assert (await hall.ask("call-2", "complaint.add", elder)).word == "noted"
    for _ in range(2):
        assert await hall.ask("call-2", "complaint.send", elder) == Told("added", {"number": "一零零一"})
    await hall.ends("call-2", elder, complaint="今天漏得更厉害了")
    (row,) = hall.complaints()
    assert (row.status, row.heard_due) == (Status.HEARD, hall.world.at("12:00"))
    assert [each.transcript for each in hall.dictations()] == ["1234弄5号301室楼上漏水", "今天漏得更厉害了"]
    assert [what for what, _ in hall.events(number)] == ["filed", "heard", "adding", "added"]
    hall.hears(number)
    assert hall.complaint(number).heard_due is None


async def test_what_she_adds_is_heard_also_when_she_calls_the_matter_solved(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.ask("call-2", "complaint.add", elder)
    await hall.ask("call-2", "complaint.send", elder)
    await hall.ask("call-2", "status.next", elder)
    await hall.ask("call-2", "reply.solved", elder)
    await hall.ends("call-2", elder, complaint="有煤气味道")
    assert (hall.complaint(number).status, hall.todo()) == (Status.CLOSED, [ItemKind.COMPLAINT_NEW])
    hall.hears(number)
    assert (hall.complaint(number).status, hall.todo()) == (Status.CLOSED, [])


async def test_another_matter_in_the_same_call_is_another_complaint(hall: Hall) -> None:
    elder = hall.world.elder()
    for number in ("一零零一", "一零零二"):
        await hall.ask("call-1", "complaint.open", elder)
        await hall.ask("call-1", "complaint.open", elder)
        for _ in range(2):
            assert (await hall.ask("call-1", "complaint.send", elder)).values["number"] == number
    await hall.ends("call-1", elder, complaint=("楼上漏水", "电梯坏了"))
    assert [each.category for each in hall.complaints()] == ["漏水", "电梯"]


async def test_replies_are_told_newest_first_each_once_and_then_anew(hall: Hall) -> None:
    elder = hall.world.elder()
    first = await hall.complains(elder, "call-1")
    hall.later(hours=1)
    await hall.complains(elder, "call-2", "电梯坏了")
    hall.hears(first)
    hall.answers(first, "明天来修。")
    waiting = Told("waiting", {"number": "一零零二", "answer_by": "3月9号下午五点前"})
    answered = Told("answered", {"number": "一零零一", "reply": "明天来修。"})
    for _ in range(2):
        told = [await hall.ask("call-3", "status.next", elder) for _ in range(3)]
        assert told == [waiting, answered, Told("none")]


async def test_a_recorded_answer_is_its_recording(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.act(staff.reply, number, CHEN, recording="2026/03/02/reply-1001-1.ulaw")
    told = await hall.ask("call-2", "status.next", elder)
    assert told == Told("answered", {"number": "一零零一", "reply_audio": "2026/03/02/reply-1001-1.ulaw"})


async def test_nobody_is_promised_an_answer_for_yesterday(hall: Hall) -> None:
    elder = hall.world.elder()
    await hall.complains(elder)
    hall.later(days=20)
    assert await hall.ask("call-2", "status.next", elder) == Told("waiting", {"number": "一零零一"})


async def test_whoever_changes_their_mind_in_the_call_is_believed_the_last_time(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.ask("call-2", "status.next", elder)
    for outcome, status in (("solved", "closed"), ("not_solved", "reopened"), ("solved", "closed")):
        for _ in range(2):
            assert (await hall.ask("call-2", f"reply.{outcome}", elder)).word == "noted"
        assert hall.complaint(number).status == status
    assert [what for what, _ in hall.events(number)][-3:] == ["solved", "not_solved", "solved"]


async def test_a_key_that_comes_twice_is_about_the_number_that_was_spoken(hall: Hall) -> None:
    elder = hall.world.elder()
    first, second = [await hall.complains(elder, call) for call in ("call-1", "call-2")]
    for number in (first, second):
        hall.hears(number)
        hall.answers(number)
    told = await hall.ask("call-3", "status.next", elder)
    await hall.ask("call-3", "reply.solved", elder, told.values["number"])
    await hall.ask("call-3", "status.next", elder)  # the same key again, a moment too late
    assert await hall.ask("call-3", "reply.solved", elder, told.values["number"]) == Told("noted")
    assert [hall.complaint(number).status for number in (first, second)] == [Status.ANSWERED, Status.CLOSED]
    assert await hall.ask("call-3", "reply.solved", elder, "九九九九") == Told("")


async def test_what_is_said_to_an_answer_that_was_replaced_meanwhile_is_about_that_one(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number, "修好了。")
    await hall.ask("call-3", "status.next", elder)
    hall.answers(number, "说错了，下个星期才修。")
    for _ in range(2):
        assert await hall.ask("call-3", "reply.solved", elder, "一零零一") == Told("")
    assert hall.complaint(number).status == Status.ANSWERED
    for _ in range(2):
        assert await hall.ask("call-3", "reply.not_solved", elder, "一零零一") == Told("noted")
    await hall.ask("call-3", "reply.talk", elder, "一零零一")
    first, second = hall.look(lambda session: rows.replies(session, rows.by_number(session, number)))
    assert (first.outcome, second.outcome, second.due_at) == (Outcome.TALK, None, hall.world.clock.now())
    assert (hall.complaint(number).status, hall.complaint(number).rounds) == (Status.ANSWERED, 1)
    assert hall.todo() == [ItemKind.COMPLAINT_TALK]
    assert (await hall.ask("call-3", "status.next", elder)).word == "none"
    assert (await hall.ask("call-3", "status.next", elder)).values["reply"] == "说错了，下个星期才修。"
    assert await hall.ask("call-3", "reply.solved", elder, "一零零一") == Told("noted")
    assert hall.complaint(number).status == Status.CLOSED


async def test_nobody_says_anything_about_what_was_not_told_or_is_somebody_elses(hall: Hall) -> None:
    elder, other = hall.world.elder(), hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    assert await hall.ask("call-2", "reply.solved", elder) == Told("")
    await hall.ask("call-3", "status.next", elder)
    assert await hall.ask("call-3", "reply.solved", other) == Told("")
    assert await hall.ask("call-3", "reply.solved") == Told("")
    assert await hall.ask("call-3", "status.next", other) == Told("none")
    assert hall.complaint(number).status == Status.ANSWERED


async def test_a_stranger_has_a_number_and_no_way_to_others(hall: Hall) -> None:
    await hall.complains(hall.world.elder())
    assert await hall.ask("call-9", "complaint.open") == Told("none")
    assert await hall.ask("call-9", "complaint.add") == Told("")
    assert (await hall.ask("call-9", "complaint.send")).word == "filed"
    assert await hall.ask("call-9", "status.next") == Told("none")
    row = hall.complaints()[-1]
    assert (row.person_id, row.neighbourhood_id) == (None, hall.world.place_id)


async def test_the_counter_knows_every_question_that_it_takes(hall: Hall) -> None:
    elder = hall.world.elder()
    counter = Counter(hall.world.db, hall.world.clock)
    for query in QUERIES:
        assert isinstance(await counter.ask("call-1", query, elder), Told)
    assert hall.world.clock.now() - hall.complaints()[0].opened_at == timedelta()
