"""The product itself as the desk of a simulated town: Cycle, SQLite, and a carrier that takes every call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select

from checkins import answers, cases
from checkins.case_rows import select_cases
from checkins.claims import Trunk
from checkins.cycle import Cycle
from checkins.device_tables import Telling
from checkins.ports import CallOutcome, CallRequest, Placed, Trace
from checkins.results import Status
from checkins.tables import CallIntent, Checkin, Person
from simulation.desk import TICK, whole_second
from simulation.line import Call
from storage.database import Database
from tests.fakes.clock import WarpClock

T = TypeVar("T")


class Takes:
    """A carrier that takes every call."""

    def __init__(self) -> None:
        self.requests: list[CallRequest] = []

    async def place(self, request: CallRequest) -> Placed:
        self.requests.append(request)
        return Placed.PLACED

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        return Trace.ALIVE


class CycleDesk:
    """Satisfies simulation.town.AnyDesk. Ticks every second while anything is due, as the server does."""

    def __init__(self, db: Database, trunk: Trunk, begin: datetime) -> None:
        self.db, self.clock, self.placer = db, WarpClock(begin), Takes()
        lines = trunk.lines + trunk.reserved
        self.cycle = Cycle(
            db, self.placer, self.clock, lines=lines, reserved=trunk.reserved, starts_per_s=trunk.starts_per_s
        )
        self._loop = asyncio.new_event_loop()
        self._ticked = begin

    def close(self) -> None:
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T], now: datetime) -> T:
        self.clock.advance_to(now)
        return self._loop.run_until_complete(work)

    def plan(self, now: datetime) -> None:
        self._run(self.cycle.tick(), now)

    def next_tick(self) -> datetime | None:
        ahead = (Status.PLANNED, Status.WAITING, Status.NEEDS_PERSON)
        with self.db.read() as session:
            cases = session.scalar(select(func.min(Checkin.due_at)).where(Checkin.status.in_(ahead)))
            told = session.scalar(select(func.min(Telling.due_at)).where(Telling.done_at.is_(None)))
        due = min((moment for moment in (cases, told) if moment is not None), default=None)
        return None if due is None else max(whole_second(due), self._ticked + TICK)

    def tick(self, now: datetime) -> list[Call]:
        self._ticked = now
        before = len(self.placer.requests)
        self._run(self.cycle.tick(), now)
        new = self.placer.requests[before:]
        if not new:
            return []
        with self.db.read() as session:
            return [self._call(session.get_one(CallIntent, request.id), request) for request in new]

    def _call(self, intent: CallIntent, request: CallRequest) -> Call:
        elders = tuple(callee.id for callee in request.callees)
        return Call(intent.id, intent.created_at, intent.number, request.flow, intent.purpose, elders, intent.responder)

    def first(self, call: str, elder: str, now: datetime) -> bool:
        with self.db.write() as session:
            intent = session.get_one(CallIntent, call)
            return answers.first(session, intent, self._newest(session, elder), now)

    def settle(self, outcome: CallOutcome, now: datetime) -> None:
        assert self._run(self.cycle.settle(outcome), now)

    def is_open(self, elder: str) -> bool:
        with self.db.read() as session:
            return bool(self._newest(session, elder).status != Status.CLOSED)

    def staff_closes(self, elder: str, by: str, finding: str, now: datetime) -> None:
        with self.db.write() as session:
            cases.close_case(session, self._newest(session, elder).id, by, finding, now)

    def change(self, elder: str, **values: object) -> None:
        with self.db.write() as session:
            person = session.get_one(Person, elder)
            for name, value in values.items():
                setattr(person, name, value)

    def _newest(self, session: Any, elder: str) -> Checkin:
        query = select_cases().where(Checkin.elder_id == elder).order_by(Checkin.date.desc()).limit(1)
        row: Checkin = session.scalars(query).one()
        return row
