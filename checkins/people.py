"""Changes of the register that the line must obey before its next call. Each names who says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items, ladder, register_log, searches, tenants
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.items import ItemKind
from checkins.names import named
from checkins.phones import to_e164
from checkins.register_log import How, What
from checkins.results import LINE, Reason, Status, Urgency
from checkins.tables import GONE, Checkin, Mode, Neighbourhood, NumberState, Person, Role, State

_FIELDS = ("name", "spoken_name", "language", "slot", "address", "key_holder", "notes")  # logged by their names


def stops_calls(person: Person) -> Reason | None:
    """Why no machine call may go to this elder, as the register stands now; None: it may."""
    if person.state != State.ACTIVE:
        return Reason.REFUSED if person.state == State.REFUSED else Reason.HUMAN_CONTACT
    if person.mode in (Mode.HUMAN, Mode.VISIT):
        return Reason.HUMAN_CONTACT
    if not person.consents.get("calls"):
        return Reason.NO_CONSENT
    if person.number_state == NumberState.SUSPECT:
        return Reason.WRONG_NUMBER
    if person.number is None or person.number_state == NumberState.BAD:
        return Reason.BAD_NUMBER
    return None


def add_person(
    session: Session, neighbourhood_id: int, name: str, spoken_name: str, number: str | None, **more: Any
) -> Person:
    """Adds somebody to the register; `number` in any way of writing it, `more` by the columns of Person. An elder
    added counts today. NumberError when it is no number. The caller sees to it that `spoken_name` can be said."""
    place = session.get_one(Neighbourhood, neighbourhood_id)
    digits = None if number is None else to_e164(number, place.area_code)
    person = Person(neighbourhood_id=place.id, name=name, spoken_name=spoken_name, number=digits, **more)
    session.add(person)
    session.flush()
    return person


def set_state(
    session: Session,
    person_id: str,
    state: State,
    by: str,
    now: datetime,
    *,
    until: date | None = None,
    said_by: str | None = None,
    how: How | None = None,
) -> None:
    """Sets an elder's state, on the word of `by`. Moved and died end every open case at once; a pause ends calls
    that are still ahead; refused turns them into a human contact. ValueError without a name, or a pause without end."""
    by = named(by)
    if (state is State.PAUSED) != (until is not None):
        raise ValueError("a pause, and only a pause, has a last day")
    for row in _open(session, person_id):
        _stop(session, row, state, by, now)
    person = session.get_one(Person, person_id, with_for_update=True)
    person.state, person.state_until, person.state_source = state, until, by
    detail = {"state": state} | ({"until": until.isoformat()} if until else {})
    register_log.note(session, person_id, What.STATE, by, now, said_by=said_by, how=how, detail=detail)
    if state is not State.REFUSED:
        items.settle(session, ItemKind.REFUSED, person, by, now)


def stop_calls(session: Session, person_id: str, reason: Reason, by: str, now: datetime) -> None:
    """Calls that are ahead are none any more: a person takes their place today."""
    for row in _open(session, person_id):
        _to_person(session, row, reason, by, now)


def set_number(session: Session, person_id: str, number: str) -> None:
    """Corrects a number (any way of writing it) and lifts its suspension. NumberError when it is none."""
    person = session.get_one(Person, person_id, with_for_update=True)
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    person.number, person.number_state = to_e164(number, place.area_code), NumberState.OK


def set_mode(session: Session, person_id: str, mode: Mode) -> None:
    """How the elder answers best, e.g. after calls that ended with "present, unconfirmed"."""
    session.get_one(Person, person_id, with_for_update=True).mode = mode


def set_home(session: Session, person_id: str, **texts: str | None) -> None:
    """`address`, `key_holder`, `notes`: what the line says to whoever has accepted to go and look; None: nothing."""
    person = session.get_one(Person, person_id, with_for_update=True)
    for column, text in texts.items():
        setattr(person, column, text)


def note_change(
    session: Session,
    person_id: str,
    what: str,
    by: str,
    now: datetime,
    *,
    said_by: str | None = None,
    how: How | None = None,
    on: date | None = None,
) -> None:
    """Writes into the newest case's log, if there is one, and into the register's, who had what of it changed; on
    whose word, how they said it, and from which day it is so, where that is known."""
    day = {"on": on.isoformat()} if on else {}
    newest = select(Checkin).where(Checkin.elder_id == person_id).order_by(Checkin.date.desc()).limit(1)
    row = session.scalar(newest)
    if row is not None:
        log_event(session, row, f"register:{what}", by.strip(), now)
    if what == "mode":
        detail = {"mode": session.get_one(Person, person_id).mode, **day}
        register_log.note(session, person_id, What.MODE, by.strip(), now, said_by=said_by, how=how, detail=detail)
    if what in _FIELDS:
        fields = {"fields": [what], **day}
        register_log.note(session, person_id, What.FIELDS, by.strip(), now, said_by=said_by, how=how, detail=fields)
    if what == "address":
        tenants.look(session, session.get_one(Person, person_id), now)
    if what == "number":
        register_log.note(session, person_id, What.NUMBER, by.strip(), now, said_by=said_by, how=how, detail=day)
        for kind in (ItemKind.NUMBER_BAD, ItemKind.NUMBER_DOUBTED):
            items.settle(session, kind, session.get_one(Person, person_id), by.strip(), now)


def doubt_number(session: Session, number: str, now: datetime, by: str = LINE) -> None:
    """Somebody said "wrong number" there, or `by` has decided so: no elder is rung under it until a person has
    corrected it. One key takes nobody off the ladder who is to be rung: staff look into it."""
    of_number = select(Person).where(Person.number == number).order_by(Person.id)
    for person in session.scalars(of_number.with_for_update(key_share=True)):
        if person.role == Role.ELDER:
            if person.number_state != NumberState.SUSPECT:
                register_log.note(session, person.id, What.NUMBER_DOUBTED, by, now)
            person.number_state = NumberState.SUSPECT
        else:
            place = person.neighbourhood_id
            kind = ItemKind.NUMBER_DOUBTED
            items.open_item(session, kind, now, neighbourhood_id=place, person_id=person.id, due_at=now)


def _open(session: Session, person_id: str) -> list[Checkin]:
    query = (
        select_cases().where(Checkin.elder_id == person_id, Checkin.status != Status.CLOSED).with_for_update(of=Checkin)
    )
    return list(session.scalars(query))


def _stop(session: Session, row: Checkin, state: State, by: str, now: datetime) -> None:
    case = case_of(row)
    if state in GONE or (state is State.PAUSED and case.dialling):
        put_case(row, ladder.close(case, by, f"state: {state}", now))
        searches.end(session, row, now)  # whoever is on the way is told
        log_event(session, row, f"closed:{state}", by, now)
    elif state is State.REFUSED:
        _to_person(session, row, Reason.REFUSED, by, now)


def _to_person(session: Session, row: Checkin, reason: Reason, by: str, now: datetime) -> None:
    case = case_of(row)
    if case.dialling:
        put_case(row, ladder.need_person(case, reason, Urgency.TODAY, now))
        log_event(session, row, f"needs_person:{reason}", by, now)
