"""Recordings of a case, for whoever may hear them: of elders alone who have agreed that the street office knows. Each
listening is written down."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from checkins import cases
from checkins.tables import Person
from console import call_log, recorded
from console.api import problems
from console.api.caller import caller
from console.api.cases import NO_CASE
from console.api.problems import ProblemError
from console.api.reads import Reads, shares
from console.api.values import Id
from console.deps import Deps

NO_RECORDING = problems.missing("没有这段录音，或录音已损坏。", "there is no such recording, or it is damaged")
NOT_SHARED = ProblemError(
    403, "这位老人没有同意让街道知道。", "this elder has not agreed that the street office knows: consent `street`"
)
NO_LISTENER = ProblemError(
    422,
    "请写明是谁在听（X-Person）。",
    "say who listens: header X-Person, percent-encoded UTF-8",
    field="header.X-Person",
)
WAV = {200: {"description": "8 kHz, 16 bit, mono", "content": {"audio/wav": {}}}}
Listener = Annotated[
    str,
    Header(alias="X-Person", pattern=r"^[!-~]{1,200}$", description="who listens, percent-encoded UTF-8"),
]


class Recorded(BaseModel):
    number: int = Field(description="of this case, from 1")
    called_at: datetime


def add(router: APIRouter, deps: Deps) -> None:
    reads = Reads(deps)

    @router.get("/cases/{case_id}/recordings", tags=["cases"], summary="What was recorded in a case's calls")
    async def listed(case_id: Id) -> list[Recorded]:
        found = await reads.look(lambda session, now: _recordings(session, case_id))
        return [Recorded(number=nth, called_at=at) for nth, (_, at) in enumerate(found, 1)]

    @router.get(
        "/cases/{case_id}/recordings/{number}",
        tags=["cases"],
        summary="One recording",
        response_class=Response,
        responses=WAV,  # type: ignore[arg-type]
    )
    async def heard(case_id: Id, number: Id, person: Listener) -> Response:
        """Who listens is written down before it is heard."""
        who = _listener(person)
        found = await reads.look(lambda session, now: _recordings(session, case_id))
        if number > len(found):
            raise NO_RECORDING
        return Response(await recorded.opened(deps, case_id, found[number - 1][0], who), media_type="audio/wav")


def _listener(given: str) -> str:
    name = unquote(given).strip()
    try:
        if not name or len(name) > 30 or "\0" in name:
            raise ValueError
        return caller().acting(name)
    except ValueError:
        raise NO_LISTENER from None


def _recordings(session: Session, case_id: int) -> list[tuple[str, datetime]]:
    row = cases.one(session, case_id)
    if row is None:
        raise NO_CASE
    if not shares(session.get(Person, row.elder_id)):
        raise NOT_SHARED
    return [(path, call.ordered_at) for call in call_log.calls(session, row.intents) for path in call.recordings]
