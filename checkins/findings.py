"""What somebody found of an elder, or asked of us, put into the case and before staff: the same for every flow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import contacts, items, searches
from checkins.case_rows import log_event
from checkins.contacts import Condition, ContactKind
from checkins.errands import FINDING
from checkins.escalation import search as core
from checkins.escalation.policy import Who
from checkins.escalation.values import Finding, Search
from checkins.intents import INBOUND
from checkins.items import ItemKind
from checkins.ports import PersonOutcome
from checkins.responders import name_of
from checkins.results import Status
from checkins.tables import CallIntent, Checkin, Person, Role

_CONDITIONS = {
    Finding.FINE_SEEN: Condition.FINE,
    Finding.FINE_HEARD: Condition.FINE,
    Finding.NEEDS_HELP: Condition.WORRIED,
}
_CAPACITIES = {Role.STAFF: Who.DUTY, Role.FAMILY: Who.FAMILY}


def found(session: Session, intent: CallIntent, row: Checkin, finding: Finding, now: datetime) -> None:
    """What a responder found of one elder, in a call either way. Who saw the elder has had a contact with them, or who
    talked to them where that was enough: nobody then says that they were seen."""
    assert intent.responder is not None
    search = search_now(session, row, now)
    by_phone = not search.plan.seen
    person = session.get(Person, intent.responder)
    capacity = _capacity(intent, person)
    after = core.found(search, intent.responder, finding, now, who=capacity, since=intent.created_at)
    log_said(session, intent, row, f"found:{finding}", name_said(session, intent, row), now)
    if after != search:
        searches.keep(session, row, after, now)
    if person is not None and intent.flow == FINDING and finding in _CONDITIONS and proven(intent):
        phoned = finding is Finding.FINE_HEARD or (by_phone and finding is Finding.NEEDS_HELP)
        kind = ContactKind.PHONED if phoned else ContactKind.VISITED
        contacts.note(session, intent.id, row.elder, person, kind, _CONDITIONS[finding], now)


def proven(intent: CallIntent) -> bool:
    """Whether it is this responder who talks with us: we rang them, or they gave their PIN. A caller's number can be
    forged."""
    return intent.purpose != INBOUND or bool(intent.applied.get("pin"))


def asked_for_somebody(session: Session, intent: CallIntent, people: Iterable[PersonOutcome], now: datetime) -> None:
    """Whoever pressed 0 has heard that somebody will ring them back."""
    person = session.get(Person, intent.responder) if intent.responder else None
    asked = any("wants_person" in (one.result, *one.detail.get("also", ())) for one in people)
    if asked and person is not None:
        place = person.neighbourhood_id
        items.open_item(session, ItemKind.RESPONDER_ASKS, now, neighbourhood_id=place, by_id=person.id, due_at=now)


def search_now(session: Session, row: Checkin, now: datetime) -> Search:
    """The case's search; of a closed case one that has ended, so that late news count as late."""
    if row.status == Status.CLOSED:
        searches.end(session, row, now)
    search = searches.search_of(row)
    if search is None:
        searches.start(session, row, now)
        search = searches.search_of(row)
    assert search is not None
    return search


def name_said(session: Session, intent: CallIntent, row: Checkin) -> str:
    assert intent.responder is not None
    return name_of(session, row, intent.responder)


def log_said(session: Session, intent: CallIntent, row: Checkin, what: str, who: str, now: datetime) -> None:
    detail = {"responder": intent.responder}
    log_event(session, row, what, who, now, intent_id=intent.id, detail=detail)


def _capacity(intent: CallIntent, person: Person | None) -> Who:
    """In which capacity they speak: as they were rung; who rings in, by what they are, once that is proven. Else duty
    is rung about what they say."""
    if intent.purpose in {who.value for who in Who}:
        return Who(intent.purpose)
    return _CAPACITIES.get(Role(person.role), Who.BUDDY) if person is not None and proven(intent) else Who.BUDDY
