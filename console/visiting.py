"""Who asks for the page that is being made: known to whatever makes it, without being handed through every function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from console.accounts_sessions import Visitor

_visitor: ContextVar[Visitor | None] = ContextVar("visitor", default=None)


def visitor() -> Visitor | None:
    """None on the pages for everybody, and outside of any page."""
    return _visitor.get()


@contextmanager
def visiting(who: Visitor | None) -> Iterator[None]:
    token = _visitor.set(who)
    try:
        yield
    finally:
        _visitor.reset(token)
