"""The house as it is: the cycle over a database. It can be killed between any two writes."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from checkins import answers, auditor, cases, people, ringing_in
from checkins.case_rows import select_cases
from checkins.cycle import Cycle
from checkins.pace import LIVE
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from checkins.results import Status
from checkins.roster import edits
from checkins.roster.values import Rotation
from checkins.searches import search_of
from checkins.tables import CallIntent, Checkin, Neighbourhood, Person, State
from checkins.tables import Role as Register
from storage.database import Base, Database
from tests.property.town.values import (
    BUDDIES,
    DAY,
    ELDERS,
    FAMILY,
    NUMBERS,
    PAIRS,
    RELATIVES,
    SLOTS,
    STAFF,
    STREET,
    ZONE,
    Carrier,
    Held,
    Role,
    Weather,
    at,
)

T = TypeVar("T")
BY = "书记"
SHARES = {"calls": True, "recording": True, "transcription": True, "buddy": True, "family": True}


class Killed(BaseException):
    """The process is gone: nothing may catch it."""


@dataclass
class Writes:
    """Counts what a process writes, and kills it at the `dies_at`-th of it: before that statement or commit."""

    done: int = 0
    dies_at: int = 0
    commits_only: bool = False

    def count(self, *, commit: bool = False) -> None:
        if self.commits_only and not commit:
            return
        self.done += 1
        if self.done == self.dies_at:
            raise Killed


class _Inline(Database):
    """Does its work where it is asked: one thread, no waiting for another's turn."""

    async def run(self, work: Callable[[Session], T]) -> T:
        with self.write() as session:
            return work(session)

    async def view(self, look: Callable[[Session], T]) -> T:
        with self.read() as session:
            return look(session)


@dataclass
class _Placer:
    """The port, over a carrier that doesn't wait."""

    carrier: Carrier

    async def place(self, request: CallRequest) -> Placed:
        return self.carrier.place(request)

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        return self.carrier.trace(intent_id)


@dataclass
class SqlHouse:
    weather: Weather
    carrier: Carrier
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = at(self.weather.begins)
        self._folder = tempfile.TemporaryDirectory(prefix="wenan-town-")
        self._loop = asyncio.new_event_loop()
        self.writes = Writes()
        self.deaths = self._rung_in = 0
        self.db = self._open()
        self._move_in()
        self._cycle = self._begin()

    # ── the machine ──

    def _open(self) -> Database:
        db = _Inline(f"sqlite:///{self._folder.name}/wenan.db", workers=1)
        event.listen(db.engine, "connect", _hasty)
        Base.metadata.create_all(db.engine)
        event.listen(db.engine, "commit", lambda _connection: self.writes.count(commit=True))
        event.listen(db.engine, "before_cursor_execute", self._statement)
        return db

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("SELECT", "WITH", "PRAGMA", "BEGIN")):
            self.writes.count()

    def _begin(self) -> Cycle:
        """A process that knows nothing but the database."""
        clock = _Clock(self)
        return Cycle(self.db, _Placer(self.carrier), clock, owner=f"cycle-{self.deaths}", lines=8, starts_per_s=100)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def dies(self, after: int) -> None:
        self.writes.dies_at = self.writes.done + 1 + after

    def _restarted(self) -> None:
        self.deaths += 1
        self.writes.dies_at = 0
        self._cycle = self._begin()

    def shut(self) -> None:
        self.db.close()
        self._loop.close()
        self._folder.cleanup()

    # ── ticking, and news ──

    def tick(self) -> bool:
        for _ in range(3):
            try:
                return self._run(self._round())
            except Killed:
                self._restarted()
        raise AssertionError("killed once, died three times")

    async def _round(self) -> bool:
        report = await self._cycle.tick()
        if report.refused or await self._cycle.reconcile():
            await self._cycle.tick()
        return not report.clock_behind

    def settle(self, news: CallOutcome) -> bool:
        """The telephone room keeps news until they were taken in."""
        try:
            return self._run(self._cycle.settle(news))
        except Killed:
            self._restarted()
            return self._run(self._cycle.settle(news))

    def first(self, call: str, elder: str) -> bool:
        def pressed(session: Session) -> bool:
            row = session.scalars(select_cases().where(Checkin.id == self._case(elder))).one()
            return answers.first(session, session.get_one(CallIntent, call), row, self.now)

        return self._act(pressed)

    def _act(self, work: Callable[[Session], T]) -> T:
        """Somebody's act in one transaction; when the process dies in it, they do it again."""
        try:
            with self.db.write() as session:
                return work(session)
        except Killed:
            self._restarted()
            return self._act(work)

    # ── people ──

    def take_over(self, elder: str, by: str) -> None:
        self._act(lambda session: cases.take_over(session, self._case(elder), by, self.now))

    def close(self, elder: str, by: str) -> None:
        self._act(lambda session: cases.close_case(session, self._case(elder), by, "在女儿家", self.now))

    def rings_in(self, elder: str) -> None:
        self._rung_in += 1
        call = f"in-{self._rung_in}"
        self._act(lambda session: ringing_in.rang_in(session, call, NUMBERS[elder], self.now))
        well = PersonOutcome(elder, "well", "key")
        self.settle(CallOutcome(call, self.now, final=True, disposition=Disposition.ANSWERED, people=(well,)))

    def leave(self, person: str, minutes: float) -> None:
        def leaves(session: Session) -> None:
            if session.get(Person, person):
                edits.put_on_leave(session, person, self.now, self.now + timedelta(minutes=minutes), BY, self.now)

        self._act(leaves)

    def stops(self, elder: str, state: str) -> None:
        self._act(lambda session: people.set_state(session, elder, State(state), "register", self.now))

    def _case(self, elder: str) -> int:
        """The one that is open; the older one, where it goes on after midnight beside the next day's."""
        still_open = select(Checkin.id).order_by(Checkin.status == Status.CLOSED, Checkin.id)
        with self.db.read() as session:
            return session.scalars(still_open.where(Checkin.elder_id == elder).limit(1)).one()

    # ── looking ──

    def held(self) -> list[Held]:
        with self.db.read() as session:
            return [_held(row) for row in session.scalars(select(Checkin))]

    def next_due(self) -> datetime | None:
        with self.db.read() as session:
            due = session.scalar(select(func.min(Checkin.due_at)).where(Checkin.status != Status.CLOSED))
            ask = session.scalar(select(func.min(CallIntent.check_at)).where(CallIntent.state.in_(LIVE)))
        return min((moment for moment in (due, ask) if moment is not None), default=None)

    def late(self) -> list[auditor.Late]:
        with self.db.read() as session:
            return auditor.late(session, self.now)

    # ── the town ──

    def _move_in(self) -> None:
        missing = self.weather.missing
        with self.db.write() as session:
            place = Neighbourhood(name="槐荫里", committee="槐荫里居委会", timezone=ZONE)
            session.add(place)
            session.flush()
            groups = {Register.ELDER: ELDERS, Register.BUDDY: BUDDIES, Register.STAFF: STAFF, Register.FAMILY: FAMILY}
            for role, group in groups.items():
                session.add_all(_person(place.id, one, role) for one in group if not _misses(role, missing))
            session.flush()
            place_id = place.id
            for elder in ELDERS:
                if Role.BUDDIES not in missing:
                    for buddy in PAIRS[elder]:
                        edits.pair(session, elder, buddy, BY, self.now)
                if Role.FAMILY not in missing:
                    edits.set_family(session, elder, RELATIVES[elder], BY, self.now)
            if Role.BUDDIES not in missing:
                edits.set_substitutes(session, place_id, ["b3"], BY, self.now)
            if Role.STAFF not in missing:
                edits.set_rotation(session, place_id, Rotation(STAFF, anchor=DAY), BY, self.now)
            if Role.STREET not in missing:
                edits.set_street(session, place_id, STREET, NUMBERS[STREET], BY, self.now)


@dataclass(frozen=True)
class _Clock:
    house: SqlHouse

    def now(self) -> datetime:
        return self.house.now


def _hasty(connection: sqlite3.Connection, _record: Any) -> None:
    """Nobody pulls this machine's plug."""
    connection.execute("PRAGMA synchronous=OFF")


def _misses(role: Register, missing: frozenset[Role]) -> bool:
    groups = {Register.BUDDY: Role.BUDDIES, Register.STAFF: Role.STAFF, Register.FAMILY: Role.FAMILY}
    return groups.get(role) in missing


def _person(place: int, one: str, role: Register) -> Person:
    return Person(
        id=one, neighbourhood_id=place, name=one, spoken_name=one, number=NUMBERS[one], role=role, consents=SHARES,
        slot=SLOTS.get(one),
    )  # fmt: skip


def _held(row: Checkin) -> Held:
    search = search_of(row)
    confirming = search is not None and search.phase == "confirming"
    return Held(
        row.elder_id, row.status, row.due_at, row.urgency, row.owner, row.closed_by, row.result, row.evidence,
        confirming,
    )  # fmt: skip
