"""The roster of one neighbourhood, ready to show. Personal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.roster.duty_days import DutyDay, DutySpan, duty_days, duty_spans
from checkins.roster.gaps import GapKind, shown_ahead
from checkins.roster.loading import load
from checkins.roster.resolve import buddies_for
from checkins.roster.sentences import Sentence, sentence
from checkins.roster.tables import CalendarDay, RosterChange, RosterLeave, RosterOverride
from checkins.roster.values import Kind, Pair, Roster
from checkins.schedule import local_date
from checkins.tables import GONE, Neighbourhood, Person, Role
from console.gaps_ahead import AHEAD

DAYS = 14
MOST = 100  # elders on the page; others by name
_CHANGES = 12
_HANDS_ON = timedelta(days=92)  # how far ahead the end of the present duty is looked for


@dataclass(frozen=True)
class Named:
    id: str
    name: str = field(repr=False)
    role: str


@dataclass(frozen=True)
class GapLine:
    """`gone`: whom a button may take out of the roster."""

    said: Sentence
    gone: str | None
    kind: GapKind
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Ahead:
    """Leave or an override that is not over."""

    id: int
    who: str = field(repr=False)
    instead: str = field(repr=False)
    elder: str = field(repr=False)
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Buddy:
    name: str = field(repr=False)
    away: bool
    gone: bool
    substitutes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ElderLine:
    """`first`: who is rung first as leave stands now, of buddies and substitutes, in their hours; "" for nobody."""

    name: str = field(repr=False)
    spoken_name: str = field(repr=False)
    shares: bool
    buddies: tuple[Buddy, ...]
    family: tuple[str, ...] = field(repr=False)
    first: str = field(repr=False)


@dataclass(frozen=True)
class Change:
    at: datetime
    by: str = field(repr=False)
    what: str
    whom: str = field(repr=False)


@dataclass(frozen=True)
class RosterPage:
    places: tuple[tuple[int, str], ...]
    place_id: int
    place: str
    zone: str
    now: DutySpan
    days: tuple[DutyDay, ...]
    gaps: tuple[GapLine, ...]
    leave: tuple[Ahead, ...]
    overrides: tuple[Ahead, ...]
    calendar: tuple[tuple[date, bool], ...]
    people: tuple[Named, ...]  # whom a form can name: everybody but elders
    elders: tuple[ElderLine, ...]
    elders_all: int
    substitutes: tuple[str, ...] = field(repr=False)
    deputy: str = field(repr=False)
    street: str
    asked: str = field(repr=False)
    changes: tuple[Change, ...]


def look(session: Session, place_id: int | None, asked: str, now: datetime) -> RosterPage | None:
    """`asked`: part of an elder's or buddy's name; None for `place_id`: the first place. None: no such place."""
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    place = next((one for one in places if place_id in (None, one.id)), None)
    if place is None:
        return None
    today = local_date(place.timezone, now)
    roster = load(session, place.id, now - timedelta(days=1))  # what was this morning is shown, too
    names = _names(session, place.id)
    elders = sorted(
        _elders(roster, names, asked, now), key=lambda line: (bool(line.first) or not line.shares, line.name)
    )
    return RosterPage(
        places=tuple((one.id, one.name) for one in places),
        place_id=place.id,
        place=place.name,
        zone=place.timezone,
        now=duty_spans(roster, now, now + _HANDS_ON)[0],
        days=tuple(duty_days(roster, today, DAYS)),
        gaps=tuple(_gaps(roster, now)),
        leave=tuple(_leave(session, place.id, names, now)),
        overrides=tuple(_overrides(session, place.id, names, now)),
        calendar=tuple(_calendar(session, today)),
        people=_people(session, place.id),
        elders=tuple(elders[:MOST]),
        elders_all=len(elders),
        substitutes=tuple(_named(roster.substitutes, names)),
        deputy=names.get(roster.deputy_id or "", ""),
        street=roster.street.name if roster.street else "",
        asked=asked,
        changes=tuple(_changes(session, place.id, names)),
    )


def _names(session: Session, place_id: int) -> dict[str, str]:
    query = select(Person.id, Person.name).where(Person.neighbourhood_id == place_id)
    return {person_id: name for person_id, name in session.execute(query)}


def _people(session: Session, place_id: int) -> tuple[Named, ...]:
    query = select(Person.id, Person.name, Person.role).where(Person.neighbourhood_id == place_id)
    query = query.where(Person.role != Role.ELDER, Person.state.not_in(GONE)).order_by(Person.role.desc(), Person.name)
    return tuple(Named(*row) for row in session.execute(query))


def _gaps(roster: Roster, now: datetime) -> Iterator[GapLine]:
    for gap in shown_ahead(roster, now, AHEAD):
        gone = gap.who[0] if gap.kind is GapKind.GONE else None
        yield GapLine(sentence(roster, gap, now, now + AHEAD), gone, gap.kind, gap.begins, gap.ends)


def _leave(session: Session, place_id: int, names: Mapping[str, str], now: datetime) -> Iterator[Ahead]:
    query = select(RosterLeave).where(RosterLeave.neighbourhood_id == place_id, RosterLeave.ends > now)
    for row in session.scalars(query.order_by(RosterLeave.begins, RosterLeave.id)):
        yield Ahead(row.id, names.get(row.person_id, ""), "", "", row.begins, row.ends)


def _overrides(session: Session, place_id: int, names: Mapping[str, str], now: datetime) -> Iterator[Ahead]:
    query = select(RosterOverride).where(RosterOverride.neighbourhood_id == place_id, RosterOverride.ends > now)
    for row in session.scalars(query.order_by(RosterOverride.begins, RosterOverride.id)):
        who, instead, elder = (names.get(each or "", "") for each in (row.person_id, row.instead_of, row.elder_id))
        yield Ahead(row.id, who, instead, elder, row.begins, row.ends)


def _calendar(session: Session, today: date) -> Iterator[tuple[date, bool]]:
    for row in session.scalars(select(CalendarDay).where(CalendarDay.day >= today).order_by(CalendarDay.day)):
        yield row.day, row.working


def _elders(roster: Roster, names: Mapping[str, str], asked: str, now: datetime) -> Iterator[ElderLine]:
    for elder in roster.elders.values():
        pairs = roster.pairs.get(elder.id, ())
        name = names.get(elder.id, elder.spoken_name)
        if asked and not any(asked in each for each in (name, elder.spoken_name, *_pair_names(pairs, names))):
            continue
        ready = buddies_for(roster, elder.id, now, emergency=True) if pairs or roster.substitutes else ()
        yield ElderLine(
            name,
            elder.spoken_name,
            Kind.BUDDY in elder.shares,
            tuple(_buddy(roster, pair, names, now) for pair in pairs),
            tuple(_named(roster.family.get(elder.id, ()), names)),
            ready[0].name if ready else "",
        )


def _pair_names(pairs: Iterable[Pair], names: Mapping[str, str]) -> Iterator[str]:
    for pair in pairs:
        yield from _named((pair.buddy_id, *pair.substitutes), names)


def _buddy(roster: Roster, pair: Pair, names: Mapping[str, str], now: datetime) -> Buddy:
    away = any(leave.begins <= now < leave.ends for leave in roster.leave.get(pair.buddy_id, ()))
    gone = pair.buddy_id in roster.gone
    return Buddy(names.get(pair.buddy_id, ""), away, gone, tuple(_named(pair.substitutes, names)))


def _named(ids: Iterable[str], names: Mapping[str, str]) -> Iterator[str]:
    return (names[each] for each in ids if each in names)


def _changes(session: Session, place_id: int, names: Mapping[str, str]) -> Iterator[Change]:
    mine = RosterChange.neighbourhood_id.is_(None) | (RosterChange.neighbourhood_id == place_id)
    for row in session.scalars(select(RosterChange).where(mine).order_by(RosterChange.id.desc()).limit(_CHANGES)):
        ids = (row.detail.get(key) for key in ("person", "person_id", "buddy", "elder"))
        whom = dict.fromkeys(names[each] for each in ids if isinstance(each, str) and each in names)
        yield Change(row.at, row.who, row.what, "、".join([*whom, *filter(None, [row.detail.get("day")])]))
