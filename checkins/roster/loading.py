"""A neighbourhood's roster from the database, as a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from checkins.roster.holidays import OFFICE, Calendar
from checkins.roster.tables import (
    CalendarDay,
    RosterDuty,
    RosterFamily,
    RosterLeave,
    RosterOverride,
    RosterPair,
    RosterShift,
    RosterSubstitute,
    RosterTurn,
)
from checkins.roster.values import Elder, Kind, Leave, Override, Pair, Responder, Roster, Rotation, Shift
from checkins.schedule import at_minute
from checkins.tables import GONE, Neighbourhood, NumberState, Person, Role, State

_KINDS = {Role.BUDDY: Kind.BUDDY, Role.STAFF: Kind.DUTY, Role.FAMILY: Kind.FAMILY}
_SHARES = {"buddy": Kind.BUDDY, "family": Kind.FAMILY, "street": Kind.STREET}  # consent → who may hear
_COLUMNS = (
    Person.id,
    Person.name,
    Person.spoken_name,
    Person.number,
    Person.number_state,
    Person.language,
    Person.role,
    Person.state,
    Person.state_until,
)


def load(session: Session, neighbourhood_id: int, at: datetime) -> Roster:
    """The roster as it stands, with all leave and overrides that end after `at`.

    Whoever moved, died or refused calls is not in it; who is paused is on leave; a number that is suspended or bad
    (of staff: suspended) counts as none. Elders who moved or died are left out, all others are in."""
    place = session.get_one(Neighbourhood, neighbourhood_id)
    staff = _staff(session, place.id)
    return replace(
        load_lists(session, place.id),
        people={row.id: _responder(row) for row in staff},
        gone=_gone(session, place.id),
        elders=_elders(session, place.id),
        leave=_leave(session, place, staff, at),
        overrides=_overrides(session, place.id, at),
    )


def load_lists(session: Session, neighbourhood_id: int) -> Roster:
    """Who is named in it and in which order, without anything about these people and when they are away."""
    place = session.get_one(Neighbourhood, neighbourhood_id)
    duty = session.get(RosterDuty, place.id)
    substitutes = _substitutes(session, place.id)
    return Roster(
        zone=place.timezone,
        pairs=_pairs(session, place.id, substitutes),
        substitutes=substitutes.get(None, ()),
        shifts=_shifts(session, place.id),
        rotation=load_rotation(session, duty),
        deputy_id=None if duty is None else duty.deputy_id,
        family=_family(session, place.id),
        street=_street(duty),
        calendar=load_calendar(session, place.timezone, duty),
    )


def calendar_of(session: Session, neighbourhood_id: int) -> Calendar:
    """When this committee is at work. Costs little: nothing else of the roster is loaded for it."""
    place = session.get_one(Neighbourhood, neighbourhood_id)
    return load_calendar(session, place.timezone, session.get(RosterDuty, place.id))


def load_calendar(session: Session, zone: str, duty: RosterDuty | None) -> Calendar:
    days = {row.day: row.working for row in session.scalars(select(CalendarDay))}
    hours = OFFICE if duty is None or duty.hours is None else tuple((begins, ends) for begins, ends in duty.hours)
    return Calendar(zone, hours, days)


def _staff(session: Session, place_id: int) -> list[Row[Any]]:
    """Everybody who may be rung; elders are not rung for each other."""
    query = select(*_COLUMNS).where(Person.neighbourhood_id == place_id, Person.role != Role.ELDER)
    return list(session.execute(query.where(Person.state.not_in((*GONE, State.REFUSED)))))


def _gone(session: Session, place_id: int) -> dict[str, str]:
    """Names of those who moved, died or refused calls, by id."""
    query = select(Person.id, Person.name).where(Person.neighbourhood_id == place_id, Person.role != Role.ELDER)
    return {row.id: row.name for row in session.execute(query.where(Person.state.in_((*GONE, State.REFUSED))))}


def may_ring(number_state: str, role: str) -> bool:
    """Staff on duty are rung even when the carrier said that there is no such number: a call too many harms nobody."""
    return number_state == NumberState.OK or (number_state == NumberState.BAD and role == Role.STAFF)


def _responder(row: Row[Any]) -> Responder:
    number = row.number if may_ring(row.number_state, row.role) else None
    return Responder(row.id, row.name, row.spoken_name, number, _KINDS[Role(row.role)], row.language)


def _elders(session: Session, place_id: int) -> dict[str, Elder]:
    query = select(Person.id, Person.spoken_name, Person.consents)
    query = query.where(Person.neighbourhood_id == place_id, Person.role == Role.ELDER, Person.state.not_in(GONE))
    return {row.id: Elder(row.id, row.spoken_name, _shares(row.consents)) for row in session.execute(query)}


def _shares(consents: Mapping[str, Any]) -> frozenset[Kind]:
    return frozenset(kind for purpose, kind in _SHARES.items() if consents.get(purpose))


def _pairs(
    session: Session, place_id: int, substitutes: Mapping[int | None, tuple[str, ...]]
) -> dict[str, tuple[Pair, ...]]:
    pairs: dict[str, tuple[Pair, ...]] = defaultdict(tuple)
    query = select(RosterPair.id, RosterPair.elder_id, RosterPair.buddy_id)
    query = query.where(RosterPair.neighbourhood_id == place_id)
    for row in session.execute(query.order_by(RosterPair.position, RosterPair.id)):
        pairs[row.elder_id] += (Pair(row.elder_id, row.buddy_id, substitutes.get(row.id, ())),)
    return dict(pairs)


def _substitutes(session: Session, place_id: int) -> dict[int | None, tuple[str, ...]]:
    """By pair; None: the neighbourhood's."""
    found: dict[int | None, tuple[str, ...]] = defaultdict(tuple)
    query = select(RosterSubstitute).where(RosterSubstitute.neighbourhood_id == place_id)
    for row in session.scalars(query.order_by(RosterSubstitute.position)):
        found[row.pair_id] += (row.person_id,)
    return dict(found)


def _shifts(session: Session, place_id: int) -> dict[str, tuple[Shift, ...]]:
    shifts: dict[str, tuple[Shift, ...]] = defaultdict(tuple)
    query = select(RosterShift).where(RosterShift.neighbourhood_id == place_id)
    for row in session.scalars(query.order_by(RosterShift.weekday, RosterShift.begins)):
        shifts[row.person_id] += (Shift(row.weekday, row.begins, row.ends),)
    return dict(shifts)


def _leave(session: Session, place: Neighbourhood, staff: list[Row[Any]], at: datetime) -> dict[str, tuple[Leave, ...]]:
    leave: dict[str, tuple[Leave, ...]] = defaultdict(tuple)
    for person in staff:
        if person.state == State.PAUSED:
            ends = at_minute(place.timezone, person.state_until, 24 * 60)
            leave[person.id] = (Leave(at, ends),) if at < ends else ()
    query = select(RosterLeave).where(RosterLeave.neighbourhood_id == place.id, RosterLeave.ends > at)
    for row in session.scalars(query.order_by(RosterLeave.begins, RosterLeave.id)):
        leave[row.person_id] += (Leave(row.begins, row.ends),)
    return dict(leave)


def _overrides(session: Session, place_id: int, at: datetime) -> tuple[Override, ...]:
    query = select(RosterOverride).where(RosterOverride.neighbourhood_id == place_id, RosterOverride.ends > at)
    rows = session.scalars(query.order_by(RosterOverride.id))
    return tuple(Override(row.person_id, row.begins, row.ends, row.instead_of, row.elder_id) for row in rows)


def load_rotation(session: Session, duty: RosterDuty | None) -> Rotation | None:
    if duty is None or duty.rotation is None:
        return None
    turns = select(RosterTurn.person_id).where(RosterTurn.neighbourhood_id == duty.neighbourhood_id)
    people = tuple(session.scalars(turns.order_by(RosterTurn.position)))
    until = duty.rotation["until"]
    return Rotation(
        people=people,
        anchor=date.fromisoformat(duty.rotation["anchor"]),
        weekday=duty.rotation["weekday"],
        minute=duty.rotation["minute"],
        days=duty.rotation["days"],
        until=None if until is None else date.fromisoformat(until),
    )


def _family(session: Session, place_id: int) -> dict[str, tuple[str, ...]]:
    family: dict[str, tuple[str, ...]] = defaultdict(tuple)
    query = select(RosterFamily).where(RosterFamily.neighbourhood_id == place_id)
    for row in session.scalars(query.order_by(RosterFamily.elder_id, RosterFamily.position)):
        family[row.elder_id] += (row.person_id,)
    return dict(family)


def _street(duty: RosterDuty | None) -> Responder | None:
    if duty is None or duty.street_number is None:
        return None
    name = duty.street_name or "街道"
    return Responder("street", name, name, duty.street_number, Kind.STREET)
