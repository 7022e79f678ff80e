"""Which policy holds for an elder: the default, over it what differs in the neighbourhood, over that what differs for
this elder. One that came in past the register's check stops nobody's calls: it counts for nothing, and is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from checkins.escalation.policy import Escalation
from checkins.names import named
from checkins.policy import CALLS_FROM, CALLS_UNTIL, MOVED, Policy
from checkins.policy_drafts import changed
from checkins.roster.tables import RosterChange
from checkins.tables import Neighbourhood, Person

log = logging.getLogger(__name__)

MOST_LINES = 2000  # settings.py: lines
SECTIONS = ("policy", "escalation")
T = TypeVar("T")
Document = Mapping[str, Any] | None


def call_policy(place: Neighbourhood, elder: Person | None = None) -> Policy:
    """How the line calls this elder; without one, any elder of the neighbourhood."""
    return _readable(Policy.from_json, place.policy, elder.policy if elder else None, place)


def escalation(elder: Person) -> Escalation:
    """Who is rung for this elder, and when."""
    return escalation_in(elder.neighbourhood, elder)


def escalation_in(place: Neighbourhood, elder: Person | None = None) -> Escalation:
    """Likewise; without an elder, for any of the neighbourhood."""
    return _readable(Escalation.from_json, place.escalation, elder.escalation if elder else None, place)


def _readable(read: Callable[..., T], of_place: Document, of_elder: Document, place: Neighbourhood) -> T:
    """Of both documents; when that can't be read, of the neighbourhood's alone; else the default."""
    for documents in ((of_place or {}, of_elder or {}), (of_place or {},)):
        try:
            return read(*documents)
        except ValueError as error:
            log.error("a policy in neighbourhood %s counts for nothing: %s", place.id, error)
    return read()


def broken(session: Session, place_id: int | None = None) -> Iterator[tuple[Neighbourhood, Person | None, str]]:
    """Every policy that can't be read, whose it is (None: the neighbourhood's), and the sentence that says why."""
    places = select(Neighbourhood).order_by(Neighbourhood.id)
    for place in session.scalars(places if place_id is None else places.where(Neighbourhood.id == place_id)):
        yield from ((place, None, why) for why in _faults((place.policy,), (place.escalation,)))
    query = select(Person).where(Person.policy.is_not(None) | Person.escalation.is_not(None)).order_by(Person.id)
    query = query.options(joinedload(Person.neighbourhood))
    for person in session.scalars(query if place_id is None else query.where(Person.neighbourhood_id == place_id)):
        place = person.neighbourhood
        layers = (place.policy, person.policy), (place.escalation, person.escalation)
        yield from ((place, person, why) for why in _faults(*layers))


def _faults(policy: tuple[Document, ...], escalation: tuple[Document, ...]) -> Iterator[str]:
    """Of the last layer: by itself, and over the one below where that is sound."""
    for read, layers in ((Policy.from_json, policy), (Escalation.from_json, escalation)):
        *below, own = layers
        why = _fault(read, own)
        if why is None and own is not None and not any(_fault(read, each) for each in below):
            why = _fault(read, *layers)
        if why is not None:
            yield why


def _fault(read: Callable[..., object], *documents: Document) -> str | None:
    try:
        read(*(document or {} for document in documents))
    except ValueError as error:
        return str(error)
    return None


# ── written by a name ─────────────────────────────────────────────────────────────────────────────


def put(
    session: Session, place: Neighbourhood, elder: Person | None, sections: Mapping[str, Any], by: str, now: datetime
) -> None:
    """Each section ("policy", "escalation") stands instead of what was written for this elder, or without one for the
    neighbourhood; None takes it back. Who changed which entries is kept. ValueError when something can't be read then,
    there or for an elder above it."""
    whose, name = elder or place, named(by)
    before = {why for *_, why in broken(session, place.id)}
    for section, document in sections.items():
        _no_strangers(section, document)
        detail = {**({"elder": elder.id} if elder else {}), "changed": changed(getattr(whose, section), document)}
        setattr(whose, section, {} if document is None and elder is None and section == "policy" else document)
        session.add(RosterChange(neighbourhood_id=place.id, at=now, what=section, who=name, detail=detail))
    session.flush()
    for _place, person, why in broken(session, place.id):
        if why not in before:
            raise ValueError(f"{person.name}: {why}" if person and person is not elder else why)


def put_window(session: Session, place: Neighbourhood, begins: int, ends: int, by: str, now: datetime) -> None:
    """Between which minutes of the day the planner spreads the slots. ValueError names what can't be."""
    who = named(by)
    if not CALLS_FROM <= begins < ends <= CALLS_UNTIL:
        raise ValueError("policy: plan_from must lie before plan_until, and both within 08:00 to 21:00")
    detail = {
        "changed": changed(
            {"plan_from": place.plan_from, "plan_until": place.plan_until}, {"plan_from": begins, "plan_until": ends}
        )
    }
    place.plan_from, place.plan_until = begins, ends
    session.add(RosterChange(neighbourhood_id=place.id, at=now, what="window", who=who, detail=detail))


def put_lines(session: Session, place: Neighbourhood, lines: int | None, by: str, now: datetime) -> None:
    """Of how many of the trunk's lines the planner makes use for this neighbourhood; None: of all that there are."""
    who = named(by)
    if lines is not None and not 1 <= lines <= MOST_LINES:
        raise ValueError(f"lines must be 1 to {MOST_LINES}")
    detail = {"changed": changed({"lines": place.lines}, {"lines": lines})}
    place.lines = lines
    session.add(RosterChange(neighbourhood_id=place.id, at=now, what="lines", who=who, detail=detail))


def _no_strangers(section: str, document: object) -> None:
    if section not in SECTIONS:
        raise ValueError(f"unknown section {section!r}: write {' and '.join(SECTIONS)}")
    if not isinstance(document, Mapping | None):
        raise ValueError(f"{section}: must be an object of entries")
    for entry, where in MOVED.items():
        if section == "policy" and entry in (document or {}):
            raise ValueError(f"policy: {entry} belongs into {where}")


def left_over(session: Session) -> Iterator[tuple[Neighbourhood, Person | None, str]]:
    """Entries that change nothing, as `broken` tells the others."""
    for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)):
        yield from ((place, None, why) for why in _moved(place.policy))
    query = select(Person).where(Person.policy.is_not(None)).order_by(Person.id)
    for person in session.scalars(query.options(joinedload(Person.neighbourhood))):
        yield from ((person.neighbourhood, person, why) for why in _moved(person.policy))


def _moved(document: Document) -> Iterator[str]:
    known = document if isinstance(document, Mapping) else {}
    return (
        f"policy: {entry} changes nothing; it belongs into {where}" for entry, where in MOVED.items() if entry in known
    )
