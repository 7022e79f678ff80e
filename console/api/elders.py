"""Elders of the register. Names, numbers and homes only of those who have agreed that the street office knows of them;
of all others, that there is somebody, and in which state."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import people
from checkins.contacts import Contact
from checkins.register_log import How, PersonEvent
from checkins.schedule import local_date
from checkins.tables import Neighbourhood, Person, Role, State
from console import find_view
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.problems import ProblemError
from console.api.reads import Reads, shares
from console.api.values import ByPerson, Day, Limit, PlaceId, Seen, Short, Uuid
from console.deps import Deps

NO_ELDER = problems.missing("没有这位老人。", "there is no such elder")
NO_DAY = ProblemError(
    422, "暂停要写最后一天，不能早于今天；别的状态不写。", "a pause, and only a pause, has a last day: today or later"
)
MOST_CONTACTS = 100


class Elder(BaseModel):
    """`shared`: whether they have agreed; without that name, number and home are null."""

    id: str
    neighbourhood: int
    state: State
    state_until: date | None
    mode: str = Field(description="how they are best spoken to: keys, voice, human, visit")
    shared: bool
    name: str | None
    number: str | None
    address: str | None


class WholeElder(Elder):
    seen: int
    consents: list[str] = Field(description="what they have agreed to")


class Elders(BaseModel):
    items: list[Elder]
    next: str | None = Field(description="give it as `after` for the next page; null: there is none")


class ContactMade(BaseModel):
    """Of a buddy. `condition` is null without consent."""

    at: datetime
    kind: str
    condition: str | None


class NewState(ByPerson):
    state: State
    until: Day | None = Field(None, description="of a pause: its last day")
    said_by: Short | None = Field(None, description="on whose word; null: the elder's own")
    how: How | None = None
    seen: Seen


AfterElder = Annotated[str, Query(pattern=r"^[0-9a-zA-Z-]{0,36}$", description="`next` of the page before")]
Asked = Annotated[str, Query(max_length=50, description="part of a name, four figures of a number, or a building")]


def add(router: APIRouter, deps: Deps) -> None:
    reads, acts = Reads(deps), Acts(deps)

    @router.get("/elders", tags=["elders"], summary="Elders, all or by name, number or building")
    async def listed(q: Asked = "", neighbourhood: PlaceId = None, after: AfterElder = "", limit: Limit = 50) -> Elders:
        """A search finds only elders who have agreed that the street office knows of them."""

        def look(session: Session, now: datetime) -> Elders:
            query = select(Person).where(Person.role == Role.ELDER, Person.id > after).order_by(Person.id)
            query = query if neighbourhood is None else query.where(Person.neighbourhood_id == neighbourhood)
            if q.strip():
                found = [each for each in session.scalars(query) if shares(each) and find_view.matches(q.strip(), each)]
            else:
                found = list(session.scalars(query.limit(limit + 1)))
            following = found[limit - 1].id if len(found) > limit else None
            return Elders(items=[Elder(**_values(each)) for each in found[:limit]], next=following)

        return await reads.look(look)

    @router.get("/elders/{elder_id}", tags=["elders"], summary="One elder")
    async def one(elder_id: Uuid) -> WholeElder:
        return await reads.look(lambda session, now: _whole(session, elder_id))

    @router.get("/elders/{elder_id}/contacts", tags=["elders"], summary="Their buddies' last contacts, newest first")
    async def contacts(elder_id: Uuid) -> list[ContactMade]:
        return await reads.look(lambda session, now: _contacts(session, _elder(session, elder_id)))

    @router.post("/elders/{elder_id}/state", tags=["elders"], response_model=WholeElder, summary="Another state")
    async def state(request: Request, elder_id: Uuid, typed: NewState, key: Key = None) -> Response:
        """Moved and died end every open case at once; refused turns calls into a person's contact."""

        def work(session: Session, by: str, now: datetime) -> Done:
            elder = _elder(session, elder_id)
            _sensible(session, elder, typed, now)
            until, said_by, how = typed.until, typed.said_by, typed.how
            people.set_state(session, elder.id, typed.state, by, now, until=until, said_by=said_by, how=how)
            people.note_change(session, elder.id, "state", by, now)
            session.flush()
            return Done(_whole(session, elder_id))

        return await acts.do(request, typed.person, work)


def _sensible(session: Session, elder: Person, typed: NewState, now: datetime) -> None:
    if _last(session, elder.id) != typed.seen:
        raise problems.stale()
    today = local_date(session.get_one(Neighbourhood, elder.neighbourhood_id).timezone, now)
    if (typed.state is State.PAUSED) != (typed.until is not None) or (typed.until and typed.until < today):
        raise NO_DAY


def _elder(session: Session, elder_id: str) -> Person:
    person = session.get(Person, elder_id)
    if person is None or person.role != Role.ELDER:
        raise NO_ELDER
    return person


def _whole(session: Session, elder_id: str) -> WholeElder:
    seen, person = _last(session, elder_id), _elder(session, elder_id)
    agreed = sorted(purpose for purpose, given in person.consents.items() if given)
    return WholeElder(**_values(person), seen=seen, consents=agreed)


def _last(session: Session, elder_id: str) -> int:
    """Of what the register's log has about them."""
    return session.scalar(select(func.max(PersonEvent.id)).where(PersonEvent.person_id == elder_id)) or 0


def _values(person: Person) -> dict[str, Any]:
    told = shares(person)
    return {
        "id": person.id,
        "neighbourhood": person.neighbourhood_id,
        "state": person.state,
        "state_until": person.state_until,
        "mode": person.mode,
        "shared": told,
        "name": person.name if told else None,
        "number": person.number if told else None,
        "address": person.address if told else None,
    }


def _contacts(session: Session, elder: Person) -> list[ContactMade]:
    query = select(Contact).where(Contact.elder_id == elder.id).order_by(Contact.at.desc()).limit(MOST_CONTACTS)
    told = shares(elder)
    return [
        ContactMade(at=each.at, kind=each.kind, condition=each.condition if told else None)
        for each in session.scalars(query)
    ]
