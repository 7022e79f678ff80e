"""After a clock that was fast (checkins.fast_clock): what the telephone room wrote ahead of time counts as written now,
so that no news waits to be told, no recording to be listened to, no call to be called over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ivr.records import Call, CallEvent, CallNews, CarrierRecording, Transcript, WebhookInbox

_WRITTEN = (
    Call.token_used_at,
    Call.ordered_at,
    Call.ringing_at,
    Call.answered_at,
    Call.ended_at,
    Call.interrupted_at,
    CallEvent.at,
    CallNews.created_at,
    CallNews.told_at,
    WebhookInbox.received_at,
    CarrierRecording.stored_at,
    CarrierRecording.deleted_at,
    Transcript.created_at,
    Transcript.due_at,
    Transcript.lease_until,
    Transcript.finished_at,
)  # not CarrierRecording.seen_at: it names a file


def accept(session: Session, now: datetime) -> int:
    """The clock is right at `now`; how many moments lay ahead. Safe to repeat."""
    return sum(_pull(session, column, now) for column in _WRITTEN)


def _pull(session: Session, column: Any, now: datetime) -> int:
    done = session.execute(update(column.class_).where(column > now).values({column.key: now}))
    return int(done.rowcount)  # type: ignore[attr-defined]
