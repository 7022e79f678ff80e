"""Writes the demo's neighbourhood into a fresh database, and says when its morning begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.escalation.policy import Escalation, Plan, Who
from checkins.people_csv import CONSENTS
from checkins.roster import edits
from checkins.roster.holidays import Calendar, next_working_time
from checkins.roster.values import Rotation
from checkins.schedule import at_minute, local_date
from checkins.tables import Neighbourhood, Person, Role, State
from demo.scenario import Elder, Helper, Scenario

ZONE = "Asia/Shanghai"
MORNING = 7 * 60 + 59  # a minute before the first slot: the plan is made before anybody is due
PAUSE_DAYS = 28
BY = "演示"  # who wrote the roster


def morning(now: datetime) -> datetime:
    """07:59 in the neighbourhood on the day that `now` is there, or on the next working day: on a Sunday most of the
    cases would wait for Monday."""
    begins = at_minute(ZONE, local_date(ZONE, now), MORNING)
    return at_minute(ZONE, local_date(ZONE, next_working_time(Calendar(zone=ZONE), begins)), MORNING)


def create(session: Session, scenario: Scenario, day: date) -> int:
    """Adds neighbourhood and people, unless they are there; returns the neighbourhood's id. ValueError when the
    database holds anybody else: a demo must never mix with real people."""
    known = session.scalars(select(Neighbourhood)).all()
    if [place.name for place in known] == [scenario.name]:
        return known[0].id
    if known or session.scalar(select(func.count()).select_from(Person)):
        raise ValueError("the database holds people already; the demo needs a fresh one")
    place = Neighbourhood(
        name=scenario.name,
        committee=scenario.committee,
        notice=scenario.notice,
        timezone=ZONE,
        area_code="021",
        escalation=_escalation().to_json(),
    )
    session.add(place)
    session.flush()
    people = [_elder(place.id, elder, day) for elder in scenario.elders]
    people += [_helper(place.id, helper) for helper in scenario.helpers]
    session.add_all(people)
    session.flush()
    _roster(session, place.id, scenario, {person.name: person.id for person in people}, day)
    return place.id


def _roster(session: Session, place_id: int, scenario: Scenario, ids: Mapping[str, str], day: date) -> None:
    """Who is rung when an elder needs a person."""
    now, roster = at_minute(ZONE, day, MORNING), scenario.roster
    for elder in scenario.elders:
        for buddy in elder.buddies:
            edits.pair(session, ids[elder.name], ids[buddy], BY, now)
        if elder.family:
            edits.set_family(session, ids[elder.name], [ids[name] for name in elder.family], BY, now)
    if roster.duty:
        turns = tuple(ids[name] for name in roster.duty)
        edits.set_rotation(session, place_id, Rotation(turns, day, day.weekday(), minute=0), BY, now)
    edits.set_deputy(session, place_id, ids[roster.deputy] if roster.deputy else None, BY, now)
    for year in (day.year, day.year + 1):  # the law's own holiday: with it a year's table counts as known
        edits.set_working_day(session, date(year, 10, 1), False, BY, now)


def _escalation() -> Escalation:
    """Buddies go to whoever isn't reached. Before nine they would be rung for all else, too: a race with the desk
    that takes it by name."""
    usual = Escalation()
    return replace(usual, soon=_without_buddies(usual.soon), today=_without_buddies(usual.today))


def _without_buddies(plan: Plan) -> Plan:
    steps = (replace(step, who=tuple(who for who in step.who if who is not Who.BUDDY)) for step in plan.steps)
    return replace(plan, steps=tuple(steps))


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
