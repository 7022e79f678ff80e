"""A small neighbourhood on a real database, with a carrier that does what the test says."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import make_url, select

from checkins import cases
from checkins.cases import Row
from checkins.cycle import Cycle, TickReport
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from checkins.schedule import at_minute, read_minute
from checkins.tables import CallIntent, Checkin, Neighbourhood, Person
from storage.database import Base, Database
from tests.fakes.clock import WarpClock

ZONE = "Asia/Shanghai"
DAY = date(2026, 3, 2)


class FakePlacer:
    """Takes every call unless told otherwise; refuses to be asked twice for the same intent."""

    def __init__(self) -> None:
        self.requests: list[CallRequest] = []
        self.answers: dict[str, deque[Placed | Exception]] = defaultdict(deque)
        self.traces: dict[str, Trace] = {}
        self.asked: list[str] = []

    async def place(self, request: CallRequest) -> Placed:
        assert request.id not in {known.id for known in self.requests}, "dialled twice"
        self.requests.append(request)
        answer = self.answers[request.number].popleft() if self.answers[request.number] else Placed.PLACED
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        self.asked.append(intent_id)
        return self.traces.get(intent_id, Trace.NOT_FOUND)


class Crash(BaseException):
    """The process dies: nothing may catch it."""


_EMPTY: dict[tuple[str, ...], bytes] = {}  # by the tables that there are, because other rooms' come in later


def empty_database(url: str) -> Database:
    """With all tables. On SQLite their file is made once and then copied: that is most of a short test's time."""
    tables = tuple(sorted(Base.metadata.tables))
    file = make_url(url).database
    if not url.startswith("sqlite") or file is None:
        db = Database(url)
        Base.metadata.create_all(db.engine)
        return db
    if tables not in _EMPTY:
        db = Database(url)
        Base.metadata.create_all(db.engine)
        db.close()  # the last connection takes the write-ahead log into the file
        _EMPTY[tables] = Path(file).read_bytes()
    else:
        Path(file).write_bytes(_EMPTY[tables])
    return Database(url)


class World:
    def __init__(self, url: str, *, lines: int = 6, reserved: int = 2, starts_per_s: float = 100.0) -> None:
        self.url = url
        self.db = empty_database(url)
        self.clock = WarpClock(at_minute(ZONE, DAY, 7 * 60))
        self.placer = FakePlacer()
        self.limits: dict[str, Any] = {"lines": lines, "reserved": reserved, "starts_per_s": starts_per_s}
        self.cycle = self.another_cycle("cycle-1")
        self._numbers = count(1)
        with self.db.write() as session:
            place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone=ZONE)
            session.add(place)
            session.flush()
            self.place_id = place.id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.db.close()

    async def dies_before_the_dial(self) -> Cycle:
        """The process dies when it is about to ask the carrier; the cycle that goes on after it."""

        async def dies(_request: CallRequest) -> Placed:
            raise Crash

        self.placer.place = dies  # type: ignore[method-assign]
        with pytest.raises(Crash):
            await self.cycle.tick()
        del self.placer.place  # type: ignore[method-assign]
        return self.another_cycle("restarted")

    def another_cycle(self, owner: str, db: Database | None = None) -> Cycle:
        """A cycle that knows nothing but the database: what a restart, or a second process, is."""
        return Cycle(db or self.db, self.placer, self.clock, owner=owner, **self.limits)

    def elder(self, name: str = "王秀英", **more: Any) -> str:
        """Adds an elder who agreed to everything; returns their id."""
        values = {
            "neighbourhood_id": self.place_id,
            "number": f"+8621100000{next(self._numbers):02d}",
            "spoken_name": name[0] + "阿婆",
            "consents": {"calls": True, "recording": True},
        }
        with self.db.write() as session:
            person = Person(name=name, **(values | more))
            session.add(person)
            session.flush()
            return person.id

    def person(self, elder_id: str) -> Person:
        with self.db.read() as session:
            return session.get_one(Person, elder_id)

    def at(self, clock_time: str, day: date = DAY) -> datetime:
        return at_minute(ZONE, day, read_minute(clock_time))

    async def to(self, clock_time: str, day: date = DAY) -> TickReport:
        """Moves the clock there and lets the cycle work."""
        self.clock.advance_to(self.at(clock_time, day))
        return await self.cycle.tick()

    def row(self, elder_id: str, day: date = DAY) -> Row:
        with self.db.read() as session:
            rows = cases.today(session, self.place_id, day)
        return next(row for row in rows if row.elder_id == elder_id)

    def checkins(self) -> list[Checkin]:
        with self.db.read() as session:
            return list(session.scalars(select(Checkin).order_by(Checkin.id)))

    def intents(self) -> list[CallIntent]:
        with self.db.read() as session:
            return list(session.scalars(select(CallIntent).order_by(CallIntent.created_at)))

    def last_call(self, elder_id: str) -> CallRequest:
        return next(
            call for call in reversed(self.placer.requests) if elder_id in {callee.id for callee in call.callees}
        )

    def calls(self, elder_id: str) -> int:
        return sum(elder_id in {callee.id for callee in call.callees} for call in self.placer.requests)

    async def ends(
        self,
        elder_id: str,
        end: Disposition | str,
        evidence: str = "key",
        detail: Mapping[str, Any] | None = None,
        after: timedelta = timedelta(seconds=30),
    ) -> bool:
        """The elder's last call ends with a disposition, or answered with a result for this elder."""
        self.clock.advance_to(self.clock.now() + after)
        call = self.last_call(elder_id)
        return await self.cycle.settle(outcome(call.id, self.clock.now(), {elder_id: end}, evidence, detail))


def outcome(
    intent_id: str,
    at: datetime,
    ends: Mapping[str, Disposition | str],
    evidence: str = "key",
    detail: Mapping[str, Any] | None = None,
) -> CallOutcome:
    """The final news of a call: one disposition for all, or a result per person."""
    dispositions = [end for end in ends.values() if isinstance(end, Disposition)]
    if dispositions:
        return CallOutcome(intent_id, at, final=True, disposition=dispositions[0])
    people = tuple(PersonOutcome(person, str(result), evidence, detail or {}) for person, result in ends.items())
    return CallOutcome(intent_id, at, final=True, disposition=Disposition.ANSWERED, people=people)
