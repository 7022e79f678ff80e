"""指尖上的形式主义, with audio and in virtual time: what was said once by telephone comes out in every list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checkins import pins
from checkins.schedule import local_date
from checkins.tables import Neighbourhood
from cli.case_commands import EXPORT, _exported
from community import desk, staff, upward
from community.register_export import Rows, register_book
from tests.e2e.line import ZONE, Story, story
from tests.e2e.test_complaint_story import act, presses, rings_in, spoken
from tests.e2e.test_ladder import LI, Street, _people
from tests.e2e.test_ringing_in import PIN, over
from tests.e2e.test_ringing_in import rings_in as buddy_rings_in
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser


async def lists(line: Story) -> dict[str, Rows]:
    """All that the committee can export."""

    def work(session: Any) -> dict[str, Rows]:
        place, now = session.get_one(Neighbourhood, line.place_id), line.house.clock.now()
        month = upward.month(f"{local_date(ZONE, now):%Y-%m}", ZONE)
        found = {**register_book(session, place, now), **upward.sheets(session, place, month, now)}
        cases = [[str(cell or "") for cell in _exported(each)] for each in desk.listed(session, everything=True)]
        return {**found, "cases export": [list(EXPORT), *cases]}

    return await line.house.db.view(work)


@pytest.mark.row("指尖上的形式主义")
async def test_指尖上的形式主义(carrier: FakeCarrier, tmp_path: Path) -> None:
    """In one call an elder says what is wrong and that she is away for three days; in another her buddy logs a visit by
    key. Nobody types anything: it stands in the committee's table, in the register with source and date, and in the
    lists for the street office. None of them counts what anybody did."""
    ear = ScriptedRecogniser()
    async with story(carrier, tmp_path, [ear]) as line:
        elder = await line.elder(slot=20 * 60, address="3号楼101室")
        street = Street(line, elder, await line.house.db.run(lambda session: _people(session, line, elder)))
        ear.will_hear("3号楼的楼道灯坏了。")
        call = await rings_in(line)
        await presses(call, ("menu.ask", "1"))
        await call.hears("complaint.record")
        call.says(spoken(line))
        call.presses("#")
        await presses(call, ("complaint.ask", "1"), ("complaint.to", "1"), ("more.ask", "2"), ("health.ask", "3"))
        await presses(call, ("away.ask", "3#"), ("away.confirm", "1"))
        await call.hears("away.bye", within_s=60)
        call.hangs_up()
        await over(street, call)
        now = line.house.clock.now()
        await line.house.db.run(lambda s: pins.set_pin(s, street.people[LI], PIN, "陈老师", now))
        call = buddy_rings_in(street, LI)
        await presses(call, ("pin.ask", PIN), ("kind.ask", "1"), ("visited.ask", "1"))
        await call.hears("visited.fine")
        call.hangs_up()
        await over(street, call)
        await act(line, staff.hear)

        found = await lists(line)
        (case,) = found["cases export"][1:]
        assert [case[at] for at in (0, 2, 3)] == ["1001", "路灯", "3号楼的楼道"]
        (matter,) = found["诉求与答复"][1:]
        assert matter[2:6] == ["路灯", "王秀英", "3号楼的楼道", "听过了"]
        (contact,) = found["老伙伴联系"][1:]
        assert contact[1:] == ["王秀英", "3号楼101室", "李阿姨", "上门见到"]
        (mine,) = [row for row in found["人员"] if "王秀英" in row]
        assert "暂停" in mine
        (source,) = [row for row in found["来源"] if row[1:3] == ["王秀英", "状态"]]
        assert source[6:] == ["by phone", local_date(ZONE, now).isoformat()], "who noted it, and when"
