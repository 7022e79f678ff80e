"""Who lives in the town, what a day there is like, and what a house must be able to do and to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Protocol

from checkins.ports import CallOutcome, CallRequest, Placed, Trace
from checkins.schedule import at_minute

ZONE = "Asia/Shanghai"
DAY = date(2026, 3, 2)  # a Monday
ELDERS = ("e1", "e2", "e3")
BUDDIES = ("b1", "b2", "b3")  # b3 is the neighbourhood's substitute
STAFF = ("d1", "d2")  # on duty in turns; each is the other's deputy
FAMILY = ("f1", "f2")
STREET = "street"
SLOTS = {"e1": 8 * 60, "e2": 8 * 60 + 20, "e3": 9 * 60}
PAIRS = {"e1": ("b1", "b2"), "e2": ("b1",), "e3": ("b2",)}
RELATIVES = {"e1": ("f1",), "e2": ("f2",), "e3": ()}
_LANDLINES = {"e1": "+862110000001", "e2": "+862110000002", "e3": "+862110000002"}  # two share one telephone
_MOBILES = {one: f"+86215551{n:04d}" for n, one in enumerate((*BUDDIES, *STAFF, *FAMILY, STREET))}
NUMBERS: Mapping[str, str] = {**_LANDLINES, **_MOBILES}
RESPONDER: Mapping[str, str] = {number: one for one, number in _MOBILES.items()}
VOLUNTEERS = frozenset({*BUDDIES, *FAMILY})
CHECKIN = "daily_checkin"


def at(minute: float) -> datetime:
    """A moment of the town's day, by minutes since midnight."""
    return at_minute(ZONE, DAY, 0) + timedelta(minutes=minute)


class Role(StrEnum):
    """Groups of people whom a town may lack altogether."""

    BUDDIES = "buddies"
    STAFF = "staff"
    FAMILY = "family"
    STREET = "street"


@dataclass(frozen=True)
class Weather:
    """What a day is like. Shares are 0 to 1; minutes count from its beginning."""

    seed: int
    begins: int  # minute of the day at which the machine is switched on
    hours: float
    missing: frozenset[Role]
    answers: float  # of the calls to elders somebody picks up
    helps: float  # of the calls to responders one is taken
    helps_after: float  # before, nobody takes anything
    lost: float  # of the news never comes
    twice: float
    late: float
    timeouts: float  # the carrier's answer to an order
    outage: tuple[float, float]  # from, until: the line is dead
    jumps: tuple[tuple[float, float], ...]  # when the machine's clock is moved, and by how much
    edits: int  # of roster and register, by people
    crashes: int

    @classmethod
    def of(cls, seed: int) -> Weather:
        """A day by the dice alone: most are ordinary in most respects."""
        dice = Random(seed)
        hours = dice.choice([4, 4, 8, 8, 14, 24])

        def mostly(ordinary: float, *others: float) -> float:
            return dice.choice(others) if dice.random() < 0.3 else ordinary

        out = dice.uniform(0, hours * 60)
        return cls(
            seed,
            begins=int(mostly(7 * 60 + 30, 8 * 60 + 5, 10 * 60 + 50, 11 * 60 + 40, 20 * 60, 22 * 60)),
            hours=hours,
            missing=frozenset(role for role in Role if dice.random() < 0.08),
            answers=mostly(0.5, 0, 0, 0.9),
            helps=mostly(0.3, 0.05, 0, 0.8),
            helps_after=mostly(0, 45, 90, 240, 600),
            lost=mostly(0.02, 0, 0.2, 0.6),
            twice=mostly(0.1, 0.5),
            late=mostly(0.05, 0.4),
            timeouts=mostly(0.02, 0, 0.3),
            outage=(out, out + mostly(0, 5, 30, 180)) if dice.random() < 0.5 else (0, mostly(0, 60, 240)),
            jumps=tuple(
                (dice.uniform(0, hours * 60), dice.choice([-0.05, -1, -7, -30, -600, 2, 20, 90]))
                for _ in range(dice.choice([0, 0, 0, 0, 1, 2]))
            ),
            edits=dice.choice([0, 0, 2, 6]),
            crashes=dice.choice([0, 0, 1, 4]),
        )

    def short(self, hours: float) -> Weather:
        """The same day, cut off."""
        return replace(self, hours=min(self.hours, hours))


@dataclass(frozen=True)
class Held:
    """A case as a house holds it."""

    elder: str
    status: str
    due_at: datetime | None
    urgency: str | None
    owner: str | None
    closed_by: str | None
    result: str | None
    evidence: str | None
    confirming: bool  # somebody has seen the elder well; the line's own call is ahead


class Carrier(Protocol):
    """What a house asks of the telephone: `checkins.ports.CallPlacer` without waiting."""

    def place(self, request: CallRequest) -> Placed: ...

    def trace(self, intent_id: str) -> Trace: ...


class House(Protocol):
    """Rooms that look after the town. Every act happens at `now`, the house's own clock."""

    now: datetime

    def tick(self) -> bool:
        """Does what is due. False: its clock is behind what was written, and it starts nothing."""
        ...

    def settle(self, news: CallOutcome) -> bool: ...

    def first(self, call: str, elder: str) -> bool:
        """A responder pressed "I'll go" in mid-call: whether they were the first."""
        ...

    def held(self) -> list[Held]: ...

    def next_due(self) -> datetime | None: ...

    def take_over(self, elder: str, by: str) -> None: ...

    def close(self, elder: str, by: str) -> None: ...

    def rings_in(self, elder: str) -> None:
        """The elder rings the line, says by key that they are well, and hangs up."""
        ...

    def leave(self, person: str, minutes: float) -> None: ...

    def stops(self, elder: str, state: str) -> None:
        """The register says from now on: "died", "refused", "moved"."""
        ...

    def dies(self, after: int) -> None:
        """The process is killed at the `after`-th write from now on, and started again."""
        ...

    def shut(self) -> None: ...
