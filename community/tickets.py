"""What callers do with tickets: choose, send, say what they think of a booking.

Every act runs inside one transaction, locks its ticket, and may be repeated: the same again in the same call changes
nothing. Each writes an event.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from community import tickets_rows as rows
from community import tickets_waiting as waiting
from community.tickets_policy import CLOCK, KEPT, ReplyClock
from community.tickets_tables import Booking, Heard, Ticket, TicketKind, TicketStatus, Wants

CHOSEN, SENT, TOLD = "chosen", "sent", "told"
SAID = (Heard.HEARD, Heard.CHANGE, Heard.TALK)
_WANTS = {Heard.CHANGE: Wants.CHANGE, Heard.TALK: Wants.TALK}


def choose(
    session: Session, call_id: str, person_id: str, kind: TicketKind, now: datetime, clock: ReplyClock = CLOCK
) -> Ticket:
    """It is a ticket from now on, whatever becomes of the call. Chosen anew before it was sent: still the same one."""
    ticket = rows.last_of_call(session, call_id, person_id)
    if ticket is None or ticket.status != TicketStatus.INTERRUPTED:
        ticket = rows.new(session, call_id, person_id, now, kind)
        ticket.due_at = clock.due(rows.calendar(session, ticket), now)
    elif ticket.kind == kind:
        return ticket
    ticket.kind = kind
    rows.note(session, ticket, CHOSEN, rows.whose(session, ticket), now, call_id=call_id, detail={"kind": str(kind)})
    return ticket


def send(
    session: Session,
    call_id: str,
    person_id: str,
    now: datetime,
    clock: ReplyClock = CLOCK,
    *,
    wants: Wants = Wants.NEW,
) -> Ticket:
    """Somebody of the committee is asked for it now. The same again, before anything else was chosen, is the same."""
    ticket = rows.last_of_call(session, call_id, person_id)
    if ticket is None:  # the choice could not be written down
        ticket = choose(session, call_id, person_id, TicketKind.OTHER, now, clock)
    if ticket.status != TicketStatus.INTERRUPTED:
        return ticket
    ticket.status, ticket.wants = TicketStatus.WAITING, wants
    ticket.due_at = clock.due(rows.calendar(session, ticket), now)
    who = rows.whose(session, ticket)
    rows.note(session, ticket, SENT, who, now, call_id=call_id, detail={"wants": str(wants)})
    waiting.show(session, ticket, who, now)
    return ticket


def say(
    session: Session,
    ticket: Ticket,
    booking: Booking,
    said: Heard,
    now: datetime,
    clock: ReplyClock = CLOCK,
    *,
    call_id: str | None = None,
) -> bool:
    """They know it, or want it changed, or want to talk: then it is staff's again, with a new clock. False: it is out
    of date by now."""
    ticket = rows.locked(session, ticket)
    session.refresh(booking)
    if said not in SAID or booking.outcome == Heard.REPLACED or ticket.status == TicketStatus.CLOSED:
        return False
    if booking.outcome == said or _said_before(session, ticket, booking, said, call_id):
        return True
    who = rows.whose(session, ticket)
    rows.note(session, ticket, said, who, now, call_id=call_id, detail={"round": booking.round})
    booking.outcome, booking.outcome_at, booking.due_at = said, now, None
    if said is Heard.HEARD:
        read_back(session, ticket, booking, who, now)
    else:
        ticket.status, ticket.wants, ticket.over_at = TicketStatus.WAITING, _WANTS[said], None
        ticket.due_at = clock.due(rows.calendar(session, ticket), now)
        waiting.show(session, ticket, who, now)
    return True


def read_back(session: Session, ticket: Ticket, booking: Booking | None, who: str, now: datetime) -> None:
    """They know it; it closes by itself when its time is over."""
    known_by = booking.known_by if booking is not None else None
    ticket.status, ticket.due_at = TicketStatus.READ_BACK, None
    ticket.over_at = max(known_by, now) if known_by is not None else now + KEPT
    waiting.show(session, ticket, who, now)


def _said_before(session: Session, ticket: Ticket, booking: Booking, said: Heard, call_id: str | None) -> bool:
    """Of this booking, in this call just now."""
    own = [each for each in rows.events(session, ticket) if each.what in SAID and each.call_id == call_id]
    own = [each for each in own if (each.detail or {}).get("round") == booking.round]
    return call_id is not None and bool(own) and own[-1].what == said
