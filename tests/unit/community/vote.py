"""A ballot in the neighbourhood of hall.py: what is done with it by telephone and on paper, and what is known of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from checkins.ports import Told
from checkins.tables import Neighbourhood
from community import ballot_letters, ballot_making, ballot_rounds, ballot_staff
from community import ballot_rows as rows
from community.ballot import Channel, Refusal, Unit
from community.ballot_counter import BallotCounter
from community.ballot_rounds import BallotRounds
from community.ballot_tables import Ballot, BallotCall, BallotEvent
from tests.unit.community.hall import CHEN, Hall

LIFT, BIKES = "要不要装电梯?|要|不要|都可以", "自行车棚要不要搬到门口?"
ROLL = "室号,业主,电话\n1号101室,张大同、李梅,\n1号102室,赵一平,\n"


class Vote:
    """A ballot of two topics that is open for three days; or the one of this `number`."""

    def __init__(self, hall: Hall, unit: Unit = Unit.PERSON, roll: str = "", *, number: int = 0) -> None:
        self.hall, self.world = hall, hall.world
        self.counter = BallotCounter(hall.world.db, hall.world.clock)
        self.number = number or self._make(unit, roll)

    def _make(self, unit: Unit, roll: str) -> int:
        hall = self.hall
        now = hall.world.clock.now()

        def work(session: Any) -> int:
            place = session.get_one(Neighbourhood, hall.world.place_id)
            closes = now + timedelta(days=3)
            topics = [LIFT, BIKES]
            return ballot_making.make(session, place, "电梯", topics, unit, now, closes, CHEN, now, roll=roll).number

        with hall.world.db.write() as session:
            return work(session)

    async def ask(self, query: str, whom: str = "", value: str = "", call: str = "call-1") -> Told:
        return await self.counter.ask(call, query, whom, value)

    async def chooses(self, whom: str, key: str, call: str = "call-1") -> str:
        """On the first topic that is asked in this call."""
        told = await self.ask("ballot.next", whom, call=call)
        return (await self.ask("ballot.next", whom, key, call)).word if told.word == "topic" else told.word

    def paper(self, whose: str, options: dict[int, int], **more: Any) -> Refusal | None:
        channel = more.pop("channel", Channel.PAPER)
        return self.hall.act(ballot_staff.enter, self.number, whose, options, channel, CHEN, **more)

    def row(self) -> Ballot:
        query = select(Ballot).where(Ballot.number == self.number)
        return self.hall.look(lambda session: session.scalars(query).one())

    def counted(self) -> list[int]:
        """Of the first topic, from the log alone."""
        return self.hall.look(lambda session: ballot_rounds.counted(session, self.row())["1"])

    def refused(self) -> list[str]:
        query = select(BallotEvent.detail).where(BallotEvent.what == rows.REFUSED).order_by(BallotEvent.id)
        return [detail["reason"] for detail in self.hall.look(lambda session: list(session.scalars(query)))]

    def calls(self) -> list[tuple[str, str | None]]:
        """(errand, what became of it) of this ballot."""
        query = select(BallotCall).join(Ballot).where(Ballot.number == self.number).order_by(BallotCall.id)
        return self.hall.look(lambda session: [(row.errand, row.outcome) for row in session.scalars(query)])

    def to_see(self) -> list[str]:
        return self.hall.look(lambda session: [each.id for each in ballot_staff.to_visit(session, self.row())])

    async def over(self) -> None:
        self.hall.later(days=3)
        await BallotRounds(self.world.db, self.world.clock).look()

    def letter(self) -> tuple[str, str]:
        """Number and PIN of the first unit's letter."""
        now = self.world.clock.now()
        with self.world.db.write() as session:
            made = ballot_letters.letters(session, self.number, now)
            ballot_letters.post(session, self.number, made, CHEN, now)
        return str(made[0].number), made[0].pin
