"""What nobody may read afterwards: keys, while a PIN is being pressed and a moment longer, and what the line said that
only who is on the line may know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflows import told
from callflows.events import Dictate, Listen, Query
from callflows.flow import Flow

HIDDEN = ""  # stands in the log for the key
TAIL_MS = 1000  # the last key's tone may sound on after it was reported


def is_secret(wait: Listen | Dictate | Query | None) -> bool:
    """Whether what is pressed now must be kept nowhere. While the digits are being checked, too: who has pressed them
    all goes on pressing."""
    if isinstance(wait, Query):
        return wait.secret
    return isinstance(wait, Listen) and wait.digits is not None and wait.digits.secret


def forgotten(flow: Flow, session: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation that is over, as it is kept."""
    state = session.get("state", {})
    return {**session, "state": {**state, "told": told.forgotten(flow, state.get("told", {}))}}


def unsaid(flow: Flow, verbs: Mapping[str, Any]) -> dict[str, Any]:
    """Likewise its last turn by plain verbs (ivr.twilio.turns)."""
    return {**verbs, "says": [say for say in verbs.get("says", ()) if say.get("name") not in flow.tells_secrets]}
