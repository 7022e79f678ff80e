"""A rehearsal for one elder of the register: by the plan as the planner would make it, and the roster as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.escalation.policy import Escalation
from checkins.planning import planned_for
from checkins.policy import Policy
from checkins.rehearsal.values import Answers, Given, Happens
from checkins.roster.values import Roster
from checkins.schedule import at_minute, day_of
from checkins.tables import Neighbourhood, NumberState, Person


@dataclass(frozen=True)
class Question:
    """`day` lies ahead. `minute`: of the day, when the alarm button is pressed."""

    day: date
    happens: Happens = Happens.NO_ANSWER
    answers: Answers = Answers.NOBODY
    minute: int = 20 * 60


@dataclass(frozen=True)
class Policies:
    """What would hold. `usual`: how the line calls any elder of the neighbourhood; by it the day is planned."""

    usual: Policy
    policy: Policy
    escalation: Escalation


def given(
    session: Session,
    place: Neighbourhood,
    elder: Person,
    question: Question,
    policies: Policies,
    roster: Roster,
    trunk: Trunk,
) -> Given | None:
    """None: on that day nobody would call, for she is paused, moved or has died."""
    planned = planned_for(session, place, question.day, elder.id, trunk.lines, policies.usual)
    if planned is None:
        return None
    button = question.happens is Happens.BUTTON
    return Given(
        elder_id=elder.id,
        number=elder.number if elder.number_state == NumberState.OK else None,
        at=at_minute(place.timezone, question.day, question.minute) if button else planned.at,
        reason=None if button else planned.reason,
        day=day_of(place.timezone, question.day, policies.policy),
        policy=policies.policy,
        escalation=policies.escalation,
        roster=roster,
        trunk=trunk,
        happens=question.happens,
        answers=question.answers,
    )
