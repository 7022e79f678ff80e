"""Tickets of 一键通: what elders ask for by one key. Who it is, and what was booked, only of those who have agreed that
the street office knows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.tables import Person
from community import tickets_rows as rows
from community import tickets_staff as staff
from community.tickets_tables import Ticket, TicketEvent, TicketKind, TicketStatus, Wants
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.reads import Reads, shares, who_of
from console.api.values import After, ByPerson, Id, Limit, Listed, Moment, PlaceId, Seen, Text, page
from console.deps import Deps

NO_TICKET = problems.missing("没有这张一键通。", "there is no such ticket")


class Asked(BaseModel):
    """A ticket."""

    number: int
    neighbourhood: int
    elder: str
    kind: TicketKind
    opened_at: datetime
    status: TicketStatus
    wants: Wants
    due_at: datetime | None = Field(description="by then somebody does what comes next")
    owner: str | None
    name: str | None
    phone: str | None
    closed_at: datetime | None
    close_reason: str | None


class Booked(BaseModel):
    round: int
    text: str | None
    known_by: datetime | None
    by: str
    at: datetime
    outcome: str | None


class TicketLog(BaseModel):
    at: datetime
    what: str
    who: str


class WholeTicket(Asked):
    seen: int
    bookings: list[Booked]
    events: list[TicketLog]


class Take(ByPerson):
    seen: Seen


class Book(ByPerson):
    text: Text = Field(description="what was booked; the line says it: at most 300 signs")
    known_by: Moment | None = Field(None, description="by then they must know")
    seen: Seen


class Told(ByPerson):
    words: Text = Field(description="what you told them")
    seen: Seen


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/tickets", tags=["tickets"], summary="Tickets, the open ones by default")
    async def listed(
        neighbourhood: PlaceId = None,
        everything: Annotated[bool, Query(description="closed ones, too")] = False,
        after: After = 0,
        limit: Limit = 50,
    ) -> Listed[Asked]:
        def look(session: Session, now: datetime) -> Listed[Asked]:
            query = select(Ticket, Person).join(Person, Person.id == Ticket.person_id)
            query = query.where(Ticket.number > after).order_by(Ticket.number).limit(limit + 1)
            query = query if neighbourhood is None else query.where(Ticket.neighbourhood_id == neighbourhood)
            query = query if everything else query.where(Ticket.status != TicketStatus.CLOSED)
            found = [(row, person) for row, person in session.execute(query)]
            return page(found, limit, lambda each: each[0].number, lambda each: Asked(**_values(*each)))

        return await reads.look(look)

    @router.get("/tickets/{number}", tags=["tickets"], summary="One ticket with its log")
    async def one(number: Id) -> WholeTicket:
        return await reads.look(lambda session, now: whole(session, number))

    _add_acts(router, Acts(deps))


def _add_acts(router: APIRouter, acts: Acts) -> None:
    @router.post("/tickets/{number}/take", tags=["tickets"], response_model=WholeTicket, summary="Take it")
    async def take(request: Request, number: Id, typed: Take, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.take(session, number, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post("/tickets/{number}/book", tags=["tickets"], response_model=WholeTicket, summary="What was booked")
    async def book(request: Request, number: Id, typed: Book, key: Key = None) -> Response:
        """The line rings them with it, or a person whom it can't ring."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.book(session, number, by, now, typed.text, known_by=typed.known_by)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post("/tickets/{number}/told", tags=["tickets"], response_model=WholeTicket, summary="You have told them")
    async def told(request: Request, number: Id, typed: Told, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.told(session, number, typed.words, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)

    @router.post("/tickets/{number}/cannot", tags=["tickets"], response_model=WholeTicket, summary="It can't be done")
    async def cannot(request: Request, number: Id, typed: Told, key: Key = None) -> Response:
        """And you have told them so, in these words."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _as_read(session, number, typed.seen)
            staff.cannot(session, number, typed.words, by, now)
            return Done(whole(session, number))

        return await acts.do(request, typed.person, work)


def _as_read(session: Session, number: int, seen: int) -> None:
    """404 when there is none, 409 when something happened since it was read."""
    row = session.scalar(select(Ticket).where(Ticket.number == number).with_for_update())
    if row is None:
        raise NO_TICKET
    if (session.scalar(select(func.max(TicketEvent.id)).where(TicketEvent.ticket_id == row.id)) or 0) != seen:
        raise problems.stale()


def whole(session: Session, number: int) -> WholeTicket:
    row = session.scalar(select(Ticket).where(Ticket.number == number))
    if row is None:
        raise NO_TICKET
    person = session.get_one(Person, row.person_id)
    log, told = rows.events(session, row), shares(person)
    return WholeTicket(
        **_values(row, person),
        seen=log[-1].id if log else 0,
        bookings=[
            Booked(
                round=each.round,
                text=each.text if told else None,
                known_by=each.known_by,
                by=each.by,
                at=each.at,
                outcome=each.outcome,
            )
            for each in rows.bookings(session, row)
        ],
        events=[TicketLog(at=each.at, what=each.what, who=who_of(each.who, person)) for each in log],
    )


def _values(row: Ticket, person: Person) -> dict[str, Any]:
    told = shares(person)
    return {
        "number": row.number,
        "neighbourhood": row.neighbourhood_id,
        "elder": row.person_id,
        "kind": row.kind,
        "opened_at": row.opened_at,
        "status": row.status,
        "wants": row.wants,
        "due_at": row.due_at,
        "owner": row.owner,
        "name": person.name if told else None,
        "phone": person.number if told else None,
        "closed_at": row.closed_at,
        "close_reason": row.close_reason,
    }
