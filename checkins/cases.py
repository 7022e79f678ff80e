"""Cases as people see and handle them: today's table, who needs a person, taking over, closing by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from checkins import ladder, searches
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.names import named
from checkins.results import (
    REASON_ZH,
    RESULT_ZH,
    STATUS_ZH,
    URGENCIES,
    URGENCY_ZH,
    Reason,
    Result,
    Status,
    Urgency,
)
from checkins.tables import CallIntent, Checkin, CheckinEvent, IntentCheckin


@dataclass(frozen=True)
class Row:
    """One case, ready to show. Names, results and answers are personal. Moments are UTC; `zone` is the place's."""

    checkin_id: int
    elder_id: str
    name: str
    spoken_name: str
    number: str | None
    language: str
    mode: str
    date: date
    zone: str
    slot: datetime
    status: Status
    try_no: int  # counted tries so far
    due_at: datetime | None
    result: Result | None
    evidence: str | None
    reason: Reason | None
    urgency: Urgency | None
    person_since: datetime | None
    owner: str | None
    closed_by: str | None
    closed_at: datetime | None
    finding: str | None
    answer: Mapping[str, Any]  # text, phrase, confidence, engine, recording, message_recording, message_text …
    intents: tuple[str, ...]  # ids of its calls, oldest first (the telephone room's records have the same ids)

    @property
    def status_zh(self) -> str:
        return STATUS_ZH[self.status]

    @property
    def result_zh(self) -> str:
        return RESULT_ZH[self.result] if self.result else ""

    @property
    def reason_zh(self) -> str:
        return REASON_ZH[self.reason] if self.reason else ""

    @property
    def urgency_zh(self) -> str:
        return URGENCY_ZH[self.urgency] if self.urgency else ""


@dataclass(frozen=True)
class Event:
    """What happened to a case, when, by whom. `detail` is personal."""

    at: datetime
    what: str
    who: str
    intent_id: str | None
    detail: Mapping[str, Any]


def today(session: Session, neighbourhood_id: int, day: date) -> list[Row]:
    """All cases of one local day: who needs a person first (most urgent, then longest waiting), then by slot."""
    query = select_cases().where(Checkin.neighbourhood_id == neighbourhood_id, Checkin.date == day)
    rows = _view(session, query.order_by(Checkin.slot, Checkin.id))
    return sorted(rows, key=_needs_first)


def needs_person(session: Session, neighbourhood_id: int | None = None) -> list[Row]:
    """Everybody who needs a person, of whatever day, most urgent and longest waiting first."""
    query = select_cases().where(Checkin.status == Status.NEEDS_PERSON)
    if neighbourhood_id is not None:
        query = query.where(Checkin.neighbourhood_id == neighbourhood_id)
    return sorted(_view(session, query), key=_needs_first)


def some(session: Session, checkin_ids: Collection[int]) -> list[Row]:
    """These cases, most urgent and longest waiting first."""
    return sorted(_view(session, select_cases().where(Checkin.id.in_(checkin_ids))), key=_needs_first)


def one(session: Session, checkin_id: int) -> Row | None:
    rows = _view(session, select_cases().where(Checkin.id == checkin_id))
    return rows[0] if rows else None


def events(session: Session, checkin_id: int) -> list[Event]:
    """The case's log, oldest first."""
    query = select(CheckinEvent).where(CheckinEvent.checkin_id == checkin_id).order_by(CheckinEvent.id)
    return [
        Event(event.at, event.what, event.who, event.intent_id, event.detail or {}) for event in session.scalars(query)
    ]


def take_over(session: Session, checkin_id: int, by: str, now: datetime) -> None:
    """A named person takes the case, from whoever has it; the line stops dialling. ValueError without a name or when it
    is closed."""
    row = locked(session, checkin_id)
    had = row.owner if row.owner != named(by) else None
    put_case(row, ladder.take_over(case_of(row), by, now))
    searches.take(session, row, named(by), now)
    log_event(session, row, "taken_over", named(by), now, detail={"had": had} if had else None)


def close_case(session: Session, checkin_id: int, by: str, finding: str, now: datetime) -> None:
    """Closes a case, an alarm too. ValueError without a name or a finding, or when it is closed already; LookupError
    for no such case."""
    row = locked(session, checkin_id)
    put_case(row, ladder.close(case_of(row), by, finding, now))
    searches.end(session, row, now)
    log_event(session, row, "closed", named(by), now, detail={"finding": finding.strip()})


def locked(session: Session, checkin_id: int) -> Checkin:
    """The case's row, held until the transaction ends; LookupError for no such case."""
    row: Checkin | None = session.scalars(
        select_cases().where(Checkin.id == checkin_id).with_for_update(of=Checkin)
    ).one_or_none()
    if row is None:
        raise LookupError(f"there is no case {checkin_id}")
    return row


def _needs_first(row: Row) -> tuple[int, datetime]:
    if row.status is Status.NEEDS_PERSON and row.urgency:
        return URGENCIES[row.urgency], row.person_since or row.slot
    return len(URGENCIES), row.slot


def _view(session: Session, query: Select[Any]) -> list[Row]:
    rows = session.scalars(query).all()
    calls = _intents(session, query)
    return [_row(row, tuple(calls.get(row.id, ()))) for row in rows]


def _intents(session: Session, query: Select[Any]) -> dict[int, list[str]]:
    wanted = query.with_only_columns(Checkin.id).order_by(None)
    links = (
        select(IntentCheckin.checkin_id, IntentCheckin.intent_id)
        .join(CallIntent, CallIntent.id == IntentCheckin.intent_id)
        .where(IntentCheckin.checkin_id.in_(wanted))
        .order_by(CallIntent.created_at)
    )
    found: dict[int, list[str]] = {}
    for checkin_id, intent_id in session.execute(links):
        found.setdefault(checkin_id, []).append(intent_id)
    return found


def _row(row: Checkin, intents: tuple[str, ...]) -> Row:
    case, elder = case_of(row), row.elder
    return Row(
        checkin_id=row.id,
        elder_id=elder.id,
        name=elder.name,
        spoken_name=elder.spoken_name,
        number=elder.number,
        language=elder.language,
        mode=elder.mode,
        date=row.date,
        zone=elder.neighbourhood.timezone,
        slot=row.slot,
        status=case.status,
        try_no=case.tries,
        due_at=case.due_at,
        result=case.result,
        evidence=case.evidence,
        reason=case.reason,
        urgency=case.urgency,
        person_since=case.person_since,
        owner=case.owner,
        closed_by=case.closed_by,
        closed_at=case.closed_at,
        finding=case.finding,
        answer=row.answer or {},
        intents=intents,
    )
