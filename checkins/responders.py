"""Who may be rung for a case right now, by the roster as it is now; and what somebody is called in a case's log."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.escalation import search as core
from checkins.escalation.policy import APART, Who
from checkins.escalation.values import Action, Responder, Responders, Search
from checkins.pace import LIVE
from checkins.results import SLEEPLESS, Urgency
from checkins.roster import loading, resolve
from checkins.roster.holidays import Calendar, next_working_time
from checkins.roster.tables import RosterDuty
from checkins.roster.values import Kind, Roster
from checkins.tables import CallIntent, Checkin, Person


class Rosters:
    """The rosters of one transaction at one moment, each loaded once, and the numbers that must not be rung now."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now
        self._rosters: dict[int, Roster] = {}
        self._calendars: dict[int, Calendar] = {}
        self._duties: dict[int, bool] = {}

    def taken(self, number: str | None, *, urgent: bool = False) -> bool:
        """Whether this number must not be rung now: it is on a call of ours, or, as a responder's, was rung less than
        2 min ago. In an emergency (`urgent`) the 2 min hold between the calls of one search alone (Search.calls): what
        else somebody was rung for a moment ago is no reason to wait."""
        return number in self._live or (not urgent and number in self._recent)

    def rings(self, number: str) -> None:
        """A call to it was written just now."""
        self._live.add(number)

    @cached_property
    def _live(self) -> set[str]:
        return set(self._session.scalars(select(CallIntent.number).where(CallIntent.state.in_(LIVE))))

    @cached_property
    def _recent(self) -> set[str]:
        recent = CallIntent.responder.is_not(None) & CallIntent.dialled
        apart = timedelta(minutes=APART)  # further ahead: written by a clock that ran fast
        recent &= (CallIntent.created_at > self._now - apart) & (CallIntent.created_at <= self._now + apart)
        return set(self._session.scalars(select(CallIntent.number).where(recent)))

    def people(self, row: Checkin, urgency: Urgency) -> Responders:
        emergency, vital = urgency is Urgency.EMERGENCY, urgency in SLEEPLESS
        found = resolve.responders(self._roster(row), row.elder_id, self._now, emergency=emergency, vital=vital)
        return {Who(kind.value): people for kind, people in found.items()}

    def calendar(self, row: Checkin) -> Calendar:
        """When this case's committee works. Costs little: the roster isn't loaded for it."""
        place = row.neighbourhood_id
        if place not in self._calendars:
            self._calendars[place] = loading.calendar_of(self._session, place)
        return self._calendars[place]

    def has_duty(self, row: Checkin) -> bool:
        """Whether this case's committee has named somebody for duty at all."""
        place = row.neighbourhood_id
        if place not in self._duties:
            duty = self._session.get(RosterDuty, place)
            self._duties[place] = duty is not None and (duty.rotation is not None or duty.deputy_id is not None)
        return self._duties[place]

    def advance(self, row: Checkin, search: Search) -> tuple[Search, Action]:
        """The search moved on to what is to be done for this case now."""
        people = self.people(row, search.urgency)
        works = next_working_time(self._roster(row).calendar, self._now)
        busy = self._busy(people, urgent=search.urgency is Urgency.EMERGENCY)
        return core.advance(search, people, busy, self._now, working_from=works)

    def _roster(self, row: Checkin) -> Roster:
        place = row.neighbourhood_id
        if place not in self._rosters:
            self._rosters[place] = loading.load(self._session, place, self._now)
        return self._rosters[place]

    def _busy(self, people: Responders, *, urgent: bool) -> Collection[str]:
        return {one.id for one in _everybody(people) if self.taken(one.number, urgent=urgent)}


def _everybody(people: Responders) -> Iterator[Responder]:
    for some in people.values():
        yield from some


def same_phone(session: Session, one: str, other: str) -> bool:
    """Whether two different ids stand for one telephone: a daughter who is a buddy, too. A name is nobody's."""
    if one == other:
        return False
    numbers = [person.number for each in (one, other) if (person := session.get(Person, each)) is not None]
    return len(numbers) == 2 and numbers[0] is not None and numbers[0] == numbers[1]


def name_of(session: Session, row: Checkin, responder: str) -> str:
    """The name of a responder by id; what is no id is a name that somebody gave."""
    person = session.get(Person, responder)
    if person is not None:
        return person.name
    duty = session.get(RosterDuty, row.neighbourhood_id) if responder == Kind.STREET else None
    return (duty.street_name if duty else None) or responder
