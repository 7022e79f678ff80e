"""A test call, with audio and in virtual time: staff sit beside her and want it; she says that she hears well, and is
rung in the morning as ever."""

from __future__ import annotations

from pathlib import Path

from checkins import register_log
from checkins.enrolment import trial_calls
from checkins.results import Status
from tests.e2e.line import ELDER, Story, story
from tests.e2e.test_complaint_story import spoken
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser


async def told(line: Story, elder: str) -> list[str]:
    events = await line.house.db.view(lambda session: register_log.events(session, elder))
    return [event.what for event in events if event.what.startswith("test_")]


async def test_staff_have_a_telephone_tried(carrier: FakeCarrier, tmp_path: Path) -> None:
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder, now = await line.elder(slot=10 * 60), line.house.clock.now()
        await line.tick()
        await line.house.db.run(lambda session: trial_calls.want(session, elder, "陈老师", now))
        ear.will_hear("好的")
        call = carrier.expect_call(ELDER)
        await line.tick()
        await call.hears("hear.ask", within_s=60)
        call.says(spoken(line))
        await call.hears("clear.bye", within_s=60)
        await call.ended()
        row = await line.row(elder)
        assert await told(line, elder) == ["test_wanted", "test_call", "test_heard"]
        assert (row.status, row.result) == (Status.PLANNED, None), "no check-in"

        call = carrier.expect_call(ELDER)
        carrier.clock.advance_to(row.due_at or now)
        await line.tick()
        await call.hears("greet.ask")
        call.hangs_up()
        await call.ended()
