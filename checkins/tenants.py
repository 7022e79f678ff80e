"""Who comes to live where the register has somebody else: staff are asked who lives there (an import finds that by
itself, community/register_people.py)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.homes import home_of
from checkins.items import ItemKind
from checkins.tables import GONE, Person, Role


def look(session: Session, person: Person, now: datetime) -> None:
    """An item about each elder who lives at this elder's address with another number; the same again is the same."""
    home, place = home_of(person.address), person.neighbourhood_id
    if person.role != Role.ELDER or not home:
        return
    query = select(Person).where(Person.neighbourhood_id == place, Person.role == Role.ELDER, Person.id != person.id)
    query = query.where(Person.state.not_in(GONE), Person.address.is_not(None)).order_by(Person.id)
    for each in session.scalars(query):
        if home_of(each.address) == home and each.number != person.number:
            items.open_item(session, ItemKind.TENANT, now, neighbourhood_id=place, person_id=each.id, by_id=person.id)
