"""kill -9 on a complaint's way: while it is dictated, as it is sent, as the call with the answer is claimed, as the
telephone rings, while the answer is heard, as the key is pressed, and while they say what is still wrong. Started
again, the line has what was said, and asks until it is solved, once.

`make chaos`. Real processes, real time; only the hours until the next call are cut short.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from checkins import planning
from checkins.results import Status as CaseStatus
from checkins.schedule import local_date
from checkins.tables import CallIntent, Checkin, IntentState, Neighbourhood, Person
from community import complaints, rows, staff
from community.tables import Complaint, Dictation, Reply, Status
from ivr.virtual.behaviour import ElderDirectory, phone_of
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import CallScript, ElderScript, Reaction
from ivr.virtual.observation import Observation
from ivr.virtual.resource import Orders
from speech import pack
from tests.e2e.test_crash import ELDER, ZONE, Line, Watched, answers
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN

LIMIT_S = 300
SOLVED = answers(("greet.ask", "1"), ("solved.ask", "1"))
NOT_SOLVED = CallScript(
    rings=1,
    reactions={
        "greet.ask": (Reaction(press="1"),),
        "solved.ask": (Reaction(press="2"),),
        "still.ask": (Reaction(say="words", then=Reaction(press="#")),),
    },
)
CLAIMED = "claimed"
SAYS = CallScript(
    reactions={
        "menu.ask": (Reaction(press="1"),),
        "complaint.record": (Reaction(say="words", then=Reaction(press="#")),),
        "complaint.ask": (Reaction(press="1"),),
        "complaint.to": (Reaction(press="2"),),
        "more.ask": (Reaction(press="4"),),
    }
)


def words(_name: str) -> bytes:
    """A voice, which a tone isn't for every ear."""
    said = {prompt.text: prompt.ulaw for prompt in pack.read(pack.SHIPPED / "zh.zip")}
    return said["您多保重,再会。"] * 2


class Telephone(Watched):
    """The elder's: she says what is wrong, and what she thinks of the answer."""

    def __init__(self, script: CallScript) -> None:
        super().__init__()
        elders = ElderDirectory((ElderScript(ELDER, (script,)),), words)
        self.carrier = VirtualCarrier(ACCOUNT_SID, AUTH_TOKEN, elders, hurry=20, observe=self._see)
        self.told: list[str] = []

    def _see(self, seen: Observation) -> None:
        super()._see(seen)
        self.told.append(f"{seen.kind} {seen.detail}")

    async def happens(self, what: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not any(told.startswith(what) for told in self.told):
                await asyncio.sleep(0.01)

    def rings_in(self, line: Line) -> None:
        base = f"http://127.0.0.1:{line.port}/twilio"
        orders = Orders("+862155500000", ELDER, f"{base}/voice", status_callback=f"{base}/status")
        self.carrier.ring_in(orders, phone_of(SAYS, words))


class Matters(Line):
    """The elder's own call of today is over."""

    rung: Any = Reply  # the table of when the line rings about the matter

    def __init__(self, folder: Path, carrier: VirtualCarrier) -> None:
        super().__init__(folder, carrier)
        now = datetime.now(UTC)
        with self.db.write() as session:
            place, elder = session.scalars(select(Neighbourhood)).one(), session.scalars(select(Person)).one()
            self.elder = elder.id
            planning.plan_day(session, place, local_date(ZONE, now), now, 1, elder.id)
            session.flush()
            row = session.scalars(select(Checkin)).one()
            row.status, row.due_at, row.closed_by, row.closed_at = CaseStatus.CLOSED, None, "line", now

    def answered(self) -> None:
        """What she complained of is heard and answered."""
        now = datetime.now(UTC)
        with self.db.write() as session:
            number = complaints.file(session, "earlier", self.elder, now).number
            staff.hear(session, number, "陈老师", now)
            staff.reply(session, number, "陈老师", now, "楼道的灯今天修好了。")

    async def claimed(self) -> None:
        """Returns when the call with the answer stands in the database, as soon as that is seen."""
        async with asyncio.timeout(LIMIT_S):
            while "calling" not in self._look()[1]:
                await asyncio.sleep(0.002)

    async def becomes(self, *known: Status) -> tuple[Complaint, list[str], list[Dictation]]:
        """The complaint when it stands so; as often as nobody rings her meanwhile, hours pass."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                complaint, events, said = self._look()
                if complaint is not None and complaint.status in known:
                    return complaint, events, said
                self._hours_pass()
                await asyncio.sleep(0.5)

    def _look(self) -> tuple[Any, list[str], list[Dictation]]:
        with self.db.read() as session:
            complaint = session.scalars(select(Complaint)).one_or_none()
            events = [event.what for event in rows.events(session, complaint)] if complaint else []
            return complaint, events, list(session.scalars(select(Dictation)))

    def _hours_pass(self) -> None:
        """What waits for its hour is due, and earlier calls are of another day (line rules)."""
        live = select(CallIntent.id).where(CallIntent.state.in_((IntentState.INTENDED, IntentState.PLACED)))
        now = datetime.now(UTC)
        with self.db.write() as session:
            if session.scalar(live.limit(1)) is None:
                waits = self.rung.due_at > now + timedelta(minutes=5)
                session.execute(update(self.rung).where(waits).values(due_at=now))
                session.execute(update(CallIntent).values(created_at=now - timedelta(days=2)))


@asynccontextmanager
async def killed_when(
    what: str, folder: Path, *, answered: bool, script: CallScript = SOLVED
) -> AsyncIterator[tuple[Telephone, Matters]]:
    """The line, killed when this had happened at her telephone (or the call had been claimed), and started again."""
    phone = Telephone(script)
    async with phone.carrier:
        line = Matters(folder, phone.carrier)
        if answered:
            line.answered()
        process = await line.start()
        try:
            if not answered:
                await _up(line)
                phone.rings_in(line)
            await (line.claimed() if what == CLAIMED else phone.happens(what))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            yield phone, line
        finally:
            process.kill()
            await process.wait()
            line.db.close()


async def _up(line: Line) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", line.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@pytest.mark.parametrize(
    "what",
    [
        CLAIMED,
        "ringing",
        "prompt greet.ask",
        "prompt solved.ask",
        "pressed",
        "prompt solved.note",
        "prompt solved.say",
    ],
)
async def test_killed_on_the_way_back(what: str, tmp_path: Path) -> None:
    async with killed_when(what, tmp_path, answered=True) as (phone, line):
        complaint, events, _ = await line.becomes(Status.CLOSED)
        assert (complaint.closed_by, complaint.close_reason) == ("王秀英", "solved")
        assert events.count("solved") == 1
        assert set(phone.rung().values()) == {1}, "rung twice for one intent"
        assert events.count("calling") <= 2


@pytest.mark.parametrize(
    "what", ["prompt still.ask", "said words", "prompt still.note", "prompt not_solved.say", "prompt bye.say"]
)
async def test_killed_while_she_says_what_is_still_wrong(what: str, tmp_path: Path) -> None:
    async with killed_when(what, tmp_path, answered=True, script=NOT_SOLVED) as (phone, line):
        complaint, _, said = await line.becomes(Status.REOPENED)
        async with asyncio.timeout(LIMIT_S):
            while not said and what != "prompt still.ask":  # then she had not said anything yet
                await asyncio.sleep(0.5)
                complaint, _, said = line._look()
        _, events, _ = line._look()
        assert (complaint.rounds, events.count("not_solved")) == (1, 1)
        assert list(phone.rung().values()) == [1], "she has said what she thinks: nobody rings again"
        assert [each.complaint_id for each in said] == [complaint.id] * len(said)
        assert all(each.recording for each in said)


@pytest.mark.parametrize("what", ["said words", "prompt complaint.ask", "prompt complaint.to", "prompt number.say"])
async def test_killed_on_the_way_in(what: str, tmp_path: Path) -> None:
    async with killed_when(what, tmp_path, answered=False) as (_phone, line):
        complaint, _, said = await line.becomes(Status.SENT, Status.INTERRUPTED)
        async with asyncio.timeout(LIMIT_S):
            while not said:
                await asyncio.sleep(0.5)
                _, _, said = line._look()
        assert (complaint.number, complaint.person_id) == (1001, line.elder)
        assert said[0].recording
