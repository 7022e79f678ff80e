"""What all forms share: the name of whoever acts, which is their account's, and the way back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from console.door import MALFORMED
from console.guard import PageError
from console.visiting import visitor
from storage.database import from_millis

Text = Annotated[str, Form()]


def name_of(_request: Request | None = None) -> str:
    """Who acts; "" on the pages for everybody."""
    who = visitor()
    return who.name if who else ""


def done(back: str) -> Response:
    """Post/Redirect/Get to one of our own pages."""
    return RedirectResponse(ours(back), status_code=303)


def ours(back: str) -> str:
    """A path on this machine: no scheme, no other host; "/" for anything else."""
    good = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
    return back if good else "/"


def number_in(text: str) -> int | None:
    """None for what can't be a row's number (as large as the database's)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def seen_in(text: str) -> int:
    """The last event on the page that somebody acts from; a form that doesn't say has seen nothing."""
    return number_in(text) or 0


def heard_in(text: str) -> datetime | None:
    """When the last recording on that page was made; None: the form doesn't say."""
    millis = number_in(text[:14])
    return None if millis is None else from_millis(millis)


def row_number(text: str, unknown: PageError) -> int:
    """Raises `unknown` for what can't be one."""
    number = number_in(text)
    if number is None:
        raise unknown
    return number


async def fields(request: Request, most: int) -> dict[str, str]:
    """What a form holds, of at most so many fields; files are nobody's."""
    try:
        async with request.form(max_files=0, max_fields=most) as form:
            return {key: value for key, value in form.items() if isinstance(value, str)}
    except HTTPException:
        raise MALFORMED from None
