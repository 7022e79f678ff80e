"""What a ticket waits for, as an item of the staff's list: nothing that is open waits for nobody.

The item follows from status, `wants` and `due_at`. Who ticks it off without doing what it says has it back when it is
overdue; what is overdue is an alarm at once (checkins.alarm_signs).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import Item, ItemKind
from checkins.people import stops_calls
from checkins.results import LINE
from checkins.tables import Person
from community import readable
from community import tickets_rows as rows
from community.tickets_policy import CLOCK, ReplyClock, last_moment
from community.tickets_tables import Booking, Heard, Ticket, TicketKind, TicketStatus, Wants

KIND_ZH: Mapping[str, str] = {
    TicketKind.TAXI: "叫车",
    TicketKind.HOSPITAL: "挂号",
    TicketKind.REPAIR: "修理",
    TicketKind.ADVICE: "咨询",
    TicketKind.OTHER: "其他",
}
_WANTS = {
    Wants.NEW: ItemKind.TICKET_NEW,
    Wants.RING_BACK: ItemKind.TICKET_RING_BACK,
    Wants.CHANGE: ItemKind.TICKET_CHANGE,
    Wants.TALK: ItemKind.TICKET_TALK,
}
ALL = (*_WANTS.values(), ItemKind.TICKET_BOOK, ItemKind.TICKET_TELL)


def kind_of(ticket: Ticket) -> ItemKind | None:
    """What somebody of the committee is waited for to do; None: nobody."""
    if ticket.due_at is None or ticket.status in (TicketStatus.READ_BACK, TicketStatus.CLOSED):
        return None
    if ticket.status == TicketStatus.INTERRUPTED:
        return ItemKind.TICKET_RING_BACK
    if ticket.status == TicketStatus.WAITING:
        return _WANTS[Wants(ticket.wants)]
    return ItemKind.TICKET_BOOK if ticket.status == TicketStatus.TAKEN else ItemKind.TICKET_TELL


def show(session: Session, ticket: Ticket, by: str, now: datetime) -> None:
    """Its item is the one that it waits for now; others are done, by `by`."""
    kind = kind_of(ticket)
    for item in open_items(session, ticket):
        if item.kind != kind:
            item.done_by, item.done_at = by[:100], now
    if kind is not None:
        items.open_item(
            session,
            kind,
            now,
            neighbourhood_id=ticket.neighbourhood_id,
            person_id=ticket.person_id,
            due_at=ticket.due_at,
            about=str(ticket.number),
            detail={"ticket": ticket.number, "text": f"{ticket.number}号{KIND_ZH[ticket.kind]}"},
        )


def open_items(session: Session, ticket: Ticket) -> list[Item]:
    keys = [items.key_of(kind, ticket.person_id, about=str(ticket.number)) for kind in ALL]
    query = select(Item).where(Item.neighbourhood_id == ticket.neighbourhood_id, Item.key.in_(keys))
    return list(session.scalars(query.where(Item.done_at.is_(None))))


def can_ring(session: Session, ticket: Ticket) -> bool:
    """Whether the line itself may tell them, as the register stands now."""
    return stops_calls(session.get_one(Person, ticket.person_id)) is None


def by_hand(session: Session, ticket: Ticket, booking: Booking, now: datetime, clock: ReplyClock = CLOCK) -> None:
    """The line rings them no more about this booking: a person does."""
    booking.due_at, booking.outcome, booking.outcome_at = None, Heard.BY_HAND, now
    ticket.due_at = clock.due(rows.calendar(session, ticket), now)
    rows.note(session, ticket, Heard.BY_HAND, LINE, now, detail={"round": booking.round})
    show(session, ticket, LINE, now)


# ── by the passing of time ────────────────────────────────────────────────────────────────────────


def overdue(session: Session, now: datetime) -> list[Ticket]:
    """What is overdue and has no item (any more)."""
    query = select(Ticket.id).where(Ticket.due_at <= now, Ticket.status != TicketStatus.CLOSED).order_by(Ticket.id)
    found: list[Ticket] = []
    for row in readable.each(session, Ticket, session.scalars(query).all()):
        with _apart(session, row):
            kind = kind_of(row)
            found += [row] if kind and kind not in {item.kind for item in open_items(session, row)} else []
    return found


def stuck(session: Session, now: datetime) -> list[tuple[Ticket, Booking]]:
    """What the line should have told them by now."""
    query = select(Booking.id, Ticket.id).join(Ticket, Booking.ticket_id == Ticket.id).order_by(Booking.id)
    query = query.where(Ticket.status == TicketStatus.BOOKED, Booking.due_at.is_not(None), Booking.outcome.is_(None))
    of, read = {id_: of_ for id_, of_ in session.execute(query)}, readable.each
    found = [(row, one) for one in read(session, Booking, list(of)) for row in read(session, Ticket, [of[one.id]])]
    return [each for each in found if each[1].due_at and last_moment(each[1].known_by, each[1].due_at) <= now]


def over(session: Session, now: datetime) -> list[Ticket]:
    """Read back, and its time is over."""
    query = select(Ticket.id).where(Ticket.status == TicketStatus.READ_BACK, Ticket.over_at <= now)
    return list(readable.each(session, Ticket, session.scalars(query.order_by(Ticket.id)).all()))


def anything(session: Session, now: datetime) -> bool:
    """Only reads: most of the time there is nothing."""
    return bool(overdue(session, now) or stuck(session, now) or over(session, now))


def keep(session: Session, now: datetime, clock: ReplyClock = CLOCK) -> None:
    """Safe to repeat."""
    for ticket in overdue(session, now):
        with _apart(session, ticket):
            show(session, rows.locked(session, ticket), LINE, now)
    for ticket, booking in stuck(session, now):
        with _apart(session, ticket):
            _stuck(session, rows.locked(session, ticket), booking, now, clock)
    for ticket in over(session, now):
        with _apart(session, ticket):
            ticket = rows.locked(session, ticket)
            if ticket.status == TicketStatus.READ_BACK:
                close(session, ticket, LINE, "over", now)


def _apart(session: Session, ticket: Ticket) -> AbstractContextManager[None]:
    return readable.apart(session, f"ticket {ticket.number} can't be seen to")


def _stuck(session: Session, ticket: Ticket, booking: Booking, now: datetime, clock: ReplyClock) -> None:
    session.refresh(booking)
    if booking.outcome is None and booking.due_at is not None:
        by_hand(session, ticket, booking, now, clock)


def close(session: Session, ticket: Ticket, by: str, reason: str, now: datetime) -> None:
    ticket.status, ticket.closed_by, ticket.closed_at = TicketStatus.CLOSED, by[:100], now
    ticket.close_reason, ticket.due_at, ticket.over_at = reason, None, None
    booking = rows.last_booking(session, ticket)
    if booking is not None:
        booking.due_at = None
    rows.note(session, ticket, "closed", by, now, detail={"reason": reason})
    show(session, ticket, by, now)


def of_interest(session: Session, committee_ids: set[int] | None, *, everything: bool) -> list[Ticket]:
    """What is open, or everything; of these neighbourhoods, or of all (None)."""
    query = select(Ticket.id).order_by(Ticket.number)
    if not everything:
        query = query.where(Ticket.status != TicketStatus.CLOSED)
    found = readable.each(session, Ticket, session.scalars(query).all())
    return [row for row in found if committee_ids is None or row.neighbourhood_id in committee_ids]
