"""kill -9 while the line looks for a person: as somebody's telephone rings, as they answer, when they have taken the
case, and before they have said what they found. Started again, the line finds a person for the elder all the same.

`make chaos`. Real processes, real time: a call of which nothing is heard is given up after a minute, and two calls to
one person are two minutes apart.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from checkins import auditor
from checkins.results import Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person, Role
from ivr.virtual.behaviour import ElderDirectory
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import CallScript, ElderScript
from ivr.virtual.observation import Observation
from ivr.virtual.phone import PhoneKind
from tests.e2e.test_crash import ELDER, ZONE, Line, Watched, answers
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN

DUTY, NAME = "+862155500007", "陈老师"
LIMIT_S = 400
GOES = answers(("greet.*", "1"), ("visit.ask", "1"), ("seen.ask", "1"))
SOON = {"unreached": {"steps": [{"who": ["duty"], "calls": 5, "spacing": 2, "every": 2}], "loop": 0,
                      "finding_within": 3, "finding_call": 1}}  # fmt: skip


class Telephones(Watched):
    """The elder's, at which nobody answers, and the duty person's, who goes."""

    def __init__(self) -> None:
        super().__init__()
        scripts = (
            ElderScript(ELDER, (CallScript(phone=PhoneKind.NO_ANSWER),)),
            ElderScript(DUTY, (GOES,)),
        )
        elders = ElderDirectory(scripts, lambda name: b"")
        self.carrier = VirtualCarrier(ACCOUNT_SID, AUTH_TOKEN, elders, hurry=20, observe=self._see)
        self.told: list[str] = []

    def _see(self, seen: Observation) -> None:
        super()._see(seen)
        self.told.append(f"{seen.kind} {seen.detail}" if seen.number == DUTY else "")

    async def duty(self, kind: str, since: int = 0) -> None:
        """Returns when this has happened at the duty person's telephone, after so much else."""
        async with asyncio.timeout(LIMIT_S):
            while not any(told.startswith(kind) for told in self.told[since:]):
                await asyncio.sleep(0.01)


class Ladder(Line):
    """One try, then the duty person, every two minutes."""

    def __init__(self, folder: Path, carrier: VirtualCarrier) -> None:
        super().__init__(folder, carrier)
        now = datetime.now(UTC)
        with self.db.write() as session:
            place = session.scalars(select(Neighbourhood)).one()
            place.escalation = SOON
            elder = session.scalars(select(Person)).one()
            elder.policy = {"try_after": [0]}
            duty = Person(neighbourhood_id=place.id, name=NAME, spoken_name=NAME, number=DUTY, role=Role.STAFF)
            session.add(duty)
            session.flush()
            edits.set_rotation(session, place.id, Rotation((duty.id,), anchor=local_date(ZONE, now)), "书记", now)

    async def taken(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.owner() != NAME:
                await asyncio.sleep(0.05)

    def owner(self) -> str | None:
        """Who has the case; there may be none yet."""
        with self.db.read() as session:
            return session.scalar(select(Checkin.owner))

    def late(self) -> list[auditor.Late]:
        with self.db.read() as session:
            return auditor.late(session, datetime.now(UTC))


Moment = Callable[[Telephones, Ladder], Awaitable[None]]


async def it_rings(phones: Telephones, _line: Ladder) -> None:
    await phones.duty("ringing")


async def they_hear_the_question(phones: Telephones, _line: Ladder) -> None:
    await phones.duty("prompt visit.ask")


async def they_press(phones: Telephones, _line: Ladder) -> None:
    await phones.duty("prompt visit.ask")
    await phones.duty("pressed", len(phones.told))


async def they_have_it(_phones: Telephones, line: Ladder) -> None:
    await line.taken()


async def they_are_on_their_way(phones: Telephones, line: Ladder) -> None:
    await line.taken()
    await phones.duty("ended")
    await asyncio.sleep(2)


@pytest.mark.parametrize("moment", [it_rings, they_hear_the_question, they_press, they_have_it, they_are_on_their_way])
async def test_killed_when(moment: Moment, tmp_path: Path) -> None:
    phones = Telephones()
    async with phones.carrier:
        line = Ladder(tmp_path, phones.carrier)
        process = await line.start()
        try:
            await moment(phones, line)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            since = len(phones.told)
            process = await line.start()
            await line.taken()
            await phones.duty("prompt seen.ask", since)  # and is asked what they found
            assert line.row().status is not Status.CLOSED or line.row().closed_by == NAME
            assert line.late() == []
            assert set(phones.rung().values()) == {1}, "rung twice for one intent"
        finally:
            process.kill()
            await process.wait()
            line.db.close()
