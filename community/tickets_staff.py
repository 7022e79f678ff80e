"""What the committee does with tickets. Every act needs a name, runs inside one transaction and writes an event; what
can't be done says why (ValueError, LookupError: one plain sentence)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from checkins.names import named, says_something
from checkins.tables import GONE, Person
from community import tickets
from community import tickets_rows as rows
from community import tickets_waiting as waiting
from community.spoken import bounded
from community.tickets_policy import BOOKED_WITHIN, CLOCK, FOLLOWS, ReplyClock
from community.tickets_tables import Booking, Heard, Ticket, TicketStatus
from community.wrong import Wrong

LISTENED, TAKEN, BOOKED, CANNOT = "listened", "taken", "booked", "cannot"


def hear(session: Session, number: int, by: str, now: datetime) -> Ticket:
    """`by` listens to what was said. It is still nobody's: `take` says who sees to it."""
    ticket = rows.by_number(session, number)
    rows.note(session, ticket, LISTENED, named(by), now)
    return ticket


def take(session: Session, number: int, by: str, now: datetime) -> Ticket:
    """`by` sees to it from now on, and has an hour of work for it."""
    ticket, by = _open(session, number, TicketStatus.TAKEN), named(by)
    if ticket.status == TicketStatus.TAKEN and ticket.owner == by[:100]:
        return ticket
    _replace(session, ticket, now)
    _taken(session, ticket, by, now)
    ticket.due_at = ReplyClock(BOOKED_WITHIN).due(rows.calendar(session, ticket), now)
    waiting.show(session, ticket, by, now)
    return ticket


def book(
    session: Session,
    number: int,
    by: str,
    now: datetime,
    text: str | None = None,
    recording: str | None = None,
    known_by: datetime | None = None,
    clock: ReplyClock = CLOCK,
) -> Booking:
    """What was booked; the line rings them with it, or a person whom it can't ring. What was booked before counts no
    more. The same again is the same."""
    ticket, by = _open(session, number, TicketStatus.BOOKED), named(by)
    if not recording and not says_something(text or ""):
        raise Wrong("请写上约好了什么，或者录下来", "say what was booked, as text or as a recording")
    bounded(text or "")
    if known_by is not None and known_by <= now:
        raise Wrong("这个时间已经过了", "--before: that moment is over")
    last = rows.last_booking(session, ticket)
    if last and last.outcome is None and (last.text, last.recording, last.known_by) == (text, recording, known_by):
        return last
    _replace(session, ticket, now)
    if ticket.taken_at is None:
        _taken(session, ticket, by, now)
    row = Booking(ticket_id=ticket.id, round=(last.round if last else 0) + 1, text=text, recording=recording)
    row.known_by, row.by, row.at, row.due_at, row.calls = known_by, by[:100], now, now, 0
    session.add(row)
    ticket.status, ticket.due_at, ticket.over_at = TicketStatus.BOOKED, None, None
    ticket.owner = ticket.owner or by[:100]
    rows.note(session, ticket, BOOKED, by, now, detail={"round": row.round})
    waiting.show(session, ticket, by, now)
    if not waiting.can_ring(session, ticket):
        waiting.by_hand(session, ticket, row, now, clock)
    return row


def told(session: Session, number: int, words: str, by: str, now: datetime) -> Ticket:
    """`by` has told them, and writes down what; also where nothing had to be booked."""
    ticket, by = _open(session, number, TicketStatus.READ_BACK), named(by)
    if not says_something(words):
        raise Wrong("请写上您告诉了什么", "write down what you told them")
    booking = rows.last_booking(session, ticket)
    if booking is not None:
        booking.due_at, booking.outcome, booking.outcome_at = None, Heard.TOLD, now
    ticket.owner = ticket.owner or by[:100]
    rows.note(session, ticket, Heard.TOLD + "_by", by, now, detail={"words": words})
    tickets.read_back(session, ticket, booking, by, now)
    return ticket


def cannot(session: Session, number: int, words: str, by: str, now: datetime) -> Ticket:
    """It can't be done, and `by` has told them so, in these words: a no is said by a person."""
    ticket, by = _open(session, number, TicketStatus.CLOSED), named(by)
    if not says_something(words):
        raise Wrong("请先打电话告诉本人，再写上怎么说的", "ring them, and write down what you told them")
    rows.note(session, ticket, CANNOT, by, now, detail={"words": words})
    waiting.close(session, ticket, by, CANNOT, now)
    return ticket


def close(session: Session, number: int, by: str, now: datetime) -> Ticket:
    """Of what they know; or when they have moved or died. The same again changes nothing."""
    ticket, by = rows.by_number(session, number), named(by)
    if ticket.status == TicketStatus.CLOSED:
        return ticket
    if session.get_one(Person, ticket.person_id).state in GONE:
        waiting.close(session, ticket, by, "gone", now)
    elif ticket.status == TicketStatus.READ_BACK:
        waiting.close(session, ticket, by, "done", now)
    else:
        raise Wrong(
            "本人还不知道办得怎样：先写上约好了什么、告诉了什么，或者办不了",
            "they don't know yet what came of it: `tickets book`, `tickets told` or `tickets cannot`",
        )
    return ticket


def _taken(session: Session, ticket: Ticket, by: str, now: datetime) -> None:
    ticket.status, ticket.owner, ticket.taken_at = TicketStatus.TAKEN, by[:100], ticket.taken_at or now
    rows.note(session, ticket, TAKEN, by, now)


def _replace(session: Session, ticket: Ticket, now: datetime) -> None:
    """What was booked counts no more."""
    last = rows.last_booking(session, ticket)
    if last is not None and last.outcome in (None, Heard.BY_HAND, Heard.HEARD, Heard.TOLD):
        last.outcome, last.outcome_at, last.due_at = Heard.REPLACED, now, None


def _open(session: Session, number: int, becomes: TicketStatus) -> Ticket:
    ticket = rows.by_number(session, number)
    if becomes not in FOLLOWS[ticket.status]:
        raise Wrong(
            f"{number}号已经结案，要再办请本人打电话来", f"{number} is closed; they ask for it again by ringing in"
        )
    return ticket
