"""Help: the walk through the pages on the first day, and the guides to print."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.enrolment import font, guides
from checkins.enrolment.font import FontError
from checkins.tables import Neighbourhood
from console import tour
from console.deps import Deps
from console.forms import Text, name_of, number_in, row_number
from console.guard import PageError
from console.pages import Pages
from console.visiting import visitor

NO_GUIDE = PageError(404, "没有这份指南。", "there is no such guide")
NO_LINE = PageError(503, "还没有设线路号码（WENAN_TWILIO_FROM），指南上没有号码可写。", "the line has no number yet")
GUIDES: dict[str, Callable[[guides.Facts], bytes]] = {"staff": guides.for_staff, "buddies": guides.for_buddies}


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/help")
    async def shown(request: Request) -> Response:
        who = visitor()
        assert who is not None, "the table of routes says so"
        places, shell = await pages.look(_places)
        return pages.show(
            "help.html", shell, name_of(request), here="/help", stops=tour.stops(who.role), places=places, wrong=""
        )

    @router.post("/help/tour")
    async def step(request: Request, step: Text = "") -> Response:
        who = visitor()
        assert who is not None, "the table of routes says so"
        ahead, number = tour.stops(who.role), number_in(step[:3]) or 0
        secure = deps.door.is_secure(request)
        if not 1 <= number <= len(ahead):
            answer = RedirectResponse("/help", 303)
            tour.end(answer, secure=secure)
            return answer
        answer = RedirectResponse(ahead[number - 1].address, 303)
        tour.begin(answer, number, secure=secure)
        return answer

    @router.get("/help/{place}/{name}.pdf")
    async def guide(place: str, name: str) -> Response:
        made, number = GUIDES.get(name), row_number(place, NO_GUIDE)
        if made is None:
            raise NO_GUIDE
        if not deps.line:
            raise NO_LINE
        committee = await deps.db.browse(lambda session: _committee(session, number))
        try:
            pdf = await asyncio.to_thread(_drawn, made, guides.Facts(committee, deps.line))
        except FontError as error:
            raise PageError(503, "本机没有能打印的中文字体，请安装 fonts-wqy-zenhei。", str(error)) from None
        headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
        return Response(pdf, media_type="application/pdf", headers=headers)


def _drawn(made: Callable[[guides.Facts], bytes], facts: guides.Facts) -> bytes:
    font.load()
    return made(facts)


def _places(session: Session) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))]


def _committee(session: Session, number: int) -> str:
    place = session.get(Neighbourhood, number)
    if place is None:
        raise NO_GUIDE
    return place.committee
