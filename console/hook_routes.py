"""Addresses of other programs, on the page of their tokens: set, paused, tried and removed by a supervisor. The secret
of a new one is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import outgoing_staff
from checkins.outgoing_tables import Endpoint
from checkins.tables import Neighbourhood
from console.deps import Deps
from console.forms import done, fields, name_of, number_in, row_number
from console.guard import PageError

NO_HOOK = PageError(404, "没有这个接收地址。", "there is no such address")
_MOST_FIELDS = 20
SORT_ZH: Mapping[str, str] = {"case.*": "个案", "emergency.*": "紧急情况", "complaint.*": "诉求"}
WRONG = "没有保存：请写完整的 https 地址，并选至少一项。"


@dataclass(frozen=True)
class HookLine:
    id: int
    url: str = field(repr=False)
    events: str
    place: str
    made: str
    paused: str
    failing: str


def lines(session: Session) -> list[HookLine]:
    names = dict(places(session))
    return [_line(each, names) for each in outgoing_staff.listed(session)]


def make(session: Session, typed: Mapping[str, str], by: str, deps: Deps) -> str:
    """The secret. ValueError, LookupError: why not."""
    events = [sort for sort in outgoing_staff.SORTS if typed.get(f"hook-{sort}")]
    place = number_in(typed.get("place", ""))
    return outgoing_staff.add(session, typed.get("url", ""), events, by, deps.clock.now(), place)[1]


def places(session: Session) -> list[tuple[int, str]]:
    query = select(Neighbourhood.id, Neighbourhood.committee).order_by(Neighbourhood.id)
    return [(number, name) for number, name in session.execute(query)]


def add(router: APIRouter, deps: Deps) -> None:
    @router.post("/tokens/hooks/{hook_id}/{act}")
    async def acts(request: Request, hook_id: str, act: str) -> Response:
        await fields(request, _MOST_FIELDS)
        number, by, now = row_number(hook_id, NO_HOOK), name_of(), deps.clock.now()
        if act not in outgoing_staff.ACTS:
            raise NO_HOOK
        try:
            await deps.db.run(lambda session: outgoing_staff.ACTS[act](session, number, by, now))
        except LookupError:
            raise NO_HOOK from None
        return done("/tokens")


def _line(row: Endpoint, names: Mapping[int, str]) -> HookLine:
    place = names.get(row.neighbourhood_id, "") if row.neighbourhood_id is not None else ""
    events = "、".join(SORT_ZH.get(each, each) for each in row.events)
    made = f"{row.made_by} {row.made_at:%Y-%m-%d}"
    paused = ("线路" if row.paused_by == "line" else row.paused_by or "") if row.paused_at else ""
    return HookLine(row.id, row.url, events, place, made, paused, row.failing or "")
