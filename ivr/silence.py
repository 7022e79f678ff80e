"""Whether the carrier's webhooks reach us at all. When they don't, calls still come to their end there (we ask), but
whoever picks up hears nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ivr.records import Call, CallState, WebhookInbox

ENOUGH = 3  # calls: one or two lost callbacks are the carrier's trouble, not ours


def silent_calls(session: Session, since: datetime) -> int:
    """Calls that ended after `since` without a single word from the carrier; 0 while they are few, or when any call had
    one in that time."""
    heard = select(WebhookInbox.id).where(WebhookInbox.received_at > since).limit(1)
    asked = select(Call.id).where(Call.answered_at > since).limit(1)
    if session.scalar(heard) is not None or session.scalar(asked) is not None:
        return 0
    silent = select(func.count()).where(
        Call.state == CallState.OVER,
        Call.ended_at > since,
        Call.ordered_at > since,
        Call.carrier_sid.is_not(None),
        Call.answered_at.is_(None),
        Call.last_sequence < 0,
    )
    count = session.scalar(silent) or 0
    return count if count >= ENOUGH else 0
