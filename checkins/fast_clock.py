"""After a clock that was fast: the clock is right now, and what was written meanwhile lies ahead.

Nothing is called while a row is newer than the clock (cycle.is_clock_behind): that may as well be a clock that went
back. Only a person can say which of the two it was; then what lies ahead counts as written now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from checkins import ladder
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.escalation.policy import AWAKE, FINDING
from checkins.intents import NEWS_WITHIN
from checkins.pace import LIVE
from checkins.results import SLEEPLESS, Reason, Status, Urgency
from checkins.schedule import local_date
from checkins.tables import CallIntent, Checkin, CheckinEvent


@dataclass(frozen=True)
class Accepted:
    """How many moments lay ahead; cases that are looked at again; cases of days to come that are a person's now."""

    moments: int
    open: int
    ahead: int


def accept(session: Session, by: str, now: datetime) -> Accepted:
    """`by` says that the clock is right at `now`. Safe to repeat. ValueError without a name."""
    if not by.strip():
        raise ValueError("only a named person can say that the clock is right")
    touched = set(session.scalars(select(CheckinEvent.checkin_id).where(CheckinEvent.at > now)))
    touched |= set(session.scalars(select(Checkin.id).where(Checkin.lease_until > now)))
    moments = sum(_pull(session, column, now) for column in _WRITTEN)
    _ask_soon(session, now)
    rows = list(session.scalars(select_cases().where(Checkin.id.in_(touched)))) if moments else []
    ahead = [row for row in rows if row.date > _today(row, now)]
    for row in rows:
        row.lease_owner = row.lease_until = None
        if row in ahead:
            _to_person(session, row, by, now)
        elif row.status in (Status.WAITING, Status.CALLING, Status.NEEDS_PERSON):
            row.due_at = now
    return Accepted(moments, len(rows) - len(ahead), len(ahead))


def set_back(session: Session, now: datetime) -> int:
    """What never sleeps is looked at as soon by the clock as it is now as it was to be by the clock before; how many
    cases lay too far ahead. Safe to repeat."""
    _ask_soon(session, now)
    sleeps = or_(
        and_(Checkin.owner.is_(None), Checkin.due_at > now + timedelta(minutes=AWAKE)),
        Checkin.due_at > now + timedelta(minutes=FINDING),
    )
    query = update(Checkin).where(Checkin.status == Status.NEEDS_PERSON, Checkin.urgency.in_(SLEEPLESS), sleeps)
    return int(session.execute(query.values(due_at=now)).rowcount)  # type: ignore[attr-defined]


def _ask_soon(session: Session, now: datetime) -> None:
    """The carrier, after calls that are on the line."""
    session.execute(
        update(CallIntent)
        .where(CallIntent.state.in_(LIVE), CallIntent.check_at > now + NEWS_WITHIN)
        .values(check_at=now)
    )


_WRITTEN = (CheckinEvent.at, Checkin.planned_at, CallIntent.created_at, CallIntent.settled_at)


def _pull(session: Session, column: Any, now: datetime) -> int:
    done = session.execute(update(column.class_).where(column > now).values({column.key: now}))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _today(row: Checkin, now: datetime) -> date:
    return local_date(row.elder.neighbourhood.timezone, now)


def _to_person(session: Session, row: Checkin, by: str, now: datetime) -> None:
    """Called for a day that is still to come: on that day a person asks."""
    if row.status == Status.PLANNED:
        return
    case = ladder.need_person(case_of(row), Reason.HUMAN_CONTACT, Urgency.TODAY, now)
    put_case(row, replace(case, owner=None, due_at=row.slot))
    row.search = None
    log_event(session, row, "needs_person:human_contact", by.strip(), now, detail={"clock": "was fast"})
