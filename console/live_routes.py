"""What makes open pages live: the stream of what has changed, and the part that stands on every page."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from console.access import access
from console.deps import Deps
from console.forms import name_of
from console.live import HEADERS
from console.pages import Pages
from console.visiting import visitor

MOST_STREAMS = 120  # of all pages together: webhooks and calls always find a place (serving.py)
MOST_OF_ONE = 8  # of one account
FULL_HEADERS = {"Connection": "close", "Cache-Control": "no-store"}  # whoever is refused keeps no place either


class Places:
    """Who has streams open, by account."""

    def __init__(self, most: int = MOST_STREAMS, most_of_one: int = MOST_OF_ONE) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._taken: Counter[int] = Counter()

    def free(self, account: int) -> bool:
        return self._taken[account] < self._most_of_one and self._taken.total() < self._most

    @contextmanager
    def taken(self, account: int) -> Iterator[None]:
        self._taken[account] += 1
        try:
            yield
        finally:
            self._taken[account] -= 1


class _Stream(StreamingResponse):
    """Has its place from its first byte to its last."""

    def __init__(self, events: AsyncIterator[str], places: Places, account: int) -> None:
        super().__init__(events, media_type="text/event-stream", headers=HEADERS)
        self._places, self._account = places, account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._places.free(self._account):
            await Response(status_code=429, headers=FULL_HEADERS)(scope, receive, send)
            return
        with self._places.taken(self._account):
            await super().__call__(scope, receive, send)


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    wanted, places = access("GET", "/live"), Places()

    @router.get("/live")
    async def live(seen: str = "") -> Response:
        """Ends when whoever opened it may not see the pages any more. A page without a place asks again."""
        who = visitor()
        assert who is not None, "the door lets nobody unknown in"

        async def still() -> bool:
            return await deps.door.still(who, wanted)

        return _Stream(deps.live.events(still, seen), places, who.account)

    @router.get("/shell")
    async def shell(request: Request, here: str = "/") -> Response:
        _, now = await pages.look(lambda session: None)
        return await pages.shown("shell.html", now, name_of(request), here=here)
