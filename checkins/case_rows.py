"""Between a row of `checkin` and the ladder's value `Case`, both ways; and the event log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from checkins.ladder import Case
from checkins.policy import Policy
from checkins.results import Reason, Result, Status, Urgency
from checkins.schedule import day_of
from checkins.tables import Checkin, CheckinEvent, IntentCheckin, Person
from storage.database import from_millis, to_millis

log = logging.getLogger(__name__)

NEW_LADDER = {"tries": 0, "busy": 0, "line_errors": 0, "reminders": 0, "first_missed_at": None, "person_since": None}


def select_cases() -> Select[Checkin]:
    """Cases with their elder and neighbourhood, which a case can't be read without, in one statement."""
    return (
        select(Checkin)
        .join(Checkin.elder)
        .join(Person.neighbourhood)
        .options(contains_eager(Checkin.elder).contains_eager(Person.neighbourhood))
    )


def served_by(call_id: str) -> Select[Checkin]:
    """The cases that this call is about, in the order in which they are asked after."""
    query = select_cases().join(IntentCheckin, IntentCheckin.checkin_id == Checkin.id)
    return query.where(IntentCheckin.intent_id == call_id).order_by(IntentCheckin.position)


def case_of(row: Checkin) -> Case:
    """The case that `row` holds, by the clock of its neighbourhood."""
    policy = _policy(row)
    ladder = {**NEW_LADDER, **row.ladder}
    return Case(
        policy=policy,
        day=day_of(row.elder.neighbourhood.timezone, row.date, policy),
        slot=row.slot,
        status=Status(row.status),
        due_at=row.due_at,
        tries=ladder["tries"],
        busy=ladder["busy"],
        line_errors=ladder["line_errors"],
        first_missed_at=_moment(ladder["first_missed_at"]),
        result=Result(row.result) if row.result else None,
        evidence=row.evidence,
        reason=Reason(row.reason) if row.reason else None,
        urgency=Urgency(row.urgency) if row.urgency else None,
        person_since=_moment(ladder["person_since"]),
        reminders=ladder["reminders"],
        owner=row.owner,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        finding=row.finding,
    )


def _policy(row: Checkin) -> Policy:
    """The register refuses a broken policy; one that came in past it must not stop this elder's calls."""
    try:
        return Policy.from_json(row.policy)
    except ValueError:
        log.error("case %s has a broken policy: the default one is used", row.id)
        return Policy()


def put_case(row: Checkin, case: Case) -> None:
    """Writes what the ladder may change; a row that is no longer calling holds no lease."""
    row.status, row.due_at = case.status, case.due_at
    row.result, row.evidence = case.result, case.evidence
    row.reason, row.urgency, row.owner = case.reason, case.urgency, case.owner
    row.closed_by, row.closed_at, row.finding = case.closed_by, case.closed_at, case.finding
    row.ladder = {
        "tries": case.tries,
        "busy": case.busy,
        "line_errors": case.line_errors,
        "reminders": case.reminders,
        "first_missed_at": _millis(case.first_missed_at),
        "person_since": _millis(case.person_since),
    }
    if case.status is not Status.CALLING:
        row.lease_owner = row.lease_until = None


def log_event(
    session: Session,
    row: Checkin,
    what: str,
    who: str,
    now: datetime,
    *,
    intent_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    event = CheckinEvent(checkin_id=row.id, at=now, what=what, who=who, intent_id=intent_id)
    event.detail = dict(detail) if detail else None
    session.add(event)


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else to_millis(moment)
