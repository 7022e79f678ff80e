"""The pages of 公告: what holds, and whom it has not reached. Values only. Personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from checkins.phones import national
from checkins.tables import GONE, Neighbourhood, Person
from community import notices
from community.notice_sheets import why_unheard
from community.notice_tables import FIRST_NOTICE, Hearer, Notice, NoticeEvent, Topic
from community.tables import Complaint
from console.find_view import matches
from console.notice_words import whom_zh

PAST = 60  # that are over, on the page of all
SHOWN = 60  # people at once: a form has at most 100 fields


@dataclass(frozen=True)
class Line:
    """`doors`: to how many somebody must go. `state`: ahead, holds, over, withdrawn."""

    number: int
    topic: str
    text: str = field(repr=False)
    urgent_by: str
    recorded: bool
    whom: str = field(repr=False)
    since: datetime
    until: datetime
    by: str
    state: str
    place: str
    zone: str
    doors: int = 0


@dataclass(frozen=True)
class Listed:
    places: tuple[tuple[int, str], ...]
    now: tuple[Line, ...]
    board: tuple[Line, ...]
    ahead: tuple[Line, ...]
    past: tuple[Line, ...]


@dataclass(frozen=True)
class Unheard:
    """`door`: somebody must go; else the line goes on trying."""

    id: str
    name: str = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    why: str
    door: bool


@dataclass(frozen=True)
class Done:
    at: datetime
    what: str
    who: str
    whom: str = field(repr=False)


@dataclass(frozen=True)
class One:
    """`seen`: the last thing that staff did about it. `complaint`: of the 议事厅, whose answer it is."""

    line: Line
    unheard: tuple[Unheard, ...]
    more: int
    history: tuple[Done, ...]
    seen: int
    withdrawn_by: str
    withdrawn_at: datetime | None
    complaint: int | None


# ── all of them ───────────────────────────────────────────────────────────────────────────────────


def listed(session: Session, now: datetime, *, everything: bool) -> Listed:
    """To whom somebody must go first; then what ends first."""
    places = {place.id: place for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))}
    found = notices.listed(session, now, places, everything=False)
    holding = [each for each in found if notices.holds(each, now)]
    doors = _doors(session, [each for each in holding if each.topic == Topic.NOTICE], now)
    lines = [_line(each, places[each.neighbourhood_id], now, doors.get(each.id, 0)) for each in found]
    lines.sort(key=lambda line: (not line.doors, line.until, line.number))
    here = [line for line in lines if line.state == "holds"]
    return Listed(
        places=tuple((place.id, place.name) for place in places.values()),
        now=tuple(line for line in here if line.topic == Topic.NOTICE),
        board=tuple(sorted((line for line in here if line.topic != Topic.NOTICE), key=lambda line: line.topic)),
        ahead=tuple(sorted((line for line in lines if line.state == "ahead"), key=lambda line: line.since)),
        past=tuple(_past(session, places, now)) if everything else (),
    )


def _past(session: Session, places: Mapping[int, Neighbourhood], now: datetime) -> list[Line]:
    over = or_(Notice.valid_until <= now, Notice.withdrawn_at.is_not(None))
    query = select(Notice).where(over).order_by(Notice.valid_until.desc(), Notice.id.desc()).limit(PAST)
    return [_line(each, places[each.neighbourhood_id], now) for each in session.scalars(query)]


def _doors(session: Session, holding: Sequence[Notice], now: datetime) -> dict[int, int]:
    """As `notices.to_visit` counts them, all in one query: whom no machine may ring is given up by the rounds."""
    late = [each.id for each in holding if now >= notices.half_time(each)]
    query = select(Hearer.notice_id, func.count()).join(Person, Person.id == Hearer.person_id)
    query = query.where(Hearer.notice_id.in_(each.id for each in holding), Person.state.not_in(GONE))
    query = query.where(
        Hearer.understood_at.is_(None), or_(Hearer.given_up_at.is_not(None), Hearer.notice_id.in_(late))
    )
    return {number: count for number, count in session.execute(query.group_by(Hearer.notice_id))}


def _line(notice: Notice, place: Neighbourhood, now: datetime, doors: int = 0) -> Line:
    return Line(
        number=notice.number,
        topic=notice.topic,
        text=notice.text,
        urgent_by=(notice.urgent_by or notice.by) if notice.urgent else "",
        recorded=bool(notice.recording),
        whom=whom_zh(notice.buildings, notice.language),
        since=notice.valid_from,
        until=notice.valid_until,
        by=notice.by,
        state=state(notice, now),
        place=place.name,
        zone=place.timezone,
        doors=doors,
    )


def state(notice: Notice, now: datetime) -> str:
    if notice.withdrawn_at is not None:
        return "withdrawn"
    if notice.valid_until <= now:
        return "over"
    return "ahead" if now < notice.valid_from else "holds"


# ── one of them ───────────────────────────────────────────────────────────────────────────────────


def one(session: Session, number: int, asked: str, now: datetime) -> One | None:
    """`asked`: part of a name, or a building."""
    notice = session.get(Notice, number - FIRST_NOTICE + 1)
    if notice is None:
        return None
    place = session.get_one(Neighbourhood, notice.neighbourhood_id)
    history, seen = _history(session, notice)
    found = _unheard(session, notice, asked, now) if notices.holds(notice, now) else []
    line = _line(notice, place, now, sum(each.door for each in found))
    return One(
        line=line,
        unheard=tuple(found[:SHOWN]),
        more=len(found[SHOWN:]),
        history=history,
        seen=seen,
        withdrawn_by=notice.withdrawn_by or "",
        withdrawn_at=notice.withdrawn_at,
        complaint=_complaint(session, notice),
    )


def _unheard(session: Session, notice: Notice, asked: str, now: datetime) -> list[Unheard]:
    """To whom somebody must go, from building to building; then the others."""
    doors = {row.id for row, _ in notices.to_visit(session, notice, now)}
    found = [each for each in notices.unreached(session, notice) if not asked or matches(asked, each[1])]
    return sorted((_one(row, person, row.id in doors) for row, person in found), key=lambda each: not each.door)


def _one(row: Hearer, person: Person, door: bool) -> Unheard:
    return Unheard(
        person.id, person.name, person.address or "", national(person.number), why_unheard(row, person), door
    )


def _complaint(session: Session, notice: Notice) -> int | None:
    row = session.get(Complaint, notice.complaint_id) if notice.complaint_id else None
    return row.number if row else None


def _history(session: Session, notice: Notice) -> tuple[tuple[Done, ...], int]:
    query = select(NoticeEvent).where(NoticeEvent.notice_id == notice.id).order_by(NoticeEvent.id.desc()).limit(SHOWN)
    events = list(session.scalars(query))
    told = {(event.detail or {}).get("person", "") for event in events}
    names = {person.id: person.name for person in session.scalars(select(Person).where(Person.id.in_(told)))}
    done = tuple(
        Done(event.at, event.what, event.who, names.get((event.detail or {}).get("person", ""), "")) for event in events
    )
    return done, events[0].id if events else 0
