"""Alarms of the line itself: what is wrong with the machine, the trunk or the roster, not with an elder.

An alarm is a row before anybody hears of it. It is open until its condition is over, and told again and again until a
named person has acknowledged it (alarm_rounds.py says when, alarm_bell.py tells). What comes back after it was over is
a new alarm. Sentences name nobody and hold no number: they go into mails, webhooks and the log.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from checkins.names import named
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
MAX_NAME = 100


class Kind(StrEnum):
    """What an alarm is about. `subject` of an alarm tells several of one kind apart: a neighbourhood's id, mostly."""

    LINE_DOWN = "line_down"  # several numbers in a row met a line error
    CLOCK_BEHIND = "clock_behind"  # rows are newer than the clock: no calls are started
    LATE = "late"  # elders without a next action
    NOBODY_TO_RING = "nobody_to_ring"  # cases need a person, and the roster has none
    EMERGENCY_UNWRITTEN = "emergency_unwritten"  # a call for help that the database didn't take
    CRIED = "cried"  # a call for help that is about no elder's case: a buddy's own
    WEBHOOKS_SILENT = "webhooks_silent"  # calls end at the carrier, and it never tells us
    DISK = "disk"
    DATABASE = "database"
    POLICY = "policy"  # one that came in past the register's check, and counts for nothing
    DEVICE_EVENT = "device_event"  # a message of an alarm button that could not be made a case
    ITEM_OVERDUE = "item_overdue"  # what staff were to see to, and nobody has for an hour at work; told by kind of item
    TICKET_OVERDUE = "ticket_overdue"  # what was asked for by one key, and nobody has taken in time; told one by one
    ROSTER_GAP = "roster_gap"  # ahead: said in the evening, once
    TEST = "test"  # an exercise


KIND_ZH = {
    Kind.LINE_DOWN: "电话线路中断",
    Kind.CLOCK_BEHIND: "机器时钟不对",
    Kind.LATE: "有老人没有下一步安排",
    Kind.NOBODY_TO_RING: "没有人可以通知",
    Kind.EMERGENCY_UNWRITTEN: "有人呼救，没能记下来",
    Kind.CRIED: "有人在电话里呼救",
    Kind.WEBHOOKS_SILENT: "线路公司的消息到不了",
    Kind.DISK: "磁盘快满了",
    Kind.DATABASE: "数据库用不了",
    Kind.POLICY: "规则写错了",
    Kind.DEVICE_EVENT: "报警设备的消息没能处理",
    Kind.ITEM_OVERDUE: "待办没有人办",
    Kind.TICKET_OVERDUE: "一键通没有人接手",
    Kind.ROSTER_GAP: "值班表有空缺",
    Kind.TEST: "演练",
}
# Nobody can see that these hold no longer: they are over when somebody knows of them.
UNWATCHED = frozenset({Kind.EMERGENCY_UNWRITTEN, Kind.CRIED, Kind.ROSTER_GAP, Kind.TEST})


class Alarm(Base):
    """One alarm. Only one of a kind and subject is open (not over) at a time, held by the database itself."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "uq_alarm_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
        Index("ix_alarm_shown", "over_at", "acknowledged_at"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64), default="")
    text: Mapped[str] = mapped_column(Text)  # a Chinese sentence, without names or numbers of people
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)  # the last time the condition was seen to hold
    next_at: Mapped[datetime | None] = mapped_column(UtcTime)  # when it is told (again); None: not any more
    rounds: Mapped[int] = mapped_column(Integer, default=0)  # how often it was told
    acknowledged_by: Mapped[str | None] = mapped_column(String(100))
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcTime)
    over_at: Mapped[datetime | None] = mapped_column(UtcTime)

    @property
    def kind_zh(self) -> str:
        return KIND_ZH[Kind(self.kind)]


class AlarmWay(Base):
    """How far one way of telling (mail, webhook, call) has come with an alarm: what is to be said (`what`, of which
    round) and when it is tried (again). `next_at` null: it was said, or need not be."""

    __tablename__ = "alarm_way"
    __table_args__ = (Index("ix_alarm_way_due", "next_at"),)

    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarm.id"), primary_key=True)
    way: Mapped[str] = mapped_column(String(16), primary_key=True)
    what: Mapped[str] = mapped_column(String(16))
    round: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime | None] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    said_at: Mapped[datetime | None] = mapped_column(UtcTime)  # the last time it succeeded
    rung: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True), default=list)  # ids of whom this round rang


def raise_alarm(session: Session, kind: str, text: str, now: datetime, subject: str = "") -> Alarm:
    """The open alarm of this kind and subject, made when there is none; told from now on. While it is open only its
    sentence and `seen_at` change."""
    alarm = _open(session, kind, subject)
    if alarm is None:
        alarm = Alarm(kind=Kind(kind), subject=subject, text=text, raised_at=now, seen_at=now, next_at=now)
        session.add(alarm)
        session.flush()
    alarm.text, alarm.seen_at = text, now
    return alarm


def over(session: Session, kind: str, now: datetime, subject: str = "") -> None:
    """The condition holds no longer, and whoever heard of it hears that; nothing happens when no such alarm is open."""
    alarm = _open(session, kind, subject)
    if alarm is not None:
        alarm.over_at = alarm.next_at = now


def open_alarms(session: Session) -> list[Alarm]:
    """What people must see, the oldest first: alarms whose condition holds, and those that nobody acknowledged yet
    though they are over (the newest of each kind and subject)."""
    shown = or_(Alarm.over_at.is_(None), Alarm.acknowledged_at.is_(None))
    newest = {
        (alarm.kind, alarm.subject): alarm for alarm in session.scalars(select(Alarm).where(shown).order_by(Alarm.id))
    }
    return sorted(newest.values(), key=lambda alarm: (alarm.raised_at, alarm.id))


def acknowledge(session: Session, alarm_id: int, by: str, now: datetime) -> bool:
    """A named person knows of it: it is not told any more, nor are earlier ones of its kind and subject. False: there
    is no such alarm, or somebody was faster. ValueError without a name."""
    name = named(by)
    if len(name) > MAX_NAME:
        raise ValueError(f"a named person, in at most {MAX_NAME} letters, acknowledges an alarm")
    alarm = session.get(Alarm, alarm_id, with_for_update=True)
    if alarm is None or alarm.acknowledged_at is not None:
        return False
    session.execute(
        update(Alarm)
        .where(Alarm.kind == alarm.kind, Alarm.subject == alarm.subject, Alarm.id <= alarm.id)
        .where(Alarm.acknowledged_at.is_(None))
        .values(acknowledged_by=name, acknowledged_at=now, next_at=None)
    )
    if alarm.kind in UNWATCHED and alarm.over_at is None:
        alarm.over_at = now
    return True


def _open(session: Session, kind: str, subject: str) -> Alarm | None:
    query = select(Alarm).where(Alarm.kind == kind, Alarm.subject == subject, Alarm.over_at.is_(None))
    return session.scalars(query.with_for_update()).one_or_none()
