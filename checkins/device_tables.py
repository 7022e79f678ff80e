"""Alarm buttons and smoke detectors, and what they told us. A device signs with a secret of its own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from checkins.tables import PERSONAL, Person
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class Device(Base):
    """One device in one elder's home. `secret` must be readable (it is what both sides sign with): never shown again,
    never logged. A device that was removed stays, so that what it told keeps its place; nothing it sends counts."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    secret: Mapped[str] = mapped_column(String(120), info=PERSONAL)
    testing: Mapped[bool] = mapped_column()  # what it sends is kept, and rings nobody, for an hour from `testing_since`
    testing_since: Mapped[datetime | None] = mapped_column(UtcTime)
    added_by: Mapped[str] = mapped_column(String(100))
    added_at: Mapped[datetime] = mapped_column(UtcTime)
    removed_by: Mapped[str | None] = mapped_column(String(100))
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)

    elder: Mapped[Person] = relationship(lazy="raise")


class DeviceEvent(Base):
    """One verified message, once: its id is unique for its device, however often it is sent; the id of one that began
    its numbers anew is stored with its time behind a "~". `checkin_id`: the case
    that it opened or was added to. Without `applied_at` it is still to be taken in."""

    __tablename__ = "device_event"
    __table_args__ = (
        UniqueConstraint("device_id", "message_id"),
        Index(
            "ix_device_event_open",
            "applied_at",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"))
    message_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    word: Mapped[str | None] = mapped_column(String(40))  # what it called itself, when that is no word of ours
    test: Mapped[bool] = mapped_column()
    sent_at: Mapped[datetime] = mapped_column(UtcTime)  # by the device's clock
    received_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UtcTime)
    checkin_id: Mapped[int | None] = mapped_column(ForeignKey("checkin.id"))


class Telling(Base):
    """Somebody who believes that a case is theirs must hear that it isn't. Open until `done_at`; one open for each case
    and responder, held by the database itself."""

    __tablename__ = "telling"
    __table_args__ = (
        Index(
            "uq_telling_open",
            "checkin_id",
            "responder",
            unique=True,
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index("ix_telling_due", "done_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    checkin_id: Mapped[int] = mapped_column(ForeignKey("checkin.id"), index=True)
    responder: Mapped[str] = mapped_column(String(36))
    since: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(16))  # "heard", "unheard", "needless"
