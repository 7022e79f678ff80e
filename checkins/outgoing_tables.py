"""Where other programs want to be told, and what is still to be told to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")


class Endpoint(Base):
    """An address of another program. `secret` must be readable (both sides sign with it): never shown again, never
    logged. `neighbourhood_id`: of one committee only. While it is paused nothing is sent, and what happens is kept."""

    __tablename__ = "outgoing_endpoint"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(120), info=PERSONAL)
    events: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True))
    neighbourhood_id: Mapped[int | None] = mapped_column(ForeignKey("neighbourhood.id"))
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    paused_by: Mapped[str | None] = mapped_column(String(100))  # a name, or "line"
    paused_at: Mapped[datetime | None] = mapped_column(UtcTime)
    removed_by: Mapped[str | None] = mapped_column(String(100))
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    failing: Mapped[str | None] = mapped_column(String(60))  # what the last try came to; None: it went well


class OutgoingMessage(Base):
    """One thing that happened, for one address: written in the transaction in which it happened. `subject`: the case's
    or the complaint's number. `at`: when it happened, or when it was first looked at. Sent again, under the same
    `message_id`, until it is taken or a day of trying is over."""

    __tablename__ = "outgoing_message"
    __table_args__ = (
        Index(
            "ix_outgoing_message_due",
            "next_at",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
        Index("ix_outgoing_message_at", "at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("outgoing_endpoint.id"), index=True)
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[int] = mapped_column(BigInteger)
    neighbourhood_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime | None] = mapped_column(UtcTime)
    next_at: Mapped[datetime] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    tried_since: Mapped[datetime | None] = mapped_column(UtcTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
