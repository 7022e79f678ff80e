"""Meeting face to face, arranged by telephone: who is asked what, when, and what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from checkins.cycle import Cycle
from checkins.intents import INBOUND, intend
from checkins.items import ItemKind, open_items
from checkins.people import set_state
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Told
from checkins.schedule import at_minute
from checkins.tables import IntentState, State
from community import complaints, fast_clock, meeting_words, meetings, rows, staff, waiting
from community.counter import Counter
from community.meeting_calls import MeetingCalls
from community.meeting_tables import MeetingParty
from community.policy import DEFAULT
from community.reply_calls import FLOW, ReplyCalls
from community.tables import Meeting
from community.tickets_policy import CLOCK
from tests.unit.checkins.world import DAY, ZONE, World

TUESDAY, WEDNESDAY, THURSDAY = (DAY + timedelta(days=days) for days in (1, 2, 3))
CHEN, PLACE = "陈老师", "居委会会议室"


class Committee:
    """Monday, 2 March 2026, eight: Wang and Li are well. Wang complains of Li."""

    def __init__(self, world: World) -> None:
        self.world, self.counter = world, Counter(world.db, world.clock)
        world.cycle = Cycle(
            world.db, world.placer, world.clock, owner="one", errands=[ReplyCalls(), MeetingCalls()], **world.limits
        )
        self.wang, self.li = (world.elder(name, slot=8 * 60) for name in ("王秀英", "李福根"))

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    async def morning(self, day: Any = DAY) -> None:
        await self.world.to("08:00", day)
        for elder in (self.wang, self.li):
            await self.world.ends(elder, "well", after=timedelta())

    async def complains(self) -> int:
        file = lambda session: complaints.file(session, "earlier", self.wang, self.now).number  # noqa: E731
        return await self.world.db.run(file)

    async def offers(self, number: int, *times: datetime, other: bool = False) -> None:
        with_whom, other_id = ("楼上邻居", self.li) if other else ("物业王经理", None)
        await self.act(meetings.offer, number, times, PLACE, with_whom, other_id=other_id)

    async def act(self, work: Any, *args: Any, **more: Any) -> Any:
        return await self.world.db.run(lambda session: work(session, *args, by=CHEN, now=self.now, **more))

    def rung(self) -> list[CallRequest]:
        return [call for call in self.world.placer.requests if call.flow == FLOW]

    async def rings(self, elder: str, clock: str = "08:30", day: Any = DAY) -> CallRequest:
        """One more call, to this elder."""
        before = len(self.rung())
        await self.world.to(clock, day)
        (call,) = self.rung()[before:]
        assert [callee.id for callee in call.callees] == [elder]
        return call

    async def asks(self, call: CallRequest | str, query: str, elder: str, about: Told | None = None) -> Told:
        call_id = call if isinstance(call, str) else call.id
        value = (about.values if about else {}).get("meeting", "")
        return await self.counter.ask(call_id, query, elder, value)

    async def says(self, call: CallRequest, *queries: str) -> list[Told]:
        """In a call of ours: the question, what they press, and the call's end."""
        elder = call.callees[0].id
        asked = await self.asks(call, "meet.next", elder)
        said = [asked, *[await self.asks(call, query, elder, asked) for query in queries]]
        await self.ends(call)
        return said

    async def ends(self, call: CallRequest, end: Disposition = Disposition.ANSWERED, result: str = "no_reply") -> None:
        person = PersonOutcome(call.callees[0].id, result, "key")
        people = (person,) if end is Disposition.ANSWERED else ()
        await self.world.cycle.settle(CallOutcome(call.id, self.now, final=True, disposition=end, people=people))

    async def rings_in(self, elder: str) -> str:
        def work(session: Any) -> str:
            intent = intend(session, "+862110000009", INBOUND, self.now, "one")
            intent.state = IntentState.SETTLED
            return intent.id

        return await self.world.db.run(work)

    async def todo(self) -> list[str]:
        return [item.kind for item in await self.world.db.view(open_items) if item.kind.startswith("complaint_")]

    async def meeting(self) -> Meeting | None:
        return await self.world.db.view(lambda session: session.scalars(select(Meeting)).first())

    async def asked_of(self, elder: str) -> str | None:
        query = select(MeetingParty.ask).where(MeetingParty.person_id == elder).order_by(MeetingParty.id.desc())
        return await self.world.db.view(lambda session: session.scalars(query).first())


def at(clock: int, day: Any) -> datetime:
    return at_minute(ZONE, day, clock * 60)


@pytest.fixture
async def committee(world: World) -> Committee:
    room = Committee(world)
    await room.morning()
    return room


async def test_one_chooses_is_reminded_on_the_evening_before_and_says_that_it_is_settled(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY))
    call = await committee.rings(committee.wang)
    asked, chosen = await committee.says(call, "meet.second")
    assert asked.word == "choose"
    assert asked.values["meet_times"] == "后天,三月四号星期三,下午两点,请按1;三月五号星期四,上午十点,请按2;"
    assert (chosen.word, chosen.values["meet_when"]) == ("fixed", "三月五号星期四,上午十点")
    meeting = await committee.meeting()
    assert meeting is not None
    assert (meeting.at, meeting.place, meeting.booked_by) == (at(10, THURSDAY), PLACE, CHEN)
    for day in (TUESDAY, WEDNESDAY):
        await committee.morning(day)
    call = await committee.rings(committee.wang, "17:30", WEDNESDAY)
    (told, _) = await committee.says(call, "meet.known")
    assert (told.word, told.values["meet_when"]) == ("told", "明天,三月五号星期四,上午十点")
    await committee.morning(THURSDAY)
    call = await committee.rings(committee.wang, "12:00", THURSDAY)
    (after, _) = await committee.says(call, "meet.settled")
    assert after.word == "after"
    meeting = await committee.meeting()
    assert meeting is not None
    assert (meeting.outcome, meeting.noted_by) == ("王秀英在电话里说:谈好了", "王秀英")
    assert ItemKind.COMPLAINT_MEETING not in await committee.todo()
    assert await committee.asked_of(committee.wang) is None


async def test_two_parties_one_refuses_a_time_and_both_hear_when_it_is(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY), other=True)
    (_, chosen) = await committee.says(await committee.rings(committee.wang), "meet.first")
    assert chosen.word == "noted"
    asked, said = await committee.says(await committee.rings(committee.li, "08:31"), "meet.no")
    assert (asked.word, asked.values["meet_when"], said.word) == ("agree", "后天,三月四号星期三,下午两点", "noted")
    assert str(number) not in asked.values["matter"], "whose complaint it is, is nobody's business"
    assert asked.values["matter"] == "邻里之间的一件事,"
    asked, chosen = await committee.says(await committee.rings(committee.wang, "08:40"), "meet.second")
    assert "请按1" not in asked.values["meet_times"], "a time keeps its key"
    asked, said = await committee.says(await committee.rings(committee.li, "08:50"), "meet.yes")
    assert said.word == "fixed"
    (told, _) = await committee.says(await committee.rings(committee.wang, "09:00"), "meet.known")
    assert told.word == "told"
    assert [await committee.asked_of(each) for each in (committee.wang, committee.li)] == ["remind", "remind"]


async def test_no_time_suits_the_other_and_staff_arrange_it(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY), other=True)
    await committee.says(await committee.rings(committee.wang), "meet.first")
    await committee.says(await committee.rings(committee.li, "08:31"), "meet.no")
    assert ItemKind.COMPLAINT_ARRANGE in await committee.todo()
    await committee.act(staff.meet, number, at(15, THURSDAY), PLACE, "楼上邻居")
    assert ItemKind.COMPLAINT_ARRANGE not in await committee.todo(), "they have"


async def test_who_presses_0_finds_none_of_the_times_good(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    await committee.ends(call, result="wants_person")
    assert ItemKind.COMPLAINT_ARRANGE in await committee.todo()
    assert await committee.asked_of(committee.wang) is None


async def test_three_calls_in_vain_and_a_line_that_fails_does_not_count(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, THURSDAY))
    await committee.ends(await committee.rings(committee.wang), Disposition.LINE_ERROR)
    await committee.ends(await committee.rings(committee.wang, "09:00"), Disposition.NO_ANSWER)
    await committee.ends(await committee.rings(committee.wang, "12:30"), Disposition.NO_ANSWER)
    assert ItemKind.COMPLAINT_ARRANGE not in await committee.todo()
    await committee.morning(TUESDAY)
    await committee.ends(await committee.rings(committee.wang, "16:00", TUESDAY), Disposition.NO_ANSWER)
    assert ItemKind.COMPLAINT_ARRANGE in await committee.todo()


async def test_a_choice_of_who_rings_in_is_told_in_a_call_of_ours(committee: Committee) -> None:
    """A number can be forged: nobody is taken to know of what perhaps somebody else has heard."""
    await committee.offers(await committee.complains(), at(14, WEDNESDAY))
    call = await committee.rings_in(committee.wang)
    status = await committee.asks(call, "status.next", committee.wang)
    assert status.word == "waiting"
    assert (await committee.asks(call, "status.next", committee.wang)).word == "meeting"
    asked = await committee.asks(call, "meet.next", committee.wang)
    assert (await committee.asks(call, "meet.first", committee.wang, asked)).word == "fixed"
    await committee.asks(call, "meet.known", committee.wang, asked)
    assert await committee.asked_of(committee.wang) == "told"
    told, _ = await committee.says(await committee.rings(committee.wang), "meet.known")
    assert told.word == "told"
    assert await committee.asked_of(committee.wang) == "remind"
    call = await committee.rings_in(committee.wang)
    again = await committee.asks(call, "meet.next", committee.wang)
    assert again.word == "told"
    await committee.asks(call, "meet.cant", committee.wang, again)
    assert ItemKind.COMPLAINT_ARRANGE in await committee.todo()
    assert await committee.asked_of(committee.wang) == "remind", "she is reminded all the same"


async def test_who_is_rung_with_an_answer_anyway_is_asked_in_that_call_and_not_rung_once_more(
    committee: Committee,
) -> None:
    number = await committee.complains()
    await committee.act(staff.hear, number)
    await committee.act(staff.reply, number, text="明天来修。")
    await committee.offers(number, at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    assert (await committee.asks(call, "reply.next", committee.wang)).word == "reply"
    await committee.asks(call, "reply.not_solved", committee.wang)
    assert (await committee.asks(call, "reply.next", committee.wang)).word == "meeting"
    assert (await committee.asks(call, "meet.next", committee.wang)).word == "choose"
    await committee.ends(call)
    before = len(committee.rung())
    await committee.world.to("09:30")
    assert len(committee.rung()) == before
    assert await committee.asked_of(committee.wang) == "choose"


async def test_the_same_key_again_changes_nothing_and_a_time_that_is_none_is_asked_again(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY))
    call = await committee.rings(committee.wang)
    asked = await committee.asks(call, "meet.next", committee.wang)
    words = [
        (await committee.asks(call, f"meet.{key}", committee.wang, asked)).word for key in ("third", "first", "first")
    ]
    assert words == ["again", "fixed", "fixed"]
    found = await committee.world.db.view(lambda session: rows.events(session, rows.by_number(session, number)))
    assert [event.what for event in found].count("meeting") == 1


async def test_who_may_not_be_rung_any_more_is_told_by_a_person(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, WEDNESDAY))
    await committee.world.db.run(lambda s: set_state(s, committee.wang, State.REFUSED, CHEN, committee.now))
    await committee.world.to("08:30")
    assert committee.rung() == []
    assert ItemKind.COMPLAINT_ARRANGE in await committee.todo()
    with pytest.raises(ValueError, match="can't ring them"):
        await committee.offers(number, at(10, THURSDAY))


async def test_unsettled_is_a_person_s_and_called_off_is_asked_of_nobody(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(12, DAY))
    await committee.says(await committee.rings(committee.wang), "meet.first")
    await committee.says(await committee.rings(committee.wang, "14:00"), "meet.unsettled")
    assert ItemKind.COMPLAINT_TALK in await committee.todo()
    await committee.offers(number, at(14, WEDNESDAY), at(10, THURSDAY))
    await committee.act(staff.call_off, number, "王经理没空")
    assert await committee.asked_of(committee.wang) is None
    assert ItemKind.COMPLAINT_APPOINTED in await committee.todo()
    await committee.world.to("17:00")
    assert len(committee.rung()) == 2


async def test_a_line_that_is_down_for_a_day_leaves_it_to_a_person(committee: Committee) -> None:
    number = await committee.complains()
    await committee.offers(number, at(14, THURSDAY))
    later = committee.now + timedelta(days=1, minutes=1)
    found = await committee.world.db.view(lambda session: [wait.kind for _, wait in waiting.late(session, later)])
    assert ItemKind.COMPLAINT_ARRANGE in found


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([], "one to 4 times"),
        ([at(hour, WEDNESDAY) for hour in (9, 10, 11, 14, 15)], "one to 4 times"),
        ([at(9, DAY)], "two hours"),
        ([at(14, WEDNESDAY) + timedelta(minutes=20)], "quarters"),
        ([at(3, WEDNESDAY)], "between 7:00 and 21:00"),
        ([at(21, WEDNESDAY) + timedelta(minutes=15)], "between 7:00 and 21:00"),
        ([at(14, WEDNESDAY + timedelta(days=90))], "within 90 days"),
    ],
)
async def test_times_that_can_t_be_offered(committee: Committee, times: list[datetime], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        await committee.offers(await committee.complains(), *times)


def test_how_a_moment_is_said() -> None:
    now = at(9, DAY)
    said = [
        meeting_words.moment(ZONE, moment, now)
        for moment in (
            at(12, DAY) + timedelta(minutes=45),
            at(9, TUESDAY) + timedelta(minutes=15),
            at(18, DAY + timedelta(days=20)),
        )
    ]
    assert said == [
        "今天,三月二号星期一,中午十二点三刻",
        "明天,三月三号星期二,上午九点一刻",
        "三月二十二号星期天,晚上六点",
    ]
    assert meeting_words.reminded_at(ZONE, at(9, TUESDAY), at(18, DAY)) is None


async def test_what_a_clock_that_was_fast_has_put_off_is_asked_soon(committee: Committee) -> None:
    await committee.offers(await committee.complains(), at(14, THURSDAY))

    def work(session: Any) -> None:
        party = session.scalars(select(MeetingParty)).one()
        party.due_at = committee.now + timedelta(days=200)
        fast_clock.accept(session, committee.now, DEFAULT, CLOCK)

    await committee.world.db.run(work)
    asked, _ = await committee.says(await committee.rings(committee.wang), "meet.first")
    assert asked.word == "choose"
