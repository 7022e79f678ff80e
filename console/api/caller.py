"""Which token asks: known to whatever answers, without being handed through every function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from console.tokens import Caller

_caller: ContextVar[Caller] = ContextVar("caller")


def caller() -> Caller:
    """LookupError outside of the API's routes."""
    return _caller.get()


@contextmanager
def calling(who: Caller) -> Iterator[None]:
    token = _caller.set(who)
    try:
        yield
    finally:
        _caller.reset(token)
