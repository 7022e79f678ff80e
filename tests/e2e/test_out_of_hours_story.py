"""微信群, with audio and in virtual time: what is said on a Friday evening waits for Monday, and the line says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checkins import cases, items
from checkins.items import ItemKind
from checkins.results import Reason
from checkins.schedule import at_minute, local_date
from community import staff
from tests.e2e.line import ZONE, story
from tests.e2e.test_complaint_story import act, look, presses, rings_in, spoken
from tests.e2e.test_ladder import CHEN, DAUGHTER, Street, _people
from tests.e2e.test_reply_call import well
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser


@pytest.mark.row("微信群")
async def test_微信群(carrier: FakeCarrier, tmp_path: Path) -> None:
    """On a Friday evening an elder says what is wrong: it is recorded, and she hears by when on Monday somebody
    listens. It waits in the committee's list with that deadline and, once somebody has it, an owner. Nobody is rung for
    it; 0 twice in the same call rings the duty person at once."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder = await line.elder(slot=9 * 60)
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        friday = local_date(ZONE, line.house.clock.now())
        friday += timedelta(days=(4 - friday.weekday()) % 7)
        line.carrier.clock.advance_to(at_minute(ZONE, friday, 20 * 60))
        await well(line, elder)
        ear.will_hear("楼道里堆满了东西。")
        call = await rings_in(line)
        await presses(call, ("menu.ask", "1"))
        await call.hears("complaint.record")
        call.says(spoken(line))
        call.presses("#")
        await presses(call, ("complaint.ask", "1"), ("complaint.to", "2"), ("more.ask", "4"))
        await call.hears("closed.say")
        assert await line.house.prompts.get("星期一上午十一点前") in call.heard, "by when somebody has listened"
        (item,) = await line.house.db.view(items.open_items)
        monday = at_minute(ZONE, friday + timedelta(days=3), 0)
        assert (item.kind, item.due_at) == (ItemKind.COMPLAINT_NEW, monday + timedelta(hours=10, minutes=30))

        await call.hears("closed.wait", within_s=60)
        duty, daughter = street.rings(CHEN, "no_answer"), street.rings(DAUGHTER, "no_answer")
        call.presses("00")
        await call.hears("emergency.ask", within_s=60)
        assert (await line.now(elder)).reason is Reason.EMERGENCY
        await line.later(seconds=1)
        call.hangs_up()
        for each in (duty, daughter, call):
            await each.ended()
        row = await line.row(elder)
        now = line.house.clock.now()
        finding = "摔了一跤,女儿已经到了"
        await line.house.db.run(lambda s: cases.close_case(s, row.checkin_id, "陈老师", finding, now))

        line.carrier.clock.advance_to(monday + timedelta(hours=9))
        await act(line, staff.hear)
        complaint, (said,), _ = await look(line)
        assert (complaint.owner, complaint.heard_by, complaint.person_id) == ("陈老师", "陈老师", elder)
        assert complaint.answer_due is not None
        assert line.house.recordings.read(said.recording), "the recording is the record"
