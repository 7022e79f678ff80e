"""The community room's tables: what neighbours complain of, what was said about it, and what the committee answered.

Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time. Nothing that was spoken is published.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

FIRST_NUMBER = 1001  # four digits from the beginning: they are read out one by one
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Json = JSON(none_as_null=True)


class Status(StrEnum):
    """Of a complaint. docs/complaints.md has the picture."""

    INTERRUPTED = (
        "interrupted"  # dictated and never sent: the line dropped, or nobody pressed a key; a person follows up
    )
    SENT = "sent"  # nobody of the committee has listened yet
    HEARD = "heard"
    ANSWERED = "answered"  # the elder has not said yet whether that solves it
    REOPENED = "reopened"  # not solved, or the elder wants to talk: another answer is due
    CLOSED = "closed"


class Wish(StrEnum):
    """Whether the neighbours may know of the matter; staff write it anew, without names."""

    PUBLIC = "public"
    PRIVATE = "private"
    UNKNOWN = "unknown"  # counts as private


class Outcome(StrEnum):
    """What the elder said to a reply, or that nobody could be reached."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    TALK = "talk"
    UNREACHED = "unreached"  # policy.REPLY_CALLS calls reached nobody: a person goes there
    UNCLEAR = "unclear"  # after as many, in one of which they were on the line: a person asks them
    REPLACED = "replaced"  # by a later reply, before anybody had been reached


class Dictated:
    """Columns of one thing that was spoken in a call. The recording is the record, the transcript stands beside it."""

    call_id: Mapped[str] = mapped_column(String(36), index=True)
    name: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcTime)
    recording: Mapped[str] = mapped_column(String(200), default="", info=PERSONAL)
    transcript: Mapped[str] = mapped_column(Text, default="", info=PERSONAL)
    engine: Mapped[str] = mapped_column(String(32), default="")
    confidence: Mapped[float | None] = mapped_column(Float)
    seconds: Mapped[float | None] = mapped_column(Float)


class Happened:
    """Columns of one line of a log that is only ever added to: what, when, by whom, in which call. `who`: a name, or
    "line"."""

    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(100))
    call_id: Mapped[str | None] = mapped_column(String(36), index=True)
    detail: Mapped[dict[str, Any] | None] = mapped_column(_Json, info=PERSONAL)


class Numbered:
    """Columns of what has a number for callers and staff. (`call_id`, `nth`) is written once."""

    number: Mapped[int] = mapped_column(Integer, unique=True)
    call_id: Mapped[str] = mapped_column(String(36))
    nth: Mapped[int] = mapped_column(Integer, default=1)


class Complaint(Numbered, Base):
    """One matter. `number` is what the caller hears and staff type. A stranger has no `person_id`. What was dictated
    in one call makes one complaint: (`call_id`, `nth`) files once. `level_above`: the street office should know."""

    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("call_id", "nth"),
        Index("ix_complaint_open", "status", "neighbourhood_id"),
        Index("ix_complaint_person", "person_id", "opened_at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    caller_number: Mapped[str | None] = mapped_column(String(20), info=PERSONAL)  # E.164, of a stranger
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    status: Mapped[str] = mapped_column(String(16), default=Status.SENT)
    wish: Mapped[str] = mapped_column(String(16), default=Wish.UNKNOWN)
    category: Mapped[str | None] = mapped_column(String(32))  # of words.tsv; suggested until `sorted_by` is set
    place: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)  # where it is; likewise
    sorted_by: Mapped[str | None] = mapped_column(String(100))  # who has set category or place
    owner: Mapped[str | None] = mapped_column(String(100))  # who of the staff sees to it
    heard_due: Mapped[datetime | None] = mapped_column(UtcTime)  # by then somebody listens; None: all of it is heard
    heard_at: Mapped[datetime | None] = mapped_column(UtcTime)
    heard_by: Mapped[str | None] = mapped_column(String(100))
    answer_due: Mapped[datetime | None] = mapped_column(UtcTime)  # None: answered
    rounds: Mapped[int] = mapped_column(Integer, default=0)  # answers that didn't solve it
    level_above: Mapped[bool] = mapped_column(Boolean, default=False)
    text: Mapped[str | None] = mapped_column(Text, info=PERSONAL)  # for the 议事厅, written by staff, without names
    text_by: Mapped[str | None] = mapped_column(String(100))
    closed_by: Mapped[str | None] = mapped_column(String(100))
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    close_reason: Mapped[str | None] = mapped_column(String(32))


class Dictation(Dictated, Base):
    """One thing that was spoken: the complaint, an addition, who a stranger is. The recording is the record,
    the transcript stands beside it. `name` is the flow's ("complaint", "redone", "complaint-2", …)."""

    __tablename__ = "complaint_dictation"
    __table_args__ = (UniqueConstraint("complaint_id", "call_id", "name"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))


class ComplaintEvent(Happened, Base):
    """What happened to a complaint, when, by whom. Only ever added to. `who`: a name, or "line" for what callers say
    by telephone and for what the line does by itself; never "line" for an act of staff."""

    __tablename__ = "complaint_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)


class Reply(Base):
    """The committee's answer of one round (from 1), as text or as a recording's path. The reply call works on it while
    `due_at` is set: `intent_id` is the call that was ordered last, `calls` how many reached nobody."""

    __tablename__ = "complaint_reply"
    __table_args__ = (UniqueConstraint("complaint_id", "round"), Index("ix_complaint_reply_due", "due_at"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    round: Mapped[int] = mapped_column(Integer)
    text: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    recording: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)  # None: nobody is to be rung about it any more
    intent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    calls: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str | None] = mapped_column(String(16), info=PERSONAL)
    outcome_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Meeting(Base):
    """People meet about it, face to face (漏水, 邻里纠纷)."""

    __tablename__ = "complaint_meeting"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    place: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    with_whom: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    booked_by: Mapped[str] = mapped_column(String(100))
    booked_at: Mapped[datetime] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    noted_by: Mapped[str | None] = mapped_column(String(100))
    noted_at: Mapped[datetime | None] = mapped_column(UtcTime)
