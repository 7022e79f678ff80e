"""Complaints. Whose they are and where, only of those who have agreed that the street office knows; nothing of what was
spoken."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.tables import Person
from community import rows, staff
from community.tables import Complaint, ComplaintEvent, Meeting, Status, Wish
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.reads import Reads, shares, who_of
from console.api.values import After, ByPerson, Id, Limit, Listed, PlaceId, Seen, Short, Text, page
from console.deps import Deps

NO_COMPLAINT = problems.missing("没有这个诉求。", "there is no such complaint")


class Matter(BaseModel):
    """A complaint. `elder` is null for a stranger; `name` and `place` are null without consent."""

    number: int
    neighbourhood: int
    elder: str | None
    opened_at: datetime
    status: Status
    wish: Wish = Field(description="whether the neighbours may know of it")
    category: str | None
    name: str | None
    place: str | None
    owner: str | None
    heard_due: datetime | None = Field(description="by then somebody listens; null: heard")
    answer_due: datetime | None = Field(description="by then an answer; null: answered")
    unsolved: int = Field(description="answers that didn't solve it")
    level_above: bool
    text: str | None = Field(description="for the 议事厅, without names")
    closed_at: datetime | None
    close_reason: str | None


class ReplyGiven(BaseModel):
    round: int
    text: str | None = Field(description="null: it was recorded")
    by: str
    at: datetime
    outcome: str | None = Field(description="null: they have not said yet")


class MeetingHeld(BaseModel):
    at: datetime
    booked_by: str
    over: bool


class MatterEvent(BaseModel):
    at: datetime
    what: str
    who: str


class WholeMatter(Matter):
    seen: int
    replies: list[ReplyGiven]
    meetings: list[MeetingHeld]
    events: list[MatterEvent]


class Assign(ByPerson):
    to: Short
    seen: Seen | None = None


class ReplyText(ByPerson):
    text: Text = Field(description="the line says it: at most 300 signs")
    seen: Seen


class Discuss(ByPerson):
    who: Short = Field(description="who said it: the property manager, the owners' committee …")
    text: Text


class Publish(ByPerson):
    text: Text = Field(description="the matter in your own words, without who it is")
    seen: Seen


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/complaints", tags=["complaints"], summary="Complaints, the open ones by default")
    async def listed(
        neighbourhood: PlaceId = None,
        everything: Annotated[bool, Query(description="closed ones, too")] = False,
        level_above: Annotated[bool | None, Query(description="marked for the street office, or not")] = None,
        after: After = 0,
        limit: Limit = 50,
    ) -> Listed[Matter]:
        def look(session: Session, now: datetime) -> Listed[Matter]:
            query = select(Complaint, Person).outerjoin(Person, Person.id == Complaint.person_id)
            query = query.where(Complaint.number > after).order_by(Complaint.number).limit(limit + 1)
            query = query if neighbourhood is None else query.where(Complaint.neighbourhood_id == neighbourhood)
            query = query if everything else query.where(Complaint.status != Status.CLOSED)
            query = query if level_above is None else query.where(Complaint.level_above == level_above)
            found = [(row, person) for row, person in session.execute(query)]
            return page(found, limit, lambda each: each[0].number, lambda each: Matter(**_values(*each)))

        return await reads.look(look)

    @router.get("/complaints/{number}", tags=["complaints"], summary="One complaint with its log")
    async def one(number: Id) -> WholeMatter:
        return await reads.look(lambda session, now: whole(session, number))

    _add_acts(router, Acts(deps))
    _add_hall(router, Acts(deps))


def _add_acts(router: APIRouter, acts: Acts) -> None:
    @router.post("/complaints/{number}/assign", tags=["complaints"], response_model=WholeMatter, summary="Give it to")
    async def assign(request: Request, number: Id, typed: Assign, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.assign(session, number, typed.to, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post("/complaints/{number}/reply", tags=["complaints"], response_model=WholeMatter, summary="Answer it")
    async def reply(request: Request, number: Id, typed: ReplyText, key: Key = None) -> Response:
        """In words, which the line rings them with in the hours of calls; a person tells whom it can't ring."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.reply(session, number, by, now, typed.text)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)


def _add_hall(router: APIRouter, acts: Acts) -> None:
    @router.post("/complaints/{number}/discuss", tags=["complaints"], response_model=WholeMatter, summary="Discuss it")
    async def discuss(request: Request, number: Id, typed: Discuss, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, None)
            staff.discuss(session, number, typed.who, typed.text, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post(
        "/complaints/{number}/level-above", tags=["complaints"], response_model=WholeMatter, summary="To the street"
    )
    async def level_above(request: Request, number: Id, typed: ByPerson, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, None)
            staff.level_above(session, number, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post("/complaints/{number}/publish", tags=["complaints"], response_model=WholeMatter, summary="议事厅")
    async def publish(request: Request, number: Id, typed: Publish, key: Key = None) -> Response:
        """The matter for all neighbours: only where they agreed, and without who they are."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.publish(session, number, typed.text, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)


def _as_read(session: Session, number: int, seen: int | None) -> None:
    """404 when there is none, 409 when something happened since it was read."""
    row = session.scalar(select(Complaint).where(Complaint.number == number).with_for_update())
    if row is None:
        raise NO_COMPLAINT
    if seen is not None and _last(session, row.id) != seen:
        raise problems.stale()


def _last(session: Session, complaint_id: int) -> int:
    return session.scalar(select(func.max(ComplaintEvent.id)).where(ComplaintEvent.complaint_id == complaint_id)) or 0


def whole(session: Session, number: int) -> WholeMatter:
    row = session.scalar(select(Complaint).where(Complaint.number == number))
    if row is None:
        raise NO_COMPLAINT
    person = session.get(Person, row.person_id) if row.person_id else None
    meetings = session.scalars(select(Meeting).where(Meeting.complaint_id == row.id).order_by(Meeting.at))
    log, replies = rows.events(session, row), rows.replies(session, row)
    return WholeMatter(
        **_values(row, person),
        seen=log[-1].id if log else 0,
        replies=[
            ReplyGiven(round=each.round, text=each.text, by=each.by, at=each.at, outcome=each.outcome)
            for each in replies
        ],
        meetings=[
            MeetingHeld(at=each.at, booked_by=each.booked_by, over=each.outcome is not None) for each in meetings
        ],
        events=[MatterEvent(at=each.at, what=each.what, who=who_of(each.who, person)) for each in log],
    )


def _values(row: Complaint, person: Person | None) -> dict[str, Any]:
    told = shares(person)
    return {
        "number": row.number,
        "neighbourhood": row.neighbourhood_id,
        "elder": row.person_id,
        "opened_at": row.opened_at,
        "status": row.status,
        "wish": row.wish,
        "category": row.category,
        "name": person.name if person is not None and told else None,
        "place": row.place if told else None,
        "owner": row.owner,
        "heard_due": row.heard_due,
        "answer_due": row.answer_due,
        "unsolved": row.rounds,
        "level_above": row.level_above,
        "text": row.text,
        "closed_at": row.closed_at,
        "close_reason": row.close_reason,
    }
