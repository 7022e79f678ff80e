"""Ballots: what is asked, the result once it is counted, paper entered. Never who chose what, nor who has chosen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from community import ballot_rows as rows
from community import ballot_staff as staff
from community.ballot import Channel, Refusal, Unit
from community.ballot_tables import Ballot
from community.ballot_words import REFUSAL_ZH
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.problems import Problem
from console.api.reads import Reads
from console.api.values import After, ByPerson, Id, Limit, Listed, PlaceId, Short, Typed, page
from console.deps import Deps

NO_BALLOT = problems.missing("没有这次打钩。", "there is no such ballot")


class Question(BaseModel):
    """`counts`: by option, once it is over; null before, and when it was withdrawn."""

    topic: int
    question: str
    options: list[str]
    counts: list[int] | None


class Vote(BaseModel):
    """A ballot."""

    number: int
    neighbourhood: int
    title: str
    unit: Unit = Field(description="who has one choice")
    opens_at: datetime
    closes_at: datetime
    over: bool
    withdrawn: bool


class WholeVote(Vote):
    topics: list[Question]


class Choice(Typed):
    topic: int = Field(ge=1, le=100)
    option: int = Field(ge=1, le=100)


class Paper(ByPerson):
    whose: Short = Field(description="the elder's id; of an owners' ballot the unit (室号)")
    choices: list[Choice] = Field(min_length=1, max_length=100)
    signed_by: Short | None = Field(None, description="of an owners' ballot: an owner, or whose proxy is on file")
    visit: bool = Field(False, description="said at the door, not on paper")
    change: bool = Field(False, description="they were asked, and want it so instead of what was chosen before")


class Counts(BaseModel):
    """It counts."""

    number: int
    counts: bool


def add(router: APIRouter, deps: Deps) -> None:
    reads, acts = Reads(deps), Acts(deps)

    @router.get("/ballots", tags=["ballots"], summary="Ballots that are not over")
    async def listed(
        neighbourhood: PlaceId = None,
        everything: Annotated[bool, Query(description="what is over, too")] = False,
        after: After = 0,
        limit: Limit = 50,
    ) -> Listed[Vote]:
        def look(session: Session, now: datetime) -> Listed[Vote]:
            query = select(Ballot).where(Ballot.number > after).order_by(Ballot.number).limit(limit + 1)
            query = query if neighbourhood is None else query.where(Ballot.neighbourhood_id == neighbourhood)
            query = query if everything else query.where(Ballot.sealed_at.is_(None))
            found = session.scalars(query).all()
            return page(found, limit, lambda row: row.number, lambda row: Vote(**_values(row)))

        return await reads.look(look)

    @router.get("/ballots/{number}", tags=["ballots"], summary="One ballot, with its result once it is over")
    async def one(number: Id) -> WholeVote:
        return await reads.look(lambda session, now: _whole(session, _ballot(session, number)))

    @router.post("/ballots/{number}/papers", tags=["ballots"], response_model=Counts, summary="Enter a paper")
    async def enter(request: Request, number: Id, typed: Paper, key: Key = None) -> Response:
        """What a rule refuses is logged, and answered with 409."""

        def work(session: Session, by: str, now: datetime) -> Done:
            _ballot(session, number)
            channel = Channel.VISIT if typed.visit else Channel.PAPER
            chosen = {each.topic: each.option for each in typed.choices}
            if len(chosen) < len(typed.choices):
                raise ValueError("each topic once")
            who, change = typed.signed_by or "", typed.change
            why = staff.enter(session, number, typed.whose, chosen, channel, by, now, who=who, change=change)
            return Done(Counts(number=number, counts=True)) if why is None else _refused(why)

        return await acts.do(request, typed.person, work)


def _refused(why: Refusal) -> Done:
    """No exception: that it was refused is written down."""
    zh, en = f"不算数：{REFUSAL_ZH[why]}。已记下。", f"refused, and logged: {why}"
    return Done(Problem(title="Conflict", status=409, detail=en, detail_zh=zh), 409)


def _ballot(session: Session, number: int) -> Ballot:
    row = session.scalars(select(Ballot).where(Ballot.number == number)).one_or_none()
    if row is None:
        raise NO_BALLOT
    return row


def _whole(session: Session, row: Ballot) -> WholeVote:
    counted = row.result or {}
    topics = [
        Question(
            topic=each.position,
            question=each.question,
            options=each.options,
            counts=counted.get(str(each.position)),
        )
        for each in rows.topics(session, row)
    ]
    return WholeVote(**_values(row), topics=topics)


def _values(row: Ballot) -> dict[str, Any]:
    return {
        "number": row.number,
        "neighbourhood": row.neighbourhood_id,
        "title": row.title,
        "unit": row.unit,
        "opens_at": row.opens_at,
        "closes_at": row.closes_at,
        "over": row.sealed_at is not None,
        "withdrawn": row.withdrawn_by is not None,
    }
