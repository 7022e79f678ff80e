"""What the pages show, gathered in one look at the database. Values only; the templates do the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import cases, deciding
from checkins.alarms import Alarm, open_alarms
from checkins.auditor import Late
from checkins.cases import Event, Row
from checkins.cycle import is_clock_behind
from checkins.items import Item
from checkins.pace import LIVE, is_line_down
from checkins.phones import national
from checkins.results import Status, Urgency
from checkins.tables import CallIntent, Checkin, Neighbourhood, Person
from console import call_log, flagged_view, ladder_view
from console.call_log import CallLog, Second
from console.ladder_view import Ladder

HOME = "Asia/Shanghai"  # for what belongs to no place


_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def named(session: Session, notes: Sequence[str]) -> list[str]:
    """The notes, which name people by id as the log does, with who that is."""
    return [note + _who(session, note) for note in notes]


def _who(session: Session, note: str) -> str:
    people = [person for found in _ID.findall(note) if (person := session.get(Person, found))]
    return "".join(f"（{person.name}，电话{national(person.number) or '没有'}）" for person in people)


@dataclass(frozen=True)
class House:
    """How the machine itself stands. `talking`: calls on a line now."""

    clock_behind: bool
    line_down: bool
    talking: int

    @property
    def well(self) -> bool:
        return not self.clock_behind


@dataclass(frozen=True)
class Shell:
    """What stands on every page: alarms of the line, how many items wait, and emergencies that nobody has yet (case and
    name). `seen`: the end of the logs that it was made from."""

    alarms: tuple[Alarm, ...]
    items: int
    zone: str
    emergencies: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    seen: str = ""


@dataclass(frozen=True)
class LateElder:
    """`case` is None when the plan forgot them altogether."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    since: datetime
    zone: str
    case: int | None


@dataclass(frozen=True)
class Home:
    """What whoever goes must know; "" for what nobody wrote down. Personal."""

    address: str = field(repr=False)
    key_holder: str = field(repr=False)
    notes: str = field(repr=False)


@dataclass(frozen=True)
class CasePage:
    row: Row
    place: str
    events: tuple[Event, ...]
    names: Mapping[str, str] = field(repr=False)  # of responders, by id
    ladder: Ladder | None
    home: Home
    calls: tuple[CallLog, ...]
    second: Mapping[str, Second]  # by recording
    seen: Mapping[int, int]  # of this case, the last event that stands on the page
    heard: Mapping[int, datetime]  # and the last recording


def house(session: Session, now: datetime) -> House:
    live = select(func.count()).where(CallIntent.state.in_(LIVE))
    return House(is_clock_behind(session, now), is_line_down(session, now), session.scalar(live) or 0)


def shell(session: Session, now: datetime, seen: str = "") -> Shell:
    zone = session.scalars(select(Neighbourhood.timezone).order_by(Neighbourhood.id).limit(1)).first()
    waiting = select(func.count()).select_from(Item).where(Item.done_at.is_(None))
    return Shell(tuple(open_alarms(session)), session.scalar(waiting) or 0, zone or HOME, _emergencies(session), seen)


def _emergencies(session: Session) -> tuple[tuple[int, str], ...]:
    """Longest waiting first."""
    waits = (
        Checkin.status == Status.NEEDS_PERSON,
        Checkin.urgency == Urgency.EMERGENCY,
        func.coalesce(Checkin.owner, "") == "",
    )
    found = select(Checkin.id, Person.name).join(Person, Person.id == Checkin.elder_id).where(*waits)
    return tuple((case, name) for case, name in session.execute(found.order_by(Checkin.slot, Checkin.id)))


def case(session: Session, checkin_id: int, now: datetime) -> CasePage | None:
    seen, heard = deciding.last_events(session, [checkin_id]), flagged_view.recorded_of(session, [checkin_id])
    row = cases.one(session, checkin_id)
    if row is None:
        return None
    person = session.get_one(Person, row.elder_id)
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    calls = tuple(call_log.calls(session, row.intents))
    events = tuple(cases.events(session, checkin_id))
    names = ladder_view.names(session, checkin_id, events)
    return CasePage(
        row,
        place.name,
        events,
        names,
        ladder_view.ladder(session, checkin_id, events, names, now),
        Home(person.address or "", person.key_holder or "", person.notes or ""),
        calls,
        call_log.second_pass(session, row.intents),
        seen,
        heard,
    )


def recording_of(row: Row) -> str | None:
    """The recording that answers "what did they say?"."""
    return row.answer.get("recording") or row.answer.get("message_recording") or None


def late(session: Session, found: Sequence[Late]) -> tuple[LateElder, ...]:
    """Those whom the auditor found, by name."""
    query = (
        select(Person.id, Person.name, Person.number, Neighbourhood.timezone)
        .join(Neighbourhood, Neighbourhood.id == Person.neighbourhood_id)
        .where(Person.id.in_({item.elder_id for item in found}))
    )
    known = {who: (name, number or "", zone) for who, name, number, zone in session.execute(query)}
    return tuple(
        LateElder(name, number, item.since, zone, item.checkin_id)
        for item in found
        if item.elder_id in known
        for name, number, zone in (known[item.elder_id],)
    )
