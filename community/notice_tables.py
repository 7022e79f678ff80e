"""Tables of 公告: what the committee lets its elders know, and who has heard it.

Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from community.tables import Happened
from storage.database import Base, UtcTime

# Their own series: a number says which list it stands on (complaints 1001, tickets 5001), and begins with the key.
FIRST_NOTICE = 4001
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class Topic(StrEnum):
    """NOTICE goes to people, and who has not heard it is known; all others stand on the board for who asks."""

    NOTICE = "notice"
    HOURS = "hours"  # when what is open
    SERVICES = "services"  # who comes, what is done for elders
    NEWS = "news"  # of the street


class Notice(Base):
    """In words, for voice and paper; `recording`: the same, spoken by staff. `buildings`, `language`: whom it is for
    (none: everybody). It holds from `valid_from` until `valid_until`. `urgent`: elders are rung with it, by the word of
    `urgent_by`."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_valid", "neighbourhood_id", "valid_until"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    topic: Mapped[str] = mapped_column(String(16), default=Topic.NOTICE)
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    urgent_by: Mapped[str | None] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    recording: Mapped[str | None] = mapped_column(String(200))
    buildings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    language: Mapped[str | None] = mapped_column(String(16))
    valid_from: Mapped[datetime] = mapped_column(UtcTime)
    valid_until: Mapped[datetime] = mapped_column(UtcTime)
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))  # whose answer it is
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)
    withdrawn_by: Mapped[str | None] = mapped_column(String(100))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)

    @property
    def number(self) -> int:
        """What staff type."""
        return FIRST_NOTICE + self.id - 1


class Hearer(Base):
    """One elder whom a notice is for. Three things stay apart: it was played to the end (`heard_at`); they pressed that
    they have understood it, or a person told them (`understood_at`, `by`); no call was made or answered.

    `due_at`: when they are rung about an urgent one; None: nobody rings. `calls`: how many reached nobody;
    `given_up_at`: no call is made any more, somebody goes there. `call_id`, `nth`: the last call that said it, or was
    to say it."""

    __tablename__ = "notice_hearer"
    __table_args__ = (
        UniqueConstraint("notice_id", "person_id"),
        Index("ix_notice_hearer_due", "due_at"),
        Index("ix_notice_hearer_person", "person_id"),
        Index(  # whom a notice has not reached, and to whom of them somebody must go
            "ix_notice_hearer_open",
            "notice_id",
            "given_up_at",
            sqlite_where=text("understood_at IS NULL"),
            postgresql_where=text("understood_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    intent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    calls: Mapped[int] = mapped_column(Integer, default=0)
    given_up_at: Mapped[datetime | None] = mapped_column(UtcTime)
    call_id: Mapped[str | None] = mapped_column(String(36), index=True)
    nth: Mapped[int] = mapped_column(Integer, default=0)
    heard_at: Mapped[datetime | None] = mapped_column(UtcTime, info=PERSONAL)
    understood_at: Mapped[datetime | None] = mapped_column(UtcTime, info=PERSONAL)
    by: Mapped[str | None] = mapped_column(String(100))  # who told them; the elder's own name: by key


class NoticeEvent(Happened, Base):
    """What staff have done about a notice. Only ever added to."""

    __tablename__ = "notice_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
