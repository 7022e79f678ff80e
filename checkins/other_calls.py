"""Calls that another room has to make to elders (an answer to a complaint), put into the cycle.

They are routine calls and the last in line: within the line rules and the hours of calls, by lines that nothing of the
care room wants now or in a moment. None while the elder's own call is ahead, or while somebody looks for them; and none
that would take one of its tries from the next check-in. The other room writes its rows in the transaction that takes
the call, and is told the end in the transaction that writes it: what fails there keeps no check-in from being called.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from checkins import policies, promises
from checkins.case_rows import select_cases
from checkins.errands import herself
from checkins.intents import NEWS_WITHIN, dialled, intend, serve
from checkins.line_rules import Purpose, allowed_at, leaves_room
from checkins.pace import LIVE
from checkins.people import stops_calls
from checkins.policy import Policy
from checkins.ports import CallRequest, Disposition, PersonOutcome
from checkins.responders import Rosters
from checkins.results import SLEEPLESS, Reason, Result, Status
from checkins.schedule import at_minute, day_of, local_date
from checkins.tables import CallIntent, Checkin, Neighbourhood, Person
from storage.faults import where

log = logging.getLogger(__name__)

LEAVE = 1  # of a day's calls to a number: for what the care room may still want today
SOON = timedelta(minutes=2)  # a check-in that is due so soon has its line already
LOOK_AGAIN = timedelta(minutes=10)  # their own call is ahead, or somebody looks for them
NO_ROOM = timedelta(hours=1)  # the next check-in needs what is left of a day's calls
OTHERS = frozenset({Purpose.BALLOT, Purpose.BOOKING, Purpose.NOTICE, Purpose.REPLY, Purpose.TEST})
_OF_THEMSELVES = (Result.NOT_WELL, Result.WANTS_PERSON, Result.REFUSED, Result.EMERGENCY)
_AHEAD = (Status.PLANNED, Status.CALLING, Status.WAITING)


@dataclass(frozen=True)
class Later:
    """Not now: ask again at `until`."""

    until: datetime


@dataclass(frozen=True)
class Barred:
    """No machine call may go to them, as the register stands now: a person does what the call was for."""

    reason: Reason


@dataclass(frozen=True)
class Ended:
    """What a call came to. UNKNOWN: nobody can say; the true end may still come, and is told, too."""

    call_id: str
    disposition: Disposition
    people: tuple[PersonOutcome, ...] = field(default=(), repr=False)


class Errands(Protocol):
    """Another room's calls. Both run inside a transaction of the care room's."""

    @property
    def purpose(self) -> Purpose:
        """What their intents are for; nobody else has it."""
        ...

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """The calls to be made now: for each a request that `lines.ring` gave, noted in rows of the room's own."""
        ...

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """A call is over, or given up. May be told twice, the second time better."""
        ...


@dataclass
class Lines:
    """What one claim leaves to others: `free` calls."""

    session: Session
    now: datetime
    owner: str
    free: int

    def ring(
        self, elder: Person, purpose: Purpose, flow: str, ring_s: int = 45, try_no: int = 1, *, asked: bool = False
    ) -> CallRequest | Later | Barred:
        """The order for one call to this elder; its intent is written. With no line free: Later, now. `asked`: staff
        are with them and want it now, also while their own call is ahead; as many calls as that may need are left."""
        barred = stops_calls(elder)
        if barred is not None:
            return Barred(barred)
        number, place = elder.number, self.session.get_one(Neighbourhood, elder.neighbourhood_id)
        assert number is not None
        until = self._not_before(elder, place, number, purpose, asked)
        if until > self.now or self.free <= 0:
            return Later(until)
        row = self._today(elder, place)
        if row is None:
            return Later(self.now + LOOK_AGAIN)
        try:
            with self.session.begin_nested():
                intent = intend(self.session, number, purpose, self.now, self.owner, flow=flow, try_no=try_no)
                serve(self.session, intent, [row])
                self.session.flush()
        except IntegrityError:  # they are ringing us at this very moment
            return Later(self.now + NEWS_WITHIN)
        self.free -= 1
        variables = {**promises.variables(Rosters(self.session, self.now), row, self.now), "committee": place.committee}
        return CallRequest(intent.id, number, flow, (herself(row),), variables, ring_s)

    def _today(self, elder: Person, place: Neighbourhood) -> Checkin | None:
        """Their case of today, which a cry for help in this call is about, and whoever is asked for in it. Whom the
        plan hasn't come to yet is called later, and whose case is being written right now: who claims calls holds rows
        of the other room already, and waits for nobody."""
        query = select_cases().where(Checkin.elder_id == elder.id)
        today = query.where(Checkin.date == local_date(place.timezone, self.now))
        free = today.with_for_update(read=True, key_share=True, skip_locked=True, of=Checkin)
        found: Checkin | None = self.session.scalars(free).one_or_none()
        return found

    def _not_before(self, elder: Person, place: Neighbourhood, number: str, purpose: Purpose, asked: bool) -> datetime:
        live = select(CallIntent.id).where(CallIntent.number == number, CallIntent.state.in_(LIVE)).limit(1)
        if self.session.scalar(live) is not None:
            return self.now + NEWS_WITHIN
        ahead = _wanted(self.session, number)
        if ahead and not asked:
            return self.now + LOOK_AGAIN
        policy, before = policies.call_policy(place, elder), dialled(self.session, number, self.now)
        leave = max(LEAVE, len(policy.try_after)) if ahead else LEAVE
        allowed = allowed_at(purpose, before, self.now, leave=leave)
        if not leaves_room(before, self.now, _next_tries(elder, place, policy, self.now)):
            allowed = max(allowed, self.now + NO_ROOM)
        return within_hours(place.timezone, policy, allowed)


def _next_tries(elder: Person, place: Neighbourhood, policy: Policy, now: datetime) -> list[datetime]:
    """When tomorrow's check-in may ring them, at the earliest. Today's is over."""
    first = place.plan_from if elder.slot is None else elder.slot
    tomorrow = local_date(place.timezone, now) + timedelta(days=1)
    return [at_minute(place.timezone, tomorrow, first) + timedelta(minutes=after) for after in policy.try_after]


def within_hours(zone: str, policy: Policy, at: datetime) -> datetime:
    """`at`, or the next moment after it when routine calls may be made."""
    day = local_date(zone, at)
    today = day_of(zone, day, policy)
    if at >= today.closes:
        return day_of(zone, day + timedelta(days=1), policy).opens
    return max(at, today.opens)


def claim(session: Session, now: datetime, owner: str, free: int, errands: Sequence[Errands]) -> list[CallRequest]:
    """The calls that others make with what is left: `free` lines and starts."""
    if free <= 0 or not errands:
        return []
    lines, found = Lines(session, now, owner, free - due_within(session, now, SOON)), list[CallRequest]()
    for each in errands:
        requests: Sequence[CallRequest] = ()
        with _apart(session, "calls of another room could not be taken"):
            taken = each.claim(session, now, lines)
            session.flush()
            requests = taken
        found += requests
    return found


def tell(
    session: Session, errands: Sequence[Errands], call_id: str, people: Sequence[PersonOutcome], now: datetime
) -> None:
    """The end of this call stands on its intent: whoever had it made hears it."""
    intent = session.get(CallIntent, call_id)
    for each in errands:
        if intent is not None and intent.disposition is not None and intent.purpose == each.purpose:
            end = Ended(call_id, Disposition(intent.disposition), tuple(people))
            with _apart(session, f"the end of call {call_id} could not be told"):
                each.ended(session, end, now)


def of_themselves(intent: CallIntent, people: Mapping[str, PersonOutcome]) -> dict[str, PersonOutcome]:
    """Who said in another room's call what the care room must know. All else is that room's."""
    said = {id_: person for id_, person in people.items() if person.result in _OF_THEMSELVES}
    return said if is_other(intent) else dict(people)


def is_other(intent: CallIntent) -> bool:
    """Whether the call was another room's: it says nothing of whether the elder's own call reached them."""
    return intent.purpose in OTHERS


@contextmanager
def _apart(session: Session, failed: str) -> Iterator[None]:
    """What goes wrong in another room undoes that room's work alone; a database that is away, all of it."""
    try:
        with session.begin_nested():
            yield
    except OperationalError:
        raise
    except Exception as error:
        log.error("%s (%s)", failed, where(error))


def _wanted(session: Session, number: str) -> bool:
    """Whether somebody of this number has their own call ahead, or is looked for."""
    looked_for = (Checkin.status == Status.NEEDS_PERSON) & Checkin.urgency.in_(SLEEPLESS)
    query = select(Checkin.id).join(Person, Person.id == Checkin.elder_id).where(Person.number == number)
    return session.scalar(query.where(Checkin.status.in_(_AHEAD) | looked_for).limit(1)) is not None


def due_within(session: Session, now: datetime, within: timedelta) -> int:
    """How many check-ins want a line by then."""
    query = select(func.count()).where(Checkin.status.in_(_AHEAD), Checkin.due_at.between(now, now + within))
    return session.scalar(query) or 0
