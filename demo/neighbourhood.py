"""Writes the demo's neighbourhood into a fresh database, and says when its morning begins."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.people_csv import CONSENTS
from checkins.schedule import at_minute, local_date
from checkins.tables import Neighbourhood, Person, Role, State
from demo.scenario import Elder, Helper, Scenario

ZONE = "Asia/Shanghai"
MORNING = 7 * 60 + 59  # a minute before the first slot: the plan is made before anybody is due
PAUSE_DAYS = 28


def morning(now: datetime) -> datetime:
    """07:59 in the neighbourhood on the day that `now` is there."""
    return at_minute(ZONE, local_date(ZONE, now), MORNING)


def create(session: Session, scenario: Scenario, day: date) -> int:
    """Adds neighbourhood and people, unless they are there; returns the neighbourhood's id. ValueError when the
    database holds anybody else: a demo must never mix with real people."""
    known = session.scalars(select(Neighbourhood)).all()
    if [place.name for place in known] == [scenario.name]:
        return known[0].id
    if known or session.scalar(select(func.count()).select_from(Person)):
        raise ValueError("the database holds people already; the demo needs a fresh one")
    place = Neighbourhood(
        name=scenario.name, committee=scenario.committee, notice=scenario.notice, timezone=ZONE, area_code="021"
    )
    session.add(place)
    session.flush()
    session.add_all(_elder(place.id, elder, day) for elder in scenario.elders)
    session.add_all(_helper(place.id, helper) for helper in scenario.helpers)
    session.flush()
    return place.id


def _elder(place_id: int, elder: Elder, day: date) -> Person:
    return Person(
        neighbourhood_id=place_id,
        role=Role.ELDER,
        name=elder.name,
        spoken_name=elder.spoken_name,
        number=elder.number,
        mode=elder.mode,
        state=elder.state,
        state_until=day + timedelta(days=PAUSE_DAYS) if elder.state is State.PAUSED else None,
        state_source=elder.state_source or None,
        consents=dict.fromkeys(CONSENTS, True),
        slot=elder.slot,
    )


def _helper(place_id: int, helper: Helper) -> Person:
    return Person(
        neighbourhood_id=place_id,
        role=helper.role,
        name=helper.name,
        spoken_name=helper.spoken_name,
        number=helper.number,
        consents={"calls": True},
    )
