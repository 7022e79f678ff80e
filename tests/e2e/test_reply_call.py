"""The committee's answer is rung out, over a real carrier's protocol: by keys, by voice where that is asked back, to a
machine, to somebody else, and to nobody three times."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import select

from checkins import items
from checkins.items import ItemKind
from checkins.people import add_person
from checkins.results import Reason, Status, Urgency
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.tables import CallIntent, Checkin, IntentState, Role
from community import complaints, rows, staff
from community.tables import Complaint, Reply
from community.tables import Status as Stands
from tests.e2e.line import ELDER, ZONE, Story, story
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier

TEXT = "楼道的灯今天修好了。"
CHEN = "+862155510003"  # on duty


@dataclass
class Matter:
    """An elder who is well today, and what she has complained of."""

    line: Story
    elder: str
    number: int

    async def staff(self, act: Any, *more: Any, **values: Any) -> Any:
        now = self.line.house.clock.now()
        return await self.line.house.db.run(lambda session: act(session, self.number, *more, "陈老师", now, **values))

    async def answer(self, text: str = TEXT) -> None:
        now = self.line.house.clock.now()
        await self.line.house.db.run(lambda session: staff.reply(session, self.number, "陈老师", now, text))

    async def rings(self, kind: Any = "answers", **more: Any) -> FakeCall:
        """Half an hour later she is rung with the answer."""
        call = self.line.carrier.expect_call(ELDER, kind, **more)
        await self.line.later(minutes=30)
        return call

    async def heard(self) -> FakeCall:
        """She has heard who rings, said that it is she, and heard the answer."""
        call = await self.rings()
        await call.hears("greet.ask")
        assert not await self.says(call, TEXT), "told before she said who she is"
        call.presses("1")
        await call.hears("solved.ask", within_s=90)
        assert await self.says(call, TEXT)
        return call

    async def says(self, call: FakeCall, text: str) -> bool:
        return await self.line.house.prompts.get(text) in call.heard

    async def over(self) -> tuple[Complaint, Reply, list[str]]:
        """The complaint when all calls are over."""
        await self.line.row(self.elder)
        return await self.line.house.db.view(self._look)

    def _look(self, session: Any) -> tuple[Complaint, Reply, list[str]]:
        complaint = session.scalars(select(Complaint).where(Complaint.number == self.number)).one()
        answer = rows.last_reply(session, complaint)
        assert answer is not None
        return complaint, answer, [event.what for event in rows.events(session, complaint)]

    async def items(self) -> list[str]:
        found = await self.line.house.db.view(items.open_items)
        return [item.kind for item in found]


async def well(line: Story, elder: str) -> None:
    """As if her own call of the day were over."""
    await line.house.cycle.plan()
    query = select(Checkin).where(Checkin.elder_id == elder).order_by(Checkin.date.desc()).limit(1)

    def work(session: Any) -> None:
        row = session.scalars(query).one()
        row.status, row.due_at, row.closed_by, row.closed_at = Status.CLOSED, None, "line", line.house.clock.now()

    await line.house.db.run(work)


@pytest_asyncio.fixture
async def matter(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Matter]:
    async with story(carrier, tmp_path) as line:
        yield await _begun(line)


async def _begun(line: Story) -> Matter:
    elder = await line.elder()
    now = line.house.clock.now()
    file = lambda session: complaints.file(session, "earlier", elder, now).number  # noqa: E731
    matter = Matter(line, elder, await line.house.db.run(file))
    await well(matter.line, matter.elder)
    await matter.staff(staff.hear)
    await matter.answer()
    return matter


async def test_solved_by_key(matter: Matter) -> None:
    call = await matter.heard()
    call.presses("1")
    await call.hears("solved.say")
    assert (await matter.line.house.db.view(matter._look))[0].status == Stands.CLOSED, "at once"
    await call.hears("bye.say")
    assert await call.ended() == "completed"
    complaint, answer, events = await matter.over()
    assert (complaint.closed_by, complaint.close_reason, answer.due_at) == ("王秀英", "solved", None)
    assert events[-3:] == ["calling", "told", "solved"]
    await matter.line.later(hours=5)  # an unexpected call fails the test
    prompts = [detail["name"] for _, detail in await matter.line.log("prompt")]
    assert prompts.count("reply.text") == 1


async def test_unreached_three_times_then_somebody_goes_there_and_may_close_it(matter: Matter) -> None:
    call = await matter.rings("machine", greeting=b"\x80" * 8000)
    await call.ended()
    assert "reply.fetch" not in call.seen("prompt")
    for wait, kind in ((timedelta(hours=3), "no_answer"), (timedelta(hours=27), "busy")):
        await matter.over()
        if wait > timedelta(days=1):
            matter.line.carrier.clock.advance(hours=20)
            await well(matter.line, matter.elder)
            wait -= timedelta(hours=20)
        call = matter.line.carrier.expect_call(ELDER, kind)
        await matter.line.later(seconds=wait.total_seconds() + 60)
        await call.ended()
    complaint, answer, _ = await matter.over()
    assert (complaint.status, answer.calls, answer.outcome) == (Stands.ANSWERED, 3, "unreached")
    assert await matter.items() == [ItemKind.COMPLAINT_VISIT]
    await matter.line.later(hours=5)
    await matter.staff(staff.visited, "她在家,灯亮了")
    await matter.staff(staff.close)
    complaint, _, _ = await matter.over()
    assert (complaint.status, complaint.closed_by) == (Stands.CLOSED, "陈老师")


async def test_a_cry_for_help_in_it_is_an_emergency(matter: Matter) -> None:
    call = await matter.heard()
    call.presses("00")
    await call.hears("emergency.ask")
    row = await matter.line.now(matter.elder)
    assert (row.status, row.urgency, row.reason) == (Status.NEEDS_PERSON, Urgency.EMERGENCY, Reason.EMERGENCY)
    call.hangs_up()
    await call.ended()
    assert (await matter.over())[0].status == Stands.ANSWERED


async def test_0_is_a_person_whom_they_talk_to(matter: Matter) -> None:
    await matter.line.house.db.run(lambda session: _duty(session, matter.line))
    duty = matter.line.carrier.expect_call(CHEN)
    call = await matter.heard()
    call.presses("0")
    await call.hears("person.ask")
    await duty.hears("greet.ask")
    duty.presses("1")
    await duty.bridged()
    duty.hangs_up()
    await call.hears("bye.say")
    await call.ended()
    row = await matter.line.row(matter.elder)
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, "陈老师")
    assert (await matter.over())[0].status == Stands.ANSWERED


def _duty(session: Any, line: Story) -> None:
    now, place = line.house.clock.now(), line.place_id
    chen = add_person(session, place, "陈老师", "陈老师", CHEN, role=Role.STAFF).id
    edits.set_rotation(session, place, Rotation((chen,), anchor=local_date(ZONE, now)), "书记", now)


async def test_by_plain_verbs(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path, media="verbs") as line:
        matter = await _begun(line)
        call = await matter.heard()
        call.presses("1")
        await call.hears("solved.say")
        await call.hears("bye.say")
        await call.ended()
        assert (await matter.over())[0].status == Stands.CLOSED


async def test_the_call_is_lost_and_rung_again_at_another_hour(matter: Matter) -> None:
    """Nobody ever tells how it ended, and the carrier doesn't know the call."""
    matter.line.carrier.lose("status", 20)
    call = await matter.heard()
    call.hangs_up()
    await call.ended()
    await matter.over()
    live = select(CallIntent.id).where(CallIntent.state.in_((IntentState.INTENDED, IntentState.PLACED)))
    for _ in range(20):
        await matter.line.later(minutes=1)
        if not await matter.line.house.db.view(lambda session: session.scalars(live).all()):
            break
    complaint, answer, _ = await matter.over()
    assert (complaint.status, answer.outcome) == (Stands.ANSWERED, None)
    assert answer.due_at is not None
    assert answer.due_at > matter.line.house.clock.now() + timedelta(hours=2)
