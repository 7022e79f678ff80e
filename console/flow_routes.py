"""The flows of the line as drawings."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from console import flow_view
from console.deps import Deps
from console.flow_view import Drawings
from console.forms import name_of
from console.guard import PageError
from console.pages import Pages

NO_FLOW = PageError(404, "没有这个流程。", "there is no such flow")


def add(router: APIRouter, _deps: Deps, pages: Pages) -> None:
    drawings = Drawings()

    @router.get("/flows")
    async def flows() -> Response:
        _, shell = await pages.look(lambda _session: None)
        found = await asyncio.to_thread(flow_view.flows)
        return pages.show("flows.html", shell, name_of(), here="/flows", flows=found)

    @router.get("/flows/{name}")
    async def flow(name: str) -> Response:
        found = await asyncio.to_thread(flow_view.page, name, drawings)
        if found is None:
            raise NO_FLOW
        _, shell = await pages.look(lambda _session: None)
        return pages.show("flow.html", shell, name_of(), here=f"/flows/{name}", page=found)
