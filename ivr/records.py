"""The telephone room's tables. Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, UtcTime

PERSONAL = {"personal": True}
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Json = JSON(none_as_null=True)


class CallState(StrEnum):
    """How far the carrier has come with a call. What was said is another matter (see `CallNews`)."""

    ORDERED = "ordered"  # written; the carrier may or may not have been asked
    PLACED = "placed"  # the carrier took it
    RINGING = "ringing"
    TALKING = "talking"  # picked up by somebody or something
    OVER = "over"


class Call(Base):
    """One call. `id` is the intent's id, written before the carrier is asked; the same id is never dialled twice."""

    __tablename__ = "call"
    __table_args__ = (Index("ix_call_state_ordered", "state", "ordered_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(20), index=True, info=PERSONAL)
    order: Mapped[dict[str, Any]] = mapped_column("call_order", _Json, info=PERSONAL)
    carrier_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=CallState.ORDERED)
    disposition: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(100), default="")  # the carrier's words: status, SIP or error code
    answered_by: Mapped[str | None] = mapped_column(String(32))  # answering-machine detection: a hint
    last_sequence: Mapped[int] = mapped_column(Integer, default=-1)  # of the status callbacks taken in
    session: Mapped[dict[str, Any] | None] = mapped_column(_Json, info=PERSONAL)  # the conversation, after each turn
    verbs: Mapped[dict[str, Any] | None] = mapped_column(_Json, info=PERSONAL)  # TwiML fallback: the turn on the line
    # Handing over: "n" calls were made out of this one, the last is "leg", for the hand-over "number"; for that called
    # "nobody" there was nobody (ivr.twilio.verbs).
    handing: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # SHA-256 of the media stream's token
    token_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ordered_at: Mapped[datetime] = mapped_column(UtcTime)
    ringing_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    interrupted_at: Mapped[datetime | None] = mapped_column(UtcTime)  # our process died in mid-call


class CallEvent(Base):
    """The call's log, only ever added to. `at_ms` is audio time since answer."""

    __tablename__ = "call_event"
    __table_args__ = (  # who listened is found among millions of lines
        Index(
            "ix_call_event_listened",
            "at",
            sqlite_where=text("kind = 'listened'"),
            postgresql_where=text("kind = 'listened'"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    kind: Mapped[str] = mapped_column(String(16))
    at_ms: Mapped[int] = mapped_column(Integer, default=0)
    detail: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict, info=PERSONAL)


class CallNews(Base):
    """The outbox toward the care room: written with what it follows from, told, then marked. `key` is "final" (once
    per call: a call ends once) or "alarm:PERSON:REASON"."""

    __tablename__ = "call_news"
    __table_args__ = (UniqueConstraint("call_id", "key"), Index("ix_call_news_untold", "told_at", "created_at"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"))
    key: Mapped[str] = mapped_column(String(100))
    report: Mapped[dict[str, Any]] = mapped_column(_Json, info=PERSONAL)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcTime)


class WebhookInbox(Base):
    """Every callback of the carrier that told something new. `key` keeps duplicates out."""

    __tablename__ = "webhook_inbox"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    form: Mapped[dict[str, Any]] = mapped_column(_Json, info=PERSONAL)


class CarrierRecording(Base):
    """A recording that the carrier made for us (TwiML fallback): to be fetched, checked, then deleted there."""

    __tablename__ = "carrier_recording"
    __table_args__ = (Index("ix_carrier_recording_open", "deleted_at", "seen_at"),)

    sid: Mapped[str] = mapped_column(String(64), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), index=True)
    label: Mapped[str] = mapped_column(String(64))  # with call and `seen_at` it names our file
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    path: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str | None] = mapped_column(String(64))
    stored_at: Mapped[datetime | None] = mapped_column(UtcTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcTime)  # at the carrier


class Transcript(Base):
    """A dictation's two texts: what was understood while it was spoken, and what the best engine makes of the whole
    recording afterwards. Waiting while `due_at` is set; then finished, or given up for `given_up`'s reason.

    An intent of work: whoever holds the lease works on it; a lease that ran out is anybody's.
    """

    __tablename__ = "transcripts"
    __table_args__ = (UniqueConstraint("call_id", "recording"), Index("ix_transcripts_due", "due_at"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"))
    recording: Mapped[str] = mapped_column(String(200))  # the recording's path
    language: Mapped[str] = mapped_column(String(16))
    live_text: Mapped[str] = mapped_column(Text, info=PERSONAL)
    live_engine: Mapped[str] = mapped_column(String(32))  # "none": nobody listened, or by plain verbs
    live_confidence: Mapped[float] = mapped_column(Float)
    live_margin: Mapped[float | None] = mapped_column(Float)  # nats; None: the engine makes none
    live_begin_ms: Mapped[int | None] = mapped_column(Integer)  # the dictation in the call's audio, if it was heard
    live_end_ms: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    engine: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float | None] = mapped_column(Float)
    margin: Mapped[float | None] = mapped_column(Float)
    begin_ms: Mapped[int | None] = mapped_column(Integer)  # the words in the recording; all of it if the engine is mum
    end_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    given_up: Mapped[str] = mapped_column(String(200), default="")
