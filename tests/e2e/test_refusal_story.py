"""An elder refuses in the call; nothing more goes out to her, a person asks her, and what she says holds tomorrow."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from checkins import consents, items, refusals
from checkins.consents import Word
from checkins.items import ItemKind
from checkins.register_log import How
from checkins.results import Reason, Status
from community import complaints, staff
from tests.e2e.line import ELDER, story
from tests.fakes.carrier import FakeCarrier

CHEN = "陈老师"


async def test_refuses_is_asked_and_is_rung_again(carrier: FakeCarrier, tmp_path: Path) -> None:
    async with story(carrier, tmp_path) as line:
        elder, house = await line.elder(), line.house
        now = house.clock.now()
        number = await house.db.run(lambda session: complaints.file(session, "earlier", elder, now).number)
        await house.db.run(lambda session: staff.hear(session, number, CHEN, now))
        await house.db.run(lambda session: staff.reply(session, number, CHEN, now, "灯修好了。"))
        call = carrier.expect_call(ELDER, "answers")
        await line.later(minutes=90)
        await call.hears("greet.ask")
        call.presses("1")
        await call.hears("health.ask")
        call.presses("9")
        await call.hears("refuse.confirm")
        call.presses("1")
        assert await call.ended() == "completed"
        row = await line.row(elder)
        assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.REFUSED)
        await line.later(hours=3)  # the answer to her complaint was queued: an unexpected call fails the test
        kinds = [item.kind for item in await house.db.view(items.open_items)]
        assert sorted(kinds) == [ItemKind.COMPLAINT_TELL, ItemKind.REFUSED], "people see to both"

        now = house.clock.now()
        asked = lambda session: refusals.asked(session, elder, CHEN, now, meant=False, found="身体蛮好")  # noqa: E731
        await house.db.run(asked)
        row = await line.row(elder)
        assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, CHEN, "身体蛮好")
        no_recording = Word(CHEN, how=How.IN_PERSON)
        await house.db.run(lambda session: consents.change(session, elder, {"recording": False}, no_recording, now))
        carrier.clock.advance_to(house.clock.now().replace(hour=0, minute=0) + timedelta(days=1))  # 08:00 there
        call = carrier.expect_call(ELDER, "answers")
        await line.later(minutes=1)
        await call.hears("greet.ask")
        call.presses("1")
        await call.hears("health.ask")
        call.presses("2")
        await call.hears("unwell.bye")  # without consent nothing is dictated
        assert "unwell.ask" not in call.seen("prompt")
        assert await call.ended() == "completed"
        assert (await line.row(elder)).reason is Reason.NOT_WELL
