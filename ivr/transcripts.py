"""The rows of the second pass: written when a call is over, claimed with a lease, finished once.

Each function is a step inside one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from ivr import outbox
from ivr.ports import CallOrder
from ivr.records import Call, CallEvent, CallNews, Transcript
from ivr.reports import order_from_json

TRIES = 3
LEASE = timedelta(minutes=10)  # the longest dictation, 3 min, takes Whisper about 40 s of one core
AGAIN_AFTER = (timedelta(minutes=2), timedelta(minutes=15))  # a recording may still be on its way from the carrier
# After a start, older calls are not gone through again; later only what may have been on a line until now.
LOOK_BACK = timedelta(days=2)
OVERLAP = timedelta(hours=3)
NOBODY = "none"  # the engine of a dictation that nobody listened to during the call
CRASHED = "the process ended while working on it"


@dataclass(frozen=True)
class Job:
    """One dictation to be transcribed, as claimed. `tries` counts this one; with the owner it is the lease's key.
    `heard_live`: an engine listened to it during the call."""

    id: int
    recording: str
    language: str
    owner: str
    tries: int
    heard_live: bool = True


@dataclass(frozen=True)
class Result:
    """Personal. `margin`: nats, None where the engine makes none. `begin_ms`, `end_ms`: the words in the recording."""

    text: str
    engine: str
    confidence: float
    margin: float | None = None
    begin_ms: int | None = None
    end_ms: int | None = None


def plan(session: Session, since: datetime, now: datetime) -> int:
    """Writes what is to be done for dictations made after `since` in calls that are over: one row for each that was
    kept, if all of the call agreed to be recorded and transcribed. Repeatable; how many rows are new."""
    query = (
        select(CallEvent, Call)
        .join(Call, Call.id == CallEvent.call_id)
        .join(CallNews, (CallNews.call_id == Call.id) & (CallNews.key == outbox.FINAL))
        .where(CallEvent.at >= since, CallEvent.kind == "dictation")
        .order_by(CallEvent.id)
    )
    found: dict[tuple[str, str], Transcript] = {}
    for event, call in session.execute(query):
        order, recording = order_from_json(call.order), str(event.detail.get("recording") or "")
        if recording and agreed(order):
            found[call.id, recording] = _row(event, order, recording, now)
    known = select(Transcript.call_id, Transcript.recording).where(
        Transcript.call_id.in_({call_id for call_id, _ in found})
    )
    fresh = found.keys() - {(call_id, recording) for call_id, recording in session.execute(known)}
    session.add_all(found[key] for key in sorted(fresh))
    return len(fresh)


def agreed(order: CallOrder) -> bool:
    """Everybody in the call consents to being recorded and to dictations being written down."""
    return bool(order.callees) and all(callee.records and callee.transcribes for callee in order.callees)


def _row(event: CallEvent, order: CallOrder, recording: str, now: datetime) -> Transcript:
    detail = event.detail
    return Transcript(
        call_id=event.call_id,
        recording=recording,
        language=order.callees[0].language[:16],
        live_text=str(detail.get("text") or ""),
        live_engine=str(detail.get("engine") or NOBODY)[:32],
        live_confidence=float(detail.get("confidence") or 0.0),
        live_margin=detail.get("margin"),
        live_begin_ms=detail.get("begin_ms"),
        live_end_ms=detail.get("end_ms"),
        created_at=now,
        due_at=now,
    )


def claim(session: Session, owner: str, now: datetime) -> Job | None:
    """Takes the oldest row that is due and that nobody holds. What crashed us TRIES times is given up."""
    query = select(Transcript).where(Transcript.due_at <= now, _free(now)).order_by(Transcript.due_at, Transcript.id)
    while (row := session.scalar(query.limit(1).with_for_update(skip_locked=True))) is not None:
        if row.tries < TRIES:
            row.tries, row.lease_owner, row.lease_until = row.tries + 1, owner[:100], now + LEASE
            return Job(row.id, row.recording, row.language, owner[:100], row.tries, row.live_engine != NOBODY)
        _give_up(row, CRASHED, now)
        session.flush()
    return None


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(Transcript.lease_until.is_(None), Transcript.lease_until <= now)


def finish(session: Session, job: Job, result: Result, now: datetime) -> bool:
    """Writes the better text. False: the lease ran out and somebody else has the row."""
    row = _held(session, job)
    if row is None:
        return False
    row.text, row.engine, row.confidence = result.text, result.engine[:32], result.confidence
    row.margin, row.begin_ms, row.end_ms = result.margin, result.begin_ms, result.end_ms
    row.finished_at, row.due_at, row.lease_owner, row.lease_until = now, None, None, None
    return True


def fail(session: Session, job: Job, why: str, now: datetime) -> bool:
    """It did not work this time: again later, or given up with the reason. `why` holds nothing personal. False: the
    lease ran out and somebody else has the row."""
    row = _held(session, job)
    if row is None:
        return False
    if row.tries >= TRIES:
        _give_up(row, why, now)
    else:
        row.due_at, row.lease_owner, row.lease_until = now + AGAIN_AFTER[row.tries - 1], None, None
    return True


def release(session: Session, job: Job, now: datetime) -> None:
    """Hands it back untried (we are told to stop)."""
    row = _held(session, job)
    if row is not None:
        row.tries, row.due_at, row.lease_owner, row.lease_until = row.tries - 1, now, None, None


def _held(session: Session, job: Job) -> Transcript | None:
    row = session.get(Transcript, job.id, with_for_update=True)
    held = row is not None and row.due_at is not None and (row.lease_owner, row.tries) == (job.owner, job.tries)
    return row if held else None


def _give_up(row: Transcript, why: str, now: datetime) -> None:
    row.given_up, row.finished_at, row.due_at = why[:200], now, None
    row.lease_owner = row.lease_until = None


def of_calls(session: Session, call_ids: Sequence[str]) -> dict[str, Transcript]:
    """By recording: the second pass of these calls' dictations, where it made a text."""
    query = select(Transcript).where(Transcript.call_id.in_(call_ids), Transcript.text != "")
    return {row.recording: row for row in session.scalars(query)}
