"""Contacts that buddies log by phone, and what follows from each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class ContactKind(StrEnum):
    VISITED = "visited"  # seen in person
    PHONED = "phoned"
    COULD_NOT_REACH = "could_not_reach"


class Condition(StrEnum):
    FINE = "fine"
    WORRIED = "worried"
    UNKNOWN = "unknown"


class Contact(Base):
    """One for each elder and call: who logs twice in one call means the last."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("intent_id", "elder_id"),
        Index("ix_contact_elder_at", "elder_id", "at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    intent_id: Mapped[str] = mapped_column(String(36))  # the call in which it was logged
    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    buddy_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    condition: Mapped[str] = mapped_column(String(16), info=PERSONAL)
    recording: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)  # what worries them, in their own words
    at: Mapped[datetime] = mapped_column(UtcTime)
