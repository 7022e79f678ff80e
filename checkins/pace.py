"""How many calls may start now: free lines, starts per second, and whether the line itself is down.

All of it is read from the intents, so that a restart or a second process keeps the same limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from checkins.intents import INBOUND
from checkins.ports import Disposition
from checkins.tables import CallIntent, IntentState

LIVE = (IntentState.INTENDED, IntentState.PLACED)
# The line counts as down when so many different numbers met a line error and no call got through since.
# Then one probe at a time: a dead line raises a line alarm, not 300 visits.
DOWN_AFTER_NUMBERS = 3
DOWN_MEMORY = timedelta(hours=1)
PROBE_EVERY = timedelta(minutes=2)
ANSWER_WITHIN = timedelta(seconds=5)  # an order that the carrier hasn't answered by then may be no call at all
BURST = 4  # calls that emergencies may start at once, ahead of the rate
# One number that doesn't exist says nothing about the line; several in a row do (bad_numbers.py).
_FAILED = (Disposition.LINE_ERROR, Disposition.UNKNOWN, Disposition.BAD_NUMBER)
_NOT_THROUGH = (*_FAILED, Disposition.INTERRUPTED)
_TRUNK_LOCK = 0x6C696E6573  # "lines": PostgreSQL's advisory lock
UNANSWERED = "unanswered"  # on the intent: the carrier couldn't be asked after an order that it hasn't answered
OWN_TRUNK = CallIntent.trunk.is_(None)  # what a second trunk does says nothing about the line, and takes none of it
OUT = OWN_TRUNK & (CallIntent.purpose != INBOUND)  # who rings in proves nothing about calls out


@dataclass
class Pace:
    """A budget of starts. `next_start`: when there may be one again by time (lines apart). `urgent`: how many
    emergencies may start, lines apart, also while the line counts as down."""

    budget: int
    next_start: datetime
    line_down: bool = False
    urgent: int = 0


@dataclass(frozen=True)
class Rate:
    """The carrier's bound on calls started. `per_s` holds for what is routine at any time and for all calls in the long
    run; emergencies may start `burst` calls more at once, and what is routine waits until that is made up for."""

    per_s: float
    burst: int = BURST

    @cached_property
    def window(self) -> timedelta:
        """A second, or longer when less than one call a second may start."""
        return timedelta(seconds=max(1.0, 1 / self.per_s))

    @cached_property
    def most(self) -> int:
        """Routine calls within a window."""
        return max(1, int(self.per_s * self.window.total_seconds()))

    @cached_property
    def memory(self) -> timedelta:
        """Starts further back don't matter."""
        return self.window + timedelta(seconds=3 * (self.most + self.burst) / self.per_s)

    def room(self, starts: Sequence[datetime], now: datetime) -> tuple[int, int, datetime]:
        """How many routine calls, and how many of emergencies, may start at `now`, and when a routine one may (again).
        `starts` within `memory`, oldest first."""
        since = now - self.window
        recent = [start for start in starts if start > since]
        left = self._left(starts, now)
        routine = max(0, min(self.most - len(recent), math.floor(left) - self.burst))
        if routine:
            return routine, math.floor(left), now
        full = now + timedelta(seconds=max(0.0, self.burst + 1 - left) / self.per_s)
        free = recent[-self.most] + self.window if len(recent) >= self.most else now
        return 0, max(0, math.floor(left)), max(full, free)

    def _left(self, starts: Sequence[datetime], now: datetime) -> float:
        """A token bucket: one token a call, filled at `per_s` up to what may start at once."""
        full = float(self.most + self.burst)
        level, at = full, starts[0] if starts else now
        for moment in starts:
            level, at = self._filled(level, moment - at, full) - 1, moment
        return self._filled(level, now - at, full) + 1e-6  # what a float lacks is no reason to wait

    def _filled(self, level: float, gone: timedelta, full: float) -> float:
        return min(full, level + gone.total_seconds() * self.per_s)


def pace_now(session: Session, now: datetime, lines: int, rate: Rate) -> Pace:
    """`lines`: those that routine calls may take."""
    query = select(CallIntent.created_at).where(OUT, CallIntent.created_at > now - rate.memory)
    starts = sorted(session.scalars(query))
    routine, urgent, next_start = rate.room(starts, now)
    if is_line_down(session, now):
        free = max(0, lines - lines_sure(session, now))
        last = session.scalar(select(func.max(CallIntent.created_at)).where(OUT))
        probe = now if last is None else max(now, last + PROBE_EVERY)
        return Pace(min(free, int(probe <= now)), probe, line_down=True, urgent=urgent)
    free = max(0, lines - lines_taken(session))
    return Pace(min(free, routine), next_start, urgent=urgent)


def is_line_down(session: Session, now: datetime, also: str | None = None) -> bool:
    """Whether several numbers in a row met a line error, a carrier that could not say what became of them, or can't
    even be asked, or one that knows no such number, within the last hour, and nothing got through since. `also`: as if
    this number had, too."""
    since = down_since(session, now)
    query = select(CallIntent.number).where(OUT, CallIntent.disposition.in_(_FAILED), CallIntent.settled_at > since)
    failed = {*session.scalars(query.distinct()), *_unanswered(session, now), *([also] if also else [])}
    return len(failed) >= DOWN_AFTER_NUMBERS


def _unanswered(session: Session, now: datetime) -> set[str]:
    """Numbers of orders which the carrier has not answered, and after which it couldn't be asked; since it took one."""
    query = select(CallIntent).where(
        OUT, CallIntent.state == IntentState.INTENDED, CallIntent.created_at > now - DOWN_MEMORY
    )
    found = [intent for intent in session.scalars(query) if intent.applied.get(UNANSWERED)]
    if not found:
        return set()
    took = (CallIntent.state == IntentState.PLACED) | CallIntent.disposition.not_in(_NOT_THROUGH)
    last = session.scalar(select(func.max(CallIntent.created_at)).where(OUT, took))
    return {intent.number for intent in found if last is None or intent.created_at > last}


def down_since(session: Session, now: datetime) -> datetime:
    """What failed after this counts for whether the line is down."""
    return max(last_through(session) or now - DOWN_MEMORY, now - DOWN_MEMORY)


def last_through(session: Session, number: str | None = None) -> datetime | None:
    """When the last call that got through (to this number) ended: whatever came of it, the line carried it."""
    query = select(func.max(CallIntent.settled_at)).where(
        OUT, CallIntent.disposition.is_not(None), CallIntent.disposition.not_in(_NOT_THROUGH)
    )
    return session.scalar(query if number is None else query.where(CallIntent.number == number))


def count_alone(session: Session) -> None:
    """Until this transaction ends nobody else counts the trunk's lines or takes one, in whatever process. Before any
    row is locked, else two wait for each other. On SQLite there is one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _TRUNK_LOCK})


def lines_taken(session: Session) -> int:
    """Lines of our trunk that calls out are on."""
    return session.scalar(select(func.count()).where(OWN_TRUNK, CallIntent.state.in_(LIVE))) or 0


def lines_sure(session: Session, now: datetime) -> int:
    """Those of them that are known to be, or are being ordered right now: all that an emergency leaves to others."""
    placed = (CallIntent.state == IntentState.PLACED) | CallIntent.for_call.is_not(None)
    sure = placed | (CallIntent.created_at > now - ANSWER_WITHIN)
    return session.scalar(select(func.count()).where(OWN_TRUNK, CallIntent.state.in_(LIVE), sure)) or 0
