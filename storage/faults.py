"""How an error is told in the log: what and where, never its message. A database's message holds what was to be
written: names, numbers, what somebody said (PostgreSQL's DETAIL does even where SQLAlchemy hides its parameters)."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

_NOT_OURS = ("site-packages", "/lib/python", "<")
_Told = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def where(error: BaseException) -> str:
    """ "OperationalError at claims.py:101": the type, and the innermost line of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not any(part in frame.filename for part in _NOT_OURS)]
    place = (ours or frames)[-1:]
    return type(error).__name__ + "".join(f" at {at.filename.rpartition('/')[2]}:{at.lineno}" for at in place)


class Discreet(logging.Formatter):
    """For errors that others log with all they know (the web server, the event loop): the way, without messages."""

    def formatException(self, ei: _Told) -> str:  # noqa: N802 (the library's name)
        kind, _, trace = ei
        way = "".join(traceback.format_tb(trace))
        return f"Traceback (most recent call last):\n{way}{kind.__name__ if kind else ''}"
