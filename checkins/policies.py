"""Which policy holds for an elder: the default, over it what differs in the neighbourhood, over that what differs for
this elder. One that came in past the register's check stops nobody's calls: it counts for nothing, and is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.tables import Neighbourhood, Person

log = logging.getLogger(__name__)

T = TypeVar("T")
Document = Mapping[str, Any] | None


def call_policy(place: Neighbourhood, elder: Person | None = None) -> Policy:
    """How the line calls this elder; without one, any elder of the neighbourhood."""
    return _readable(Policy.from_json, place.policy, elder.policy if elder else None, place)


def escalation(elder: Person) -> Escalation:
    """Who is rung for this elder, and when."""
    place = elder.neighbourhood
    return _readable(Escalation.from_json, place.escalation, elder.escalation, place)


def _readable(read: Callable[..., T], of_place: Document, of_elder: Document, place: Neighbourhood) -> T:
    """Of both documents; when that can't be read, of the neighbourhood's alone; else the default."""
    for documents in ((of_place or {}, of_elder or {}), (of_place or {},)):
        try:
            return read(*documents)
        except ValueError as error:
            log.error("a policy in neighbourhood %s counts for nothing: %s", place.id, error)
    return read()


def broken(session: Session) -> Iterator[tuple[Neighbourhood, Person | None, str]]:
    """Every policy that can't be read, whose it is (None: the neighbourhood's), and the sentence that says why."""
    for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)):
        yield from ((place, None, why) for why in _faults(place.policy, place.escalation))
    query = select(Person).where(Person.policy.is_not(None) | Person.escalation.is_not(None)).order_by(Person.id)
    query = query.options(joinedload(Person.neighbourhood))
    for person in session.scalars(query):
        yield from ((person.neighbourhood, person, why) for why in _faults(person.policy, person.escalation))


def _faults(policy: Document, escalation: Document) -> Iterator[str]:
    for read, document in ((Policy.from_json, policy), (Escalation.from_json, escalation)):
        try:
            read(document or {})
        except ValueError as error:
            yield str(error)
