"""Who gets in to the JSON API: a token with the scope that the table (console/access.py) names, at a bounded pace.

The token comes in the header Authorization and nowhere else, so that no browser sends it by itself: cookies are not
looked at, and no page from elsewhere is allowed in (no CORS).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from checkins.schedule import local_date
from console import access, tokens
from console.access import Access
from console.api import problems
from console.api.caller import calling
from console.api.problems import ProblemError
from console.deps import Deps
from console.guard import HEADERS, PageError
from console.tokens import Caller
from console.view import HOME
from storage.faults import where

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024  # bytes
BODY_S = 15.0  # until all of it must be there
_SAFE = frozenset({"GET", "HEAD"})
_BEARER = "bearer "
_ASK = {"WWW-Authenticate": 'Bearer realm="wenan"'}
NO_TOKEN = ProblemError(
    401, "没有口令，或口令已失效。", "no token, or one that is revoked or has expired: Authorization: Bearer …", _ASK
)
NO_DATABASE = ProblemError(
    503,
    "数据库现在不能用，没有保存，请稍后再试。",
    "the database can't be used now; nothing was saved",
    {"Retry-After": "5"},
)
TOO_LONG = ProblemError(413, "内容太长，没有保存。", f"at most {MAX_BODY} bytes, with a Content-Length")
TOO_SLOW = ProblemError(408, "内容没有传完，没有保存。", "the body did not come in time; nothing was saved")
NOT_JSON = ProblemError(415, "请用 JSON。", "send Content-Type: application/json")


@dataclass
class Gate:
    deps: Deps

    async def admit(self, request: Request, wanted: Access) -> Caller:
        """ProblemError for whoever may not."""
        self.deps.door.check_place(request, wanted)
        who = await self._known(request)
        if wait := self.deps.pace.wait(who.token_id, time.monotonic()):
            en = f"too many requests: again in {wait} s"
            raise ProblemError(429, "请求太多，请稍等。", en, {"Retry-After": str(wait)})
        if wanted.scope not in who.scopes:
            raise ProblemError(403, "这个口令不能做这件事。", f"this token lacks the scope {wanted.scope}")
        if request.method not in _SAFE:
            _check_body(request)
        await self._touch(who)
        return who

    async def _known(self, request: Request) -> Caller:
        given = request.headers.get("authorization", "")
        if not given.lower().startswith(_BEARER):
            raise NO_TOKEN
        token, now = given[len(_BEARER) :].strip()[:200], self.deps.door.clock.now()
        who = await self.deps.db.browse(lambda session: tokens.find(session, token, now))
        if who is None:
            raise NO_TOKEN
        return who

    async def _touch(self, who: Caller) -> None:
        """Nobody is kept out when it can't be written."""
        today = local_date(HOME, self.deps.door.clock.now())
        if who.used_on == today:
            return
        try:
            await self.deps.db.run(lambda session: tokens.touch(session, who.token_id, today))
        except SQLAlchemyError as error:
            log.error("that a token is used can't be written down (%s)", where(error))


def _check_body(request: Request) -> None:
    """Before anything of it is read."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and len(length) <= 9) or int(length) > MAX_BODY:
        raise TOO_LONG
    if "transfer-encoding" in request.headers:
        raise TOO_LONG
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NOT_JSON


async def _come(request: Request) -> None:
    """All of the body, which the request then keeps."""
    try:
        async with asyncio.timeout(BODY_S):
            await request.body()
    except (TimeoutError, ClientDisconnect):
        raise TOO_SLOW from None


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def gated(gate: Gate) -> type[APIRoute]:
    """A route class. UnlistedRouteError at once for a route that isn't in the table."""

    class Gated(APIRoute):
        guarded = True

        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()
            wanted = {method: access.access(method, self.path) for method in self.methods or ()}

            async def handle(request: Request) -> Response:
                response = await _answered(gate, wanted[request.method], inner, request)
                for name, value in HEADERS.items():
                    response.headers.setdefault(name, value)
                return response

            return handle

    return Gated


async def _answered(gate: Gate, wanted: Access, inner: Handler, request: Request) -> Response:
    try:
        with calling(await gate.admit(request, wanted)):
            if request.method not in _SAFE:
                await _come(request)
            return await inner(request)
    except ProblemError as problem:
        return problems.answer(problem)
    except RequestValidationError as error:
        return problems.answer(_malformed(error))
    except PageError as error:
        return problems.answer(ProblemError(error.status, error.zh, error.en))
    except HTTPException as error:
        return problems.answer(ProblemError(error.status_code, "请求的内容读不懂。", "the request can't be read"))
    except SQLAlchemyError as error:
        log.error("a request of the API can't be answered: %s", where(error))
        return problems.answer(NO_DATABASE)


def _malformed(error: RequestValidationError) -> ProblemError:
    """Says which part and why, never what was given."""
    first = error.errors()[0]
    part = ".".join(str(each) for each in first["loc"])
    return ProblemError(422, f"请求写得不对：{part}", f"{part}: {first['msg']}", field=part)
