"""0 in an elder's call, over a real carrier's protocol with audio both ways: the duty person takes it by key and talks
with the elder; nobody takes it, and the elder leaves a message; whoever hangs up or dies, the case is somebody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from checkins import cases
from checkins.cases import Row
from checkins.people import add_person
from checkins.people_csv import CONSENTS
from checkins.results import Reason, Status, Urgency
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.tables import CallIntent, IntentState, Role
from ivr import asking, routes
from ivr.calls import Calls
from ivr.ports import Trace
from ivr.telephone import TwilioTelephone
from ivr.virtual.acoustics import tone
from tests.e2e.line import ELDER, ZONE, Story, story
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.clock import WarpClock

CHEN, XU = "+862155510003", "+862155510005"  # on duty, deputy
MONDAY = WarpClock().now()  # 08:30
SPEAKS, REPLIES = tone(300, 0.6), tone(500, 0.6)


@dataclass
class Street:
    line: Story
    elder: str

    async def zero(self) -> FakeCall:
        """The elder's call up to the 0, and what is said then."""
        call = self.line.carrier.expect_call(ELDER)
        await self.line.tick()
        await call.hears("greet.ask")
        call.presses("0")
        await call.hears("person.*")
        return call

    async def row(self) -> Row:
        """The case when all calls are over and written down, however long that takes."""
        await self.line.row(self.elder)
        await self.line.house.media.close(60)
        return await self.line.row(self.elder)

    async def events(self) -> list[str]:
        row = await self.row()
        found = await self.line.house.db.view(lambda session: cases.events(session, row.checkin_id))
        return [event.what for event in found]

    async def live(self) -> list[str]:
        query = select(CallIntent.number).where(CallIntent.state.in_((IntentState.INTENDED, IntentState.PLACED)))
        return list(await self.line.house.db.view(lambda session: session.scalars(query).all()))

    def knows(self, call: FakeCall, text: str) -> Any:
        return _heard(self.line, call, text)


async def _heard(line: Story, call: FakeCall, text: str) -> bool:
    return await line.house.prompts.get(text) in call.heard


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast this machine is doesn't matter here."""
    monkeypatch.setattr(routes, "ANSWER_S", 30)
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 30)


@pytest_asyncio.fixture
async def street(carrier: FakeCarrier, tmp_path: Path) -> AsyncIterator[Street]:
    async with story(carrier, tmp_path) as line:
        elder = await line.elder()
        await line.house.db.run(lambda session: _duty(session, line))
        yield Street(line, elder)


def _duty(session: Any, line: Story) -> None:
    now, place = line.house.clock.now(), line.place_id
    chen = add_person(session, place, "陈老师", "陈老师", CHEN, role=Role.STAFF).id
    xu = add_person(session, place, "徐老师", "徐老师", XU, role=Role.STAFF).id
    edits.set_rotation(session, place, Rotation((chen,), anchor=local_date(ZONE, now)), "书记", now)
    edits.set_deputy(session, place, xu, "书记", now)


async def test_the_duty_person_takes_it_and_they_talk(street: Street) -> None:
    duty = street.line.carrier.expect_call(CHEN)
    call = await street.zero()
    await duty.hears("greet.ask")
    assert not await street.knows(duty, "王阿婆")
    duty.presses("1")
    await duty.bridged()
    assert await street.knows(duty, "王阿婆")
    assert (await street.line.now(street.elder)).owner == "陈老师"  # written before they were put through
    call.says(SPEAKS)
    await call.waits(1)
    duty.says(REPLIES)
    await duty.waits(1)
    assert SPEAKS[:1600] in duty.heard
    assert REPLIES[:1600] in call.heard
    duty.hangs_up()
    assert await call.ended() == "completed"
    assert call.seen("prompt")[-2:] == ["person.bye", "bye.say"]
    row = await street.row()
    assert (row.status, row.reason, row.owner, row.result) == (
        Status.NEEDS_PERSON,
        Reason.WANTS_PERSON,
        "陈老师",
        "wants_person",
    )
    events = await street.events()
    assert events.count("handed_over") == 1
    assert "closed" not in events
    assert await street.live() == []


async def test_a_machine_takes_nothing_and_the_elder_leaves_a_message(street: Street) -> None:
    street.line.carrier.expect_call(CHEN, "machine", greeting=tone(400, 2.0))
    street.line.carrier.expect_call(XU, "no_answer")
    call = await street.zero()
    await call.hears("person.none", within_s=120)
    assert await street.knows(call, "今天上午九点前")
    await call.hears("person.record")
    call.says(await street.line.house.prompts.get("您多保重,再会。"), "message")
    await call.hears("message.bye")
    await call.ended()
    row = await street.row()
    assert (row.status, row.reason, row.urgency, row.owner) == (
        Status.NEEDS_PERSON,
        Reason.WANTS_PERSON,
        Urgency.SOON,
        None,
    )
    assert "part2-dictation1" in row.answer["message_recording"]  # what was recorded before is overwritten by nothing
    events = await street.events()
    assert events.index("not_handed_over:silent") < events.index("not_handed_over:no_answer") < events.index("promised")
    assert row.due_at is not None
    assert row.due_at <= street.line.carrier.clock.now() + timedelta(hours=1)
    assert await street.live() == []


async def test_duty_is_on_another_call_so_the_deputy_is_rung(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TwilioTelephone, "trace", _still_on)
    await street.line.house.db.run(_busy)
    deputy = street.line.carrier.expect_call(XU)
    call = await street.zero()
    await deputy.hears("greet.ask")
    deputy.presses("1")
    await deputy.bridged()
    call.hangs_up()
    await call.ended()
    row = await street.row()
    assert (row.owner, deputy.status) == ("徐老师", "completed")


async def _still_on(*_call: object) -> Trace:
    return Trace.ALIVE


def _busy(session: Any) -> None:
    session.add(
        CallIntent(
            number=CHEN, purpose="duty", try_no=1, created_at=MONDAY, check_at=MONDAY + timedelta(hours=1), owner="x"
        )
    )


async def test_the_elder_hangs_up_while_it_rings(street: Street) -> None:
    duty = street.line.carrier.expect_call(CHEN, rings=3)
    call = await street.zero()
    call.keeps_quiet(6)
    call.hangs_up()
    await call.ended()
    assert duty.status == "canceled"
    row = await street.row()
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, None)
    assert await street.live() == []


async def test_the_process_dies_and_the_case_is_somebodys(street: Street) -> None:
    """A new process finds both calls in the database, and goes on with them. A talk may last longer than a call."""
    duty = street.line.carrier.expect_call(CHEN)
    call = await street.zero()
    await duty.hears("greet.ask")
    await _another_process(street)
    duty.presses("1")
    await duty.bridged()
    await _another_process(street)
    street.line.carrier.clock.advance(minutes=29)
    await street.line.tick()
    assert sorted(await street.live()) == [ELDER, CHEN]
    duty.hangs_up()
    await call.ended()
    row = await street.row()
    assert (row.status, row.reason, row.owner) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON, "陈老师")
    assert await street.live() == []


async def _another_process(street: Street) -> None:
    house = street.line.house
    await Calls(house.db, house.clock.now).open()


async def test_out_of_hours_nobody_is_rung(street: Street) -> None:
    """PRODUCT.md, principle 5."""
    await street.line.house.db.run(_weekend)
    call = await street.zero()
    assert call.seen("prompt")[-1] == "person.none"
    assert await street.knows(call, "明天上午九点前")
    call.hangs_up()
    await call.ended()
    row = await street.row()
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.WANTS_PERSON)
    assert "promised" in await street.events()


def _weekend(session: Any) -> None:
    edits.set_working_day(session, MONDAY.date(), False, "书记", MONDAY)


async def test_by_plain_verbs(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path, media="verbs") as line:
        elder = await line.elder(consents={**dict.fromkeys(CONSENTS, True), "recording": False})
        await line.house.db.run(lambda session: _duty(session, line))
        street = Street(line, elder)
        duty = carrier.expect_call(CHEN)
        carrier.expect_call(XU, "busy")
        call = await street.zero()
        await call.waits(2)
        await duty.hears("greet.ask")
        duty.presses("2")
        await call.hears("person.none")
        await call.hears("bye.say", within_s=30)
        await call.ended()
        assert (await street.row()).owner is None
