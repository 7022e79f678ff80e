"""Begins calls with a browser as the telephone. Whoever may open the page asks for one and gets a ticket; the browser's
socket shows it and is the telephone of that one call. What is real and what is a trial is decided here:

* The line is rung, or rings with today's check-in, as in earnest only where all is invented: the carrier is the virtual
  one, and so is the elder (a number that nobody can have).
* Every other call is a trial (phone_trials.py).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from callflows import loader
from checkins.claims import NotNowError
from checkins.cycle import TickReport
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person, Role
from console.guard import PageError
from console.phone_people import Subscriber, is_somebodys, one
from console.phone_trials import Trial, Trials
from console.words import clock
from ivr.calls import LogEntry
from ivr.ports import CallOrder, Placing
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.handset import Exchange, Handset
from ivr.virtual.resource import Orders
from storage.database import Database

TICKET_FOR = timedelta(seconds=30)
MOST_CALLS = 8  # at once: they take lines' worth of recognition
MOST_OF_ONE = 4  # account
RINGS_IN = "rings_in"  # the flow that elders hear who ring in


class Kind(StrEnum):
    IN = "in"  # the browser rings the line
    TODAY = "today"  # the line rings it with today's check-in
    TRIAL = "trial"  # the line rings it with any flow; nothing counts


@dataclass(frozen=True)
class Wish:
    """`by`: the account that asks. `who`: whose telephone it is; None: nobody's, with a sample name. `counts`: it is no
    trial."""

    by: int
    kind: Kind
    who: Subscriber | None
    flow: str
    counts: bool


class Cycle(Protocol):
    async def plan_one(self, elder_id: str) -> None: ...

    async def call_now(self, checkin_id: int) -> TickReport: ...


class Telephone(Protocol):
    async def place(self, order: CallOrder) -> Placing: ...


class Log(Protocol):
    @property
    def observers(self) -> list[Callable[[str, LogEntry], None]]: ...


@dataclass(frozen=True)
class PhoneLine:
    """What a browser phone hangs on. `counts`: the carrier of all calls is the virtual one; else this one is beside a
    real carrier, under `trunk`, for trials alone. `voice_url`: where the line asks what to say; `number`: its own."""

    carrier: VirtualCarrier
    exchange: Exchange
    voice_url: str
    number: str
    trials: Trials
    telephone: Telephone
    cycle: Cycle
    calls: Log
    trunk: str = ""
    counts: bool = True


class PhoneDesk:
    def __init__(self, db: Database, now: Callable[[], datetime], line: PhoneLine) -> None:
        self.db, self.now, self.line = db, now, line
        self._tickets: dict[str, tuple[Wish, datetime]] = {}
        self._talking: Counter[int] = Counter()  # by account

    async def wish(self, by: int, kind: str, who: str, flow: str) -> Wish:
        """PageError says what can't be had."""
        if kind not in set(Kind):
            raise PageError(422, "请选一种通话。", "choose a kind of call")
        found = await self.db.view(lambda session: one(session, who)) if who else None
        if who and found is None:
            raise PageError(404, "没有这个人，或没有电话号码。", "nobody by this id has a telephone")
        counts = kind != Kind.TRIAL and found is not None and found.invented and self.line.counts
        if kind == Kind.TODAY and not (counts and found is not None and found.role is Role.ELDER):
            raise PageError(
                422,
                "今天的问候只打给虚构的老人；真实的老人请选“试打”，不算数。",
                "today's check-in rings invented elders only; for others choose a trial, which changes nothing",
            )
        if kind == Kind.TRIAL and flow not in loader.shipped_names():
            raise PageError(422, "请选一个流程。", "choose a flow")
        return Wish(by, Kind(kind), found, flow if kind == Kind.TRIAL else RINGS_IN, counts)

    def ticket(self, wish: Wish) -> str:
        """Good once, for a moment, for the account that asked. PageError when enough browsers are on the telephone."""
        now = self.now()
        self._tickets = {key: one for key, one in self._tickets.items() if abs(now - one[1]) <= TICKET_FOR}
        taken = self._talking + Counter(wish.by for wish, _ in self._tickets.values())
        if taken.total() >= MOST_CALLS:
            raise PageError(429, "同时试打的电话太多了，请等一会儿。", "too many browser phones at once; wait a moment")
        if taken[wish.by] >= MOST_OF_ONE:
            raise PageError(
                429,
                "这个账号同时打的电话太多了，请先挂断一个，或等一会儿。",
                "too many browser phones of this account: hang up one, or wait a moment",
            )
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = (wish, now)
        return ticket

    def take(self, ticket: str, by: int) -> Wish | None:
        wish, at = self._tickets.pop(ticket, (None, self.now()))
        return wish if wish and wish.by == by and abs(self.now() - at) <= TICKET_FOR else None

    async def plug_in(self, wish: Wish, handset: Handset) -> str:
        """The number at which the handset is rung from now on. PageError when somebody holds this telephone."""
        self._talking[wish.by] += 1
        plugged = False
        try:
            number = wish.who.number if wish.counts and wish.who else await self._nobodys_number()
            self.line.exchange.plug_in(number, handset)
            plugged = True
        except ValueError:
            raise PageError(409, "别的浏览器正拿着这部电话。", "another browser holds this telephone") from None
        finally:
            self._talking[wish.by] -= not plugged
        return number

    async def _nobodys_number(self) -> str:
        """Of no telephone and of nobody in the register: who rings in from it is taken for nobody else."""
        while True:
            number = self.line.trials.number()
            if not await self.db.view(partial(is_somebodys, number=number)):
                return number

    def unplug(self, wish: Wish, number: str, handset: Handset) -> None:
        self.line.trials.forget(number)
        self.line.exchange.unplug(number, handset)
        self._talking[wish.by] -= 1

    async def begin(self, wish: Wish, number: str, handset: Handset) -> str | None:
        """Has the call made; the carrier's name for it, as far as it has one now. PageError says why there is none."""
        if wish.kind is Kind.IN:
            if not wish.counts:
                self.line.trials.expect(_trial(wish), number)
            handset.pick_up()
            orders = Orders(to=self.line.number, from_=number, url=self.line.voice_url)
            return self.line.carrier.ring_in(orders, handset.phone()).sid
        if wish.kind is Kind.TRIAL:
            await self._place(self.line.trials.outgoing(_trial(wish), number, self.line.trunk))
        else:
            await self._today(wish)
        return None

    async def _place(self, order: CallOrder) -> None:
        if await self.line.telephone.place(order) is not Placing.PLACED:
            raise PageError(502, "电话没有打出去。", "the carrier did not take the call")

    async def _today(self, wish: Wish) -> None:
        assert wish.who is not None, "today's check-in is somebody's"
        elder, now = wish.who.id, self.now()
        await self.line.cycle.plan_one(elder)
        zone, case = await self.db.view(lambda session: _todays_case(session, elder, now))
        if case is None:
            raise PageError(409, "这位老人今天不用打电话。", "this elder is not due today")
        try:
            report = await self.line.cycle.call_now(case)
        except NotNowError as error:
            when = f"要等到 {clock(error.until, zone)}" if error.until else "规则不允许"
            zh, en = f"现在不能打今天的问候：{when}。可以选“试打”，不算数。", f"not now: {error.why}"
            raise PageError(409, zh, en) from None
        if not report.placed:
            raise PageError(
                409,
                "今天的问候已经有了结果，或正在打。可以选“试打”，不算数。",
                "today's check-in has its result, or is being made; choose a trial, which changes nothing",
            )


def _trial(wish: Wish) -> Trial:
    trial = Trial(wish.flow)
    if wish.who is None:
        return trial
    return replace(trial, name=wish.who.spoken_name or wish.who.name, committee=wish.who.committee)


def _todays_case(session: Session, elder: str, now: datetime) -> tuple[str, int | None]:
    """The zone of the elder's place, and their case of the day that it is there."""
    query = select(Neighbourhood.timezone).join(Person, Person.neighbourhood_id == Neighbourhood.id)
    zone = session.scalars(query.where(Person.id == elder)).one()
    day = local_date(zone, now)
    return zone, session.scalar(select(Checkin.id).where(Checkin.elder_id == elder, Checkin.date == day))
