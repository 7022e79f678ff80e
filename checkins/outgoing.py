"""What other programs are told, in the transaction in which it happens: a row for each address that wants it. What has
happened to a case is seen from what its row was and is. No names: numbers, a kind, a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import event, insert, inspect, select
from sqlalchemy.orm import Session

from checkins.outgoing_tables import Endpoint, OutgoingMessage
from checkins.results import Status, Urgency
from checkins.tables import Checkin
from storage.database import from_millis

CASES = ("case.opened", "case.accepted", "case.closed")
EMERGENCIES = ("emergency.raised", "emergency.accepted", "emergency.closed")
_COMPLAINT = ("filed", "added", "interrupted", "heard", "assigned", "replied", "solved", "not_solved", "talk")
COMPLAINTS = tuple(f"complaint.{what}" for what in (*_COMPLAINT, "level_above", "published", "closed"))
TEST = "webhook.test"
KINDS = (*CASES, *EMERGENCIES, *COMPLAINTS)
AT_ONCE = from_millis(0)
_KNOWN = "outgoing endpoints"  # of a session, which lasts for one transaction


@dataclass(frozen=True)
class Stand:
    """How a case stands."""

    status: str | None = None
    urgency: str | None = None
    owner: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status == Status.NEEDS_PERSON

    @property
    def is_emergency(self) -> bool:
        return self.is_open and self.urgency == Urgency.EMERGENCY


def happened(before: Stand, after: Stand) -> Iterator[str]:
    """Of a case: that a person is needed, that one has it, that it is closed; what ended well by itself was no news."""
    taken = bool(after.owner) and after.owner != before.owner
    for was, is_, (begun, accepted, closed) in (
        (before.is_open, after.is_open, CASES),
        (before.is_emergency, after.is_emergency, EMERGENCIES),
    ):
        if is_ and not was:
            yield begun
        if is_ and (taken or (after.owner and not was)):
            yield accepted
        if was and after.status == Status.CLOSED:
            yield closed


def wants(events: Sequence[str], kind: str) -> bool:
    """`events`: kinds, or all of a sort ("case.*")."""
    return kind in events or f"{kind.partition('.')[0]}.*" in events


def tell(session: Session, kind: str, subject: int, place_id: int, at: datetime | None) -> None:
    """Part of the transaction; sent after it."""
    rows = [
        _row(endpoint, kind, subject, place_id, at)
        for endpoint, events, place in _endpoints(session)
        if place in (None, place_id) and wants(events, kind)
    ]
    if rows:
        session.connection().execute(insert(OutgoingMessage), rows)


def tell_one(session: Session, endpoint: Endpoint, kind: str, at: datetime) -> None:
    row = _row(endpoint.id, kind, endpoint.id, endpoint.neighbourhood_id or 0, at)
    session.connection().execute(insert(OutgoingMessage), [row])


def opened_by_plan(session: Session, place_id: int, planned_at: datetime) -> None:
    """Cases that were planned for a person at once: their rows were written without being seen here."""
    if not any(place in (None, place_id) and wants(events, CASES[0]) for _, events, place in _endpoints(session)):
        return
    new = (Checkin.neighbourhood_id == place_id, Checkin.planned_at == planned_at)
    for case in session.scalars(select(Checkin.id).where(*new, Checkin.status == Status.NEEDS_PERSON)).all():
        tell(session, CASES[0], case, place_id, planned_at)


def _row(endpoint_id: int, kind: str, subject: int, place_id: int, at: datetime | None) -> dict[str, Any]:
    about = {"kind": kind, "subject": subject, "neighbourhood_id": place_id, "at": at}
    return {"endpoint_id": endpoint_id, "message_id": f"msg_{uuid4().hex}", "next_at": AT_ONCE, "tries": 0, **about}


def _endpoints(session: Session) -> list[tuple[int, list[str], int | None]]:
    """Read once in a transaction."""
    if _KNOWN not in session.info:
        query = select(Endpoint.id, Endpoint.events, Endpoint.neighbourhood_id).where(Endpoint.removed_at.is_(None))
        session.info[_KNOWN] = [tuple(row) for row in session.connection().execute(query)]
    found: list[tuple[int, list[str], int | None]] = session.info[_KNOWN]
    return found


# ── cases ─────────────────────────────────────────────────────────────────────────────────────────


@event.listens_for(Session, "after_flush")
def _tell_cases(session: Session, _context: object) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Checkin):
            for kind in happened(_before(row), Stand(row.status, row.urgency, row.owner)):
                tell(session, kind, row.id, row.neighbourhood_id, _moment(row, kind))


def _before(row: Checkin) -> Stand:
    """As the database had it; nothing of a new row."""
    if not inspect(row).has_identity:
        return Stand()
    return Stand(*(_old(row, name) for name in ("status", "urgency", "owner")))


def _old(row: Checkin, name: str) -> str | None:
    changed = inspect(row).attrs[name].history
    value: str | None = changed.deleted[0] if changed.deleted else getattr(row, name)
    return value


def _moment(row: Checkin, kind: str) -> datetime | None:
    """Where the row knows it."""
    if kind.endswith(".closed"):
        return row.closed_at
    since = row.ladder.get("person_since") if kind == CASES[0] else None
    return from_millis(since) if since else None
