"""The calls in which a booking is read back, until they have said that they know. The cycle makes them, and keeps to
the hours of calls (checkins.other_calls); one call carries all the bookings that wait for a person.

    Booking.due_at   when the next call is due; while one is out: when to ask again should nobody tell its end
    CALLING, CALLED  events of the ticket, with the call: it was ordered, and what it came to for this booking

A call in which nobody said anything to it is made again a quarter of an hour later, then three quarters; after three,
and shortly before they must know, a person rings. A line that failed says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import people
from checkins.line_rules import Purpose
from checkins.other_calls import Barred, Ended, Later, Lines
from checkins.ports import TALKED, CallRequest, PersonOutcome
from checkins.results import LINE
from checkins.tables import Person
from community import readable, tickets
from community import tickets_rows as rows
from community import tickets_waiting as waiting
from community.reply_calls import AFTER_LINE_ERROR, LINE_FAILED, NEVER_SO_FAR, wrong_number
from community.tickets_policy import AGAIN, CALLS, CLOCK, ReplyClock, again_after, last_moment
from community.tickets_tables import Booking, Heard, Ticket, TicketEvent, TicketStatus

FLOW = "booking"
CALLING, CALLED = "calling", "called"
MOST = 3  # bookings in one call; the flow asks no oftener for the next one
BATCH = 50


class BookingCalls:
    """Satisfies checkins.other_calls.Errands."""

    purpose = Purpose.BOOKING

    def __init__(self, within: ReplyClock = CLOCK) -> None:
        self._within, self._again = within, readable.Again()

    def claim(self, session: Session, now: datetime, lines: Lines) -> Sequence[CallRequest]:
        """One call for each person who waits for a booking, while lines are free. What goes wrong with one of them
        keeps nobody else waiting."""
        requests: list[CallRequest] = []
        for person_id in _waiting(session, now, self._again.left_out(now)):
            request = None
            with self._again.apart(session, person_id, now, "bookings that wait for somebody can't be rung out"):
                found = _bookings(session, person_id)
                request = self._ring(session, person_id, found, now, lines) if found else None
            requests += [request] if request is not None else []
            if lines.free <= 0:
                break
        return requests

    def _ring(
        self, session: Session, person_id: str, found: Sequence[tuple[Ticket, Booking]], now: datetime, lines: Lines
    ) -> CallRequest | None:
        try_no = max(booking.calls for _, booking in found) + 1
        match lines.ring(session.get_one(Person, person_id), Purpose.BOOKING, FLOW, try_no=try_no):
            case Barred():
                self._by_hand(session, found, now)
            case Later(until):
                self._later(session, found, until, now)
            case CallRequest() as request:
                for ticket, booking in found:
                    booking.intent_id, booking.due_at = request.id, now + AGAIN[-1]
                    detail = {"round": booking.round}
                    rows.note(session, ticket, CALLING, LINE, now, call_id=request.id, detail=detail)
                return request
        return None

    def _by_hand(self, session: Session, found: Iterable[tuple[Ticket, Booking]], now: datetime) -> None:
        for ticket, booking in found:
            if booking.outcome is None and ticket.status == TicketStatus.BOOKED:
                waiting.by_hand(session, ticket, booking, now, self._within)

    def _later(self, session: Session, found: Iterable[tuple[Ticket, Booking]], until: datetime, now: datetime) -> None:
        """Too late for those who must know before that: a person rings."""
        for ticket, booking in found:
            if booking.known_by is not None and until >= last_moment(booking.known_by, until):
                self._by_hand(session, [(ticket, booking)], now)
            elif until > now:
                booking.due_at = until

    def ended(self, session: Session, end: Ended, now: datetime) -> None:
        """What the call came to for each booking. What was said in it is written down already, unless that failed: then
        the call's own word counts, where it can mean one booking only."""
        person = next(iter(end.people), None)
        if person is not None:
            wrong_number(session, person, end, now)
        carried = _carried(session, end.call_id)
        heard = [booking for ticket, booking in carried if _was(session, ticket, booking, end.call_id, tickets.TOLD)]
        for ticket, booking in carried:
            word = _word(person) if [booking] == heard and end.disposition in TALKED else None
            self._ended(session, ticket, booking, end, word, now)
        if person is not None and _barred(session, person):
            self._by_hand(session, carried, now)

    def _ended(
        self, session: Session, ticket: Ticket, booking: Booking, end: Ended, word: Heard | None, now: datetime
    ) -> None:
        known = _was(session, ticket, booking, end.call_id, CALLED)
        if booking.outcome not in (None, Heard.BY_HAND) or (known and word is None):
            return
        detail = {"round": booking.round, "disposition": end.disposition}
        rows.note(session, ticket, CALLED, LINE, now, call_id=end.call_id, detail=detail)
        if word is not None:
            tickets.say(session, ticket, booking, word, now, self._within, call_id=end.call_id)
        elif booking.outcome is None and end.disposition in LINE_FAILED:
            self._later(session, [(ticket, booking)], now + AFTER_LINE_ERROR, now)
        elif booking.outcome is None:
            booking.calls += 1
            if booking.calls >= CALLS:
                self._by_hand(session, [(ticket, booking)], now)
            else:
                self._later(session, [(ticket, booking)], now + again_after(booking.calls), now)


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────


def _waiting(session: Session, now: datetime, left_out: Sequence[str]) -> list[str]:
    """Who waits for a booking that is due; who must know it first, first."""
    query = select(Ticket.person_id).join(Booking, Booking.ticket_id == Ticket.id)
    due = (Booking.due_at <= now) | (Booking.due_at > now + NEVER_SO_FAR)
    query = query.where(due, Booking.outcome.is_(None), Ticket.status == TicketStatus.BOOKED)
    query = query.where(Ticket.person_id.not_in(left_out))
    query = query.order_by(Booking.known_by.is_(None), Booking.known_by, Booking.due_at, Booking.id)
    return list(dict.fromkeys(session.scalars(query.limit(BATCH))))


def _bookings(session: Session, person_id: str) -> list[tuple[Ticket, Booking]]:
    """All that wait for this person, but for tickets that somebody has locked."""
    free = select(Ticket).where(Ticket.person_id == person_id, Ticket.status == TicketStatus.BOOKED)
    free = free.order_by(Ticket.id).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    mine = {row.id: row for row in session.scalars(free)}
    query = select(Booking).where(Booking.ticket_id.in_(mine), Booking.due_at.is_not(None), Booking.outcome.is_(None))
    query = query.order_by(Booking.at, Booking.id).execution_options(populate_existing=True)
    return [(mine[booking.ticket_id], booking) for booking in session.scalars(query)][:MOST]


# ── in the call ───────────────────────────────────────────────────────────────────────────────────


def next_booking(session: Session, call_id: str, person_id: str, now: datetime) -> tuple[Ticket, Booking] | None:
    """What is told next in this call: the same until something was said to it."""
    for ticket, booking in _carried(session, call_id):
        if booking.outcome is None and ticket.person_id == person_id and ticket.status == TicketStatus.BOOKED:
            if not _was(session, ticket, booking, call_id, tickets.TOLD):
                note_told(session, ticket, booking, call_id, now)
            return ticket, booking
    return None


def note_told(session: Session, ticket: Ticket, booking: Booking | None, call_id: str, now: datetime) -> None:
    detail = {"round": booking.round} if booking is not None else None
    rows.note(session, ticket, tickets.TOLD, rows.whose(session, ticket), now, call_id=call_id, detail=detail)


def unspoken(session: Session, ticket: Ticket, booking: Booking, now: datetime, within: ReplyClock) -> bool:
    """This booking can't be played to them, or not spoken: a person rings. False: it is out of date by now."""
    ticket = rows.locked(session, ticket)
    session.refresh(booking)
    if ticket.status != TicketStatus.BOOKED or booking.outcome not in (None, Heard.BY_HAND):
        return False
    if booking.outcome is None:
        waiting.by_hand(session, ticket, booking, now, within)
    return True


# ── its end ───────────────────────────────────────────────────────────────────────────────────────


def _carried(session: Session, call_id: str) -> list[tuple[Ticket, Booking]]:
    """The bookings that this call was made for, their tickets locked, whatever has become of them since."""
    found: list[tuple[Ticket, Booking]] = []
    for ticket in _called_for(session, call_id):
        ticket = rows.locked(session, ticket)
        for booking in rows.bookings(session, ticket):
            session.refresh(booking)
            if _was(session, ticket, booking, call_id, CALLING):
                found.append((ticket, booking))
    return found


def _called_for(session: Session, call_id: str) -> list[Ticket]:
    query = select(Ticket).join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
    query = query.where(TicketEvent.call_id == call_id, TicketEvent.what == CALLING).order_by(Ticket.id)
    return list(dict.fromkeys(session.scalars(query)))


def _was(session: Session, ticket: Ticket, booking: Booking, call_id: str, what: str) -> bool:
    return any(
        each.what == what and each.call_id == call_id and (each.detail or {}).get("round") == booking.round
        for each in rows.events(session, ticket)
    )


def _word(person: PersonOutcome | None) -> Heard | None:
    """By key, or by speech that the ear was certain of; a wish for a person counts either way."""
    if person is None or person.result not in tickets.SAID:
        return None
    word = Heard(person.result)
    return word if person.clear or word is not Heard.HEARD else None


def _barred(session: Session, person: PersonOutcome) -> bool:
    whom = session.get(Person, person.id)
    return whom is not None and people.stops_calls(whom) is not None
