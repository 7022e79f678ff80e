"""All routes of the JSON API, behind its gate; the document that describes them, and the page that shows it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from console.api import ballots, cases, complaints, elders, house, items, notices, recordings, roster, tickets
from console.api.document import document
from console.api.gate import Gate, gated
from console.api.manual import manual
from console.deps import Deps
from console.forms import name_of
from console.pages import Pages
from console.scopes import API

SUBJECTS = (house, cases, recordings, items, elders, complaints, tickets, notices, ballots, roster)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    programs = APIRouter(prefix=API, route_class=gated(Gate(deps)), default_response_class=JSONResponse)
    for subject in SUBJECTS:
        subject.add(programs, deps)
    described = document(programs.routes)
    router.routes.extend(programs.routes)
    _add_pages(router, pages, described)


def _add_pages(router: APIRouter, pages: Pages, described: dict[str, Any]) -> None:
    shown = manual(described)

    @router.get(f"{API}/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(described)

    @router.get("/api")
    async def page(request: Request) -> Response:
        _, shell = await pages.look(lambda session: None)
        return pages.show("api.html", shell, name_of(request), here="/api", manual=shown)
