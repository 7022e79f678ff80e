"""What makes open pages live: the stream of what has changed, and the part that stands on every page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from console.access import access
from console.deps import Deps
from console.forms import name_of
from console.live import HEADERS
from console.pages import Pages
from console.visiting import visitor


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    wanted = access("GET", "/live")

    @router.get("/live")
    async def live() -> Response:
        """Ends when whoever opened it may not see the pages any more."""
        who = visitor()

        async def still() -> bool:
            return who is not None and await deps.door.still(who, wanted)

        return StreamingResponse(deps.live.events(still), media_type="text/event-stream", headers=HEADERS)

    @router.get("/shell")
    async def shell(request: Request, here: str = "/") -> Response:
        _, now = await pages.look(lambda session: None)
        return pages.show("shell.html", now, name_of(request), here=here)
