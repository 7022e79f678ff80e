"""PINs of those who ring in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, UtcTime


class Pin(Base):
    """Never the PIN itself. Four to six digits are few: who has the table can try them all, so the table is as secret
    as the register."""

    __tablename__ = "pin"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    hashed: Mapped[str] = mapped_column(String(200))  # "scrypt:N:r:p:salt:hash", the last two in hexadecimal
    wrong: Mapped[int] = mapped_column(Integer, default=0)  # in a row, over all calls
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    set_by: Mapped[str] = mapped_column(String(100))
    set_at: Mapped[datetime] = mapped_column(UtcTime)
