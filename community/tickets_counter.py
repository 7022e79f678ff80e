"""What a flow asks about tickets while somebody is on the line. Every answer is one short transaction; the same
question again in the same call has the same answer. Personal: nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.ports import Clock, Told
from community import counter, spoken, tickets
from community import tickets_calls as calls
from community import tickets_rows as rows
from community.counter import Counter
from community.policy import DEFAULT, Deadlines
from community.tickets_policy import CLOCK, ReplyClock
from community.tickets_tables import Booking, Heard, Ticket, TicketEvent, TicketKind, TicketStatus, Wants
from storage.database import Database

NOBODY = Told("")  # nobody can say
NOTED = Told("noted")
NONE = Told("none")
STATUS = "status.next"
ALL_TOLD = "all_told"  # an event: in this call there was no other


class TicketCounter(Counter):
    """Answers the questions about tickets, and those about complaints. What became of tickets is told first."""

    def __init__(self, db: Database, clock: Clock, deadlines: Deadlines = DEFAULT, within: ReplyClock = CLOCK) -> None:
        super().__init__(db, clock, deadlines)
        self._within = within

    async def ask(self, call_id: str, query: str, person_id: str, value: str = "") -> Told:
        if query not in OWN or not person_id:  # a stranger has no tickets
            return await super().ask(call_id, query, person_id, value) if query in counter.QUERIES else NOBODY
        asked = _Asked(call_id, person_id, self._clock.now(), self._within, spoken.figure(value))
        work = OWN[query]
        told = await self._db.run(lambda session: work(session, asked))
        if query == STATUS and told.word == "none":
            told = await super().ask(call_id, query, person_id, value)
            if told.word in ("none", "meeting"):
                await self._db.run(lambda session: _all_told(session, asked))
        return told


class _Asked:
    """Who asks, in which call, when, and about which number."""

    def __init__(self, call_id: str, person_id: str, now: datetime, within: ReplyClock, number: int | None) -> None:
        self.call_id, self.person_id, self.now, self.within = call_id, person_id, now, within
        self.number = number


Work = Callable[[Session, _Asked], Told]


def _choose(kind: TicketKind) -> Work:
    def noted(session: Session, asked: _Asked) -> Told:
        tickets.choose(session, asked.call_id, asked.person_id, kind, asked.now, asked.within)
        return NOTED

    return noted


def _send(wants: Wants) -> Work:
    def filed(session: Session, asked: _Asked) -> Told:
        ticket = tickets.send(session, asked.call_id, asked.person_id, asked.now, asked.within, wants=wants)
        by = asked.within.spoken(rows.calendar(session, ticket), asked.now)
        return Told("filed", {**_number(ticket), "help_by": by})

    return filed


# ── what became of it ─────────────────────────────────────────────────────────────────────────────


def _next(session: Session, asked: _Asked) -> Told:
    """Newest first, each once in a call until all is told."""
    told = _told_so_far(session, asked)
    query = select(Ticket).where(Ticket.person_id == asked.person_id, Ticket.status != TicketStatus.CLOSED)
    for ticket in session.scalars(query.order_by(Ticket.opened_at.desc(), Ticket.id.desc())):
        booking = rows.last_booking(session, ticket)
        if ticket.id in told or (ticket.status == TicketStatus.READ_BACK and booking is None):
            continue
        known = booking if ticket.status in (TicketStatus.BOOKED, TicketStatus.READ_BACK) else None
        calls.note_told(session, ticket, known, asked.call_id, asked.now)
        return Told("ticket", _number(ticket)) if known is None else Told("booked", {**_number(ticket), **said(known)})
    return NONE


def _told_so_far(session: Session, asked: _Asked) -> set[int]:
    told: set[int] = set()
    for event, ticket in rows.noted(session, asked.call_id, asked.person_id, (tickets.TOLD, ALL_TOLD)):
        told = set() if event.what == ALL_TOLD else told | {ticket.id}
    return told


def _all_told(session: Session, asked: _Asked) -> None:
    found = rows.noted(session, asked.call_id, asked.person_id, (tickets.TOLD, ALL_TOLD))
    if found and found[-1][0].what == tickets.TOLD:
        ticket = found[-1][1]
        rows.note(session, ticket, ALL_TOLD, rows.whose(session, ticket), asked.now, call_id=asked.call_id)


def _booking(session: Session, asked: _Asked) -> Told:
    """In a call that was made for it."""
    found = calls.next_booking(session, asked.call_id, asked.person_id, asked.now)
    return NONE if found is None else Told("booked", {**_number(found[0]), **said(found[1])})


def said(booking: Booking) -> dict[str, str]:
    """As the value of a flow's variable: the words, or a recording's path."""
    return {"booking_audio": booking.recording} if booking.recording else {"booking": booking.text or ""}


def _say(word: Heard) -> Work:
    def noted(session: Session, asked: _Asked) -> Told:
        found = _talked_about(session, asked)
        if found is None:
            return NOBODY
        ticket, booking = found
        done = tickets.say(session, ticket, booking, word, asked.now, asked.within, call_id=asked.call_id)
        return NOTED if done else NOBODY

    return noted


def _unspoken(session: Session, asked: _Asked) -> Told:
    """The line couldn't play what was booked: a person rings."""
    found = _talked_about(session, asked)
    if found is None:
        return NOBODY
    return NOTED if calls.unspoken(session, *found, asked.now, asked.within) else NOBODY


def _talked_about(session: Session, asked: _Asked) -> tuple[Ticket, Booking] | None:
    """Which booking was told in this call: that of the number which the line has spoken, without one the last."""
    told = rows.noted(session, asked.call_id, asked.person_id, (tickets.TOLD,))
    told = [each for each in told if asked.number in (None, each[1].number)]
    return _of_round(session, *told[-1]) if told else None


def _of_round(session: Session, event: TicketEvent, ticket: Ticket) -> tuple[Ticket, Booking] | None:
    round_ = (event.detail or {}).get("round")
    found = next((each for each in rows.bookings(session, ticket) if each.round == round_), None)
    return None if found is None else (ticket, found)


def _number(ticket: Ticket) -> dict[str, str]:
    return {"number": spoken.number(ticket.number)}


OWN: Mapping[str, Work] = {
    **{f"ticket.{kind}": _choose(kind) for kind in TicketKind if kind is not TicketKind.OTHER},
    "ticket.send": _send(Wants.NEW),
    "ticket.ring_back": _send(Wants.RING_BACK),
    STATUS: _next,
    "booking.next": _booking,
    "booking.heard": _say(Heard.HEARD),
    "booking.change": _say(Heard.CHANGE),
    "booking.talk": _say(Heard.TALK),
    "booking.unspoken": _unspoken,
}
QUERIES = frozenset({*OWN, *counter.QUERIES})
