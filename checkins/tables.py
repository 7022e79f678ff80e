"""The care room's tables. Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.results import Status
from storage.database import Base, UtcTime

PERSONAL = {"personal": True}
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Json = JSON(none_as_null=True)


class Role(StrEnum):
    ELDER = "elder"
    BUDDY = "buddy"
    STAFF = "staff"
    FAMILY = "family"


class State(StrEnum):
    """Of an elder, for the machine's calls."""

    ACTIVE = "active"
    PAUSED = "paused"  # until `state_until`; when it ends, a human asks first
    REFUSED = "refused"  # no machine calls; a human contact is scheduled
    MOVED = "moved"
    DIED = "died"


GONE = (State.MOVED, State.DIED)  # whom no call goes to any more


class Mode(StrEnum):
    """How an elder answers best."""

    KEYS = "keys"
    VOICE = "voice"
    HUMAN = "human"  # a person calls
    VISIT = "visit"  # a person comes, e.g. to the deaf


ROLE_ZH = {Role.ELDER: "老人", Role.BUDDY: "老伙伴", Role.STAFF: "工作人员", Role.FAMILY: "家属"}
MODE_ZH = {Mode.KEYS: "按键", Mode.VOICE: "语音", Mode.HUMAN: "由人打电话", Mode.VISIT: "上门"}


class NumberState(StrEnum):
    OK = "ok"
    SUSPECT = "suspect"  # somebody said "wrong number": suspended
    BAD = "bad"  # the carrier refused it


class IntentState(StrEnum):
    INTENDED = "intended"  # written; the carrier may or may not have been asked
    PLACED = "placed"
    SETTLED = "settled"  # the final news was applied, or the carrier refused
    UNKNOWN = "unknown"  # could not be found out; a person looks, nobody dials again


class Neighbourhood(Base):
    """`committee` is spoken in every call ("曹杨居委会"). Window and slots are minutes of the local day."""

    __tablename__ = "neighbourhood"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    committee: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    area_code: Mapped[str] = mapped_column(String(8), default="021")
    plan_from: Mapped[int] = mapped_column(Integer, default=8 * 60)
    plan_until: Mapped[int] = mapped_column(Integer, default=10 * 60 + 30)
    lines: Mapped[int | None] = mapped_column(Integer)  # of the trunk; None: all that the cycle has
    policy: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)
    notice: Mapped[str | None] = mapped_column(Text)  # today's notice, read after a "well"
    escalation: Mapped[dict[str, Any] | None] = mapped_column(_Json)  # who is rung, and when; None: the default

    @validates("policy")
    def _policy(self, _key: str, value: dict[str, Any]) -> dict[str, Any]:
        Policy.from_json(value)  # a broken policy must not reach the cycle
        return value

    @validates("escalation")
    def _escalation(self, _key: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
        Escalation.from_json(value or {})
        return value

    @validates("timezone")
    def _zone(self, _key: str, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"neighbourhood: {value!r} is no time zone; write e.g. Asia/Shanghai") from None
        return value


class Person(Base):
    """Anyone the line knows. `number` is E.164. `consents` names purposes ("calls", "recording", "transcription",
    "family" …): what is not there was not agreed to."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_due", "neighbourhood_id", "role", "state"),
        CheckConstraint("state <> 'paused' OR state_until IS NOT NULL", name="pause_ends"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=lambda: str(uuid4()))
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    role: Mapped[str] = mapped_column(String(16), default=Role.ELDER)
    name: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    spoken_name: Mapped[str] = mapped_column(String(100), info=PERSONAL)  # as the line says it: "王阿婆"
    number: Mapped[str | None] = mapped_column(String(20), index=True, info=PERSONAL)
    number_state: Mapped[str] = mapped_column(String(16), default=NumberState.OK)
    language: Mapped[str] = mapped_column(String(16), default="zh")
    mode: Mapped[str] = mapped_column(String(16), default=Mode.KEYS)
    state: Mapped[str] = mapped_column(String(16), default=State.ACTIVE)
    state_until: Mapped[date | None] = mapped_column(Date)  # paused through this local day
    state_source: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)  # who said so
    consents: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)
    slot: Mapped[int | None] = mapped_column(Integer)  # minute of the day, or None: the planner chooses
    policy: Mapped[dict[str, Any] | None] = mapped_column(_Json)  # what differs from the neighbourhood's
    escalation: Mapped[dict[str, Any] | None] = mapped_column(_Json)  # likewise
    # As the line says it to somebody who has accepted to go and look; None: it isn't said.
    address: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    key_holder: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    notes: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)  # the usual hospital, hard of hearing …

    neighbourhood: Mapped[Neighbourhood] = relationship(lazy="raise")

    @validates("policy")
    def _policy(self, _key: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
        Policy.from_json(value or {})
        return value

    @validates("escalation")
    def _escalation(self, _key: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
        Escalation.from_json(value or {})
        return value


class Checkin(Base):
    """The case of one elder on one local date. `ladder` holds the counters of checkins.ladder.Case."""

    __tablename__ = "checkin"
    __table_args__ = (
        UniqueConstraint("elder_id", "date"),
        Index("ix_checkin_due", "due_at", "status"),
        Index("ix_checkin_today", "neighbourhood_id", "date"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    elder_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    date: Mapped[date] = mapped_column(Date)
    slot: Mapped[datetime] = mapped_column(UtcTime)
    planned_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    status: Mapped[str] = mapped_column(String(16), default=Status.PLANNED)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    result: Mapped[str | None] = mapped_column(String(32), info=PERSONAL)
    evidence: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32), info=PERSONAL)
    urgency: Mapped[str | None] = mapped_column(String(16))
    owner: Mapped[str | None] = mapped_column(String(100))
    closed_by: Mapped[str | None] = mapped_column(String(100))
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finding: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    answer: Mapped[dict[str, Any] | None] = mapped_column(_Json, info=PERSONAL)  # text, recording, confidence …
    ladder: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)
    policy: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)  # frozen when the case opened
    # The search for a person (checkins.escalation.values.Search), its plan frozen when it began.
    search: Mapped[dict[str, Any] | None] = mapped_column(_Json)

    elder: Mapped[Person] = relationship(lazy="raise")


class CallIntent(Base):
    """A call that we mean to place: written before the carrier is asked, never dialled twice.

    One live call per number, held by the database itself (a partial unique index)."""

    __tablename__ = "call_intent"
    __table_args__ = (
        Index(
            "uq_call_intent_live_number",
            "number",
            unique=True,
            sqlite_where=text("state IN ('intended', 'placed')"),
            postgresql_where=text("state IN ('intended', 'placed')"),
        ),
        Index("uq_call_intent_for_call", "for_call", "try_no", unique=True),
        Index("ix_call_intent_number_created", "number", "created_at"),
        Index("ix_call_intent_live", "state", "check_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=lambda: str(uuid4()))
    number: Mapped[str] = mapped_column(String(20), info=PERSONAL)
    purpose: Mapped[str] = mapped_column(String(16))
    try_no: Mapped[int] = mapped_column(Integer)
    flow: Mapped[str | None] = mapped_column(String(32))  # None: the daily check-in
    responder: Mapped[str | None] = mapped_column(String(36), index=True)  # whom it rings, when not the elder
    trunk: Mapped[str | None] = mapped_column(String(16))  # None: the line's own; else one for alarms only
    for_call: Mapped[str | None] = mapped_column(String(36))  # the elder's call it is put through to: handing_over
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    state: Mapped[str] = mapped_column(String(16), default=IntentState.INTENDED)
    dialled: Mapped[bool] = mapped_column(default=True)  # False: refused before anything could ring
    check_at: Mapped[datetime] = mapped_column(UtcTime)  # without news by then the carrier is asked
    owner: Mapped[str] = mapped_column(String(100))
    disposition: Mapped[str | None] = mapped_column(String(16))
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    applied: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)  # which news was applied already


class IntentCheckin(Base):
    """Which cases a call serves: two due elders behind one number share one call."""

    __tablename__ = "intent_checkin"

    intent_id: Mapped[str] = mapped_column(ForeignKey("call_intent.id"), primary_key=True)
    checkin_id: Mapped[int] = mapped_column(ForeignKey("checkin.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)  # who is asked first


class CheckinEvent(Base):
    """What happened to a case, when, by whom. Only ever added to."""

    __tablename__ = "checkin_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    checkin_id: Mapped[int] = mapped_column(ForeignKey("checkin.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(100))  # a name, "line", or the cycle's owner
    intent_id: Mapped[str | None] = mapped_column(String(36))
    detail: Mapped[dict[str, Any] | None] = mapped_column(_Json, info=PERSONAL)
