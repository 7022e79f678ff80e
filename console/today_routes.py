"""The page of today, its long lists page by page, and the search of the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from checkins.tables import Neighbourhood
from console import find_view, today_view, view
from console.deps import Deps
from console.forms import name_of
from console.guard import PageError
from console.kept import Kept
from console.pages import Pages
from console.today_view import PAGE, Some

MOST_ALL = 400  # who need a person, when all of them are asked for
LISTS: Mapping[str, tuple[str, str, Callable[..., Some]]] = {
    "running": ("正在进行", "running", today_view.running),
    "done": ("今天已办结", "done today", today_view.done),
}
OLD = timedelta(minutes=3)  # the auditor looks every minute
NO_LIST = PageError(404, "没有这一页。", "there is no such page")


@dataclass(frozen=True)
class Beat:
    """When the auditor last looked through everything; `old`: too long ago."""

    at: datetime | None
    old: bool

    @classmethod
    def of(cls, looked: datetime | None, now: datetime) -> Beat:
        return cls(looked, looked is not None and now - looked > OLD)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    kept = pages.kept

    @router.get("/")
    async def today(request: Request, all: str = "") -> Response:
        now, late, told = deps.clock.now(), deps.late(), tuple(deps.notes())
        most = MOST_ALL if all else today_view.MOST_WAITING

        def look(session: Session) -> Mapping[str, Any]:
            page = today_view.today(session, now, late, kept, most=most)
            return {"page": page, "notes": view.named(session, told), "beat": Beat.of(deps.looked(), now)}

        answer = await pages.shared("today.html", look, here="/?all=1" if all else "/")
        answer.background = BackgroundTask(pages.crowd.one, "renew", lambda: _renew(deps, kept, now))
        return answer

    @router.get("/today/{what}")
    async def some(request: Request, what: str, page: str = "1") -> Response:
        if what not in LISTS or not page.isascii() or not page.isdigit() or len(page) > 4 or int(page) < 1:
            raise NO_LIST
        zh, en, look = LISTS[what]
        number, now = int(page), deps.clock.now()
        found, shell = await pages.look(lambda session: look(session, _places(session), now, (number - 1) * PAGE, PAGE))
        values: dict[str, Any] = {"some": found, "zh": zh, "en": en, "what": what, "number": number}
        return await pages.shown(
            "today_list.html", shell, name_of(request), here=f"/today/{what}?page={number}", **values
        )

    @router.get("/find")
    async def find(request: Request, q: str = "") -> Response:
        now = deps.clock.now()
        found, shell = await pages.look(lambda session: find_view.find(session, q, now))
        return await pages.shown("find.html", shell, name_of(request), here="/find", results=found)


async def _renew(deps: Deps, kept: Kept, now: datetime) -> None:
    await deps.db.browse(lambda session: kept.renew(session, now))


def _places(session: Session) -> list[Neighbourhood]:
    return list(session.scalars(select(Neighbourhood)))
