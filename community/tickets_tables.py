"""Tables of 一键通: what somebody asks for by key 5 (a taxi, a doctor's hour, a repair, advice), and what was booked.

Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from community.tables import Dictated, Happened, Numbered
from storage.database import Base, UtcTime

# Their own series: a number says which list it stands on (complaints begin with 1001), and begins with the key.
FIRST_TICKET = 5001
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class TicketKind(StrEnum):
    TAXI = "taxi"
    HOSPITAL = "hospital"  # registration
    REPAIR = "repair"
    ADVICE = "advice"
    OTHER = "other"  # what they chose could not be written down


class TicketStatus(StrEnum):
    """docs/tickets.md has the picture."""

    INTERRUPTED = "interrupted"  # chosen, never sent: while the call goes on, or because it dropped
    WAITING = "waiting"  # for somebody of the committee
    TAKEN = "taken"
    BOOKED = "booked"  # they have not said yet that they know
    READ_BACK = "read_back"
    CLOSED = "closed"


class Wants(StrEnum):
    """Why a ticket waits."""

    NEW = "new"
    RING_BACK = "ring_back"  # nothing is recorded: a person asks what they want
    CHANGE = "change"  # of what was booked
    TALK = "talk"


class Heard(StrEnum):
    """What they said to a booking, or what became of it."""

    HEARD = "heard"
    CHANGE = "change"
    TALK = "talk"
    BY_HAND = "by_hand"  # the line doesn't ring them any more: a person does
    TOLD = "told"  # by a person
    REPLACED = "replaced"  # by a later one


class Ticket(Numbered, Base):
    """One thing that is asked for. (`call_id`, `nth`) asks once. `due_at`: by then somebody of the committee does what
    comes next; None: nobody is waited for but the line. `over_at`: a read-back one closes by itself."""

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("call_id", "nth"),
        Index("ix_ticket_open", "status", "due_at"),
        Index("ix_ticket_person", "person_id", "opened_at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    status: Mapped[str] = mapped_column(String(16), default=TicketStatus.INTERRUPTED)
    wants: Mapped[str] = mapped_column(String(16), default=Wants.NEW)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    owner: Mapped[str | None] = mapped_column(String(100))  # who of the staff sees to it
    taken_at: Mapped[datetime | None] = mapped_column(UtcTime)
    over_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_by: Mapped[str | None] = mapped_column(String(100))
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    close_reason: Mapped[str | None] = mapped_column(String(32))


class TicketDictation(Dictated, Base):
    """What was said for it."""

    __tablename__ = "ticket_dictation"
    __table_args__ = (UniqueConstraint("ticket_id", "call_id", "name"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))


class TicketEvent(Happened, Base):
    """What happened to a ticket, when, by whom. Only ever added to. `who`: a name, or "line"."""

    __tablename__ = "ticket_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)


class Booking(Base):
    """What was booked, as text or as a recording's path, in rounds from 1. The line rings them with it while `due_at`
    is set: `intent_id` is the call that was ordered last, `calls` how many reached nobody. `known_by`: by then they
    must know (None: any day does)."""

    __tablename__ = "ticket_booking"
    __table_args__ = (UniqueConstraint("ticket_id", "round"), Index("ix_ticket_booking_due", "due_at"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    round: Mapped[int] = mapped_column(Integer)
    text: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    recording: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)
    known_by: Mapped[datetime | None] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    intent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    calls: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str | None] = mapped_column(String(16), info=PERSONAL)
    outcome_at: Mapped[datetime | None] = mapped_column(UtcTime)
