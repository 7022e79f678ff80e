"""Routes behind the door: each lets in whom the table (console/access.py) names, shows errors as pages, and adds the
headers to every answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from console import access
from console.door import MALFORMED, NO_DATABASE, Door, ElsewhereError
from console.guard import HEADERS, PageError
from console.tour import COOKIE, walking
from console.visiting import visiting
from storage.faults import where

log = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
STAY_WITH_TLS = "max-age=31536000"


def guarded(show_error: Callable[[PageError], Response], door: Door) -> type[APIRoute]:
    """A route class. UnlistedRouteError at once for a route that isn't in the table."""

    class Guarded(APIRoute):
        guarded = True

        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()
            wanted = {method: access.access(method, self.path) for method in self.methods or ()}

            async def handle(request: Request) -> Response:
                try:
                    who = await door.admit(request, wanted[request.method])
                    with visiting(who), walking(request.cookies.get(COOKIE)):
                        response = await inner(request)
                except ElsewhereError as elsewhere:
                    response = elsewhere.response
                except PageError as error:
                    response = show_error(error)
                except RequestValidationError:
                    response = show_error(MALFORMED)
                except SQLAlchemyError as error:
                    log.error("a page can't be shown, or a form not be saved: %s", where(error))
                    response = show_error(NO_DATABASE)
                return _with_headers(response, secure=door.is_secure(request))

            return handle

    return Guarded


def _with_headers(response: Response, *, secure: bool) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if secure:
        response.headers.setdefault("Strict-Transport-Security", STAY_WITH_TLS)
    return response
