"""Meetings after a clock that was fast: what came of one that is still to be is no outcome. And who asks for a person
in a call whose end nobody knew at first is somebody's to ring."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from checkins import fast_clock as checkins_fast_clock
from checkins.intents import intend
from checkins.items import Item
from checkins.line_rules import Purpose
from checkins.people import set_state
from checkins.results import Status
from checkins.tables import Checkin, IntentState, State
from community import fast_clock, meetings, staff
from community.meeting_state import TOO_SOON, Came
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.policy import DEFAULT
from community.tables import ComplaintEvent
from community.tickets_policy import CLOCK
from tests.unit.checkins.world import DAY
from tests.unit.community.test_meeting_acts import both_say, rung
from tests.unit.community.test_meeting_parties import APPOINTED, ARRANGE, MEETING, committee, fixed, whose
from tests.unit.community.test_meetings import CHEN, PLACE, THURSDAY, TUESDAY, WEDNESDAY, Committee, at

__all__ = ["committee"]


async def accepts(committee: Committee) -> int:
    """Staff say that the clock is right now."""

    def work(session: Any) -> int:
        checkins_fast_clock.accept(session, CHEN, committee.now)
        return fast_clock.accept(session, committee.now, DEFAULT, CLOCK)

    return await committee.world.db.run(work)


async def came_ahead(committee: Committee, moment: datetime, *words: tuple[str, Came]) -> None:
    """By a clock that shows `moment` these say what came of the meeting, in calls of ours."""
    for elder, came in words:
        call = await committee.world.db.run(lambda session, elder=elder: _called(session, elder, moment))
        await committee.world.db.run(lambda session, e=elder, c=came, i=call: _came(session, e, c, i, moment))


def _called(session: Any, elder: str, moment: datetime) -> str:
    intent = intend(session, f"+8621100{elder[:4]}", Purpose.REPLY, moment, "one")
    intent.state = IntentState.SETTLED
    return intent.id


def _party(session: Any, elder: str) -> tuple[MeetingPlan, MeetingParty]:
    query = select(MeetingParty).where(MeetingParty.person_id == elder).order_by(MeetingParty.id.desc())
    party = session.scalars(query).first()
    return session.get_one(MeetingPlan, party.plan_id), party


def _came(session: Any, elder: str, came: Came, call: str, moment: datetime) -> None:
    plan, party = _party(session, elder)
    meetings.set_ask(party, Ask.AFTER, moment)
    meetings.came(session, plan, party, came, call, moment)


async def outcome(committee: Committee) -> str | None:
    meeting = await committee.meeting()
    assert meeting is not None
    return meeting.outcome


async def both_ask(committee: Committee) -> list[str | None]:
    return [await committee.asked_of(each) for each in (committee.wang, committee.li)]


@pytest.mark.parametrize("words", [[Came.NOBODY, Came.NOBODY], [Came.SETTLED, Came.SETTLED], [Came.UNSETTLED]])
async def test_what_they_said_of_a_meeting_that_is_still_to_be_is_no_outcome(
    committee: Committee, words: list[Came]
) -> None:
    """Asked on Friday by a clock that was fast, on Monday in truth: both hear again when it is, are reminded, and asked
    when it is over. What they said too soon doesn't mix with what they say then."""
    await fixed(committee, at(14, WEDNESDAY))
    elders = (committee.wang, committee.li)
    await came_ahead(committee, at(10, THURSDAY), *zip(elders, words, strict=False))
    assert await outcome(committee)

    assert await accepts(committee) > 0
    assert await accepts(committee) == 0
    assert await outcome(committee) is None
    assert await whose(committee, MEETING) == {committee.wang}
    assert await both_ask(committee) == [Ask.TOLD, Ask.TOLD]
    calls = [*await rung(committee, "09:15"), *await rung(committee, "09:20")]
    assert {call.callees[0].id for call in calls} == set(elders)
    for call in calls:
        told, _ = await committee.says(call, "meet.known")
        assert (told.word, told.values["meet_when"]) == ("told", "后天,三月四号星期三,下午两点")
    await committee.morning(TUESDAY)
    await both_say(committee, "17:30", "meet.known", "meet.known", TUESDAY)
    assert await both_ask(committee) == [Ask.AFTER, Ask.AFTER]
    await committee.morning(WEDNESDAY)
    await both_say(committee, "16:00", "meet.settled", "meet.settled", WEDNESDAY)
    assert await outcome(committee) == "李福根在电话里说:谈好了;王秀英在电话里说:谈好了"
    assert await both_ask(committee) == [None, None]


async def test_what_staff_wrote_by_that_clock_is_kept_in_the_log_and_asked_for_again(committee: Committee) -> None:
    number = await fixed(committee, at(14, WEDNESDAY))
    ahead = at(9, THURSDAY)
    await committee.world.db.run(lambda session: staff.met(session, number, "谈好了", CHEN, ahead))
    await accepts(committee)
    assert await outcome(committee) is None
    assert await whose(committee, MEETING) == {committee.wang}
    assert await both_ask(committee) == [Ask.TOLD, Ask.TOLD]
    log = select(ComplaintEvent.detail).where(ComplaintEvent.what == TOO_SOON)
    detail = await committee.world.db.view(lambda session: session.scalars(log).one())
    assert detail["outcome"] == "谈好了"
    committee.world.clock.advance_to(at(15, WEDNESDAY))
    await committee.act(staff.met, number, "没有谈好")
    assert await outcome(committee) == "没有谈好"


async def test_one_arranged_by_staff_is_open_again_and_a_person_tells_them(committee: Committee) -> None:
    number = await committee.complains()
    await committee.act(staff.meet, number, at(14, WEDNESDAY), PLACE, "物业王经理")
    await committee.world.db.run(lambda session: staff.met(session, number, "谈好了", CHEN, at(9, THURSDAY)))
    assert await whose(committee, APPOINTED) == set()
    await accepts(committee)
    assert (await outcome(committee), await whose(committee, MEETING)) == (None, {committee.wang})
    assert await whose(committee, APPOINTED) == {committee.wang}


async def test_given_up_without_a_word_by_that_clock_they_are_told_again(committee: Committee) -> None:
    await fixed(committee, at(14, WEDNESDAY))

    def work(session: Any) -> None:
        for elder in (committee.wang, committee.li):
            plan, party = _party(session, elder)
            meetings.over_for(session, plan, party, at(9, THURSDAY))

    await committee.world.db.run(work)
    assert await both_ask(committee) == [None, None]
    await accepts(committee)
    assert await both_ask(committee) == [Ask.TOLD, Ask.TOLD]


async def test_what_was_called_off_by_that_clock_stays_so(committee: Committee) -> None:
    number = await fixed(committee, at(14, WEDNESDAY))
    await committee.world.db.run(lambda session: staff.call_off(session, number, "王经理没空", CHEN, at(9, THURSDAY)))
    await accepts(committee)
    assert await outcome(committee) == "called off: 王经理没空"
    assert await both_ask(committee) == [None, None]


async def test_a_meeting_that_was_over_by_both_clocks_keeps_its_outcome(committee: Committee) -> None:
    await fixed(committee, at(12, DAY))
    await came_ahead(committee, at(10, THURSDAY), (committee.wang, Came.SETTLED), (committee.li, Came.SETTLED))
    committee.world.clock.advance_to(at(15, DAY))
    assert await accepts(committee) > 0
    meeting = await committee.meeting()
    assert meeting is not None
    assert (meeting.outcome is not None, meeting.noted_at) == (True, committee.now)


async def test_when_one_has_died_by_that_clock_nobody_is_rung_and_a_person_rings_the_other(
    committee: Committee,
) -> None:
    await fixed(committee, at(14, WEDNESDAY))
    await came_ahead(committee, at(10, THURSDAY), (committee.wang, Came.NOBODY), (committee.li, Came.NOBODY))
    died = lambda session: set_state(session, committee.li, State.DIED, CHEN, at(11, THURSDAY))  # noqa: E731
    await committee.world.db.run(died)
    await accepts(committee)
    assert await outcome(committee) is None
    assert await both_ask(committee) == [None, None]
    assert await whose(committee, ARRANGE) == {committee.wang}


async def test_where_staff_have_offered_another_by_that_clock_a_person_tells_both_of_the_first(
    committee: Committee,
) -> None:
    number = await fixed(committee, at(14, WEDNESDAY))
    await came_ahead(committee, at(10, THURSDAY), (committee.wang, Came.NOBODY), (committee.li, Came.NOBODY))

    def offer(session: Any) -> None:
        times, now = [at(14, DAY.replace(day=9))], at(11, THURSDAY)
        meetings.offer(session, number, times, PLACE, "楼上邻居", CHEN, now, other_id=committee.li)

    await committee.world.db.run(offer)
    await accepts(committee)
    assert await whose(committee, APPOINTED) == {committee.wang, committee.li}
    assert await whose(committee, MEETING) == {committee.wang}
    assert await both_ask(committee) == [Ask.CHOOSE, None]


# ── who asks for a person ─────────────────────────────────────────────────────────────────────────


async def somebody_has_it(committee: Committee, elder: str) -> set[str]:
    """What asks a person to ring this elder."""

    def work(session: Any) -> set[str]:
        items = select(Item.kind).where(Item.person_id == elder, Item.done_at.is_(None))
        cases = select(Checkin.id).where(Checkin.elder_id == elder, Checkin.status == Status.NEEDS_PERSON)
        return set(session.scalars(items)) | {"case" for _ in session.scalars(cases)}

    return await committee.world.db.view(work)


@pytest.mark.parametrize("asked", [Ask.CHOOSE, Ask.AGREE, Ask.TOLD, Ask.REMIND, Ask.AFTER])
@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_who_wants_a_person_after_calls_of_which_nobody_knew_the_end_is_rung_by_one(
    committee: Committee, asked: Ask, lost: int
) -> None:
    """Always by who is on duty today; and where a time is to be found, by who arranges it."""
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY), other=True)
    call = await committee.rings(committee.wang)
    elder = committee.wang
    if asked is not Ask.CHOOSE:
        await committee.says(call, "meet.first")
        call, elder = await committee.rings(committee.li, "08:40"), committee.li

    def before(session: Any) -> None:
        plan, party = _party(session, elder)
        if asked in (Ask.TOLD, Ask.REMIND, Ask.AFTER):
            meetings.agree(session, plan, party, call.id, committee.now, yes=True)
            party.ask = asked
        party.intent_id, party.due_at, party.calls = call.id, committee.now, max(lost - 1, 0)
        if lost:
            committee.world.cycle._give_up(session, call.id, committee.now)

    await committee.world.db.run(before)
    await committee.ends(call, result="wants_person")
    assert {"case", *([ARRANGE] if asked in (Ask.CHOOSE, Ask.AGREE) else [])} <= await somebody_has_it(committee, elder)
