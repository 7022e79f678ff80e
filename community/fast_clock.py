"""After a clock that was fast (checkins.fast_clock): what the community room wrote ahead of time counts as written now,
and what was to be done by then is to be done by when it would be, were it asked for now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from community import rows, tickets_rows
from community.policy import Deadlines
from community.tables import Complaint, ComplaintEvent, Dictation, Meeting, Reply
from community.tickets_policy import BOOKED_WITHIN, ReplyClock
from community.tickets_tables import Booking, Ticket, TicketDictation, TicketEvent, TicketStatus

_WRITTEN = (
    Complaint.opened_at,
    Complaint.heard_at,
    Complaint.closed_at,
    ComplaintEvent.at,
    Dictation.at,
    Reply.at,
    Reply.outcome_at,
    Meeting.booked_at,
    Meeting.noted_at,
    Ticket.opened_at,
    Ticket.taken_at,
    Ticket.closed_at,
    TicketEvent.at,
    TicketDictation.at,
    Booking.at,
    Booking.outcome_at,
)  # not Meeting.at, Booking.known_by: hours that people named


def accept(session: Session, now: datetime, deadlines: Deadlines, clock: ReplyClock) -> int:
    """The clock is right at `now`; how many moments lay ahead. Safe to repeat."""
    calls = sum(_call_now(session, table, now) for table in (Reply, Booking))  # first: by the moments as they were
    written = sum(_pull(session, column, now) for column in _WRITTEN)
    return calls + written + _complaints(session, now, deadlines) + _tickets(session, now, clock)


def _pull(session: Session, column: Any, now: datetime) -> int:
    done = session.execute(update(column.class_).where(column > now).values({column.key: now}))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _call_now(session: Session, table: type[Reply] | type[Booking], now: datetime) -> int:
    """Answers and bookings that were given ahead of time, and for which nobody has been rung yet."""
    ahead = update(table).where(table.at > now, table.due_at > now, table.intent_id.is_(None))
    done = session.execute(ahead.values(due_at=now))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _complaints(session: Session, now: datetime, deadlines: Deadlines) -> int:
    """No deadline lies further ahead than that of a complaint which came now."""
    due = (Complaint.heard_due > now) | (Complaint.answer_due > now)
    moved = 0
    for complaint in session.scalars(select(Complaint).where(due).order_by(Complaint.id).with_for_update()):
        calendar = rows.calendar(session, complaint)
        heard = _at_most(complaint.heard_due, deadlines.heard_by(calendar, now))
        answer = _at_most(complaint.answer_due, deadlines.answered_by(calendar, now))
        moved += (heard, answer) != (complaint.heard_due, complaint.answer_due)
        complaint.heard_due, complaint.answer_due = heard, answer
    return moved


def _tickets(session: Session, now: datetime, clock: ReplyClock) -> int:
    moved = 0
    for ticket in session.scalars(select(Ticket).where(Ticket.due_at > now).order_by(Ticket.id).with_for_update()):
        within = ReplyClock(BOOKED_WITHIN) if ticket.status == TicketStatus.TAKEN else clock
        due = _at_most(ticket.due_at, within.due(tickets_rows.calendar(session, ticket), now))
        moved += due != ticket.due_at
        ticket.due_at = due
    return moved


def _at_most(due: datetime | None, latest: datetime) -> datetime | None:
    return None if due is None else min(due, latest)
