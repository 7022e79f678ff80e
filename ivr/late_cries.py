"""A call for help that nobody heard during the call and the second pass found: news for the care room.

Written with the text it was found in, once per recording; told by the outbox as every other alarm is. The rule is
the live one: what may be a call for help is one. A false alarm costs a worker a minute, a missed one a life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr import outbox
from ivr.ports import CallOrder, CallReport, PersonResult
from ivr.records import Call, CallEvent, CallNews, Transcript
from ivr.reports import order_from_json, report_from_json

SECOND_PASS = "second_pass"  # noqa: S105 (the alarm's reason)
# The words' pre-roll may lie before the recording's beginning, and a late word of an engine after its end.
SLACK_MS = 2000


@dataclass(frozen=True)
class Cry:
    """The words in which it was found, and the phrase of it. `begin_s`: where in the recording, if known. Personal."""

    text: str
    phrase: str
    engine: str
    confidence: float
    begin_s: float | None = None


def raise_alarm(session: Session, transcript_id: int, cry: Cry, now: datetime) -> int | None:
    """Writes the news and a line of the call's log. The news' number, for the outbox; None when it was written
    before, or the call itself raised the alarm for this dictation."""
    row = session.get_one(Transcript, transcript_id, with_for_update=True)
    call = session.get_one(Call, row.call_id)
    dictation = _dictation(session, row)
    if dictation is not None and _rang_live(session, row.call_id, dictation):
        return None
    report = _report(row, _whose(session, row, order_from_json(call.order)), cry, now)
    news = outbox.put(session, report, f"alarm:{SECOND_PASS}:{row.id}", now)
    if news is not None:
        session.add(_line(row, dictation, cry, now))
    return news


def _report(row: Transcript, people: tuple[str, ...], cry: Cry, now: datetime) -> CallReport:
    detail = {
        "alarm": SECOND_PASS,
        "alarm_text": cry.text,
        "alarm_engine": cry.engine,
        "alarm_confidence": round(cry.confidence, 3),
        "recording": row.recording,
        "recording_text": row.live_text,
    }
    found = tuple(PersonResult(person, "emergency", "none", detail) for person in people)
    whom = people[0] if len(people) == 1 else None
    return CallReport(row.call_id, now, final=False, people=found, alarm=SECOND_PASS, alarm_person=whom)


def _line(row: Transcript, dictation: CallEvent | None, cry: Cry, now: datetime) -> CallEvent:
    begin_ms = dictation.detail.get("begin_ms") or 0 if dictation is not None else 0
    detail: dict[str, Any] = {
        "text": cry.text,
        "phrase": cry.phrase,
        "engine": cry.engine,
        "confidence": round(cry.confidence, 3),
        "found": SECOND_PASS,
        "recording": row.recording,
    }
    at_ms = begin_ms + round(1000 * (cry.begin_s or 0.0))
    return CallEvent(call_id=row.call_id, at=now, kind="distress", at_ms=at_ms, detail=detail)


def _whose(session: Session, row: Transcript, order: CallOrder) -> tuple[str, ...]:
    """Who dictated it, as the call's final report says; everybody of the call where it doesn't."""
    final = select(CallNews.report).where(CallNews.call_id == row.call_id, CallNews.key == outbox.FINAL)
    told = session.scalar(final)
    people = report_from_json(told).people if told else ()
    own = tuple(person.id for person in people if row.recording in person.detail.values())
    return own or tuple(callee.id for callee in order.callees)


def _dictation(session: Session, row: Transcript) -> CallEvent | None:
    return next((one for one in _events(session, row.call_id, "dictation") if _of(one) == row.recording), None)


def _of(event: CallEvent) -> str:
    return str(event.detail.get("recording") or "")


def _rang_live(session: Session, call_id: str, dictation: CallEvent) -> bool:
    """Whether the call raised an alarm for a cry, and heard one within this dictation. The log alone doesn't count:
    the process may have died before the alarm was written."""
    begin, end = dictation.detail.get("begin_ms"), dictation.detail.get("end_ms")
    if begin is None or end is None:
        return False
    key = select(CallNews.id).where(CallNews.call_id == call_id, CallNews.key.like("alarm:%:distress"))
    if session.scalar(key.limit(1)) is None:
        return False
    heard = (one.detail.get("begin_ms", one.at_ms) for one in _events(session, call_id, "distress"))
    return any(begin - SLACK_MS <= at <= end for at in heard)


def _events(session: Session, call_id: str, kind: str) -> Iterator[CallEvent]:
    query = select(CallEvent).where(CallEvent.call_id == call_id, CallEvent.kind == kind).order_by(CallEvent.id)
    yield from session.scalars(query)
