"""The roster's tables. Persons are rows of checkins.tables.Person: buddies, staff and family.

Nothing here names anybody except the street office; who is away when is personal all the same, so rows are read by
the roster's own pages only and never logged.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Json = JSON(none_as_null=True)


class RosterPair(Base):
    """A buddy of an elder. `position` orders the buddies of one elder."""

    __tablename__ = "roster_pair"
    __table_args__ = (UniqueConstraint("elder_id", "buddy_id"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    buddy_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)


class RosterSubstitute(Base):
    """Who is rung when a pair's buddy can't; without a pair: for everybody in the neighbourhood."""

    __tablename__ = "roster_substitute"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("roster_pair.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    position: Mapped[int] = mapped_column(Integer)


class RosterShift(Base):
    """A weekly time of a buddy: weekday 0 is Monday, clock times are minutes of the day."""

    __tablename__ = "roster_shift"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    weekday: Mapped[int] = mapped_column(Integer)
    begins: Mapped[int] = mapped_column(Integer)
    ends: Mapped[int] = mapped_column(Integer)


class RosterLeave(Base):
    __tablename__ = "roster_leave"
    __table_args__ = (
        Index("ix_roster_leave_ahead", "neighbourhood_id", "ends"),
        CheckConstraint("begins < ends", name="rises"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    begins: Mapped[datetime] = mapped_column(UtcTime)
    ends: Mapped[datetime] = mapped_column(UtcTime)


class RosterOverride(Base):
    """Of two that contradict each other, the one with the higher id counts."""

    __tablename__ = "roster_override"
    __table_args__ = (
        Index("ix_roster_override_ahead", "neighbourhood_id", "ends"),
        CheckConstraint("begins < ends", name="rises"),
        CheckConstraint("instead_of IS NOT NULL OR elder_id IS NOT NULL", name="says_for_whom"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    begins: Mapped[datetime] = mapped_column(UtcTime)
    ends: Mapped[datetime] = mapped_column(UtcTime)
    instead_of: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    elder_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))


class RosterDuty(Base):
    """How duty goes round in one neighbourhood, and whom the ladder rings last. `rotation` null: there is none."""

    __tablename__ = "roster_duty"

    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), primary_key=True)
    rotation: Mapped[dict[str, Any] | None] = mapped_column(_Json)  # all of Rotation but its people
    deputy_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    hours: Mapped[list[Any] | None] = mapped_column(_Json)  # working hours; null: the usual ones
    street_name: Mapped[str | None] = mapped_column(String(100))
    street_number: Mapped[str | None] = mapped_column(String(20), info=PERSONAL)


class RosterTurn(Base):
    """Whose turn of duty comes when: positions from 0. Somebody may have more than one."""

    __tablename__ = "roster_turn"

    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))


class RosterFamily(Base):
    """Family of an elder, in the order in which they are rung."""

    __tablename__ = "roster_family"

    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))


class CalendarDay(Base):
    """A day of which the committees say themselves whether it is a working day; wins over every notice."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    working: Mapped[bool] = mapped_column()


class RosterChange(Base):
    """Who changed what of a roster, and when. Only ever added to. `detail` holds ids and times; a change of the
    calendar belongs to no neighbourhood."""

    __tablename__ = "roster_change"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int | None] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(100))
    detail: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict, info=PERSONAL)
