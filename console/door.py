"""The door of the console: who is let in, for how long, and what a request must bring along (docs/console.md).

Everything that isn't an account's page has its own lock and doesn't come by here. What can't be decided (no database)
is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from checkins.ports import Clock
from console import accounts
from console.access import THIS_MACHINE, Access, access
from console.accounts_sessions import TOUCH_EVERY, WHOLE, Visitor, find, touch
from console.guard import PageError, check_origin, check_place, check_token, split
from console.knocks import Knocks
from console.passwords import Hasher, one_time
from console.visiting import visiting
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_FORM = 64 * 1024  # bytes
MAX_FIELDS = 100
FORM_S = 15.0  # until all of it must be there: whoever isn't logged in yet may send one, too
LOOK_S = 3.0  # after so long whoever was put out is gone from what stays open
MOST_SOCKETS = 4  # of one account
REFUSED = 1008
WHILE_CHANGING = frozenset({"/password", "/logout"})  # with a one-time password nothing else opens

LOGIN = PageError(401, "请先登录。没有保存。", "log in first; nothing was saved")
FORBIDDEN = PageError(403, "您的账号不能看这一页，或不能做这件事。", "your account may not see or do this")
NO_DATABASE = PageError(
    503, "数据库现在不能用，没有保存，请稍后再试。", "the database can't be used now; nothing was saved"
)
TOO_LONG = PageError(413, "内容太长，没有保存。", "too long; nothing was saved")
TOO_SLOW = PageError(408, "传得太慢或中断了，没有保存。", "it broke off or took too long; nothing was saved")
NO_PAGE = PageError(404, "没有这一页。", "there is no such page")
MALFORMED = PageError(422, "表单内容不对，没有保存。", "malformed form; nothing was saved")


class ElsewhereError(Exception):
    """Answered by going somewhere else."""

    def __init__(self, response: Response) -> None:
        super().__init__("elsewhere")
        self.response = response


@dataclass
class Door:
    """`url`: where staff open the console through a proxy with TLS; "": on this machine only."""

    db: Database
    clock: Clock
    url: str = ""
    hasher: Hasher = field(default_factory=Hasher)
    knocks: Knocks = field(default_factory=Knocks)
    _sockets: Counter[int] = field(default_factory=Counter)  # that are open, by account

    async def admit(self, request: Request, wanted: Access) -> Visitor | None:
        """Who asks, if they may; None where anybody may. PageError or ElsewhereError for all others."""
        self.check_place(request, wanted)
        _check_address(request)
        if request.method not in SAFE:
            _check_length(request, wanted.body or MAX_FORM)
        if not wanted.roles:
            if request.method not in SAFE:
                await _form(request)
            return None
        who = await self._known(request)
        if who is None:
            raise _to_login(request)
        if who.must_change and request.url.path not in WHILE_CHANGING:
            raise ElsewhereError(_go(request, "/password"))
        if who.role not in wanted.roles:
            raise FORBIDDEN
        if request.method not in SAFE:
            check_origin(request.headers)
            check_token(who.form, _header_token(request) if wanted.body else await _form_token(request))
        await self._touch(request, who)
        return who

    async def first_password(self) -> str:
        """Makes the first account and gives its one-time password, once; "" when there are accounts."""
        if not await self.db.view(accounts.none_yet):
            return ""
        password, now = one_time(), self.clock.now()
        hashed = await self.hasher.hash(password)
        made = await self.db.run(lambda session: accounts.first(session, hashed, now))
        return password if made else ""

    def check_place(self, request: HTTPConnection, wanted: Access) -> None:
        """PageError for what was asked neither on this machine nor by the console's own address."""
        if wanted is THIS_MACHINE or not self.by_proxy(request):
            check_place(request.headers)

    async def still(self, who: Visitor, wanted: Access) -> bool:
        """Whether they may stay: asked every few seconds by what stays open. Without a database nobody is put out."""
        try:
            known = await self._find(who.cookie)
        except SQLAlchemyError:
            return True
        return known is not None and _may(known, wanted)

    def socket(self, path: str) -> Callable[[Socket], Socket]:
        """For a WebSocket of the pages: same page, logged in, one of the roles of "WS path", and not one too many, or
        the handshake is refused. It ends when whoever opened it may not have it any more."""
        wanted = access("WS", path)

        def guard(serve: Socket) -> Socket:
            @wraps(serve)
            async def guarded(websocket: WebSocket) -> None:
                who = await self._of_socket(websocket)
                if who is None or not _may(who, wanted) or self._sockets[who.account] >= MOST_SOCKETS:
                    log.warning("a socket of the pages was refused: not logged in, not from our page, or not allowed")
                    await websocket.close(REFUSED)  # before accept: answered with 403
                    return
                self._sockets[who.account] += 1
                try:
                    with visiting(who):
                        await self._while_they_may(who, wanted, websocket, serve)
                finally:
                    self._sockets[who.account] -= 1

            guarded.guarded = True  # type: ignore[attr-defined]
            return guarded

        return guard

    # ── cookies ───────────────────────────────────────────────────────────────────────────────────

    def by_proxy(self, request: HTTPConnection) -> bool:
        """Whether it came by the address of the console rather than on this machine."""
        return bool(self.url) and request.headers.get("host", "").lower() == urlsplit(self.url).netloc.lower()

    def is_secure(self, request: HTTPConnection) -> bool:
        return self.by_proxy(request) and self.url.startswith("https://")

    def cookie_name(self, request: HTTPConnection, name: str = "wenan_session") -> str:
        """Behind TLS browsers hold it to this very host."""
        return f"__Host-{name}" if self.is_secure(request) else name

    def set_cookie(self, request: Request, response: Response, value: str, name: str = "wenan_session") -> None:
        """Lax: a link in a mail finds whoever is logged in; forms are guarded by their token."""
        response.set_cookie(
            self.cookie_name(request, name),
            value,
            max_age=int(WHOLE.total_seconds()),
            httponly=True,
            secure=self.is_secure(request),
            samesite="lax",
        )

    def cookie(self, request: HTTPConnection, name: str = "wenan_session") -> str:
        return request.cookies.get(self.cookie_name(request, name), "")[:200]

    def address(self, request: Request) -> str:
        """Where it comes from; behind the proxy what that one says, which is the last entry of the last line."""
        if self.by_proxy(request):
            return ",".join(request.headers.getlist("x-forwarded-for")).rsplit(",", 1)[-1].strip()
        return request.client.host if request.client else ""

    # ── pieces ────────────────────────────────────────────────────────────────────────────────────

    async def _known(self, request: HTTPConnection) -> Visitor | None:
        try:
            return await self._find(self.cookie(request), acts=request.scope.get("method", "GET") not in SAFE)
        except Exception as error:
            log.error("nobody can be let in: the database can't be read (%s)", where(error))
            raise NO_DATABASE from None

    async def _find(self, cookie: str, *, acts: bool = False) -> Visitor | None:
        """Where pages are looked up; whoever acts waits for no page."""
        if not cookie:
            return None
        now, look = self.clock.now(), self.db.view if acts else self.db.browse
        return await look(lambda session: find(session, cookie, now))

    async def _touch(self, request: Request, who: Visitor) -> None:
        """What a page does by itself is nothing that somebody did. Nobody is kept out when it can't be written."""
        now = self.clock.now()
        if request.headers.get("x-background") or request.url.path == "/live" or now - who.seen_at < TOUCH_EVERY:
            return
        try:
            await self.db.run(lambda session: touch(session, who.cookie, now))
        except Exception as error:
            log.error("that somebody is at work can't be written down (%s)", where(error))

    async def _while_they_may(self, who: Visitor, wanted: Access, websocket: WebSocket, serve: Socket) -> None:
        serving = asyncio.ensure_future(serve(websocket))
        try:
            while not (await asyncio.wait([serving], timeout=LOOK_S))[0]:
                if not await self.still(who, wanted):
                    return
            serving.result()
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            with suppress(RuntimeError, WebSocketDisconnect):
                await websocket.close(REFUSED)

    async def _of_socket(self, websocket: WebSocket) -> Visitor | None:
        try:
            self.check_place(websocket, access("GET", "/"))
            check_origin(websocket.headers, must=True)
            return await self._known(websocket)
        except PageError:
            return None


Socket = Callable[[WebSocket], Coroutine[Any, Any, None]]


def _may(who: Visitor, wanted: Access) -> bool:
    return not who.must_change and who.role in wanted.roles


def back_from(request: HTTPConnection) -> str:
    """The page to come back to."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


def _check_length(request: Request, most: int) -> None:
    """Before anything of it is read: who sends it may be anybody. What says no length, or comes in pieces as well, has
    none."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) <= 9) or int(length) > most:
        raise TOO_LONG
    if "transfer-encoding" in request.headers:
        raise TOO_LONG


def _check_address(request: Request) -> None:
    given = [*request.path_params.values(), *(part for pair in request.query_params.multi_items() for part in pair)]
    if not all(_is_text(part) for part in given if isinstance(part, str)):
        raise NO_PAGE


def _header_token(request: Request) -> str:
    return request.headers.get("x-csrf-token", "")


async def _form_token(request: Request) -> str:
    """Of a form or of htmx."""
    form = await _form(request)
    token = _header_token(request) or form.get("token", "")
    return token if isinstance(token, str) else ""


async def _form(request: Request) -> FormData:
    """Empty for what sends none; the body is read once, and kept for whoever handles the form. PageError for files, and
    for text in which a browser sends none (a charset of Python's own makes halves of characters)."""
    try:
        async with asyncio.timeout(FORM_S):
            form = await request.form(max_files=0, max_fields=MAX_FIELDS)
    except (TimeoutError, ClientDisconnect):
        raise TOO_SLOW from None
    except (HTTPException, ValueError):
        raise MALFORMED from None
    if not all(isinstance(part, str) and _is_text(part) for pair in form.multi_items() for part in pair):
        raise MALFORMED
    return form


def _is_text(text: str) -> bool:
    """Whether a page can show it and a database keep it."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _to_login(request: Request) -> Exception:
    """Whoever looks at a page goes to the login and comes back; a form, a sound, a stream are refused."""
    if request.headers.get("x-background"):
        return LOGIN  # the page stays as it is, with what somebody is typing, and says so
    if request.method == "GET" and _is_page(request):
        return ElsewhereError(_go(request, f"/login?back={quote(back_from(request), safe='/')}"))
    if request.headers.get("hx-request"):
        page = split(request.headers.get("hx-current-url", "")).path or "/"
        return ElsewhereError(_go(request, f"/login?back={quote(page, safe='/')}"))
    return LOGIN


def _is_page(request: Request) -> bool:
    mode = request.headers.get("sec-fetch-mode")
    return not request.headers.get("hx-request") and (mode == "navigate" if mode else "text/html" in _accepts(request))


def _accepts(request: Request) -> str:
    return request.headers.get("accept", "")


def _go(request: Request, address: str) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
