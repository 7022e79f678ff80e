"""How many calls may start now: free lines, starts per second, and whether the line itself is down.

All of it is read from the intents, so that a restart or a second process keeps the same limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
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
_LINE_FAILED = (Disposition.LINE_ERROR, Disposition.INTERRUPTED)
OWN_TRUNK = CallIntent.trunk.is_(None)  # what a second trunk does says nothing about the line, and takes none of it
_OUT = OWN_TRUNK & (CallIntent.purpose != INBOUND)  # who rings in proves nothing about calls out


@dataclass
class Pace:
    """A budget of starts. `next_start`: when there may be one again by time (lines apart)."""

    budget: int
    next_start: datetime
    line_down: bool = False


def pace_now(session: Session, now: datetime, lines: int, starts_per_s: float) -> Pace:
    free = max(0, lines - lines_taken(session))
    if is_line_down(session, now):
        last = session.scalar(select(func.max(CallIntent.created_at)).where(_OUT))
        probe = now if last is None else max(now, last + PROBE_EVERY)
        return Pace(min(free, int(probe <= now)), probe, line_down=True)
    started, oldest, window, most = _recent(session, now, starts_per_s)
    next_start = now if started < most or oldest is None else oldest + window
    return Pace(min(free, max(0, most - started)), next_start)


def _recent(session: Session, now: datetime, rate: float) -> tuple[int, datetime | None, timedelta, int]:
    """Starts within the last window: a second, or longer when less than one call a second may start."""
    window = timedelta(seconds=max(1.0, 1 / rate))
    recent = select(func.count(), func.min(CallIntent.created_at)).where(_OUT, CallIntent.created_at > now - window)
    started, oldest = session.execute(recent).one()
    return started, oldest, window, max(1, int(rate * window.total_seconds()))


def is_line_down(session: Session, now: datetime) -> bool:
    """Whether several numbers in a row met a line error, or a carrier that could not say what became of them, within
    the last hour, and nothing got through since."""
    since = max(last_through(session) or now - DOWN_MEMORY, now - DOWN_MEMORY)
    failed = select(func.count(CallIntent.number.distinct())).where(
        _OUT,
        CallIntent.disposition.in_((Disposition.LINE_ERROR, Disposition.UNKNOWN)),
        CallIntent.settled_at > since,
    )
    return (session.scalar(failed) or 0) >= DOWN_AFTER_NUMBERS


def last_through(session: Session) -> datetime | None:
    """When the last call that got through ended: whatever came of it, the line carried it."""
    return session.scalar(
        select(func.max(CallIntent.settled_at)).where(
            _OUT,
            CallIntent.disposition.is_not(None),
            CallIntent.disposition.not_in((*_LINE_FAILED, Disposition.UNKNOWN)),
        )
    )


def lines_taken(session: Session) -> int:
    """Lines of our trunk that calls out are on."""
    return session.scalar(select(func.count()).where(OWN_TRUNK, CallIntent.state.in_(LIVE))) or 0
