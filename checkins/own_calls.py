"""An elder rings in: the call that begins now, with everybody who lives behind the number, and today's case of each.

Who rings is told by the number alone. It opens what an elder may say of herself (she is well, she will be away, she has
something to say) and names nobody but those who live there; whoever forges it learns their spoken names and the answers
to what they complained of, and a human hears of what it changes: "solved", too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import inbound, ladder, promises, searches
from checkins.case_rows import case_of, log_event, select_cases, served_by
from checkins.errands import herself
from checkins.ports import Callee, CallRequest
from checkins.responders import Rosters
from checkins.results import Status, Urgency
from checkins.roster.holidays import is_working_time
from checkins.tables import CallIntent, Checkin, Person
from checkins.todays_case import case_today

RINGS_IN = "rings_in"  # the flow


def begin(session: Session, call_id: str, elders: Sequence[Person], now: datetime) -> CallRequest:
    """Writes the intent, and into every open case of theirs that they rang in. That changes no case."""
    rows = [case_today(session, elder.id, now, act=False) for elder in elders]
    intent = inbound.take(session, call_id, elders[0].number or "", RINGS_IN, now, rows)
    for row in rows:
        for each in [row, *still_open(session, row)]:
            log_event(session, each, "rang_in", row.elder.name, now, intent_id=call_id)
    return _request(session, intent, rows, now)


def again(session: Session, intent: CallIntent, now: datetime) -> CallRequest:
    """The same call, asked for once more."""
    return _request(session, intent, session.scalars(served_by(intent.id)).all(), now)


def still_open(session: Session, today: Checkin) -> list[Checkin]:
    """This elder's cases of other days that nobody has closed, locked."""
    query = select_cases().where(Checkin.elder_id == today.elder_id, Checkin.id != today.id)
    query = query.where(Checkin.status != Status.CLOSED).order_by(Checkin.id)
    return list(session.scalars(query.with_for_update(of=Checkin)))


def _request(session: Session, intent: CallIntent, rows: Sequence[Checkin], now: datetime) -> CallRequest:
    rosters, place = Rosters(session, now), rows[0].elder.neighbourhood
    variables = {**promises.variables(rosters, rows[0], now), "committee": place.committee}
    if not is_working_time(rosters.calendar(rows[0]), now):
        variables["closed"] = "1"
    if place.notice:
        variables["today"] = place.notice
    callees = tuple(_callee(session, row) for row in rows)
    return CallRequest(intent.id, intent.number, RINGS_IN, callees, variables)


def _callee(session: Session, row: Checkin) -> Callee:
    """`missed`: we could not reach her, and she is asked how she is before anything else."""
    missed = any(_missed(each) for each in [row, *still_open(session, row)])
    return replace(herself(row), variables={"missed": "1"}) if missed else herself(row)


def _missed(row: Checkin) -> bool:
    case = case_of(row)
    if case.dialling:
        return case.tries > 0
    return ladder.not_heard(case) and row.urgency == Urgency.UNREACHED and not searches.looked_bad(row)
