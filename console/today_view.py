"""The page of today: who needs a person, what is running, what is done. Made to be quick with 4,000 elders: whole cases
are read for those alone who are shown at the top; of all others, a few columns of as many as fit on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from checkins import cases, deciding
from checkins.auditor import Late
from checkins.cases import Row
from checkins.results import REASON_ZH, RESULT_ZH, STATUS_ZH, URGENCIES, URGENCY_ZH, Reason, Result, Status, Urgency
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person
from console import call_log, flagged_view, ladder_view, view
from console.call_log import Second
from console.gaps_ahead import Gaps
from console.kept import Kept
from console.ladder_view import Next
from console.view import House, LateElder
from storage.database import from_millis

MOST_WAITING = 40
MOST_TAKEN = 20
MOST_LISTED = 20  # of what runs, and of what is done; the rest is on pages of its own
PAGE = 100


@dataclass(frozen=True)
class Line:
    """One case in a list: what is running, or done. Personal."""

    checkin_id: int
    elder_id: str
    name: str = field(repr=False)
    number: str | None = field(repr=False)
    place: str
    zone: str
    slot: datetime
    status: Status
    urgency: Urgency | None
    result_zh: str = field(repr=False)
    reason_zh: str = field(repr=False)
    evidence: str
    answer: Mapping[str, Any] = field(repr=False)
    tries: int
    due_at: datetime | None
    owner: str | None = field(repr=False)
    closed_by: str | None = field(repr=False)
    closed_at: datetime | None
    finding: str | None = field(repr=False)

    @property
    def status_zh(self) -> str:
        return STATUS_ZH[self.status]

    @property
    def urgency_zh(self) -> str:
        return URGENCY_ZH[self.urgency] if self.urgency else ""


@dataclass(frozen=True)
class Some:
    """The first of a list; `more`: there are others."""

    lines: tuple[Line, ...]
    more: bool


@dataclass(frozen=True)
class Today:
    """`waiting` and `taken` are of any day; what runs and what is done is today's. `next`: by case, of those shown."""

    waiting: tuple[Row, ...]
    more_waiting: bool
    taken: tuple[Row, ...]
    more_taken: bool
    next: Mapping[int, Next]
    second: Mapping[str, Second]  # by recording
    seen: Mapping[int, int]  # by case, the last event that stands on the page
    heard: Mapping[int, datetime]  # and the last recording
    running: Some
    done: Some
    places: tuple[tuple[int, str], ...]
    late: tuple[LateElder, ...]
    house: House
    gaps: tuple[Gaps, ...]


def today(session: Session, now: datetime, late: Sequence[Late], kept: Kept, *, most: int = MOST_WAITING) -> Today:
    """`most`: how many who need a person are shown at once."""
    waiting, taken = _who_waits(session)
    shown = [*waiting[:most], *taken[: max(most, MOST_TAKEN) if most > MOST_WAITING else MOST_TAKEN]]
    seen, heard = deciding.last_events(session, shown), flagged_view.recorded_of(session, shown)  # first
    rows = cases.some(session, shown)
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    return Today(
        waiting=tuple(row for row in rows if not row.owner),
        more_waiting=len(waiting) > most,
        taken=tuple(row for row in rows if row.owner),
        more_taken=len(taken) > max(most if most > MOST_WAITING else 0, MOST_TAKEN),
        next=ladder_view.nexts(session, [row.checkin_id for row in rows], now, kept),
        second=call_log.second_pass(session, [call_id for row in rows for call_id in row.intents]),
        seen=seen,
        heard=heard,
        running=running(session, places, now, 0, MOST_LISTED),
        done=done(session, places, now, 0, MOST_LISTED),
        places=tuple((place.id, place.name) for place in places),
        late=view.late(session, late),
        house=view.house(session, now),
        gaps=kept.gaps(session, now),
    )


def _who_waits(session: Session) -> tuple[list[int], list[int]]:
    """Numbers of the cases that need a person, and of those that somebody has: most urgent, longest waiting first."""
    query = select(Checkin.id, Checkin.urgency, Checkin.owner, Checkin.slot, Checkin.ladder)
    found = session.execute(query.where(Checkin.status == Status.NEEDS_PERSON)).all()
    ordered = sorted(found, key=lambda row: _needs_first(row.urgency, row.ladder, row.slot))
    return [row.id for row in ordered if not row.owner], [row.id for row in ordered if row.owner]


def _needs_first(urgency: str | None, ladder: Mapping[str, Any], slot: datetime) -> tuple[int, datetime]:
    since = ladder.get("person_since")
    return URGENCIES.get(Urgency(urgency) if urgency else Urgency.TODAY, 0), from_millis(since) if since else slot


# ── what runs, and what is done ───────────────────────────────────────────────────────────────────

_RUNNING = (Status.CALLING, Status.WAITING, Status.PLANNED)
_COLUMNS = (
    Checkin.id,
    Checkin.elder_id,
    Person.name,
    Person.number,
    Checkin.neighbourhood_id,
    Checkin.slot,
    Checkin.status,
    Checkin.urgency,
    Checkin.result,
    Checkin.reason,
    Checkin.evidence,
    Checkin.answer,
    Checkin.ladder,
    Checkin.due_at,
    Checkin.owner,
    Checkin.closed_by,
    Checkin.closed_at,
    Checkin.finding,
)


def running(session: Session, places: Sequence[Neighbourhood], now: datetime, skip: int, most: int) -> Some:
    """Who is on the telephone, then what is due next."""
    query = _of_today(places, now).where(Checkin.status.in_(_RUNNING))
    query = query.order_by(Checkin.status != Status.CALLING, Checkin.due_at, Checkin.id)
    return _some(session, query, places, skip, most)


def done(session: Session, places: Sequence[Neighbourhood], now: datetime, skip: int, most: int) -> Some:
    """What was closed last comes first."""
    query = _of_today(places, now).where(Checkin.status == Status.CLOSED)
    return _some(session, query.order_by(Checkin.closed_at.desc(), Checkin.id), places, skip, most)


def lines_of(session: Session, elder_ids: Iterable[str], now: datetime) -> dict[str, Line]:
    """The cases of today of these elders, by elder."""
    places = session.scalars(select(Neighbourhood)).all()
    query = _of_today(places, now).where(Checkin.elder_id.in_(list(elder_ids)))
    return {line.elder_id: line for line in _lines(session, query, places)}


def _of_today(places: Sequence[Neighbourhood], now: datetime) -> Select[Any]:
    days: list[ColumnElement[bool]] = [
        and_(Checkin.neighbourhood_id == place.id, Checkin.date == local_date(place.timezone, now)) for place in places
    ]
    return select(*_COLUMNS).join(Person, Person.id == Checkin.elder_id).where(or_(*days) if days else Checkin.id < 0)


def _some(session: Session, query: Select[Any], places: Sequence[Neighbourhood], skip: int, most: int) -> Some:
    lines = _lines(session, query.offset(skip).limit(most + 1), places)
    return Some(tuple(lines[:most]), len(lines) > most)


def _lines(session: Session, query: Select[Any], places: Sequence[Neighbourhood]) -> list[Line]:
    known = {place.id: place for place in places}
    return [_line(row, known[row.neighbourhood_id]) for row in session.execute(query)]


def _line(row: Any, place: Neighbourhood) -> Line:
    return Line(
        checkin_id=row.id,
        elder_id=row.elder_id,
        name=row.name,
        number=row.number,
        place=place.name,
        zone=place.timezone,
        slot=row.slot,
        status=Status(row.status),
        urgency=Urgency(row.urgency) if row.urgency else None,
        result_zh=RESULT_ZH[Result(row.result)] if row.result else "",
        reason_zh=REASON_ZH[Reason(row.reason)] if row.reason else "",
        evidence=row.evidence or "",
        answer=row.answer or {},
        tries=int(row.ladder.get("tries") or 0),
        due_at=row.due_at,
        owner=row.owner,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        finding=row.finding,
    )
