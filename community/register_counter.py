"""What a flow asks about an elder's own entry in the register. Every answer is one short transaction; the same question
again in the same call changes nothing twice. Nothing is read before where they live was keyed in this call, and nothing
of the entry is changed. Personal: nothing of it is logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.ports import Clock, Told
from checkins.tables import Person
from community import register_entry, register_home
from community.register_entry import ASKED, FIELDS, OTHER
from storage.database import Database

NOBODY = Told("")  # nobody can say
NOTED = Told("noted")
BY_PERSON = Told("person")  # the line reads nothing: somebody of the committee rings


@dataclass(frozen=True)
class _Asked:
    """`value`: the figures that were keyed (secret), a field, or a recording."""

    call_id: str
    person: Person = field(repr=False)
    value: str = field(repr=False)
    now: datetime


class RegisterCounter:
    """Answers the questions in `QUERIES`; satisfies the telephone room's Answers for them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def ask(self, call_id: str, query: str, person_id: str, value: str = "") -> Told:
        now, work = self._clock.now(), QUERIES[query]
        if not person_id:  # a stranger has no entry
            return NOBODY

        def answer(session: Session) -> Told:
            person = session.get_one(Person, person_id, with_for_update=True)
            return work(session, _Asked(call_id, person, value, now))

        return await self._db.run(answer)


def _begin(session: Session, asked: _Asked) -> Told:
    if register_home.is_known(session, asked.person.id, asked.call_id):
        return Told("open")
    return Told("prove") if register_home.may_try(session, asked.person, asked.now) else _by_person(session, asked)


def _home(session: Session, asked: _Asked) -> Told:
    if not register_home.may_try(session, asked.person, asked.now):  # another call was faster
        return _by_person(session, asked)
    if register_home.keyed(session, asked.person, asked.value, asked.call_id, asked.now):
        return Told("open")
    left = register_home.may_try(session, asked.person, asked.now)
    return Told("wrong") if left else _by_person(session, asked)


def _by_person(session: Session, asked: _Asked) -> Told:
    register_entry.say_wrong(session, asked.person.id, ASKED, asked.call_id, asked.now)
    return BY_PERSON


def _next(session: Session, asked: _Asked) -> Told:
    """What the register has, field by field: asked about one, the next. After the last: whether anything else is."""
    if not register_home.is_known(session, asked.person.id, asked.call_id):
        return NOBODY
    if asked.value == OTHER:
        return Told("done")
    told = register_entry.told(asked.person)
    names = [*told]
    left = names[names.index(asked.value) + 1 :] if asked.value in names else names
    return Told("fact", {"field": left[0], "fact": told[left[0]]}) if left else Told("none", {"field": OTHER})


def _wrong(session: Session, asked: _Asked) -> Told:
    if asked.value not in FIELDS or not register_home.is_known(session, asked.person.id, asked.call_id):
        return NOBODY
    register_entry.say_wrong(session, asked.person.id, asked.value, asked.call_id, asked.now)
    return NOTED


def _said(session: Session, asked: _Asked) -> Told:
    """Dictated about what was called wrong last. A recording that isn't here yet comes when the call is over."""
    wrong = register_entry.in_call(session, asked.person.id, asked.call_id)
    if not wrong:
        return NOBODY
    if asked.value:
        about = (wrong[-1].detail or {})["field"]
        register_entry.say_wrong(session, asked.person.id, about, asked.call_id, asked.now, recording=asked.value)
    return NOTED


QUERIES: Mapping[str, Callable[[Session, _Asked], Told]] = {
    "register.begin": _begin,
    "register.home": _home,
    "register.person": _by_person,
    "register.next": _next,
    "register.wrong": _wrong,
    "register.said": _said,
}
