"""Cases: who needs a person; taken over and closed by a name. How an elder is, and what was found, is told only of
those who have agreed that the street office knows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from checkins import cases, deciding
from checkins.cases import Row
from checkins.results import Status, Urgency
from checkins.schedule import local_date
from checkins.tables import Checkin, Neighbourhood, Person
from console import flagged_view
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.problems import ProblemError
from console.api.reads import Reads, shares
from console.api.values import After, ByPerson, Day, Id, Limit, Listed, Moment, PlaceId, Seen, Short, Text, page
from console.deps import Deps

NO_CASE = problems.missing("没有这个个案。", "there is no such case")
CLOSED = ProblemError(409, "这个个案已经办结，没有改动。", "this case is closed already; nothing was changed")


class Case(BaseModel):
    """One elder on one day. `result`, `reason` and `finding` are null without their consent to tell the street."""

    id: int
    elder: str = Field(description="by id")
    neighbourhood: int
    date: date
    status: Status
    urgency: Urgency | None
    due_at: datetime | None = Field(description="when the line, or somebody, acts next")
    owner: str | None = Field(description="who has it")
    result: str | None
    reason: str | None
    closed_by: str | None
    closed_at: datetime | None
    finding: str | None


class CaseEvent(BaseModel):
    at: datetime
    what: str
    who: str


class WholeCase(Case):
    """`seen` and `recorded_at` come back with the act, so that nobody closes what they haven't seen."""

    seen: int
    recorded_at: datetime | None = Field(description="when the last recording of its calls was made")
    events: list[CaseEvent]


class Emergency(BaseModel):
    """An open one."""

    case: int
    elder: str
    neighbourhood: int
    date: date
    owner: str | None = Field(description="null: nobody has it yet")


class TakeOver(ByPerson):
    had: Short | None = Field(None, description="from whom it is taken expressly: `owner`, as you read it")


class Close(ByPerson):
    finding: Text
    seen: Seen
    recorded_at: Moment | None = Field(None, description="as you read it")


def add(router: APIRouter, deps: Deps) -> None:
    reads, acts = Reads(deps), Acts(deps)

    @router.get("/cases", tags=["cases"], summary="Cases of a day, today's by default")
    async def listed(
        day: Annotated[Day | None, Query(description="the local day")] = None,
        status: Annotated[Status | None, Query()] = None,
        neighbourhood: PlaceId = None,
        after: After = 0,
        limit: Limit = 50,
    ) -> Listed[Case]:
        def look(session: Session, now: datetime) -> Listed[Case]:
            query = select(Checkin.id).where(_of(session, day, now), Checkin.id > after).order_by(Checkin.id)
            query = query if status is None else query.where(Checkin.status == status)
            query = query if neighbourhood is None else query.where(Checkin.neighbourhood_id == neighbourhood)
            return _page(session, query, limit)

        return await reads.look(look)

    @router.get("/emergencies", tags=["cases"], summary="Emergencies that are open, of any day")
    async def emergencies() -> list[Emergency]:
        return await reads.look(lambda session, now: _emergencies(session))

    @router.get("/cases/{case_id}", tags=["cases"], summary="One case with its log")
    async def one(case_id: Id) -> WholeCase:
        return await reads.look(lambda session, now: whole(session, case_id))

    @router.post("/cases/{case_id}/take-over", tags=["cases"], response_model=WholeCase, summary="Take a case over")
    async def take_over(request: Request, case_id: Id, typed: TakeOver, key: Key = None) -> Response:
        """The line stops dialling. Refused when somebody else has it, but from `had`."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _open(session, case_id)
            deciding.take_over(session, case_id, by, now, had=typed.had or "")
            return Done(whole(session, case_id))

        return await acts.do(request, typed.person, work)

    @router.post("/cases/{case_id}/close", tags=["cases"], response_model=WholeCase, summary="Close a case")
    async def close(request: Request, case_id: Id, typed: Close, key: Key = None) -> Response:
        """With what was found. Refused when a cry for help, an answer or a recording came since you read it."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _open(session, case_id)
            recorded_at, finding = flagged_view.recorded_at(session, case_id), typed.finding
            heard = typed.recorded_at
            deciding.close(session, case_id, by, finding, now, recorded_at=recorded_at, seen=typed.seen, heard=heard)
            return Done(whole(session, case_id))

        return await acts.do(request, typed.person, work)


def _of(session: Session, day: date | None, now: datetime) -> ColumnElement[bool]:
    """Each neighbourhood has its own today."""
    if day is not None:
        return Checkin.date == day
    places = session.execute(select(Neighbourhood.id, Neighbourhood.timezone)).all()
    todays = [and_(Checkin.neighbourhood_id == id_, Checkin.date == local_date(zone, now)) for id_, zone in places]
    return or_(*todays) if todays else false()


def _page(session: Session, query: Select[Any], limit: int) -> Listed[Case]:
    ids = session.scalars(query.limit(limit + 1)).all()
    rows = sorted(cases.some(session, ids), key=lambda row: row.checkin_id)
    people = _people(session, rows)
    return page(rows, limit, lambda row: row.checkin_id, lambda row: Case(**_values(row, people[row.elder_id])))


def _people(session: Session, rows: list[Row]) -> dict[str, Person]:
    found = session.scalars(select(Person).where(Person.id.in_({row.elder_id for row in rows})))
    return {person.id: person for person in found}


def whole(session: Session, case_id: int) -> WholeCase:
    seen, recorded_at = deciding.last_event(session, case_id), flagged_view.recorded_at(session, case_id)  # first
    row = cases.one(session, case_id)
    if row is None:
        raise NO_CASE
    log = [CaseEvent(at=each.at, what=each.what, who=each.who) for each in cases.events(session, case_id)]
    values = _values(row, session.get_one(Person, row.elder_id))
    return WholeCase(**values, seen=seen, recorded_at=recorded_at, events=log)


def _values(row: Row, elder: Person) -> dict[str, Any]:
    told = shares(elder)
    return {
        "id": row.checkin_id,
        "elder": elder.id,
        "neighbourhood": elder.neighbourhood_id,
        "date": row.date,
        "status": row.status,
        "urgency": row.urgency,
        "due_at": row.due_at,
        "owner": row.owner,
        "result": row.result if told else None,
        "reason": row.reason if told else None,
        "closed_by": row.closed_by,
        "closed_at": row.closed_at,
        "finding": row.finding if told else None,
    }


def _emergencies(session: Session) -> list[Emergency]:
    columns = Checkin.id, Checkin.elder_id, Checkin.neighbourhood_id, Checkin.date, Checkin.owner
    query = select(*columns).where(Checkin.status == Status.NEEDS_PERSON, Checkin.urgency == Urgency.EMERGENCY)
    unowned_first = func.coalesce(Checkin.owner, "") != ""
    return [
        Emergency(case=id_, elder=elder, neighbourhood=place, date=day, owner=owner or None)
        for id_, elder, place, day, owner in session.execute(query.order_by(unowned_first, Checkin.slot, Checkin.id))
    ]


def _open(session: Session, case_id: int) -> None:
    row = session.get(Checkin, case_id)
    if row is None:
        raise NO_CASE
    if row.status == Status.CLOSED:
        raise CLOSED
