"""kill -9 on a ballot's way: as the telephone rings, while somebody chooses and as they change it, as it closes, as it
is sealed, and while the result is told. Started again, the line has what was read back, counts it once, and tells the
result.

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
from sqlalchemy import select

from checkins.tables import Neighbourhood
from community import ballot as core
from community import ballot_making, ballot_rounds, ballot_staff
from community import ballot_rows as rows
from community.ballot import Channel, Unit
from community.ballot_tables import Ballot, BallotCall, Errand
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.elder import CallScript, Reaction
from tests.chaos.test_kill_while_a_complaint_is_on_its_way import LIMIT_S, Matters, Telephone

CLOSING, SEALED = "closing", "sealed"
CHOOSES = CallScript(
    rings=1,
    reactions={
        "greet.ask": (Reaction(press="1"),),
        "choose.ask": (Reaction(press="2"), Reaction(press="1")),
        "done.ask": (Reaction(press="1"), Reaction(hang_up=True)),
        "result.ask": (Reaction(press="1"),),
    },
)


class Chooser(Telephone):
    def heard(self, what: str) -> int:
        return sum(told.startswith(what) for told in self.told)

    async def happens(self, what: str, times: int = 1) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.heard(what) < times:
                await asyncio.sleep(0.01)


class Voting(Matters):
    """One ballot of one topic, in which she is rung."""

    rung: Any = BallotCall

    def __init__(self, folder: Path, carrier: VirtualCarrier) -> None:
        super().__init__(folder, carrier)
        now = datetime.now(UTC)
        with self.db.write() as session:
            place, closes = session.scalars(select(Neighbourhood)).one(), now + timedelta(days=1)
            ballot_making.make(session, place, "电梯", ["要不要装电梯?"], Unit.PERSON, now, closes, "陈老师", now)

    def ballot(self) -> Ballot:
        with self.db.read() as session:
            return session.scalars(select(Ballot)).one()

    def counted(self) -> list[int]:
        with self.db.read() as session:
            return ballot_rounds.counted(session, session.scalars(select(Ballot)).one())["1"]

    def chosen_on_paper(self) -> None:
        with self.db.write() as session:
            refused = ballot_staff.enter(session, 7001, "王秀英", {1: 2}, Channel.PAPER, "陈老师", datetime.now(UTC))
            assert refused is None

    def closes(self) -> None:
        with self.db.write() as session:
            rows.by_number(session, 7001).closes_at = datetime.now(UTC)

    async def sealed(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.ballot().sealed_at is None:
                await asyncio.sleep(0.002)

    async def settles(self, errand: Errand) -> str:
        """What became of it, when there is nothing more to do; as often as nobody rings her meanwhile, hours pass."""
        query = select(BallotCall.outcome).where(BallotCall.errand == errand)
        async with asyncio.timeout(LIMIT_S):
            while True:
                with self.db.read() as session:
                    outcome = session.scalar(query)
                if outcome is not None:
                    return outcome
                self._hours_pass()
                await asyncio.sleep(0.5)

    async def told(self) -> None:
        """The ballot is over, counted once, and she has heard what came of it."""
        assert await self.settles(Errand.RESULT) == "done"
        with self.db.read() as session:
            ballot = session.scalars(select(Ballot)).one()
            assert ballot.key is None
            assert ballot.result == ballot_rounds.counted(session, ballot)
            assert core.voters(rows.chosen(session, ballot)) == 1
            assert [each.what for each in rows.events(session, ballot)].count("sealed") == 1


@asynccontextmanager
async def ballot(folder: Path) -> AsyncIterator[tuple[Chooser, Voting]]:
    phone = Chooser(CHOOSES)
    async with phone.carrier:
        line = Voting(folder, phone.carrier)
        try:
            yield phone, line
        finally:
            line.db.close()


@pytest.mark.parametrize(
    ("what", "times"),
    [
        ("ringing", 1),
        ("prompt greet.ask", 1),
        ("prompt choose.ask", 1),
        ("pressed 2", 1),
        ("prompt choose.note", 1),
        ("prompt choose.say", 1),
        ("prompt choose.ask", 2),
        ("pressed 1", 3),
        ("prompt choose.note", 2),
        ("prompt choose.say", 2),
    ],
)
async def test_killed_while_she_chooses(what: str, times: int, tmp_path: Path) -> None:
    async with ballot(tmp_path) as (phone, line):
        process = await line.start()
        try:
            await phone.happens(what, times)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            read_back = phone.heard("prompt choose.say")
            process = await line.start()
            assert await line.settles(Errand.ASK) == "done"
            before = line.counted()
            assert before in ([[1, 0]] if read_back == 2 else [[1, 0], [0, 1]]), "what was read back counts"
            line.closes()
            await line.told()
            assert set(phone.rung().values()) == {1}, "rung twice for one intent"
            assert len(phone.rung()) <= 4
        finally:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("what", [CLOSING, SEALED, "ringing", "prompt result.title", "prompt result.ask", "pressed 1"])
async def test_killed_as_it_ends(what: str, tmp_path: Path) -> None:
    async with ballot(tmp_path) as (phone, line):
        line.chosen_on_paper()
        process = await line.start()
        try:
            line.closes()
            if what == SEALED:
                await line.sealed()
            elif what != CLOSING:
                await phone.happens(what, 2 if what == "pressed 1" else 1)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await line.start()
            await line.told()
            assert line.ballot().result == {"1": [0, 1]}
            assert set(phone.rung().values()) == {1}, "rung twice for one intent"
            assert len(phone.rung()) <= 3
        finally:
            process.kill()
            await process.wait()
