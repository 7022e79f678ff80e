"""A neighbourhood with everybody who can be rung: two buddies, a duty worker, a daughter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from checkins import auditor, cases
from checkins.cases import Event
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.tables import CallIntent, Checkin, Person, Role
from tests.unit.checkins.world import DAY, World

LI, ZHOU, CHEN, DAUGHTER = "+862155510001", "+862155510002", "+862155510003", "+862155510004"
SHARES = {"calls": True, "recording": True, "buddy": True, "family": True}


@dataclass
class Street:
    world: World
    ids: dict[str, str] = field(default_factory=dict)  # by number

    @classmethod
    def of(cls, world: World) -> Street:
        """The people; elders are added by `elder`."""
        street = cls(world)
        street.add("李阿姨", LI, Role.BUDDY)
        street.add("周阿姨", ZHOU, Role.BUDDY)
        street.add("陈老师", CHEN, Role.STAFF)
        street.add("王小妹", DAUGHTER, Role.FAMILY)
        now = world.clock.now()
        with world.db.write() as session:
            edits.set_rotation(session, world.place_id, Rotation((street.ids[CHEN],), anchor=DAY), "书记", now)
        return street

    def add(self, name: str, number: str, role: Role) -> None:
        place = self.world.place_id
        with self.world.db.write() as session:
            person = Person(neighbourhood_id=place, name=name, spoken_name=name, number=number, role=role, consents={})
            session.add(person)
            session.flush()
            self.ids[number] = person.id

    def elder(self, name: str = "王秀英", **more: object) -> str:
        elder = self.world.elder(name, **({"consents": SHARES, "slot": 480} | more))
        now = self.world.clock.now()
        with self.world.db.write() as session:
            for buddy in (LI, ZHOU):
                edits.pair(session, elder, self.ids[buddy], "书记", now)
            edits.set_family(session, elder, [self.ids[DAUGHTER]], "书记", now)
        return elder

    # ── the day ──

    async def unreached(self, *elders: str) -> None:
        """Three tries, in vain."""
        world = self.world
        for moment in ("08:00", "08:16", "08:50"):
            await world.to(moment)
            for elder in elders:
                await world.ends(elder, Disposition.NO_ANSWER, after=timedelta())

    async def tick(self, **later: float) -> list[CallRequest]:
        """Time passes; the calls that the cycle placed then."""
        before = len(self.world.placer.requests)
        self.world.clock.advance(**later)
        await self.world.cycle.tick()
        self.awake()
        return self.world.placer.requests[before:]

    async def says(
        self,
        request: CallRequest,
        result: str | Disposition,
        evidence: str = "key",
        only: str | None = None,
        after: float = 30,
    ) -> bool:
        """The call ends: with a disposition, or answered with this result for everybody, or for one elder."""
        self.world.clock.advance(after)
        whom = [callee.id for callee in request.callees if only in (None, callee.id)]
        talked = not isinstance(result, Disposition)
        people = tuple(PersonOutcome(elder, str(result), evidence) for elder in whom) if talked else ()
        disposition = Disposition.ANSWERED if talked else result
        assert isinstance(disposition, Disposition)
        news = CallOutcome(request.id, self.world.clock.now(), final=True, disposition=disposition, people=people)
        changed = await self.world.cycle.settle(news)
        self.awake()
        return changed

    def awake(self) -> None:
        """Nobody is late, by the auditor's own reckoning."""
        with self.world.db.read() as session:
            assert auditor.late(session, self.world.clock.now()) == []

    def events(self, elder: str) -> list[Event]:
        with self.world.db.read() as session:
            return cases.events(session, self.world.row(elder).checkin_id)

    def whats(self, elder: str) -> list[str]:
        return [event.what for event in self.events(elder)]

    def intents(self) -> Iterator[CallIntent]:
        """Calls to responders, oldest first."""
        with self.world.db.read() as session:
            query = select(CallIntent).where(CallIntent.responder.is_not(None)).order_by(CallIntent.created_at)
            yield from list(session.scalars(query))

    def checkin(self, elder: str) -> Checkin:
        return next(row for row in self.world.checkins() if row.elder_id == elder)


def numbers(requests: list[CallRequest]) -> list[str]:
    return sorted(request.number for request in requests)
