"""The browser phone's page, its tickets and its socket."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocket

from callflows import loader
from callflows.loader import shipped
from console import phone_first, phone_socket
from console.deps import Deps
from console.flow_words import FLOW_ZH
from console.forms import Text, name_of
from console.guard import PageError
from console.pages import Pages
from console.phone_desk import PhoneDesk
from console.visiting import visitor

NONE_HERE = PageError(
    404,
    "真实线路上没有浏览器电话。要试打，请在设置里打开 browser_phone。",
    "no browser phone beside a real carrier, unless the setting browser_phone is on",
)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    desk = PhoneDesk(deps.db, deps.clock.now, deps.phone) if deps.phone else None

    def open_desk() -> PhoneDesk:
        if desk is None:
            raise NONE_HERE
        return desk

    @router.get("/phone")
    async def phone(request: Request, q: str = "", who: str = "") -> Response:
        line = open_desk().line
        (people, first), shell = await pages.look(lambda session: phone_first.found(session, q[:100]))
        flows = [(name, FLOW_ZH.get(name, "")) for name in loader.shipped_names()]
        values: dict[str, Any] = {"people": people, "q": q[:100], "who": who or first, "flows": flows}
        return pages.show("phone.html", shell, name_of(request), here="/phone", counts=line.counts, **values)

    @router.post("/phone/calls")
    async def call(kind: Text = "", who: Text = "", flow: Text = "") -> Response:
        """A ticket for one call, as JSON; so are the errors that the page shows."""
        try:
            wish = await open_desk().wish(account(), kind, who, flow)
            return JSONResponse({"ticket": open_desk().ticket(wish), "counts": wish.counts})
        except PageError as error:
            return JSONResponse({"zh": error.zh, "en": str(error)}, error.status)

    @router.websocket("/phone/line")
    @deps.door.socket("/phone/line")
    async def line(websocket: WebSocket) -> None:
        if desk is None:
            await websocket.close(1008)
            return
        await phone_socket.serve(websocket, desk, account(), shipped)


def account() -> int:
    """Of whoever asks: the door lets nobody else in."""
    who = visitor()
    assert who is not None, "the table of routes says so"
    return who.account
