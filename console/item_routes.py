"""Alarms of the line, acknowledged on any page; what else staff must see to, done by a name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from checkins import alarms, items
from console import items_view
from console.deps import Deps
from console.forms import Text, done, name_of, row_number
from console.guard import PageError, split
from console.pages import Pages

_Act = Callable[[Session, int, str, datetime], bool]

GONE = PageError(404, "没有这一条，或者已经有人处理了。", "there is no such entry, or somebody has seen to it")


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/items")
    async def shown(request: Request) -> Response:
        page, shell = await pages.look(lambda session: items_view.look(session))
        return await pages.shown("items.html", shell, name_of(request), here="/items", page=page)

    @router.post("/items/{number}/done")
    async def item_done(number: str) -> Response:
        await _act(deps, items.done, number, name_of())
        return done("/items")

    @router.post("/alarms/{number}/acknowledge")
    async def acknowledge(number: str, back: Text = "") -> Response:
        await _act(deps, alarms.acknowledge, number, name_of())
        return done(split(back).path)


async def _act(deps: Deps, act: _Act, number: str, by: str) -> None:
    """Does it; twice is once. PageError 404 for what can't be a row's number."""
    row, now = row_number(number, GONE), deps.clock.now()
    if not await deps.db.run(lambda session: act(session, row, by, now)):
        raise GONE
