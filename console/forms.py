"""What all forms share: the name of whoever acts, which is their account's, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from console.visiting import visitor

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
