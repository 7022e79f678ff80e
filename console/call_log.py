"""What the telephone room wrote about a call, read for the pages; and the one line the console adds: who listened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr import transcripts
from ivr.records import Call, CallEvent, CarrierRecording, Transcript

LISTENED = "listened"
KEPT = ("dictation", "recording", "stored")  # lines that name a recording; the last one while the call still goes on
# A browser fetches one recording in pieces; so close together they are one listening.
SAME_LISTENING = timedelta(minutes=1)


@dataclass(frozen=True)
class Entry:
    """One line of the log. `at_ms`: audio time since answer. `detail` is personal."""

    kind: str
    at: datetime
    at_ms: int
    detail: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Second:
    """What the best engine made of a dictation after the call, beside the `first` text. Personal."""

    text: str = field(repr=False)
    engine: str
    confidence: float
    first: str = field(repr=False)
    first_engine: str
    first_confidence: float


@dataclass(frozen=True)
class CallLog:
    """One call. Personal."""

    id: str
    flow: str  # "" where nobody wrote it down
    disposition: str | None
    reason: str
    answered_by: str | None
    ordered_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    entries: tuple[Entry, ...]
    recordings: tuple[str, ...]  # paths, dictations first, then the whole call

    @property
    def seconds(self) -> int | None:
        """Of conversation."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.answered_at).total_seconds())


def calls(session: Session, ids: Sequence[str]) -> list[CallLog]:
    """The calls with these ids that the telephone room knows, oldest first."""
    found = session.scalars(select(Call).where(Call.id.in_(ids)).order_by(Call.ordered_at, Call.id))
    return [_log(session, call) for call in found]


def second_pass(session: Session, call_ids: Iterable[str]) -> dict[str, Second]:
    """By recording: the second transcripts of these calls' dictations, where there is one with text."""
    rows = transcripts.of_calls(session, sorted(set(call_ids)))
    return {path: _second(row) for path, row in rows.items()}


def _second(row: Transcript) -> Second:
    first = (row.live_text, row.live_engine, row.live_confidence)
    return Second(row.text or "", row.engine or "", row.confidence or 0.0, *first)


def _log(session: Session, call: Call) -> CallLog:
    query = select(CallEvent).where(CallEvent.call_id == call.id).order_by(CallEvent.at_ms, CallEvent.id)
    entries = tuple(Entry(event.kind, event.at, event.at_ms, event.detail or {}) for event in session.scalars(query))
    fetched = select(CarrierRecording.path).where(
        CarrierRecording.call_id == call.id, CarrierRecording.stored_at.is_not(None)
    )
    return CallLog(
        id=call.id,
        flow=str(call.order.get("flow") or ""),
        disposition=call.disposition,
        reason=call.reason,
        answered_by=call.answered_by,
        ordered_at=call.ordered_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        entries=entries,
        recordings=_recordings(entries, session.scalars(fetched).all()),
    )


def _recordings(entries: Sequence[Entry], fetched: Sequence[str]) -> tuple[str, ...]:
    dictated = [entry.detail.get("recording") for entry in entries if entry.kind in ("stored", "dictation")]
    whole = [entry.detail.get("path") for entry in entries if entry.kind == "recording"]
    return tuple(dict.fromkeys(str(path) for path in (*dictated, *fetched, *whole) if path))


def listened(session: Session, call: CallLog, path: str, who: str, now: datetime) -> bool:
    """Writes down that somebody opened a recording; False when they did so a moment ago."""
    lately = [
        entry
        for entry in call.entries
        if entry.kind == LISTENED and entry.detail == {"path": path, "who": who} and now - entry.at < SAME_LISTENING
    ]
    if not lately:
        last = max((entry.at_ms for entry in call.entries), default=0)
        event = CallEvent(call_id=call.id, at=now, kind=LISTENED, at_ms=last, detail={"path": path, "who": who})
        session.add(event)
    return not lately
