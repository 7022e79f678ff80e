"""Both who meet are told, whatever comes between: a call-off, a refusal, a death, a complaint that is closed, a line
that is down. The street hears of neither who has not agreed to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkins.items import Item, ItemKind, open_items
from checkins.people import set_state
from checkins.ports import Disposition
from checkins.tables import Neighbourhood, Person, State
from cli.case_commands import _KNOWS
from community import desk, meeting_calls, meetings, rows, staff, upward, waiting
from community.level_above import NOT_SHARED
from community.meeting_state import Came, outcome_of
from community.meeting_tables import Ask
from community.tables import Complaint, Meeting, Status
from tests.unit.checkins.world import DAY, ZONE, World
from tests.unit.community.test_meetings import CHEN, PLACE, THURSDAY, TUESDAY, WEDNESDAY, Committee, at

APPOINTED, ARRANGE = ItemKind.COMPLAINT_APPOINTED, ItemKind.COMPLAINT_ARRANGE
MEETING, TALK = ItemKind.COMPLAINT_MEETING, ItemKind.COMPLAINT_TALK


@pytest.fixture
async def committee(world: World) -> Committee:
    room = Committee(world)
    await room.morning()
    return room


async def fixed(committee: Committee, when: Any = None, *, answered: bool = False) -> int:
    """Both know when they meet."""
    number = await committee.complains()
    if answered:
        await committee.act(staff.hear, number)
        await committee.act(staff.reply, number, text="明天来修。")
    await committee.offers(number, when or at(14, WEDNESDAY), at(10, THURSDAY), other=True)
    call = await committee.rings(committee.wang)
    if answered:
        await committee.asks(call, "reply.next", committee.wang)
    await committee.says(call, "meet.first")
    await committee.says(await committee.rings(committee.li, "08:40"), "meet.yes")
    await committee.says(await committee.rings(committee.wang, "09:00"), "meet.known")
    return number


async def found(committee: Committee, *kinds: str) -> list[Item]:
    return [item for item in await committee.world.db.view(open_items) if item.kind in kinds]


async def whose(committee: Committee, *kinds: str) -> set[str | None]:
    return {item.person_id for item in await found(committee, *kinds)}


async def is_now(committee: Committee, elder: str, state: State) -> None:
    await committee.world.db.run(lambda session: set_state(session, elder, state, CHEN, committee.now))


async def rings_in_and_says(committee: Committee, outcome: str) -> None:
    call = await committee.rings_in(committee.wang)
    await committee.asks(call, "status.next", committee.wang)
    assert (await committee.asks(call, f"reply.{outcome}", committee.wang)).word == "noted"


# ── whoever was told is told ──────────────────────────────────────────────────────────────────────


async def test_called_off_or_moved_both_hear_it_from_a_person(committee: Committee) -> None:
    number = await fixed(committee)
    both = {committee.wang, committee.li}
    await committee.act(staff.meet, number, at(15, THURSDAY), PLACE, "楼上邻居")
    assert await whose(committee, APPOINTED) == both
    meeting = await committee.meeting()
    assert meeting is not None
    assert (meeting.outcome, await whose(committee, MEETING)) == ("called off: 改期", {committee.wang})
    for item in await found(committee, APPOINTED):
        await committee.world.db.run(lambda session, id_=item.id: _tick(session, id_, committee))
    await committee.act(staff.call_off, number, "王经理没空")
    assert await whose(committee, APPOINTED) == both, "he knows it from staff, and is told by staff"


def _tick(session: Any, item_id: int, committee: Committee) -> None:
    item = session.get_one(Item, item_id)
    item.done_at, item.done_by = committee.now, CHEN


async def test_times_taken_back_before_the_other_was_asked_are_no_news_to_them(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    await committee.act(staff.call_off, number, "算了")
    assert await whose(committee, APPOINTED) == {committee.wang}


async def test_what_the_other_says_is_an_item_about_the_other(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    call = await committee.rings_in(committee.li)
    told = await committee.asks(call, "meet.next", committee.li)
    assert told.word == "none", "he knows, and the evening before is over"
    parties = (await committee.world.db.view(lambda session: desk.look(session, number))).parties
    assert [(each.name, each.ask, each.item) for each in parties] == [
        ("王秀英", Ask.AFTER, False),
        ("李福根", Ask.AFTER, False),
    ]
    before = len(committee.rung())
    await committee.world.to("14:00")
    for call in committee.rung()[before:]:
        await committee.says(call, "meet.settled" if call.callees[0].id == committee.wang else "meet.unsettled")
    assert await whose(committee, TALK) == {committee.li}
    meeting = await committee.meeting()
    assert meeting is not None
    assert meeting.outcome == "没有谈好(李福根在电话里说:没有谈好;王秀英在电话里说:谈好了)"


async def test_who_can_t_come_or_refuses_machine_calls_is_rung_by_a_person_before_the_meeting(
    committee: Committee,
) -> None:
    await fixed(committee)
    call = await committee.rings_in(committee.li)
    await committee.asks(call, "meet.cant", committee.li, await committee.asks(call, "meet.next", committee.li))
    items = {item.person_id: (item.detail or {})["text"] for item in await found(committee, ARRANGE)}
    assert items.keys() == {committee.wang, committee.li}
    assert ["对方" in items[each] for each in (committee.wang, committee.li)] == [False, True]
    assert await committee.asked_of(committee.wang) == "remind", "perhaps it was not he"
    await is_now(committee, committee.li, State.REFUSED)
    await committee.world.to("17:30", TUESDAY)
    (item,) = await found(committee, APPOINTED)
    assert item.person_id == committee.li
    assert item.due_at is not None
    assert item.due_at < at(14, WEDNESDAY)


async def test_one_dies_and_the_other_does_not_go_there_for_nothing(committee: Committee) -> None:
    await fixed(committee)
    await is_now(committee, committee.li, State.DIED)
    before = len(committee.rung())
    await committee.world.db.run(lambda session: meeting_calls.keep(session, committee.now))
    assert await whose(committee, ARRANGE) == {committee.wang}
    assert await committee.world.db.view(lambda session: meeting_calls.late(session, committee.now)) == []
    await committee.world.to("18:00", TUESDAY)
    assert len(committee.rung()) == before


# ── closed meanwhile ──────────────────────────────────────────────────────────────────────────────


async def test_solved_by_whoever_rings_in_does_not_take_a_fixed_meeting_from_staff(committee: Committee) -> None:
    number = await fixed(committee, answered=True)
    await rings_in_and_says(committee, "solved")
    assert await whose(committee, MEETING) == {committee.wang}
    assert [await committee.asked_of(each) for each in (committee.wang, committee.li)] == ["remind", "remind"]
    later = at(15, WEDNESDAY)
    listed = await committee.world.db.view(lambda session: [each.row.number for each in desk.listed(session)])
    assert number in listed
    (item,) = await found(committee, MEETING)
    await committee.world.db.run(lambda session: _tick(session, item.id, committee))
    late = await committee.world.db.view(lambda session: [wait.kind for _, wait in waiting.late(session, later)])
    assert late == [MEETING], "ticked off, and nobody has written what came of it"


async def test_who_complains_dies_and_the_other_is_told_that_it_is_off(committee: Committee) -> None:
    number = await fixed(committee)
    await is_now(committee, committee.wang, State.DIED)
    await committee.act(staff.close, number)
    assert await whose(committee, APPOINTED) == {committee.li}
    assert await found(committee, MEETING, ARRANGE) == []
    assert await committee.asked_of(committee.li) is None


async def test_closed_while_the_other_is_asked_nothing_is_fixed_and_opened_again_they_are_asked_again(
    committee: Committee,
) -> None:
    number = await committee.complains()
    await committee.act(staff.hear, number)
    await committee.act(staff.reply, number, text="明天来修。")
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    call = await committee.rings(committee.wang)
    await committee.asks(call, "reply.next", committee.wang)
    await committee.says(call, "meet.first")
    call = await committee.rings(committee.li, "08:40")
    asked = await committee.asks(call, "meet.next", committee.li)
    await rings_in_and_says(committee, "solved")
    assert (await committee.asks(call, "meet.yes", committee.li, asked)).word == ""
    await committee.ends(call)
    assert await committee.meeting() is None
    assert await whose(committee, APPOINTED) == {committee.li}, "he has heard the question"
    await committee.world.to("13:00")
    before = len(committee.rung())
    await rings_in_and_says(committee, "not_solved")
    await committee.world.to("14:00")
    assert [call.callees[0].id for call in committee.rung()[before:]] == [committee.li]


async def test_called_off_in_mid_call_the_key_fixes_nothing(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    asked = await committee.asks(call, "meet.next", committee.wang)
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == "fixed"
    await committee.act(staff.call_off, number, "算了")
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == ""


# ── the line is down, or reaches nobody ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(("clock", "day", "told"), [("12:59", DAY, False), ("13:00", DAY, True)])
async def test_with_the_line_down_a_person_tells_them_before_the_meeting(
    committee: Committee, clock: str, day: Any, told: bool
) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, DAY), other=True)
    await committee.says(await committee.rings(committee.wang), "meet.first")
    await committee.says(await committee.rings(committee.li, "08:40"), "meet.yes")
    committee.world.clock.advance_to(committee.world.at(clock, day))  # nobody claims calls
    await committee.world.db.run(lambda session: meeting_calls.keep(session, committee.now))
    items = await found(committee, APPOINTED)
    assert [(item.person_id, item.due_at) for item in items] == (
        [(committee.wang, at(13, DAY) + timedelta(minutes=30))] if told else []
    )


async def test_a_reminder_in_vain_reaches_a_person_on_the_evening_before(committee: Committee) -> None:
    await fixed(committee, at(9, WEDNESDAY))
    await committee.morning(TUESDAY)
    before = len(committee.rung())
    for clock in ("17:30", "17:50", "20:45"):
        await committee.world.to(clock, TUESDAY)
        for call in committee.rung()[before:]:
            await committee.ends(call, Disposition.NO_ANSWER)
        before = len(committee.rung())
    items = await found(committee, APPOINTED)
    assert {item.person_id for item in items} == {committee.wang, committee.li}
    assert all(item.due_at is not None and item.due_at < at(9, WEDNESDAY) for item in items)


# ── offers ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_times_with_the_other_party_or_after_0_are_another_offer(committee: Committee) -> None:
    number = await committee.complains()
    await committee.act(meetings.offer, number, [at(14, WEDNESDAY)], PLACE, "楼上邻居")
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    call = await committee.rings(committee.wang)
    assert (await committee.says(call, "meet.first"))[-1].word == "noted", "he is asked, too"
    await committee.ends(await committee.rings(committee.li, "08:40"), result="wants_person")
    assert await whose(committee, ARRANGE) == {committee.wang, committee.li}
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    assert await committee.asked_of(committee.wang) == "choose"
    assert await found(committee, ARRANGE) == []


# ── the street ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        (("wang",), [PLACE, NOT_SHARED, NOT_SHARED]),
        (("wang", "li"), [PLACE, "楼上李福根", "李福根在电话里说:没有谈好"]),
        (("li",), [NOT_SHARED, NOT_SHARED, NOT_SHARED]),
    ],
)
async def test_the_street_hears_nothing_of_a_party_who_has_not_agreed(
    committee: Committee, sharing: tuple[str, ...], said: list[str]
) -> None:
    number = await committee.complains()
    await committee.act(meetings.offer, number, [at(14, WEDNESDAY)], PLACE, "楼上李福根", other_id=committee.li)

    def work(session: Any) -> list[str]:
        for each in sharing:
            person = session.get_one(Person, getattr(committee, each))
            person.consents = {**person.consents, "street": True}
        complaint = rows.by_number(session, number)
        meeting = Meeting(complaint_id=complaint.id, at=at(14, WEDNESDAY), place=PLACE, with_whom="楼上李福根")
        meeting.booked_by, meeting.booked_at, meeting.outcome = CHEN, committee.now, "李福根在电话里说:没有谈好"
        session.add(meeting)
        session.flush()
        place = session.get_one(Neighbourhood, committee.world.place_id)
        return list(upward.meetings(session, place, upward.month("2026-03", ZONE))[1])

    assert (await committee.world.db.run(work))[2:5] == said


async def test_an_elder_whom_staff_have_named_is_not_named_to_the_street(committee: Committee) -> None:
    number = await committee.complains()
    await committee.act(staff.meet, number, at(14, WEDNESDAY), PLACE, "楼上李福根")
    await committee.world.to("15:00", WEDNESDAY)
    await committee.act(staff.met, number, "谈好了")

    def work(session: Any) -> list[str]:
        person = session.get_one(Person, committee.wang)
        person.consents = {**person.consents, "street": True}
        place = session.get_one(Neighbourhood, committee.world.place_id)
        return list(upward.meetings(session, place, upward.month("2026-03", ZONE))[1])

    assert (await committee.world.db.run(work))[2:4] == [PLACE, NOT_SHARED]


def test_the_worse_word_is_the_outcome() -> None:
    assert outcome_of([("王", Came.SETTLED)]) == "王在电话里说:谈好了"
    assert outcome_of([("王", Came.SETTLED), ("李", Came.SETTLED)]) == "李在电话里说:谈好了;王在电话里说:谈好了"
    assert outcome_of([("王", Came.UNSETTLED), ("李", Came.NOBODY)]).startswith("没有见面(")


def test_what_each_knows_has_words() -> None:
    assert set(_KNOWS) == {None, *Ask}


async def test_no_closed_complaint_is_open_to_a_choice(committee: Committee) -> None:
    """Nor when it was closed in the transaction before."""
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    asked = await committee.asks(call, "meet.next", committee.wang)

    def close(session: Any) -> None:
        session.scalars(select(Complaint).where(Complaint.number == number)).one().status = Status.CLOSED

    await committee.world.db.run(close)
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == ""
    assert await committee.meeting() is None
