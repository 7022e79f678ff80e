"""Notices: published, withdrawn, and whom they have not reached."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.people import stops_calls
from checkins.tables import Neighbourhood
from community import notices
from community.notice_tables import FIRST_NOTICE, Notice, Topic
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.problems import ProblemError
from console.api.reads import Reads
from console.api.values import After, ByPerson, Id, Limit, Listed, Moment, PlaceId, Short, Text, page
from console.deps import Deps

NO_NOTICE = problems.missing("没有这条公告。", "there is no such notice")
NO_PLACE = problems.missing("没有这个居委。", "there is no such neighbourhood")


class Posted(BaseModel):
    """A notice."""

    number: int
    neighbourhood: int
    topic: Topic
    text: str
    urgent: bool = Field(description="elders are rung with it")
    buildings: list[str] = Field(description="whom it is for; none: everybody")
    language: str | None
    valid_from: datetime
    valid_until: datetime
    by: str
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class Unheard(BaseModel):
    """An elder who has not said that they understood it. `line`: whether the line may ring them at all."""

    elder: str
    heard: bool = Field(description="played to the end")
    line: bool
    given_up: bool = Field(description="no call is made any more: somebody goes there")


class NewNotice(ByPerson):
    neighbourhood: int = Field(ge=1, le=2**53 - 1)
    text: Text = Field(description="the line says it: at most 300 signs")
    until: Moment
    since: Moment | None = None
    topic: Topic = Topic.NOTICE
    urgent: bool = False
    buildings: list[Short] = Field(default=[], max_length=50, description="e.g. 3号楼; none: everybody")
    language: Literal["zh", "wuu"] | None = None


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/notices", tags=["notices"], summary="Notices that hold or are to come")
    async def listed(
        neighbourhood: PlaceId = None,
        everything: Annotated[bool, Query(description="what is over or withdrawn, too")] = False,
        after: After = 0,
        limit: Limit = 50,
    ) -> Listed[Posted]:
        def look(session: Session, now: datetime) -> Listed[Posted]:
            query = select(Notice).where(Notice.id > after - FIRST_NOTICE + 1).order_by(Notice.id).limit(limit + 1)
            query = query if neighbourhood is None else query.where(Notice.neighbourhood_id == neighbourhood)
            if not everything:
                query = query.where(Notice.valid_until > now, Notice.withdrawn_at.is_(None))
            return page(session.scalars(query).all(), limit, lambda row: row.number, _shown)

        return await reads.look(look)

    @router.get("/notices/{number}", tags=["notices"], summary="One notice")
    async def one(number: Id) -> Posted:
        return await reads.look(lambda session, now: _shown(_read(session, number)))

    @router.get("/notices/{number}/unheard", tags=["notices"], summary="Whom it has not reached")
    async def unheard(number: Id) -> list[Unheard]:
        return await reads.look(lambda session, now: _unheard(session, _read(session, number)))

    _add_acts(router, Acts(deps))


def _add_acts(router: APIRouter, acts: Acts) -> None:
    @router.post("/notices", tags=["notices"], response_model=Posted, summary="Publish a notice")
    async def publish(request: Request, typed: NewNotice, key: Key = None) -> Response:
        """The same again while it holds is the same notice."""

        def work(session: Session, by: str, now: datetime) -> Done:
            if session.get(Neighbourhood, typed.neighbourhood) is None:
                raise NO_PLACE
            return Done(_shown(_publish(session, typed, by, now)))

        return await acts.do(request, typed.person, work)

    @router.post("/notices/{number}/withdraw", tags=["notices"], response_model=Posted, summary="Withdraw a notice")
    async def withdraw(request: Request, number: Id, typed: ByPerson, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            _read(session, number)
            return Done(_shown(notices.withdraw(session, number, by, now)))

        return await acts.do(request, typed.person, work)


def _publish(session: Session, typed: NewNotice, by: str, now: datetime) -> Notice:
    try:
        return notices.publish(
            session,
            typed.neighbourhood,
            typed.text,
            by,
            now,
            until=typed.until,
            since=typed.since,
            topic=typed.topic,
            urgent=typed.urgent,
            buildings=typed.buildings,
            language=typed.language,
        )
    except LookupError as nobody:
        raise ProblemError(422, "按登记，写的楼里没有老人。", str(nobody), field="body.buildings") from None


def _read(session: Session, number: int) -> Notice:
    row = session.get(Notice, number - FIRST_NOTICE + 1)
    if row is None:
        raise NO_NOTICE
    return row


def _shown(row: Notice) -> Posted:
    return Posted(
        number=row.number,
        neighbourhood=row.neighbourhood_id,
        topic=Topic(row.topic),
        text=row.text,
        urgent=row.urgent,
        buildings=row.buildings,
        language=row.language,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        by=row.by,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )


def _unheard(session: Session, notice: Notice) -> list[Unheard]:
    return [
        Unheard(
            elder=person.id,
            heard=row.heard_at is not None,
            line=stops_calls(person) is None,
            given_up=row.given_up_at is not None,
        )
        for row, person in notices.unreached(session, notice)
    ]
