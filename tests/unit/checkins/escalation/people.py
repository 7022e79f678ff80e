"""Invented responders, a morning, and shorthand for the tests of the search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from checkins.escalation.policy import Escalation, Who
from checkins.escalation.search import advance, begin, rang
from checkins.escalation.values import Action, CallForFinding, Responders, Ring, Search
from checkins.results import Urgency

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    spoken_name: str
    kind: str
    number: str | None = "+862155500000"
    language: str = "zh"


def person(who: Who, id: str) -> Person:
    return Person(id, id, id, who.value)


def at(clock: str, day: int = 2) -> datetime:
    """A moment of March 2026 in Shanghai; the 2nd is a Monday."""
    hour, minute = clock.split(":")
    return datetime(2026, 3, day, int(hour), int(minute), tzinfo=ZONE).astimezone(UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


PEOPLE: Responders = {
    Who.BUDDY: (person(Who.BUDDY, "李阿姨"), person(Who.BUDDY, "周阿姨")),
    Who.DUTY: (person(Who.DUTY, "陈老师"),),
    Who.DEPUTY: (person(Who.DEPUTY, "吴老师"),),
    Who.FAMILY: (person(Who.FAMILY, "女儿"), person(Who.FAMILY, "儿子")),
    Who.STREET: (person(Who.STREET, "街道"),),
}


class Line:
    """One search with a clock: does what the search wants as the cycle will do it."""

    def __init__(
        self,
        urgency: Urgency = Urgency.UNREACHED,
        clock: str = "09:30",
        *,
        day: int = 2,
        device: bool = False,
        people: Responders = PEOPLE,
        escalation: Escalation | None = None,
    ) -> None:
        self.now = at(clock, day)
        self.search: Search = begin(escalation or Escalation(), urgency, self.now, device=device)
        self.people = people
        self.busy: Collection[str] = ()
        self.working_from: datetime | None = None

    def act(self) -> Action:
        """What it wants now; who is to be rung has been rung afterwards."""
        self.search, action = advance(self.search, self.people, self.busy, self.now, working_from=self.working_from)
        for responder in _rung(action):
            self.search = rang(self.search, responder, self.now)
        return action

    def at(self, clock: str, day: int = 2) -> Action:
        """What it wants at this time."""
        self.now = at(clock, day)
        return self.act()

    def rings(self, clock: str, day: int = 2) -> tuple[str, ...]:
        """Who is rung at this time, whatever for."""
        return _rung(self.at(clock, day))


def _rung(action: Action) -> tuple[str, ...]:
    match action:
        case Ring(responders):
            return tuple(responder.id for responder in responders)
        case CallForFinding(responder):
            return (responder.id,)
    return ()
