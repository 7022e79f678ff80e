"""kill -9 while who complains chooses when to meet: as the call is claimed, as it rings, while the times are read out,
as the key is pressed, and while the time is read back. Started again, the line has one meeting at that time, and
reminds her of it.

`make chaos`. Real processes, real time; only the hours until the next call are cut short.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from community import complaints, meetings, staff
from community.meeting_calls import CALLING
from community.meeting_tables import Ask, MeetingParty
from community.tables import ComplaintEvent, Meeting
from tests.chaos.test_kill_while_a_complaint_is_on_its_way import CLAIMED, LIMIT_S, Matters, Telephone
from tests.e2e.test_crash import ZONE, answers

CHOOSES = answers(("greet.ask", "1"), ("meet.choose", "2"))


class Arranging(Matters):
    """She was offered two times."""

    rung = MeetingParty

    def offered(self) -> datetime:
        """The second of them."""
        now = datetime.now(UTC)
        day = now.astimezone(ZoneInfo(ZONE)).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
        times = [day.replace(hour=hour).astimezone(UTC) for hour in (10, 14)]
        with self.db.write() as session:
            number = complaints.file(session, "earlier", self.elder, now).number
            staff.hear(session, number, "陈老师", now)
            meetings.offer(session, number, times, "居委会", "物业", "陈老师", now)
        return times[1]

    async def called(self) -> None:
        """Returns when the call stands in the database, as soon as that is seen."""
        query = select(ComplaintEvent.id).where(ComplaintEvent.what == CALLING).limit(1)
        async with asyncio.timeout(LIMIT_S):
            while True:
                with self.db.read() as session:
                    if session.scalar(query) is not None:
                        return
                await asyncio.sleep(0.002)

    async def fixed(self) -> tuple[list[datetime], list[str | None]]:
        """When they meet, and what each is asked next. As often as nobody rings her meanwhile, hours pass."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                with self.db.read() as session:
                    found = list(session.scalars(select(Meeting.at)))
                    asks = list(session.scalars(select(MeetingParty.ask)))
                if found:
                    return found, asks
                self._hours_pass()
                await asyncio.sleep(0.5)


@pytest.mark.parametrize(
    "what", [CLAIMED, "ringing", "prompt greet.ask", "prompt meet.choose", "pressed 2", "prompt meet.fixed"]
)
async def test_killed_while_she_chooses_a_time(what: str, tmp_path: Path) -> None:
    phone = Telephone(CHOOSES)
    async with phone.carrier:
        line = Arranging(tmp_path, phone.carrier)
        chosen = line.offered()
        process = await line.start()
        try:
            await (line.called() if what == CLAIMED else phone.happens(what))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            assert await line.fixed() == ([chosen], [Ask.REMIND])
            assert set(phone.rung().values()) == {1}, "rung twice for one intent"
        finally:
            process.kill()
            await process.wait()
            line.db.close()
