"""Tokens of other programs for the JSON API, and the answers that they got to requests which must not be done twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")


class ApiToken(Base):
    """One program's. Never the token itself, only its SHA-256. `name` is what stands in cases and logs; one that was
    revoked stays, so that what it did keeps its name."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    hashed: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True))
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    used_on: Mapped[date | None] = mapped_column(Date)  # the last day, no more exact
    revoked_by: Mapped[str | None] = mapped_column(String(100))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ApiAnswer(Base):
    """What was done for one Idempotency-Key, written in the transaction that did it; kept for a day. `asked`: a keyed
    hash of method, address and body."""

    __tablename__ = "api_answer"
    __table_args__ = (Index("ix_api_answer_at", "at"),)

    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
    status: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(Text, info=PERSONAL)
