"""No more machine calls: said on the telephone, it holds at once, and somebody asks the elder in person whether it was
their wish. What they answer is an act of whoever asked; "calls are wanted again" takes it back from the next plan on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import cases, items, people, register_log
from checkins.items import ItemKind
from checkins.names import named, says_something
from checkins.register_log import SELF, How, What
from checkins.results import Reason, Status
from checkins.tables import Checkin, Person, State

ASK_WITHIN = timedelta(days=1)  # they are seen today, for their case; nobody is rung at night about it
BY_PHONE = "by phone"  # the register's source


def by_phone(session: Session, elder: Person, call_id: str, now: datetime) -> None:
    """Said in this call, and confirmed. The same call may tell it twice."""
    if elder.state != State.ACTIVE:
        return
    elder.state, elder.state_source = State.REFUSED, BY_PHONE
    detail = {"state": State.REFUSED}
    register_log.note(
        session, elder.id, What.STATE, BY_PHONE, now, said_by=SELF, how=How.PHONE, call_id=call_id, detail=detail
    )
    items.open_item(
        session,
        ItemKind.REFUSED,
        now,
        neighbourhood_id=elder.neighbourhood_id,
        person_id=elder.id,
        due_at=now + ASK_WITHIN,
        detail={"call": call_id},
    )


def asked(session: Session, person_id: str, by: str, now: datetime, *, meant: bool, found: str = "") -> None:
    """`by` has asked the elder in person: it was meant, or calls are wanted again. With `found`, how they are, the
    cases that wait for a person because of the refusal are closed, too. ValueError without a name, or when nothing
    was refused."""
    by = named(by)
    if session.get_one(Person, person_id).state != State.REFUSED:
        raise ValueError("this elder has not refused machine calls")
    what = What.REFUSAL_MEANT if meant else What.REFUSAL_NOT_MEANT
    register_log.note(session, person_id, what, by, now, said_by=SELF, how=How.IN_PERSON)
    if says_something(found):
        for case_id in _waiting(session, person_id):
            cases.close_case(session, case_id, by, found, now)
    if not meant:
        people.set_state(session, person_id, State.ACTIVE, by, now)
    items.settle(session, ItemKind.REFUSED, session.get_one(Person, person_id), by, now)


def _waiting(session: Session, person_id: str) -> list[int]:
    query = select(Checkin.id).where(Checkin.elder_id == person_id, Checkin.status == Status.NEEDS_PERSON)
    return list(session.scalars(query.where(Checkin.reason == Reason.REFUSED).order_by(Checkin.id)))
