"""How an error is told in the log: what and where, never its message. A database's message holds what was to be
written: names, numbers, what somebody said (PostgreSQL's DETAIL does even where SQLAlchemy hides its parameters)."""

from __future__ import annotations

import errno
import logging
import re
import traceback
from types import TracebackType

_CODE = re.compile("[A-Z0-9_]{1,40}")  # nothing that was to be written looks so
_NOT_OURS = ("site-packages", "/lib/python", "<")
_Told = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def where(error: BaseException) -> str:
    """ "OperationalError SQLITE_FULL at claims.py:101": the type, the code that a database or the system gave it, and
    the innermost line of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not any(part in frame.filename for part in _NOT_OURS)]
    place = (ours or frames)[-1:]
    told = type(error).__name__ + (f" {known}" if (known := code(error)) else "")
    return told + "".join(f" at {at.filename.rpartition('/')[2]}:{at.lineno}" for at in place)


def code(error: BaseException) -> str:
    """SQLite's name of the error, PostgreSQL's SQLSTATE or the system's name ("ENOSPC"); "" for an error without."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy wraps what the driver raised
    given = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    if given is None and isinstance(cause, OSError):
        given = errno.errorcode.get(cause.errno or 0)
    return given if isinstance(given, str) and _CODE.fullmatch(given) else ""


class Discreet(logging.Formatter):
    """For errors that others log with all they know (the web server, the event loop): the way, without messages."""

    def formatException(self, ei: _Told) -> str:  # noqa: N802 (the library's name)
        kind, _, trace = ei
        way = "".join(traceback.format_tb(trace))
        return f"Traceback (most recent call last):\n{way}{kind.__name__ if kind else ''}"
