"""Meeting face to face: which meeting an act means, whom it concerns, and which items there are, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkins.items import Item
from checkins.ports import CallRequest
from checkins.tables import Neighbourhood, Person, State
from community import complaints, fast_clock, meeting_calls, meetings, staff, upward, waiting
from community.meeting_state import Came
from community.meeting_tables import MeetingParty, MeetingPlan
from community.policy import DEFAULT
from community.tables import Meeting
from community.tickets_policy import CLOCK
from tests.unit.checkins.world import DAY, ZONE
from tests.unit.community.test_meeting_parties import (
    APPOINTED,
    ARRANGE,
    TALK,
    committee,
    fixed,
    found,
    is_now,
    rings_in_and_says,
    whose,
)
from tests.unit.community.test_meetings import CHEN, PLACE, THURSDAY, TUESDAY, WEDNESDAY, Committee, at

__all__ = ["committee"]
FRIDAY = DAY + timedelta(days=4)
NEIGHBOUR = "楼上邻居"


async def meets(committee: Committee) -> list[tuple[Any, str | None]]:
    query = select(Meeting).order_by(Meeting.id)
    return await committee.world.db.view(lambda session: [(each.at, each.outcome) for each in session.scalars(query)])


async def it_is(committee: Committee, clock: str, day: Any = DAY) -> None:
    committee.world.clock.advance_to(committee.world.at(clock, day))


async def keep(committee: Committee) -> None:
    def work(session: Any) -> None:
        meeting_calls.keep(session, committee.now)
        waiting.keep(session, committee.now)

    await committee.world.db.run(work)


async def tick(committee: Committee, *kinds: str) -> None:
    def work(session: Any) -> None:
        for item in items:
            row = session.get_one(Item, item.id)
            row.done_at, row.done_by = committee.now, CHEN

    items = await found(committee, *kinds)
    await committee.world.db.run(work)


async def rung(committee: Committee, clock: str, day: Any = DAY) -> list[CallRequest]:
    before = len(committee.rung())
    await committee.world.to(clock, day)
    return committee.rung()[before:]


async def both_say(committee: Committee, clock: str, wang: str, li: str, day: Any = DAY) -> None:
    for call in await rung(committee, clock, day):
        await committee.says(call, wang if call.callees[0].id == committee.wang else li)


# ── which meeting ─────────────────────────────────────────────────────────────────────────────────


async def today_s_is_over_and_there_is_one_on_thursday(committee: Committee) -> int:
    number = await fixed(committee, at(12, DAY))
    await it_is(committee, "13:00")
    await committee.act(staff.meet, number, at(14, THURSDAY), PLACE, NEIGHBOUR)
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}
    return number


async def test_the_outcome_of_today_s_meeting_leaves_the_news_of_thursday_s(committee: Committee) -> None:
    number = await today_s_is_over_and_there_is_one_on_thursday(committee)
    await committee.act(staff.met, number, "星期四再谈")
    assert await meets(committee) == [(at(12, DAY), "星期四再谈"), (at(14, THURSDAY), None)]
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}, "nobody has told them of Thursday"
    with pytest.raises(ValueError, match="is ahead"):
        await committee.act(staff.met, number, "谈好了")


async def test_called_off_is_the_next_one_and_an_hour_names_another(committee: Committee) -> None:
    number = await today_s_is_over_and_there_is_one_on_thursday(committee)
    with pytest.raises(LookupError, match="at that moment"):
        await committee.act(staff.call_off, number, "没来", at=at(14, FRIDAY))
    await committee.act(staff.call_off, number, "没空")
    assert await meets(committee) == [(at(12, DAY), None), (at(14, THURSDAY), "called off: 没空")]
    await committee.act(staff.call_off, number, "没来", at=at(12, DAY))
    assert (await meets(committee))[0] == (at(12, DAY), "called off: 没来")


@pytest.mark.parametrize("first", ["outcome", "cancel"])
async def test_that_thursday_s_is_off_is_news_whatever_is_written_of_today_s(committee: Committee, first: str) -> None:
    number = await today_s_is_over_and_there_is_one_on_thursday(committee)
    await tick(committee, APPOINTED)
    acts = [(staff.met, "没谈好"), (staff.call_off, "没空")]
    for act, words in acts if first == "outcome" else reversed(acts):
        await committee.act(act, number, words)
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    await committee.says((await rung(committee, "13:30"))[0], "meet.first")
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}, "of Thursday nobody has told them"


async def test_closed_as_gone_nothing_ahead_is_to_be(committee: Committee) -> None:
    number = await today_s_is_over_and_there_is_one_on_thursday(committee)
    await tick(committee, APPOINTED)
    await is_now(committee, committee.wang, State.DIED)
    await committee.act(staff.close, number)
    assert [outcome for _, outcome in await meets(committee)] == [None, "called off: 本人已搬走或去世"]
    assert await whose(committee, APPOINTED, ARRANGE) == {committee.li}


async def test_moved_twice_it_stands_once(committee: Committee) -> None:
    number = await fixed(committee)
    for day in (THURSDAY, FRIDAY):
        await committee.act(staff.meet, number, at(15, day), PLACE, NEIGHBOUR)
    assert [outcome for _, outcome in await meets(committee)] == ["called off: 改期", "called off: 改期", None]
    await committee.act(staff.call_off, number, "算了")
    assert None not in [outcome for _, outcome in await meets(committee)]


async def test_a_fixed_meeting_of_a_solved_complaint_can_be_moved(committee: Committee) -> None:
    number = await fixed(committee, answered=True)
    await rings_in_and_says(committee, "solved")
    await committee.act(staff.meet, number, at(15, THURSDAY), PLACE, NEIGHBOUR)
    await committee.act(staff.call_off, number, "算了")
    with pytest.raises(ValueError, match="is closed"):
        await committee.act(staff.meet, number, at(15, THURSDAY), PLACE, NEIGHBOUR)


# ── whom it concerns ──────────────────────────────────────────────────────────────────────────────


async def test_nobody_met_and_both_hear_of_the_next_one_and_that_it_is_off(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    await both_say(committee, "14:00", "meet.nobody", "meet.nobody")
    await committee.act(staff.meet, number, at(14, THURSDAY), PLACE, NEIGHBOUR)
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}
    await tick(committee, APPOINTED)
    await committee.act(staff.call_off, number, "没空")
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}


async def test_they_met_and_the_other_hears_of_the_next_one(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    await it_is(committee, "13:00")
    await committee.act(staff.met, number, "没谈好")
    await committee.act(staff.meet, number, at(14, THURSDAY), PLACE, NEIGHBOUR)
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}


async def test_they_met_and_new_times_without_the_other_are_no_news_to_them(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    await it_is(committee, "13:00")
    await committee.act(staff.met, number, "物业来修")
    await committee.offers(number, at(14, WEDNESDAY))
    assert await whose(committee, APPOINTED) == set()


async def test_who_refused_a_time_hears_that_it_is_solved(committee: Committee) -> None:
    number = await committee.complains()
    await committee.act(staff.hear, number)
    await committee.act(staff.reply, number, text="明天来修。")
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY), other=True)
    call = await committee.rings(committee.wang)
    await committee.asks(call, "reply.next", committee.wang)
    await committee.says(call, "meet.first")
    await committee.says(await committee.rings(committee.li, "08:40"), "meet.no")
    await rings_in_and_says(committee, "solved")
    assert await whose(committee, APPOINTED) == {committee.li}


# ── one of them can't ─────────────────────────────────────────────────────────────────────────────


async def test_li_dies_after_the_reminder_and_wang_has_an_item_until_it_is_over(committee: Committee) -> None:
    await fixed(committee)
    await committee.morning(TUESDAY)
    await both_say(committee, "17:30", "meet.known", "meet.known", TUESDAY)
    await it_is(committee, "20:00", TUESDAY)
    await is_now(committee, committee.li, State.DIED)
    await keep(committee)
    assert await whose(committee, APPOINTED, ARRANGE) == {committee.wang}
    await tick(committee, ARRANGE)
    await keep(committee)
    assert await found(committee, ARRANGE) == [], "it is not overdue"
    await it_is(committee, "13:31", WEDNESDAY)
    await keep(committee)
    assert await whose(committee, ARRANGE) == {committee.wang}, "nobody has moved it, or called it off"
    await tick(committee, ARRANGE)
    await it_is(committee, "14:00", WEDNESDAY)
    await keep(committee)
    assert await found(committee, ARRANGE) == []


async def test_a_meeting_booked_by_hand_and_li_dies(committee: Committee) -> None:
    number = await fixed(committee)
    await committee.act(staff.meet, number, at(15, THURSDAY), PLACE, NEIGHBOUR)
    await tick(committee, APPOINTED)
    await is_now(committee, committee.li, State.DIED)
    await keep(committee)
    assert await whose(committee, APPOINTED, ARRANGE) == {committee.wang}
    await committee.act(staff.call_off, number, "对方不在了")
    assert await found(committee, ARRANGE) == []


async def test_li_can_t_in_a_call_of_ours_nobody_is_reminded_and_both_are_rung(committee: Committee) -> None:
    number = await fixed(committee)
    await committee.morning(TUESDAY)
    await both_say(committee, "17:30", "meet.known", "meet.cant", TUESDAY)
    assert await whose(committee, ARRANGE) == {committee.wang, committee.li}
    assert [await committee.asked_of(each) for each in (committee.wang, committee.li)] == [None, None]
    await it_is(committee, "09:00", WEDNESDAY)
    await committee.act(staff.meet, number, at(14, WEDNESDAY), PLACE, NEIGHBOUR)
    assert await found(committee, ARRANGE) == [], "they can, after all"
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}
    assert len(await meets(committee)) == 1


async def test_wang_dies_while_li_is_asked_and_nothing_is_fixed(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, WEDNESDAY), other=True)
    await committee.says(await committee.rings(committee.wang), "meet.first")
    call = await committee.rings(committee.li, "08:40")
    asked = await committee.asks(call, "meet.next", committee.li)
    await is_now(committee, committee.wang, State.DIED)
    assert (await committee.asks(call, "meet.yes", committee.li, asked)).word == ""
    assert (await meets(committee), await whose(committee, ARRANGE)) == ([], {committee.li})


async def test_can_t_said_of_what_was_called_off_meanwhile_is_nobody_s_work(committee: Committee) -> None:
    number = await fixed(committee)
    call = await committee.rings_in(committee.li)
    asked = await committee.asks(call, "meet.next", committee.li)
    await committee.act(staff.call_off, number, "算了")
    await committee.asks(call, "meet.cant", committee.li, asked)
    assert await found(committee, ARRANGE) == []


# ── items end with their matter ───────────────────────────────────────────────────────────────────


async def test_the_line_was_down_and_then_they_chose(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, THURSDAY))
    committee.world.clock.advance_to(committee.now + timedelta(days=1, minutes=1))
    await keep(committee)
    assert await whose(committee, ARRANGE) == {committee.wang}
    call = await committee.rings_in(committee.wang)
    asked = await committee.asks(call, "meet.next", committee.wang)
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == "fixed"
    assert await found(committee, ARRANGE) == []


async def test_what_they_wanted_to_talk_about_is_over_when_it_is_solved_and_not_when_it_is_answered(
    committee: Committee,
) -> None:
    number = await fixed(committee, at(12, DAY), answered=True)
    await both_say(committee, "14:00", "meet.settled", "meet.unsettled")
    await committee.act(staff.reply, number, text="后天来修。")
    assert await whose(committee, TALK) == {committee.li}
    await rings_in_and_says(committee, "solved")
    assert await found(committee, TALK) == []


async def test_who_could_not_come_and_came_is_rung_by_nobody(committee: Committee) -> None:
    await fixed(committee, at(12, DAY))
    call = await committee.rings_in(committee.li)

    def cant(session: Any) -> None:
        party = session.scalars(select(MeetingParty).where(MeetingParty.person_id == committee.li)).one()
        meetings.cant(session, session.get_one(MeetingPlan, party.plan_id), party, call, committee.now)

    await committee.world.db.run(cant)
    assert await whose(committee, ARRANGE) == {committee.wang, committee.li}
    await both_say(committee, "14:00", "meet.settled", "meet.settled")
    assert await found(committee, ARRANGE) == []


async def test_an_item_is_done_by_who_acted(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY))
    await committee.ends(await committee.rings(committee.wang), result="wants_person")
    call_off = lambda session: staff.call_off(session, number, "算了", "张老师", committee.now)  # noqa: E731
    await committee.world.db.run(call_off)
    query = select(Item.done_by).where(Item.kind == ARRANGE)
    assert await committee.world.db.view(lambda session: list(session.scalars(query))) == ["张老师"]


# ── what came of it ───────────────────────────────────────────────────────────────────────────────


async def test_staff_write_the_minutes_after_a_key_and_a_later_key_does_not_replace_them(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    first, second = await rung(committee, "14:00")
    await committee.says(first, "meet.settled")
    asked = await committee.asks(second, "meet.next", second.callees[0].id)
    await committee.act(staff.met, number, "下周三完工")
    await committee.asks(second, "meet.unsettled", second.callees[0].id, asked)
    assert await meets(committee) == [(at(12, DAY), "下周三完工")]
    with pytest.raises(LookupError, match="no meeting is open"):
        await committee.act(staff.met, number, "又改了")


async def test_two_of_one_name_have_a_word_each(committee: Committee) -> None:
    def rename(session: Any) -> None:
        session.get_one(Person, committee.li).name = session.get_one(Person, committee.wang).name

    await committee.world.db.run(rename)
    await fixed(committee, at(12, DAY))
    await both_say(committee, "14:00", "meet.settled", "meet.unsettled")
    ((_, outcome),) = await meets(committee)
    assert outcome is not None
    assert outcome.startswith("没有谈好(")


async def test_the_street_s_sheet_lists_what_took_place(committee: Committee) -> None:
    number = await fixed(committee, at(12, DAY))
    await both_say(committee, "14:00", "meet.nobody", "meet.settled")
    await committee.act(staff.meet, number, at(14, WEDNESDAY), PLACE, "物业王经理")
    await committee.act(staff.meet, number, at(14, THURSDAY), PLACE, "物业王经理")
    await it_is(committee, "15:00", THURSDAY)

    def listed(session: Any) -> list[str]:
        for each in (committee.wang, committee.li):
            person = session.get_one(Person, each)
            person.consents = {**person.consents, "street": True}
        place = session.get_one(Neighbourhood, committee.world.place_id)
        return [row[4] for row in upward.meetings(session, place, upward.month("2026-03", ZONE))[1:]]

    assert await committee.world.db.run(listed) == []
    await committee.act(staff.met, number, "下周三完工")
    assert await committee.world.db.run(listed) == ["下周三完工"]


# ── one elder, one moment ─────────────────────────────────────────────────────────────────────────


async def another(committee: Committee) -> int:
    file = lambda session: complaints.file(session, "earlier2", committee.wang, committee.now).number  # noqa: E731
    return await committee.world.db.run(file)


async def test_who_meets_at_that_moment_is_not_offered_another_one(committee: Committee) -> None:
    await fixed(committee)
    number = await another(committee)
    with pytest.raises(ValueError, match="about another complaint"):
        await committee.offers(number, at(14, WEDNESDAY))
    with pytest.raises(ValueError, match="about another complaint"):
        await committee.act(staff.meet, number, at(14, WEDNESDAY), PLACE, "物业王经理")


async def test_of_two_offers_with_one_time_it_can_be_chosen_once(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, WEDNESDAY), at(10, THURSDAY))
    await committee.offers(await another(committee), at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    asked = await committee.asks(call, "meet.next", committee.wang)
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == "fixed"
    asked = await committee.asks(call, "meet.next", committee.wang)
    assert asked.values["meet_times"] == "三月五号星期四,上午十点,请按2;"
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == "again"
    assert (await committee.asks(call, "meet.second", committee.wang, asked)).word == "fixed"


async def test_what_was_taken_before_the_other_s_yes_is_asked_anew(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY), other=True)
    await committee.says(await committee.rings(committee.wang), "meet.first")
    await committee.act(staff.meet, await another(committee), at(14, WEDNESDAY), PLACE, "物业王经理")
    await committee.world.to("08:40")
    await committee.world.to("08:50")
    assert [await committee.asked_of(each) for each in (committee.wang, committee.li)] == ["choose", None]


# ── clocks, and calls whose end comes late ────────────────────────────────────────────────────────


async def test_chosen_under_a_clock_that_was_fast_they_are_reminded(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, THURSDAY))
    call = await committee.rings(committee.wang)
    await committee.asks(call, "meet.next", committee.wang)

    def work(session: Any) -> None:
        party = session.scalars(select(MeetingParty)).one()
        plan = session.get_one(MeetingPlan, party.plan_id)
        meetings.choose(session, plan, party, 0, call.id, at(20, WEDNESDAY))
        fast_clock.accept(session, committee.now, DEFAULT, CLOCK)

    await committee.world.db.run(work)
    assert await committee.asked_of(committee.wang) == "remind"


async def test_who_asked_for_a_person_is_rung_though_the_call_s_end_comes_late(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    lost = lambda session: committee.world.cycle._give_up(session, call.id, committee.now)  # noqa: E731
    await committee.world.db.run(lost)
    await committee.ends(call, result="wants_person")
    assert await whose(committee, ARRANGE) == {committee.wang}


@pytest.mark.parametrize("came", list(Came))
async def test_what_they_said_has_a_word_for_each(committee: Committee, came: Came) -> None:
    await fixed(committee, at(12, DAY))
    await both_say(committee, "14:00", f"meet.{came}", f"meet.{came}")
    assert await whose(committee, TALK) == (set() if came is Came.SETTLED else {committee.wang, committee.li})
