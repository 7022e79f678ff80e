"""Who is to be rung at a moment: override before leave before rotation before pair. Pure.

- Nobody without a working number and nobody on leave is ever returned, and each person once.
- An override holds for whoever it names; when its person can't come either, whoever stands in for that one.
- Volunteers are rung in their shifts, and never outside volunteers' hours; an override is a shift of its own. In an
  emergency neither shifts nor hours nor an elder's wish not to share count (PRODUCT.md), leave does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from checkins.roster.spans import day_spans, within
from checkins.roster.turns import in_turn
from checkins.roster.values import VOLUNTEERS_HOURS, Duty, Kind, Override, Responder, Roster, Shift
from checkins.schedule import local_date


def buddies_for(roster: Roster, elder_id: str, at: datetime, *, emergency: bool = False) -> tuple[Responder, ...]:
    """Who may be rung now to go and see this elder, in order: who is named for the elder by an override; the elder's
    buddies; their substitutes; the neighbourhood's. Empty for an elder unknown, or who does not share with buddies."""
    if not _shares(roster, elder_id, Kind.BUDDY, emergency):
        return ()
    if not emergency and not in_volunteers_hours(roster.zone, at):
        return ()
    active = _active(roster, at)
    named = (each.person_id for each in reversed(active) if each.elder_id == elder_id and each.instead_of is None)
    usual = (*named, *line_up(roster, elder_id))
    actual = (_stand_in(roster, active, person_id, at, elder_id) for person_id in usual)
    ready = (each for each in actual if emergency or _on_shift(roster, active, each, elder_id, at))
    return _responders(roster, ready, at, Kind.BUDDY)


def on_duty(roster: Roster, at: datetime) -> Duty:
    """Who is on duty, at any hour: whose turn it is, or who stands in; else the next in the rotation; else the deputy;
    else whoever was only overridden. The deputy of the result is somebody else: the deputy, else the next."""
    active = _active(roster, at)
    turn = () if roster.rotation is None else in_turn(roster.rotation, roster.zone, at)
    deputy = () if roster.deputy_id is None else (roster.deputy_id,)
    now, deputies = ([_stand_in(roster, active, each, at, None) for each in people] for people in (turn, deputy))
    order = (*now, *deputies, *turn, *deputy)
    first = next(iter(_responders(roster, order, at, Kind.DUTY)), None)
    others = _responders(roster, (*deputies, *order), at, Kind.DEPUTY)
    return Duty(first, next((each for each in others if first is None or each.id != first.id), None))


def family_of(roster: Roster, elder_id: str, at: datetime, *, emergency: bool = False) -> tuple[Responder, ...]:
    """The elder's family, in order, at any hour; empty when the elder does not share with them."""
    if not _shares(roster, elder_id, Kind.FAMILY, emergency):
        return ()
    return _responders(roster, roster.family.get(elder_id, ()), at, Kind.FAMILY)


def street(roster: Roster) -> tuple[Responder, ...]:
    """The street office's 24-hour number, if there is one."""
    return () if roster.street is None or roster.street.number is None else (roster.street,)


def responders(
    roster: Roster, elder_id: str, at: datetime, *, emergency: bool = False, vital: bool = False
) -> dict[Kind, tuple[Responder, ...]]:
    """Everybody who may be rung for this elder now, by capacity; an entry for each, empty when there is nobody.
    `vital`: nobody knows how they are: the street office is rung whatever they share, as in an emergency."""
    duty = on_duty(roster, at)
    return {
        Kind.BUDDY: buddies_for(roster, elder_id, at, emergency=emergency),
        Kind.DUTY: () if duty.first is None else (duty.first,),
        Kind.DEPUTY: () if duty.deputy is None else (duty.deputy,),
        Kind.FAMILY: family_of(roster, elder_id, at, emergency=emergency),
        Kind.STREET: street(roster) if vital or emergency or _shares(roster, elder_id, Kind.STREET, False) else (),
    }


def line_up(roster: Roster, elder_id: str) -> tuple[str, ...]:
    """Ids of the elder's buddies, their substitutes and the neighbourhood's, as if nobody were ever away."""
    pairs = roster.pairs.get(elder_id, ())
    own = (substitute for pair in pairs for substitute in pair.substitutes)
    return tuple(dict.fromkeys((*(pair.buddy_id for pair in pairs), *own, *roster.substitutes)))


def in_volunteers_hours(zone: str, at: datetime) -> bool:
    return within(day_spans(zone, local_date(zone, at), VOLUNTEERS_HOURS), at)


def _shares(roster: Roster, elder_id: str, kind: Kind, emergency: bool) -> bool:
    elder = roster.elders.get(elder_id)
    return elder is not None and (emergency or kind in elder.shares)


def _active(roster: Roster, at: datetime) -> tuple[Override, ...]:
    return tuple(each for each in roster.overrides if each.begins <= at < each.ends)


def _stand_in(roster: Roster, active: Iterable[Override], person_id: str, at: datetime, elder_id: str | None) -> str:
    """Who stands in for somebody: by one override, or by more when its person can't be rung. Somebody who can't
    be rung when the chain ends so."""
    instead = {each.instead_of: each.person_id for each in active if each.elder_id in (None, elder_id)}
    seen = {person_id}
    while person_id in instead:
        person_id = instead[person_id]
        if person_id in seen or _reachable(roster, person_id, at):
            break
        seen.add(person_id)
    return person_id


def _on_shift(roster: Roster, active: Iterable[Override], person_id: str, elder_id: str, at: datetime) -> bool:
    shifts = roster.shifts.get(person_id, ())
    return (
        not shifts
        or _in_shift(roster.zone, shifts, at)
        or any(each.person_id == person_id and each.elder_id in (None, elder_id) for each in active)
    )


def _in_shift(zone: str, shifts: tuple[Shift, ...], at: datetime) -> bool:
    day = local_date(zone, at)
    today = (((shift.begins, shift.ends),) for shift in shifts if shift.weekday == day.weekday())
    return any(within(day_spans(zone, day, minutes), at) for minutes in today)


def _responders(roster: Roster, ids: Iterable[str], at: datetime, kind: Kind) -> tuple[Responder, ...]:
    people = (roster.people[each] for each in _ready(roster, dict.fromkeys(ids), at))
    return tuple(person if person.kind is kind else _in_capacity(person, kind) for person in people)


@lru_cache(maxsize=8192)
def _in_capacity(person: Responder, kind: Kind) -> Responder:
    return replace(person, kind=kind)


def _ready(roster: Roster, ids: Iterable[str], at: datetime) -> Iterator[str]:
    return (person_id for person_id in ids if _reachable(roster, person_id, at))


def _reachable(roster: Roster, person_id: str, at: datetime) -> bool:
    person = roster.people.get(person_id)
    if person is None or person.number is None:
        return False
    return not any(leave.begins <= at < leave.ends for leave in roster.leave.get(person_id, ()))
