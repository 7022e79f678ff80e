"""Keys that nobody may read afterwards: while a PIN is being pressed, and a moment longer. Pure."""

from __future__ import annotations

from callflows.events import Dictate, Listen, Query

HIDDEN = ""  # stands in the log for the key
TAIL_MS = 1000  # the last key's tone may sound on after it was reported


def is_secret(wait: Listen | Dictate | Query | None) -> bool:
    """Whether what is pressed now must be kept nowhere. While the digits are being checked, too: who has pressed them
    all goes on pressing."""
    if isinstance(wait, Query):
        return wait.secret
    return isinstance(wait, Listen) and wait.digits is not None and wait.digits.secret
