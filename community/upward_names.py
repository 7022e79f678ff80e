"""Who saw to a case, as the street office may read it. Pure but for one look at the register."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.results import LINE
from checkins.tables import Neighbourhood, Person, Role
from community.level_above import NOT_SHARED

LINE_ZH = "自动语音电话"
_CONSENT: Mapping[str, str] = {Role.BUDDY: "buddy", Role.FAMILY: "family"}  # purpose that lets them be named


def roles(session: Session, place: Neighbourhood, staff: Collection[str]) -> dict[str, set[str]]:
    """What everybody of this name is here. `staff`: names that the register need not know."""
    found: dict[str, set[str]] = {name: {Role.STAFF} for name in staff}
    query = select(Person.name, Person.role).where(Person.neighbourhood_id == place.id, Person.role != Role.ELDER)
    for name, role in session.execute(query.distinct()):
        found.setdefault(name, set()).add(role)
    return found


def seen_to_by(elder: Person, name: str, known: Mapping[str, Collection[str]]) -> str:
    """Staff, the elder, and whom the elder lets the line tell of them. What stands there is a name and no more: when it
    may be somebody's whom they don't, or nobody knows it, it is not said."""
    if name in ("", LINE):
        return LINE_ZH if name else ""
    if name == elder.name:
        return name
    there = known.get(name, ())
    agreed = all(role == Role.STAFF or elder.consents.get(_CONSENT.get(role, "")) for role in there)
    return name if there and agreed else NOT_SHARED
