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

from checkins import ladder, searches
from checkins.alarms import Alarm, AlarmWay
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.contacts import Contact
from checkins.device_tables import Device, DeviceEvent, Telling
from checkins.escalation.policy import APART, AWAKE, FINDING
from checkins.escalation.set_back import set_back as set_search_back
from checkins.intents import NEWS_WITHIN
from checkins.items import Item
from checkins.names import named
from checkins.pace import LIVE
from checkins.register_log import PersonEvent
from checkins.results import SLEEPLESS, Reason, Status, Urgency
from checkins.roster.tables import RosterChange
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
    by = named(by)
    touched = set(session.scalars(select(CheckinEvent.checkin_id).where(CheckinEvent.at > now)))
    touched |= set(session.scalars(select(Checkin.id).where(Checkin.lease_until > now)))
    moments = _pull_items(session, now) + _pull_calls(session, now)
    moments += sum(_pull(session, column, now) for column in _WRITTEN)
    _ask_soon(session, now)
    pulled = _pull_cases(session, now)
    touched, moments = touched | pulled, moments + len(pulled)
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


_WRITTEN = (
    CheckinEvent.at,
    Checkin.planned_at,
    Checkin.closed_at,
    CallIntent.created_at,
    CallIntent.settled_at,
    Contact.at,
    Item.opened_at,
    Item.done_at,
    Telling.since,
    Telling.due_at,
    Telling.done_at,
    Device.added_at,
    DeviceEvent.received_at,
    DeviceEvent.applied_at,
    RosterChange.at,
    PersonEvent.at,
    Alarm.raised_at,
    Alarm.seen_at,
    Alarm.acknowledged_at,
    Alarm.over_at,
    AlarmWay.next_at,
    AlarmWay.said_at,
)


def _pull(session: Session, column: Any, now: datetime) -> int:
    done = session.execute(update(column.class_).where(column > now).values({column.key: now}))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _pull_calls(session: Session, now: datetime) -> int:
    """Nobody waits for the two minutes after a call that lies ahead: whoever was rung then may be rung now."""
    ahead = update(CallIntent).where(CallIntent.responder.is_not(None), CallIntent.created_at > now)
    done = session.execute(ahead.values(created_at=now - timedelta(minutes=APART)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _pull_items(session: Session, now: datetime) -> int:
    """By when they are to be done was reckoned from a moment that lies ahead."""
    done = session.execute(update(Item).where(Item.opened_at > now, Item.due_at > now).values(due_at=now))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _pull_cases(session: Session, now: datetime) -> set[int]:
    """The moments inside an open case and its search; the ids of the cases that had some which lay ahead."""
    found = set()
    for row in session.scalars(select_cases().where(Checkin.status != Status.CLOSED)):
        case, search = case_of(row), searches.search_of(row)
        since, missed = _past(case.person_since, now), _past(case.first_missed_at, now)
        right = replace(case, person_since=since, first_missed_at=missed)
        if right != case:
            put_case(row, right)
            found.add(row.id)
        if search is not None and (back := set_search_back(search, now)) != search:
            searches.put_search(row, back)
            found.add(row.id)
    return found


def _past(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _today(row: Checkin, now: datetime) -> date:
    return local_date(row.elder.neighbourhood.timezone, now)


def _to_person(session: Session, row: Checkin, by: str, now: datetime) -> None:
    """Called for a day that is still to come: on that day a person asks."""
    if row.status == Status.PLANNED:
        return
    case = ladder.need_person(case_of(row), Reason.HUMAN_CONTACT, Urgency.TODAY, now)
    put_case(row, replace(case, owner=None, due_at=row.slot))
    row.search = None
    log_event(session, row, "needs_person:human_contact", by, now, detail={"clock": "was fast"})
