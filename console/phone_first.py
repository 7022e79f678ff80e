"""Whose telephone the page offers first: one that is an elder's alone. Where several answer by one number, the line
asks who it is before it hears how they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.tables import GONE, Person, Role
from console import phone_people
from console.phone_people import Subscriber


def found(session: Session, wanted: str) -> tuple[Sequence[Subscriber], str]:
    """As `phone_people.found`, and the id of whoever is chosen to begin with."""
    people = phone_people.found(session, wanted)
    return people, first(people, _shared(session, {one.number for one in people}))


def first(people: Sequence[Subscriber], shared: Collection[str]) -> str:
    """An elder before others, one who has a number alone, an invented one; "" for nobody. Pure."""

    def rank(one: Subscriber) -> tuple[bool, bool, bool]:
        return one.role is not Role.ELDER, one.number in shared, not one.invented

    return min(people, key=rank).id if people else ""


def _shared(session: Session, numbers: Collection[str]) -> frozenset[str]:
    query = select(Person.number).where(Person.number.in_(numbers), Person.state.not_in(GONE))
    many = query.group_by(Person.number).having(func.count() > 1)
    return frozenset(number for number in session.scalars(many) if number)
