"""Rows of tickets, found and written. Every function runs inside somebody's transaction. A ticket is locked before its
bookings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.roster import loading
from checkins.roster.holidays import Calendar
from checkins.tables import Person
from community.rows import numbered
from community.tickets_tables import FIRST_TICKET, Booking, Ticket, TicketDictation, TicketEvent, TicketStatus
from community.wrong import Unknown


def by_number(session: Session, number: int) -> Ticket:
    """Locked. LookupError when there is none."""
    return locked(session, known(session, number))


def known(session: Session, number: int) -> Ticket:
    """To look at. LookupError when there is none."""
    row = session.scalar(select(Ticket).where(Ticket.number == number))
    if row is None:
        raise Unknown("没有这张单子", f"there is no ticket {number} (`tickets list` shows all)")
    return row


def locked(session: Session, ticket: Ticket) -> Ticket:
    """As it is now, for whoever is about to change it."""
    session.flush()
    return session.get_one(Ticket, ticket.id, with_for_update=True, populate_existing=True)


def last_of_call(session: Session, call_id: str, person_id: str) -> Ticket | None:
    """What this person has asked for last in this call, locked."""
    query = select(Ticket).where(Ticket.call_id == call_id, Ticket.person_id == person_id)
    return session.scalars(query.order_by(Ticket.nth.desc()).limit(1).with_for_update()).first()


def of_call(session: Session, call_id: str) -> list[Ticket]:
    return list(session.scalars(select(Ticket).where(Ticket.call_id == call_id).order_by(Ticket.nth)))


def new(session: Session, call_id: str, person_id: str, now: datetime, kind: str) -> Ticket:
    """A ticket with the next number, flushed."""
    place = session.get_one(Person, person_id).neighbourhood_id
    values = {"kind": kind, "opened_at": now, "status": TicketStatus.INTERRUPTED}
    return numbered(session, Ticket, FIRST_TICKET, call_id, person_id=person_id, neighbourhood_id=place, **values)


def note(
    session: Session,
    ticket: Ticket,
    what: str,
    who: str,
    now: datetime,
    *,
    call_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Writes into the ticket's log."""
    event = TicketEvent(ticket_id=ticket.id, at=now, what=what, who=who[:100], call_id=call_id, detail=detail or None)
    session.add(event)
    session.flush()


def events(session: Session, ticket: Ticket) -> list[TicketEvent]:
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    return list(session.scalars(query.order_by(TicketEvent.id)))


def noted(session: Session, call_id: str, person_id: str, among: Sequence[str]) -> list[tuple[TicketEvent, Ticket]]:
    """Events of these kinds of this person's tickets in this call, the first one first."""
    query = (
        select(TicketEvent, Ticket)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(TicketEvent.call_id == call_id, TicketEvent.what.in_(among), Ticket.person_id == person_id)
        .order_by(TicketEvent.id)
    )
    return [(event, ticket) for event, ticket in session.execute(query)]


def bookings(session: Session, ticket: Ticket) -> list[Booking]:
    return list(session.scalars(select(Booking).where(Booking.ticket_id == ticket.id).order_by(Booking.round)))


def last_booking(session: Session, ticket: Ticket) -> Booking | None:
    return next(iter(reversed(bookings(session, ticket))), None)


def dictations(session: Session, ticket: Ticket) -> list[TicketDictation]:
    query = select(TicketDictation).where(TicketDictation.ticket_id == ticket.id)
    return list(session.scalars(query.order_by(TicketDictation.id)))


def calendar(session: Session, ticket: Ticket) -> Calendar:
    """When its committee is at work."""
    return loading.calendar_of(session, ticket.neighbourhood_id)


def whose(session: Session, ticket: Ticket) -> str:
    return session.get_one(Person, ticket.person_id).name
