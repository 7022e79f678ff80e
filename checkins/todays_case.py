"""An elder's case of today, whatever the plan made of it: for news that don't come from the elder's own call."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from checkins import planning, policies
from checkins.case_rows import NEW_LADDER, select_cases
from checkins.results import Reason, Status, Urgency
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person

_LINES = 1  # one elder is planned: over how many lines makes no difference


def case_today(session: Session, elder_id: str, now: datetime, *, act: bool = True) -> Checkin:
    """The elder's case of this local day, locked. Who counts today and isn't planned yet is planned, and keeps
    their own call; who doesn't count (a pause, no longer here) gets a case for a person, to be acted on at once.
    Without `act`, one that is closed by the register: nothing has happened yet that somebody must act on."""
    elder = session.get_one(Person, elder_id)
    place = session.get_one(Neighbourhood, elder.neighbourhood_id)
    day = local_date(place.timezone, now)
    query = select_cases().where(Checkin.elder_id == elder_id, Checkin.date == day).with_for_update(of=Checkin)
    row = session.scalars(query).one_or_none()
    if row is None:
        planning.plan_day(session, place, day, now, _LINES, elder_id)
        row = session.scalars(query).one_or_none()
    if row is None:
        session.add(_for_a_person(elder, place, now) if act else _by_the_register(elder, place, now))
        session.flush()
        row = session.scalars(query).one()
    return row


def _for_a_person(elder: Person, place: Neighbourhood, now: datetime) -> Checkin:
    row = _bare(elder, place, now)
    row.status, row.due_at = Status.NEEDS_PERSON, now
    row.reason, row.urgency = Reason.HUMAN_CONTACT, Urgency.TODAY
    return row


def _by_the_register(elder: Person, place: Neighbourhood, now: datetime) -> Checkin:
    row = _bare(elder, place, now)
    row.status, row.closed_at = Status.CLOSED, now
    row.closed_by, row.finding = (elder.state_source or "").strip() or "register", f"state: {elder.state}"
    return row


def _bare(elder: Person, place: Neighbourhood, now: datetime) -> Checkin:
    return Checkin(
        elder_id=elder.id,
        neighbourhood_id=place.id,
        date=local_date(place.timezone, now),
        slot=now,
        planned_at=now,
        ladder=dict(NEW_LADDER),
        policy=policies.call_policy(place, elder).to_json(),
    )
