"""What came of calls: dictations find their complaint, what was never sent becomes one."""

from __future__ import annotations

from typing import Any

import pytest

from checkins import strangers
from checkins.items import ItemKind
from checkins.ports import CallOutcome, Disposition, PersonOutcome
from community import rounds, rows
from community.intake import Intakes, Spoken, dictations
from community.tables import Status
from community.tickets_intake import TicketIntake
from tests.unit.checkins.world import World
from tests.unit.community.hall import Hall, details


async def test_what_was_dictated_and_never_sent_is_followed_up_by_a_person(any_world: World) -> None:
    hall = Hall(any_world)
    elder = hall.world.elder()
    for _ in range(2):  # the news may come twice
        await hall.ends("call-1", elder, complaint="楼道的灯坏了，我")
    (row,) = hall.complaints()
    assert (row.status, row.category, row.person_id) == (Status.INTERRUPTED, "路灯", elder)
    assert hall.todo() == [ItemKind.COMPLAINT_INTERRUPTED]
    (said,) = hall.dictations()
    assert (said.recording, said.engine, said.seconds) == ("2026/03/02/complaint1.ulaw", "vosk", 6.5)
    hall.hears(row.number)
    assert hall.complaint(row.number).status == Status.HEARD


async def test_a_message_of_who_is_well_is_heard_and_answered_like_any_complaint(any_world: World) -> None:
    hall = Hall(any_world)
    elder = hall.world.elder()
    for _ in range(2):  # the news may come twice
        await hall.ends("call-1", elder, result="well", message="厨房的水管漏水，麻烦来看一下")
    (row,) = hall.complaints()
    assert (row.status, row.person_id) == (Status.SENT, elder)
    assert hall.todo() == [ItemKind.COMPLAINT_NEW]
    assert [(each.name, each.transcript) for each in hall.dictations()] == [("message", "厨房的水管漏水，麻烦来看一下")]


async def test_a_message_that_the_line_dropped_is_followed_up(hall: Hall) -> None:
    elder = hall.world.elder()
    person = PersonOutcome(elder, "well", "key", {})
    over = CallOutcome("call-1", hall.world.clock.now(), final=True, disposition=Disposition.ANSWERED, people=(person,))
    await hall.intake.settle(over, (elder, Spoken("message", "2026/03/02/rest.ulaw")))
    assert [each.status for each in hall.complaints()] == [Status.INTERRUPTED]


async def test_all_that_was_said_is_kept_in_its_order(hall: Hall) -> None:
    elder = hall.world.elder()
    await hall.ask("call-1", "complaint.send", elder)
    await hall.ends("call-1", elder, complaint=("楼上漏水", "补充"), redone="电梯坏了")
    await hall.ends("call-2", elder, result="wants_person", unwell="头痛", message="带句话", emergency="救命")
    assert [each.status for each in hall.complaints()] == [Status.SENT]
    assert [(each.name, each.transcript) for each in hall.dictations()] == [
        ("complaint", "楼上漏水"),
        ("redone", "电梯坏了"),
        ("complaint-2", "补充"),
    ]
    assert hall.complaints()[0].category == "电梯"  # what she took back suggests nothing


def test_a_first_dictation_and_those_under_more() -> None:
    kept = {**details({"complaint": "一"}), "more": [*details({"complaint": ["二", "三"]})["more"], {"days": "3"}]}
    assert [(each.name, each.text) for each in dictations(kept)] == [
        ("complaint", "一"),
        ("complaint-2", "二"),
        ("complaint-3", "三"),
    ]
    assert list(dictations({"more": "nothing", "pin": "1"})) == []


async def test_two_who_live_together_each_have_their_own(hall: Hall) -> None:
    wang, li = hall.world.elder("王秀英"), hall.world.elder("李福根")
    people = tuple(PersonOutcome(who, "rang_in", "key", details({"complaint": who})) for who in (wang, li))
    await hall.intake.settle(CallOutcome("call-1", hall.world.clock.now(), True, Disposition.ANSWERED, people))
    assert [(each.person_id, each.nth) for each in hall.complaints()] == [(wang, 1), (li, 2)]
    assert [each.transcript for each in hall.dictations()] == [wang, li]


async def test_a_stranger_is_rung_back_at_the_number_shown_or_typed(hall: Hall) -> None:
    now = hall.world.clock.now()
    with hall.world.db.write() as session:
        assert strangers.begin(session, "call-1", "13800001111", (), now) is not None
    await hall.ends("call-1", caller="我姓赵，住在隔壁弄堂", complaint="垃圾没人收")
    await hall.ends("call-2", caller="我姓钱", phone="62345678")
    first, second = hall.complaints()
    assert (first.caller_number, first.category, first.person_id) == ("+8613800001111", "垃圾", None)
    assert second.caller_number == "+862162345678"
    assert "138 0000 1111" in str(hall.items()[0].detail)
    assert [each.name for each in hall.dictations()] == ["caller", "complaint", "caller"]


async def test_what_somebody_says_whom_the_register_no_longer_knows_is_kept_once(hall: Hall) -> None:
    for _ in range(2):
        await hall.ends("call-1", "nobody", complaint="漏水")
    assert [each.person_id for each in hall.complaints()] == [None]
    assert len(hall.dictations()) == 1


async def test_an_alarm_in_mid_call_and_a_call_without_a_word_file_nothing(hall: Hall) -> None:
    elder = hall.world.elder()
    now = hall.world.clock.now()
    cried = PersonOutcome(elder, "emergency", "speech", details({"complaint": "救命"}))
    await hall.intake.settle(CallOutcome("call-1", now, final=False, people=(cried,), alarm="distress"))
    await hall.ends("call-2", elder, days="3")
    assert hall.complaints() == []


async def test_what_comes_after_somebody_has_listened_is_listened_to(hall: Hall) -> None:
    elder = hall.world.elder()
    await hall.ask("call-1", "complaint.send", elder)
    number = hall.complaints()[0].number
    hall.hears(number)
    await hall.ends("call-1", elder, complaint="漏水")
    assert hall.complaint(number).heard_due is not None
    assert ItemKind.COMPLAINT_NEW in hall.todo()


async def test_a_better_text_made_later_takes_the_place_and_suggests_anew(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder, text="六睡")
    assert hall.complaint(number).category == "其他"
    found = {"2026/03/02/complaint1.ulaw": Spoken("", "2026/03/02/complaint1.ulaw", "楼上漏水", "whisper", 0.9)}
    asked: list[Any] = []

    def texts(_session: object, calls: Any) -> dict[str, Spoken]:
        asked.append(calls)
        return found

    look = rounds.ComplaintRounds(hall.world.db, hall.world.clock, texts)
    for _ in range(2):
        await look.look()
    assert asked[0] == ["call-1"]
    assert [(each.transcript, each.engine) for each in hall.dictations()] == [("楼上漏水", "whisper")]
    assert (hall.complaint(number).category, hall.complaint(number).place) == ("漏水", "楼上")


async def test_what_was_being_said_when_the_line_broke_off_is_followed_up(hall: Hall) -> None:
    elder = hall.world.elder()
    cut = (elder, Spoken("complaint", "2026/03/02/call-1-call.ulaw"))
    looked: list[str] = []
    tickets = TicketIntake(hall.world.db, hall.world.clock)
    intake = Intakes(hall.world.db, lambda _session, call: looked.append(call) or cut, hall.intake, tickets)
    for _ in range(2):
        await intake.settle(CallOutcome("call-1", hall.world.clock.now(), True, Disposition.INTERRUPTED))
    assert looked == ["call-1", "call-1"], "once for each news"
    (row,) = hall.complaints()
    assert (row.status, row.person_id) == (Status.INTERRUPTED, elder)
    assert [(each.name, each.recording) for each in hall.dictations()] == [("complaint-cut", cut[1].recording)]
    other = (elder, Spoken("unwell", "x"))
    await hall.intake.settle(CallOutcome("call-2", hall.world.clock.now(), True, Disposition.INTERRUPTED), other)
    assert len(hall.complaints()) == 1


# ── what an answer left undone ────────────────────────────────────────────────────────────────────


async def unsolved(hall: Hall, elder: str, call: str = "reply-1") -> int:
    """A complaint of hers whose answer doesn't solve it: she has just said so in this call."""
    number = await hall.complains(elder, call=f"call-{call}")
    hall.hears(number)
    hall.answers(number)
    await hall.says(call, "not_solved", elder)
    return number


@pytest.mark.parametrize("written", [True, False])
async def test_what_is_still_wrong_belongs_to_the_answer_of_that_round(any_world: World, written: bool) -> None:
    """Also when the line dropped before the flow could say so."""
    hall = Hall(any_world)
    elder = hall.world.elder()
    number = await unsolved(hall, elder)
    if written:
        assert [(await hall.ask("reply-1", "reply.still", elder)).word for _ in range(2)] == ["noted"] * 2
    for _ in range(2):
        await hall.ends("reply-1", elder, still="晚上还是不亮")
    row = hall.complaint(number)
    assert (len(hall.complaints()), row.status, row.heard_due is not None) == (1, Status.REOPENED, True)
    assert [(each.name, each.transcript) for each in hall.dictations()][1:] == [("still", "晚上还是不亮")]
    (event,) = [each for each in hall.look(lambda session: rows.events(session, row)) if each.what == "still_wrong"]
    assert event.detail == {"round": 1}
    assert sorted(hall.todo()) == [ItemKind.COMPLAINT_ANSWER, ItemKind.COMPLAINT_NEW]
    with pytest.raises(ValueError, match="nobody has listened"):
        hall.answers(number)
    hall.hears(number)
    hall.answers(number)


async def test_of_two_answers_each_has_what_it_left_undone(hall: Hall) -> None:
    elder = hall.world.elder()
    first, second = [await hall.complains(elder, call=f"call-{n}") for n in (1, 2)]
    for number in (first, second):
        hall.hears(number)
        hall.answers(number)
    for still in (True, False):  # newest first; the line drops during the second dictation
        await hall.says("reply-1", "not_solved", elder)
        assert not still or (await hall.ask("reply-1", "reply.still", elder)).word == "noted"
    detail = details({"still": "灯不亮"}) | {"more": [details({"still": "水还在漏"})]}
    person = PersonOutcome(elder, "not_solved", "key", detail)
    now = hall.world.clock.now()
    news = CallOutcome("reply-1", now, final=True, disposition=Disposition.ANSWERED, people=(person,))
    for _ in range(2):
        await hall.intake.settle(news)
    number_of = {row.id: row.number for row in hall.complaints()}
    said = [(number_of[each.complaint_id], each.transcript) for each in hall.dictations()[2:]]
    assert said == [(second, "灯不亮"), (first, "水还在漏")]


async def test_what_was_being_said_when_the_line_died_belongs_there_too(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await unsolved(hall, elder)
    cut = (elder, Spoken("still", "2026/03/02/reply-1-whole.ulaw"))
    now = hall.world.clock.now()
    await hall.intake.settle(CallOutcome("reply-1", now, final=True, disposition=Disposition.INTERRUPTED), cut)
    assert [row.number for row in hall.complaints()] == [number]
    assert [each.name for each in hall.dictations()][1:] == ["still-cut"]


async def test_nothing_is_still_wrong_with_what_nobody_called_unsolved(hall: Hall) -> None:
    assert (await hall.ask("reply-1", "reply.still", hall.world.elder())).word == ""
