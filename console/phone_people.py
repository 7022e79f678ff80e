"""Whose telephone the browser phone can be, and which of them are invented."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from checkins.phones import national
from checkins.tables import GONE, ROLE_ZH, Neighbourhood, Person, Role

MOST = 100  # of one list; more are found by name or number
# Local numbers in China begin neither with 0 nor with 1, so these ring nowhere (400 and 800 are no area codes).
_INVENTED = re.compile(r"\+86(?!400|800)(10|2\d|[3-9]\d\d)[01]\d{6,7}")


@dataclass(frozen=True)
class Subscriber:
    """`invented`: nobody has such a number, so whoever has it in the register is made up. Personal."""

    id: str
    name: str = field(repr=False)
    spoken_name: str = field(repr=False)
    number: str = field(repr=False)
    role: Role
    committee: str

    @property
    def invented(self) -> bool:
        return is_invented(self.number)

    @property
    def words(self) -> str:
        """ "王秀英 021 1000 1001 老人"."""
        return f"{self.name} {national(self.number)} {ROLE_ZH[self.role]}"


def is_invented(number: str) -> bool:
    return _INVENTED.fullmatch(number) is not None


def found(session: Session, wanted: str = "") -> Sequence[Subscriber]:
    """Who has a telephone, elders first, or whose name or number `wanted` is in."""
    query = _people().order_by(Person.role != Role.ELDER, Person.role, Person.name, Person.id).limit(MOST)
    if wanted := wanted.strip():
        digits = "".join(sign for sign in wanted if sign.isdecimal()).removeprefix("0")
        by_number = [Person.number.contains(digits)] if digits else []
        query = query.where(or_(Person.name.contains(wanted, autoescape=True), *by_number))
    return [_subscriber(person, committee) for person, committee in session.execute(query)]


def one(session: Session, person_id: str) -> Subscriber | None:
    row = session.execute(_people().where(Person.id == person_id)).first()
    return None if row is None else _subscriber(row[0], row[1])


def is_somebodys(session: Session, number: str) -> bool:
    """Whether the register has it, were it of somebody who is gone."""
    return session.scalar(select(Person.id).where(Person.number == number).limit(1)) is not None


def _people() -> Select[Person, str]:
    query = select(Person, Neighbourhood.committee).join(Neighbourhood, Neighbourhood.id == Person.neighbourhood_id)
    return query.where(Person.number.is_not(None), Person.state.not_in(GONE))


def _subscriber(person: Person, committee: str) -> Subscriber:
    return Subscriber(person.id, person.name, person.spoken_name, person.number or "", Role(person.role), committee)
