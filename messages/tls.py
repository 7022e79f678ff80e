"""Whose certificates are believed: those of the system's authorities."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """Made once: reading all the authorities takes as long as many a message."""
    return ssl.create_default_context()
