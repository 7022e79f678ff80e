"""Accounts of staff, who is logged in, and what was done to accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")


class Account(Base):
    """One person's. `name` is what stands in cases and logs; "" until the owner of the first account has given it."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    role: Mapped[str] = mapped_column(String(16))
    hashed: Mapped[str] = mapped_column(String(200))  # argon2id, with its parameters
    one_time_until: Mapped[datetime | None] = mapped_column(UtcTime)  # must be changed; void from then on
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class AccountSession(Base):
    """Somebody is logged in. Never the cookie itself: whoever reads the table can't use it."""

    __tablename__ = "account_session"
    __table_args__ = (Index("ix_account_session_ends_at", "ends_at"),)

    hashed: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the cookie
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)  # when somebody last did something
    ends_at: Mapped[datetime] = mapped_column(UtcTime)  # at the latest


class AccountEvent(Base):
    """What was done to an account, and who logged in. Only ever added to."""

    __tablename__ = "account_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str | None] = mapped_column(String(32))
