"""The roster: who is on duty, who is away, who stands in, and what it lacks."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.roster import edits
from checkins.roster.gaps import shown_ahead
from checkins.roster.loading import load
from checkins.roster.resolve import on_duty
from checkins.roster.tables import RosterLeave, RosterOverride
from checkins.roster.values import Responder
from checkins.tables import GONE, Neighbourhood, Person, Role
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.reads import Reads
from console.api.values import ByPerson, Id, Moment, Short
from console.deps import Deps

AHEAD = timedelta(days=14)
NO_PLACE = problems.missing("没有这个居委。", "there is no such neighbourhood")
NOBODY = problems.missing("值班表里没有这个人，或这一条。", "there is no such person or entry of this neighbourhood")


class OnDuty(BaseModel):
    id: str
    name: str
    number: str | None


class Duty(BaseModel):
    """Now. null: nobody is to be had."""

    first: OnDuty | None
    deputy: OnDuty | None


class Member(BaseModel):
    """Whom the roster can name."""

    id: str
    name: str
    role: str


class GapAhead(BaseModel):
    kind: str
    begins: datetime
    ends: datetime
    who: list[str] = Field(description="by id")


class Span(BaseModel):
    """Leave; of an override, `instead_of` or `elder` say what for."""

    id: int
    person: str
    begins: datetime
    ends: datetime
    instead_of: str | None = None
    elder: str | None = None


class Away(BaseModel):
    leave: list[Span]
    overrides: list[Span]


class NewLeave(ByPerson):
    who: Short = Field(description="by id")
    begins: Moment
    ends: Moment


class NewOverride(NewLeave):
    instead_of: Short | None = None
    elder: Short | None = None


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/neighbourhoods/{place}/duty", tags=["roster"], summary="Who is on duty now")
    async def duty(place: Id) -> Duty:
        return await reads.look(lambda session, now: _duty(session, _place(session, place), now))

    @router.get("/neighbourhoods/{place}/people", tags=["roster"], summary="Staff, buddies and family, by id")
    async def people(place: Id) -> list[Member]:
        return await reads.look(lambda session, now: _people(session, _place(session, place)))

    @router.get("/neighbourhoods/{place}/gaps", tags=["roster"], summary="What the next two weeks lack")
    async def gaps(place: Id) -> list[GapAhead]:
        return await reads.look(lambda session, now: _gaps(session, _place(session, place), now))

    @router.get("/neighbourhoods/{place}/leave", tags=["roster"], summary="Leave and overrides that are not over")
    async def leave(place: Id) -> Away:
        return await reads.look(lambda session, now: _away(session, _place(session, place), now))

    _add_acts(router, Acts(deps))


def _add_acts(router: APIRouter, acts: Acts) -> None:
    @router.post("/neighbourhoods/{place}/leave", tags=["roster"], response_model=Span, summary="Somebody is away")
    async def put_on_leave(request: Request, place: Id, typed: NewLeave, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            who = _member(session, place, typed.who)
            id_ = edits.put_on_leave(session, who, typed.begins, typed.ends, by, now)
            return Done(_leave(session.get_one(RosterLeave, id_)))

        return await acts.do(request, typed.person, work)

    @router.post(
        "/neighbourhoods/{place}/leave/{leave_id}/end", tags=["roster"], response_model=Away, summary="Back already"
    )
    async def end_leave(request: Request, place: Id, leave_id: Id, typed: ByPerson, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _of_place(session.get(RosterLeave, leave_id), place)
            edits.end_leave(session, leave_id, by, now)
            return Done(_away(session, place, now))

        return await acts.do(request, typed.person, work)

    @router.post("/neighbourhoods/{place}/overrides", tags=["roster"], response_model=Span, summary="Stands in")
    async def override(request: Request, place: Id, typed: NewOverride, key: Key = None) -> Response:
        """Instead of somebody, or first for an elder."""

        def work(session: Session, by: str, now: datetime) -> Done:
            who, begins, ends = _member(session, place, typed.who), typed.begins, typed.ends
            instead = _member(session, place, typed.instead_of) if typed.instead_of else None
            elder = _member(session, place, typed.elder) if typed.elder else None
            id_ = edits.override(session, who, begins, ends, by, now, instead_of=instead, elder_id=elder)
            return Done(_override(session.get_one(RosterOverride, id_)))

        return await acts.do(request, typed.person, work)

    @router.post(
        "/neighbourhoods/{place}/overrides/{override_id}/end",
        tags=["roster"],
        response_model=Away,
        summary="Revoke",
    )
    async def end_override(request: Request, place: Id, override_id: Id, typed: ByPerson, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _of_place(session.get(RosterOverride, override_id), place)
            edits.end_override(session, override_id, by, now)
            return Done(_away(session, place, now))

        return await acts.do(request, typed.person, work)


# ── looking ───────────────────────────────────────────────────────────────────────────────────────


def _place(session: Session, place: int) -> int:
    if session.get(Neighbourhood, place) is None:
        raise NO_PLACE
    return place


def _member(session: Session, place: int, person_id: str) -> str:
    person = session.get(Person, person_id)
    if person is None or person.neighbourhood_id != place:
        raise NOBODY
    return person.id


def _of_place(row: RosterLeave | RosterOverride | None, place: int) -> None:
    if row is None or row.neighbourhood_id != place:
        raise NOBODY


def _duty(session: Session, place: int, now: datetime) -> Duty:
    found = on_duty(load(session, place, now), now)
    return Duty(first=_named(found.first), deputy=_named(found.deputy))


def _named(one: Responder | None) -> OnDuty | None:
    return None if one is None else OnDuty(id=one.id, name=one.name, number=one.number)


def _people(session: Session, place: int) -> list[Member]:
    query = select(Person.id, Person.name, Person.role).where(Person.neighbourhood_id == place)
    query = query.where(Person.role != Role.ELDER, Person.state.not_in(GONE)).order_by(Person.role, Person.name)
    return [Member(id=id_, name=name, role=role) for id_, name, role in session.execute(query)]


def _gaps(session: Session, place: int, now: datetime) -> list[GapAhead]:
    found = shown_ahead(load(session, place, now), now, AHEAD)
    return [GapAhead(kind=each.kind, begins=each.begins, ends=each.ends, who=list(each.who)) for each in found]


def _away(session: Session, place: int, now: datetime) -> Away:
    leave = select(RosterLeave).where(RosterLeave.neighbourhood_id == place, RosterLeave.ends > now)
    others = select(RosterOverride).where(RosterOverride.neighbourhood_id == place, RosterOverride.ends > now)
    return Away(
        leave=[_leave(row) for row in session.scalars(leave.order_by(RosterLeave.begins, RosterLeave.id))],
        overrides=[
            _override(row) for row in session.scalars(others.order_by(RosterOverride.begins, RosterOverride.id))
        ],
    )


def _leave(row: RosterLeave) -> Span:
    return Span(id=row.id, person=row.person_id, begins=row.begins, ends=row.ends)


def _override(row: RosterOverride) -> Span:
    instead, elder = row.instead_of, row.elder_id
    return Span(id=row.id, person=row.person_id, begins=row.begins, ends=row.ends, instead_of=instead, elder=elder)
