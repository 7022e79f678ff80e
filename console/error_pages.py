"""What a browser gets where there is no page, or where something broke: a page in the console's look, with the way back
to today. Whoever asks for no page (carriers, devices, scripts) gets the short JSON of before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from console.api import problems
from console.api.problems import ProblemError
from console.guard import HEADERS, PageError
from console.scopes import API

MACHINES = ("/twilio", "/devices", "/healthz", "/phone/calls")  # addresses at which nobody looks with a browser
NO_PAGE = PageError(HTTPStatus.NOT_FOUND, "没有这一页。", "there is no such page")
_SAID = {
    HTTPStatus.NOT_FOUND: NO_PAGE,
    HTTPStatus.METHOD_NOT_ALLOWED: PageError(
        HTTPStatus.METHOD_NOT_ALLOWED, "这一页不能这样打开。", "this page can't be asked for in this way"
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: PageError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "这一页出错了，请再试一次。", "something broke here; try again"
    ),
}


def add(web: FastAPI, show: Callable[[PageError], Response]) -> None:
    """`show` makes the page. What broke is raised on after it is answered: the log has it."""

    @web.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if is_api(request):
            return _problem(said(error.status_code), error.headers)
        if not wants_page(request):
            return await http_exception_handler(request, error)
        return _page(show, said(error.status_code), error.headers)

    @web.exception_handler(Exception)
    async def broke(request: Request, _error: Exception) -> Response:
        if is_api(request):
            return _problem(said(HTTPStatus.INTERNAL_SERVER_ERROR), None)
        if not wants_page(request):
            return PlainTextResponse("Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
        return _page(show, said(HTTPStatus.INTERNAL_SERVER_ERROR), None)


def is_api(request: Request) -> bool:
    return request.url.path.startswith(f"{API}/")


def wants_page(request: Request) -> bool:
    """Whether a browser asks, for something to look at."""
    path = request.url.path
    machine = any(path == one or path.startswith(f"{one}/") for one in MACHINES)
    return not machine and "text/html" in request.headers.get("accept", "")


def said(status: int) -> PageError:
    known = next((error for code, error in _SAID.items() if code == status), None)
    return known or PageError(status, "这一页打不开。", "this page can't be opened")


def _problem(error: PageError, headers: Mapping[str, str] | None) -> Response:
    return problems.answer(ProblemError(error.status, error.zh, error.en, {**HEADERS, **(headers or {})}))


def _page(show: Callable[[PageError], Response], error: PageError, headers: Mapping[str, str] | None) -> Response:
    page = show(error)
    page.headers.update({**HEADERS, **(headers or {})})
    return page
