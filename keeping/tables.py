"""What is deleted and was deleted: no personal data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")


class KeepRun(Base):
    """One deletion of all that was due at `began_at`, written before anything goes; `ended_at`: all of it went. Whoever
    holds the lease works on it; one that ran out is taken up again with the same `began_at`. `by`: a name,
    or "line"."""

    __tablename__ = "keep_run"
    __table_args__ = (Index("ix_keep_run_began_at", "began_at"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(String(100))
    lease_until: Mapped[datetime] = mapped_column(UtcTime)
    rows: Mapped[int] = mapped_column(Integer, default=0)
    files: Mapped[int] = mapped_column(Integer, default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
