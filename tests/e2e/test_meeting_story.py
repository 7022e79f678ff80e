"""漏水, 邻里纠纷, with audio and in virtual time: water from above is said into the telephone, and both neighbours are
brought to one table by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from checkins.items import ItemKind
from checkins.schedule import at_minute, local_date
from community import meeting_words, meetings, staff
from community.tables import Meeting
from tests.e2e.line import ELDER, ZONE, Story, story
from tests.e2e.test_complaint_story import act, dictates, open_items, presses, spoken
from tests.e2e.test_reply_call import well
from tests.fakes.call import FakeCall
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser

ABOVE = "+862155500002"


async def rung(line: Story, number: str, *keys: tuple[str, str], **later: float) -> FakeCall:
    """The line rings this number, and they press these keys."""
    call = line.carrier.expect_call(number)
    await line.later(**later)
    await presses(call, ("greet.ask", "1"), *keys)
    await call.hears("bye.say", within_s=120)
    await call.ended()
    return call


async def meeting(line: Story) -> Meeting:
    return await line.house.db.view(lambda session: session.scalars(select(Meeting)).one())


def at(line: Story, days: int, hour: int) -> datetime:
    return at_minute(ZONE, local_date(ZONE, line.house.clock.now()) + timedelta(days=days), hour * 60)


async def hears(line: Story, call: FakeCall, text: str) -> bool:
    return await line.house.prompts.get(text) in call.heard


@pytest.mark.row("漏水, 邻里纠纷")
async def test_漏水_邻里纠纷(carrier: FakeCarrier, tmp_path: Path) -> None:
    """An elder says that water comes from above. Staff offer two times, she chooses one by key, the neighbour above can
    come then; both are told, she is reminded on the evening before and presses, when it is over, that it is settled."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder = await line.elder(slot=9 * 60)
        above = await line.elder("李福根", ABOVE, slot=9 * 60)
        ear.will_hear("楼上漏水，我家天花板湿了。")
        await dictates(line, spoken(line))
        await line.row(elder)
        for each in (elder, above):
            await well(line, each)
        await act(line, staff.hear)
        times, values = [at(line, 2, 14), at(line, 3, 10)], {"place": "居委会", "with_whom": "楼上邻居"}
        await act(line, meetings.offer, times=times, other_id=above, **values)
        call = await rung(line, ELDER, ("meet.choose", "2"), minutes=30)
        assert "meet.noted" in call.seen("prompt")
        call = await rung(line, ABOVE, ("meet.agree", "1"), minutes=5)
        assert "meet.fixed" in call.seen("prompt")
        assert not await hears(line, call, "王阿婆"), "nor who complains"
        call = await rung(line, ELDER, ("meet.told", "1"), minutes=5)
        assert (await meeting(line)).at == times[1]

        line.carrier.clock.advance_to(at(line, 2, 17))
        for each in (elder, above):
            await well(line, each)
        other = line.carrier.expect_call(ABOVE, "no_answer")
        call = await rung(line, ELDER, ("meet.told", "1"), minutes=31)
        assert await hears(line, call, _tomorrow(line))
        await other.ended()

        line.carrier.clock.advance_to(at(line, 1, 12))
        for each in (elder, above):
            await well(line, each)
        await rung(line, ELDER, ("meet.after", "1"), minutes=1)
        await line.row(elder)
        assert (await meeting(line)).outcome == "王秀英在电话里说:谈好了"
        assert await open_items(line) == [ItemKind.COMPLAINT_ANSWER], "the answer, which she may call solved or not"


def _tomorrow(line: Story) -> str:
    return meeting_words.moment(ZONE, at(line, 1, 10), line.house.clock.now())
