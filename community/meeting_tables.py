"""How people come to meet about a complaint: the times that staff offer, and who is asked for them by telephone. What
is fixed is a row of the meetings (community.tables.Meeting). Columns marked `info=PERSONAL`: as there."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class Ask(StrEnum):
    """What the line has to ask of somebody, or to tell them, about a meeting."""

    CHOOSE = "choose"  # which of the times
    AGREE = "agree"  # whether the time that the other one chose suits them
    TOLD = "told"  # it is fixed: they are to know
    REMIND = "remind"  # on the evening before
    AFTER = "after"  # it is over: what came of it


class MeetingPlan(Base):
    """One offer. `times`: at most four, by their place; `struck`: those that the other party can't; `chosen`: the one
    that waits for the other's yes, or is fixed. `by_hand_at`: the line asks no more, staff arrange it. Open until
    `ended_at`: what came of the meeting is written, or the offer was taken back."""

    __tablename__ = "complaint_meeting_plan"
    __table_args__ = (Index("ix_complaint_meeting_plan_open", "ended_at", "complaint_id"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    place: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    with_whom: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    times: Mapped[list[str]] = mapped_column(JSON)  # ISO, UTC
    struck: Mapped[list[int]] = mapped_column(JSON, default=list)
    chosen: Mapped[int | None] = mapped_column(Integer)
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("complaint_meeting.id"))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    by_hand_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)


class MeetingParty(Base):
    """Who is asked: the one who complains (`nth` 1), and the other party if it is in the register, too (2). `ask`: what
    they are to be asked or told next; the line rings them at `due_at`. `intent_id`: the call that was ordered last,
    until they have said something to it; `calls`: how many brought no word of theirs to this `ask`."""

    __tablename__ = "complaint_meeting_party"
    __table_args__ = (
        UniqueConstraint("plan_id", "nth"),
        Index("ix_complaint_meeting_party_due", "due_at"),
        Index("ix_complaint_meeting_party_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("complaint_meeting_plan.id"))
    nth: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    ask: Mapped[str | None] = mapped_column(String(16))
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    intent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    calls: Mapped[int] = mapped_column(Integer, default=0)
