"""What all forms share: the name of whoever acts, kept for the next form; the token; the way back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from checkins.names import is_name

NAME_COOKIE = "wenan_name"
NAME_KEPT_S = 12 * 3600  # a working day
MAX_NAME = 100

Text = Annotated[str, Form()]


def name_of(request: Request) -> str:
    """The name given last on this machine; "" when nobody gave one lately."""
    return unquote(request.cookies.get(NAME_COOKIE, ""), errors="replace")[:MAX_NAME]


def wrong_name(by: str) -> str:
    """A sentence for a name that is none; "" for a good one."""
    if not is_name(by):
        return "请写上您的姓名：每件事都要有名有姓。Please give your name."
    if len(by.strip()) > MAX_NAME:
        return f"姓名请不超过 {MAX_NAME} 个字。The name is too long."
    return ""


def done(back: str, by: str) -> Response:
    """Post/Redirect/Get to one of our own pages; the name is kept for the next form."""
    response = RedirectResponse(back if _ours(back) else "/", status_code=303)
    response.set_cookie(NAME_COOKIE, quote(by.strip()), max_age=NAME_KEPT_S, httponly=True, samesite="strict")
    return response


def _ours(back: str) -> bool:
    """A path on this machine: no scheme, no other host."""
    return back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
