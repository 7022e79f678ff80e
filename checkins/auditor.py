"""Who is late? Asked of the register, with code of its own: an import contract keeps planning and cycle out of it.

Every elder due today is, at every moment, closed by a name or has a next action ahead (PRODUCT.md, "Nothing gets
lost"), and an unreached case never sleeps. An open case of an earlier day counts, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from checkins.tables import Checkin, Neighbourhood, Person

GRACE = timedelta(minutes=2)  # the cycle ticks every second; lines may be taken for a moment
# PRODUCT.md: an unreached case's next action is so near until a name accepts, then until a finding.
AWAKE = timedelta(minutes=10)
AWAKE_TAKEN = timedelta(minutes=30)


@dataclass(frozen=True)
class Late:
    """An elder whom the house has forgotten, or is about to: no case at all, a next action that has passed or lies
    too far ahead, or a case that nobody closed by name."""

    elder_id: str
    neighbourhood_id: int
    checkin_id: int | None
    since: datetime


def late(session: Session, now: datetime, grace: timedelta = GRACE) -> list[Late]:
    """All who are late at `now`, longest first."""
    found = [*_overdue(session, now - grace), *_asleep(session, now + grace)]
    for place in session.scalars(select(Neighbourhood)):
        found += _without_case(session, place, now - grace)
    return sorted(found, key=lambda item: item.since)


def _overdue(session: Session, moment: datetime) -> list[Late]:
    """Open cases, of any day, whose next action has passed or was never set; closed ones that bear no name."""
    forgotten = and_(Checkin.status != "closed", or_(Checkin.due_at.is_(None), Checkin.due_at < moment))
    names = session.scalars(select(Checkin.closed_by).where(Checkin.status == "closed").distinct())
    blank = [name for name in names if name is not None and not _readable(name)]
    nameless = and_(Checkin.status == "closed", or_(Checkin.closed_by.is_(None), Checkin.closed_by.in_(blank)))
    query = select(Checkin.elder_id, Checkin.neighbourhood_id, Checkin.id, Checkin.due_at, Checkin.slot).where(
        or_(forgotten, nameless)
    )
    return [Late(elder, place, case, due or slot) for elder, place, case, due, slot in session.execute(query)]


def _readable(name: str) -> bool:
    """A letter or a digit that can be seen; a rule of its own, as strict as the care room's."""
    return any(sign.isalnum() and sign not in "\u115f\u1160\u3164\uffa0" for sign in name)


def _asleep(session: Session, now: datetime) -> list[Late]:
    """Emergencies and unreached elders whose next action is further ahead than it may ever be."""
    sleeps = or_(
        and_(Checkin.owner.is_(None), Checkin.due_at > now + AWAKE),
        and_(Checkin.owner.is_not(None), Checkin.due_at > now + AWAKE_TAKEN),
    )
    query = select(Checkin.elder_id, Checkin.neighbourhood_id, Checkin.id, Checkin.slot).where(
        Checkin.status == "needs_person", Checkin.urgency.in_(("emergency", "unreached")), sleeps
    )
    return [Late(*row) for row in session.execute(query)]


def _without_case(session: Session, place: Neighbourhood, moment: datetime) -> list[Late]:
    """Elders of the register who count today and have no case, once the morning's window has begun."""
    local = moment.astimezone(ZoneInfo(place.timezone))
    hour, minute = divmod(place.plan_from, 60)
    begin = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if local < begin:
        return []
    counted = or_(
        Person.state.in_(("active", "refused")),
        and_(Person.state == "paused", Person.state_until < local.date()),
    )
    query = (
        select(Person.id)
        .outerjoin(Checkin, and_(Checkin.elder_id == Person.id, Checkin.date == local.date()))
        .where(Person.neighbourhood_id == place.id, Person.role == "elder", counted, Checkin.id.is_(None))
    )
    return [Late(elder, place.id, None, begin.astimezone(UTC)) for elder in session.scalars(query)]
